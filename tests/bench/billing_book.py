"""A hundred meters over ten years: how long `riser verify` takes for their book, and how long the edge to open it."""

from __future__ import annotations

import time
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
        began = time.perf_counter()
        report = verify(data)
        found["verify_100x10y_s"] = round(time.perf_counter() - began, 1)
        assert report.good and report.seq == entries, report.lie
    return found


def opened(data: Path, terms: Any) -> tuple[float, Core]:
    """Seconds until the edge's core is ready."""
    began = time.perf_counter()
    core = Core(
        Book(data, ManualClock(START.replace(year=2027)), "bench"), terms, ManualClock(START.replace(year=2027))
    )
    return time.perf_counter() - began, core
