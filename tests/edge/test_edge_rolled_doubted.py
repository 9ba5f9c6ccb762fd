"""A register that has rolled over since the last bill counts, whatever the calendar says: a gateway that comes up in
1970 gives nobody light that was not paid for (R5, R20).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from edge.billing.rating import energy_wh
from tests.edge.money_desk import MoneyDesk

TOP = 1_000_000_000
"""Where a DL/T 645 total begins anew, in Wh."""
PRICE_NANO = 851_200


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[MoneyDesk]:
    made = MoneyDesk(tmp_path)
    made.topup("101", 100)
    made.opened("m1", TOP - 5_000)
    yield made
    made.book.close()


def used_nano(desk: MoneyDesk) -> int:
    return desk.core.balances.unposted(desk.core.state.accounts["101"])[0]


@pytest.mark.parametrize("year", [1970, 2026])
def test_what_was_used_past_the_top_counts(desk: MoneyDesk, year: int) -> None:
    """20 kWh were used, 15 of them past the top, and the calendar is the true one, or stands before the last bill."""
    desk.clock.advance(3600)
    if year == 1970:
        desk.clock.step_calendar((datetime(1970, 11, 20, tzinfo=UTC) - desk.clock.now()).total_seconds())
        desk.book.trusted = False
    desk.reads("m1", 15_000)
    assert used_nano(desk) == 20_000 * PRICE_NANO


def test_a_reading_from_before_the_last_bill_counts_nothing(desk: MoneyDesk) -> None:
    """The newest reading may be older than the register that was billed: by minutes around a midnight, by hours where a
    gateway was off."""
    desk.reads("m1", TOP - 60_300)
    assert used_nano(desk) == 0


def test_around_a_midnight_at_which_it_rolled_over(desk: MoneyDesk) -> None:
    """The register that was billed stands just past the top and the newest reading, minutes older, just below it: that
    is nothing used. The other way round it is all that lies between."""
    account, meter = desk.core.state.accounts["101"], desk.core.state.meters["m1"]
    assert meter.billed is not None

    def used_wh(billed_wh: int, read_wh: int) -> int | None:
        assert meter.billed is not None
        meter.billed = replace(meter.billed, registers_wh=meter.billed.registers_wh | {"total": billed_wh})
        desk.reads("m1", read_wh)
        charge = desk.core.balances.provisional(account, meter, account.counters)
        return None if charge is None else energy_wh(charge.lines)

    assert used_wh(20, TOP - 30) is None and used_wh(500, 480) is None
    assert used_wh(TOP - 500, 300) == 800
