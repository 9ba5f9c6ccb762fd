"""Looks at the machine: its clock, Python and packages, and the last complaint in each program's log."""

from __future__ import annotations

import os
import re
import sqlite3
import sys
import tomllib
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from bridge.contract import kernel_clock
from bridge.contract.clock import Clock
from host.doctor.seen import ClockSeen, ProgramsSeen
from host.places import ROOT
from host.runfile import Run
from host.status import panel_answers

TAIL_BYTES = 16_384
COMPLAINT = re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d (?:(?:CRITICAL|ERROR) |Error: )(.+)$", re.MULTILINE)
"""How a program's complaint stands in its log; the broker writes `Error: ...`."""

LONGEST = 200
PIN = re.compile(r"^([\w.-]+)==(\S+)$", re.MULTILINE)


def clock(directory: Path, machine: Clock, root: Path = Path("/")) -> ClockSeen:
    """The machine's own clock, and when something was written here last. Raises OSError."""
    written = [(directory / name).stat().st_mtime for name in ("book.db", "book.db-wal") if (directory / name).exists()]
    return ClockSeen(
        now=machine.now(),
        synchronised=kernel_clock.is_synchronised(),
        rtc=any((root / "sys/class/rtc").glob("rtc*")),
        newest_file_at=datetime.fromtimestamp(max(written), UTC) if written else None,
    )


def programs(run: Run | None, root: Path = ROOT) -> ProgramsSeen:
    """The code, its Python, and what stands in the logs. Raises OSError."""
    numbers = [int(part) for part in re.findall(r"\d+", sqlite3.sqlite_version)]
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return ProgramsSeen(
        python=sys.version_info[:3],
        sqlite=tuple(numbers),
        version=project["version"],
        packages=packages((root / "requirements.txt").read_text(encoding="utf-8")),
        last_words=last_words(run) if run is not None else {},
        panel_answers=panel_answers(run.panel_url) if run is not None and "panel" in run.programs else None,
    )


def packages(pins: str) -> dict[str, tuple[str, str | None]]:
    """{package: (the tested version, the installed one or None)}."""
    return {name: (wanted, _installed(name)) for name, wanted in PIN.findall(pins)}


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def last_words(run: Run) -> dict[str, str]:
    """The last complaint in each program's log, where this user may read it. Raises OSError."""
    found = {}
    for name in run.programs:
        path = run.directory / "log" / f"{name}.log"
        if not os.access(path, os.R_OK):
            continue
        with path.open("rb") as log:
            log.seek(max(path.stat().st_size - TAIL_BYTES, 0))
            said = COMPLAINT.findall(log.read().decode("utf-8", "replace"))
        if said:
            found[name] = said[-1][:LONGEST]
    return found
