"""CJ/T 188 frames (2004 and 2018): water, gas and heat meters. One function builds valve frames (I13).

    [FE ...] 68 T A0 A1 A2 A3 A4 A5 A6 C L DATA(L bytes) CS 16

    T    kind of meter, 10 cold water ... 20 heat, 30 gas     A    address, 14 BCD digits, low byte first
    C    D7 reply, D6 error, D5 more, D4-D0 function          DATA DI (2), SER (1), fields; nothing is added to a byte
    CS   sum of all bytes from 68H to the last DATA byte, modulo 256

One 68H only, and seven address bytes: that is how it differs from DL/T 645. Which of the two DI bytes comes first
differs from maker to maker and the sum does not show it, so questions name the order and replies may have either.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from edge.codec.control_byte import ControlByte, whole
from edge.codec.errors import CodecError, Forbidden, Refused
from edge.codec.finding import find, speaks

FRAMING_BITS = 11  # One start, eight data, even parity, one stop.
SHORTEST = 13  # A frame without DATA.
HEADER = 11  # 68, T, seven address bytes, C, L.

READ, READ_ADDRESS, WRITE = 0x01, 0x03, 0x04
METERING, ADDRESS, VALVE = "901F", "810A", "A017"
OPEN, SHUT = 0x55, 0x99
VALVE_ORDERS = {"open": OPEN, "close": SHUT}

ANY_KIND, ANY = 0xAA, "AA" * 7


@dataclass(frozen=True)
class Frame(ControlByte):
    """One frame. `kind` is T, `address` 14 digits, high digit first."""

    kind: int
    address: str
    control: int
    data: bytes = b""

    @property
    def identifier(self) -> str | None:
        """The two DI bytes in the order of the line, as four hex digits."""
        return self.data[:2].hex().upper() if len(self.data) >= 2 else None


def encode(frame: Frame, preamble: int = 4) -> bytes:
    """The bytes of a frame, after `preamble` wake-up bytes FEH."""
    address = bytes.fromhex(frame.address)[::-1]
    if len(address) != 7:
        raise CodecError(f"a CJ/T 188 address has 14 digits, not {frame.address!r}")
    body = b"\x68" + bytes([frame.kind]) + address + bytes([frame.control, len(frame.data)]) + frame.data
    return b"\xfe" * preamble + body + bytes([sum(body) & 0xFF, 0x16])


def take_raw(buffer: bytearray, final: bool = False) -> bytes | None:
    """Remove rubbish and one frame from the front of `buffer`; None means "not yet".

    A false start drops one byte. `final` says that nothing more will come.
    """
    while True:
        start = buffer.find(0x68)
        if start < 0:
            buffer.clear()
            return None
        del buffer[:start]
        length = SHORTEST + buffer[HEADER - 1] if len(buffer) >= HEADER else None
        if length is None or len(buffer) < length:
            if not final:
                return None
        elif whole(buffer, length):
            raw = bytes(buffer[:length])
            del buffer[:length]
            return raw
        del buffer[:1]


def decode(raw: bytes) -> Frame:
    """The frame in `raw`, with or without wake-up bytes. Raises CodecError when it is not exactly one whole frame."""
    body = raw.lstrip(b"\xfe")
    fits = len(body) >= SHORTEST and body[0] == 0x68 and len(body) == SHORTEST + body[HEADER - 1]
    if not fits or not whole(body, len(body)):
        raise CodecError(f"not one whole CJ/T 188 frame: {raw.hex(' ')}")
    return Frame(body[1], body[8:1:-1].hex(), body[9], body[HEADER:-2])


def answers(request: Frame, reply: Frame) -> bool:
    """True when `reply` can be the answer to `request`: direction, function, kind, address, DI and SER fit."""
    if not reply.is_reply or request.is_reply or reply.function != request.function:
        return False
    if request.kind not in (ANY_KIND, reply.kind):
        return False
    pairs = zip(bytes.fromhex(request.address), bytes.fromhex(reply.address), strict=True)
    if not all(want in (0xAA, got) for want, got in pairs):
        return False
    asked, told = request.data, reply.data
    if reply.abnormal and len(told) < 3:
        return True  # Some makers answer with the error byte alone.
    if len(asked) < 2 or len(told) < 2 or told[:2] not in (asked[:2], asked[1::-1]):
        return False
    return reply.function == READ_ADDRESS or len(asked) < 3 or len(told) < 3 or asked[2] == told[2]


def find_reply(request: bytes, buffer: bytearray, final: bool = False) -> bytes | None:
    """The raw reply to `request` if `buffer` holds it; frames that answer something else are dropped."""
    return find(decode(request), buffer, final, take_raw, decode, answers)


def next_part(request: bytes, parts: Sequence[bytes]) -> bytes | None:
    """None: an answer has one part."""
    return None


def spoiled(request: bytes, buffer: bytes | bytearray) -> bool:
    """True when a meter's frame has come as long as its head says and fails its sum or end; what answers others does
    not, nor does a question: behind our own damaged echo the answer is still to come."""
    start = buffer.find(0x68)
    if not 0 <= start <= len(buffer) - SHORTEST:
        return False
    length, spoken = SHORTEST + buffer[start + HEADER - 1], buffer[start + HEADER - 2] & 0x80
    return bool(spoken) and len(buffer) - start >= length and not whole(buffer[start:], length)


def begun(request: bytes, heard: bytes) -> bool:
    """True when the meter that was asked is heard, by its address."""
    at = request.index(0x68)
    return speaks(request[at : at + 9], heard, take_raw)


def reply_bytes(request: bytes) -> int:
    """The longest reply in use: a heat meter's 46 bytes of DATA and up to eight wake-up bytes."""
    return SHORTEST + 46 + 8


def read(kind: int, address: str, identifier: str = METERING, *, ser: int = 0, preamble: int = 4) -> bytes:
    """The request that reads one identifier; `identifier` is written in the order in which its bytes travel."""
    function = READ_ADDRESS if identifier in (ADDRESS, ADDRESS[2:] + ADDRESS[:2]) else READ
    return encode(Frame(kind, address, function, bytes.fromhex(identifier) + bytes([ser])), preamble)


def valve(
    order: str, kind: int, address: str, registered: Collection[str], *, ser: int = 0, preamble: int = 4
) -> bytes:
    """The only way to a valve frame; `order` is `open` or `close`.

    Raises Forbidden for an address that is not a registered meter's own: wildcard, broadcast, typing mistake (I13).
    """
    own = len(address) == 14 and address.isascii() and address.isdigit() and address != "9" * 14
    if not own or address not in registered or kind == ANY_KIND:
        raise Forbidden(f"no valve frame is made for {address!r}: it is not a registered meter's own address")
    data = bytes.fromhex(VALVE) + bytes([ser, VALVE_ORDERS[order]])
    return encode(Frame(kind, address, WRITE, data), preamble)


def value_of(reply: bytes) -> bytes:
    """The bytes behind DI and SER of a reply; an address that was asked for, low byte first: the frame's own.

    Raises Refused with the meter's error byte.
    """
    frame = decode(reply)
    if frame.abnormal:
        raise Refused(f"the meter refused (error {frame.data[-1:].hex().upper() or 'without a byte'})")
    if frame.function == READ_ADDRESS:
        return bytes.fromhex(frame.address)[::-1]  # Many makers send it nowhere else.
    return frame.data[3:]
