"""What changes a DL/T 645-2007 meter: relay orders, writes, freeze, clock, speed, passwords. One door for all (I13).

`order` builds every frame that a meter obeys, and only for a registered meter's own address; `broadcast_time` is the
one named exception, a frame to everybody that no meter can be harmed by (R25). What an order says is an `Act`,
made by a function of its own. Clearing demand, meter or events (19H to 1BH) destroys legal data: there is no such act.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from edge.codec.dlt645 import CONTROL, SECURITY, SHORTEST, WRITE, Frame, encode
from edge.codec.errors import CodecError, Forbidden

BROADCAST_TIME, WRITE_ADDRESS, FREEZE, SPEED, PASSWORD = 0x08, 0x15, 0x16, 0x17, 0x18
EVERYBODY = "9" * 12

COMMANDS = {
    "trip": 0x1A, "permit": 0x1B, "direct": 0x1C, "alarm": 0x2A, "alarm-off": 0x2B, "keep": 0x3A, "keep-off": 0x3B,
}  # fmt: skip
"""What function 1CH can order; `permit` and `direct` are the two ways to close (R6), `keep` is 保电."""

SPEEDS = {600: 0x02, 1200: 0x04, 2400: 0x08, 4800: 0x10, 9600: 0x20, 19200: 0x40}

LONGEST_WRITE = 50
"""DATA bytes in a write (§5.2)."""


@dataclass(frozen=True, repr=False)
class Password:
    """What a meter asks for before it obeys: level, six digits, and the operator it notes down."""

    level: str = "02"
    password: str = "000000"
    operator: str = "00000000"

    def __repr__(self) -> str:  # Never in a log (I24).
        return f"Password(level {self.level})"

    def words(self) -> bytes:
        """PA P0 P1 P2 as they travel. Raises CodecError, which does not name the digits (I24)."""
        return _digits(self.level, 2) + _digits(self.password, 6)

    def signed(self) -> bytes:
        """PA P0 P1 P2 C0 C1 C2 C3 as they travel."""
        return self.words() + _digits(self.operator, 8)


@dataclass(frozen=True, repr=False)
class Act:
    """A function and its DATA, before 33H is added."""

    function: int
    data: bytes

    def __repr__(self) -> str:  # DATA may hold a password.
        return f"Act({self.function:02X}H)"


def order(act: Act, address: str, registered: Collection[str], preamble: int = 4) -> bytes:
    """The only way to a frame that a meter obeys.

    Raises Forbidden for an address that is not a registered meter's own: wildcard, broadcast, typing mistake (I13).
    """
    own = len(address) == 12 and address.isascii() and address.isdigit() and address != EVERYBODY
    if not own or address not in registered:
        raise Forbidden(f"no order is made for {address!r}: it is not a registered meter's own address")
    return encode(Frame(address, act.function, act.data), preamble)


def broadcast_time(local: datetime, preamble: int = 4) -> bytes:
    """Set every clock on the line to the meters' local time (08H); nobody answers.

    A meter takes it at most once a day and only when it is at most five minutes off (DL/T 614). When it may be sent,
    R25 says; this only builds it.
    """
    return encode(Frame(EVERYBODY, BROADCAST_TIME, _seconds_first(local)), preamble)


# --- acts ---


def relay(command: str, password: Password, valid_until: datetime | None) -> Act:
    """Trip, close, alarm or keep power (1CH); void after `valid_until`, the meter's local time, None for no limit."""
    until = bytes(6) if valid_until is None else _seconds_first(valid_until)
    return Act(CONTROL, password.signed() + bytes([COMMANDS[command], 0]) + until)


def write(identifier: str, value: bytes, password: Password) -> Act:
    """Write a parameter (14H); `value` low byte first, as it travels."""
    data = _identifier(identifier) + password.signed() + value
    if len(data) > LONGEST_WRITE:
        raise CodecError(f"a write carries at most {LONGEST_WRITE} bytes, not {len(data)}")
    return Act(WRITE, data)


def write_clock(local: datetime, password: Password) -> Act:
    """Set one meter's date and time (0400010C) to its local time; Sunday is weekday 0."""
    return write("0400010C", _time(local) + _date(local), password)


def write_time(local: datetime, password: Password) -> Act:
    """Set the time alone (04000102), on a meter that has no 0400010C."""
    return write("04000102", _time(local), password)


def write_date(local: datetime, password: Password) -> Act:
    """Set date and weekday alone (04000101), on a meter that has no 0400010C."""
    return write("04000101", _date(local), password)


def freeze(month: str = "99", day: str = "99", hour: str = "99", minute: str = "99") -> Act:
    """Freeze all registers (16H): now, or at a time that comes again; 99 stands for any."""
    return Act(FREEZE, b"".join(_digits(text, 2) for text in (minute, hour, day, month)))


def speed(baud: int) -> Act:
    """Change the speed of the port (17H); the meter answers at the old one."""
    if baud not in SPEEDS:
        raise CodecError(f"a meter's speed is one of {', '.join(map(str, SPEEDS))}")
    return Act(SPEED, bytes([SPEEDS[baud]]))


def new_password(identifier: str, old: Password, new: Password) -> Act:
    """Change a password (18H); identifiers 04000C01 to 04000C0A are the levels 0 to 9."""
    return Act(PASSWORD, _identifier(identifier) + old.words() + new.words())


def new_address(address: str) -> Act:
    """Give the meter another address (15H); it answers from the new one."""
    if address == EVERYBODY:
        raise CodecError("999999999999 is the broadcast address")
    return Act(WRITE_ADDRESS, _digits(address, 12))


def control(
    command: str,
    address: str,
    registered: Collection[str],
    password: Password,
    valid_until: datetime | None,
    preamble: int = 4,
) -> bytes:
    """A relay order's frame, ready to be sent. Raises Forbidden (I13)."""
    return order(relay(command, password, valid_until), address, registered, preamble)


def _seconds_first(local: datetime) -> bytes:
    return bytes.fromhex(local.strftime("%S%M%H%d%m%y"))


def _time(local: datetime) -> bytes:
    return bytes.fromhex(local.strftime("%S%M%H"))


def _date(local: datetime) -> bytes:
    """WW DD MM YY; Sunday is weekday 0."""
    return bytes([local.isoweekday() % 7]) + bytes.fromhex(local.strftime("%d%m%y"))


def _identifier(text: str) -> bytes:
    if len(text) != 8:
        raise CodecError(f"an identifier has 8 hex digits, not {text!r}")
    return bytes.fromhex(text)[::-1]


def _digits(text: str, count: int) -> bytes:
    """Digits as they travel, low byte first. Raises CodecError, which does not name them (I24)."""
    if len(text) != count or not (text.isascii() and text.isdigit()):
        raise CodecError(f"{count} decimal digits are needed here (level 2, password 6, operator 8, address 12)")
    return bytes.fromhex(text)[::-1]


# --- showing ---

_PASSWORDS = {
    CONTROL: (1,), WRITE: (5,), PASSWORD: (5, 9), PASSWORD | 0x80: (1,), 0x19: (1,), 0x1A: (1,), 0x1B: (1,),
}  # fmt: skip
"""By control byte: where in DATA the three bytes of a password stand."""


def masked(raw: bytes) -> bytes:
    """A frame fit to be stored or shown: each password is replaced by zeros (I24).

    The checksum would tell the sum of the digits that were removed. It is replaced by one that never fits, so a
    masked frame shows that it was masked and cannot be sent again. Sealed fields of 03H are removed whole.
    """
    body = raw.lstrip(b"\xfe")
    if len(body) < SHORTEST:
        return raw
    data = bytearray(body[10:-2])
    if body[8] == SECURITY and len(data) > 8:
        data[8:] = b"\x33" * (len(data) - 8)
    elif body[8] in _PASSWORDS and len(data) >= 4:
        for start in _PASSWORDS[body[8]]:
            data[start : start + 3] = b"\x33" * len(data[start : start + 3])
    else:
        return raw
    kept = body[:10] + bytes(data)
    return raw[: len(raw) - len(body)] + kept + bytes([sum(kept) & 0xFF ^ 0xFF, 0x16])
