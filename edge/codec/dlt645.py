"""DL/T 645-2007 frames and reads, which may use any address. What changes a meter stands in `dlt645_orders.py` (I13).

    [FE ...] 68 A0 A1 A2 A3 A4 A5 68 C L DATA(L bytes) CS 16

    A    address, 12 BCD digits, low byte first        C    D7 reply, D6 abnormal, D5 more follows, D4-D0 function
    L    number of DATA bytes                          DATA each byte + 33H on the line
    CS   sum of all bytes from the first 68H to the last DATA byte, modulo 256

`take` gets a buffer and returns a frame and removes exactly what it used, or returns None for "not yet";
nothing else is possible. A frame ends by its length, never by silence. (DL/T 645-2007 §5.2)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, lru_cache

from edge.codec.control_byte import ControlByte, whole
from edge.codec.errors import CodecError, Refused
from edge.codec.finding import find, speaks

FRAMING_BITS = 11  # One start, eight data, even parity, one stop (§5.1).
SHORTEST = 12  # A frame without DATA.
LARGEST_REPLY = 200 + SHORTEST + 8  # 200 DATA bytes in a read (§5.2), and up to eight wake-up bytes.

READ, READ_ON, READ_ADDRESS, WRITE, CONTROL = 0x11, 0x12, 0x13, 0x14, 0x1C
SECURITY = 0x03
WILDCARD = "AA" * 6

ERROR_BITS = (
    "other error",
    "no data for this identifier",
    "wrong password or not authorised",
    "speed cannot be changed",
    "too many year zones",
    "too many day periods",
    "too many tariffs",
    "reserved",
)
"""Meaning of the error byte, bit 0 first (§7)."""

CONTROL_ERROR_BITS = (
    "suspended",
    "MAC wrong",
    "wrong password",
    "authentication expired",
    "the command's time has passed",
    "power is kept on",
    "automatic restoring refused",
    "restoring time invalid",
    "tripped, no restoring",
)
"""Meaning of the error of 1CH on cost-control meters, bit 0 of the low byte first; makers differ (filing)."""

SECURITY_ERROR_BITS = (
    "other error",
    "this purchase was made already",
    "the check of the security module failed",
    "not authenticated",
    "another customer number",
    "wrong purchase count",
    "more than the meter may hold",
    "address or record abnormal",
    "the meter is suspended",
    "relay error",
)
"""Meaning of the error of 03H (SERR), bit 0 of the low byte first (State Grid filing)."""

PLUS_33 = bytes((byte + 0x33) & 0xFF for byte in range(256))
MINUS_33 = bytes((byte - 0x33) & 0xFF for byte in range(256))
"""What 33H makes of each byte, on its way onto the line and off it."""

MOST_PARTS = 255
"""A part's number is one byte; no answer in use has more than a handful."""


@dataclass(frozen=True)
class Frame(ControlByte):
    """One frame; `data` is what stood in DATA before 33H was added."""

    address: str
    control: int
    data: bytes = b""

    @cached_property
    def identifier(self) -> str | None:
        """DI3 DI2 DI1 DI0 as eight hex digits, where the frame carries one."""
        carries = self.function in (READ, READ_ON, WRITE, SECURITY) and not self.abnormal and len(self.data) >= 4
        return self.data[3::-1].hex().upper() if carries else None


def encode(frame: Frame, preamble: int = 4) -> bytes:
    """The bytes of a frame, after `preamble` wake-up bytes FEH."""
    address = bytes.fromhex(frame.address)[::-1]
    if len(address) != 6:
        raise CodecError(f"an address has 12 digits, not {frame.address!r}")
    body = b"\x68" + address + b"\x68" + bytes([frame.control, len(frame.data)])
    body += frame.data.translate(PLUS_33)
    return b"\xfe" * preamble + body + bytes([sum(body) & 0xFF, 0x16])


def take(buffer: bytearray, final: bool = False) -> Frame | None:
    """Remove rubbish and one frame from the front of `buffer`; None means "not yet".

    A false start drops one byte, not the whole buffer. `final` says that nothing more will come: then an
    unfinished start is rubbish too.
    """
    raw = take_raw(buffer, final)
    return None if raw is None else decode(raw)


def take_raw(buffer: bytearray, final: bool = False) -> bytes | None:
    """Like `take`, but returns the frame's bytes from the first 68H to 16H."""
    while True:
        start = buffer.find(0x68)
        if start < 0:
            buffer.clear()
            return None
        del buffer[:start]
        length = _length(buffer)
        if length is None:
            if not final:
                return None
        elif length and whole(buffer, length):
            raw = bytes(buffer[:length])
            del buffer[:length]
            return raw
        del buffer[:1]


def _length(buffer: bytearray) -> int | None:
    """Length of the frame that begins the buffer: None for "not yet", 0 for a false start."""
    if len(buffer) > 7 and buffer[7] != 0x68:
        return 0
    if len(buffer) < 10:
        return None
    length = SHORTEST + buffer[9]
    return length if len(buffer) >= length else None


@lru_cache(maxsize=256)
def decode(raw: bytes) -> Frame:
    """The frame in `raw`, with or without wake-up bytes. Raises CodecError when it is not exactly one whole frame."""
    body = raw.lstrip(b"\xfe")
    view = bytearray(body)
    if _length(view) != len(body) or not whole(view, len(body)):
        raise CodecError(f"not one whole DL/T 645 frame: {raw.hex(' ')}")
    return Frame(body[6:0:-1].hex(), body[8], body[10:-2].translate(MINUS_33))


def answers(request: Frame, reply: Frame) -> bool:
    """True when `reply` can be the answer to `request`: direction, function, address, identifier and part fit.

    Our own echo, a late answer to an earlier question and a neighbour's answer are thereby told apart.
    """
    if not reply.is_reply or request.is_reply or reply.function != request.function:
        return False
    if not _address_fits(request.address, reply.address):
        return False
    if reply.function == READ_ADDRESS and not reply.abnormal:
        return reply.data[::-1].hex() == reply.address
    if reply.function == READ_ON and not reply.abnormal and reply.data[-1:] != request.data[-1:]:
        return False
    names_no_identifier = reply.abnormal or request.identifier is None or reply.function == WRITE  # 94H is empty (§7).
    return names_no_identifier or reply.identifier == request.identifier


def _address_fits(asked: str, answered: str) -> bool:
    """A wildcard AA stands for any two digits; reading only."""
    if asked == answered:
        return True
    pairs = zip(bytes.fromhex(asked), bytes.fromhex(answered), strict=True)
    return all(want in (0xAA, got) for want, got in pairs)


def find_reply(request: bytes, buffer: bytearray, final: bool = False) -> bytes | None:
    """The raw reply to `request` if `buffer` holds it; frames that answer something else are dropped."""
    return find(decode(request), buffer, final, take_raw, decode, answers)


def spoiled(request: bytes, buffer: bytes | bytearray) -> bool:
    """True when a meter's frame has come as long as its head says and fails its sum or end; what answers others does
    not, nor does a question: behind our own damaged echo the answer is still to come."""
    start = buffer.find(0x68)
    while 0 <= start <= len(buffer) - SHORTEST:
        length = SHORTEST + buffer[start + 9]
        if buffer[start + 7] == 0x68 and len(buffer) - start >= length:
            if buffer[start + 8] & 0x80 and not whole(buffer[start:], length):
                return True
            start += length - 1
        start = buffer.find(0x68, start + 1)
    return False


def begun(request: bytes, heard: bytes) -> bool:
    """True when the meter that was asked is heard, by its address."""
    at = request.index(0x68)
    return speaks(request[at : at + 8], heard, take_raw)


def reply_bytes(request: bytes) -> int:
    return LARGEST_REPLY


@lru_cache(maxsize=4096)  # A meter is asked the same few dozen questions all its life.
def read(address: str, identifier: str, preamble: int = 4) -> bytes:
    """The request that reads one identifier, such as `0001FF00`."""
    return encode(Frame(address, READ, bytes.fromhex(identifier)[::-1]), preamble)


def read_records(address: str, identifier: str, blocks: int, since: datetime, preamble: int = 4) -> bytes:
    """The request that reads `blocks` load records from the meter's local time `since` on (DI 0600....)."""
    if not 1 <= blocks <= 99:
        raise CodecError("1 to 99 load records can be asked for at once")
    payload = bytes.fromhex(identifier)[::-1] + bytes.fromhex(f"{blocks:02d}" + since.strftime("%M%H%d%m%y"))
    return encode(Frame(address, READ, payload), preamble)


def read_address(preamble: int = 4) -> bytes:
    """The request that any meter answers with its address (13H); for a line with one meter on it."""
    return encode(Frame(WILDCARD, READ_ADDRESS), preamble)


def next_part(request: bytes, parts: Sequence[bytes]) -> bytes | None:
    """The request for the part after `parts` (12H), None when the answer is whole. Raises CodecError for no end."""
    asked, newest = decode(request), decode(parts[-1])
    if asked.function != READ or not newest.follows or newest.abnormal:
        return None
    if len(parts) > MOST_PARTS:
        raise CodecError(f"an answer of more than {MOST_PARTS} parts is no answer")
    preamble = len(request) - len(request.lstrip(b"\xfe"))
    return encode(Frame(newest.address, READ_ON, asked.data[:4] + bytes([len(parts)])), preamble)


def value_of(*parts: bytes, error_bytes: int = 2) -> bytes:
    """The bytes behind the identifier of a read's reply, all parts in order (§7).

    Raises Refused with the meter's reason, CodecError where a part is missing. `error_bytes` is how many a meter
    answers to 1CH and 03H: with one, it is the error byte of all other functions.
    """
    found = b""
    for number, raw in enumerate(parts):
        frame = decode(raw)
        if frame.abnormal:
            raise Refused(error_sentence(READ if error_bytes == 1 else frame.function, frame.data))
        in_order = number == 0 or (frame.function == READ_ON and frame.data[-1:] == bytes([number]))
        if not in_order or frame.follows != (number < len(parts) - 1):
            raise CodecError("a part of the answer is missing, or one too many")
        found += {READ: frame.data[4:], READ_ON: frame.data[4:-1]}.get(frame.function, frame.data)
    return found


def error_sentence(function: int, data: bytes) -> str:
    """The meter's error in words. 03H and 1CH may have two bytes, low byte first; others have one."""
    table = {CONTROL: CONTROL_ERROR_BITS, SECURITY: SECURITY_ERROR_BITS}.get(function, ERROR_BITS)
    bits = int.from_bytes(data[:2], "little")
    words = [text for bit, text in enumerate(table) if bits >> bit & 1]
    return f"the meter refused: {', '.join(words) or 'no reason given'} (error {data.hex().upper()})"
