"""A register that was worked out between two readings: which two they were, and the sum, for anybody to do again. Pure.

    register = earlier reading + (later - earlier) x (time since the earlier) / (time between both), rounded down

A mark is {registers_wh, at, source}, as charges have it. Registers in Wh, of water in litres; times in microseconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any, NamedTuple

from bridge.contract.units import micros_of_text

Mark = dict[str, Any]

INTERPOLATED, GUESSED = "interpolated", ("interpolated", "estimate")


class Part(NamedTuple):
    """One register: where it stood, by what it moved between the two readings, and how much of that lies before the
    instant. `straight` says that it is the straight line's part; else its rate has hours on one side only."""

    register: str
    before: int
    moved: int
    part: int
    straight: bool


class Between(NamedTuple):
    """Two readings, and what lies of each register between the first and the instant in question."""

    before: Mark
    after: Mark
    early_us: int
    whole_us: int
    parts: list[Part]


def between(mark: Mark, before: Mark, after: Mark, full_scale_wh: int) -> Between | None:
    """The sum that gives `mark`; None where it does not lie between the two."""
    at, first, last = (micros_of_text(each["at"]) for each in (mark, before, after))
    if not first <= at < last:
        return None
    parts = []
    for name, value in mark["registers_wh"].items():
        if name in before["registers_wh"] and name in after["registers_wh"]:
            stood, back = before["registers_wh"][name], before.get("source") in GUESSED
            moved = _moved(stood, after["registers_wh"][name], full_scale_wh, back)
            part = _moved(stood, value, full_scale_wh, moved < 0)
            parts.append(Part(name, stood, moved, part, part == moved * (at - first) // (last - first)))
    return Between(before, after, at - first, last - first, parts)


def around(marks: Sequence[Mark], place: int, full_scale_wh: int) -> Between | None:
    """The two marks of a charge between which the one at `place` was worked out: readings, before all; where their
    straight line does not give it, the pair whose line does, among them another border that was worked out."""
    sooner, later = list(reversed(marks[:place])), list(marks[place + 1 :])
    for each in (sooner, later):
        each.sort(key=lambda mark: mark.get("source") == INTERPOLATED)  # Stable: the nearest reading stands first.
    pairs = (between(marks[place], *pair, full_scale_wh) for pair in product(sooner, later))
    found = [pair for pair in pairs if pair is not None]
    return next((pair for pair in found if all(part.straight for part in pair.parts)), found[0] if found else None)


def _moved(before: int, after: int, full_scale_wh: int, back: bool) -> int:
    """By what a register moved: over its top, or back where what stood before was guessed too high."""
    if full_scale_wh <= 0:
        return after - before
    forward = (after - before) % full_scale_wh
    return forward - full_scale_wh if back and forward * 2 > full_scale_wh else forward
