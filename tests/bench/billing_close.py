"""A day closed for a thousand meters, beside the same bodies made, hashed and inserted by bare sqlite3 in one go."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import statistics
import time
from pathlib import Path
from typing import Any

from edge.book import _SCHEMA, Entry
from tests.bench.billing_rig import Rig

METERS = 1000


def bare_s(path: Path, entries: list[Entry]) -> float:
    """The same rows into the same table under the same settings: JSON, SHA-256, one executemany, one commit."""
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("PRAGMA synchronous=FULL")
    db.executescript(_SCHEMA)
    bodies = [(entry, json.loads(entry.body)) for entry in entries]
    prev, rows = entries[0].prev_hash, []
    began = time.perf_counter()
    for entry, fields in bodies:
        body = json.dumps(fields, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        columns = (entry.seq, entry.id, entry.at, entry.boot, entry.mono_ns, int(entry.trusted), entry.kind, body, prev)
        digest = hashlib.sha256("\n".join(map(str, columns)).encode()).hexdigest()
        rows.append((*columns, digest))
        prev = digest
    db.execute("BEGIN IMMEDIATE")
    db.executemany("INSERT INTO journal VALUES (?,?,?,?,?,?,?,?,?,?)", rows)
    db.execute("COMMIT")
    took = time.perf_counter() - began
    assert prev == entries[-1].hash, "the bare way made the very same rows"
    db.close()
    return took


def run(scratch: Path, quick: bool) -> dict[str, Any]:
    """The least disturbed of some days by one, divided by the least disturbed by the other."""
    rig, took, bare = Rig(scratch / "close", METERS), [], []
    for day in range(5 if quick else 15):
        first = rig.book.seq + 1
        rig.give()
        took.append(rig.close_day())
        entries = list(rig.book.entries(first))
        assert len(entries) == 2 * METERS, f"{len(entries)} entries for {METERS} accounts"
        bare.append(bare_s(scratch / f"bare-{day}.db", entries))
    rig.book.close()
    slices = sorted(rig.slices_s)
    return {
        "close_day_ratio": round(min(took) / min(bare), 2),
        "close_day_ms": round(1000 * min(took), 1),
        "close_day_bare_ms": round(1000 * min(bare), 1),
        "close_day_slices": (len(slices) - 1) // len(took),
        "close_day_slice_median_ms": round(1000 * statistics.median(slices), 1),
        "close_day_slice_p90_ms": round(1000 * slices[len(slices) * 9 // 10], 1),
    }
