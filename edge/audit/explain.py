"""`riser explain ENTRY`: one entry of the book, opened down to the raw frames and the price it rests on. Reads only."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

from bridge.contract.entries import CHARGES, PRICED, REPLACED, TARIFFS
from bridge.contract.escapes import escaped
from bridge.contract.units import is_plain
from edge.audit import grounds, story, story_text
from edge.audit.opened import Reader, Unreadable
from edge.audit.verify import data_of
from edge.audit.words import ENGLISH, LANGUAGES
from edge.book import Entry
from edge.exit_codes import FAILED, FINE, USAGE, ends_with_its_reader, epilog

EXITS = epilog("it is explained", "there is no such entry", "there is no book to read, or the words make no sense")

HELD_BY = ("opening/1", *REPLACED)
"""Kinds besides charges that hold the register from which the next charge starts."""

LONGEST_NUMBER = 19
"""Digits that no number of an entry has."""


def context_of(reader: Reader, entry: Entry) -> story.Context:
    """What of the book belongs to an entry."""
    fields = entry.fields
    genesis = next(reader.of_kinds("genesis/1"), None)
    found = story.Context(ZoneInfo(genesis.fields["zone"] if genesis else "Asia/Shanghai"))
    for other in reader.of_kinds("account/1", "meter/1", *REPLACED, *TARIFFS, until=entry.seq):
        body = other.fields
        if other.kind == "account/1" and body["account"] == fields.get("account"):
            found.account = body
        elif other.kind == "meter/1" and body["meter"] == fields.get("meter"):
            found.meter = body
        elif other.kind in REPLACED and body["meter"] == fields.get("meter"):
            found.meter = row_after(found.meter, other)
        elif other.kind in TARIFFS and body["tariff"] == fields.get("tariff"):
            found.tariffs = (*found.tariffs, other)
    if entry.kind in PRICED:
        held = reader.before(entry.seq, *PRICED, *HELD_BY)
        found.before = next((each for each in held if each.fields.get("meter") == fields["meter"]), None)
        found.places = grounds.places(reader, entry, found.before)
    return found


def row_after(row: dict[str, Any], change: Entry) -> dict[str, Any]:
    """The meter's row once it was replaced, or its multiplier changed."""
    body = change.fields
    if change.kind == "replacement/1":
        return {**body["row"], "meter": body["meter"], "serial": body["serial"]}
    return {**row, "multiplier": body["multiplier"]}


def wanted(reader: Reader, options: argparse.Namespace) -> Iterator[Entry]:
    """The entries that a person asked for."""
    if (asked := options.entry) is not None:
        is_number = asked.isascii() and asked.isdecimal() and len(asked) < LONGEST_NUMBER
        entry = reader.entry(int(asked)) if is_number else reader.entry_by_id(asked) if is_plain(asked) else None
        if entry is not None:
            yield entry
        return
    for entry in reader.of_kinds(*CHARGES, "fee/1", "closing/1"):
        if entry.fields["account"] == options.account and entry.fields.get("date") == options.date:
            yield entry


def _nothing(options: argparse.Namespace) -> str:
    """Why there is nothing to explain: no such entry, or a day that has no charge of this account (yet)."""
    if options.entry is not None:
        return f"there is no entry {options.entry[:80]} in this book; see `riser statement`"
    return (
        f"nothing was charged to account {options.account[:32]} for {options.date[:32]} in this book: a day is charged "
        "after its midnight, when its readings are there; see `riser statement`"
    )


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="riser explain", epilog=EXITS, formatter_class=argparse.RawDescriptionHelpFormatter,
        description="One entry of the book in full: readings with raw frames, lines, price, balances.",
    )  # fmt: skip
    parser.add_argument("entry", nargs="?", metavar="ENTRY", help="its number or its id")
    parser.add_argument("--account", metavar="ID", help="with --date: all that was charged for a day")
    parser.add_argument("--date", metavar="YYYY-MM-DD")
    parser.add_argument("--data", metavar="DIR", help="data directory or book.db [RISER_DATA, else var]")
    parser.add_argument("--lang", choices=LANGUAGES, default=ENGLISH, help="en or zh [en]")
    parser.add_argument("--json", action="store_true", help="one object for programs")
    options = parser.parse_args(arguments)
    if (options.entry is None) is (options.account is None or options.date is None):
        parser.error("name an entry, or an account and a day: --account ID --date YYYY-MM-DD")
    try:
        reader = Reader(data_of(options.data))
        try:
            stories = [story.told(entry, context_of(reader, entry)) for entry in wanted(reader, options)]
        finally:
            reader.close()
    except Unreadable as trouble:
        print(f"riser: {trouble}", file=sys.stderr)
        return USAGE
    if not stories:
        print(f"riser: {_nothing(options)}", file=sys.stderr)
        return FAILED
    if options.json:
        print(json.dumps(stories[0] if options.entry is not None else stories, ensure_ascii=False))
    else:
        print("\n\n".join("\n".join(map(escaped, story_text.lines_of(each, options.lang))) for each in stories))
    return FINE


if __name__ == "__main__":
    ends_with_its_reader()
    sys.exit(main())
