"""Real small processes: a condition is awaited with a limit, and whatever a test started has ended after it."""

from __future__ import annotations

import io
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bridge.contract.clock import SystemClock
from host.journal import Journal, Terminal
from host.supervise import Program, Supervisor

ROOT = Path(__file__).resolve().parents[2]


def eventually(condition: Callable[[], object], limit_s: float = 15.0) -> bool:
    """True as soon as the condition holds, False when it did not within the limit."""
    deadline_s = time.monotonic() + limit_s
    while not condition():
        if time.monotonic() > deadline_s:
            return False
        time.sleep(0.05)
    return True


def alive(pid: int) -> bool:
    """True when the process runs; a dead one that nobody has collected does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


class Stage:
    """A supervisor, what it said, and a short way to name a program."""

    def __init__(self, directory: Path):
        self.directory, self.stream = directory, io.StringIO()
        self.terminal = Terminal(self.stream)
        zone = SystemClock().now().tzinfo
        assert zone is not None
        self.journal = Journal(directory / "log", self.terminal, SystemClock(), zone)
        self.supervisor = Supervisor(self.journal, SystemClock())

    def shell(self, name: str, script: str) -> Program:
        """A program that is a shell script."""
        return Program(name, ("/bin/sh", "-c", script), dict(os.environ), self.directory)

    def said(self, name: str) -> str:
        path = self.directory / "log" / f"{name}.log"
        return path.read_text() if path.exists() else ""


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    it = Stage(tmp_path)
    yield it
    it.supervisor.stop([], hurry=lambda: True)
    it.terminal.close()
