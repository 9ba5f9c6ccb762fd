"""A register that was read while the calendar was wrong gets its time as soon as that is known (R25)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bridge.contract.units import micros_of
from edge import read_times
from edge.line.request import PERSON, Reply, Request
from tests.edge.calendars import Elsewhen
from tests.edge.money_desk import MoneyDesk

DAY_S = 86_400


@pytest.fixture
def building(tmp_path: Path) -> Elsewhen:
    made = Elsewhen(tmp_path, meters={"a101", "a102", "a206", "a301", "a303"}, poll_s=900, idle_s=10)
    made.connect()
    made.run(minutes=5)
    return made


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[MoneyDesk]:
    made = MoneyDesk(tmp_path)
    made.topup("101", 100)
    made.opened("m1", 1000)
    yield made
    made.book.close()


@pytest.mark.parametrize("days", [40, -20_000])
def test_what_was_read_under_a_wrong_calendar_was_read_so_long_ago(building: Elsewhen, days: int) -> None:
    """Forty days ahead, or in 1972: read then, right again a quarter of an hour later, before the next round."""
    lives = building.edge.core.lives
    building.clock.step_calendar(days * DAY_S)
    wrong_at = building.clock.true.now()
    building.run_until(lambda: not any(live.sample.believed for live in lives.values() if live.sample), hours=1)
    right_at = building.clock.true.now()
    building.clock.set_right()
    building.run_until(lambda: building.mode()[0] == "normal", hours=1)
    seen = [live.sample for live in lives.values() if live.sample is not None and not live.sample.believed]
    assert seen, "none was read again yet"
    assert all(wrong_at <= sample.read_at <= right_at + timedelta(seconds=2) for sample in seen)


def test_an_answer_that_was_stamped_before_the_calendar_was_set_right(building: Elsewhen) -> None:
    """It waited for the loop while the time server was heard: the line's own seconds say when it came."""
    core, clock = building.edge.core, building.clock
    asked = Request(1, PERSON, "a101", "energy", b"")
    came = Reply(asked, "line-1", b"", None, clock.monotonic() - 1.0, clock.monotonic(), clock.now())
    clock.advance(3.0)
    assert read_times.read_at(core, came) == clock.now() - timedelta(seconds=3)
    for wrong in (timedelta(days=40), timedelta(days=-20_000)):
        leapt = replace(came, at=came.at + wrong)
        assert read_times.read_at(core, leapt) == clock.now() - timedelta(seconds=3)


def test_a_saved_reading_of_a_run_that_knew_no_time_is_priced_now(desk: MoneyDesk) -> None:
    """What is left must not depend on the date that a wrong calendar gave it; nor what stands before the bill count."""
    core, account, meter = desk.core, desk.core.state.accounts["101"], desk.core.state.meters["m1"]
    desk.clock.advance(3600)
    desk.reads("m1", 3000)
    newest = core.lives["m1"].sample
    assert newest is not None
    core.lives["m1"].sample = None
    for apart in (timedelta(days=-20_000), timedelta(days=40)):
        core.lives["m1"].floor = replace(newest, read_at=newest.read_at + apart, believed=False)
        charge = core.balances.provisional(account, meter, account.counters)
        assert charge is not None
        assert charge.marks[-1].at == micros_of(desk.clock.now())
        core.lives["m1"].floor = replace(core.lives["m1"].floor, registers_wh={"total": 900})
        assert core.balances.provisional(account, meter, account.counters) is None
