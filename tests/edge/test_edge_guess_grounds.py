"""What a guess may rest on, and what it may not: other guesses, readings without a day, an open relay (R24)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bridge.contract.units import instant_exact, micros_of
from edge.fallbacks import Fallbacks
from edge.live import Sample
from edge.state import Mark, MeterState
from tests.edge.money_desk import MoneyDesk

LAST, MIDNIGHT = datetime(2026, 11, 19, 16, tzinfo=UTC), datetime(2026, 11, 20, 16, tzinfo=UTC)
NEXT_DAY = date(2026, 11, 21)
WEEK = [{"total": 24_000}] * 7


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[MoneyDesk]:
    """Charged to the midnight before, after a week of 24 kWh a day."""
    made = MoneyDesk(tmp_path)
    made.opened("m1", 1000)
    meter = made.core.state.meters["m1"]
    meter.billed, meter.days = Mark({"total": 1000}, micros_of(LAST), "freeze"), list(WEEK)
    yield made
    made.book.close()


def guessed(desk: MoneyDesk) -> dict[str, Any]:
    state = desk.core.state
    found = Fallbacks(desk.core).mark(state.accounts["101"], state.meters["m1"], NEXT_DAY)
    assert found is not None and found["source"] == "estimate"
    return found


def test_behind_an_open_relay_nothing_is_estimated(desk: MoneyDesk) -> None:
    """A tenant who is cut off uses nothing, so the estimate stands where the register stood."""
    assert guessed(desk)["registers_wh"] == {"total": 25_000}
    desk.core.state.meters["m1"].known = "open"
    assert guessed(desk)["registers_wh"] == {"total": 1000}


def test_a_reading_of_an_unknown_day_is_no_ground(desk: MoneyDesk) -> None:
    """Read at noon, an estimate goes on from there; read while nobody believed the calendar, it does not (R25)."""
    live, noon = desk.core.lives["m1"], LAST + timedelta(hours=12)
    live.sample = Sample({"total": 3000}, noon, 0.0, (), None, True)
    assert guessed(desk)["registers_wh"] == {"total": 15_000}
    live.sample = Sample({"total": 3000}, noon, 0.0, (), None, False)
    assert guessed(desk)["registers_wh"] == {"total": 25_000}


@pytest.mark.parametrize(("source", "counts"), [("freeze", True), ("corrected", True), ("estimate", False)])
def test_a_guess_is_no_reading_beside_midnight(desk: MoneyDesk, source: str, counts: bool) -> None:
    """Interpolated is between what meters or people have said, never on from a guess."""
    meter: MeterState = desk.core.state.meters["m1"]
    meter.billed = Mark({"total": 1000}, micros_of(MIDNIGHT - timedelta(hours=1)), source)
    near: Any = SimpleNamespace(before={}, after={})
    assert Fallbacks(desk.core)._before(near, meter, MIDNIGHT) == ([meter.billed] if counts else [])


def test_a_load_record_serves_no_price_by_the_registers_of_hours(desk: MoneyDesk) -> None:
    """It holds the total alone: with a price by hours and a meter with registers per rate it is not asked for (R28)."""
    state, fallbacks = desk.core.state, Fallbacks(desk.core)
    account, meter = state.accounts["101"], state.meters["m1"]
    assert fallbacks._total_will_do(account, meter, NEXT_DAY)
    hours = {
        "price_kind": "tou", "prices_micro": {"peak": 9, "flat": 5},
        "windows": [{"from": 0, "to": 720, "rate": "flat"}, {"from": 720, "to": 1440, "rate": "peak"}],
    }  # fmt: skip
    row = {**state.tariffs["shop"][-1], "version": 2, "effective_at": instant_exact(desk.clock.now()), **hours}
    desk.core.append(("tariff/2", "tariff:shop:2", row))
    meter.row["rates"] = False
    assert fallbacks._total_will_do(account, meter, NEXT_DAY), "its hours are told by readings of the total"
    meter.row["rates"] = True
    meter.billed = Mark({"total": 1000, "peak": 400, "flat": 600}, micros_of(LAST), "freeze")
    assert not fallbacks._total_will_do(account, meter, NEXT_DAY)
