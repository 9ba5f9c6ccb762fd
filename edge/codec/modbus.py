"""Modbus RTU: PDUs by pymodbus, framing ours. One stray byte before a good reply must not cost the reply.

    slave, function, PDU ..., CRC low, CRC high        CRC-16 A001H, start FFFFH

A read's reply has a length that its question knows, so a frame ends by its length and never by silence.
"""

from __future__ import annotations

import struct

from pymodbus.framer.rtu import FramerRTU
from pymodbus.pdu import DecodePDU, ExceptionResponse
from pymodbus.pdu.register_message import ReadHoldingRegistersRequest, ReadInputRegistersRequest

from edge.codec.errors import BadValue, CodecError, Refused

FRAMING_BITS = 11  # RTU characters have eleven bits: with parity, or with two stop bits.
EXCEPTION_BYTES = 5

EXCEPTIONS = {
    1: "it does not know this function",
    2: "it has no such register",
    3: "it does not take this count or value",
    4: "it failed while answering",
    6: "it is busy",
}

_REQUESTS = {3: ReadHoldingRegistersRequest, 4: ReadInputRegistersRequest}
_DECODER = DecodePDU(is_server=False)


def crc(body: bytes) -> bytes:
    """The two CRC bytes, low byte first."""
    return FramerRTU.compute_CRC(body).to_bytes(2, "big")


def read(slave: int, function: int, start: int, count: int) -> bytes:
    """The request that reads `count` registers from `start` by function 3 or 4."""
    pdu = _REQUESTS[function](address=start, count=count, dev_id=slave)
    body = bytes([slave, pdu.function_code]) + pdu.encode()
    return body + crc(body)


def reply_bytes(request: bytes) -> int:
    """Length of a good reply to a read: slave, function, count, registers, CRC."""
    return 5 + 2 * int.from_bytes(request[4:6], "big")


def find_reply(request: bytes, buffer: bytearray, final: bool = False) -> bytes | None:
    """The raw reply to `request` if `buffer` holds it, wherever it begins; bytes before it are dropped.

    Our own echo has the request's bytes and another length, and is thereby passed over.
    """
    want = reply_bytes(request)
    good = bytes([request[0], request[1], want - 5])
    bad = bytes([request[0], request[1] | 0x80])
    for at in range(len(buffer) - EXCEPTION_BYTES + 1):
        for head, length in ((good, want), (bad, EXCEPTION_BYTES)):
            raw = bytes(buffer[at : at + length])
            if raw.startswith(head) and len(raw) == length and crc(raw[:-2]) == raw[-2:]:
                del buffer[: at + length]
                return raw
    return None


def registers_of(reply: bytes) -> bytes:
    """The registers' bytes of a read's reply, high byte first. Raises Refused for an exception."""
    pdu = _DECODER.decode(reply[1:-2])
    if pdu is None:
        raise CodecError(f"not a Modbus reply: {reply.hex(' ')}")
    if isinstance(pdu, ExceptionResponse):
        reason = EXCEPTIONS.get(pdu.exception_code, "for a reason of its maker's own")
        raise Refused(f"the meter refused: {reason} (exception {pdu.exception_code})")
    return struct.pack(f">{len(pdu.registers)}H", *pdu.registers)


def whole_wh_of_float_kwh(raw: bytes) -> int:
    """A float32 of kWh as whole Wh, exact and rounded down: the register is never credited with more than it shows."""
    (number,) = struct.unpack(">f", raw)
    if not 0 <= number < 1e9:
        raise BadValue(f"{number} is not an energy register")
    numerator, denominator = number.as_integer_ratio()
    return numerator * 1000 // denominator
