"""A gateway whose own clock moved sets no meter's: most meters agree on another time, and that is waited for (R25)."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from edge import due
from edge.common_time import WAIT_S
from tests.edge.calendars import YEAR_1970, Elsewhen

THREE = {"a101", "a102", "a206"}
"""Meters with clocks, on two lines."""


class Shaft(Elsewhen):
    """Its lines remember what left, over restarts of the edge."""

    def __init__(self, directory: Path, **options: Any):
        self._told: list[tuple[datetime, bytes]] = []
        super().__init__(directory, **{"meters": THREE, "idle_s": 10, "poll_s": 120, **options})
        self.put_off(**dict.fromkeys(self.edge.core.lives, 0))
        self.connect()
        self.run(minutes=5)

    def start_edge(self, *given: Any, **named: Any) -> None:
        self._told += self._sent()
        super().start_edge(*given, **named)
        for port in self.ports.values():
            port.wire.keep_sent = True

    def _sent(self) -> list[tuple[datetime, bytes]]:
        return [each for port in self.ports.values() for each in port.wire.sent] if hasattr(self, "ports") else []

    @property
    def broadcasts(self) -> int:
        """How many have left."""
        return sum(frame.lstrip(b"\xfe")[1:7] == b"\x99" * 6 for _, frame in self._told + self._sent())

    @property
    def doubt(self) -> str | None:
        return self.fact("info").get("clock_doubt")

    def off_s(self, id: str) -> float:
        """How far a meter is from the true time."""
        sim = self.sim_meter(id)
        sim.advance(self.clock.true.now())
        shown = sim.metrology.own_wall()
        return float((shown - self.clock.true.now().astimezone(shown.tzinfo)).total_seconds())

    def put_off(self, **seconds: int) -> None:
        """Meters that stand so far from the true time from now on."""
        for id, off_s in seconds.items():
            sim = self.sim_meter(id)
            sim.advance(self.clock.true.now())
            sim.metrology.set_clock(sim.metrology.at_us + off_s * 1_000_000)

    @property
    def alarms(self) -> int:
        return len(self.of("alarm/1", alarm="clock-moved"))


def right(building: Shaft, within_s: float = 5) -> bool:
    return all(abs(building.off_s(id)) <= within_s for id in building.edge.core.lives)


@pytest.fixture
def shaft(tmp_path: Path) -> Shaft:
    return Shaft(tmp_path)


@pytest.mark.parametrize("meters", [THREE, {"a101", "a102"}, {"a101"}], ids=["three", "two", "one"])
def test_a_false_time_server_sets_no_meter(tmp_path: Path, meters: set[str]) -> None:
    """Four minutes wrong and "synchronised", in a shaft of any size: no broadcast leaves, the person on call reads
    why and what to do, days and cuts go on; right again, it is over and nothing was ever set."""
    shaft = Shaft(tmp_path, meters=meters)
    assert shaft.doubt is None
    shaft.clock.step_calendar(-240)
    shaft.run(hours=1)
    (alarm,) = shaft.of("alarm/1", alarm="clock-moved")
    assert re.search(r"\+(239|240) s", alarm.fields["text"]) and "`timedatectl`" in alarm.fields["text"]
    assert shaft.doubt == alarm.fields["text"]
    assert shaft.mode() == ("normal", None) and shaft.fact("info")["clock_trusted"]
    shaft.clock.set_right()
    shaft.run(minutes=30)
    assert shaft.broadcasts == 0 and right(shaft) and shaft.doubt is None and shaft.alarms == 1


@pytest.mark.parametrize("wrong_s", [2400, -2400])
def test_a_calendar_that_moved_by_more_than_is_granted_is_not_believed(shaft: Shaft, wrong_s: int) -> None:
    """Forty minutes wrong and "synchronised": no hour of it closes a day, splits a charge or cuts, also after a
    restart and when the book's newest entry is past; put right, all goes on once that entry is past."""
    shaft.clock.step_calendar(wrong_s)
    shaft.run(minutes=10)
    assert shaft.mode()[0] == "time"
    shaft.restart(shaft.clock.now() + timedelta(seconds=30), off_s=30)
    shaft.run(minutes=50)
    assert shaft.mode()[0] == "time" and not shaft.fact("info")["clock_trusted"] and shaft.doubt is not None
    shaft.clock.set_right()
    shaft.run(minutes=10)
    assert shaft.mode() == ("normal", None) and shaft.doubt is None and shaft.broadcasts == 0 and right(shaft)


@pytest.mark.parametrize("off_s", [30, 1200])
def test_nobody_is_cut_before_the_clocks_were_read(tmp_path: Path, off_s: int) -> None:
    """A tenant who was warned, and a calendar that stands in the hours of cuts only because it moved by forty minutes:
    neither at the step nor in the first seconds after a restart does a trip leave."""
    window = {"from": "18:00", "to": "20:00", "days": "all"}
    shaft = Shaft(tmp_path, poll_s=60, idle_s=2, policy={"cut_window": window, "warning_counts": "attempted"})
    while shaft.clock.now().astimezone(shaft.edge.core.terms.zone).hour < 16:
        shaft.clock.advance(1800)
        shaft.run(minutes=1)
    shaft.edge.core.state.ledger["account:100206"] = -(10**10)
    shaft.run_until(lambda: shaft.edge.core.state.accounts["100206"].warned, hours=1)
    shaft.run(minutes=32)
    while (now := shaft.clock.now().astimezone(shaft.edge.core.terms.zone)).hour * 60 + now.minute < 17 * 60 + 25:
        shaft.run(minutes=1)
    shaft.clock.step_calendar(2400)
    shaft.run(minutes=3)
    assert shaft.mode()[0] == "time"
    shaft.restart(shaft.clock.now() + timedelta(seconds=off_s), off_s=off_s)
    shaft.run(minutes=3)
    assert shaft.mode()[0] == "time" and not shaft.of("trip/1")
    shaft.clock.set_right()
    shaft.run_until(lambda: bool(shaft.of("trip/1")), hours=3)
    cut_at = shaft.clock.true.now().astimezone(shaft.edge.core.terms.zone)
    assert cut_at.hour >= 18


def test_nobody_is_set_before_the_clocks_were_read(shaft: Shaft) -> None:
    """Meters that do not agree with each other outvote nobody, but what moved a moment ago sets them neither."""
    shaft.put_off(a102=-100, a206=200)
    shaft.clock.step_calendar(310)
    shaft.run(seconds=100)
    assert shaft.broadcasts == 0 and shaft.mode()[0] == "time"


@pytest.mark.parametrize("wrong_s", [2400, -2400])
def test_between_two_rounds_the_clocks_are_waited_for(tmp_path: Path, wrong_s: int) -> None:
    """A round comes each quarter of an hour: until the clocks were read in it, what moved is not believed."""
    shaft = Shaft(tmp_path, poll_s=900)
    shaft.run(minutes=13)
    shaft.clock.step_calendar(wrong_s)
    for _ in range(20):
        shaft.run(minutes=1)
        assert shaft.mode()[0] == "time"
    shaft.clock.set_right()
    shaft.run(minutes=40)
    assert shaft.mode() == ("normal", None) and shaft.broadcasts == 0


def test_what_the_meters_said_of_a_clock_that_went_back_is_not_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Forty minutes back it stands before the book's newest entry, which alone says enough at first. When that is past,
    the meters' word still stands, though no clock was read since."""
    shaft = Shaft(tmp_path, poll_s=900)
    shaft.run(minutes=9)
    shaft.topup("100101", 10_00)
    shaft.clock.step_calendar(-2400)
    shaft.run(minutes=3)
    monkeypatch.setitem(due.EVERY_S, "hourly", 1e9)
    for _ in range(18):
        shaft.run(minutes=5)
        assert shaft.mode()[0] == "time"
    assert shaft.alarms == 1


def test_meters_that_always_stand_apart_delay_no_start(shaft: Shaft) -> None:
    """All of them minutes off, which no broadcast mends: a gateway without a battery behind its clock believes its
    time a few minutes after it was put right, not an hour."""
    shaft.put_off(a101=400, a102=402, a206=398)
    shaft.clock.advance(2 * WAIT_S)
    shaft.run(minutes=40)
    shaft.clock.advance(WAIT_S)
    shaft.run(minutes=40)
    assert shaft.mode() == ("normal", None)
    shaft.restart(YEAR_1970, off_s=60)
    shaft.run(minutes=10)
    shaft.clock.set_right()
    shaft.run(minutes=10)
    assert shaft.mode() == ("normal", None)


def test_an_answer_of_before_a_step_says_nothing_of_the_time_after_it(shaft: Shaft) -> None:
    """It was on its way when the calendar was set."""
    core = shaft.edge.core
    live, readings = core.lives["a101"], shaft.edge.readings
    shaft.clock.step_calendar(2400)
    shaft.run(seconds=1)
    assert live.clock_offset_s is None and core.clock_stepped_mono > core.clock.monotonic() - 60
    live.asked_mono["clock"] = core.clock_stepped_mono - 1
    before: Any = SimpleNamespace(ended=core.clock_stepped_mono - 1, at=shaft.clock.true.now())
    readings._clock(core.state.meters["a101"], live, before.at, before)
    assert live.clock_offset_s is None and "clock" not in live.asked_mono


def test_at_the_limit_the_mode_does_not_waver(shaft: Shaft) -> None:
    """Five minutes to the second, as a hand sets it, and meters that stand a second apart: one change of mode."""
    shaft.put_off(a101=0, a102=1, a206=-1)
    shaft.clock.step_calendar(300)
    shaft.run(hours=3)
    assert len(shaft.of("mode/1")) <= 3


def test_whoever_sets_no_clocks_waits_for_nothing(shaft: Shaft) -> None:
    """`set_meters = false` written while a wait stands ends it: nothing else would."""
    shaft.clock.step_calendar(2400)
    shaft.run(minutes=10)
    assert shaft.mode()[0] == "time"
    clock = shaft.site.clock.model_copy(update={"set_meters": False})
    shaft.site = shaft.site.model_copy(update={"clock": clock})
    shaft.restart(shaft.clock.now() + timedelta(seconds=30), off_s=30)
    shaft.run(minutes=30)
    assert shaft.mode() == ("normal", None) and shaft.doubt is None


def test_a_day_later_the_calendar_is_believed_against_them(shaft: Shaft) -> None:
    """Nobody came: what the meters say together no longer stops the bills."""
    shaft.clock.step_calendar(2400)
    shaft.run(minutes=10)
    shaft.clock.advance(WAIT_S)
    shaft.run(minutes=30)
    assert shaft.mode() == ("normal", None) and shaft.doubt is None and shaft.alarms == 1


def test_two_meters_do_not_outvote_the_calendar(tmp_path: Path) -> None:
    """One of them may be the wrong one: they keep their clocks, and bills go on."""
    shaft = Shaft(tmp_path, meters={"a101", "a102"})
    shaft.clock.step_calendar(2400)
    shaft.run(minutes=10)
    assert shaft.doubt is not None and shaft.mode() == ("normal", None)


def test_a_restart_does_not_end_the_wait(shaft: Shaft) -> None:
    """Started again every few hours with the same wrong time, it waits its day all the same, and alarms once."""
    shaft.clock.step_calendar(200)
    shaft.run(minutes=30)
    for _ in range(3):
        shaft.restart(shaft.clock.now() + timedelta(seconds=60), off_s=60)
        shaft.run(minutes=2)
        shaft.clock.advance(4 * 3600)
        shaft.run(minutes=30)
    assert shaft.broadcasts == 0 and right(shaft) and shaft.alarms == 1 and shaft.doubt is not None


@pytest.mark.parametrize("wrong_s", [120, -290])
def test_it_came_up_wrong(shaft: Shaft, wrong_s: int) -> None:
    """The power was gone and the clock's battery is bad: what moved meanwhile was the gateway's, and it sets nobody."""
    shaft.restart(shaft.clock.now() + timedelta(seconds=600 + wrong_s), off_s=600)
    shaft.run(hours=1)
    assert shaft.broadcasts == 0 and right(shaft) and shaft.alarms == 1


def test_meters_that_all_stand_wrong_are_mended_in_the_end(shaft: Shaft) -> None:
    """An earlier mistake set them all: for a day it is left so, in case it is the gateway; then they are set, once,
    and agreeing with them again is no new alarm."""
    shaft.put_off(a101=-150, a102=-150, a206=-151)
    shaft.run(hours=1)
    assert shaft.broadcasts == 0 and shaft.alarms == 1
    shaft.clock.advance(WAIT_S - 3 * 3600)
    shaft.run(minutes=40)
    assert shaft.broadcasts == 0
    shaft.clock.advance(4 * 3600)
    shaft.run_until(lambda: right(shaft), hours=2)
    shaft.run(minutes=40)
    assert {entry.fields["meter"] for entry in shaft.of("clock-set/1")} == THREE and shaft.broadcasts == 2, "two lines"
    assert shaft.alarms == 1 and shaft.doubt is None and right(shaft)


def test_the_few_are_set_and_the_many_are_not_asked_first(shaft: Shaft) -> None:
    """One of three stands wrong: it is set as ever, nobody is called."""
    shaft.put_off(a101=120)
    shaft.run_until(lambda: shaft.of("clock-set/1", meter="a101"), hours=1)
    assert right(shaft) and shaft.alarms == 0


def test_a_clock_set_by_less_than_a_minute_is_noticed(shaft: Shaft) -> None:
    """What the others' clocks said before our own was set speaks of another time: the first meter that is asked again
    is not set because it stands alone."""
    shaft.clock.step_calendar(-45)
    shaft.edge.core.lives["a101"].asked_mono.pop("clock")
    shaft.run(minutes=3)
    assert shaft.edge.core.lives["a101"].clock_offset_s in (44, 45) and shaft.broadcasts == 0
    shaft.run(minutes=20)
    assert shaft.broadcasts == 0 and right(shaft) and shaft.alarms == 1


def test_a_clock_that_creeps_to_a_wrong_time_takes_no_meter_along(shaft: Shaft) -> None:
    """A time service moves the calendar by a second in a dozen until it is five minutes wrong."""
    for _ in range(300):
        shaft.clock.step_calendar(1)
        shaft.run(seconds=12)
    shaft.run(minutes=30)
    assert shaft.broadcasts == 0 and right(shaft) and shaft.alarms == 1


def test_drifting_together_is_no_alarm(shaft: Shaft) -> None:
    """Clocks of one make lose a second in the same hours: in the end they are all far off, and nobody moved a clock."""
    shaft.edge.clocks._set = lambda *_: None  # type: ignore[method-assign]
    for hour in range(1, 41):
        shaft.put_off(**dict.fromkeys(THREE, -hour))
        shaft.clock.advance(3600)
        shaft.run(minutes=5)
    told_s = [live.clock_offset_s for live in shaft.edge.core.lives.values()]
    assert all(s is not None and s < -35 for s in told_s) and shaft.alarms == 0
    shaft.clock.step_calendar(-60)
    shaft.run(minutes=20)
    assert shaft.alarms == 0, "twenty seconds the other way are no reason"
    shaft.clock.step_calendar(-60)
    shaft.run(minutes=20)
    assert shaft.alarms == 1


def test_no_quartz_loses_a_second_in_ten_minutes(shaft: Shaft) -> None:
    """What goes faster than clocks drift is no drift, however small its steps: somebody is called."""
    shaft.edge.clocks._set = lambda *_: None  # type: ignore[method-assign]
    for _ in range(40):
        shaft.clock.step_calendar(1)
        shaft.clock.advance(480)
        shaft.run(minutes=2)
    assert shaft.alarms == 1


def test_a_clock_that_goes_to_and_fro_alarms_once_a_day(shaft: Shaft) -> None:
    """Two time servers disagree and each is heard in turn: the book is not filled with that."""
    for _ in range(4):
        shaft.clock.step_calendar(200)
        shaft.run(minutes=15)
        shaft.clock.set_right()
        shaft.run(minutes=15)
    assert shaft.alarms == 1 and shaft.broadcasts == 0 and right(shaft)


def test_meters_that_never_tell_their_clock_stop_nobody(tmp_path: Path) -> None:
    """Two of four answer all but that question, and do not refuse it: after half an hour nobody waits for them."""
    shaft = Shaft(tmp_path, meters=THREE | {"a201"})
    shaft.put_off(a101=120)

    def run(minutes: float) -> None:
        for _ in range(int(minutes * 2)):
            for mute in ("a102", "a206"):
                live = shaft.edge.core.lives[mute]
                live.asked_mono["clock"], live.clock_offset_s = 1e9, None
            shaft.run(seconds=30)

    run(20)
    assert shaft.broadcasts == 0
    run(30)
    assert shaft.broadcasts == 1 and abs(shaft.off_s("a101")) <= 5 and shaft.alarms == 0


def test_a_site_that_sets_no_clocks_is_not_told(shaft: Shaft) -> None:
    """`set_meters = false`: no broadcast leaves anyway, and each meter's own drift is told as ever."""
    shaft.edge.clocks._allowed = False
    shaft.clock.step_calendar(-240)
    shaft.run(minutes=30)
    assert shaft.alarms == 0 and shaft.broadcasts == 0
