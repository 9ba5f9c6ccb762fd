"""What a night has done, kept piece by piece in a file, so that one that was ended goes on where it was.

A line is one JSON object: first whose night it is, then the pieces as they ended. A piece that ran when the night was
ended has no line and is run again. A breach stays in it: only another program begins a new night.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

Record = dict[str, Any]

PROGRAM = ("edge", "host", "panel", "bridge", "firmware_sim", "tests", "riser.py", "requirements.txt")
"""What is tried, and what tries it."""
SOURCES = (".py", ".toml", ".txt", ".html", ".css", ".js", ".json")


def program(root: Path) -> str:
    """One name for all that is tried and tries: two trees that differ in a byte of it have two."""
    told = hashlib.sha256()
    for place in PROGRAM:
        for each in sorted({root / place, *(root / place).rglob("*")}):
            if each.is_file() and each.suffix in SOURCES and "__pycache__" not in each.parts:
                data = each.read_bytes()
                told.update(f"{each.relative_to(root)} {len(data)}\n".encode() + data)
    return told.hexdigest()[:16]


class Kept:
    """The file of one night. `seed` is the night's, `pieces` are those that it has."""

    def __init__(self, path: Path, seed: int | None, fresh_seed: int, full: bool, program: str):
        """`seed`: asked for; None: that of the file, or else `fresh_seed`. ValueError: the file is another night's."""
        try:
            lines = path.read_text(encoding="utf-8").splitlines(keepends=True) if path.exists() else []
            if len(lines) > 1 and not lines[-1].endswith("\n"):
                lines.pop()  # The run was ended while it wrote.
            rows: list[Record] = [json.loads(line) for line in lines]
            before = rows[0] if rows else {"seed": fresh_seed if seed is None else seed}
            self.seed: int = before["seed"]
            self.pieces = [row for row in rows[1:] if row["part"] and row["words"]]
        except (ValueError, TypeError, KeyError) as odd:
            raise ValueError(
                f"{path} is no file of riser prove ({odd!r}); name another, or one that is not there"
            ) from odd
        head = {"seed": self.seed if seed is None else seed, "full": full, "program": program}
        if rows and before != head:
            differs = ", ".join(f"{name} {before.get(name)} there, {head[name]} now" for name in head
                                if before.get(name) != head[name])  # fmt: skip
            raise ValueError(f"{path} is of another run ({differs}); name another file to begin anew")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(lines) or json.dumps(head) + "\n", encoding="ascii")
        self._path = path

    def add(self, record: Record) -> None:
        """{part, number, words, took_s, broken, found}; `found` is null where a piece told nothing."""
        with self._path.open("a", encoding="ascii") as file:
            file.write(json.dumps(record) + "\n")
