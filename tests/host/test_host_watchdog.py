"""A program that hangs is killed and started again; one that works, however slowly, never is (failure 47)."""

from __future__ import annotations

import dataclasses
import os
import signal
import socket
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bridge.contract.clock import ManualClock
from bridge.contract.progress import SOCKET, WATCHING, Progress
from host import programs
from host.program import Program
from host.watchdog import FIRST_BEAT_S, LONGEST_LOOK_S, Watchdog
from tests.host.conftest import ROOT, Stage, alive

HERE = os.getpgid(0)
"""The process group of this test: what we send ourselves counts as its beat."""


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(datetime(2026, 11, 20, tzinfo=UTC))


@pytest.fixture
def watchdog(clock: ManualClock) -> Iterator[Watchdog]:
    it = Watchdog(clock)
    yield it
    it.close()


def passing(watchdog: Watchdog, clock: ManualClock, seconds: int) -> dict[int, float]:
    """Look once a second, as the supervisor does and more often; return who lost our patience."""
    found: dict[int, float] = {}
    for _ in range(seconds):
        clock.advance(1.0)
        found |= watchdog.silent()
    return found


def test_a_silent_program_is_named_once_and_a_slow_one_never(watchdog: Watchdog, clock: ManualClock) -> None:
    """As long as beats come within their time nothing happens; when they stop, the program is named, once."""
    progress = Progress(clock, watchdog.surroundings({}, 60.0))
    watchdog.watch(HERE, 60.0)
    for _ in range(20):
        progress.beat()
        assert passing(watchdog, clock, 59) == {}
    progress.beat()
    assert passing(watchdog, clock, 61) == {HERE: 60.0}
    assert passing(watchdog, clock, 1000) == {}


def test_the_first_beat_may_take_long(watchdog: Watchdog, clock: ManualClock) -> None:
    """A program that folds a book of many years is not killed at its start again and again; one that never works is."""
    watchdog.watch(HERE, 60.0)
    assert passing(watchdog, clock, int(FIRST_BEAT_S) - 1) == {}
    assert passing(watchdog, clock, 1) == {HERE: FIRST_BEAT_S}


def test_silence_counts_only_while_somebody_listens(watchdog: Watchdog, clock: ManualClock) -> None:
    """After an hour in which `up` itself was stopped, or the machine asleep, every program has its whole time again."""
    progress = Progress(clock, watchdog.surroundings({}, 60.0))
    watchdog.watch(HERE, 60.0)
    progress.beat()
    assert watchdog.silent() == {}
    clock.advance(3600)
    assert watchdog.silent() == {}
    assert passing(watchdog, clock, 60 - int(LONGEST_LOOK_S) - 1) == {}


def test_nobody_beats_for_another(watchdog: Watchdog, clock: ManualClock) -> None:
    """A process of another group cannot keep a hanging program alive, whatever it sends."""
    stranger = 2**22 + 1  # Beyond the largest process id of Linux.
    watchdog.watch(stranger, 60.0)
    progress = Progress(clock, watchdog.surroundings({}, 60.0))
    for _ in range(int(FIRST_BEAT_S) - 1):
        progress.beat()
        assert passing(watchdog, clock, 1) == {}
    progress.beat()
    assert passing(watchdog, clock, 1) == {stranger: FIRST_BEAT_S}


def test_other_words_are_no_beat(watchdog: Watchdog, clock: ManualClock) -> None:
    """What gunicorn tells of its start is heard and does not count as work."""
    progress = Progress(clock, watchdog.surroundings({}, 60.0))
    watchdog.watch(HERE, 60.0)
    progress.beat()
    for _ in range(60):
        assert passing(watchdog, clock, 1) == {}
        assert progress.tell("READY=1", "STATUS=Gunicorn arbiter booted")
    assert passing(watchdog, clock, 1) == {HERE: 60.0}


def test_systemds_own_watch_is_not_handed_on(watchdog: Watchdog) -> None:
    """A program beats to its parent and never to systemd, and one that owes no beats gets no address at all."""
    ours = {SOCKET: "/run/systemd/notify", "WATCHDOG_USEC": "60000000", "WATCHDOG_PID": "1", "PATH": "/bin"}
    assert watchdog.surroundings(ours, None) == {"PATH": "/bin"}
    told = watchdog.surroundings(ours, 60.0)
    assert told.keys() == {"PATH", SOCKET, "WATCHDOG_USEC"} and told["WATCHDOG_USEC"] == "60000000"
    assert told[SOCKET].startswith("@riser-") and len(told[SOCKET]) < 100


def test_the_real_programs_are_watched_and_stand_ins_are_not(tmp_path: Path) -> None:
    """Edge, bridge, panel and the pretend payer owe beats; the simulator, and whatever a debugger runs, do not."""
    wiring = programs.Wiring(tmp_path, tmp_path / "site.toml", "", "127.0.0.1", 8080, demo=True)
    limits = {each.name: each.beats_within_s for each in programs.programs(wiring, {})}
    assert limits.pop("sim") is None
    assert limits.keys() == {"edge", "bridge", "panel", "demo"} and all(limits.values())
    (tmp_path / "instead.toml").write_text('[programs]\nedge = ["python", "-m", "pdb", "-m", "edge"]\n')
    environ = {programs.INSTEAD: str(tmp_path / "instead.toml")}
    assert [each.beats_within_s for each in programs.programs(wiring, environ)] == [None]


def beating(stage: Stage, name: str, every_s: float, limit_s: float | None) -> Program:
    """A real program that beats."""
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    argv = (sys.executable, str(ROOT / "tests/host/fake_beating.py"), str(every_s))
    return Program(name, argv, environ, stage.directory, beats_within_s=limit_s)


@pytest.mark.processes
def test_a_stopped_program_is_killed_and_started_again(stage: Stage) -> None:
    """A program that beats and then hangs is killed, with one sentence, and started anew; its slow neighbour is not."""
    stage.supervisor.start(beating(stage, "edge", 0.2, 3.0))
    stage.supervisor.start(beating(stage, "bridge", 1.5, 3.0))
    stage.supervisor.start(dataclasses.replace(stage.shell("broker", "sleep 60"), beats_within_s=None))
    watched = stage.supervisor._watchdog._watched
    assert stage.supervisor.until(lambda: len(watched) == 2 and all(w.beaten for w in watched.values()), 20)
    first = stage.supervisor.facts()["edge"].pid
    assert first is not None
    os.kill(first, signal.SIGSTOP)
    assert stage.supervisor.until(lambda: stage.supervisor.facts()["edge"].restarts == 1, 20)
    assert not alive(first)
    said = stage.said("riser")
    assert "edge hangs: no progress for 3 s; it is killed" in said
    assert "edge was ended by SIGKILL; it starts again in 0.5 s" in said
    assert stage.supervisor.until(lambda: len(watched) == 2 and all(w.beaten for w in watched.values()), 20)
    assert {name: facts.restarts for name, facts in stage.supervisor.facts().items()} == {
        "edge": 1, "bridge": 0, "broker": 0,
    }  # fmt: skip
    assert "bridge hangs" not in stage.said("riser")


def test_a_full_queue_keeps_no_worker_waiting(clock: ManualClock) -> None:
    """When whoever watches has stopped listening, the work goes on: sending never waits."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as deaf:
        deaf.bind("\0riser-test-deaf-" + str(os.getpid()))
        progress = Progress(clock, {SOCKET: "@riser-test-deaf-" + str(os.getpid())})
        sent = [progress.tell("WATCHDOG=1") for _ in range(3000)]
    assert sent[0] and not sent[-1]
    assert not progress.tell("READY=1"), "and a watcher that is gone is no error either"


def test_a_beat_a_second_is_enough_and_without_a_watcher_none(clock: ManualClock, tmp_path: Path) -> None:
    """Work that is done a thousand times a second is told once a second; unwatched it is told nowhere."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.setblocking(False)
        progress = Progress(clock, {SOCKET: str(tmp_path / "notify")})
        for _ in range(3000):
            progress.beat()
            clock.advance(0.001)
        heard = [listening.recv(100) for _ in range(3)]
        assert heard == [b"WATCHDOG=1"] * 3
        with pytest.raises(BlockingIOError):
            listening.recv(100)
    alone = Progress(clock, {})
    assert not alone.watched and alone.tell("READY=1")
    assert set(WATCHING) >= {SOCKET}
