"""DL/T 645-2007 frames. Reads may use any address; one function builds control frames, for registered meters (I13).

    [FE ...] 68 A0 A1 A2 A3 A4 A5 68 C L DATA(L bytes) CS 16

    A    address, 12 BCD digits, low byte first        C    D7 reply, D6 abnormal, D5 more follows, D4-D0 function
    L    number of DATA bytes                          DATA each byte + 33H on the line
    CS   sum of all bytes from the first 68H to the last DATA byte, modulo 256

`take` gets a buffer and returns a frame and removes exactly what it used, or returns None for "not yet";
nothing else is possible. A frame ends by its length, never by silence. (DL/T 645-2007 §5.2)
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from edge.codec.errors import CodecError, Forbidden, Refused

FRAMING_BITS = 11  # One start, eight data, even parity, one stop (§5.1).
SHORTEST = 12  # A frame without DATA.
LARGEST_REPLY = 200 + SHORTEST + 8  # 200 DATA bytes in a read (§5.2), and up to eight wake-up bytes.

READ, READ_ON, WRITE, CONTROL = 0x11, 0x12, 0x14, 0x1C
TRIP, PERMIT, CLOSE, ALARM, ALARM_OFF = 0x1A, 0x1B, 0x1C, 0x2A, 0x2B
COMMANDS = {"trip": TRIP, "permit": PERMIT, "direct": CLOSE, "alarm": ALARM, "alarm-off": ALARM_OFF}
"""What function 1CH can order; `permit` and `direct` are the two ways to close (R6)."""

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
)
"""Meaning of the first error byte of 1CH on cost-control meters, bit 0 first; makers differ (State Grid filing)."""


@dataclass(frozen=True)
class Frame:
    """One frame; `data` is what stood in DATA before 33H was added."""

    address: str
    control: int
    data: bytes = b""

    @property
    def function(self) -> int:
        return self.control & 0x1F

    @property
    def is_reply(self) -> bool:
        return bool(self.control & 0x80)

    @property
    def abnormal(self) -> bool:
        return bool(self.control & 0x40)

    @property
    def follows(self) -> bool:
        return bool(self.control & 0x20)

    @property
    def identifier(self) -> str | None:
        """DI3 DI2 DI1 DI0 as eight hex digits, where the frame carries one."""
        carries = self.function in (READ, READ_ON, WRITE, 0x03) and not self.abnormal and len(self.data) >= 4
        return self.data[3::-1].hex().upper() if carries else None


def encode(frame: Frame, preamble: int = 4) -> bytes:
    """The bytes of a frame, after `preamble` wake-up bytes FEH."""
    address = bytes.fromhex(frame.address)[::-1]
    if len(address) != 6:
        raise CodecError(f"an address has 12 digits, not {frame.address!r}")
    body = b"\x68" + address + b"\x68" + bytes([frame.control, len(frame.data)])
    body += bytes((byte + 0x33) & 0xFF for byte in frame.data)
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
        elif length and _whole(buffer, length):
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


def _whole(buffer: bytearray, length: int) -> bool:
    return buffer[length - 1] == 0x16 and sum(buffer[: length - 2]) & 0xFF == buffer[length - 2]


def decode(raw: bytes) -> Frame:
    """The frame in `raw`, with or without wake-up bytes. Raises CodecError when it is not exactly one whole frame."""
    body = raw.lstrip(b"\xfe")
    view = bytearray(body)
    if _length(view) != len(body) or not _whole(view, len(body)):
        raise CodecError(f"not one whole DL/T 645 frame: {raw.hex(' ')}")
    return Frame(body[6:0:-1].hex(), body[8], bytes((byte - 0x33) & 0xFF for byte in body[10:-2]))


def answers(request: Frame, reply: Frame) -> bool:
    """True when `reply` can be the answer to `request`: direction, function, address and identifier fit.

    Our own echo, a late answer to an earlier question and a neighbour's answer are thereby told apart.
    """
    if not reply.is_reply or request.is_reply or reply.function != request.function:
        return False
    if not _address_fits(request.address, reply.address):
        return False
    names_no_identifier = reply.abnormal or request.identifier is None or reply.function == WRITE  # 94H is empty (§7).
    return names_no_identifier or reply.identifier == request.identifier


def _address_fits(asked: str, answered: str) -> bool:
    """A wildcard AA stands for any two digits; reading only."""
    pairs = zip(bytes.fromhex(asked), bytes.fromhex(answered), strict=True)
    return all(want in (0xAA, got) for want, got in pairs)


def find_reply(request: bytes, buffer: bytearray, final: bool = False) -> bytes | None:
    """The raw reply to `request` if `buffer` holds it; frames that answer something else are dropped."""
    asked = decode(request)
    while (raw := take_raw(buffer, final)) is not None:
        if answers(asked, decode(raw)):
            return raw
    return None


def reply_bytes(request: bytes) -> int:
    return LARGEST_REPLY


def read(address: str, identifier: str, preamble: int = 4) -> bytes:
    """The request that reads one identifier, such as `0001FF00`."""
    return encode(Frame(address, READ, bytes.fromhex(identifier)[::-1]), preamble)


@dataclass(frozen=True, repr=False)
class Password:
    """What a meter asks for before it obeys: level, six digits, and the operator it notes down."""

    level: str = "02"
    password: str = "000000"
    operator: str = "00000000"

    def __repr__(self) -> str:  # Never in a log (I24).
        return f"Password(level {self.level})"


def control(
    command: str,
    address: str,
    registered: Collection[str],
    password: Password,
    valid_until: datetime | None,
    preamble: int = 4,
) -> bytes:
    """The only way to a control frame (1CH). `valid_until` is in the meter's local time, None for no limit.

    Raises Forbidden for an address that is not a registered meter's own: wildcard, broadcast, typing mistake (I13).
    """
    own = len(address) == 12 and address.isascii() and address.isdigit() and address != "9" * 12
    if not own or address not in registered:
        raise Forbidden(f"no control frame is made for {address!r}: it is not a registered meter's own address")
    until = bytes(6) if valid_until is None else bytes.fromhex(valid_until.strftime("%S%M%H%d%m%y"))
    words = _digits(password.level, 2) + _digits(password.password, 6) + _digits(password.operator, 8)
    return encode(Frame(address, CONTROL, words + bytes([COMMANDS[command], 0]) + until), preamble)


def _digits(text: str, count: int) -> bytes:
    """Digits as they travel, low byte first. Raises CodecError, which does not name them (I24)."""
    if len(text) != count or not (text.isascii() and text.isdigit()):
        raise CodecError("a password's level has 2 digits, the password 6 and the operator 8")
    return bytes.fromhex(text)[::-1]


def value_of(reply: bytes) -> bytes:
    """The bytes behind the identifier of a read's reply. Raises Refused with the meter's reason."""
    frame = decode(reply)
    if frame.abnormal:
        raise Refused(error_sentence(frame.function, frame.data))
    if frame.follows:
        raise CodecError("the answer has more parts than this question can take")
    return frame.data[4:] if frame.function == READ else frame.data


def error_sentence(function: int, data: bytes) -> str:
    """The meter's error byte in words; a second byte, which some meters send, is shown in hex only."""
    table = CONTROL_ERROR_BITS if function == CONTROL else ERROR_BITS
    words = [text for bit, text in enumerate(table) if data and data[0] >> bit & 1]
    return f"the meter refused: {', '.join(words) or 'no reason given'} (error {data.hex().upper()})"


def masked(raw: bytes) -> bytes:
    """A frame fit to be stored or shown: the password in a control or write frame is replaced by zeros (I24).

    The checksum would tell the sum of the digits that were removed. It is replaced by one that never fits, so a
    masked frame shows that it was masked and cannot be sent again.
    """
    body = raw.lstrip(b"\xfe")
    if len(body) < SHORTEST + 4 or body[8] not in (CONTROL, WRITE):
        return raw
    start = 10 + (1 if body[8] == CONTROL else 5)
    kept = body[:start] + b"\x33" * 3 + body[start + 3 : -2]
    return raw[: len(raw) - len(body)] + kept + bytes([sum(kept) & 0xFF ^ 0xFF, 0x16])
