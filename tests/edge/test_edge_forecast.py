"""How long the money lasts, where a unit costs more once so much was used: the steps ahead count, and those behind."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.billing.climbing import climbing
from edge.billing.steps import Step, Steps, addition_at
from tests.edge.money_desk import NANO, MoneyDesk

ZONE = ZoneInfo("Asia/Shanghai")
MIDNIGHT = datetime(2026, 11, 29, 16, tzinfo=UTC)  # Monday the 30th begins; the month ends with it.


@settings(max_examples=100, deadline=None)
@given(
    st.integers(1, 40_000), st.integers(0, 9_000),
    st.lists(st.tuples(st.integers(0, 9_000), st.integers(1, 99)), min_size=1, max_size=3, unique_by=lambda row: row[0])
)  # fmt: skip
def test_the_steps_ahead_are_those_of_every_single_minute(load_w: int, used: int, rows: list[tuple[int, int]]) -> None:
    """Any load and any bounds, over the end of a month: the price of each minute is that of the step it lies on, and
    the spans leave no gap."""
    steps = Steps("month", tuple(Step(*row) for row in sorted(rows)))
    hours = [(MIDNIGHT + timedelta(hours=n), MIDNIGHT + timedelta(hours=n + 1), 1000 * n) for n in range(30)]
    found = list(climbing(hours, load_w, used, steps, date(2020, 1, 1), ZONE))
    assert found[0][0] == MIDNIGHT and found[-1][1] == hours[-1][1]
    assert all(one[1] == other[0] and one[0] < one[1] for one, other in pairwise(found))
    for minute in range(30 * 60):
        at = MIDNIGHT + timedelta(minutes=minute, seconds=30)
        since = MIDNIGHT if minute < 24 * 60 else MIDNIGHT + timedelta(hours=24)
        seconds = int((at - since).total_seconds())
        micro = next(span for span in found if span[0] <= at < span[1])[2]
        near = {
            addition_at(max(0, (used if since == MIDNIGHT else 0) + load_w * (seconds + s) // 3600), steps.steps)
            for s in (-1, 0, 1)
        }  # A cut is on a whole second.
        assert micro - 1000 * (minute // 60) in near


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[MoneyDesk]:
    """A household at 0.8512 yuan, and 1 yuan more above 10 kWh of the month."""
    made = MoneyDesk(tmp_path)
    steps = {"period": "month", "month": 1, "day": 1, "moving_in": "full",
             "steps": [{"above_wh": 10_000, "add_micro": 1_000_000}]}  # fmt: skip
    made.core.state.tariffs["shop"][0] |= {"steps": steps}
    made.core.pricing.refresh()
    made.topup("101", 100)
    made.opened("m1", 100_000)
    made.core.lives["m1"].load_w = 1_000
    yield made
    made.book.close()


def lasts_s(desk: MoneyDesk, yuan: int) -> int:
    zero = desk.accounts.zero_at(desk.core.state.accounts["101"], yuan * NANO)
    assert zero is not None
    return int((zero - desk.clock.now()).total_seconds())


def test_what_is_used_and_not_billed_yet_stands_on_its_step(desk: MoneyDesk) -> None:
    """12 kWh were used since midnight and none is billed: each further kWh costs 1.8512 yuan, not 0.8512."""
    desk.clock.advance(3600)
    desk.reads("m1", 112_000)
    assert lasts_s(desk, 5) == 5 * 3600 * 10_000 // 18_512


def test_a_step_that_will_be_crossed_is_counted_from_there_on(desk: MoneyDesk) -> None:
    """8 kWh were used: two hours at 1 kW go at the old price, the rest of the money at the new one."""
    desk.clock.advance(3600)
    desk.reads("m1", 108_000)
    assert lasts_s(desk, 5) == pytest.approx(2 * 3600 + (5 - 2 * 0.8512) / 1.8512 * 3600, abs=1)
