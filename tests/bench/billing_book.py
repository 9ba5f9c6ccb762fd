"""A hundred meters over ten years: how long `riser verify` takes for their book, and how long the edge to open it."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bridge.contract.clock import ManualClock
from bridge.contract.site_file import load
from edge.audit.verify import verify
from edge.book import Book
from edge.core import Core
from edge.opening import Snapshots
from edge.settings import terms_of
from tests.bench.billing_rig import START, site_text
from tests.bench.grown_book import grow

METERS, DAYS = 100, 3652


def run(scratch: Path, quick: bool, verifying: bool = True) -> dict[str, Any]:
    """Grown day by day through the real hash chain and pricing; opened whole once, stopped cleanly, opened again."""
    data, days = scratch / "grown", DAYS // 20 if quick else DAYS
    data.mkdir()
    (scratch / "site.toml").write_text(site_text(1))
    terms = terms_of(load(scratch / "site.toml"), (frozenset(), frozenset()))
    grow(data, METERS, days, fee_nano=0)
    whole_s, core = opened(data, terms)
    state = core.state
    Snapshots(core).save()
    core.book.close()
    open_s, core = opened(data, terms)
    assert core.state == state, "the snapshot is the fold"
    entries = core.book.seq
    core.book.close()
    found = {"open_100x10y_s": round(open_s, 2), "open_without_snapshot_s": round(whole_s, 1), "book_entries": entries}
    if verifying:
        bare_s, bare_worked_s = measured(lambda: bare(data, entries))
        verify_s, worked_s = measured(lambda: verified(data, entries))
        found |= {
            "verify_100x10y_s": round(verify_s, 1), "verify_bare_s": round(bare_s, 1),
            "verify_to_bare": round(verify_s / bare_s, 2), "open_to_bare": round(open_s / bare_s, 3),
            "verify_processor_to_bare": round(worked_s / bare_worked_s, 2),
        }  # fmt: skip
    return found


def measured(work: Callable[[], None]) -> tuple[float, float]:
    """Seconds, and seconds of the processors with those of child processes."""
    before, began = os.times(), time.perf_counter()
    work()
    took, after = time.perf_counter() - began, os.times()
    return took, sum(after[:4]) - sum(before[:4])


def verified(data: Path, entries: int) -> None:
    report = verify(data)
    assert report.good and report.seq == entries, report.lie


def bare(data: Path, entries: int) -> None:
    """The least that anybody must do who checks a book: read each row, hash it, read its JSON."""
    db, prev, count = sqlite3.connect(data / "book.db"), "0" * 64, 0
    for row in db.execute("SELECT * FROM journal ORDER BY seq"):
        json.loads(row[7])
        prev = hashlib.sha256("\n".join(map(str, (*row[:8], prev))).encode()).hexdigest()
        assert prev == row[9]
        count += 1
    assert count == entries
    db.close()


def opened(data: Path, terms: Any) -> tuple[float, Core]:
    """Seconds until the edge's core is ready."""
    began = time.perf_counter()
    core = Core(
        Book(data, ManualClock(START.replace(year=2027)), "bench"), terms, ManualClock(START.replace(year=2027))
    )
    return time.perf_counter() - began, core
