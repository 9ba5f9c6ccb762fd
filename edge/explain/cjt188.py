"""A CJ/T 188 frame explained: which kind of meter, whose, what was read or ordered."""

from __future__ import annotations

from typing import Any

from edge.codec import cjt188
from edge.codec.cjt188 import Frame
from edge.explain import formats
from edge.explain.cut_off import Part, explain_cut
from edge.explain.explanation import Explanation, Piece, common, preamble_of

KINDS = {
    0x10: "cold water", 0x11: "hot water", 0x12: "drinking water", 0x13: "reclaimed water", 0x20: "heat, heating",
    0x21: "heat, cooling", 0x22: "heat, both", 0x30: "gas", 0xAA: "any kind",
}  # fmt: skip
FUNCTIONS = {
    0x01: "read", 0x03: "read the address", 0x04: "write", 0x09: "read the key version", 0x15: "write the address",
    0x16: "synchronise",
}  # fmt: skip
NAMES = {
    "901F": "metering data", "8102": "price table", "8103": "settlement day", "8104": "reading day",
    "8105": "purchase amount", "8106": "key version", "810A": "address", "A010": "write prices",
    "A011": "write the settlement day", "A012": "write the reading day", "A013": "write a purchase",
    "A014": "write a key", "A015": "write the clock", "A016": "write the start value", "A017": "valve",
    "A018": "write the address", "A019": "factory mode",
}  # fmt: skip
UNITS = {
    0x01: "J", 0x02: "Wh", 0x05: "kWh", 0x08: "MWh", 0x0A: "MWh*100", 0x0B: "kJ", 0x0E: "MJ", 0x11: "GJ",
    0x13: "GJ*100", 0x14: "W", 0x17: "kW", 0x1A: "MW", 0x29: "L", 0x2C: "m3", 0x32: "L/h", 0x35: "m3/h",
    0x40: "J/h", 0x43: "kJ/h", 0x46: "MJ/h", 0x49: "GJ/h",
}  # fmt: skip
VALVE = ("open", "closed", "undefined", "abnormal")
WATER_BYTES = 22

Told = list[tuple[int, str]]


def explain(raw: bytes, protocol: str = "cjt188") -> Explanation:
    """Explain exactly one frame; bytes that are none give an explanation that says why."""
    body = raw.lstrip(b"\xfe")
    trouble = _trouble(body)
    if trouble and trouble[0] == "incomplete" and body[:1] == b"\x68":
        return explain_cut(protocol, raw, HEAD, lambda data, found: _of_cut(body, data, found)).over(_read(body))
    if trouble:
        return Explanation.invalid(protocol, raw, *trouble)
    frame = cjt188.decode(raw)
    pieces = [Piece(raw[: preamble_of(raw)], "wake-up bytes")] if preamble_of(raw) else []
    at = 0
    for part in HEAD:
        pieces.append(Piece(body[at : at + part.size], part.words(body[at : at + part.size])))
        at += part.size
    found: dict[str, Any] = {}
    for taken, about in _data(frame, found):
        pieces.append(Piece(body[at : at + taken], f"DATA: {about}"))
        at += taken
    pieces += [Piece(body[-2:-1], "sum of all bytes before, modulo 256: right"), Piece(body[-1:], "end")]
    return Explanation(common(protocol, raw, **_read(body)) | found, pieces)


def _control_words(raw: bytes) -> str:
    frame = Frame(0, "", raw[0])
    what = FUNCTIONS.get(frame.function, "a function that is not known")
    who = "the meter answers" if frame.is_reply else "the master asks"
    return f"control {frame.control:02X}: {who}: {what}{', refused' if frame.abnormal else ''}"


HEAD = (
    Part(1, "start", lambda _: "start"),
    Part(1, "kind", lambda raw: f"kind {raw[0]:02X}: {KINDS.get(raw[0], 'not known')}"),
    Part(7, "address", lambda raw: f"address {raw[::-1].hex()}{' (any meter)' if set(raw) == {0xAA} else ''}"),
    Part(1, "control byte", _control_words),
    Part(1, "length", lambda raw: f"{raw[0]} bytes of DATA follow"),
)
"""What stands before DATA."""


def _read(body: bytes) -> dict[str, Any]:
    """The fields of a head and its DATA, as far as they are there."""
    fields: dict[str, Any] = {"meter_type": f"{body[1]:02X}"} if len(body) > 1 else {}
    fields |= {"address": body[8:1:-1].hex()} if len(body) > 8 else {}
    if len(body) > 9:
        frame = Frame(0, "", body[9])
        fields |= {
            "control": f"{frame.control:02X}", "response": frame.is_reply, "abnormal": frame.abnormal,
            "follow": frame.follows, "function": f"{frame.function:02X}",
        }  # fmt: skip
    if len(body) > 10:
        fields |= {"length": body[10], "data": body[11 : 11 + body[10]].hex()}
    return fields


def _of_cut(body: bytes, data: bytes, found: dict[str, Any]) -> Told:
    """The DATA of a frame that was cut off; a water meter's volumes as far as they are there."""
    frame, told = Frame(body[1], body[8:1:-1].hex(), body[9], data), []
    if len(data) == body[10]:
        return _data(frame, found)
    if frame.is_reply and body[10] == WATER_BYTES and len(data) > 3:
        found["di"] = found["di_bytes"] = frame.identifier
        told = [(2, f"identifier {frame.identifier} as sent"), (1, f"serial number {data[2]} of the question")]
        return told + _volumes(data[3:], found)
    told = _data(frame, found) if len(data) > 2 else []
    return told or [(len(data), "the beginning of the identifier")]


def _trouble(body: bytes) -> tuple[str, str] | None:
    wanted = cjt188.SHORTEST + (body[10] if len(body) > 10 else 0)
    if len(body) < wanted:
        return "incomplete", f"the frame is cut off: {len(body)} bytes, and at least {wanted} are needed"
    if body[0] != 0x68:
        return "start byte", f"the first byte is {body[0]:02X} and should be 68"
    if len(body) > wanted:
        return "too long", f"{len(body) - wanted} bytes too many: the frame ends after {wanted}"
    if body[-1] != 0x16:
        return "end byte", f"the last byte is {body[-1]:02X} and should be 16"
    right = sum(body[:-2]) & 0xFF
    return None if body[-2] == right else ("checksum", f"the sum is {body[-2]:02X} and should be {right:02X}")


def _data(frame: Frame, found: dict[str, Any]) -> Told:
    data = frame.data
    if frame.abnormal and len(data) < 4:
        found["error"] = data[-1:].hex().upper()
        return [(len(data), f"the meter refused (error {found['error']})")] if data else []
    if frame.identifier is None:
        return [(len(data), "too short for an identifier")] if data else []
    swapped = data[1::-1].hex().upper()
    name = NAMES.get(frame.identifier) or NAMES.get(swapped) or _history(frame.identifier) or "not in our table"
    found["di"] = found["di_bytes"] = frame.identifier
    told = [(2, f"identifier {frame.identifier} as sent: {name}")]
    if len(data) < 3:
        return told
    found["ser"] = data[2]
    told.append((1, f"serial number {data[2]} of the question"))
    rest = data[3:]
    if frame.abnormal:
        found["error"] = rest.hex().upper()
        return [*told, (len(rest), f"the meter refused (error {found['error']})")]
    if frame.function == cjt188.READ_ADDRESS and frame.is_reply:
        found["meter_address"] = frame.address
    if frame.is_reply and len(data) == WATER_BYTES and name == NAMES["901F"]:
        return told + _water(rest, found)
    if cjt188.VALVE in (frame.identifier, swapped) and rest:
        return told + _valve(rest, frame.is_reply, found)
    return [*told, (len(rest), "contents that are not known")] if rest else told


def _history(identifier: str) -> str | None:
    month = int(identifier[2:], 16) - 0x1F
    return f"metering data of {month} months back" if identifier[:2] == "D1" and 1 <= month <= 12 else None


def _water(rest: bytes, found: dict[str, Any]) -> Told:
    told = _volumes(rest[:10], found)
    found["value"] = found["current_flow"]
    found["datetime"] = _time(rest[10:17])
    told.append((7, f"time {found['datetime'] or 'unknown'}"))
    return [*told, (2, _status(rest[17:19], found))]


def _volumes(rest: bytes, found: dict[str, Any]) -> Told:
    """Both volumes, each with its unit; of a frame that was cut off those that are whole, and the beginning of more."""
    told: Told = []
    for at, key, name in ((0, "current_flow", "volume now"), (5, "settle_flow", "volume at the settlement day")):
        if len(rest) < at + 5:
            break
        unit = UNITS.get(rest[at + 4], f"unit {rest[at + 4]:02X}, not known")
        try:
            found[key] = formats.read("XXXXXX.XX", rest[at : at + 4]).text
        except ValueError as error:
            found[key] = None
            told.append((4, f"{name}: {error}"))
        else:
            told.append((4, f"{name}: {found[key]} {unit}"))
        found.setdefault("unit", unit)
        told.append((1, f"unit {unit}"))
    left = len(rest) - sum(size for size, _ in told)
    return [*told, (left, "the beginning of a value")] if left else told


def _time(raw: bytes) -> str | None:
    """ss mm hh DD MM YY YY; zeros and what is no time mean unknown."""
    text = raw[::-1].hex()
    if not any(raw) or not text.isdigit():
        return None
    return f"{text[:4]}-{text[4:6]}-{text[6:8]}T{text[8:10]}:{text[10:12]}:{text[12:]}"


def _status(raw: bytes, found: dict[str, Any]) -> str:
    found |= {"status": raw.hex(), "valve": VALVE[raw[0] & 3], "battery_low": bool(raw[0] & 4)}
    own = [str(bit) for bit in range(3, 16) if int.from_bytes(raw, "little") >> bit & 1]
    more = f", set besides: bit {', '.join(own)} (the maker's own)" if own else ""
    battery = "low" if found["battery_low"] else "good"
    return f"status {raw.hex().upper()}: valve {found['valve']}, battery {battery}{more}"


def _valve(rest: bytes, is_reply: bool, found: dict[str, Any]) -> Told:
    if is_reply and len(rest) == 2:
        return [(2, _status(rest, found))]
    orders = {code: order for order, code in cjt188.VALVE_ORDERS.items()}
    if not is_reply and len(rest) == 1:
        found["command"] = orders.get(rest[0])
        return [(1, f"order {rest[0]:02X}: {found['command'] or 'not known'}")]
    return [(len(rest), "contents that are not known")]
