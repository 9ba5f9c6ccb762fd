"""The ports in a process of their own: questions answered, trips with their word, and an end on either side."""

from __future__ import annotations

import os
import pickle
import queue
import select
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.contract.clock import SystemClock
from edge.codec import dlt645
from edge.line import __main__ as station_child
from edge.line import station as station_file
from edge.line.request import PERSON, TRIP, Ready, Reply, Request
from edge.line.station import Station
from edge.line.wire import Line

METER = "202603110206"
ASKED = dlt645.read(METER, "00010000", preamble=0)
WAIT_S = 20.0


class Stand:
    """A station with one port on a pseudo-terminal, and the meter's side of it."""

    def __init__(self, device: Path, ours: int):
        self.meter = ours
        self.inbox: queue.Queue[Reply | Ready] = queue.Queue()
        line = Line("line-1", device, "dlt645-2007", 9600, "E")
        self.station = Station([line], self.inbox.put, SystemClock())
        self.port = self.station.ports["line-1"]
        self.station.start()

    def ask(self, number: int, priority: int = PERSON, handshake: bool = False) -> None:
        self.port.put(Request(number, priority, "a206", "energy", ASKED, handshake))

    def heard(self, count: int = len(ASKED)) -> bytes:
        """What the meter hears; waits until it is whole."""
        raw = b""
        while len(raw) < count:
            raw += os.read(self.meter, 256)
        return raw


@pytest.fixture
def stand(tmp_path: Path) -> Iterator[Stand]:
    ours, theirs = os.openpty()
    os.set_blocking(ours, True)
    device = tmp_path / "line"
    device.symlink_to(os.ttyname(theirs))
    made = Stand(device, ours)
    yield made
    made.station.stop()
    os.close(ours)
    os.close(theirs)


def reply() -> bytes:
    return dlt645.encode(dlt645.Frame(METER, 0x91, bytes.fromhex("00010000")[::-1] + b"\x26\x00\x00\x00"), 0)


def test_a_question_and_its_answer_cross_the_processes(stand: Stand) -> None:
    """What the loop asks is on the wire to the byte, and the meter's answer is in the loop's inbox."""
    stand.ask(1)
    assert stand.heard() == ASKED
    os.write(stand.meter, reply())
    answer = stand.inbox.get(timeout=WAIT_S)
    assert isinstance(answer, Reply) and (answer.request.number, answer.raw, answer.error) == (1, reply(), None)
    assert stand.port.state == "open" and stand.port.waiting() == 0 and stand.station.works()


def test_a_trip_leaves_only_on_the_loops_word(stand: Stand) -> None:
    """The handshake of a trip holds across the processes: no byte before `go`, and `go` tells that it is out (I8)."""
    stand.ask(1, TRIP, handshake=True)
    ready = stand.inbox.get(timeout=WAIT_S)
    assert isinstance(ready, Ready) and ready.request.number == 1
    os.set_blocking(stand.meter, False)
    with pytest.raises(BlockingIOError):
        os.read(stand.meter, 1)
    os.set_blocking(stand.meter, True)
    assert stand.port.go(1) is True
    assert stand.heard() == ASKED
    os.write(stand.meter, reply())
    answer = stand.inbox.get(timeout=WAIT_S)
    assert isinstance(answer, Reply) and answer.raw == reply()


def test_a_refused_trip_never_leaves(stand: Stand) -> None:
    """The loop's no is final, and a late yes is answered with no."""
    stand.ask(1, TRIP, handshake=True)
    stand.inbox.get(timeout=WAIT_S)
    stand.port.refuse(1)
    answer = stand.inbox.get(timeout=WAIT_S)
    assert isinstance(answer, Reply) and answer.error == "withdrawn"
    assert stand.port.go(1) is False
    stand.ask(2)
    assert stand.heard() == ASKED, "the next question is the first thing on the wire"


def test_a_killed_station_is_noticed(stand: Stand) -> None:
    """The ports' process dies: the edge knows at once, and a trip that waited is not said to have stayed."""
    stand.ask(1, TRIP, handshake=True)
    stand.inbox.get(timeout=WAIT_S)
    assert stand.station._child is not None
    os.kill(stand.station._child.pid, signal.SIGKILL)
    assert stand.station._child.wait(WAIT_S) == -signal.SIGKILL
    stand.station._ear.join(WAIT_S)
    assert not stand.station.works()
    assert stand.port.go(1) is True, "nobody can tell, so the relay must be looked at"


def test_a_hanging_station_sends_nothing_later(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    """The ports' process is stopped in the middle of a trip: it is ended, so that no order leaves an hour later."""
    monkeypatch.setattr(station_file, "ANSWERS_WITHIN_S", 0.1)
    stand.ask(1, TRIP, handshake=True)
    stand.inbox.get(timeout=WAIT_S)
    assert stand.station._child is not None
    os.kill(stand.station._child.pid, signal.SIGSTOP)
    assert stand.port.go(1) is True and not stand.station.works()
    assert stand.station._child.returncode == -signal.SIGKILL
    os.set_blocking(stand.meter, False)
    with pytest.raises(BlockingIOError):
        os.read(stand.meter, 1)


def test_the_station_ends_with_its_edge(stand: Stand) -> None:
    """The edge closes its end, or dies: the child lets go of its devices and ends by itself."""
    child = stand.station._child
    assert child is not None
    stand.ask(1)
    stand.heard()
    stand.station.stop()
    assert child.returncode == 0


def test_nothing_that_is_told_is_lost_while_the_edge_is_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    """An edge that is busy for a while gets every answer afterwards: a lost one would be waited for without end."""
    monkeypatch.setattr(station_child, "BEAT_S", 0.02)
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    child = station_child.Child(theirs)
    running = threading.Thread(target=child.run, daemon=True)
    running.start()
    many = [bytes([number]) * 30_000 for number in range(40)]
    telling = threading.Thread(target=lambda: [child._tell("told", each) for each in many], daemon=True)
    telling.start()
    telling.join(0.5)
    heard: list[bytes] = []
    while len(heard) < len(many) and (telling.is_alive() or select.select([ours], [], [], 0)[0]):
        kind, *what = pickle.loads(ours.recv(65536))
        heard += what if kind == "told" else []
    ours.close()
    running.join(WAIT_S)
    assert heard == many and not running.is_alive()


def test_a_child_that_cannot_be_killed_does_not_hang_its_edge() -> None:
    """A driver that never comes back keeps its process: the edge says so and goes on to its end."""

    class Stuck:
        pid = 4711

        def kill(self) -> None: ...

        def wait(self, timeout: float | None = None) -> int:
            assert timeout is not None, "it would wait for ever"
            raise subprocess.TimeoutExpired("edge.line", timeout)

    station = Station([], lambda what: None, SystemClock())
    station._child = Stuck()  # type: ignore[assignment]
    station._ear.start()
    station.stop()
    assert not station.works()
