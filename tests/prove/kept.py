"""What a night has done, kept piece by piece in a file, so that one that was ended goes on where it was.

A line is one JSON object: first whose night it is, then the pieces as they ended. A piece that ran when the night was
ended has no line and is run again. A breach stays in it: only another program begins a new night.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

Record = dict[str, Any]

PROGRAM = (
    "edge", "host", "panel", "bridge", "firmware_sim", "tests", "riser", "riser.py", "requirements.txt",
    "requirements-test.txt", "pyproject.toml", "site.example.toml", "deploy",
)  # fmt: skip
"""What is tried, and what tries it."""
MADE = {"__pycache__", ".mypy_cache", ".pytest_cache", ".ruff_cache", ".hypothesis"}
"""What running it leaves behind."""
KEYS = ("part", "number", "words", "took_s", "broken", "found")


class NightError(ValueError):
    """Why a file cannot be gone on with, in a sentence."""


def program(root: Path) -> str:
    """One name for all that is tried and tries: two trees that differ in a byte of it, or two Pythons, have two."""
    told = hashlib.sha256(sys.version.encode())
    for place in PROGRAM:
        for each in sorted({root / place, *(root / place).rglob("*")}):
            if each.is_file() and not MADE.intersection(each.relative_to(root).parts):
                data = each.read_bytes()
                told.update(f"{each.relative_to(root)} {len(data)}\n".encode() + data)
    return told.hexdigest()[:16]


class Kept:
    """The file of one night, of which one run at a time may go on. `seed` is the night's, `pieces` are those it has."""

    def __init__(self, path: Path, seed: int | None, fresh_seed: int, full: bool, program: Callable[[], str]):
        """`seed`: asked for; None: that of the file, or else `fresh_seed`. NightError: the file is another night's, or
        is written to."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path, self._program = path, program
        self._file = path.open("ab")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as taken:
            raise NightError(f"{path} is in use by another run; wait for it, or end it") from taken
        whole = path.read_bytes()
        lines = whole.splitlines(keepends=True)
        torn = len(lines.pop()) if len(lines) > 1 and not lines[-1].endswith(b"\n") else 0
        try:
            if lines and not lines[-1].endswith(b"\n"):
                raise ValueError("its only line has no end")
            rows: list[Record] = [json.loads(line) for line in lines]
            before = rows[0] if rows else {"seed": fresh_seed if seed is None else seed}
            self.seed: int = before["seed"]
            self.pieces = [{key: row[key] for key in KEYS} for row in rows[1:]]
        except (ValueError, TypeError, KeyError) as odd:
            raise NightError(
                f"{path} is no file of riser prove ({odd!r}); name another, or one that is not there"
            ) from odd
        self._head = {"seed": self.seed if seed is None else seed, "full": full, "program": program()}
        if rows and before != self._head:
            differs = ", ".join(f"{name} {before.get(name)} there, {self._head[name]} now" for name in self._head
                                if before.get(name) != self._head[name])  # fmt: skip
            raise NightError(f"{path} is of another run ({differs}); name another file to begin anew")
        if torn:  # The run was ended while it wrote.
            self._file.truncate(len(whole) - torn)
        if not rows:
            self._write(self._head)

    def add(self, record: Record) -> None:
        """{part, number, words, took_s, broken, found}; `found` is null where a piece told nothing. NightError: the
        program was changed while the night ran."""
        if self._program() != self._head["program"]:
            raise NightError(f"the program was changed while it was tried; what {self._path} has is of the former one")
        self._write(record)

    def _write(self, row: Record) -> None:
        self._file.write((json.dumps(row) + "\n").encode("ascii"))
        self._file.flush()
        os.fsync(self._file.fileno())
