"""How a value stands in a reply: types with their sizes, and what a maker does differently as a `Coding`.

Integers for what is counted, floats for quantities that never touch money. What the meter marks as not available is
None. Nothing is guessed: a unit or digit that is not known is a BadValue.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

from edge.codec import bcd, modbus
from edge.codec.errors import BadValue

Values = dict[str, Any]


@dataclass(frozen=True)
class Coding:
    """What one maker does otherwise than another: the model's `[coding]`."""

    word_order: str = "big"
    byte_order: str = "big"
    flow_decimals: int = 2


PLAIN = Coding()


def _decimal(text: str) -> str | None:
    """A meter number; None where the meter was never given one (FF bytes)."""
    return text if text.isdigit() else None


def _word(raw: bytes) -> str | None:
    return None if raw == b"\xff\xff" else raw[::-1].hex().upper()


def _finite(raw: bytes) -> float:
    """A float32 that is a number: NaN and infinity have no place in a message. Raises ValueError."""
    (number,) = struct.unpack(">f", raw)
    if not math.isfinite(number):
        raise ValueError(f"{number} is not a measured value")
    return number


TYPES: dict[str, tuple[int, Callable[[bytes, tzinfo], Any]]] = {
    "bcd2": (2, lambda raw, _: bcd.digits(raw)),
    "bcd3": (3, lambda raw, _: bcd.digits(raw)),
    "bcd4": (4, lambda raw, _: bcd.digits(raw)),
    "sbcd2": (2, lambda raw, _: bcd.signed(raw)),
    "sbcd3": (3, lambda raw, _: bcd.signed(raw)),
    "word": (2, lambda raw, _: _word(raw)),
    "status2": (2, lambda raw, _: raw[::-1].hex().upper()),
    "flag": (1, lambda raw, _: raw[0]),
    "digits6": (6, lambda raw, _: _decimal(raw[::-1].hex())),
    "digits7": (7, lambda raw, _: _decimal(raw[::-1].hex())),
    "hex6": (6, lambda raw, _: _decimal(raw.hex())),
    "number1": (1, lambda raw, _: str(raw[0])),
    "instant6": (6, lambda raw, zone: bcd.instant_or_none(raw, zone)),
    "instant5": (5, bcd.local_instant),
    "instant7": (7, bcd.local_instant),
    "flow5": (5, lambda raw, _: raw),
    "u16": (2, lambda raw, _: int.from_bytes(raw, "big")),
    "i16": (2, lambda raw, _: int.from_bytes(raw, "big", signed=True)),
    "u32": (4, lambda raw, _: int.from_bytes(raw, "big")),
    "i32": (4, lambda raw, _: int.from_bytes(raw, "big", signed=True)),
    "u64": (8, lambda raw, _: int.from_bytes(raw, "big")),
    "f32": (4, lambda raw, _: _finite(raw)),
    "f32-whole": (4, lambda raw, _: int(_finite(raw))),
    "f32-kw": (4, lambda raw, _: int(_finite(raw) * 1000)),
    "f32-kwh": (4, lambda raw, _: modbus.whole_wh_of_float_kwh(raw)),
    "bit": (1, lambda raw, _: bool(raw[0])),
}
"""How many bytes a type takes, and how it is read. `status2` is a `word` whose FFFF means all bits set; `flow5` is four
BCD bytes and a unit; `flag` is one bit of a byte, `bit` one bit of a reply to Modbus function 1 or 2."""

REGISTERS = frozenset({"u16", "i16", "u32", "i32", "u64", "f32", "f32-whole", "f32-kw", "f32-kwh"})
"""Types that are made of whole Modbus registers, and therefore have a word and a byte order."""

LITRES_PER_UNIT = {0x29: 1, 0x2C: 1000}
"""CJ/T 188 units of a volume: litre and cubic metre. Others are refused, never taken for cubic metres."""


def _in_order(piece: bytes, coding: Coding) -> bytes:
    """Registers as a big-endian number has them: highest word first, high byte first."""
    words = [piece[at : at + 2] for at in range(0, len(piece), 2)]
    if coding.byte_order == "little":
        words = [word[::-1] for word in words]
    return b"".join(words[::-1] if coding.word_order == "little" else words)


def litres(raw: bytes, decimals: int) -> int | None:
    """Four BCD bytes, low byte first, and a unit as whole litres, rounded down; None where the meter says FF.

    Raises BadValue for a unit that is no volume (CJ/T 188, table of units).
    """
    number = bcd.digits(raw[:4])
    if number is None:
        return None
    if raw[4] not in LITRES_PER_UNIT:
        raise BadValue(f"unit code {raw[4]:02X} is no volume that is known here (29 is L, 2C is m3)")
    return int(number * LITRES_PER_UNIT[raw[4]] // 10**decimals)


def read(value: dict[str, Any], raw: bytes, zone: tzinfo, coding: Coding) -> Any:
    """One value out of the bytes of a reply, or None where the meter has none. Raises BadValue."""
    kind, at = value["type"], value["at"]
    size, reader = TYPES[kind]
    piece = raw[at : at + size]
    if len(piece) != size:
        if value["key"].startswith("energy_") and at:
            return None  # A meter with fewer tariffs sends fewer registers.
        raise BadValue(f"the reply is too short for {value['key']}: {len(raw)} bytes")
    if kind in REGISTERS:
        piece = _in_order(piece, coding)
    try:
        number = reader(piece, zone)
    except (OverflowError, ValueError) as error:
        raise BadValue(f"{value['key']}: {error}") from None
    if kind == "flow5":
        return litres(piece, coding.flow_decimals)
    if kind == "flag":
        return bool(number >> value.get("bit", 0) & 1)
    if number is None or isinstance(number, str | datetime | bool):
        return number
    if isinstance(number, float):
        return round(number / value.get("over", 1), value.get("decimals", 0))
    if "decimals" in value:
        return round(number / 10 ** value["decimals"], value["decimals"])
    return number * value.get("times", 1) // value.get("over", 1)
