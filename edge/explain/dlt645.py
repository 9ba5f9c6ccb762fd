"""A DL/T 645 frame explained, 2007 or 1997: which function, whose address, which identifier, what value."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from edge.codec import dlt645, dlt1997
from edge.codec.dlt645 import Frame
from edge.codec.errors import CodecError
from edge.explain import formats, words
from edge.explain.cut_off import Part, explain_cut
from edge.explain.explanation import Explanation, Piece, common, preamble_of
from edge.explain.items import Item, item_of, item_of_1997
from edge.explain.load_records import CUT, look
from edge.explain.values import LOAD_RECORDS, read_value, says_of, unit_of

TOO_MUCH, NO_IDENTIFIER = "more bytes than the format has", "contents of this function are not known"


def explain(raw: bytes, protocol: str) -> Explanation:
    """Explain exactly one frame; bytes that are none give an explanation that says why."""
    body = raw.lstrip(b"\xfe")
    old = protocol == "dlt645-1997"
    head = _head(words.FUNCTIONS_1997 if old else words.FUNCTIONS)
    trouble = _trouble(body)
    if trouble and trouble[0] == "incomplete" and body[:1] == b"\x68" and body[7:8] in (b"", b"\x68"):
        return explain_cut(protocol, raw, head, lambda data, found: _of_cut(body, data, found, old)).over(_read(body))
    if trouble:
        return Explanation.invalid(protocol, raw, *trouble)
    frame = dlt645.decode(raw)
    found: dict[str, Any] = {}
    pieces = [Piece(raw[: preamble_of(raw)], "wake-up bytes")] if preamble_of(raw) else []
    at = 0
    for part in head:
        pieces.append(Piece(body[at : at + part.size], part.words(body[at : at + part.size])))
        at += part.size
    for taken, about in _covering(_data(frame, found, old), len(frame.data)):
        start = 10 + sum(len(each.raw) for each in pieces if each.words.startswith("DATA: "))
        pieces.append(Piece(body[start : start + taken], f"DATA: {about}"))
    pieces += [Piece(body[-2:-1], "sum of all bytes before, modulo 256: right"), Piece(body[-1:], "end")]
    return Explanation(common(protocol, raw, **_read(body)) | found, pieces)


def _head(names: dict[int, str]) -> tuple[Part, ...]:
    """What stands before DATA."""
    return (
        Part(1, "start", lambda _: "start"),
        Part(6, "address", lambda raw: f"address {(text := raw[::-1].hex())}{words.address(text)}"),
        Part(1, "second start", lambda _: "start"),
        Part(1, "control byte", lambda raw: _control_words(Frame("", raw[0]), names)),
        Part(1, "length", lambda raw: f"{raw[0]} bytes of DATA follow, each with 33H added"),
    )


def _read(body: bytes) -> dict[str, Any]:
    """The fields of a head and its DATA, as far as they are there."""
    fields: dict[str, Any] = {"address": body[6:0:-1].hex()} if len(body) > 6 else {}
    if len(body) > 8:
        frame = Frame("", body[8])
        fields |= {
            "control": f"{frame.control:02X}", "response": frame.is_reply, "abnormal": frame.abnormal,
            "follow": frame.follows, "function": f"{frame.function:02X}",
        }  # fmt: skip
    if len(body) > 9:
        fields |= {"length": body[9], "data": _plain(body[10 : 10 + body[9]]).hex()}
    return fields


def _plain(data: bytes) -> bytes:
    return bytes((byte - 0x33) & 0xFF for byte in data)


def _of_cut(body: bytes, data: bytes, found: dict[str, Any], old: bool) -> list[tuple[int, str]]:
    """The DATA of a frame that was cut off. What a whole frame has too much, a cut one has the beginning of."""
    frame, width = Frame(body[6:0:-1].hex(), body[8], _plain(data)), 2 if old else 4
    whole = len(data) == body[9]
    if frame.function == dlt645.READ_ON and not whole and len(data) > width:
        found["di"] = frame.identifier
        return [(width, f"identifier {frame.identifier}"), (len(data) - width, "a part of the value")]
    told = _covering(_data(frame, found, old), len(data))
    if whole:
        return told
    beginnings = {TOO_MUCH: "the beginning of a value", NO_IDENTIFIER: "the beginning of the identifier"}
    return [(taken, beginnings.get(about, about)) for taken, about in told]


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
    return [*covered, (left, TOO_MUCH)] if left else covered


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
        return [(len(data), NO_IDENTIFIER)] if data else []
    found["di"] = identifier
    item = known(identifier)
    name = item.name if item else LOAD_RECORDS.get(identifier, "not in our table")
    told = [(width, f"identifier {identifier}: {name}")]
    rest = data[width:]
    if frame.function == dlt645.READ_ON and rest:
        found["seq"] = rest[-1]
        if rest[:-1]:
            told.append((len(rest) - 1, "a part of the value" if frame.is_reply else TOO_MUCH))
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
        told.append((len(rest) - at, TOO_MUCH))
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
