"""The ports in a process of their own: questions answered, trips with their word, and an end on either side."""

from __future__ import annotations

import errno
import os
import pickle
import queue
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.contract.clock import SystemClock
from edge.codec import dlt645
from edge.line import __main__ as station_child
from edge.line import station as station_file
from edge.line.port import ThreadPort
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


def stopped(stand: Stand) -> int:
    """The ports' process stands still; waits until it does. Returns its id."""
    child = stand.station._child
    assert child is not None
    os.kill(child.pid, signal.SIGSTOP)
    os.waitpid(child.pid, os.WUNTRACED)
    return child.pid


def test_a_stopped_station_does_not_stop_its_edge(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    """The ports' process stands still: the loop hands over what fits and never waits, what does not fit is answered as
    not asked, the line stands as closed, and after its limit the edge is started anew. If it goes on, so do they."""
    stand.ask(1, TRIP, handshake=True)
    stand.inbox.get(timeout=WAIT_S)
    pid = stopped(stand)
    asked = 1
    asking = threading.Thread(target=lambda: [stand.ask(number) for number in range(2, 3000)], daemon=True)
    asking.start()
    asking.join(WAIT_S)
    assert not asking.is_alive(), "the loop would stand still with it"
    answers = [stand.inbox.get_nowait() for _ in range(stand.inbox.qsize())]
    assert answers and all(isinstance(each, Reply) and each.error == "closed" for each in answers)
    assert len(answers) + stand.port._given - asked == 2998, "no question without an answer to come"
    assert stand.port.state == "closed" and "does not respond" in (stand.port.why or "")
    assert stand.port.go(1) is False, "the word never left, so no trip will"
    assert stand.station.works()
    monkeypatch.setattr(station_file, "TURN_S", 0.0)
    assert not stand.station.works()
    monkeypatch.undo()
    os.kill(pid, signal.SIGCONT)
    withdrawn = stand.inbox.get(timeout=WAIT_S)
    assert isinstance(withdrawn, Reply) and (withdrawn.request.number, withdrawn.error) == (1, "withdrawn")
    assert stand.port.state == "open" and stand.station.works() and stand.heard() == ASKED


def test_a_stopped_station_does_not_outlive_its_edge(tmp_path: Path) -> None:
    """The edge is killed while its ports' process stands still and cannot see it: the devices are free all the same. As
    long as they are held, whoever wants one is told by which process."""
    ours, theirs = os.openpty()
    script = (
        "import sys, time; from pathlib import Path; from bridge.contract.clock import SystemClock\n"
        "from edge.line.station import Station; from edge.line.wire import Line\n"
        f"line = Line('line-1', Path({os.ttyname(theirs)!r}), 'dlt645-2007', 9600, 'E')\n"
        "station = Station([line], print, SystemClock()); station.start()\n"
        "while station.ports['line-1'].state != 'open': time.sleep(0.01)\n"
        "print(station._child.pid, flush=True); sys.stdin.read()\n"
    )
    edge = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert edge.stdout is not None
    while not (line := edge.stdout.readline().strip()).isdigit():
        assert edge.poll() is None
    pid, device = int(line), Path(os.ttyname(theirs))
    os.kill(pid, signal.SIGSTOP)
    mine = Line("line-1", device, "dlt645-2007", 9600, "E")
    port = ThreadPort(mine, lambda what: None, SystemClock())
    assert not port._open()
    assert port.why == f"is used by process {pid} ({Path(sys.executable).name} -m edge.line); end that one"
    watched = os.pidfd_open(pid)
    edge.kill()
    edge.wait(WAIT_S)
    try:
        assert select.select([watched], [], [], WAIT_S)[0], "it holds the devices for ever"
        mine.open().close()
    finally:
        if not select.select([watched], [], [], 0)[0]:
            os.kill(pid, signal.SIGKILL)
        for each in (watched, ours, theirs):
            os.close(each)


def test_a_station_whose_edge_was_gone_before_it_began_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between its start and its asking to be ended with the edge, the edge may have died: it looks, and ends."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    nobody = os.getpid()  # Alive, and not the parent of what is asked here.
    command = f"import subprocess, sys; sys.exit(subprocess.call({[sys.executable, '-m', 'edge.line']!r} + sys.argv[1:], pass_fds=[{theirs.fileno()}]))"  # noqa: E501
    done = subprocess.run(
        [sys.executable, "-c", command, str(theirs.fileno()), str(nobody)],
        pass_fds=[theirs.fileno()],
        timeout=WAIT_S,
    )
    ours.close()
    theirs.close()
    assert done.returncode == 0, "with the socket still open on this side it would have gone on"


def test_a_child_whose_edge_is_gone_ends_and_other_trouble_is_not_swallowed() -> None:
    """A reply that cannot be handed over because the edge is gone ends the ports' process; for any other reason the
    port dies of it, loudly, and is started anew: a lost answer would be waited for without end."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    child = station_child.Child(theirs)
    ours.close()
    child._tell("beat")
    assert child._alone.is_set() and child.run() == 0

    class Broken:
        def send(self, raw: bytes) -> int:
            raise OSError(errno.EMSGSIZE, os.strerror(errno.EMSGSIZE))

    child = station_child.Child(Broken())  # type: ignore[arg-type]
    with pytest.raises(OSError, match="long"):
        child._tell("beat")


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
