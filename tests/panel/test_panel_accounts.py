"""The clerk's lists: who is called in the morning, and what is in the drawer in the evening."""

from __future__ import annotations

import json
import re
from datetime import timedelta

import pytest
from panel_facts import NOW, YUAN, at, hold, relay, row, standing, tenant
from panel_stage import Stage, install
from sqlalchemy import insert

from bridge.archive.tables import ENTRY
from bridge.contract.units import micros_of

ROOMS = ("A1", "A2", "A3", "A4", "A5", "A6")


@pytest.fixture
def floor(stage: Stage) -> Stage:
    """Six accounts: healthy, level 1 with two days, level 3, cut, final, level 1 with a day."""
    install(
        stage,
        [row(room.lower(), room, f"acc-{room.lower()}") for room in ROOMS],
        [tenant(f"acc-{room.lower()}", f"户{room}", room, [room.lower()]) for room in ROOMS],
    )
    stage.online()
    for room in ROOMS:
        stage.say(relay(), room.lower())
    stage.say(standing("on", 235.23), "acc-a1")
    stage.say(standing("low1", 45.0, days_left=2.0), "acc-a2")
    stage.say(standing("low3", 8.0, days_left=0.5), "acc-a3")
    stage.say(standing("cut", -12.06, days_left=None), "acc-a4")
    stage.say(relay("open", holds=[hold("arrears")]), "a4")
    stage.say(standing("final", 3.18, days_left=0.02, cut_at=at(-29.8)), "acc-a5")
    stage.say(standing("low1", 44.0, days_left=1.0), "acc-a6")
    return stage


def listed(page: str) -> list[str]:
    return re.findall(r'<tr class="row"><td><a href="account/acc-\w+"><b>(\w+)</b>', page)


def test_the_most_urgent_stands_on_top(floor: Stage) -> None:
    """Final warnings, then who is cut, then level 3, 2, 1, and in a level who runs out first; the healthy are left."""
    visitor = floor.visitor("finance")
    assert listed(visitor.see("/accounts")) == ["A5", "A4", "A3", "A6", "A2"]
    assert listed(visitor.see("/accounts?list=all")) == ["A5", "A4", "A3", "A6", "A2", "A1"]
    assert listed(visitor.see("/accounts?list=owing")) == ["A4"]
    assert listed(visitor.see("/accounts?list=xyz")) == ["A5", "A4", "A3", "A6", "A2"]


def test_a_line_says_whom_to_call_and_what_comes(floor: Stage) -> None:
    """Room, name, phone to tap, state, balance, how long it lasts, and when supply goes."""
    page = floor.visitor("finance").see("/accounts")
    for words in ("户A5", 'href="tel:13800006021"', "Final warning", "3.18", "28 min", "Will be cut today at 15:20",
                  "−12.06", "used up", "Supply cut since", "owed −12.06, prepaid 100.18 yuan"):  # fmt: skip
        assert words in page, words


def test_an_empty_list_is_a_sentence(stage: Stage) -> None:
    """Before the gateway has spoken that is said, and afterwards that nobody is low."""
    visitor = stage.visitor("finance")
    assert "No accounts yet" in visitor.see("/accounts")
    install(stage, [row("a1", "A1", "acc")], [tenant("acc", "张三", "A1", ["a1"])])
    stage.online()
    stage.say(standing(), "acc")
    assert "Nobody stands on this list" in visitor.see("/accounts-now")


def take(stage: Stage, fen: int, method: str, who: str, minutes_ago: float) -> int:
    body = {"account": "100206", "amount_fen": fen, "method": method, "who": who, "receipt": f"r-{fen}",
            "balance_after_nano": 0}  # fmt: skip
    return stage.entry("topup/1", body, at=NOW - timedelta(minutes=minutes_ago), amount_nano=fen * YUAN // 100)


def test_the_drawer_is_counted_by_method_and_person(shop: Stage) -> None:
    """The day's money in sum, by method, by person; a chosen person sees what they took themselves."""
    take(shop, 20_000, "cash", "王敏", 5)
    take(shop, 10_050, "transfer", "王敏", 50)
    take(shop, 5_000, "cash", "demo payer", 90)
    visitor = shop.visitor("finance")
    page = visitor.see("/takings")
    for words in ("350.50", "Cash</dt><dd>250.00", "Transfer</dt><dd>100.50", "3 top-ups", "王敏 <b>300.50",
                  "the demo's payer <b>50.00", "r-20000", "A206"):  # fmt: skip
        assert words in page, words
    own = visitor.see("/takings?day=2026-11-20&who=王敏")
    assert "300.50 <small>" in own and "r-20000" in own and "r-5000" not in own


def test_a_day_ends_at_the_sites_midnight(shop: Stage) -> None:
    """Money from before local midnight stands on the day before; tomorrow does not exist yet; nonsense is today."""
    take(shop, 20_000, "cash", "王敏", 14 * 60 + 49)
    take(shop, 7_700, "cash", "王敏", 14 * 60 + 51)
    visitor = shop.visitor("finance")
    today = visitor.see("/takings")
    assert "r-20000" in today and "r-7700" not in today and "day after" not in today
    before = visitor.see("/takings?day=2026-11-19")
    assert "r-7700" in before and "r-20000" not in before and "?day=2026-11-20" in before
    assert "No money was taken on this day" in visitor.see("/takings?day=2026-11-18")
    for day in ("2026-11-21", "x", "0001-01-01", ""):
        assert "Money taken on 2026-11-20" in visitor.see(f"/takings?day={day}")


def test_the_smallest_amount_that_brings_supply_back_is_a_button(shop: Stage) -> None:
    """−12.06 and a limit of 1.00 need 13.07, for the balance must rise above it; with another hold no sum helps."""
    shop.say(standing("cut", -12.06), "100206")
    shop.say(relay("open", holds=[hold("arrears")]), "a206")
    visitor = shop.visitor("finance")
    assert 'data-amount="13.07"' in visitor.see("/account/100206")
    assert "Supply returns within 10 minutes" in visitor.see("/account-preview/100206?amount=13.07")
    assert "Supply stays off" in visitor.see("/account-preview/100206?amount=13.06")
    shop.say(relay("open", holds=[hold("arrears"), hold("lockout")]), "a206")
    assert "data-amount" in visitor.see("/account/100206")
    assert 'data-amount="13.07"' not in visitor.see("/account/100206")


def test_no_money_of_a_long_day_is_left_out(shop: Stage) -> None:
    """2500 top-ups: the sum is of all, the list has pages, and the last page ends with the first of the day."""
    body = {"account": "100206", "amount_fen": 100, "method": "cash", "who": "王敏", "balance_after_nano": 0}
    rows = [
        {"gateway": "jx-a", "seq": n, "id": f"e:{n}", "at_us": micros_of(NOW) - 2501 + n, "kind": "topup/1",
         "account": "100206", "meter": None, "amount_nano": YUAN, "body": json.dumps(body | {"receipt": f"r-{n:04d}"}),
         "boot": "b", "mono_ns": 0, "trusted": 1, "prev_hash": "", "hash": ""}
        for n in range(1, 2501)
    ]  # fmt: skip
    with shop.engine.begin() as connection:
        connection.execute(insert(ENTRY), rows)
    visitor = shop.visitor("finance")
    page = visitor.see("/takings")
    assert "2,500.00 <small>" in page and "2500 top-ups" in page and "page 1 of 13, newest first" in page
    assert "r-2500" in page and "r-2300" not in page and "page=2" in page
    last = visitor.see("/takings?day=2026-11-20&page=99&who=王敏")
    assert "page 13 of 13" in last and "r-0001" in last and "r-0101" not in last and "2,500.00 <small>" in last
