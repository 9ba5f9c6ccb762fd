"""The real book, which marks on the tape what was written together; and books with a fault that the proof must find."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

from bridge.contract.clock import Clock
from edge.book import Book
from tests.proof.shim import Shim

CHECKPOINT_PAGES = 100
"""The book's log goes into the book ten times as often as in service, so that a short story has many of these."""

PLANTS = {
    "": "none",
    "unsynced": "answers before the disk has it",
    "off": "never waits for the disk",
    "halves": "writes what belongs together one by one",
    "forgives": "says written where the disk refused",
}
"""Faults of a book that the proof must find."""

SYNCS = {"unsynced": "NORMAL", "off": "OFF"}


class Forgiving:
    """A connection that takes a refused COMMIT for a good one."""

    def __init__(self, real: Any):
        self._real = real

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def execute(self, sql: str, *values: Any) -> Any:
        try:
            return self._real.execute(sql, *values)
        except sqlite3.Error:
            if sql != "COMMIT":
                raise
            return None


class MarkedBook(Book):
    """The real book; the tape learns which entries were written together."""

    shim: Shim
    plant = ""

    def __init__(self, directory: Path, clock: Clock, boot: str, **options: Any):
        super().__init__(directory, clock, boot, **options)
        self._db.execute(f"PRAGMA wal_autocheckpoint={CHECKPOINT_PAGES}")
        if self.plant in SYNCS:
            self._db.execute(f"PRAGMA synchronous={SYNCS[self.plant]}")
        if self.plant == "forgives":
            self._db = Forgiving(self._db)  # type: ignore[assignment]

    def append(self, *drafts: Any) -> Any:
        at_once = [[draft] for draft in drafts] if self.plant == "halves" else [drafts]
        entries = [entry for each in at_once for entry in super(MarkedBook, self).append(*each)]
        self.shim.mark(group=[entries[0].seq, entries[-1].seq])
        return entries
