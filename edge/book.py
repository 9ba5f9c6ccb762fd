"""The append-only book: the only place that writes it. Nothing is acknowledged before it is safe on disk.

SQLite, STRICT, WAL, synchronous=FULL, one writing connection. An entry is a row of `journal`; triggers refuse
UPDATE and DELETE; its hash covers all its columns and the hash before it. Readings that were not billed stand
in `sweep`, packed; they are telemetry and may be trimmed. `note` holds the few numbers that are saved lazily:
the cursors of what the broker acknowledged, and powered time. `snapshot` only speeds opening (`opening.py`).
"""

from __future__ import annotations

import fcntl
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bridge.contract.clock import Clock
from bridge.contract.units import micros_of
from edge.entry import FIRST_HASH, Draft, Entry, Sealed, Snapshot, canonical, chain, hash_of, of_row, sealed
from edge.packing import pack, unpack

__all__ = ["FIRST_HASH", "SCHEMA_VERSION", "Book", "BookError", "Entry", "WriteError", "canonical", "hash_of"]

WriteError = sqlite3.Error
OF_THE_DISK = ("SQLITE_FULL", "SQLITE_IOERR", "SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_BUSY")
"""What a full, read-only or failing disk, or somebody else who holds the book, makes of a write, and of opening; the
book itself is not to blame (38-40)."""

SCHEMA_VERSION = 2
"""2: sweeps are packed by column. A book of version 1 becomes one of 2 with the first sweeps that are saved."""

_SCHEMA = """
CREATE TABLE journal (
    seq INTEGER PRIMARY KEY CHECK (seq > 0), id TEXT NOT NULL UNIQUE, at INTEGER NOT NULL, boot TEXT NOT NULL,
    mono_ns INTEGER NOT NULL, trusted INTEGER NOT NULL CHECK (trusted IN (0, 1)), kind TEXT NOT NULL,
    body TEXT NOT NULL, prev_hash TEXT NOT NULL, hash TEXT NOT NULL) STRICT;
CREATE TRIGGER journal_keeps BEFORE UPDATE ON journal BEGIN SELECT RAISE(ABORT, 'R10: the book is append-only'); END;
CREATE TRIGGER journal_stays BEFORE DELETE ON journal BEGIN SELECT RAISE(ABORT, 'R10: the book is append-only'); END;
CREATE TABLE sweep (number INTEGER PRIMARY KEY CHECK (number > 0), at INTEGER NOT NULL, body BLOB NOT NULL) STRICT;
CREATE TABLE note (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
"""

_SNAPSHOT = """
CREATE TABLE IF NOT EXISTS snapshot (
    seq INTEGER PRIMARY KEY, hash TEXT NOT NULL, version TEXT NOT NULL, body BLOB NOT NULL, digest TEXT NOT NULL) STRICT
"""
"""Made when it is needed: who does not know this table does not miss it."""


class BookError(Exception):
    """The book cannot be used as it is; the sentence says what a person must do."""


class Book:
    """The open book of one edge."""

    def __init__(self, directory: Path, clock: Clock, boot: str, *, begin_anew: bool = False):
        """Open or begin the book in `directory`. Raises BookError; WriteError where the disk takes no writing now."""
        directory.mkdir(parents=True, exist_ok=True)
        self.directory, self._path, self._clock, self.boot = directory, directory / "book.db", clock, boot
        self._lock = self._only_one(directory / "book.lock")
        marker = directory / "book.begun"
        try:
            if (directory / "restore.unfinished").exists():  # Written by host/backup/moving.py.
                raise BookError(f"a restore into {directory} was not finished; give the same `riser restore` again")
            may_begin = begin_anew or not marker.exists()
            if not may_begin and not self._path.exists():
                raise self._lost("missing")
            self._db = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
            self._prepare(may_begin)
        except (sqlite3.DatabaseError, BookError) as error:
            self.close()
            if isinstance(error, BookError):
                raise
            if getattr(error, "sqlite_errorname", "").startswith(OF_THE_DISK):
                raise  # The disk and its rights, not what is in the book: it may be better at the next start.
            raise BookError(f"{self._path} cannot be read as a book: {error}; restore a backup") from None
        if not marker.exists():
            marker.touch()
        self.seq, self.hash = self._newest()
        self.sweep_number = self._db.execute("SELECT coalesce(max(number), 0) FROM sweep").fetchone()[0]
        self._unsaved_sweeps: list[tuple[int, int, bytes]] = []
        self.trusted = False  # Until somebody has looked at the clock (R25).

    def _only_one(self, path: Path) -> Any:
        lock = path.open("r" if path.exists() else "w")  # A disk that went read-only still has one edge only.
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise BookError(f"another edge has this book open ({path}); stop it first (failure 48)") from None
        return lock

    def _lost(self, how: str) -> BookError:
        return BookError(
            f"{self._path} is {how}, but book.begun says that there was a book: put it or a backup back, "
            "or start once with `riser up --begin-anew` if it is really lost (failure 43)"
        )

    def _prepare(self, may_begin: bool) -> None:
        run = self._db.execute
        self._version = version = run("PRAGMA user_version").fetchone()[0]
        if version > SCHEMA_VERSION:
            raise BookError(
                f"{self._path} was written by a newer Riser (schema {version}); start that one (failure 50)"
            )
        if version == 0 and not may_begin:
            raise self._lost("empty")
        run("PRAGMA journal_mode=WAL")
        run("PRAGMA synchronous=FULL")
        if version == 0:
            self._db.executescript(f"BEGIN;{_SCHEMA}PRAGMA user_version={SCHEMA_VERSION};COMMIT;")
            self._version = SCHEMA_VERSION

    def _newest(self) -> tuple[int, str]:
        row = self._db.execute("SELECT seq, hash FROM journal ORDER BY seq DESC LIMIT 1").fetchone()
        return (row[0], row[1]) if row else (0, FIRST_HASH)

    # --- entries ---

    def append(self, *drafts: Draft | Sealed) -> list[Entry]:
        """Write entries in one transaction and one fsync; all or none. Raises sqlite3.Error.

        An id that stands already raises sqlite3.IntegrityError and nothing is written.
        """
        now, mono = micros_of(self._clock.now()), int(self._clock.monotonic() * 1_000_000_000)
        seq, prev, entries = self.seq, self.hash, []
        for draft in drafts:
            seq += 1
            entries.append(entry := chain(seq, prev, sealed(draft), now, self.boot, mono, self.trusted))
            prev = entry.hash
        with _transaction(self._db):
            rows = [entry.row for entry in entries]
            self._db.executemany("INSERT INTO journal VALUES (?,?,?,?,?,?,?,?,?,?)", rows)
        self.seq, self.hash = seq, prev
        return entries

    def find(self, id: str) -> Entry | None:
        """The entry with this id, if it was ever written."""
        row = self._db.execute("SELECT * FROM journal WHERE id = ?", (id,)).fetchone()
        return of_row(row) if row else None

    def entries(self, first_seq: int = 1, limit: int | None = None) -> Iterator[Entry]:
        """Entries from `first_seq` on, in order."""
        rows = self._db.execute(
            "SELECT * FROM journal WHERE seq >= ? ORDER BY seq LIMIT ?", (first_seq, -1 if limit is None else limit)
        )
        return map(of_row, rows)

    # --- readings ---

    def add_sweep(self, rows: Sequence[dict[str, Any]]) -> int:
        """Number a sweep of readings and keep it in memory until `save_sweeps`. Returns its number."""
        self.sweep_number += 1
        self._unsaved_sweeps.append((self.sweep_number, micros_of(self._clock.now()), pack(rows)))
        return self.sweep_number

    def leap(self, numbers: int) -> None:
        """The next sweeps are numbered so much higher: a restored book must not use numbers that were heard of."""
        before = self.sweep_number
        self.sweep_number += numbers - 1
        self.add_sweep([])
        self.save_sweeps(self.sweep_number)
        self.save_notes({"sweep_leap": self.note("sweep_leap") + numbers - 1, "sweep_leapt_from": before})

    @property
    def unsaved_sweeps(self) -> int:
        return len(self._unsaved_sweeps)

    def save_sweeps(self, keep: int) -> None:
        """Write the waiting sweeps in one transaction and trim the oldest beyond `keep`."""
        with _transaction(self._db):
            self._db.executemany("INSERT INTO sweep VALUES (?,?,?)", self._unsaved_sweeps)
            # What was numbered before a restore is as old as its number and the leap say together.
            newest_old, leap, leapt_from = (
                self.sweep_number - keep,
                self.note("sweep_leap"),
                self.note("sweep_leapt_from"),
            )
            self._db.execute("DELETE FROM sweep WHERE number <= ?", (newest_old - leap,))
            self._db.execute("DELETE FROM sweep WHERE number > ? AND number <= ?", (leapt_from, newest_old))
            if self._version < SCHEMA_VERSION:  # An older Riser cannot read these, and says so from now on.
                self._db.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
        self._version = SCHEMA_VERSION
        self._unsaved_sweeps.clear()

    def sweeps(self, first_number: int, limit: int) -> list[tuple[int, int, list[dict[str, Any]]]]:
        """Saved sweeps from `first_number` on: (number, at in microseconds, rows)."""
        rows = self._db.execute("SELECT * FROM sweep WHERE number >= ? ORDER BY number LIMIT ?", (first_number, limit))
        return [(number, at, unpack(body)) for number, at, body in rows]

    def newest_sweeps(self, limit: int) -> Iterator[tuple[int, int, list[dict[str, Any]]]]:
        """Saved sweeps, newest first."""
        rows = self._db.execute("SELECT * FROM sweep ORDER BY number DESC LIMIT ?", (limit,))
        return ((number, at, unpack(body)) for number, at, body in rows)

    # --- notes ---

    def note(self, name: str) -> int:
        """A lazily saved number, 0 if it was never saved."""
        row = self._db.execute("SELECT value FROM note WHERE name = ?", (name,)).fetchone()
        return row[0] if row else 0

    def save_notes(self, notes: dict[str, int]) -> None:
        with _transaction(self._db):
            self._db.executemany("INSERT OR REPLACE INTO note VALUES (?,?)", list(notes.items()))

    def notes_of(self, prefix: str) -> list[str]:
        """The names of the notes that begin so."""
        rows = self._db.execute("SELECT name FROM note WHERE substr(name, 1, ?) = ?", (len(prefix), prefix))
        return [name for (name,) in rows]

    def drop_notes(self, names: Sequence[str]) -> None:
        with _transaction(self._db):
            self._db.executemany("DELETE FROM note WHERE name = ?", [(name,) for name in names])

    # --- the snapshot of the fold ---

    def snapshot(self) -> Snapshot | None:
        """The newest one, as it stands there; who uses it looks whether it fits."""
        if self._db.execute("SELECT 1 FROM sqlite_schema WHERE name = 'snapshot'").fetchone() is None:
            return None
        row = self._db.execute("SELECT seq, hash, version, body, digest FROM snapshot ORDER BY seq DESC").fetchone()
        return Snapshot(*row) if row else None

    def save_snapshot(self, made: Snapshot) -> None:
        """Put a snapshot in the place of the one before, which stands until then."""
        with _transaction(self._db):
            self._db.execute(_SNAPSHOT)
            self._db.execute("DELETE FROM snapshot")
            self._db.execute("INSERT INTO snapshot VALUES (?,?,?,?,?)", made)

    def close(self) -> None:
        if hasattr(self, "_db"):  # A book that refused to open has its lock only.
            self._db.close()
        self._lock.close()


@contextmanager
def _transaction(db: sqlite3.Connection) -> Iterator[None]:
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    finally:
        # A full disk may have ended the transaction already, or refused the COMMIT and left it open.
        if db.in_transaction:
            db.execute("ROLLBACK")
