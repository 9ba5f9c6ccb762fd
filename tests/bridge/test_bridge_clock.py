"""Clocks: what is scaled in the demo and what is not, and that siblings agree."""

import time
from datetime import UTC, datetime, timedelta

import pytest

from bridge.contract.clock import ENVIRONMENT, ManualClock, ScaledClock, SystemClock, from_environment

START = datetime(2026, 11, 20, 2, 30, tzinfo=UTC)


def test_the_machine_s_own_clock_is_aware() -> None:
    """Without a setting, time is the machine's, in UTC, and runs at speed 1."""
    clock = from_environment({})
    assert isinstance(clock, SystemClock)
    assert clock.now().tzinfo is UTC and clock.speed == 1
    assert clock.elapsed() >= clock.monotonic() - 1


def test_a_restarted_child_agrees_with_its_siblings() -> None:
    """The text in the environment makes the same calendar in another process, to the microsecond."""
    first = ScaledClock(START, time.monotonic_ns() - 10**9, 60)
    second = from_environment({ENVIRONMENT: first.environment()})
    before = first.now()
    between = second.now()
    assert before <= between <= first.now()
    assert second.speed == 60


def test_only_the_calendar_is_scaled() -> None:
    """In the demo a minute of the calendar passes in a second, whereas the line's own time stays real."""
    base_ns = time.monotonic_ns() - 10 * 10**9
    clock = ScaledClock(START, base_ns, 60)
    assert clock.now() - START >= timedelta(minutes=10)
    assert clock.elapsed() >= 600
    assert abs(clock.monotonic() - time.monotonic()) < 1
    begun_s = time.monotonic()
    clock.wait(0.02)
    assert 0.02 <= time.monotonic() - begun_s < 1


@pytest.mark.parametrize(
    "text",
    ["scaled", "scaled:2026-11-20T02:30:00:1:60", "scaled:2026-11-20T02:30:00+00:00:1:0", "wild:1:2:3:4",
     "scaled:2026-11-20T02:30:00+00:00:x:60", "scaled:2026-11-20T02:30:00+00:00:1:nan",
     "scaled:2026-11-20T02:30:00+00:00:1:200000"],
)  # fmt: skip
def test_a_clock_that_is_not_understood_stops_the_start(text: str) -> None:
    """A program never runs on a guessed clock; the sentence names the variable and its form."""
    with pytest.raises(ValueError, match=f"{ENVIRONMENT} is not understood.*it reads scaled"):
        from_environment({ENVIRONMENT: text})


def test_a_manual_clock_stands_until_it_is_moved() -> None:
    """Under test time passes only by waiting, alike on all three readings; a calendar step moves the calendar alone."""
    clock = ManualClock(START)
    assert (clock.now(), clock.monotonic()) == (START, 1000.0)
    clock.wait(90)
    assert (clock.now(), clock.monotonic(), clock.elapsed()) == (START + timedelta(seconds=90), 1090.0, 1090.0)
    clock.step_calendar(-3600)
    assert clock.now() == START + timedelta(seconds=90 - 3600) and clock.monotonic() == 1090.0
    with pytest.raises(ValueError, match="backwards"):
        clock.advance(-1)


def test_clocks_refuse_a_start_without_offset() -> None:
    """An unaware instant cannot begin a calendar."""
    naive = START.replace(tzinfo=None)
    with pytest.raises(ValueError, match="aware"):
        ManualClock(naive)
    with pytest.raises(ValueError, match="offset"):
        ScaledClock(naive, 0, 1)
