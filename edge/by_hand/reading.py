"""Reading a DL/T 645 meter by hand: items by name, what it has and what it refuses, who it is, what its clock says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from edge.by_hand.desk import NotDone
from edge.by_hand.names import Wanted
from edge.by_hand.talk import NoAnswer, Talk
from edge.codec import bcd, dlt645, dlt1997
from edge.codec.errors import CodecError, Refused
from edge.explain.values import LOAD_RECORDS, Value, name_of, read_value

SILENT_AT_MOST = 3
"""Items in a row that a meter may be silent to before it counts as gone; the first one must be answered."""

NUMBER, CLOCK, DATE, TIME, STATUS_3 = "04000402", "0400010C", "04000101", "04000102", "04000503"


@dataclass(frozen=True)
class Reading:
    """What became of a question: its values, or why there are none."""

    wanted: Wanted
    values: tuple[Value, ...] = ()
    refused: str | None = None

    @property
    def name(self) -> str:
        return name_of(self.wanted.identifier)

    def fields(self) -> dict[str, Any]:
        """For programs."""
        values = [{"label": v.label, "text": v.text, "unit": v.unit or None, "says": list(v.says)} for v in self.values]
        return {
            "name": self.wanted.name, "identifier": self.wanted.identifier, "item": self.name, "values": values,
            "refused": self.refused,
        }  # fmt: skip

    def lines(self) -> list[str]:
        """For people: the item, and its values below it where there are several."""
        head = f"{self.wanted.identifier}  {self.name}"
        if self.refused is not None:
            return [f"{head}: {self.refused}"]
        told = [_line(value) for value in self.values]
        if len(told) == 1 and not self.values[0].label:
            return [f"{head}: {told[0]}", *_says(self.values[0])]
        lines = [head]
        for value, line in zip(self.values, told, strict=True):
            lines += [f"            {line}", *_says(value)]
        return lines


def _line(value: Value) -> str:
    text = "not available" if value.text is None else f"{value.text} {value.unit}".rstrip()
    return f"{value.label}: {text}" if value.label else text


def _says(value: Value) -> list[str]:
    return [f"              - {sentence}" for sentence in value.says]


def read_all(talk: Talk, address: str, items: list[Wanted], since: datetime | None) -> Iterator[Reading]:
    """Each item as it comes; a refusal is an answer. Some meters keep silent where others refuse, so an item without an
    answer among answered ones is told and passed over. Raises NoAnswer, OSError."""
    silent_before = SILENT_AT_MOST
    for each in items:
        try:
            raw = ask(talk, address, each.identifier, each.count, since)
            silent_before = 0
        except NoAnswer as trouble:
            silent_before += 1
            if silent_before > SILENT_AT_MOST:
                raise
            yield Reading(each, refused=f"no answer ({trouble.short})")
        except Refused as refusal:
            silent_before = 0
            yield Reading(each, refused=str(refusal))
        except CodecError as trouble:
            silent_before = 0
            yield Reading(each, refused=f"its answer cannot be used: {trouble}")
        else:
            yield Reading(each, tuple(read_value(each.identifier, raw)))


def ask(talk: Talk, address: str, identifier: str, count: int = 1, since: datetime | None = None) -> bytes:
    """The bytes behind an identifier. Raises Refused, CodecError, NoAnswer, OSError."""
    if talk.line.protocol == "dlt645-1997":
        return dlt1997.value_of(talk.ask(dlt1997.read(address, identifier))[0])
    if identifier in LOAD_RECORDS and since is not None:
        return dlt645.value_of(*talk.ask(dlt645.read_records(address, identifier, count, since)))
    return dlt645.value_of(*talk.ask(dlt645.read(address, identifier)))


@dataclass(frozen=True)
class Known:
    """A meter that has just answered: the address it answered under, and the number it reads back (None: refused)."""

    address: str
    number: str | None


def known(talk: Talk, address: str) -> Known:
    """Who answers at an address. Raises NoAnswer, OSError."""
    parts = talk.ask(dlt645.read(address, NUMBER))
    try:
        number = dlt645.value_of(*parts)[::-1].hex()
    except CodecError:
        number = ""
    return Known(dlt645.decode(parts[0]).address, number if number.isdigit() else None)


def who_is_there(talk: Talk) -> str:
    """The address of the one meter on the line (13H). Raises NoAnswer, OSError."""
    return dlt645.decode(talk.ask(dlt645.read_address())[0]).address


def drift_s(talk: Talk, address: str, zone: ZoneInfo) -> tuple[datetime, int]:
    """(what the meter's clock says, by how many seconds it is ahead). Raises NotDone, NoAnswer, OSError.

    It said so somewhere between question and answer, and says whole seconds: the middle of both is compared.
    """
    asked = talk.clock.now()
    try:
        shown = bcd.local_instant(_clock(talk, address), zone)
    except (CodecError, ValueError) as trouble:
        raise NotDone(f"the meter's clock cannot be read: {trouble}") from None
    between = asked + (talk.clock.now() - asked) / 2
    shown = bcd.nearest(shown, between)
    return shown, round((shown - between).total_seconds() + 0.5)


def _clock(talk: Talk, address: str) -> bytes:
    """Date and time in one, or from a meter of before the filing time and date one after the other."""
    try:
        return ask(talk, address, CLOCK)
    except Refused:
        return ask(talk, address, TIME) + ask(talk, address, DATE)
