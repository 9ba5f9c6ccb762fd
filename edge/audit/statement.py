"""`riser statement ACCOUNT [--month YYYY-MM]`: an account's month, on the terminal or as a page for the printer."""

from __future__ import annotations

import argparse
import os
import sys
from datetime import date, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from bridge.contract.clock import from_environment
from bridge.contract.month import month_of
from bridge.contract.os_words import in_words
from bridge.contract.units import instant_of_micros, is_id
from edge.audit import paper, statement_page, statement_text
from edge.audit.month import Month, gathered
from edge.audit.opened import Reader, Unreadable, find
from edge.audit.verify import data_of
from edge.audit.words import ENGLISH, LANGUAGES
from edge.exit_codes import FAILED, FINE, USAGE, ends_with_its_reader, epilog

EXITS = epilog("here is the statement", "there is no such account, or the file cannot be written",
               "there is no book to read, or the words make no sense")  # fmt: skip


def statement(data: Path, account: str, month: str | None, today: date | None = None) -> Month | None:
    """The statement of a month; None where there is no such account.

    Where no month is named it is the last whole one, or this one where the tenancy has begun in it.

    Raises Unreadable, and ValueError for a month that is none.
    """
    reader = Reader(data)
    try:
        newest = reader.entry(reader.seq)
        genesis = next(reader.of_kinds("genesis/1"), None)
        zone = ZoneInfo(genesis.fields["zone"] if genesis else "Asia/Shanghai")
        if month is None:
            now = from_environment().now().astimezone(zone).date() if today is None else today
            begun = _begun(reader, account, zone)
            whole = now.replace(day=1) - timedelta(days=1)
            month = f"{now if begun is not None and begun > whole else whole:%Y-%m}"
        first, last = month_of(month)
        found = gathered(reader.about(account), account, zone, first, last)
        if found is not None and newest is not None:
            found.newest_seq, found.newest_hash = newest.seq, newest.hash
        return found
    finally:
        reader.close()


def _begun(reader: Reader, account: str, zone: ZoneInfo) -> date | None:
    """The local day on which the book first knows this account."""
    known = (each for each in reader.of_kinds("account/1") if each.fields["account"] == account)
    first = next(known, None)
    return None if first is None else instant_of_micros(first.at).astimezone(zone).date()


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="riser statement", epilog=EXITS, formatter_class=argparse.RawDescriptionHelpFormatter,
        description="An account's month: registers, money, every posting, prices, and the book's newest hash.",
    )  # fmt: skip
    parser.add_argument("account", metavar="ACCOUNT")
    parser.add_argument(
        "--month", metavar="YYYY-MM", help="[the last whole month; this one for a tenancy that began in it]"
    )
    parser.add_argument("--html", metavar="FILE", type=Path, help="write a page for A4, in both languages")
    parser.add_argument("--text", action="store_true", help="on the terminal; so it is without --html")
    parser.add_argument("--lang", choices=LANGUAGES, default=ENGLISH, help="language of the text: en or zh [en]")
    parser.add_argument("--data", metavar="DIR", help="data directory or book.db [RISER_DATA, else var]")
    options = parser.parse_args(arguments)
    try:
        month = statement(data_of(options.data), options.account, options.month) if is_id(options.account) else None
    except Unreadable as trouble:
        print(f"riser: {trouble}", file=sys.stderr)
        return USAGE
    except ValueError:
        print(f"riser: {options.month[:24]!r} is no month; write it like 2026-11", file=sys.stderr)
        return USAGE
    if month is None:
        print(f"riser: there is no account {options.account[:32]!r} in this book", file=sys.stderr)
        return FAILED
    if options.html is not None:
        try:
            with paper.written(options.html, find(data_of(options.data)), paper.PAGES) as scratch:
                scratch.write_text(statement_page.page(month), encoding="utf-8")
        except OSError as error:
            print(f"riser: {options.html}: {in_words(error)}", file=sys.stderr)
            return FAILED
        print(f"{os.fspath(options.html)}: {options.account}, {month.first:%Y-%m}, {len(month.postings)} postings")
    if options.text or options.html is None:
        print(statement_text.text_of(month, options.lang))
    return FINE


if __name__ == "__main__":
    ends_with_its_reader()
    sys.exit(main())
