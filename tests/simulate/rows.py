"""A book's rows as they stand in its file, read with sqlite3 and json and nothing else."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, NoReturn

CHARGES = ("charge/1", "charge/2")
TENANT, CREDIT, DEBT = "account:", "credit:", "debt:"
NANO_PER_FEN = 10**7


def _no_float(number: str) -> NoReturn:
    raise ValueError(f"I6: {number} stands in the book, which holds integers only")


READ = json.JSONDecoder(parse_float=_no_float, parse_constant=_no_float).decode


def us_of(text: str) -> int:
    """Microseconds since 1970 of an instant as entries write it."""
    at = datetime.fromisoformat(text)
    return round(at.timestamp() * 1e6)


@dataclass(frozen=True)
class Entry:
    """One row of the journal."""

    seq: int
    id: str
    at: int
    boot: str
    mono_ns: int
    trusted: int
    kind: str
    body: str
    prev_hash: str
    hash: str
    fields: dict[str, Any]


def entries(path: Path, after: int) -> Iterator[Entry]:
    """Rows behind a number, in order. ValueError where a body holds a float (I6)."""
    db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        for row in db.execute("SELECT * FROM journal WHERE seq > ? ORDER BY seq", (after,)):
            yield Entry(*row, READ(row[7]))
    finally:
        db.close()


def opened_since(path: Path, meter: str, account: str) -> bool:
    """Does a first register of this meter stand behind the entry with which the account began? Where another meter was
    hung up first, it is that one's."""
    db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        ids, replaced = f"opening:{meter}:", "replacement:"
        found = db.execute(
            "SELECT 1 FROM journal, (SELECT seq AS since FROM journal WHERE id = ?) WHERE seq > since AND ("
            " id > ? AND id < ? OR id > ? AND id < ? AND json_extract(body, '$.meter') = ?)",
            (f"account:{account}", ids, ids[:-1] + ";", replaced, replaced[:-1] + ";", meter),
        )
        return found.fetchone() is not None
    finally:
        db.close()


def stands(path: Path, id: str, kind: str) -> bool:
    """Is there an entry of this kind under this id?"""
    db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        row = db.execute("SELECT kind FROM journal WHERE id = ?", (id,)).fetchone()
        return row is not None and row[0] == kind
    finally:
        db.close()
