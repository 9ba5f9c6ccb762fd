"""A register that nobody read opens onto two readings and a sum; the amounts of the list add up to the fen."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

from panel_facts import NOW, charge
from panel_stage import Stage
from sqlalchemy import insert
from test_panel_bill import number, text_of

from bridge.archive.tables import READING
from bridge.contract.units import instant_exact, instant_of, micros_of
from panel.formats import yuan_step

AMOUNT = -51_826_116_000


def swept(stage: Stage, mark: dict[str, Any], sweep: int) -> None:
    """A sweep of the archive has this reading of A206."""
    row = {"gateway": "jx-a", "number": sweep, "meter": "a206", "read_at_us": micros_of(instant_of(mark["at"])),
           "energy_wh": mark["registers_wh"]["total"], "power_w": 0}  # fmt: skip
    with stage.engine.begin() as connection:
        connection.execute(insert(READING), row)


def reading(at: str, seconds: int, total: int) -> dict[str, Any]:
    instant = instant_exact(instant_of(at) + timedelta(seconds=seconds, microseconds=417))
    return {"registers_wh": {"total": total}, "at": instant, "source": "read"}


def test_a_midnight_between_two_readings_shows_both_and_the_sum(shop: Stage) -> None:
    """Each with its time, how it was had and the sweep that has it, or where to look; and the straight line in words.
    The next charge begins at that register and shows the same."""
    body = charge("100206", "a206")
    end = body["end"]
    total = end["registers_wh"]["total"]
    before, after = reading(end["at"], -60, total - 20), reading(end["at"], 120, total + 40)
    end |= {"registers_wh": {"total": total}, "source": "interpolated", "frames": [], "rests_on": [before, after]}
    body |= {"guessed": ["interpolated"], "full_scale_wh": 10**9}
    seq = shop.entry("charge/2", body, amount_nano=AMOUNT)
    swept(shop, before, 41)
    visitor = shop.visitor("finance")
    text = text_of(visitor.see(f"/entry/{seq}"))
    assert "Total 18,492.86 kWh · read · sweep 41 of the readings here" in text
    assert f"not among the readings here; on the gateway, “riser explain {seq}” says where it stands" in text
    assert "59.999583 s of 180 s had passed." in text
    assert "Total: 18,492.86 + 0.06 × 59.999583 ÷ 180 = 18,492.88 kWh" not in text, "that line gives one Wh less"
    assert "Total: 18,492.86 + 0.02 = 18,492.88 kWh; of the 0.06 between the two readings so much lies before" in text
    before["at"] = instant_exact(instant_of(end["at"]) - timedelta(seconds=60))
    after["at"] = instant_exact(instant_of(end["at"]) + timedelta(seconds=120))
    seq = shop.entry("charge/2", body, amount_nano=AMOUNT)
    assert "Total: 18,492.86 + 0.06 × 60 ÷ 180 = 18,492.88 kWh, rounded down." in text_of(visitor.see(f"/entry/{seq}"))
    follows = charge("100206", "a206") | {"start": {key: end[key] for key in ("registers_wh", "at", "source")}}
    follows["end"] = end | {"source": "freeze", "rests_on": []}
    seq = shop.entry("charge/2", follows, amount_nano=AMOUNT)
    assert "0.06 × 60 ÷ 180 = 18,492.88 kWh, rounded down." in text_of(visitor.see(f"/entry/{seq}"))
    chinese = text_of(shop.visitor("finance", "zh").see(f"/entry/{seq}"))
    assert "两次读数之间按均匀用电计：180 秒中已过 60 秒。" in chinese and "向下取整" in chinese


def test_a_border_that_nobody_read_shows_its_two_readings(shop: Stage) -> None:
    """Within the charge: between a border that was read, whose entry has the frames, and the end of the charge."""
    body = charge("100206", "a206")
    start, end = body["start"], body["end"]
    hour = instant_of(start["at"]) + timedelta(hours=8)
    read = {"registers_wh": {"total": 18_440_000}, "at": instant_exact(hour), "source": "border"}
    used = end["registers_wh"]["total"] - 18_440_000
    missed = {"registers_wh": {"total": 18_440_000 + used // 2}, "at": instant_exact(hour + timedelta(hours=8)),
              "source": "interpolated"}  # fmt: skip
    border = shop.entry("border/1", {"meter": "a206", **read, "border": read["at"], "frames": []})
    body |= {"between": [read, missed], "by": "borders", "guessed": ["interpolated"], "full_scale_wh": 10**9}
    seq = shop.entry("charge/2", body, amount_nano=AMOUNT)
    page = shop.visitor("finance").see(f"/entry/{seq}")
    text = text_of(page)
    assert "2026-11-19 16:00:00 : nobody read the meter then; this register was worked out between two others:" in text
    assert text.count("a register of this charge itself") == 2
    assert "28800 s of 57600 s had passed. Total: 18,440.00 + 52.88 × 28800 ÷ 57600 = 18,466.44 kWh" in text
    links = page[page.index("with their raw frames:") :]
    assert f'href="../entry/{border}"' in links[: links.index("</p>")]


def test_the_amounts_of_the_list_are_the_steps_between_its_balances(shop: Stage) -> None:
    """Each charge takes a part of a fen with it; still each balance less the one below it is the amount beside it, and
    the exact amount stands in its title."""
    balance = 100_000_000_000
    for day in range(6):
        balance += AMOUNT
        body = charge("100206", "a206", days_ago=5 - day, balance_nano=balance)
        shop.entry("charge/1", body, amount_nano=AMOUNT, at=NOW - timedelta(days=5 - day))
    page = shop.visitor("finance").see("/account/100206")
    shown = re.findall(r'title="exactly −51\.826116 yuan".*?</span>([^<]+)</span>.*?</span>([^<]+)</span>', page)
    assert len(shown) == 6
    figures = [(number(amount), number(after)) for amount, after in shown]
    for (amount, after), (_, before) in pairwise(figures):
        assert after - before == amount
    assert {amount for amount, _ in figures} == {Decimal("-51.82"), Decimal("-51.83")}
    assert "the list shows −51.83, by which the balance in whole fen changed." in page


def test_a_step_of_less_than_a_fen_has_no_sign() -> None:
    """What did not change the shown balance is shown as nothing; without a balance the size is shown, floored."""
    assert (yuan_step(-1, 10), yuan_step(1, 10_000_000), yuan_step(-1, -1)) == ("0.00", "+0.01", "−0.01")
    assert (yuan_step(200 * 10**9, None), yuan_step(None, 5)) == ("+200.00", "—")
