"""A book touched by somebody who should not have: a byte in the file, or whole rows with every hash made anew."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from edge.book import FIRST_HASH, canonical, hash_of

COLUMNS = ("seq", "id", "at", "boot", "mono_ns", "trusted", "kind", "body", "prev_hash", "hash")
WIDTH = {0: 0, 1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8, 8: 0, 9: 0}


@contextmanager
def opened(directory: Path) -> Iterator[sqlite3.Connection]:
    """The book's table with its triggers off."""
    db = sqlite3.connect(directory / "book.db", isolation_level=None)
    made = [sql for (sql,) in db.execute("SELECT sql FROM sqlite_master WHERE type = 'trigger'")]
    db.executescript("DROP TRIGGER journal_keeps; DROP TRIGGER journal_stays")
    try:
        yield db
    finally:
        for sql in made:
            db.execute(sql)
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        db.close()


def rows(directory: Path) -> list[list[Any]]:
    with opened(directory) as db:
        return [list(row) for row in db.execute("SELECT * FROM journal ORDER BY seq")]


def rechained(directory: Path, seq: int, change: Callable[[dict[str, Any]], None]) -> None:
    """Change the body of an entry and make every hash from there on anew, as a patient forger would."""
    with opened(directory) as db:
        prev = db.execute("SELECT hash FROM journal WHERE seq = ?", (seq - 1,)).fetchone()
        chained = prev[0] if prev else FIRST_HASH
        for row in db.execute("SELECT * FROM journal WHERE seq >= ? ORDER BY seq", (seq,)).fetchall():
            number, id, at, boot, mono, trusted, kind, body = row[:8]
            if number == seq:
                fields = json.loads(body)
                change(fields)
                body = canonical(fields)
            digest = hash_of(number, id, at, boot, mono, bool(trusted), kind, body, chained)
            db.execute(
                "UPDATE journal SET body = ?, prev_hash = ?, hash = ? WHERE seq = ?", (body, chained, digest, number)
            )
            chained = digest


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for n in range(9):
        byte = data[at + n]
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, at + n + 1
    raise AssertionError("no varint here")


def places(directory: Path, seq: int) -> dict[str, range]:
    """Where in the file each column of a row stands, by the file format of SQLite; `trusted` and `seq` are in the
    record's head. The row must lie on one page."""
    row, data = rows(directory)[seq - 1], (directory / "book.db").read_bytes()
    id = row[1].encode()
    at = data.find(id)
    while at >= 0:
        for head in range(at - 16, at - 10):
            if head + data[head] != at:
                continue
            types, place = [], head + 1
            while place < at:
                type, place = _varint(data, place)
                types.append(type)
            if len(types) != 10 or types[0] != 0:
                continue
            found, place = {"seq": range(head - (1 if seq < 128 else 2), head)}, at
            for name, type in zip(COLUMNS[1:], types[1:], strict=True):
                size = (type - 13) // 2 if type > 12 else WIDTH[type]
                found[name] = range(place, place + size)
                place += size
            found["trusted"] = range(
                head + 1 + 5 + (1 if types[1] > 127 else 0) + (1 if types[3] > 127 else 0),
                head + 1 + 6 + (1 if types[1] > 127 else 0) + (1 if types[3] > 127 else 0),
            )
            if data[found["hash"].start : found["hash"].stop] == row[9].encode():
                return found
        at = data.find(id, at + 1)
    raise AssertionError(f"entry {seq} was not found in the file")


def flip(directory: Path, place: int, mask: int = 1) -> None:
    """Change one byte of the file."""
    path = directory / "book.db"
    data = bytearray(path.read_bytes())
    data[place] ^= mask
    path.write_bytes(data)
