"""Registers at a midnight that no meter has said: between two readings, or by what its last days were like (R24).

Pure: marks in, a mark out. Each says that it is a guess; the next real reading settles what it was wrong by.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from edge.billing.spans import ESTIMATED, NotRatable, Rules, between, used_wh
from edge.state import DAYS_KEPT, Mark, Registers

DAY_US = 86_400 * 1_000_000


def interpolated(readings: Sequence[Mark], at: int, rules: Rules, full_scale_wh: int) -> Mark | None:
    """Registers at an instant between readings on both sides of it, or None where a reading contradicts another."""
    before = [mark for mark in readings if mark.at <= at]
    after = [mark for mark in readings if mark.at > at]
    if not before or not after:
        return None
    try:
        for sooner, later in pairwise(readings):
            for name in sooner.registers_wh.keys() & later.registers_wh.keys():
                used_wh(sooner, later, name, full_scale_wh)
    except NotRatable:
        return None
    return between(before[-1], after[0], at, rules, full_scale_wh)


def estimated(
    base: Mark, later: Mark | None, days: Sequence[Registers], at: int, full_scale_wh: int, flows: bool = True
) -> Mark | None:
    """Registers at an instant, by the mean of the last whole days; None where there are too few of those.

    `base` is what stood before, `later` what is known to have stood afterwards and bounds it. `flows` is False behind
    an open relay, where nothing is used.
    """
    if len(days) < DAYS_KEPT or any(name not in day for day in days for name in base.registers_wh):
        return None
    registers: Registers = {}
    for name, was in base.registers_wh.items():
        used = sum(day[name] for day in days) * (at - base.at) // (len(days) * DAY_US) if flows else 0
        if later is not None and name in later.registers_wh:
            try:
                used = min(used, max(used_wh(base, later, name, full_scale_wh), 0))
            except NotRatable:
                return None
        registers[name] = (was + used) % full_scale_wh
    return Mark(registers, at, ESTIMATED)
