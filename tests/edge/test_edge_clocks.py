"""Meters' clocks are set right by broadcast: once a day, not near a border, not by a clock nobody believes (R25)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from building import START, Building

from bridge.contract.clock import ManualClock
from edge.clocks import Line, why_not
from edge.codec import dlt645

SHANGHAI, BERLIN = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin")
BORDERS = (8 * 60, 18 * 60 + 30)


def asked(
    at: str, offsets: dict[str, int], zone: ZoneInfo = SHANGHAI, believed: bool = True, **line: Any
) -> str | None:
    """The verdict at a local wall time, such as `2026-11-20 10:30`."""
    now = datetime.fromisoformat(at).replace(tzinfo=zone).astimezone(UTC)
    return why_not(Line(offsets, **line), now, zone, BORDERS, believed)


@pytest.mark.parametrize(
    ("at", "off_s", "why"),
    [
        ("2026-11-20 10:30", 120, None),
        ("2026-11-20 10:30", -120, None),
        ("2026-11-20 10:30", 10, None),
        ("2026-11-20 10:30", 300, None),
        ("2026-11-20 10:30", 9, "no clock is off by what a broadcast mends"),
        ("2026-11-20 10:30", -9, "no clock is off by what a broadcast mends"),
        ("2026-11-20 10:30", 301, "no clock is off by what a broadcast mends"),
        ("2026-11-20 10:30", -301, "no clock is off by what a broadcast mends"),
        ("2026-11-20 23:54", 20, None),
        ("2026-11-20 23:54", 60, "00:00 is near"),
        ("2026-11-20 23:55", -20, "00:00 is near"),
        ("2026-11-20 23:54", -60, None),
        ("2026-11-20 23:51", 290, "00:00 is near"),
        ("2026-11-21 00:05", 20, "00:00 is near"),
        ("2026-11-21 00:06", -20, None),
        ("2026-11-21 00:06", -90, "00:00 is near"),
        ("2026-11-20 07:54", 20, None),
        ("2026-11-20 07:55", 20, "08:00 is near"),
        ("2026-11-20 08:00", 20, "08:00 is near"),
        ("2026-11-20 18:34", 20, "18:30 is near"),
        ("2026-11-20 18:36", 20, None),
    ],
)
def test_when_it_is_done(at: str, off_s: int, why: str | None) -> None:
    """From 10 s to 5 minutes off; neither its time nor ours within 5 minutes of midnight or a tariff's border."""
    assert asked(at, {"m1": off_s, "m2": 0}) == why


def test_the_worst_clock_counts_for_the_border() -> None:
    """One broadcast sets all of a line, so the one nearest to a border decides; one beyond reach is not set anyway."""
    assert asked("2026-11-20 23:52", {"m1": 20}) is None
    assert asked("2026-11-20 23:52", {"m1": 20, "m2": 200}) == "00:00 is near"
    assert asked("2026-11-20 23:52", {"m1": 20, "m2": 4000}) is None


def test_once_a_local_day() -> None:
    """What was done on this local day is not done again, also not by a calendar that stepped back."""
    for day, why in ((20, "it was done today"), (21, "it was done today"), (19, None)):
        assert asked("2026-11-20 10:30", {"m1": 60}, set_on=date(2026, 11, day)) == why
    assert asked("2026-11-21 00:30", {"m1": 60}, set_on=date(2026, 11, 20)) is None, "half past midnight is tomorrow"


def test_not_by_a_doubtful_clock_nor_on_a_mixed_line() -> None:
    """Our clock may be the wrong one; a meter of another protocol may take the broadcast for something else."""
    assert asked("2026-11-20 10:30", {"m1": 60}, believed=False) == "our own clock is not believed"
    assert "other meters" in (asked("2026-11-20 10:30", {"m1": 60}, alone=False) or "")
    assert asked("2026-11-20 10:30", {}) == "no clock is off by what a broadcast mends"


@pytest.mark.parametrize("at", ["2026-03-29 01:58", "2026-03-29 03:02", "2026-10-25 02:57", "2026-10-25 02:03"])
def test_not_while_the_zone_changes_its_offset(at: str) -> None:
    """Nobody knows whether a meter has changed to summer time already."""
    fold = 1 if at.endswith("02:03") else 0
    now = datetime.fromisoformat(at).replace(tzinfo=BERLIN, fold=fold).astimezone(UTC)
    assert why_not(Line({"m1": 60}), now, BERLIN, BORDERS, True) == "the zone changes its offset"
    assert why_not(Line({"m1": 60}), now + timedelta(minutes=10), BERLIN, BORDERS, True) is None


# --- a whole building ---


def broadcasts(building: Building) -> list[tuple[datetime, bytes]]:
    """Every broadcast that left, on any line."""
    sent = [each for port in building.ports.values() for each in port.wire.sent]
    return [(at, frame) for at, frame in sent if frame.lstrip(b"\xfe")[1:7] == b"\x99" * 6]


def put_off(building: Building, **seconds: int) -> None:
    """Meters whose clocks are off by so much from now on."""
    for id, off_s in seconds.items():
        sim = building.sim_meter(id)
        sim.advance(building.clock.now())
        sim.metrology.set_clock(sim.metrology.at_us + off_s * 1_000_000)


def off_s(building: Building, id: str) -> float:
    """How far a simulated meter is off by now."""
    sim = building.sim_meter(id)
    sim.advance(building.clock.now())
    shown = sim.metrology.own_wall()
    return (shown - building.clock.now().astimezone(shown.tzinfo)).total_seconds()


@pytest.fixture
def building(tmp_path: Path) -> Building:
    made = Building(tmp_path, meters={"a101", "a102", "b303"}, idle_s=2.0)
    for port in made.ports.values():
        port.wire.keep_sent = True
    return made


def test_a_meter_two_minutes_off_is_set_right_once_and_not_again(building: Building) -> None:
    """It is noticed, set, written down under its name, read back as right, and left alone; also after a restart."""
    put_off(building, a101=120)
    building.run_until(lambda: building.of("clock-set/1"), hours=1)
    (entry,) = building.of("clock-set/1")
    assert entry.fields["meter"] == "a101" and abs(entry.fields["offset_s"] - 120) <= 1
    assert entry.fields["port"] == "line-1" and entry.fields["why"].endswith("s off (R25)")
    ((_, frame),) = broadcasts(building)
    assert dlt645.decode(frame).control == 0x08
    assert abs(off_s(building, "a101")) <= 1 and abs(off_s(building, "a102")) <= 5
    building.run(minutes=25)
    offset_s = building.edge.core.lives["a101"].clock_offset_s
    assert offset_s is not None and abs(offset_s) <= 1, "the next reading says that it helped"
    put_off(building, a101=-100)
    building.stop_edge()
    building.start_edge()
    for port in building.ports.values():
        port.wire.keep_sent = True
    building.run(hours=1)
    assert broadcasts(building) == [] and len(building.of("clock-set/1")) == 1, "once a day"
    building.run_until(lambda: len(building.of("clock-set/1")) == 2, hours=24)
    later = building.clock.now().astimezone(SHANGHAI)
    assert later.date() == date(2026, 11, 21) and later.hour == 0 and later.minute >= 6
    assert abs(off_s(building, "a101")) <= 1
    assert not building.of("alarm/1", alarm="clock-drift")


def test_too_far_off_alarms_and_says_what_to_do(building: Building) -> None:
    """No broadcast mends seven minutes: a person is told, and how to set it."""
    put_off(building, a101=420)
    building.run_until(lambda: building.of("alarm/1", alarm="clock-drift"), hours=1)
    (alarm,) = building.of("alarm/1", alarm="clock-drift")
    assert "riser meter PORT ADDRESS clock --set" in alarm.fields["text"]
    building.run(hours=1)
    assert broadcasts(building) == [] and building.of("clock-set/1") == []


def test_a_modbus_line_hears_no_broadcast(building: Building) -> None:
    """Modbus meters have clocks too, and no such frame."""
    put_off(building, b303=120)
    building.run(hours=1)
    assert broadcasts(building) == []


def test_a_site_may_forbid_it_and_a_doubtful_clock_does(tmp_path: Path) -> None:
    """`set_meters = false` leaves all clocks alone; in mode recovery and without trust nothing is sent either."""
    quiet = Building(tmp_path, meters={"a101"}, idle_s=2.0)
    quiet.edge.clocks._allowed = False
    quiet.ports["line-1"].wire.keep_sent = True
    put_off(quiet, a101=120)
    quiet.run(minutes=30)
    assert broadcasts(quiet) == []
    quiet.edge.clocks._allowed = True
    quiet.edge.modes.recover("a test says so")
    quiet.run(minutes=30)
    assert broadcasts(quiet) == [] and quiet.edge.core.mode == "recovery"
    assert quiet.site.clock.set_meters is True, "the default"


def test_a_pulled_adapter_costs_no_day(building: Building, monkeypatch: pytest.MonkeyPatch) -> None:
    """What did not leave is not written down and is tried again when the line is back."""
    put_off(building, a101=120)
    wire = building.ports["line-1"].wire
    write, pulled = wire.write, []

    def pulled_at_the_broadcast(frame: bytes) -> None:
        if not pulled and frame.lstrip(b"\xfe")[1:7] == b"\x99" * 6:
            pulled.append(frame)
            wire.pulled = True
        write(frame)

    monkeypatch.setattr(wire, "write", pulled_at_the_broadcast)
    building.run_until(lambda: pulled, hours=1)
    building.run(minutes=2)
    assert building.of("clock-set/1") == [] and abs(off_s(building, "a101")) > 100
    building.ports["line-1"].put_back()
    building.run_until(lambda: building.of("clock-set/1"), hours=1)
    assert abs(off_s(building, "a101")) <= 1


def test_a_fast_demo_does_not_chase_what_reading_costs(tmp_path: Path) -> None:
    """At 60 calendar seconds a second, two minutes are what an exchange takes; nothing is set for that."""
    clock = ManualClock(START)
    building = Building(tmp_path, meters={"a101"}, idle_s=2.0, clock=clock)
    clock.speed = 60.0  # type: ignore[misc]
    building.ports["line-1"].wire.keep_sent = True
    put_off(building, a101=100)
    building.run(minutes=30)
    assert broadcasts(building) == []
