"""DL/T 645-2007 frames from the meter's side: one whole frame in, its fields out, or None; fields in, bytes out.

    [FE …] 68 A0 A1 A2 A3 A4 A5 68 C L DATA CS 16

A0 is the lowest pair of address digits. Each DATA byte travels as value + 33H. CS is the sum from the first
68H to the last DATA byte, modulo 256 (DL/T 645-2007 §5.2).
"""

from __future__ import annotations

from datetime import datetime

PLUS_33 = bytes((value + 0x33) % 256 for value in range(256))
MINUS_33 = bytes((value - 0x33) % 256 for value in range(256))
ANYBODY = b"\xaa" * 6
EVERYBODY = b"\x99" * 6


def address_bytes(address: str) -> bytes:
    """Twelve decimal digits as six bytes, low pair first. Raises ValueError for anything else."""
    if len(address) != 12 or not address.isascii() or not address.isdigit():
        raise ValueError(f"a DL/T 645 address has 12 digits; {address!r} has not")
    return bytes.fromhex(address)[::-1]


def build(address: bytes, control: int, payload: bytes = b"", lead: int = 0) -> bytes:
    """A frame from six address bytes (as on the line), control byte and payload before + 33H, after `lead` × FEH."""
    body = b"\x68" + address + bytes((0x68, control, len(payload))) + payload.translate(PLUS_33)
    return b"\xfe" * lead + body + bytes((sum(body) & 0xFF, 0x16))


def parse(frame: bytes) -> tuple[bytes, int, bytes] | None:
    """Address bytes as on the line, control byte and payload after − 33H; None unless this is one whole right frame."""
    body = frame.lstrip(b"\xfe")
    if len(body) < 12 or body[0] != 0x68 or body[7] != 0x68 or body[-1] != 0x16:
        return None
    if len(body) != 12 + body[9] or sum(body[:-2]) & 0xFF != body[-2]:
        return None
    return body[1:7], body[8], body[10:-2].translate(MINUS_33)


def matches(asked: bytes, own: bytes) -> bool:
    """Whether the asked address with AAH in its high digits covers `own` (wildcards fill from the high end only)."""
    digits = asked.rstrip(b"\xaa")
    return own.startswith(digits)


def bcd(number: int, size: int) -> bytes:
    """A number of 0 or more as `size` BCD bytes, low pair first. Raises ValueError when it does not fit."""
    if number < 0 or number >= 100**size:
        raise ValueError(f"{number} does not fit into {size} BCD bytes")
    return bytes.fromhex(f"{number:0{2 * size}d}")[::-1]


def digits_of(raw: bytes) -> str:
    """BCD bytes, low pair first, as decimal digits; raises ValueError when a nibble is no digit."""
    text = raw[::-1].hex()
    if not text.isdigit() and text:
        raise ValueError(f"{raw.hex()} is not BCD")
    return text


def text_field(text: str, size: int) -> bytes:
    """An ASCII field: padded with 00H, sent in reverse like every other field."""
    return text.encode("ascii")[:size].ljust(size, b"\x00")[::-1]


def date_time_bytes(wall: datetime, order: str) -> bytes:
    """A wall time as BCD in the written order, sent in reverse: "%y%m%d0%w%H%M%S" becomes ss mm hh WW DD MM YY."""
    return bytes.fromhex(wall.strftime(order))[::-1]
