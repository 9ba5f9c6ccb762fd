"""`riser vouchers FILE`: the book's money for accounting, as CSV or XLSX. Reads only."""

from __future__ import annotations

import argparse
import sys
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

from bridge.contract.os_words import in_words
from edge.audit import paper, sheets
from edge.audit.opened import Reader, Unreadable
from edge.audit.posting import vouchers
from edge.audit.verify import data_of
from edge.audit.words import ENGLISH, LANGUAGES
from edge.exit_codes import FAILED, FINE, USAGE, epilog

EXITS = epilog(
    "the file is written", "the file cannot be written", "there is no book to read, or the words make no sense"
)

MOST_ROWS = 1_048_575
"""Rows of an XLSX sheet below its head."""


def day(text: str) -> date:
    """A day as a person types it. Raises ArgumentTypeError."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text[:24]!r} is no day; write it like 2026-11-20") from None


def write(data: Path, path: Path, as_xlsx: bool, first: date, last: date, language: str) -> int:
    """Write the vouchers from a day to a day, both included. Returns how many. Raises Unreadable, OSError, and
    OverflowError for more than a sheet holds."""
    reader = Reader(data)
    try:
        genesis = next(reader.of_kinds("genesis/1"), None)
        zone = ZoneInfo(genesis.fields["zone"] if genesis else "Asia/Shanghai")
        found = (each for each in vouchers(reader.with_money(), zone, language) if first <= each.day <= last)
        with paper.written(path, reader.path, paper.TABLES) as scratch:
            if not as_xlsx:
                return sheets.write_csv(scratch, found, language)
            rows = list(found)
            if len(rows) > MOST_ROWS:
                told = f"{len(rows)} vouchers are more than a sheet holds; ask for fewer days, or for --csv"
                raise OverflowError(told)
            return sheets.write_xlsx(scratch, rows, language)
    finally:
        reader.close()


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="riser vouchers", epilog=EXITS, formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Each move of money as debit, credit, whole fen and reference; what is less than a fen is carried.",
    )  # fmt: skip
    parser.add_argument("file", metavar="FILE", type=Path)
    parser.add_argument(
        "--from", dest="first", metavar="DAY", type=day, default=date.min, help="[the first of the book]"
    )
    parser.add_argument("--to", dest="last", metavar="DAY", type=day, default=date.max, help="included [the last]")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--csv", action="store_true", help="also where FILE does not end in .csv")
    form.add_argument("--xlsx", action="store_true", help="also where FILE does not end in .xlsx")
    parser.add_argument("--lang", choices=LANGUAGES, default=ENGLISH, help="en or zh [en]")
    parser.add_argument("--data", metavar="DIR", help="data directory or book.db [RISER_DATA, else var]")
    options = parser.parse_args(arguments)
    as_xlsx = options.xlsx or (not options.csv and options.file.suffix.lower() == ".xlsx")
    if not (as_xlsx or options.csv or options.file.suffix.lower() == ".csv"):
        parser.error("say --csv or --xlsx, or let FILE end in .csv or .xlsx")
    if options.first > options.last:
        parser.error("--from lies after --to")
    try:
        count = write(data_of(options.data), options.file, as_xlsx, options.first, options.last, options.lang)
    except Unreadable as trouble:
        print(f"riser: {trouble}", file=sys.stderr)
        return USAGE
    except OverflowError as trouble:
        print(f"riser: {trouble}", file=sys.stderr)
        return FAILED
    except OSError as error:
        print(f"riser: {options.file}: {in_words(error)}", file=sys.stderr)
        return FAILED
    print(f"{options.file}: {count} vouchers")
    return FINE


if __name__ == "__main__":
    sys.exit(main())
