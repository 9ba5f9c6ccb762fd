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
from edge.live import Sample
from edge.state import Mark
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
    """It waited for the loop while the time server was heard: nothing later than the line's own seconds say, and no
    time that is known."""
    core, clock = building.edge.core, building.clock
    came = _came(building)
    clock.advance(3.0)
    assert read_times.read_at(core, came) == (came.at, True)
    ahead, behind = (replace(came, at=came.at + timedelta(days=days)) for days in (40, -20_000))
    assert read_times.read_at(core, ahead) == (clock.now() - timedelta(seconds=3), False)
    assert read_times.read_at(core, behind) == (behind.at, False)


def test_an_answer_that_waited_while_the_machine_slept_is_old(building: Elsewhen) -> None:
    """The machine's seconds stood still: what came before is not fresh."""
    came = _came(building)
    building.clock.sleep(5 * 3600)
    assert read_times.read_at(building.edge.core, came) == (came.at, False)


def test_nobody_is_cut_on_a_reading_whose_age_is_not_known(building: Elsewhen) -> None:
    """It was read while the time was not known, and the machine may have slept since: it is read again first (R3)."""
    core = building.edge.core
    account = core.state.accounts["100206"]
    meter = core.state.meters[account.meters[0]]
    live = core.lives[meter.id]
    assert live.sample is not None and live.read_age_s(core.now()) is not None
    live.sample = replace(live.sample, believed=False)
    assert live.read_age_s(core.now()) is None and not building.edge.accounts.verdict(account, meter).allowed


def _came(building: Elsewhen) -> Reply:
    """An answer that has come just now."""
    clock = building.clock
    asked = Request(1, PERSON, "a101", "energy", b"")
    return Reply(asked, "line-1", b"", None, clock.monotonic() - 1.0, clock.monotonic(), clock.now())


@pytest.mark.parametrize("days", [-20_000, 40])
def test_a_saved_reading_of_a_run_that_knew_no_time_is_priced_now(desk: MoneyDesk, days: int) -> None:
    """What is left must not depend on the date that a wrong calendar gave it; nor what stands before the bill count."""
    core, account, meter = desk.core, desk.core.state.accounts["101"], desk.core.state.meters["m1"]
    desk.clock.advance(3600)
    floor = Sample({"total": 3000}, desk.clock.now() + timedelta(days=days), -1e9, (), believed=False)
    core.lives["m1"].floor = floor
    charge = core.balances.provisional(account, meter, account.counters)
    assert charge is not None
    assert charge.marks[-1].at == micros_of(desk.clock.now())
    core.lives["m1"].floor = replace(floor, registers_wh={"total": 900})
    assert core.balances.provisional(account, meter, account.counters) is None


@pytest.mark.parametrize("days", [-20_000, 40])
def test_a_saved_reading_without_a_time_may_be_older_than_a_border(desk: MoneyDesk, days: int) -> None:
    """A border was read after it: that one says nothing of the use until then, and the register does."""
    core, account, meter = desk.core, desk.core.state.accounts["101"], desk.core.state.meters["m1"]
    desk.clock.advance(3600)
    read_at = desk.clock.now() + timedelta(days=days)
    desk.clock.advance(600)
    meter.borders = [Mark({"total": 2500}, micros_of(desk.clock.now()), "border")]
    desk.clock.advance(600)
    core.lives["m1"].floor = Sample({"total": 2480}, read_at, -1e9, (), believed=False)
    assert core.balances.provisional_nano(account)[1] == 1480


@pytest.mark.parametrize("days", [-20_000, 40])
def test_a_saved_reading_without_a_time_counts_beyond_a_guess(desk: MoneyDesk, days: int) -> None:
    """The last bill was estimated: what the register shows beyond that was used, whatever date a calendar gave it."""
    core, account, meter = desk.core, desk.core.state.accounts["101"], desk.core.state.meters["m1"]
    desk.clock.advance(3600)
    meter.billed = Mark({"total": 3000}, micros_of(desk.clock.now()), "estimate")
    desk.clock.advance(3600)
    read_at = desk.clock.now() + timedelta(days=days)
    core.lives["m1"].floor = Sample({"total": 3500}, read_at, -1e9, (), believed=False)
    assert core.balances.provisional_nano(account)[1] == 500
