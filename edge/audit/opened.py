"""The book, opened read-only beside a running edge: nothing here can write, and no read is held long.

Rows come in batches, each a read of its own, so that the edge's checkpoints are never kept waiting. The other importer
of the edge's sqlite3; it opens with `mode=ro` and nothing else.
"""

from __future__ import annotations

import json
import sqlite3
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from edge.book import SCHEMA_VERSION, Entry
from edge.entry import Snapshot
from edge.packing import unpack

BATCH = 2000

BUSY_S = 10
"""A reader waits so long for a lock that a writer holds for an instant."""

COLUMNS = ("seq", "id", "at", "boot", "mono_ns", "trusted", "kind", "body", "prev_hash", "hash")
_TEXTS = " AND ".join(f"typeof({name}) = 'text'" for name in ("id", "boot", "kind", "body", "prev_hash", "hash"))

Row = tuple[Any, ...]
"""The ten columns, texts as bytes, and whether all texts are texts."""


class Unreadable(Exception):
    """There is no book here that can be read; the sentence says what is there."""


class RowUnreadable(Exception):
    """SQLite cannot read a row: its bytes are damaged. The rows before it were handed out."""


def find(data: Path) -> Path:
    """The book file of a data directory, or of one of its edge's, or the file itself. Raises Unreadable."""
    if data.is_file():
        return data
    if (data / "restore.unfinished").exists():  # The book may be on its way.
        raise Unreadable(f"a restore into {data} was not finished; give the same `riser restore` again")
    found = [data / "book.db", data / "demo" / "book.db", data / "practice" / "book.db"]
    there = [path for path in found if path.is_file()]
    if not there:
        raise Unreadable(f"there is no book in {data}; name the directory in which book.db is")
    return there[0]


class Reader:
    """A book that is only looked at. Close it."""

    def __init__(self, data: Path):
        """Open the book of a data directory. Raises Unreadable."""
        self.path = find(data)
        self._wal = self.path.with_name(self.path.name + "-wal")
        # A book that nobody has open has no WAL; so it can be read where nothing may be written beside it.
        self._still = not self._wal.exists()
        mode = "mode=ro&immutable=1" if self._still else "mode=ro"
        try:
            self._db = sqlite3.connect(
                f"file:{quote(str(self.path.absolute()))}?{mode}", uri=True, isolation_level=None, timeout=BUSY_S
            )
            self._db.text_factory = bytes
            version = self._db.execute("PRAGMA user_version").fetchone()[0]
            self.seq = self._db.execute("SELECT coalesce(max(seq), 0) FROM journal").fetchone()[0]
        except sqlite3.Error as error:
            raise Unreadable(f"{self.path} cannot be read as a book: {error}") from None
        if version > SCHEMA_VERSION:
            raise Unreadable(f"{self.path} was written by a newer Riser (schema {version}); use that one")

    def moved_on(self) -> bool:
        """True when an edge began to write after this was opened as nobody's."""
        return self._still and self._wal.exists()

    def newest(self) -> int:
        """The newest number now."""
        return int(self._db.execute("SELECT coalesce(max(seq), 0) FROM journal").fetchone()[0])

    def rows(self) -> Iterator[Row]:
        """All rows up to the newest at the time of opening, by seq. Raises RowUnreadable behind the last good one."""
        last, many = 0, BATCH
        question = f"SELECT *, {_TEXTS} FROM journal WHERE seq > ? ORDER BY seq LIMIT ?"
        while True:
            batch: list[Row] = []
            trouble: sqlite3.Error | None = None
            try:
                for row in self._db.execute(question, (last, many)):
                    batch.append(row)
            except sqlite3.Error as error:
                trouble = error
            yield from batch
            if trouble is not None and many == 1:
                raise RowUnreadable(str(trouble))
            if (not batch and trouble is None) or (batch and batch[-1][0] <= last):
                return
            last = batch[-1][0] if batch else last
            many = 1 if trouble else many  # Reading ahead loses the good row before a bad one: from here on one by one.

    def entry(self, seq: int) -> Entry | None:
        """The entry with this number."""
        return next(self._entries("seq = ?", seq), None)

    def entry_by_id(self, id: str) -> Entry | None:
        """The entry with this id."""
        return next(self._entries("id = ?", id), None)

    def before(self, seq: int, *kinds: str) -> Iterator[Entry]:
        """Entries of these kinds before a number, newest first."""
        marks = ",".join("?" * len(kinds))
        return self._entries(f"seq < ? AND kind IN ({marks}) ORDER BY seq DESC", seq, *kinds)

    def of_kinds(self, *kinds: str, until: int | None = None) -> Iterator[Entry]:
        """Entries of these kinds, oldest first, up to and with `until`."""
        marks = ",".join("?" * len(kinds))
        return self._entries(
            f"kind IN ({marks}) AND seq <= ? ORDER BY seq", *kinds, self.seq if until is None else until
        )

    def all(self, first_seq: int = 1) -> Iterator[Entry]:
        """Every entry from a number on."""
        return self._entries("seq >= ? ORDER BY seq", first_seq)

    def about(self, account: str) -> Iterator[Entry]:
        """Entries that name an account, and the few that may concern any: prices, openings of meters."""
        named = "instr(body, ?) OR instr(body, ?) OR kind IN ('tariff/1', 'tariff/2', 'opening/1')"
        return self._entries(f"{named} ORDER BY seq", f'"account":"{account}"', f'"account:{account}"')

    def with_money(self) -> Iterator[Entry]:
        """Entries that move money, and the accounts they name."""
        return self._entries("instr(body, '\"moves\":[{') OR kind = 'account/1' ORDER BY seq")

    def _entries(self, where: str, *values: Any) -> Iterator[Entry]:
        try:
            for row in self._db.execute(f"SELECT * FROM journal WHERE {where}", values):
                yield entry_of(row)
        except (sqlite3.Error, UnicodeDecodeError, AttributeError) as error:
            raise Unreadable(f"{self.path} is damaged ({error}); `riser verify` names the entry") from None

    def notes(self) -> dict[str, int]:
        """The numbers that are saved lazily."""
        found: dict[str, int] = {}
        try:
            for name, value in self._db.execute("SELECT name, value FROM note"):
                if not isinstance(name, bytes) or not isinstance(value, int):
                    raise Unreadable(f"{self.path}, table note: {name!r} is {value!r}, and numbers have names there")
                found[name.decode()] = value
        except (sqlite3.Error, UnicodeDecodeError) as error:
            raise Unreadable(f"{self.path}, table note: {error}") from None
        return found

    def sweep_instants(self) -> list[tuple[int, int]]:
        """(number, at in microseconds) of every sweep of readings that is kept, by number."""
        try:
            return list(self._db.execute("SELECT number, at FROM sweep ORDER BY number"))
        except sqlite3.Error as error:
            raise Unreadable(f"{self.path}, table sweep: {error}") from None

    def sweep(self, number: int) -> list[dict[str, Any]] | None:
        """The readings of a sweep; None where it was trimmed meanwhile, or cannot be read: it is telemetry."""
        try:
            row = self._db.execute("SELECT body FROM sweep WHERE number = ?", (number,)).fetchone()
            return None if row is None else unpack(row[0])
        except (sqlite3.Error, zlib.error, ValueError, TypeError, LookupError, AttributeError):
            return None

    def triggers(self) -> set[str]:
        """The triggers that are there."""
        rows = self._db.execute("SELECT name FROM sqlite_master WHERE type='trigger'")
        return {name.decode(errors="replace") for (name,) in rows if isinstance(name, bytes)}

    def snapshot(self) -> Snapshot | None:
        """The snapshot of the fold, as it stands there; None where there is none."""
        try:
            if self._db.execute("SELECT 1 FROM sqlite_master WHERE name = 'snapshot'").fetchone() is None:
                return None
            row = self._db.execute("SELECT seq, hash, version, body, digest FROM snapshot").fetchone()
        except sqlite3.Error as error:
            raise Unreadable(f"{self.path}, table snapshot: {error}") from None
        if row is None:
            return None
        if not isinstance(row[0], int) or not all(isinstance(each, bytes) for each in row[1:]):
            raise Unreadable(f"{self.path}, table snapshot: a number and four texts belong there")
        seq, hash, version, body, digest = row
        return Snapshot(
            seq, hash.decode(errors="replace"), version.decode(errors="replace"), body, digest.decode(errors="replace")
        )

    def registry(self) -> dict[str, Any] | None:
        """registry.json beside the book, None where there is none or it is no registry (it is rebuilt then)."""
        try:
            tables: dict[str, Any] = json.loads((self.path.parent / "registry.json").read_text(encoding="utf-8"))
            whole = isinstance(tables["folded"]["1"]["seq"], int)
        except (OSError, ValueError, TypeError, KeyError, RecursionError):
            return None
        return tables if whole and all(isinstance(table, dict) for table in tables.values()) else None

    def close(self) -> None:
        self._db.close()


def entry_of(row: Row) -> Entry:
    """A row as an entry; raises UnicodeDecodeError or AttributeError for damaged columns."""
    seq, id, at, boot, mono_ns, trusted, kind, body, prev, digest = row[:10]
    texts = (column.decode() for column in (id, boot, kind, body, prev, digest))
    id, boot, kind, body, prev, digest = texts
    return Entry(seq, id, at, boot, mono_ns, bool(trusted), kind, body, prev, digest)
