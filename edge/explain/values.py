"""What a meter's answer to an identifier says, as data: each value with label, text and unit, and what its bits mean.

`read_value` never fails on what a meter sends: bytes that are no value are shown as they stand, and say so.
"""

from __future__ import annotations

from dataclasses import dataclass

from edge.explain import formats, load_records, words
from edge.explain.items import Item, item_of, item_of_1997
from edge.explain.status import BITS_1997, sentences, sentences_1997

NOT_A_VALUE = "not a value"

LOAD_RECORDS = {
    f"06{number:02X}{which:04X}": text + (f": {load_records.NAMES[number - 1]} alone" if number else "")
    for number in range(len(load_records.NAMES) + 1)
    for which, text in enumerate(
        ("load records from the earliest on", "load records from an instant on", "the newest load record")
    )
}
"""All classes together, or one of them; 0610.... of some makers ask for one quantity and are shown as they come."""


@dataclass(frozen=True)
class Value:
    """One value. `text` is None where the meter says "not available"; `says` are sentences about it."""

    label: str
    text: str | None
    unit: str = ""
    says: tuple[str, ...] = ()


def name_of(identifier: str) -> str:
    """What an identifier of 2007 (eight hex digits) or 1997 (four) asks for, in words."""
    if identifier in LOAD_RECORDS or identifier.startswith("06"):
        return LOAD_RECORDS.get(identifier, "load records of one kind")
    item = _item(identifier)
    return item.name if item else f"identifier {identifier}"


def read_value(identifier: str, data: bytes) -> list[Value]:
    """The values behind an identifier; `data` is what stood behind it, all parts of a long answer in order."""
    identifier = identifier.upper()
    if identifier in LOAD_RECORDS:
        return _load(data)
    item = _item(identifier)
    if item is None:
        return [Value("as it stands", data.hex(" ").upper(), "", ("its format is not known here",))]
    found, at = [], 0
    for part in formats.parts(item.formats, len(data)):
        size = formats.size_of(part.format)
        if at + size > len(data):
            break
        found.append(_value(item, part, data[at : at + size], identifier))
        at += size
    if at < len(data):
        found.append(Value("more", data[at:].hex(" ").upper(), "", ("more bytes than the format has",)))
    return found


def says_of(identifier: str, raw: bytes, label: str = "") -> tuple[str, ...]:
    """Sentences about one value: the bits of a status word, the speed that a byte stands for."""
    if identifier.startswith("040005") and len(raw) == 2 and set(raw) != {0xFF}:
        number = int(label[-1]) if label else int(identifier[-2:], 16)
        return tuple(sentences(number, int.from_bytes(raw, "little")))
    if identifier in BITS_1997 and len(raw) == 1:
        return tuple(sentences_1997(identifier, raw[0])) or ("nothing is set",)
    if identifier.startswith("040007") and len(raw) == 1:
        speed = words.SPEEDS.get(raw[0])
        return (f"{speed} bit/s",) if speed else ("no speed that is known",)
    return ()


def unit_of(item: Item, part: formats.Part) -> str:
    """A value's own unit, else its item's where it is a quantity at all."""
    if part.unit is not None:
        return part.unit
    return item.unit if formats.DIGITS.fullmatch(part.format) else ""


def _item(identifier: str) -> Item | None:
    return item_of(identifier) if len(identifier) == 8 else item_of_1997(identifier)


def _value(item: Item, part: formats.Part, raw: bytes, identifier: str) -> Value:
    try:
        shown = formats.read(part.format, raw)
    except ValueError:
        return Value(part.label, raw[::-1].hex().upper(), "", (NOT_A_VALUE,))
    is_time = formats.TIMES.fullmatch(part.format) is not None and "M" in part.format
    # An event that is not over has no end yet: its digits are zeros, and there is no such day.
    text = None if is_time and not any(raw) else shown.text
    return Value(part.label, text, unit_of(item, part), says_of(identifier, raw, part.label))


def _load(data: bytes) -> list[Value]:
    found = load_records.records(data)
    if found is None:
        return [Value("as it stands", data.hex(" ").upper(), "", ("not the layout of the standard",))]
    many = len(found) > 1
    return [
        Value(f"{record.at} {label}" if many else label, text, unit, record.remarks if label == "stored at" else ())
        for record in found
        for label, text, unit in (("stored at", record.at, ""), *record.values)
    ]
