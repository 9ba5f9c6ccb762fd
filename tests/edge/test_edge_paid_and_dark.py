"""Paid and still dark: after ten powered minutes a person is told, however often the gateway begins anew (I9)."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from bridge.contract.clock import ManualClock
from edge.audit.verify import verify
from edge.disk import FULL_BYTES, ROOM_BYTES
from firmware_sim.faults import Faults
from tests.edge.building import START, Building
from tests.edge.test_edge_disk import paid_as_it_fills

ROOM, ACCOUNT = "a206", "100206"
TEXT = "supply should be back (arrears lifted by policy: paid) and was not read back closed for ten minutes"


@pytest.fixture
def building(tmp_path: Path) -> Iterator[Building]:
    """A room that was cut, and whose meter has fallen silent; at the end the whole book is derived again."""
    made = Building(tmp_path, meters={ROOM}, poll_s=30, idle_s=2)
    made.connect()
    made.run_until(lambda: made.sim_meter(ROOM).relay.open, hours=4)
    made.run(minutes=5)
    made.shaft.set_faults(Faults(silent=frozenset({ROOM})))
    yield made
    made.stop_edge()
    report = verify(tmp_path)
    assert report.good, report.lie


def again(building: Building, off_s: float = 5) -> None:
    """The power fails: nothing is saved."""
    building.stop_edge()
    building.clock.advance(off_s)
    building.start_edge()
    building.connect()


def paid(building: Building) -> float:
    """Paid, and the hold is lifted; when."""
    building.topup(ACCOUNT, 500_00)
    building.run_until(lambda: building.of("hold/1", set=False), hours=0.1)
    return building.clock.monotonic()


def told_s(building: Building, since: float) -> list[float]:
    return [entry.mono_ns / 1e9 - since for entry in building.of("alarm/1", alarm="paid-and-dark")]


def test_i9_a_gateway_that_restarts_all_the_time_tells_it_too(building: Building) -> None:
    """Every nine minutes the power fails, for three hours: a person is told soon after the first ten minutes, and then
    about once an hour, not at each start."""
    since = paid(building)
    for _ in range(20):
        building.run(minutes=9)
        again(building)
    told = told_s(building, since)
    assert 600 < told[0] < 900, told
    assert 2 <= len(told) <= 3 and all(later - earlier >= 3600 for earlier, later in pairwise(told)), told


def test_i9_nobody_is_called_for_the_time_without_power(building: Building) -> None:
    """Paid, and five minutes later the power fails for two hours: that was nobody's to mend. The other five minutes,
    and at most what is forgotten at a power cut, and a person is told."""
    paid(building)
    building.run(minutes=5)
    again(building, off_s=7200)
    building.run(minutes=4.9)
    assert not building.of("alarm/1", alarm="paid-and-dark")
    building.run(minutes=1.5)
    assert building.of("alarm/1", alarm="paid-and-dark")[0].fields["text"] == TEXT


def test_i9_who_asks_again_for_light_does_not_begin_the_ten_minutes_anew(building: Building) -> None:
    """Paid, and every four minutes somebody asks for the light; a hold in between is another matter (I10)."""
    since = paid(building)
    for _ in range(3):
        building.run(minutes=4)
        building.request("close", meter=ROOM, why="the tenant waits", role="engineer")
    assert len(told := told_s(building, since)) == 1 and 600 < told[0] < 700
    building.request("trip", meter=ROOM, why="cable being repaired", role="engineer")
    building.run(minutes=70)
    building.request("close", meter=ROOM, why="repaired", role="engineer")
    repaired = building.clock.monotonic()
    building.run(minutes=9.9)
    assert len(told_s(building, since)) == 1
    building.run(minutes=1)
    assert 600 < told_s(building, repaired)[-1] < 660


def test_i9_a_book_of_before_counts_from_the_start(building: Building) -> None:
    """An earlier Riser wrote no line seconds at its start: ten minutes after ours a person is told."""
    paid(building)
    again(building)
    waiting = building.edge.core.state.meters[ROOM].waiting
    assert waiting is not None and waiting.since_s is not None
    building.edge.core.state.meters[ROOM].waiting = None
    building.run(minutes=9.9)
    assert not building.of("alarm/1", alarm="paid-and-dark")
    building.run(minutes=80)
    assert len(building.of("alarm/1", alarm="paid-and-dark")) == 2


def test_i9_without_a_disk_it_is_shown_and_logged_and_written_when_there_is_room(
    building: Building, caplog: pytest.LogCaptureFixture
) -> None:
    """The disk fills and no alarm can be written: the relay's fact says it and the log, once an hour; the next run that
    can write tells it at once."""
    paid(building)
    building.edge.disk.free_bytes = lambda: FULL_BYTES - 1  # type: ignore[method-assign]
    building.run(minutes=9)
    assert building.edge.core.mode == "disk"
    assert building.fact(f"meter/{ROOM}/relay")["why"] == "closing"
    caplog.set_level(logging.WARNING, "riser.relays")
    building.run(minutes=10)
    assert building.fact(f"meter/{ROOM}/relay")["why"] == TEXT
    assert [line for line in caplog.messages if TEXT in line] == [f"meter {ROOM}: {TEXT}"]
    building.edge.disk.free_bytes = lambda: ROOM_BYTES  # type: ignore[method-assign]
    building.run_until(lambda: building.edge.failed, hours=1)
    again(building)
    building.run(minutes=1.9)
    assert not building.of("alarm/1", alarm="paid-and-dark"), "the meter is looked at first"
    building.run(minutes=0.2)
    assert building.of("alarm/1", alarm="paid-and-dark")


def test_i9_light_that_came_back_without_a_disk_calls_nobody(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The book cannot say yet that it is light: neither this run nor the next one, which writes it down, tells it."""
    building = paid_as_it_fills(tmp_path)
    building.run(minutes=20)
    assert not building.sim_meter(ROOM).relay.open and building.edge.core.state.meters[ROOM].restore is not None
    building.edge.disk.free_bytes = lambda: ROOM_BYTES  # type: ignore[method-assign]
    building.run_until(lambda: building.edge.failed, hours=1)
    again(building)
    building.run(minutes=5)
    assert building.edge.core.state.meters[ROOM].restore is None
    assert not building.of("alarm/1", alarm="paid-and-dark") and not [m for m in caplog.messages if TEXT in m]


class Fast(ManualClock):
    """A demo's calendar runs ten times as fast as the line; what a line needs for a close it needs there as well."""

    speed = 10.0

    def now(self):  # type: ignore[no-untyped-def]
        return START + (super().now() - START) * self.speed

    def elapsed(self) -> float:
        return self.monotonic() * self.speed


def test_i9_the_ten_minutes_are_the_lines(tmp_path: Path) -> None:
    """Where the calendar runs faster than the line nobody is called too early, and a restart changes nothing in it."""
    building = Building(tmp_path, meters={ROOM}, poll_s=30, idle_s=1, clock=Fast(START))
    building.connect()
    building.run_until(lambda: building.sim_meter(ROOM).relay.open, hours=4)
    building.run(minutes=1)
    building.shaft.set_faults(Faults(silent=frozenset({ROOM})))
    since = paid(building)
    for _ in range(3):
        building.run(minutes=4)
        again(building)
    assert 600 < told_s(building, since)[0] < 700
