"""Children live exactly as long as `up`."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from host.supervise import FIRST_DELAY_S, how_it_ended
from tests.host.conftest import ROOT, Stage, alive, eventually

pytestmark = pytest.mark.processes

AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")


def test_a_program_that_ends_is_started_again_and_later_each_time(stage: Stage) -> None:
    """A program that falls over comes back by itself, quickly at first and more slowly when it keeps falling."""
    stage.supervisor.start(stage.shell("edge", "echo here; exit 3"))
    began_s = time.monotonic()
    assert stage.supervisor.until(lambda: stage.supervisor.facts()["edge"].restarts == 2, 10)
    assert time.monotonic() - began_s >= 3 * FIRST_DELAY_S
    assert "edge ended with code 3; it starts again in 0.5 s" in stage.said("riser")
    assert "it starts again in 1 s" in stage.said("riser")


def test_what_a_person_said_counts_for_one_start(stage: Stage) -> None:
    """`--begin-anew` is for this start: a program that falls over later is not told it again (failure 43)."""
    asked = replace(stage.shell("edge", 'echo "told $0"; exit 3'), once=("begin-anew",))
    stage.supervisor.start(asked)
    assert stage.supervisor.until(lambda: stage.supervisor.facts()["edge"].restarts == 2, 10)
    assert stage.said("edge").count("told begin-anew") == 1 and stage.said("edge").count("told") >= 2


def test_a_healthy_time_makes_the_next_restart_quick_again(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that ran well for a while and then falls is not punished for an old bad hour."""
    monkeypatch.setattr("host.supervise.HEALTHY_AFTER_S", 0.0)
    stage.supervisor.start(stage.shell("edge", "exit 3"))
    assert stage.supervisor.until(lambda: stage.supervisor.facts()["edge"].restarts == 2, 10)
    assert "in 1 s" not in stage.said("riser")


def test_a_program_that_cannot_be_run_is_named(stage: Stage) -> None:
    """A missing program is one sentence in the log, and the others go on."""
    good = stage.shell("panel", "sleep 60")
    stage.supervisor.start(good)
    stage.supervisor.start(type(good)("edge", ("/nowhere/edge",), {}, stage.directory))
    assert stage.supervisor.until(lambda: "No such file" in stage.said("edge"), 10)
    assert stage.supervisor.facts()["panel"].state == "running"


def test_all_end_in_order(stage: Stage) -> None:
    """At the end the panel goes first and the broker last, each only when the one before it has gone."""
    note = stage.directory / "order"
    for name in ("broker", "edge", "panel"):
        script = f"trap 'sleep 0.2; echo {name} >> {note}; exit 0' TERM; echo up; while :; do sleep 0.05; done"
        stage.supervisor.start(stage.shell(name, script))
    names = ("broker", "edge", "panel")
    assert stage.supervisor.until(lambda: all("up" in stage.said(name) for name in names), 10)
    stage.supervisor.stop(["panel", "edge", "broker"])
    assert note.read_text().split() == ["panel", "edge", "broker"]
    assert {facts.state for facts in stage.supervisor.facts().values()} == {"stopped"}


def test_a_hanging_program_is_killed(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that ignores the request to end does not keep the others waiting for ever, nor do its own children."""
    monkeypatch.setattr("host.supervise.GRACE_S", 0.5)
    stubborn = str(ROOT / "tests/host/fake_stubborn.py")
    good = stage.shell("x", ":")
    stage.supervisor.start(type(good)("edge", (sys.executable, stubborn), dict(os.environ), stage.directory))
    assert stage.supervisor.until(lambda: stage.said("edge").count("stubborn") == 2, 10)
    pids = [int(line.split()[-1]) for line in stage.said("edge").splitlines()]
    stage.supervisor.stop([])
    assert eventually(lambda: not any(map(alive, pids)), 3)
    assert "did not end when asked and was killed" in stage.said("riser")


def test_what_a_dead_program_left_behind_is_ended_before_it_starts_again(stage: Stage) -> None:
    """A worker that outlived its program does not keep the port that the new one needs."""
    stage.supervisor.start(stage.shell("panel", "sleep 61 & echo left $!; exit 1"))
    assert stage.supervisor.until(lambda: "left" in stage.said("panel"), 10)
    left = int(stage.said("panel").split()[-1])
    assert stage.supervisor.until(lambda: not alive(left), 5)


def test_last_words_without_a_line_end_are_kept(stage: Stage) -> None:
    """What a program says as it dies can be read, even when it had no time for the end of the line."""
    stage.supervisor.start(stage.shell("edge", "printf 'the disk is'; printf ' full' >&2; exit 1"))
    assert stage.supervisor.until(lambda: "the disk is full" in stage.said("edge"), 10)


def test_files_of_the_programs_are_private(stage: Stage) -> None:
    """What a program writes can be read by its owner alone, whatever the person's own habit is."""
    stage.supervisor.start(stage.shell("edge", "echo x > book; echo done; sleep 60"))
    assert stage.supervisor.until(lambda: "done" in stage.said("edge"), 10)
    assert (stage.directory / "book").stat().st_mode & 0o077 == 0


PARENT = """
import sys, pathlib
sys.path.insert(0, {root!r}); sys.path.insert(0, {root!r} + "/tests/host")
from tests.host.conftest import Stage
stage = Stage(pathlib.Path({directory!r}))
stage.supervisor.start(stage.shell("edge", "echo pid $$; while :; do sleep 0.1; done"))
good = stage.shell("x", ":")
import os
stubborn = (sys.executable, {root!r} + "/tests/host/fake_stubborn.py")
stage.supervisor.start(type(good)("panel", stubborn, dict(os.environ), stage.directory))
while True:
    stage.supervisor.step()
"""


@pytest.fixture
def orphaned(tmp_path: Path) -> list[int]:
    """Children, one of them hanging, whose parent was just killed with SIGKILL."""
    stage = Stage(tmp_path)
    script = PARENT.format(root=str(ROOT), directory=str(tmp_path))
    parent = subprocess.Popen([sys.executable, "-c", script])
    assert eventually(lambda: "pid" in stage.said("edge") and stage.said("panel").count("stubborn") == 2)
    polite = int(stage.said("edge").split()[-1])
    stubborn = [int(line.split()[-1]) for line in stage.said("panel").splitlines()]
    assert all(map(alive, [polite, *stubborn]))
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    return [polite, *stubborn]


def test_a_killed_parent_takes_its_children_along(orphaned: list[int]) -> None:
    """Kill -9 of Riser itself leaves nothing running: polite programs end at once, hanging ones within seconds."""
    assert eventually(lambda: not alive(orphaned[0]), 2)
    assert eventually(lambda: not any(map(alive, orphaned)), 9)


ALONE = """
import sys, pathlib, dataclasses
sys.path.insert(0, {root!r}); sys.path.insert(0, {root!r} + "/tests/host")
from tests.host.conftest import Stage
stage = Stage(pathlib.Path({directory!r}))
program = stage.shell("broker", "echo pid $$ $(id -un); while :; do sleep 0.1; done")
stage.supervisor.start(dataclasses.replace(program, user={user!r}, directory=pathlib.Path("/")))
stage.supervisor._guard._process.kill()
while True:
    stage.supervisor.step()
"""


@pytest.mark.parametrize("user", [None, pytest.param("nobody", marks=AS_ROOT)])
def test_the_kernel_ends_a_child_even_without_the_guard(tmp_path: Path, user: str | None) -> None:
    """The parent-death signal works by itself, also for a broker that root started as another user."""
    stage = Stage(tmp_path)
    script = ALONE.format(root=str(ROOT), directory=str(tmp_path), user=user)
    parent = subprocess.Popen([sys.executable, "-c", script])
    assert eventually(lambda: "pid" in stage.said("broker"))
    pid, name = stage.said("broker").split()[-2:]
    assert user is None or name == user
    parent.kill()
    parent.wait()
    assert eventually(lambda: not alive(int(pid)), 2)


def test_a_killed_guard_is_replaced(stage: Stage) -> None:
    """Should somebody kill the guard process, the next one knows every program that runs."""
    stage.supervisor.start(stage.shell("edge", "sleep 60"))
    first = stage.supervisor._guard._process
    assert first is not None
    first.kill()
    first.wait()
    stage.supervisor.start(stage.shell("panel", "sleep 60"))
    second = stage.supervisor._guard._process
    assert second is not None and second.pid != first.pid
    pids = [facts.pid for facts in stage.supervisor.facts().values()]
    assert second.stdin is not None
    second.stdin.close()
    second.wait(10)
    assert not any(alive(pid) for pid in pids if pid)


@pytest.mark.parametrize(("code", "words"), [(-9, "was ended by SIGKILL"), (3, "ended with code 3")])
def test_how_a_program_ended_is_said_in_words(code: int, words: str) -> None:
    """The person on call reads a signal's name and not a negative number."""
    assert how_it_ended(code) == words
