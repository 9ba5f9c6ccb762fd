"""How DL/T 645 writes values: a format as the standard prints it, such as `XXXXXX.XX` or `YYMMDDhhmm`, read from bytes.

    X N     a BCD digit; a dot places the decimals            +XX.XXXX   signed by the top bit of the last byte
    Y M D W h m s   date and time digits                      A16        text, 16 bytes
    B2      bits, two bytes, shown as hex                     P          password: level and six digits, never shown
    I6      a number whose zeros count, six bytes of digits
    4*XXX.X a format that comes four times                    *XXX.X     one that comes as often as bytes are there

Bytes travel low byte first. FF in every byte means "not available" and is None, never a number.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

DIGITS = re.compile(r"\+?[XN]+(\.[XN]+)?")
TIMES = re.compile(r"[YMDWhms]+")


@dataclass(frozen=True)
class Shown:
    """One value: its text (None: not available) and, for dates, what else a program may want."""

    text: str | None
    extra: dict[str, Any] = field(default_factory=dict)


def size_of(format: str) -> int:
    """How many bytes one value of a format takes."""
    if format[0] in "ABI":
        return int(format[1:])
    if format == "P":
        return 4
    return len(re.sub(r"[+.]", "", format)) // 2


def expand(formats: str, count: int) -> list[str]:
    """The single formats of a list such as `XX 3*XXX.X`, for `count` bytes; what repeats freely fills the rest."""
    found: list[str] = []
    for word in formats.split():
        times, star, format = word.rpartition("*")
        if not star:
            found.append(format)
        elif times:
            found += [format] * int(times)
        else:
            left = count - sum(size_of(each) for each in found)
            found += [format] * max(1, left // size_of(format))
    return found


def read(format: str, raw: bytes) -> Shown:
    """One value. Raises ValueError with a sentence where the bytes cannot be one."""
    if len(raw) != size_of(format):
        raise ValueError(f"{format} has {size_of(format)} bytes, and here are {len(raw)}")
    text = raw[::-1].hex()
    if format == "P":
        return Shown("******")
    if set(raw) == {0xFF}:
        return Shown(None)
    if format[0] == "B":
        return Shown(text.upper())
    if format[0] == "A":
        return Shown(raw[::-1].strip(b"\x00 ").decode("ascii", "replace"))
    if DIGITS.fullmatch(format):
        return Shown(_number(format, raw))
    if not text.isdigit():
        raise ValueError(f"{text} is not {format}")
    return Shown(text) if format[0] == "I" else _time(format, text)


def _number(format: str, raw: bytes) -> str:
    negative = format[0] == "+" and bool(raw[-1] & 0x80)
    text = (raw[:-1] + bytes([raw[-1] & 0x7F]) if format[0] == "+" else raw)[::-1].hex()
    if not text.isdigit():
        raise ValueError(f"{text} is not a decimal number")
    decimals = len(format.partition(".")[2])
    number = f"{int(text) // 10**decimals}" + (f".{int(text) % 10**decimals:0{decimals}d}" if decimals else "")
    return f"-{number}" if negative else number


def _time(format: str, text: str) -> Shown:
    """Digits as ISO 8601, as far as the format goes; the weekday apart."""
    parts: dict[str, str] = {}
    for letter, digit in zip(format, text, strict=True):
        parts[letter] = parts.get(letter, "") + digit
    day = "-".join(parts[letter] for letter in "YMD" if letter in parts)
    day = f"20{day}" if "Y" in parts else day
    time = ":".join(parts[letter] for letter in "hms" if letter in parts)
    extra: dict[str, Any] = {}
    if "W" in parts:
        extra["weekday"] = int(parts["W"])
    shown = f"{day}T{time}" if day and time else day or time
    extra |= {"datetime": shown} if day and time else {"date": shown} if day else {"time": shown}
    return Shown(shown, extra)
