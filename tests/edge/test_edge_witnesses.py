"""Which clocks are waited for after a step of the calendar, one look after another (R25)."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from bridge.contract.units import EPOCH, micros_of
from edge.answers import REFUSED_S
from edge.live import Live
from edge.witnesses import READ_FIRST_AT_MOST_S, READ_FIRST_S, Witnesses
from tests.edge.calendars import WrongCalendar


class Meter(SimpleNamespace):
    has_clock, tells_time = Live.has_clock, Live.tells_time


def shaft(meters: int) -> Any:
    """Meters with clocks that agree with the calendar, which has been believed."""
    lives = {
        f"m{number}": Meter(
            model=SimpleNamespace(rows={"clock": None}),
            lacks=set(),
            online=True,
            missed=0,
            clock_offset_s=0,
            asked_mono={},
        )
        for number in range(meters)
    }
    clock = WrongCalendar(EPOCH.replace(year=2026))
    clock.elapsed = clock.monotonic  # type: ignore[attr-defined]
    core = SimpleNamespace(lives=lives, clock=clock, clock_moved_s=0, clock_unheard=True, now=clock.now)
    core.state = SimpleNamespace(newest_at=0)
    witnesses: Any = Witnesses(core)  # type: ignore[arg-type]
    assert witnesses.doubt() is None
    witnesses.judged(True)
    return SimpleNamespace(core=core, clock=clock, witnesses=witnesses, lives=list(lives.values()))


def stepped(meters: int, step_s: int, heard: int, offset_s: int) -> Any:
    """The same after a step of the calendar, from which the first of them that were heard since stand so far."""
    here = shaft(meters)
    here.clock.step_calendar(step_s)
    here.witnesses.doubt()
    for live in here.lives[:heard]:
        live.clock_offset_s = offset_s
    return here


@pytest.mark.parametrize("wrong_s", [2400, -2400])
def test_the_first_three_that_contradict_are_not_passed_over(wrong_s: int) -> None:
    """A round that begins minutes after the step: three meters stand forty minutes away, most were not heard yet. A
    border that is read now would be read at the wrong time."""
    here = shaft(8)
    here.clock.step_calendar(wrong_s)
    assert "read first" in here.witnesses.doubt()
    here.clock.advance(READ_FIRST_S + 300)
    assert "read first" in here.witnesses.doubt()
    for live in here.lives[:3]:
        live.clock_offset_s = -wrong_s
    assert "read first" in here.witnesses.doubt()
    here.core.clock_moved_s = -wrong_s  # Most have said so.
    assert f"stand {-wrong_s} s from the calendar" in here.witnesses.doubt()


def test_three_that_agree_are_enough() -> None:
    """After two minutes; the others are not waited for."""
    here = stepped(8, 2400, heard=3, offset_s=100)
    here.clock.advance(READ_FIRST_S - 1)
    assert "read first" in here.witnesses.doubt()
    here.clock.advance(2)
    assert here.witnesses.doubt() is None


def test_who_refuses_to_tell_the_time_is_not_waited_for() -> None:
    """Two meters agree with a calendar that leapt by hours; the third answers that it has no such question."""
    here = stepped(3, 7200, heard=2, offset_s=0)
    here.clock.advance(READ_FIRST_S + 1)
    assert "read first" in here.witnesses.doubt()
    here.lives[2].lacks.add("clock")
    here.lives[2].asked_mono["clock"] = here.clock.monotonic() + REFUSED_S
    assert here.witnesses.doubt() is None


def test_those_who_contradict_are_waited_for_an_hour() -> None:
    """No handful of meters stops the bills of a building: it goes on then, and as soon as most were heard and nothing
    has moved. Meters that always stand so far off are no reason to wait."""
    here = stepped(8, 2400, heard=3, offset_s=-2400)
    here.clock.advance(READ_FIRST_S + 1)
    assert here.witnesses.doubt() is not None
    here.core.clock_unheard = False
    assert here.witnesses.doubt() is None

    here = stepped(8, 2400, heard=3, offset_s=-2400)
    here.clock.advance(READ_FIRST_AT_MOST_S - 1)
    assert here.witnesses.doubt() is not None
    here.clock.advance(2)
    assert here.witnesses.doubt() is None


def test_a_leap_is_measured_from_what_the_meters_said() -> None:
    """It came up at a time that nobody believes, which the meters corrected; what the calendar says next is held
    against that. Right, it is believed; 40 days ahead it is not while no meter says so."""
    for ahead_s, doubted in ((0, False), (40 * 86_400, True)):
        here = shaft(8)
        here.witnesses._believed_apart_s = None
        here.clock.off_s = -1e9
        here.witnesses.doubt()
        for live in here.lives:
            live.clock_offset_s = int(1e9)
        here.clock.off_s = ahead_s
        here.witnesses.doubt()
        for live in here.lives:
            live.online = False
        here.clock.advance(READ_FIRST_AT_MOST_S + 1)
        assert (here.witnesses.doubt() is not None) is doubted


def came_up(here: Any, off_s: float) -> None:
    """The gateway has just started at a time that nobody believes."""
    here.witnesses._believed_apart_s = here.witnesses._apart_s = None
    here.clock.off_s = off_s
    for live in here.lives:
        live.clock_offset_s, live.online = None, None
    here.core.state.newest_at = micros_of(here.clock.true.now())
    here.witnesses.doubt()


@pytest.mark.parametrize("meters", [1, 2])
def test_one_or_two_meters_contradict_a_time_from_nowhere(meters: int) -> None:
    """It came up at 1970 and was then given a date weeks ahead, before any clock was read."""
    here = shaft(meters)
    came_up(here, -1e9)
    here.clock.off_s = 40 * 86_400
    assert here.witnesses.doubt() is not None
    here.clock.advance(READ_FIRST_S + 1)
    assert here.witnesses.doubt() is not None
    for live in here.lives:
        live.online, live.clock_offset_s = True, -40 * 86_400
    assert "stand" in here.witnesses.doubt()
    for live in here.lives:
        live.clock_offset_s = 0
    assert here.witnesses.doubt() is None


def test_what_the_meters_said_is_kept_for_the_next_step() -> None:
    """Held against them it leapt; they fall silent, and it is set a second time: it is still weeks ahead."""
    here = shaft(8)
    came_up(here, -1e9)
    for live in here.lives:
        live.online, live.clock_offset_s = True, int(1e9)
    for ahead_s in (40 * 86_400, 40 * 86_400 + 61):
        here.clock.off_s = ahead_s
        here.witnesses.doubt()
        for live in here.lives:
            live.online = False
        here.clock.advance(READ_FIRST_AT_MOST_S + 1)
        assert here.witnesses.doubt() is not None


def test_a_meter_that_is_silent_since_the_start_is_not_waited_for() -> None:
    """Two of three have answered in the first round; the third has missed it."""
    here = shaft(3)
    came_up(here, -1e9)
    here.clock.off_s = 0
    here.witnesses.doubt()
    for live in here.lives[:2]:
        live.online, live.clock_offset_s = True, 0
    here.clock.advance(READ_FIRST_S + 1)
    assert here.witnesses.doubt() is not None
    here.lives[2].missed = 1
    assert here.witnesses.doubt() is None


def test_a_kernel_that_is_sure_again_is_held_against_the_meters() -> None:
    """It was unsure, three meters stand fifty minutes away, and it vouches for the calendar as it is: their clocks are
    read anew first. Where they agree nothing is waited for."""
    here = shaft(8)
    here.witnesses.kernel_is_sure_again()
    assert here.witnesses.doubt() is None
    for live in here.lives:
        live.clock_offset_s, live.asked_mono = 2976, {"clock": 1.0}
    here.witnesses.kernel_is_sure_again()
    assert "read first" in here.witnesses.doubt()
    assert not any(live.asked_mono or live.clock_offset_s for live in here.lives)
