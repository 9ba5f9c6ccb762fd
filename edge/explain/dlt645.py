"""A DL/T 645 frame explained, 2007 or 1997: which function, whose address, which identifier, what value."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from edge.codec import dlt645, dlt1997
from edge.codec.dlt645 import Frame
from edge.codec.errors import CodecError
from edge.explain import formats, words
from edge.explain.explanation import Explanation, Piece, common, preamble_of
from edge.explain.items import Item, item_of, item_of_1997
from edge.explain.load_records import CUT, look
from edge.explain.values import LOAD_RECORDS, read_value, says_of, unit_of

FUNCTIONS = {
    0x03: "security and cost control", 0x08: "broadcast time", 0x11: "read", 0x12: "read the next part",
    0x13: "read the address", 0x14: "write", 0x15: "write the address", 0x16: "freeze", 0x17: "change the speed",
    0x18: "change a password", 0x19: "clear demand", 0x1A: "clear the meter", 0x1B: "clear events",
    0x1C: "trip, close, alarm, keep power", 0x1D: "output of the multi-function terminal",
}  # fmt: skip
FUNCTIONS_1997 = {
    0x01: "read", 0x02: "read the next part", 0x03: "read again", 0x04: "write", 0x08: "broadcast time",
    0x0A: "write the address", 0x0C: "change the speed", 0x0F: "change a password", 0x10: "clear demand",
}  # fmt: skip

ONLY_1997 = frozenset(FUNCTIONS_1997) - frozenset(FUNCTIONS)
"""Functions by which a frame is told to be of 1997; the frames are alike otherwise."""


def explain(raw: bytes, protocol: str) -> Explanation:
    """Explain exactly one frame; bytes that are none give an explanation that says why."""
    body = raw.lstrip(b"\xfe")
    if trouble := _trouble(body):
        return Explanation.invalid(protocol, raw, *trouble)
    frame = dlt645.decode(raw)
    old = protocol == "dlt645-1997"
    found: dict[str, Any] = {}
    pieces = [Piece(raw[: preamble_of(raw)], "wake-up bytes")] if preamble_of(raw) else []
    pieces += [
        Piece(body[:1], "start"),
        Piece(body[1:7], f"address {frame.address}{words.address(frame.address)}"),
        Piece(body[7:8], "start"),
        Piece(body[8:9], _control_words(frame, FUNCTIONS_1997 if old else FUNCTIONS)),
        Piece(body[9:10], f"{len(frame.data)} bytes of DATA follow, each with 33H added"),
    ]
    for taken, about in _covering(_data(frame, found, old), len(frame.data)):
        start = 10 + sum(len(each.raw) for each in pieces if each.words.startswith("DATA: "))
        pieces.append(Piece(body[start : start + taken], f"DATA: {about}"))
    pieces += [Piece(body[-2:-1], "sum of all bytes before, modulo 256: right"), Piece(body[-1:], "end")]
    fields = common(
        protocol, raw, address=frame.address, control=f"{frame.control:02X}", length=len(frame.data),
        response=frame.is_reply, abnormal=frame.abnormal, follow=frame.follows, function=f"{frame.function:02X}",
        data=frame.data.hex(),
    )  # fmt: skip
    return Explanation(fields | found, pieces)


def _trouble(body: bytes) -> tuple[str, str] | None:
    """Why these bytes are not one frame: (a word, a sentence)."""
    if len(body) < dlt645.SHORTEST or len(body) < dlt645.SHORTEST + body[9]:
        wanted = dlt645.SHORTEST + body[9] if len(body) > 9 else dlt645.SHORTEST
        return "incomplete", f"the frame is cut off: {len(body)} bytes, and at least {wanted} are needed"
    if body[0] != 0x68 or body[7] != 0x68:
        return "second start byte", f"the eighth byte is {body[7]:02X} and should be 68: no frame begins here"
    end = dlt645.SHORTEST + body[9]
    if len(body) > end:
        return "too long", f"{len(body) - end} bytes too many: the frame ends after {end}"
    if body[end - 1] != 0x16:
        return "end byte", f"the last byte is {body[end - 1]:02X} and should be 16"
    right = sum(body[: end - 2]) & 0xFF
    if body[end - 2] != right:
        return "checksum", f"the sum is {body[end - 2]:02X} and should be {right:02X}: a bit was damaged"
    return None


def _control_words(frame: Frame, names: dict[int, str]) -> str:
    what = names.get(frame.function, "a function that is not known")
    who = "the meter answers" if frame.is_reply else "the master asks"
    more = (", refused" if frame.abnormal else "") + (", more follows" if frame.follows else "")
    return f"control {frame.control:02X}: {who}: {what}{more}"


def _data(frame: Frame, found: dict[str, Any], old: bool) -> list[tuple[int, str]]:
    """The payload in order: (how many bytes, what they say). Fills `found` with fields."""
    data = frame.data
    if frame.abnormal:
        return _error(frame, found)
    if old:
        return _identified(frame, found, 2, dlt1997.identifier_of(frame), item_of_1997)
    special: Callable[[bytes, dict[str, Any]], list[tuple[int, str]]] | None = words.SPECIAL.get(
        (frame.function, frame.is_reply)
    )
    if special is not None and data:
        try:
            return special(data, found)
        except ValueError as error:
            return [(len(data), f"not what this function carries: {error}")]
    return _identified(frame, found, 4, frame.identifier, item_of)


def _covering(told: list[tuple[int, str]], length: int) -> list[tuple[int, str]]:
    """Every byte has words and none is told twice, also where DATA is shorter or longer than the standard has it."""
    covered: list[tuple[int, str]] = []
    for taken, about in told:
        left = length - sum(size for size, _ in covered)
        if taken and not left:
            break
        covered.append((taken, about) if taken <= left else (left, f"{about}, cut short"))
    left = length - sum(size for size, _ in covered)
    return [*covered, (left, "more bytes than the format has")] if left else covered


def _error(frame: Frame, found: dict[str, Any]) -> list[tuple[int, str]]:
    found["error"] = frame.data.hex().upper()
    names = [name for bit, name in enumerate(words.ERROR_NAMES) if frame.data and frame.data[0] >> bit & 1]
    if frame.function != 0x03:
        found["error_bits"] = names
    return [(len(frame.data), dlt645.error_sentence(frame.function, frame.data))] if frame.data else []


def _identified(
    frame: Frame, found: dict[str, Any], width: int, identifier: str | None, known: Callable[[str], Item | None]
) -> list[tuple[int, str]]:
    """Identifier first, then what depends on the function, then the value."""
    data = frame.data
    if identifier is None:
        return [(len(data), "contents of this function are not known")] if data else []
    found["di"] = identifier
    item = known(identifier)
    name = item.name if item else LOAD_RECORDS.get(identifier, "not in our table")
    told = [(width, f"identifier {identifier}: {name}")]
    rest = data[width:]
    if frame.function == dlt645.READ_ON and rest:
        found["seq"] = rest[-1]
        if rest[:-1]:
            told.append((len(rest) - 1, "a part of the value" if frame.is_reply else "more bytes than the format has"))
        return [*told, (1, f"part number {rest[-1]}")]
    if frame.function == dlt645.WRITE and not frame.is_reply and width == 4 and len(rest) >= 8:
        found |= {"password": rest[:4].hex(), "operator": rest[4:8].hex(), "write_data": rest[8:].hex()}
        told += [(4, "password: level and digits"), (4, "operator")]
        return [*told, (len(rest) - 8, "what is to be written")] if rest[8:] else told
    if not frame.is_reply or not rest:
        return [*told, (len(rest), "from which block or instant on")] if rest else told
    if frame.follows and identifier in LOAD_RECORDS:
        return told + _first_records(rest)
    if frame.follows:
        return [*told, (len(rest), "the first part of the value; ask on with 12H")]
    return told + _values(rest, item, identifier, found)


def _values(rest: bytes, item: Item | None, identifier: str, found: dict[str, Any]) -> list[tuple[int, str]]:
    if identifier in LOAD_RECORDS:
        return _load_records(rest, identifier, found)
    if item is None:
        return [(len(rest), "a value whose format is not known")]
    found["unit"] = item.unit or None
    told: list[tuple[int, str]] = []
    texts: list[str | None] = []
    at = 0
    for part in formats.parts(item.formats, len(rest)):
        size = formats.size_of(part.format)
        raw = rest[at : at + size]
        if len(raw) < size:
            break
        label = f"{part.label}: " if part.label else ""
        try:
            read = formats.read(part.format, raw)
        except (ValueError, CodecError) as error:
            told.append((size, f"{label}not a value: {error}"))
            texts.append(None)
        else:
            texts.append(read.text)
            found |= read.extra if not item.block else {}
            about = "not available" if read.text is None else f"{read.text} {unit_of(item, part)}".rstrip()
            told.append((size, "; ".join((label + about, *_said(identifier, raw, part.label)))))
        at += size
    if at < len(rest):
        told.append((len(rest) - at, "more bytes than the format has"))
    if item.block or len(texts) > 1:
        found["values"] = texts
    elif texts:
        found["value"] = texts[0]
        if identifier in words.TEXTS:
            found |= {"text": texts[0], "kind": words.TEXTS[identifier]}
    if identifier == "04000503" and len(rest) == 2:
        found["bits"], about = words.word_3(rest)
        told.append((0, about))
    return told


def _first_records(rest: bytes) -> list[tuple[int, str]]:
    """The records of a first part; what is cut goes on in the next."""
    seen = look(rest)
    whole = seen.told[:-1] if seen.trouble == CUT else seen.told
    return [*whole, (len(rest) - sum(size for size, _ in whole), "it goes on in the next part; ask on with 12H")]


def _load_records(rest: bytes, identifier: str, found: dict[str, Any]) -> list[tuple[int, str]]:
    """Record by record, as far as the layout goes."""
    seen = look(rest)
    found["values"] = [value.text for value in read_value(identifier, rest)]
    found["records"] = [
        {
            "at": record.at, "remarks": list(record.remarks),
            "values": [{"label": label, "text": text, "unit": unit or None} for label, text, unit in record.values],
        }
        for record in seen.records
    ]  # fmt: skip
    return seen.told


def _said(identifier: str, raw: bytes, label: str) -> tuple[str, ...]:
    """Sentences about a value; status word 3 has one of its own behind it."""
    return () if identifier == "04000503" else says_of(identifier, raw, label)
