"""A disk after a cut is opened as the edge opens its own, and everything that can be read in it is checked.

The same bytes are opened once, and the same readable rows are derived again once: what follows from them is the same.
"""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from bridge.contract.clock import ManualClock
from edge import opening
from edge.audit.opened import Unreadable
from edge.audit.verify import verify
from edge.book import Book, BookError
from edge.fold import apply
from edge.registry import Registry
from edge.state import State
from tests.proof.disk import Image

NOW = datetime(2026, 12, 1, tzinfo=UTC)
"""After the story."""


@dataclass
class Found:
    """What one disk holds. `trouble` says why it cannot be opened, or what in it is not so."""

    unreadable: str | None = None
    trouble: str | None = None
    hashes: list[str] = field(default_factory=list)
    ids: set[str] = field(default_factory=set)
    newest_sweep: int = 0

    @property
    def seq(self) -> int:
        return len(self.hashes)


def key_of(image: Image) -> bytes:
    """The same for the same bytes under the same names."""
    digest = hashlib.blake2b(digest_size=16)
    for name, content in sorted(image.items()):
        digest.update(f"{name}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.digest()


def laid(image: Image, directory: Path) -> None:
    """Put the files of a disk there, and nothing else."""
    for path in directory.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    for name, content in sorted(image.items()):
        if name.endswith("/"):
            (directory / name).mkdir()
        else:
            (directory / name).write_bytes(content)


class Opener:
    """Opens disks in a directory of its own."""

    def __init__(self, directory: Path):
        self._directory = directory
        self._opened: dict[bytes, Found] = {}
        self._derived: dict[bytes, str | None] = {}

    @property
    def different(self) -> int:
        """Disks that differed in at least a byte."""
        return len(self._opened)

    @property
    def derived(self) -> int:
        """Books whose rows, notes, snapshot or registry differed."""
        return len(self._derived)

    def look(self, image: Image) -> Found:
        key = key_of(image)
        if key not in self._opened:
            self._opened[key] = self._open(image)
        return self._opened[key]

    def _open(self, image: Image) -> Found:
        laid(image, self._directory)
        try:
            book = Book(self._directory, ManualClock(NOW), "after-the-cut")
        except (BookError, sqlite3.Error, OSError) as error:
            return Found(unreadable=f"{type(error).__name__}: {error}")
        found = Found()
        try:
            readable = self._read(book, found)
            if found.trouble is None and found.seq and readable not in self._derived:
                self._derived[readable] = self._folded(book)
        except (BookError, sqlite3.Error) as error:
            found.unreadable = f"{type(error).__name__}: {error}"
            return found
        finally:
            book.close()
        if found.seq:
            found.trouble = found.trouble or self._derived.get(readable)
        return found

    def _read(self, book: Book, found: Found) -> bytes:
        """Every row of every table; the same bytes for the same rows."""
        run = book._db.execute
        if (pages := run("PRAGMA integrity_check").fetchall()) != [("ok",)]:
            found.trouble = f"SQLite says of the pages: {pages[:3]}"
        rows = run("SELECT * FROM journal ORDER BY seq").fetchall()
        found.hashes, found.ids = [row[-1] for row in rows], {row[1] for row in rows}
        if [row[0] for row in rows] != list(range(1, len(rows) + 1)):
            found.trouble = "the numbers of the entries have a hole"
        found.newest_sweep = book.sweep_number
        tables = ["sweep", "note"] + ["snapshot"] * (book.snapshot() is not None)
        rest = [run(f"SELECT * FROM {table} ORDER BY 1").fetchall() for table in tables]
        registry = self._directory / "registry.json"
        beside = registry.read_bytes() if registry.exists() else b""
        return hashlib.blake2b(repr((rows, rest, beside)).encode()).digest()

    def _folded(self, book: Book) -> str | None:
        """The state as the edge has it at opening, the same from nothing, `riser verify`, and the registry anew."""
        whole = State()
        for entry in book.entries():
            apply(whole, entry)
        if opening.state_of(book) != whole:
            return "the state with its snapshot is not what the entries fold to (I25)"
        try:
            report = verify(self._directory)
        except Unreadable as error:
            return f"riser verify: {error}"
        if report.lie is not None:
            return f"riser verify: {report.lie.sentence()}"
        registry = Registry(self._directory)
        registry.refresh(whole)
        installed = [row["meter"] for row in registry.meters()], [row["account"] for row in registry.accounts()]
        if installed != (list(whole.meters), list(whole.accounts)):
            return "the registry that is written anew is not what is installed"
        return None
