"""`riser verify` derives everything from the entries, and then looks whether the snapshot says the same."""

from __future__ import annotations

import zlib
from datetime import datetime
from pathlib import Path

from bridge.contract.clock import ManualClock
from edge import snapshot
from edge.audit.verify import lines_of, verify
from edge.book import Book
from edge.entry import Snapshot, digest_of
from edge.opening import loaded, state_of
from tests.bench.grown_book import grow


def kept(directory: Path, more_nano: int = 0, version: str = snapshot.VERSION, seq: int | None = None) -> Snapshot:
    """A small book with a snapshot, in whose state an account has so much more than it should."""
    grow(directory, 2, 3)
    book = Book(directory, ManualClock(datetime.fromisoformat("2017-01-01T00:00:00+00:00")), "boot-2")
    state = state_of(book)
    state.ledger["account:tm000"] += more_nano
    state.ledger["income:energy"] -= more_nano
    body = zlib.compress("".join(snapshot.lines(state)).encode())
    told = (book.seq if seq is None else seq, state.hash, version, body)
    made = Snapshot(*told, digest_of(*told))
    book.save_snapshot(made)
    book.close()
    return made


def test_a_true_snapshot_is_counted(tmp_path: Path) -> None:
    """It says what the entries say; the report tells that it was looked at."""
    made = kept(tmp_path)
    report = verify(tmp_path)
    assert report.good and report.checked["snapshots of the fold"] == 1
    assert loaded(made).seq == report.seq


def test_a_snapshot_that_lies_is_named(tmp_path: Path) -> None:
    """Somebody gave a room a yuan in the snapshot and made its digest fit: opening cannot see that, verify does."""
    made = kept(tmp_path, 10**9)
    report = verify(tmp_path)
    assert not report.good and report.lie is not None
    assert (
        report.lie.id == f"the snapshot of entry {made.seq}"
        and "the edge must not open with it" in lines_of(report)[-1]
    )


def test_a_snapshot_that_nobody_uses_is_no_lie(tmp_path: Path) -> None:
    """Of another version: the edge folds the whole book, so it cannot mislead; it is remarked, no more."""
    kept(tmp_path, 10**9, version="0" * 16)
    report = verify(tmp_path)
    assert report.good and any("snapshot" in remark for remark in report.remarks)


def test_a_snapshot_that_knows_more_tells_of_a_cut_book(tmp_path: Path) -> None:
    """The newest entries were taken out of the file, and the snapshot still knows of them."""
    made = kept(tmp_path, seq=60)
    report = verify(tmp_path)
    assert not report.good and report.lie is not None and f"knows of entry {made.seq}" in report.lie.wrong
