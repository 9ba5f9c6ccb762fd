"""A Modbus RTU frame explained. Whether the master or the meter speaks is not in the frame: its length tells."""

from __future__ import annotations

import struct
from typing import Any

from edge.codec import modbus
from edge.explain.explanation import KEYS, Explanation, Piece, common

FUNCTIONS = {
    1: "read coils", 2: "read inputs", 3: "read holding registers", 4: "read input registers", 5: "write one coil",
    6: "write one register", 15: "write coils", 16: "write registers",
}  # fmt: skip


def explain(raw: bytes, protocol: str = "modbus-rtu") -> Explanation:
    """Explain exactly one frame; bytes that are none give an explanation that says why."""
    right = modbus.crc(raw[:-2])
    if len(raw) < 5 or (raw[-2:] != right and _is_cut(raw)):
        return _cut(raw, protocol)
    if raw[-2:] != right:
        words = f"the CRC is {raw[-2:].hex().upper()} and should be {right.hex().upper()}: damaged or cut off"
        return Explanation.invalid(protocol, raw, "crc", words)
    slave, function, payload = raw[0], raw[1], raw[2:-2]
    found: dict[str, Any] = {}
    abnormal = bool(function & 0x80)
    name = FUNCTIONS.get(function & 0x7F, "a function that is not known")
    pieces = [
        Piece(raw[:1], f"address {slave}{' (everybody; no reply)' if slave == 0 else ''}"),
        Piece(raw[1:2], f"function {function:02X}: {name}{', refused' if abnormal else ''}"),
    ]
    response = _payload(function, payload, found, pieces)
    pieces.append(Piece(raw[-2:], "CRC-16 of all bytes before: right"))
    fields = common(
        protocol, raw, address=str(slave), length=len(payload), response=response, abnormal=abnormal, follow=False,
        function=f"{function:02X}", data=payload.hex(), slave=slave,
    )  # fmt: skip
    return Explanation(fields | found, pieces)


def _lengths(raw: bytes) -> dict[str, int]:
    """How long a frame that begins so can be: what it may be, and how many bytes that has."""
    function = raw[1] if len(raw) > 1 else 0
    if function & 0x80:
        return {"refusal": 5}
    if function in (1, 2, 3, 4):
        return {"question": 8} | ({"answer": 5 + raw[2]} if len(raw) > 2 and raw[2] else {})
    if function in (5, 6):
        return {"question or answer": 8}
    if function in (15, 16):
        return {"answer": 8} | ({"question": 9 + raw[6]} if len(raw) > 6 else {})
    return {}


def _is_cut(raw: bytes) -> bool:
    """Whether bytes are missing at the end, and not a bit damaged in what is there."""
    lengths = _lengths(raw).values()
    return len(raw) not in lengths and any(length > len(raw) for length in lengths)


def _cut(raw: bytes, protocol: str) -> Explanation:
    """A frame that was cut off, as far as it goes; short ones may be a question as well as an answer."""
    may_be = {kind: length for kind, length in _lengths(raw).items() if length > len(raw)}
    missing = " or ".join(f"{length - len(raw)} of a {length}-byte {kind}" for kind, length in may_be.items())
    words = f"the frame is cut off: {len(raw)} bytes, and 5 is the least"
    if missing:
        words = f"the frame is cut off: {len(raw)} bytes; missing at its end: {missing}"
    words += "; without its CRC nothing of it is certain"
    pieces = [Piece(raw[:1], f"address {raw[0]}")] if raw else []
    if len(raw) > 1:
        name = FUNCTIONS.get(raw[1] & 0x7F, "a function that is not known")
        pieces.append(Piece(raw[1:2], f"function {raw[1]:02X}: {name}{', refused' if raw[1] & 0x80 else ''}"))
    found: dict[str, Any] = {}
    if set(may_be) == {"answer"} and raw[1] in (1, 2, 3, 4):
        pieces.append(Piece(raw[2:3], f"{raw[2]} bytes follow"))
        whole = 3 + (len(raw) - 3) // 2 * 2 if raw[1] in (3, 4) else 3
        _registers(raw[3:whole], found, pieces)
        pieces += [Piece(raw[whole:], "bits" if whole == 3 else "half a register")] if raw[whole:] else []
    elif raw[2:]:
        pieces.append(Piece(raw[2:], "contents, cut"))
    pieces.append(Piece(b"", words))
    fields = dict.fromkeys(KEYS) | {"protocol": protocol, "valid": False, "reason": "incomplete", "error": words}
    fields |= {"address": str(raw[0]), "slave": raw[0]} if raw else {}
    fields |= {"function": f"{raw[1]:02X}", "abnormal": bool(raw[1] & 0x80)} if len(raw) > 1 else {}
    return Explanation(fields | found, pieces)


def _payload(function: int, payload: bytes, found: dict[str, Any], pieces: list[Piece]) -> bool | None:
    """Fill in what the payload says; True when the meter speaks, None where the two look alike."""
    if function & 0x80:
        code = payload[0]
        found |= {"exception": code, "exception_of": f"{function & 0x7F:02X}", "error": f"{code:02X}"}
        reason = modbus.EXCEPTIONS.get(code, "for a reason of its maker's own")
        pieces.append(Piece(payload, f"exception {code}: {reason}"))
        return True
    if function in (1, 2, 3, 4) and payload[0] == len(payload) - 1:
        pieces += [Piece(payload[:1], f"{payload[0]} bytes follow")]
        _registers(payload[1:], found, pieces) if function in (3, 4) else pieces.append(Piece(payload[1:], "bits"))
        return True
    if (function in (15, 16) and len(payload) >= 4) or (function in (1, 2, 3, 4) and len(payload) == 4):
        start, count = struct.unpack(">2H", payload[:4])
        found |= {"start": f"{start:04x}", "count": count}
        pieces += [Piece(payload[:2], f"from {start:04X} on"), Piece(payload[2:4], f"{count} of them")]
        if function in (1, 2, 3, 4) or len(payload) == 4:
            return function in (15, 16)
        pieces.append(Piece(payload[4:5], f"{payload[4]} bytes follow"))
        _registers(payload[5:], found, pieces) if function == 16 else pieces.append(Piece(payload[5:], "bits"))
        _order(start, found)
        return False
    if function in (5, 6) and len(payload) == 4:
        found |= {"start": payload[:2].hex(), "value_reg": payload[2:].hex()}
        pieces += [Piece(payload[:2], f"at {payload[:2].hex().upper()}"), Piece(payload[2:], "the value to write")]
        return None
    pieces.append(Piece(payload, "contents that are not known"))
    return None


def _registers(raw: bytes, found: dict[str, Any], pieces: list[Piece]) -> None:
    found["registers"] = [raw[at : at + 2].hex() for at in range(0, len(raw), 2)]
    words = " ".join(found["registers"])
    if raw and len(raw) % 4 == 0:
        count = len(raw) // 4
        found["u32"] = [str(number) for number in struct.unpack(f">{count}I", raw)]
        floats = [f"{number:.7g}" for number in struct.unpack(f">{count}f", raw)]
        found["float32"] = floats[0] if count == 1 else floats
        words += f"; as 32 bits, high word first: {', '.join(found['u32'])}, as float: {', '.join(floats)}"
    if raw:
        pieces.append(Piece(raw, words))


ORDERS = {("0001", "0001"): "trip", ("0001", "0000"): "close", ("0000", "0000"): "release"}


def _order(start: int, found: dict[str, Any]) -> None:
    """Acrel's forced control stands at 0057 and 0058."""
    if start == 0x0057 and (order := ORDERS.get(tuple(found.get("registers", ())))):  # type: ignore[call-overload]
        found["command"] = order
