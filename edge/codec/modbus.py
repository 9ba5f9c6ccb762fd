"""Modbus RTU: PDUs by pymodbus, framing ours. One stray byte before a good reply must not cost the reply.

    slave, function, PDU ..., CRC low, CRC high        CRC-16 A001H, start FFFFH

Every reply has a length that its question knows, so a frame ends by its length and never by silence. Reads may ask any
slave; `order` is the one door to a write, and only to a registered meter's own address (I13).
"""

from __future__ import annotations

import struct
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from edge.codec.errors import BadValue, CodecError, Forbidden, Refused

FRAMING_BITS = 11  # RTU characters have eleven bits: with parity, or with two stop bits.
EXCEPTION_BYTES = 5

EXCEPTIONS = {
    1: "it does not know this function",
    2: "it has no such register",
    3: "it does not take this count or value",
    4: "it failed while answering",
    5: "it needs longer; ask again later",
    6: "it is busy",
}

READS = (1, 2, 3, 4)


def _remainders() -> tuple[int, ...]:
    """The CRC of each single byte, without the start value."""
    found = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0xA001 if byte & 1 else 0)
        found.append(byte)
    return tuple(found)


_REMAINDERS = _remainders()


def crc(body: bytes) -> bytes:
    """The two CRC bytes, low byte first."""
    value = 0xFFFF
    for byte in body:
        value = value >> 8 ^ _REMAINDERS[(value ^ byte) & 0xFF]
    return value.to_bytes(2, "little")


def _pdus() -> ModuleType:
    """pymodbus, loaded for the first Modbus meter; the ports' process never needs it."""
    from edge.codec import modbus_pdu

    return modbus_pdu


def _frame(slave: int, pdu: bytes) -> bytes:
    body = bytes([slave]) + pdu
    return body + crc(body)


def read(slave: int, function: int, start: int, count: int) -> bytes:
    """The request that reads `count` bits (functions 1, 2) or registers (3, 4) from `start`."""
    return _frame(slave, _pdus().read(slave, function, start, count))


@dataclass(frozen=True)
class Act:
    """One write: function 5 or 15 with bits, 6 or 16 with registers, from `start` on."""

    function: int
    start: int
    values: tuple[int, ...]


def coils(start: int, values: Sequence[bool]) -> Act:
    """Write bits: one by function 5, several by 15."""
    return Act(5 if len(values) == 1 else 15, start, tuple(int(value) for value in values))


def registers(start: int, values: Sequence[int], *, single: bool = False) -> Act:
    """Write registers by function 16, or one by 6 where the meter wants that."""
    return Act(6 if single and len(values) == 1 else 16, start, tuple(values))


def order(act: Act, slave: int, registered: Collection[int]) -> bytes:
    """The only way to a Modbus write.

    Raises Forbidden for a slave that is not a registered meter's own address: 0 speaks to everybody (I13).
    """
    if not 1 <= slave <= 247 or slave not in registered:
        raise Forbidden(f"no write is made for slave {slave}: it is not a registered meter's own address")
    return _frame(slave, _pdus().write(slave, act.function, act.start, act.values))


def next_part(request: bytes, parts: Sequence[bytes]) -> bytes | None:
    """None: an answer has one part."""
    return None


def reply_bytes(request: bytes) -> int:
    """Length of a good reply: reads carry what was asked for, writes repeat where and how much."""
    count = int.from_bytes(request[4:6], "big")
    return {1: 5 + (count + 7) // 8, 2: 5 + (count + 7) // 8, 3: 5 + 2 * count, 4: 5 + 2 * count}.get(request[1], 8)


def spoiled(request: bytes, buffer: bytes | bytearray) -> bool:
    """True when as many bytes came as the answer has, and are no frame at all."""
    return len(buffer) >= reply_bytes(request) and crc(bytes(buffer[:-2])) != bytes(buffer[-2:])


def begun(request: bytes, heard: bytes) -> bool:
    """True when the head of the answer was heard: whatever else came may be our own echo, damaged."""
    return request[1] in READS and request[:2] + bytes([reply_bytes(request) - 5]) in heard


def find_reply(request: bytes, buffer: bytearray, final: bool = False) -> bytes | None:
    """The raw reply to `request` if `buffer` holds it, wherever it begins; bytes before it are dropped.

    Our own echo of a read or a long write has another length than the reply, and is thereby passed over. The reply to
    functions 5 and 6 repeats the request to the letter, so there an echo cannot be told from it: what became of a
    write is decided by reading back, never by its reply.
    """
    want = reply_bytes(request)
    good = request[:2] + (bytes([want - 5]) if request[1] in READS else request[2:6])
    bad = bytes([request[0], request[1] | 0x80])
    for at in range(len(buffer) - EXCEPTION_BYTES + 1):
        for head, length in ((good, want), (bad, EXCEPTION_BYTES)):
            raw = bytes(buffer[at : at + length])
            if raw.startswith(head) and len(raw) == length and crc(raw[:-2]) == raw[-2:]:
                del buffer[: at + length]
                return raw
    return None


def registers_of(reply: bytes) -> bytes:
    """The registers' bytes of a read's reply, high byte first; empty for a write's. Raises Refused for an exception."""
    pdu = _decoded(reply)
    return struct.pack(f">{len(pdu.registers)}H", *pdu.registers) if reply[1] in (3, 4) else b""


def bits_of(reply: bytes) -> list[bool]:
    """The bits of a reply to function 1 or 2, as many as whole bytes hold. Raises Refused for an exception."""
    return [bool(bit) for bit in _decoded(reply).bits]


def _decoded(reply: bytes) -> Any:
    pdu = _pdus().decoded(reply[1:-2])
    if pdu is None:
        raise CodecError(f"not a Modbus reply: {reply.hex(' ')}")
    if pdu.function_code & 0x80:
        reason = EXCEPTIONS.get(pdu.exception_code, "for a reason of its maker's own")
        raise Refused(f"the meter refused: {reason} (exception {pdu.exception_code})")
    return pdu


def whole_wh_of_float_kwh(raw: bytes) -> int:
    """A float32 of kWh as whole Wh, exact and rounded down: the register is never credited with more than it shows."""
    (number,) = struct.unpack(">f", raw)
    if not 0 <= number < 1e9:
        raise BadValue(f"{number} is not an energy register")
    numerator, denominator = number.as_integer_ratio()
    return numerator * 1000 // denominator
