"""Copies of databases while they are written to: by SQLite's own backup call, through a connection that only reads.

A copy is one moment of the database, whole; the writer is not kept waiting (WAL).
"""

from __future__ import annotations

import json
import os
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from host.exits import FAILED, USAGE, Trouble

BUSY_S = 30


@dataclass(frozen=True)
class BookSeen:
    """Whose book a file is, and how far it goes."""

    gateway: str
    epoch: str
    seq: int
    hash: str


def copy(source: Path, target: Path) -> None:
    """One database into a new file, safe on the disk. Raises Trouble."""
    try:
        source_db = reading(source)
        writing = sqlite3.connect(target)
        try:
            source_db.backup(writing)
            writing.execute("PRAGMA journal_mode=DELETE")  # One file: nothing of it may lie beside it.
        finally:
            source_db.close()
            writing.close()
    except sqlite3.Error as error:
        raise Trouble(FAILED, f"{source} could not be copied: {error}") from None
    target.chmod(0o600)
    with target.open("rb") as written:
        os.fsync(written.fileno())


def seen(book: Path) -> BookSeen:
    """Raises Trouble where this is no book, or an empty one."""
    try:
        db = reading(book)
        try:
            newest = db.execute("SELECT seq, hash FROM journal ORDER BY seq DESC LIMIT 1").fetchone()
            first = db.execute("SELECT body FROM journal WHERE seq = 1").fetchone()
            begun = db.execute(
                "SELECT body FROM journal WHERE kind = 'restored/1' ORDER BY seq DESC LIMIT 1"
            ).fetchone()
        finally:
            db.close()
        genesis = json.loads(first[0])
        epoch = json.loads(begun[0])["epoch"] if begun else genesis["epoch"]
        return BookSeen(genesis["gateway"], epoch, *newest)
    except (sqlite3.Error, ValueError, TypeError, KeyError) as error:
        why = " ".join(str(error).split())  # SQLite quotes what it found there.
        raise Trouble(USAGE, f"{book} cannot be read as a book: {why}") from None


def reading(path: Path) -> sqlite3.Connection:
    """A connection that only reads. Raises Trouble where there is no such file."""
    if not path.is_file():
        raise Trouble(USAGE, f"there is no {path.name} in {path.parent}; name the data directory with --data")
    return sqlite3.connect(f"file:{quote(str(path.absolute()))}?mode=ro", uri=True, timeout=BUSY_S)
