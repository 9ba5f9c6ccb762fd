"""What an opening, a charge and a new tenant mean for a meter: where it goes on from, and what its days were like."""

from __future__ import annotations

from typing import Any

from bridge.contract.units import micros_of_text
from edge.billing.spans import ESTIMATED, GUESSED
from edge.pricing import CORRECTED
from edge.state import DAYS_KEPT, Mark, MeterState, Registers

DAY_AT_LEAST_US, DAY_AT_MOST_US = (hours * 3_600_000_000 for hours in (22, 26))
"""A whole day is 23 to 25 hours long, and a reading at its border may be a minute off."""


def mark_of(fields: dict[str, Any]) -> Mark:
    """A mark as an entry holds it."""
    return Mark(dict(fields["registers_wh"]), micros_of_text(fields["at"]), fields["source"])


def proven(meter: MeterState, mark: Mark) -> None:
    """It said so itself, and it is charged to there: whatever a person released before is settled with it."""
    meter.proven, meter.released_at = mark, None


def moved_in(meter: MeterState, account: str) -> None:
    """A tenant pays for it from now on: from an opening that is read now, for what was used before is not theirs."""
    meter.account, meter.vacant, meter.billed = account, meter.billed or meter.vacant, None
    meter.borders, meter.days, meter.estimated_days = [], [], 0


def opened(meter: MeterState, fields: dict[str, Any]) -> None:
    """It is charged from this register on (R19)."""
    meter.billed = mark_of(fields)
    proven(meter, meter.billed)
    meter.vacant = None
    meter.table_differs = bool(meter.table_found)
    meter.serial = meter.serial or fields["serial"]


def charged(meter: MeterState, fields: dict[str, Any]) -> None:
    """It is charged up to this register; the next charge begins there."""
    meter.billed = billed = mark_of(fields["end"])
    meter.borders = [mark for mark in meter.borders if mark.at > billed.at]
    meter.table_differs = bool(meter.table_found)  # Never within a charge: from here on, to the next one's end (R28).
    meter.estimated_days = meter.estimated_days + fields["days"] if billed.source == ESTIMATED else 0
    if billed.source not in GUESSED:
        proven(meter, billed)
        meter.days = [*meter.days, *_whole_day(billed, fields)][-DAYS_KEPT:]


def put_right(meter: MeterState, fields: dict[str, Any]) -> None:
    """The register it was last charged to was wrong, and with it what it used on that day. No day was counted up to a
    guess, and one that was put right before is gone already."""
    if meter.billed is not None and meter.billed.source not in (*GUESSED, CORRECTED):
        meter.days = meter.days[:-1]
    meter.billed = mark_of(fields["end"])
    proven(meter, meter.billed)
    meter.estimated_days = 0


def _whole_day(end: Mark, fields: dict[str, Any]) -> list[Registers]:
    """What a charge says of a whole day's use, where it is of one and no guess has part in it (R24)."""
    if (scale := fields.get("full_scale_wh")) is None:
        return []  # A charge of before: its scale is not told.
    start = mark_of(fields["start"])
    if start.source in GUESSED or not DAY_AT_LEAST_US <= end.at - start.at <= DAY_AT_MOST_US:
        return []
    shared = start.registers_wh.keys() & end.registers_wh.keys()
    return [{name: (end.registers_wh[name] - start.registers_wh[name]) % scale for name in sorted(shared)}]
