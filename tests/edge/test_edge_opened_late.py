"""A meter is opened around midnight: its first charge never ends before the register from which it is charged (R19)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from bridge.contract.units import instant_exact, instant_text
from edge.billing.tariff import local_midnight
from tests.edge.money_desk import MoneyDesk

DAY, NEXT = date(2026, 11, 20), date(2026, 11, 21)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[MoneyDesk]:
    made = MoneyDesk(tmp_path)
    made.topup("101", 100)
    yield made
    made.book.close()


def midnight(desk: MoneyDesk, day: date = NEXT) -> datetime:
    return local_midnight(day, desk.core.terms.zone)


def opened_at(desk: MoneyDesk, at: datetime, wh: int) -> None:
    desk.clock.advance((at - desk.clock.now()).total_seconds())
    desk.opened("m1", wh)


def has(desk: MoneyDesk, midnight_day: date, wh: int, source: str, at: datetime) -> None:
    """The register of a midnight has come."""
    desk.closing._midnights._marks["m1", midnight_day] = {
        "registers_wh": {"total": wh}, "at": instant_exact(at), "read_at": instant_text(at), "source": source,
        "frames": [],
    }  # fmt: skip


@pytest.mark.parametrize("frozen", [99_990, 100_000, 100_010])
def test_opened_a_minute_after_midnight(desk: MoneyDesk, frozen: int) -> None:
    """The meter's own midnight is older than its opening, or was kept late by a slow clock: the day closes without a
    charge and without an alarm, and the next one is charged from the opening on."""
    opened_at(desk, midnight(desk) + timedelta(seconds=50), 100_000)
    has(desk, NEXT, frozen, "freeze", midnight(desk))
    desk.clock.advance(60)
    desk.close_days()
    (closing,) = desk.of("closing/1")
    assert closing.fields["charges"] == closing.fields["deferred"] == [] and not desk.of("alarm/1")
    last = NEXT + timedelta(days=1)
    desk.clock.advance(86_400)
    has(desk, last, 110_000, "freeze", midnight(desk, last))
    desk.close_days()
    (charge,) = desk.of("charge/2")
    assert (charge.fields["wh"], charge.fields["start"]["source"]) == (10_000, "opening")


def test_opened_between_its_border_read_and_midnight(desk: MoneyDesk) -> None:
    """The border was read some seconds early and the opening came after it: the day is deferred, nothing is lost."""
    opened_at(desk, midnight(desk) - timedelta(seconds=10), 100_000)
    has(desk, NEXT, 100_000, "border", midnight(desk) - timedelta(seconds=20))
    desk.clock.advance(60)
    desk.close_days()
    (closing,) = desk.of("closing/1")
    assert (closing.fields["charges"], closing.fields["deferred"]) == ([], ["m1"]) and not desk.of("charge/2")
