"""`riser verify`: the whole book derived again from raw registers and prices, and the first entry that lies.

Reads only, and goes on while the edge writes: what was there at the beginning is checked.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

from bridge.contract.escapes import escaped
from edge.audit import beside, halves, kept
from edge.audit.beside import Anchor
from edge.audit.chain import Chain
from edge.audit.entries import Entries
from edge.audit.lie import Lie, Report
from edge.audit.opened import Reader, RowUnreadable, Unreadable
from edge.exit_codes import FAILED, FINE, USAGE, ends_with_its_reader, epilog

EXITS = epilog("the book is true", "an entry lies, or something beside the book", "there is no book to read")

PROGRESS_EVERY = 20_000

ANCHORS = "anchors from outside"

NO_ANCHOR = (
    "Nobody can see in a book alone that its newest entries were cut off, or that all of it was written anew: compare "
    "it with the hash on a printed statement, by --anchor SEQ:HASH."
)

Said = Callable[[int, int], None]

Ours = Callable[[str], bool] | None


def verify(path: Path, anchor: Anchor | None = None, progress: Said | None = None) -> Report:
    """Check a book: a data directory, or the file. Raises Unreadable."""
    reader = Reader(path)
    try:
        report = _by_two(reader, anchor, progress) or _followed(reader, anchor, progress, None)
    finally:
        reader.close()
    if not report.good and reader.moved_on():
        return verify(path, anchor, progress)  # An edge began to write a book that we took for nobody's.
    kept.remark(report)
    return report


def _by_two(reader: Reader, anchor: Anchor | None, progress: Said | None) -> Report | None:
    """A long book by two processes; None where it is short, or where one of them found something."""
    if not halves.worth(reader):
        return None
    other = halves.Other(reader)
    try:
        report = _followed(reader, anchor, progress, halves.first)
        return report if report.good and other.joined(report) else None
    finally:
        other.end()


def _followed(reader: Reader, anchor: Anchor | None, progress: Said | None, ours: Ours) -> Report:
    """Every entry, in order; the charges of our meters."""
    report = Report(str(reader.path))
    entries, chain = Entries(report, reader, ours), Chain()
    notes, registry, snapshot = reader.notes(), reader.registry(), reader.snapshot()
    try:
        for row in reader.rows():
            chain.joins(row)
            entries.take(row)
            report.seq = chain.seq
            if snapshot is not None and chain.seq == snapshot.seq:
                beside.snapshot(snapshot, entries.state, report)
            if anchor is not None and chain.seq == anchor[0]:
                beside.anchored(anchor, chain.seq, entries.state.hash)
                report.count(ANCHORS)
            if progress is not None and chain.seq % PROGRESS_EVERY == 0:
                progress(chain.seq, reader.seq)
        beside.cut(chain.seq, reader.seq, "the table itself")
        if anchor is not None:
            beside.cut(chain.seq, anchor[0], "the anchor")
        # What was written beside the book while it was read may know of entries that came after the beginning.
        newest = reader.newest()
        if snapshot is not None and snapshot.whole:
            beside.cut(newest, snapshot.seq, "the snapshot of the fold")
        told = {name: min(value, chain.seq) if value <= newest else value for name, value in notes.items()}
        beside.compare(entries.state, report, told, registry, reader.triggers())
    except Lie as lie:
        report.lie = lie
    except RowUnreadable as trouble:
        seq = chain.seq + 1
        report.lie = Lie(seq, None, f"its row cannot be read: {trouble}", "a row of ten columns")
    report.hash = entries.state.hash
    return report


def lines_of(report: Report) -> list[str]:
    """The report for people."""
    told = [f"{report.path}: entry {report.seq}, hash {report.hash}"]
    told += [f"  {number:>9}  {what}" for what, number in report.checked.items()]
    told += [f"  note: {remark}" for remark in report.remarks]
    if report.lie is not None:
        return [*told, f"IT LIES. {report.lie.sentence()}"]
    told.append("The book is true: every entry follows from the ones before it, its registers and its prices.")
    return told if ANCHORS in report.checked else [*told, NO_ANCHOR]


def data_of(given: str | None) -> Path:
    """The data directory: as given, else RISER_DATA, else `var` beside the programs."""
    named = given or os.environ.get("RISER_DATA") or ""
    return Path(named).expanduser() if named else Path(__file__).parents[2] / "var"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="riser verify", epilog=EXITS, formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Derive the whole book again and name the first entry that lies. Reads only; the edge may run.",
    )  # fmt: skip
    where = parser.add_mutually_exclusive_group()
    where.add_argument("data", nargs="?", metavar="DATA", help="data directory or book.db [RISER_DATA, else var]")
    where.add_argument("--data", metavar="DIR", dest="named", help="the same, as the other programs take it")
    parser.add_argument("--anchor", metavar="SEQ:HASH", help="a hash from outside, such as a statement prints it")
    parser.add_argument("--json", action="store_true", help="one object for programs")
    options = parser.parse_args(arguments)
    try:
        anchor = None if options.anchor is None else beside.anchor_of(options.anchor)
        shows = None if options.json or not sys.stderr.isatty() else _shown
        report = verify(data_of(options.named or options.data), anchor, shows)
    except (Unreadable, ValueError) as trouble:
        if options.json:
            print(json.dumps({"good": False, "unreadable": str(trouble)}, ensure_ascii=False))
        print(f"riser: {trouble}", file=sys.stderr)
        return USAGE
    print(
        json.dumps(report.as_json(), ensure_ascii=False) if options.json else "\n".join(map(escaped, lines_of(report)))
    )
    return FINE if report.good else FAILED


def _shown(seq: int, newest: int) -> None:
    print(f"\r{seq} of {newest} entries", end="\r", file=sys.stderr, flush=True)


if __name__ == "__main__":
    ends_with_its_reader()
    sys.exit(main())
