"""The edge's sign of progress comes from its work alone, and a line that hangs ends the edge (failure 47)."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bridge.contract.clock import ManualClock
from edge.codec import dlt645
from edge.gateway import TICK_LATEST_S
from edge.line.port import TURN_S, ThreadPort
from edge.line.request import PERSON, Request
from edge.line.wire import Line, Wire
from tests.edge.building import Building


def test_the_edge_beats_once_a_tick_and_not_because_it_turns(tmp_path: Path) -> None:
    """A loop that turns and does nothing that is due stays silent; each handled tick is one beat."""
    building, beats, turn = Building(tmp_path, meters={"a101"}), list[int](), -1

    def stopping() -> bool:
        nonlocal turn
        turn += 1
        if turn in (3, 5):
            building.clock.advance(TICK_LATEST_S * 1.1)
        return turn == 8

    building.edge.run(stopping, lambda: True, lambda: beats.append(turn))
    assert beats == [0, 3, 5]


def test_a_tick_that_fails_is_no_progress(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When what is due cannot be done the edge does not claim that it works."""
    building, beats = Building(tmp_path, meters={"a101"}), list[int]()

    def broken() -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(building.edge, "_tick", broken)
    with pytest.raises(OSError, match="No space"):
        building.edge.run(lambda: False, lambda: True, lambda: beats.append(1))
    assert beats == []


class Stuck:
    """A wire whose driver never comes back from a write."""

    def __init__(self) -> None:
        self.entered, self.released = threading.Event(), threading.Event()

    def write(self, frame: bytes) -> None:
        self.entered.set()
        self.released.wait(30)
        raise OSError(5, "Input/output error")

    def read(self, timeout_s: float) -> bytes:
        return b""

    def drain(self) -> None:
        return

    def close(self) -> None:
        return


class StuckLine(Line):
    """A line that leads to it."""

    stuck = Stuck()

    def open(self) -> Wire:
        return self.stuck


@pytest.fixture
def port() -> Iterator[tuple[ThreadPort, ManualClock, Stuck]]:
    clock, line = ManualClock(datetime(2026, 11, 20, tzinfo=UTC)), StuckLine("l", Path("x"), "dlt645-2007", 2400, "E")
    it = ThreadPort(line, queue.Queue().put, clock)
    it.start()
    yield it, clock, line.stuck
    line.stuck.released.set()
    it.stop()
    it.join(10)


def test_a_port_that_hangs_in_its_driver_is_noticed(port: tuple[ThreadPort, ManualClock, Stuck]) -> None:
    """A thread that lives and never comes back from its adapter counts as dead, so the edge opens the device anew."""
    thread, clock, stuck = port
    thread.put(Request(1, PERSON, "a101", "read", dlt645.read("202603110101", "00010000")))
    assert stuck.entered.wait(10)
    clock.advance(TURN_S - 1)
    assert thread.works(), "an exchange may take its time"
    clock.advance(1)
    assert thread.is_alive() and not thread.works()
    stuck.released.set()
    until = time.monotonic() + 10
    while not thread.works():
        assert time.monotonic() < until, "a port that comes back works again"
        time.sleep(0.01)
