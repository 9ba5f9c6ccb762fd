"""A load is watts as a function of seed and local time, constant within each minute, so energy is an exact integer.

A water meter counts the same way: litres an hour stand in the place of watts, and a litre in that of a watt-hour.

Energy is counted in W·µs: watts times microseconds, both integers. Integrating from a to b and from b to c
gives to the last digit what integrating from a to c gives, however the span is cut.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from itertools import accumulate
from zoneinfo import ZoneInfo

from .instants import MINUTE_US, midnight_us, wall_of

WUS_PER_WH = 3_600_000_000
"""One watt-hour in W·µs."""

DAYS_KEPT = 3
# A meter is read forward in time; yesterday, today and tomorrow are all that is asked twice.


@dataclass(frozen=True)
class Shape:
    """How a kind of tenant takes power over a day, in permille of the load's watts.

    hours: the level at each full hour 0..23; jitter: how far a minute strays; weekend: the factor of those two days;
    stepped: the level holds for its hour instead of sloping to the next.
    """

    hours: tuple[int, ...]
    jitter: int = 0
    weekend: int = 1000
    stepped: bool = False


def hours(text: str) -> tuple[int, ...]:
    """24 levels in percent, as one reads them, into permille."""
    levels = tuple(int(word) * 10 for word in text.split())
    if len(levels) != 24:
        raise ValueError("a day has 24 hours")
    return levels


SHAPES = {  # 0h                4h              8h              12h                 16h                 20h
    "constant": Shape((1000,) * 24),
    "steady": Shape(
        hours("8 8 8 8  8 8 8 8  8 100 100 100  100 100 100 100  100 100 100 100  100 100 8 8"), 40, 1000, True
    ),
    "shop": Shape(hours("6 6 6 6  6 6 6 8  25 70 90 95  95 90 90 92  95 100 100 100  95 70 15 6"), 120, 1150),
    "restaurant": Shape(
        hours("12 11 11 11  11 11 15 25  35 50 80 100  100 70 40 35  50 90 100 100  85 60 30 15"), 200, 1200
    ),
    "office": Shape(hours("7 7 7 7  7 7 7 15  60 95 100 100  70 85 100 100  95 70 35 20  12 9 7 7"), 100, 250),
    "dwelling": Shape(
        hours("18 15 13 12  12 15 35 50  35 25 22 35  45 30 25 25  35 60 95 100  90 75 50 30"), 350, 1200
    ),
    "water": Shape(hours("2 1 1 1  1 8 45 90  70 40 30 45  70 40 30 30  45 70 95 100  85 60 30 8"), 400, 1150),
    "night": Shape(hours("70 60 40 25  20 20 20 20  25 35 45 50  55 60 65 70  75 80 90 100  100 100 95 85"), 80, 1100),
}


class DayCurve:
    """One local day of one load: watts of each minute since local midnight, and their running sum in W·µs."""

    __slots__ = ("end_us", "start_us", "sum_wus", "watts")

    def __init__(self, start_us: int, end_us: int, watts: list[int]):
        self.start_us, self.end_us, self.watts = start_us, end_us, watts
        self.sum_wus = list(accumulate((w * MINUTE_US for w in watts), initial=0))

    def until_wus(self, at_us: int) -> int:
        """Energy from the day's start to `at_us`, which lies within the day or at its end."""
        minute, rest_us = divmod(at_us - self.start_us, MINUTE_US)
        return self.sum_wus[minute] + (self.watts[minute] * rest_us if rest_us else 0)


class Load:
    """What is plugged in behind one meter.

    kind: a name in SHAPES; watts: the integer the shape is a permille of; seed: the same seed draws the same days.
    """

    def __init__(self, kind: str, watts: int, seed: int, zone: ZoneInfo):
        if kind not in SHAPES:
            raise ValueError(f"load kind {kind!r} is not known; use one of {', '.join(sorted(SHAPES))}")
        if watts < 0:
            raise ValueError("a load takes power; watts are 0 or more")
        self.kind, self.watts, self.seed, self.zone = kind, watts, seed, zone
        self._flat = kind == "constant"
        self._days: dict[date, DayCurve] = {}
        self._newest: DayCurve | None = None

    def watts_at(self, at_us: int) -> int:
        """Watts in the minute that holds `at_us`."""
        if self._flat:
            return self.watts
        curve = self._curve(at_us)
        return curve.watts[(at_us - curve.start_us) // MINUTE_US]

    def energy_wus(self, from_us: int, to_us: int) -> int:
        """Exact energy in W·µs of the span [from_us, to_us); 0 where the span is empty."""
        if to_us <= from_us:
            return 0
        if self._flat:
            return self.watts * (to_us - from_us)
        energy = 0
        curve = self._curve(from_us)
        while to_us > curve.end_us:
            energy += curve.sum_wus[-1] - curve.until_wus(from_us)
            from_us = curve.end_us
            curve = self._curve(from_us)
        return energy + curve.until_wus(to_us) - curve.until_wus(from_us)

    def minute_sums(self, day: date) -> tuple[int, list[int]]:
        """The instant at which `day` begins, and the energy in W·µs up to each of its minutes, the last included."""
        if self._flat:
            start_us, end_us = midnight_us(day, self.zone), midnight_us(day + timedelta(days=1), self.zone)
            minutes = (end_us - start_us) // MINUTE_US
            return start_us, [self.watts * MINUTE_US * minute for minute in range(minutes + 1)]
        curve = self._day(day)
        return curve.start_us, curve.sum_wus

    def _curve(self, at_us: int) -> DayCurve:
        newest = self._newest
        if newest is None or not newest.start_us <= at_us < newest.end_us:
            newest = self._newest = self._day(wall_of(at_us, self.zone).date())
        return newest

    def _day(self, day: date) -> DayCurve:
        if day not in self._days:
            while len(self._days) >= DAYS_KEPT:
                self._days.pop(next(iter(self._days)))
            self._days[day] = _curve(self.kind, self.watts, self.seed, day, self.zone)
        return self._days[day]


@lru_cache(maxsize=128)  # Whoever judges a meter has the same load beside it.
def _curve(kind: str, watts: int, seed: int, day: date, zone: ZoneInfo) -> DayCurve:
    """A day, drawn: the shape between its full hours, with each minute's own jitter.

    Only Random.random() is used: it is the one draw whose sequence Python promises never to change.
    """
    start_us, end_us = midnight_us(day, zone), midnight_us(day + timedelta(days=1), zone)
    shape = SHAPES[kind]
    dice = random.Random(f"{kind}:{seed}:{day.isoformat()}").random
    # One day is up to 6 % busier than another, unless the kind is named for being steady.
    busy = 1000 if shape.stepped else 940 + int(dice() * 121)
    scale = watts * busy * (shape.weekend if day.isoweekday() >= 6 else 1000)
    least, span = 1000 - shape.jitter, 2 * shape.jitter + 1
    drawn = [
        scale * level * (least + int(dice() * span)) // (60 * 10**12)
        for level in _levels(kind, (end_us - start_us) // MINUTE_US)
    ]
    return DayCurve(start_us, end_us, drawn)


@lru_cache(maxsize=32)
def _levels(kind: str, minutes: int) -> list[int]:
    """The level of each minute of a day of so many, in permille x 60."""
    shape, found = SHAPES[kind], []
    for minute in range(minutes):
        hour, past = divmod(minute % 1440, 60)
        slope = 0 if shape.stepped else shape.hours[(hour + 1) % 24] - shape.hours[hour]
        found.append(shape.hours[hour] * 60 + slope * past)
    return found
