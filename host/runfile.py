"""`<data>/run.json`: what `riser up` started, for `status` and `request` from another terminal. Whole or absent.

It outlives a killed `up`, so nobody believes it before the process it names was found alive, with the same start.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

NAME = "run.json"


@dataclass(frozen=True)
class Run:
    """One running `up`. `clock` is the text of RISER_CLOCK, empty for the machine's own."""

    pid: int
    pid_started: int
    started_at: str
    demo: bool
    data: str
    site: str
    base: str
    gateway: str
    clock: str
    broker_url: str
    panel_url: str
    programs: dict[str, dict[str, Any]]

    @property
    def directory(self) -> Path:
        return Path(self.data)


def started_ticks(pid: int) -> int | None:
    """When a process started, in ticks since boot (proc(5), field 22); None when there is no such process."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The name in parentheses may itself hold spaces and parentheses. State Z is a process that has ended.
    fields = text.rpartition(")")[2].split()
    return None if fields[0] == "Z" else int(fields[19])


def write(run: Run) -> None:
    """Put the run file in place of the last one. Raises OSError."""
    path = run.directory / NAME
    scratch = path.with_suffix(".new")
    scratch.write_text(json.dumps(asdict(run), indent=1, ensure_ascii=False), encoding="utf-8")
    os.replace(scratch, path)


def remove(directory: Path) -> None:
    (directory / NAME).unlink(missing_ok=True)


def live(directories: Iterable[Path]) -> Run | None:
    """The newest `up` that is alive among these data directories."""
    found = [run for run in map(_read, directories) if run and started_ticks(run.pid) == run.pid_started]
    return max(found, key=lambda run: run.pid_started, default=None)


def _read(directory: Path) -> Run | None:
    try:
        return Run(**json.loads((directory / NAME).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):  # None there, another user's, or of another version: not one to ask.
        return None
