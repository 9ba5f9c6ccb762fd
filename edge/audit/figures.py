"""How figures are written for people: registers in kWh or m3, money in full, instants in the site's own time."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from bridge.contract.units import RATES, instant_of, instant_of_micros, kwh_text
from edge.audit.words import WORDS, say

MARK_WORDS = {"opening": "at-opening"}
SOURCES = (
    "freeze", "border", "interpolated", "estimate", "load-record", "read", "corrected", "display", "saved",
)  # fmt: skip


def quantity(units: int, unit: str) -> str:
    """Wh as kWh, litres as m3, exact."""
    return f"{kwh_text(units)} {'m³' if unit == 'm3' else 'kWh'}"


def instant(text: str, zone: ZoneInfo) -> str:
    """An instant of the book on the site's wall, with its offset."""
    return wall(instant_of(text), zone)


def written_at(at: int, zone: ZoneInfo) -> str:
    """Microseconds of an entry on the site's wall."""
    return wall(instant_of_micros(at), zone)


def wall(at: datetime, zone: ZoneInfo) -> str:
    local = at.astimezone(zone)
    return f"{local:%Y-%m-%d %H:%M:%S} {local:%z}"


def rate_word(name: str, language: str) -> str:
    """A rate in words, or as it is named where it is a maker's own."""
    return say(name, language) if name in ("total", *RATES) else name


def in_order(names: Iterable[str]) -> list[str]:
    """Registers as a bill names them: the total, then the rates as DL/T 645 numbers them, then what else there is."""
    known = ("total", *RATES)
    return sorted(names, key=lambda name: (known.index(name) if name in known else len(known), name))


def line_word(line: dict[str, Any], language: str) -> str:
    """What a line of a charge is for."""
    key = f"{line.get('kind', 'rate')}-line"
    return say(key if key in WORDS else "rate-line", language, rate=rate_word(line["rate"], language))


def source_word(source: str, language: str) -> str:
    """How a register was obtained."""
    key = MARK_WORDS.get(source, source)
    known = key in SOURCES or key in MARK_WORDS.values()
    return say(key, language) if known else say("other-source", language, source=source)
