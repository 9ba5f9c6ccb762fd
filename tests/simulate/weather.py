"""What the power and the disk do to one gateway: writes that fail, and a supply that goes at any of them.

A commit is where a process can be caught: before it nothing of the transaction is on the disk, after it all of it is.
A failed sync may have landed or not, and nobody can tell.
"""

from __future__ import annotations

import random
import sqlite3
from typing import Any


class PowerCut(BaseException):
    """The supply is gone in the middle of whatever the program did. No program catches this."""


WORDS = {
    "full": ("SQLITE_FULL", "database or disk is full"),
    "read-only": ("SQLITE_READONLY", "attempt to write a readonly database"),
    "io": ("SQLITE_IOERR_FSYNC", "disk I/O error"),
}


class Weather:
    """Fair unless somebody says otherwise."""

    def __init__(self, chance: random.Random):
        self._chance = chance
        self.disk: str | None = None
        self.cut_at_write: int | None = None
        """Power goes at the so-manieth commit from now."""
        self.cut_at_frame: int | None = None
        self.well_since = 0.0
        """Since when the disk takes what it is given, in monotonic seconds, where it does."""
        self.troubles = 0
        """Counts what the disk refused."""
        self.sheltered = 0
        """While a person stands at the gateway and waits for one answer, the power holds."""

    def calm(self) -> None:
        self.cut_at_write = self.cut_at_frame = None

    def _counts_down(self, name: str) -> bool:
        left = getattr(self, name)
        if left is None or self.sheltered:
            return False
        setattr(self, name, left - 1 if left > 0 else None)
        return left <= 0

    def at_the_line(self) -> str | None:
        """Where the power goes at this frame: before a meter hears it, or after that one has answered."""
        return self._chance.choice(("before", "after")) if self._counts_down("cut_at_frame") else None

    def begins(self) -> None:
        if self.disk == "read-only":
            raise self._trouble()

    def commits(self, commit: Any) -> Any:
        cut, landed = self._counts_down("cut_at_write"), self._chance.random() < 0.5
        if cut and not landed:
            raise PowerCut
        if self.disk in ("full", "read-only") or (self.disk == "io" and not landed):
            raise self._trouble()
        done = commit()
        if cut:
            raise PowerCut
        if self.disk == "io":
            raise self._trouble()
        return done

    def _trouble(self) -> sqlite3.OperationalError:
        assert self.disk is not None
        self.troubles += 1
        name, words = WORDS[self.disk]
        trouble = sqlite3.OperationalError(words)
        trouble.sqlite_errorname = name
        return trouble


class Disk:
    """A connection to a book on such a disk."""

    def __init__(self, db: sqlite3.Connection, weather: Weather):
        self._db, self._weather = db, weather

    def execute(self, sql: str, *given: Any) -> Any:
        if sql == "BEGIN IMMEDIATE":
            self._weather.begins()
        if sql == "COMMIT":
            return self._weather.commits(lambda: self._db.execute(sql))
        return self._db.execute(sql, *given)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._db, name)
