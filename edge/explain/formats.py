"""How DL/T 645 writes values: a format as the standard prints it, such as `XXXXXX.XX` or `YYMMDDhhmm`, read from bytes.

    X N     a BCD digit; a dot places the decimals            +XX.XXXX   signed by the top bit of the last byte
    Y M D W h m s   date and time digits                      A16        text, 16 bytes
    B2      bits, two bytes, shown as hex                     P          password: level and six digits, never shown
    I6      a number whose zeros count, six bytes of digits   R          whatever is left, as it stands on the line
    4*XXX.X a format that comes four times                    *XXX.X     one that comes as often as bytes are there

A format may have a label before it and a unit behind: `end:YYMMDDhhmmss power:XX.XXXX@kW`; an underscore is a space.
Several in brackets come together, `*(peak:XX.XXXX at:YYMMDDhhmm)`, and `~rate:` or `~rate(...)` names what repeats from
a series: total, sharp, peak ... Bytes travel low byte first. FF in every byte means "not available" and is None,
never a number.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Any

DIGITS = re.compile(r"\+?[XN]+(\.[XN]+)?")
TIMES = re.compile(r"[YMDWhms]+")
WORD = re.compile(
    r"(?:(?P<times>\d*)(?P<star>\*))?"
    r"(?:(?P<group>~\w+)?\((?P<inner>[^)]*)\)|(?:(?P<label>~?\w+):)?(?P<format>[^\s@:()*]+)(?:@(?P<unit>\S+))?)"
)

SERIES: dict[str, tuple[str, ...]] = {
    "~rate": ("total", "sharp 尖", "peak 峰", "flat 平", "valley 谷", "deep valley 深谷"),
    "~tariff": ("sharp 尖", "peak 峰", "flat 平", "valley 谷"),
    "~phase": ("phase A", "phase B", "phase C"),
    "~total": ("total", "phase A", "phase B", "phase C"),
    "~quadrant": tuple(f"quadrant {number}" for number in range(1, 5)),
    "~word": tuple(f"status word {number}" for number in range(1, 8)),
    "~power": tuple(
        f"{kind} {of}" for kind in ("active", "reactive") for of in ("total", "phase A", "phase B", "phase C")
    ),
}  # fmt: skip
"""Names of values that repeat, in the order of the line; after the last the number goes on."""


@dataclass(frozen=True)
class Shown:
    """One value: its text (None: not available) and, for dates, what else a program may want."""

    text: str | None
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Part:
    """One value of an item: what it is called, how it is written, its unit where that is not the item's own."""

    label: str
    format: str
    unit: str | None = None


def size_of(format: str) -> int:
    """How many bytes one value of a format takes."""
    if format[0] in "ABIR":
        return int(format[1:])
    if format == "P":
        return 4
    return len(re.sub(r"[+.]", "", format)) // 2


def expand(formats: str, count: int) -> list[str]:
    """The single formats of a list such as `XX 3*XXX.X`, for `count` bytes; what repeats freely fills the rest."""
    return [part.format for part in parts(formats, count)]


def parts(formats: str, count: int) -> list[Part]:
    """The values of a list of formats, for `count` bytes, each with its label."""
    found: list[Part] = []
    for word in WORD.finditer(formats):
        left = count - sum(size_of(part.format) for part in found)
        found += _repeated(word, left)
    return found


def _repeated(word: re.Match[str], left: int) -> list[Part]:
    """A word as often as it comes."""
    series = word["group"] or (word["label"] if (word["label"] or "").startswith("~") else None)
    if word["inner"] is not None:
        once = [part for each in WORD.finditer(word["inner"]) for part in _repeated(each, 0)]
    else:
        label = "" if series else (word["label"] or "").replace("_", " ")
        format = f"R{max(left, 1)}" if word["format"] == "R" else word["format"]
        once = [Part(label, format, word["unit"] and word["unit"].replace("_", " "))]
    if not word["star"]:
        return once
    size = sum(size_of(part.format) for part in once)
    times = int(word["times"]) if word["times"] else max(1, left // size)
    found = []
    for number in range(times):
        name = _name(series, number) if times > 1 or series else ""
        found += [replace(part, label=" ".join(filter(None, (name, part.label)))) for part in once]
    return found


def _name(series: str | None, number: int) -> str:
    """What the value `number` (from 0) of a series is called."""
    names = SERIES[series] if series else ()
    if number < len(names):
        return names[number]
    return f"tariff {number}" if series == "~rate" else str(number + 1)


def read(format: str, raw: bytes) -> Shown:
    """One value. Raises ValueError with a sentence where the bytes cannot be one."""
    if len(raw) != size_of(format):
        raise ValueError(f"{format} has {size_of(format)} bytes, and here are {len(raw)}")
    text = raw[::-1].hex()
    if format == "P":
        return Shown("******")
    if format[0] == "R":
        return Shown(raw.hex(" ").upper())
    if set(raw) == {0xFF}:
        return Shown(None)
    if format[0] == "B":
        return Shown(text.upper())
    if format[0] == "A":
        text = raw[::-1].strip(b"\x00 ").decode("ascii", "replace")
        return Shown(
            "".join(each if each.isprintable() else "\ufffd" for each in text)
        )  # A meter commands no terminal.
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
