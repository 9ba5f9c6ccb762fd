"""The span of a charge, cut where its price changes: a new version, a new step period, and the hours' borders where
the meter keeps no register per rate (R27-R29).

Where a reading was taken at such an instant it divides the span; where none was, the registers are interpolated
there, and the charge says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from bridge.contract.units import instant_of_micros, micros_of
from edge.billing.days import Days
from edge.billing.tariff import SINGLE, Version, in_force, local_midnight
from edge.state import Mark, Registers

NEAR_US = 60_000_000
"""A reading this near stands for its border (design: Freeze reads)."""

NEAR_TOP_TENTHS = 9
"""A register may have rolled over only when it stood in the last tenth of its scale (R20)."""

ESTIMATED, INTERPOLATED = "estimate", "interpolated"
"""Sources of marks that no meter has said."""

GUESSED = (ESTIMATED, INTERPOLATED)


class NotRatable(Exception):
    """These readings cannot be charged under this price; nothing is charged and a person must look (R20, R28)."""


@dataclass(frozen=True)
class Rules:
    """What a span is priced by: the versions of one tariff, the site's zone and days. `borders` says that hours are
    told apart by readings of the total at their borders, not by the meter's registers per rate."""

    versions: Sequence[Version]
    zone: ZoneInfo
    days: Days
    borders: bool = False


@dataclass(frozen=True)
class Piece:
    """A part of a span under one version, within one step period and, for border reads, one rate."""

    start: Mark
    end: Mark
    version: Version
    middle: datetime


def behind(start_wh: int, end_wh: int, full_scale_wh: int) -> bool:
    """Does `end` stand before `start`? Whichever way round the register is shorter, over its top too."""
    return (end_wh - start_wh) % full_scale_wh * 2 > full_scale_wh


def span_wh(start_wh: int, end_wh: int, full_scale_wh: int) -> int:
    """Energy between two readings of one register. Raises NotRatable for a step back that is no roll-over (R20)."""
    if end_wh >= start_wh:
        return end_wh - start_wh
    if start_wh * 10 >= full_scale_wh * NEAR_TOP_TENTHS:
        return end_wh + full_scale_wh - start_wh
    raise NotRatable(f"R20: the register fell from {start_wh} to {end_wh} Wh and had not been near its top")


def used_wh(start: Mark, end: Mark, name: str, full_scale_wh: int) -> int:
    """Energy of one register between two marks. What was estimated too high is taken back: then it is negative (R24),
    also where the estimate had passed the full scale and the meter has not. Raises NotRatable.
    """
    before, after = start.registers_wh[name], end.registers_wh[name]
    if start.source in GUESSED:
        forward = (after - before) % full_scale_wh
        return forward - full_scale_wh if behind(before, after, full_scale_wh) else forward
    return span_wh(before, after, full_scale_wh)


def pieces(marks: Sequence[Mark], rules: Rules, full_scale_wh: int) -> list[Piece]:
    """The span from the first mark to the last, cut. Marks between are readings at borders, by time; all are used.

    Raises NotRatable.
    """
    found: list[Mark] = list(marks)
    for border in _borders(marks[0].at, marks[-1].at, rules):
        at = micros_of(border)
        if all(abs(mark.at - at) > NEAR_US for mark in found):
            place = next(n for n, mark in enumerate(found) if mark.at > at)
            found.insert(place, between(found[place - 1], found[place], at, rules, full_scale_wh))
    cut = []
    for start, end in pairwise(found):
        middle = instant_of_micros((start.at + end.at) // 2)
        cut.append(Piece(start, end, in_force(rules.versions, middle), middle))
    return cut


def _borders(first: int, last: int, rules: Rules) -> Iterator[datetime]:
    """Instants within a span at which its price changes, or its step counter begins anew."""
    if len(rules.versions) == 1 and rules.versions[0].steps is None and not rules.borders:
        return  # One price, whatever the hour: the usual day.
    begins, ends = instant_of_micros(first), instant_of_micros(last)
    changes = sorted({each.effective_at for each in rules.versions if begins < each.effective_at < ends})
    yield from changes
    for start, end in pairwise([begins, *changes, ends]):
        version = in_force(rules.versions, start + (end - start) // 2)
        if version.steps is not None:
            period = version.steps.next(version.steps.begins(start.astimezone(rules.zone).date()))
            while (reset := local_midnight(period, rules.zone)) < end:
                yield reset
                period = version.steps.next(period)
        if version.by_hours and rules.borders:
            count = (end.astimezone(rules.zone).date() - start.astimezone(rules.zone).date()).days + 1
            spans = list(version.spans(start, rules.zone, count, rules.days))
            yield from (
                after[0] for before, after in pairwise(spans) if before[2] != after[2] and start < after[0] < end
            )


def between(before: Mark, after: Mark, at: int, rules: Rules, full_scale_wh: int) -> Mark:
    """Registers at an instant between two marks, as if each rate's load had been even over its hours.

    Where hours are told apart by borders the registers per rate say nothing: then the total alone is divided (R28).
    """
    registers: Registers = {}
    whole = moved = 0
    halves = (before.at, at), (at, after.at)
    names = set() if rules.borders else before.registers_wh.keys() & after.registers_wh.keys() - {SINGLE}
    hours = _hours_of(halves, rules) if names else []
    for name in sorted(names):
        used = used_wh(before, after, name, full_scale_wh)
        early, late = (
            _seconds_of(name, *half, version, rules) for half, version in zip(halves, hours, strict=True)
        )  # fmt: skip
        part = used * early // (early + late) if early + late else used * (at - before.at) // (after.at - before.at)
        registers[name] = (before.registers_wh[name] + part) % full_scale_wh
        whole, moved = whole + used, moved + part
    if SINGLE in before.registers_wh and SINGLE in after.registers_wh:
        used = used_wh(before, after, SINGLE, full_scale_wh)
        part = used * (at - before.at) // (after.at - before.at)
        # The total goes with its rates; where these do not add up to it, it still stays between the marks.
        if registers:
            part = moved if whole == used else min(max(moved, min(used, 0)), max(used, 0))
        registers[SINGLE] = (before.registers_wh[SINGLE] + part) % full_scale_wh
    return Mark(registers, at, INTERPOLATED)


def _hours_of(halves: tuple[tuple[int, int], ...], rules: Rules) -> list[Version]:
    """The version whose hours divide a register in each half: a single price has none, so its neighbour's count."""
    found = [in_force(list(rules.versions), instant_of_micros(sum(half) // 2)) for half in halves]
    by_hours = [version for version in found if version.by_hours]
    return [version if version.by_hours or not by_hours else by_hours[0] for version in found]


def _seconds_of(rate: str, first: int, last: int, version: Version, rules: Rules) -> int:
    """How many seconds between two instants a rate has."""
    begins, ends = instant_of_micros(first), instant_of_micros(last)
    count = (ends.astimezone(rules.zone).date() - begins.astimezone(rules.zone).date()).days + 1
    return sum(
        (min(to, ends) - since) // timedelta(seconds=1)
        for since, to, name in version.spans(begins, rules.zone, count, rules.days)
        if name == rate and since < ends
    )
