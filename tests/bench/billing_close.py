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


def bare_s(path: Path, entries: list[Entry]) -> tuple[float, float]:
    """The same rows into the same table under the same settings: JSON, SHA-256, one executemany, one commit. Returns
    seconds, and seconds of the processor."""
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("PRAGMA synchronous=FULL")
    db.executescript(_SCHEMA)
    bodies = [(entry, json.loads(entry.body)) for entry in entries]
    prev, rows = entries[0].prev_hash, []
    began, worked = time.perf_counter(), time.process_time()
    for entry, fields in bodies:
        body = json.dumps(fields, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        columns = (entry.seq, entry.id, entry.at, entry.boot, entry.mono_ns, int(entry.trusted), entry.kind, body, prev)
        digest = hashlib.sha256("\n".join(map(str, columns)).encode()).hexdigest()
        rows.append((*columns, digest))
        prev = digest
    db.execute("BEGIN IMMEDIATE")
    db.executemany("INSERT INTO journal VALUES (?,?,?,?,?,?,?,?,?,?)", rows)
    db.execute("COMMIT")
    took = time.perf_counter() - began, time.process_time() - worked
    assert prev == entries[-1].hash, "the bare way made the very same rows"
    db.close()
    return took


def run(scratch: Path, quick: bool) -> dict[str, Any]:
    """The least disturbed of some days by one, divided by the least disturbed by the other."""
    rig = Rig(scratch / "close", METERS)
    took: list[tuple[float, float]] = []
    bare: list[tuple[float, float]] = []
    for day in range(5 if quick else 15):
        first = rig.book.seq + 1
        rig.give()
        worked = time.process_time()
        took.append((rig.close_day(), time.process_time() - worked))
        entries = list(rig.book.entries(first))
        assert len(entries) == 2 * METERS, f"{len(entries)} entries for {METERS} accounts"
        bare.append(bare_s(scratch / f"bare-{day}.db", entries))
    rig.book.close()
    slices = sorted(rig.slices_s)
    (took_s, worked_s), (bare_took_s, bare_worked_s) = (
        [min(column) for column in zip(*rows, strict=True)] for rows in (took, bare)
    )
    return {
        "close_day_ratio": round(took_s / bare_took_s, 2),
        "close_day_processor_ratio": round(worked_s / bare_worked_s, 2),
        "close_day_ms": round(1000 * took_s, 1),
        "close_day_bare_ms": round(1000 * bare_took_s, 1),
        "close_day_slices": (len(slices) - 1) // len(took),
        "close_day_slice_median_ms": round(1000 * statistics.median(slices), 1),
        "close_day_slice_p90_ms": round(1000 * slices[len(slices) * 9 // 10], 1),
    }
