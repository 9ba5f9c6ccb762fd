"""A price is tried on a month's registers before anybody is asked to approve it: nothing is stored by it."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.contract.asking import query
from tests.edge.building import Building
from tests.edge.pricing import CATERING, HOURS, preview, set_price

ACCOUNT = "100206"
STEPS = {"period": "month", "bounds": [{"above": "500", "add": "0.10"}, {"above": "600", "add": "0.30"}]}


@pytest.fixture(scope="module")
def building(tmp_path_factory: pytest.TempPathFactory) -> Building:
    """Two days and a night of the demo's food stall, closed; its account is made a household here."""
    made = Building(tmp_path_factory.mktemp("preview"), meters={"a206", "a207"}, poll_s=900, idle_s=5)
    made.edge.core.state.accounts[ACCOUNT].row["household"] = True
    made.connect()
    made.topup(ACCOUNT, 500_000)
    made.run_until(lambda: len(made.of("closing/1", account=ACCOUNT)) == 2, hours=40)
    return made


def billed(building: Building) -> tuple[int, int]:
    charges = building.of("charge/2", account=ACCOUNT)
    assert len(charges) == 2
    return sum(e.fields["wh"] for e in charges), sum(e.fields["amount_nano"] for e in charges)


def row_of(answer: dict[str, Any]) -> dict[str, Any]:
    assert answer["status"] == "done", answer
    (row,) = answer["data"]["accounts"]
    assert row["account"] == ACCOUNT
    return row


def tried(building: Building, **changes: Any) -> dict[str, Any]:
    return row_of(preview(building, CATERING | changes, month="2026-11"))


def test_the_price_of_today_makes_no_difference(building: Building) -> None:
    """The price that was billed, tried on the same registers, gives the same bills to the nano-yuan."""
    wh, amount = billed(building)
    seq = building.edge.core.book.seq
    row = tried(building, price="1.05")
    assert (row["wh"], row["old_nano"], row["new_nano"], row["difference_nano"]) == (wh, amount, amount, 0)
    assert (row["days"], row["charges"], row["interpolated"]) == (2, 2, False)
    assert building.edge.core.book.seq == seq


def test_another_price_is_its_difference_on_each_kwh(building: Building) -> None:
    """Five fen more per kWh, thirty fen a day, a fen off: each seen in the sum, exactly."""
    wh, amount = billed(building)
    assert tried(building)["difference_nano"] == wh * 50_000
    assert tried(building, price="1.05", daily_fee="0.30")["difference_nano"] == 600_000_000
    less = tried(building, price="1.05", surcharges=[{"name": "减免", "price": "-0.01"}])
    assert less["new_nano"] == amount - wh * 10_000


def test_steps_count_over_the_month(building: Building) -> None:
    """The step counter runs over both days: what lies above 500 kWh costs 10 fen more, above 600 kWh 30."""
    wh, amount = billed(building)
    assert wh > 600_000
    more = (min(wh, 600_000) - 500_000) * 100_000 + max(wh - 600_000, 0) * 300_000
    assert tried(building, price="1.05", steps=STEPS)["new_nano"] == amount + more


def test_hours_are_told_apart_by_the_registers_of_the_bills(building: Building) -> None:
    """A price by hours on a meter with registers per rate uses those of the charges, and misses no Wh of theirs."""
    row = row_of(preview(building, HOURS, month="2026-11"))
    charges = building.of("charge/2", account=ACCOUNT)
    start, end = charges[0].fields["start"]["registers_wh"], charges[-1].fields["end"]["registers_wh"]
    exactly = (end["peak"] - start["peak"]) * 1_300_000 + (end["valley"] - start["valley"]) * 400_000
    assert row["new_nano"] == exactly * charges[0].fields["multiplier"]


def test_what_is_paid_upstream_stands_beside_it(building: Building) -> None:
    """R30: of the same energy, with steps and fees: the mark-up that the month would really have had."""
    wh, _ = billed(building)
    data = preview(building, CATERING | {"price": "1.05", "purchase": {"total": "0.70"}}, month="2026-11")["data"]
    assert (data["bought_nano"], data["markup_percent"]) == (wh * 700_000, 50)


def test_the_last_whole_month_is_meant_where_none_is_named(building: Building) -> None:
    """Before the first bill there is nothing to try a price on: zero charges, and the month is named."""
    answer = preview(building, CATERING)
    assert answer["data"]["month"] == "2026-10" and row_of(answer)["charges"] == 0
    assert answer["data"]["difference_nano"] == 0


@pytest.mark.parametrize(
    ("price", "rule"),
    [(CATERING | {"id": "nobody"}, "R27"), (CATERING | {"price": 1.1}, "R7"), ({}, "R7")],
)
def test_a_price_that_nobody_pays_or_nobody_can_read_is_refused(
    building: Building, price: dict[str, Any], rule: str
) -> None:
    """The question is answered with a sentence, not with silence."""
    answer = preview(building, price)
    assert (answer["status"], answer["rule"]) == ("refused", rule)


def test_only_a_few_previews_wait_at_once(building: Building) -> None:
    """Four are worked out beside everything else; a fifth is told to come again, and may once they are done. Asking
    for one of them again is no fifth, and gets the one answer."""
    asked = []
    for number in (1, 2, 3, 4, 4, 5):
        _, payload, transaction = query(
            building.edge.topics, "preview-price", price=CATERING, transaction=f"preview-number-{number}"
        )
        building.edge.requests.receive("preview-price", payload, False)  # All of them before any is worked on.
        asked.append(transaction)
    building.run_until(lambda: all(building.answers(each) for each in asked), hours=1)
    told = {each: [answer["status"] for answer in building.answers(each)] for each in asked}
    assert told == {each: ["done" if each != asked[5] else "refused"] for each in asked}
    (refused,) = building.answers(asked[5])
    assert (refused["rule"], refused["error"]) == (
        "R7", "4 previews are being worked out already; ask again in a moment"
    )  # fmt: skip
    assert preview(building, CATERING)["status"] == "done"


def test_a_price_set_meanwhile_is_seen_in_what_was_paid(building: Building) -> None:
    """The old side is what stands in the book, whatever versions it was billed by. (Last: it changes the price.)"""
    before = tried(building)
    set_price(building, CATERING | {"price": "2.00"})
    building.run_until(lambda: len(building.of("closing/1", account=ACCOUNT)) == 3, hours=30)
    after = tried(building)
    charge = building.of("charge/2", account=ACCOUNT)[-1]
    assert after["old_nano"] - before["old_nano"] == charge.fields["amount_nano"]
    assert after["new_nano"] - before["new_nano"] == charge.fields["wh"] * 1_100_000
    assert charge.fields["amount_nano"] > charge.fields["wh"] * 1_100_000
