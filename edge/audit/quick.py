"""The common frame of a book, a DL/T 645 answer of BCD registers, read without detours; None for any other.

A book of ten years has a million of them. What is not plainly this shape (a part of several, a refusal, another sum, an
odd digit) is not judged here: `frames.py` then asks the meter's model. A test holds that both read the same.
"""

from __future__ import annotations

from functools import lru_cache

from edge import model
from edge.state import Registers

_LESS_33 = bytes((byte - 0x33) & 0xFF for byte in range(256))
_ANSWERS_A_READ = 0x91


@lru_cache(maxsize=256)
def layout(kind: str, name: str) -> tuple[tuple[str, int, int], ...] | None:
    """(register, place, Wh per digit) of a model's row; None where it has more to it than BCD of four bytes."""
    meter = model.load(kind)
    if meter.protocol != "dlt645-2007" or name not in meter.rows or meter.rows[name].length is not None:
        return None
    found = []
    for value in meter.rows[name].values:
        if value["type"] != "bcd4" or value.keys() - {"key", "at", "type", "times"}:
            return None
        key = value["key"]
        if not (key.startswith("energy_") and key.endswith("wh")):
            return None
        register = key.removeprefix("energy_").removesuffix("wh").rstrip("_") or "total"
        found.append((register, value["at"], value.get("times", 1)))
    return tuple(found)


def contents(text: str) -> bytes | None:
    """The value bytes of a whole answer to a read, in hex as the book keeps it."""
    raw = bytes.fromhex(text)
    if raw[:1] == b"\xfe":
        raw = raw.lstrip(b"\xfe")
    size = len(raw)
    if size < 16 or raw[8] != _ANSWERS_A_READ or raw[0] != 0x68 or raw[7] != 0x68 or raw[9] != size - 12:
        return None
    if raw[-1] != 0x16 or sum(raw[:-2]) & 0xFF != raw[-2]:
        return None
    return raw[14:-2].translate(_LESS_33)


def registers(kind: str, name: str, text: str) -> Registers | None:
    """The registers in an answer."""
    rows, raw = layout(kind, name), contents(text)
    if rows is None or raw is None:
        return None
    found = {}
    for register, at, times in rows:
        digits = raw[at : at + 4][::-1].hex()
        if len(digits) != 8 or not digits.isdecimal():
            return None
        found[register] = int(digits) * times
    return found
