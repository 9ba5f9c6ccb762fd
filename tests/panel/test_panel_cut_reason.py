"""“Why was I cut?”: the answer is the evidence that stood in the book before the first byte left."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from panel_facts import NOW
from panel_stage import Stage

EVIDENCE: dict[str, Any] = {
    "account": "100206", "meter": "a206", "cause": "arrears", "attempt": 1, "episode": 1,
    "available_nano": -1_474_500_000, "posted_nano": 54_900_000_000, "provisional_nano": 56_374_500_000,
    "provisional_wh": 53_690, "cut_limit_nano": 0, "tariff": "shop", "version": 7, "warned_s": 1849,
    "billed": {"at": "2026-11-19T16:00:00+00:00", "registers_wh": {"total": 317_136_680}, "source": "freeze"},
    "read": {"read_at": "2026-11-20T04:33:23+00:00", "registers_wh": {"total": 317_190_370}, "serial": "1"},
    "window": ["2026-11-20T01:00:00+00:00", "2026-11-20T08:00:00+00:00"],
}  # fmt: skip


def test_a_cut_opens_onto_its_evidence(shop: Stage) -> None:
    """Balance as posted less the day's use, both registers, the price, warning and delivery, time to pay, hours."""
    final = shop.entry("final/1", {"account": "100206"}, at=NOW - timedelta(minutes=170))
    heard = shop.entry("delivered/1", {"account": "100206", "channel": "lamp"}, at=NOW - timedelta(minutes=169))
    shop.entry("trip/1", EVIDENCE | {"final_seq": final, "delivered_seq": heard})
    page = shop.visitor("finance").see("/account/100206")
    entry = page[page.index("Cut-off ordered") : page.index("</details>", page.index("Cut-off ordered"))]
    for words in ("54.90 posted −56.38 of the day = −1.48 yuan",
                  "317,136.68 at 11-20 00:00 → 317,190.37 at 11-20 12:33:23, 53.69 kWh", "“商业分时”, version 7",
                  "11-20 12:00:12", "11-20 12:01:12 · by the meter's lamp",
                  "30 min with power; at least 30 min are due", "09:00 – 16:00",
                  "cut at 0.00 yuan or less"):  # fmt: skip
        assert words in entry, words


def test_a_persons_cut_names_the_person_and_the_reason(shop: Stage) -> None:
    """A trip by hand tells who set which hold and why, as typed; no balance is blamed."""
    holds = [{"hold": "lockout", "why": "<b>更换断路器", "who": "李强", "seq": 4}]
    shop.entry("trip/1", {"account": "100206", "meter": "a206", "cause": "manual", "attempt": 1, "holds": holds})
    page = shop.visitor("finance", language="zh").get("/account/100206").text
    assert "检修" in page and "李强 · &lt;b&gt;更换断路器" in page and "停电时的余额" not in page


def test_old_evidence_with_less_in_it_is_shown_as_far_as_it_goes(shop: Stage) -> None:
    """An entry of an older version that lacks a reading or a warning breaks no page."""
    shop.entry("trip/1", {"account": "100206", "meter": "a206", "cause": "arrears", "available_nano": -1})
    shop.entry("trip/1", {"account": "100206", "meter": "a206", "cause": "arrears", "final_seq": 99_999})
    assert "cut at 0.00 yuan or less" in shop.visitor("finance").see("/account/100206")


STRANGE: list[dict[str, Any]] = [
    {"provisional_nano": "56"}, {"provisional_nano": None}, {"available_nano": [1]}, {"posted_nano": {}},
    {"cut_limit_nano": "0"}, {"provisional_wh": "x"}, {"window": ["soon"]}, {"window": [5]}, {"window": 7},
    {"billed": {"registers_wh": {"total": 5}}}, {"billed": {"at": "then", "registers_wh": {"total": 5}}},
    {"read": {"registers_wh": {"total": 5}}}, {"read": {"read_at": "x", "registers_wh": {"total": 5}}},
    {"read": 3}, {"read": {"registers_wh": {"total": "5"}, "read_at": "2026-11-20T04:33:23+00:00"}},
    {"warned_s": "long"}, {"cause": "manual", "holds": [3]}, {"cause": "manual", "holds": 3},
    {"cause": "manual", "holds": [{"hold": ["lockout"]}]}, {"cause": ["arrears"]},
]  # fmt: skip


def test_evidence_that_does_not_fit_is_shown_as_unreadable(shop: Stage) -> None:
    """Whatever stands where a reading, a balance or a hold should be, no page of the account or meter breaks."""
    visitor = shop.visitor("finance")
    for strange in STRANGE:
        shop.entry("trip/1", EVIDENCE | strange)
        for address in ("/account/100206", "/meter/a206"):
            assert visitor.get(address).status_code == 200, (address, strange)
    assert visitor.see("/account/100206").count("It cannot be read here") >= 20
