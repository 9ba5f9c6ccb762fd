"""Steps (阶梯): what a kWh costs more once an account has used so much in its month or year (R29).

A step adds to the price; it does not replace it. So it is the same money whichever hour crossed the bound, and a
price may have hours and steps at once. Bounds are Wh (or litres) of one account's period, over all its meters.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

FAR = 1 << 62
"""Above every counter."""


@dataclass(frozen=True)
class Step:
    """From `above_wh` on, exclusive, a unit costs `add_micro` more than the price."""

    above_wh: int
    add_micro: int


@dataclass(frozen=True)
class Steps:
    """`steps` ascend. A period begins at 00:00 of `day` of each month, or of `month`-`day` of each year; a month that
    has no such day begins its period on its last."""

    period: str
    steps: tuple[Step, ...]
    month: int = 1
    day: int = 1
    moving_in: str = "full"

    def begins(self, day: date) -> date:
        """The first day of the period that a local day lies in."""
        start = self._start(day.year, day.month)
        if start <= day:
            return start
        if self.period == "year":
            return self._start(day.year - 1, 1)
        last = day.replace(day=1) - timedelta(days=1)
        return self._start(last.year, last.month)

    def next(self, begins: date) -> date:
        """The first day of the period after the one that begins there."""
        if self.period == "year":
            return self._start(begins.year + 1, 1)
        return self._start(begins.year + begins.month // 12, begins.month % 12 + 1)

    def _start(self, year: int, month: int) -> date:
        month = self.month if self.period == "year" else month
        return date(year, month, min(self.day, monthrange(year, month)[1]))

    def for_period(self, begins: date, since: date) -> tuple[Step, ...]:
        """The bounds of a period for a tenant who moved in on `since`: whole, or by the days that were left of it."""
        if self.moving_in == "full" or since <= begins:
            return self.steps
        ends = self.next(begins)
        left, whole = max((ends - since).days, 0), (ends - begins).days
        return tuple(Step(step.above_wh * left // whole, step.add_micro) for step in self.steps)


def split(before_wh: int, used_wh: int, steps: tuple[Step, ...]) -> Iterator[tuple[int, int, int]]:
    """(number of the step, Wh in it, addition in micro-yuan) of the use that carries a counter from `before_wh` on.

    The first step adds nothing and is not told. A negative use, an estimate taken back, gives back the highest first.
    """
    bounds = [*steps, Step(FAR, 0)]
    for number, (step, above) in enumerate(pairwise(bounds), 2):
        wh = _inside(before_wh + used_wh, step, above) - _inside(before_wh, step, above)
        if wh:
            yield number, wh, step.add_micro


def _inside(counter_wh: int, step: Step, above: Step) -> int:
    return max(0, min(counter_wh, above.above_wh) - step.above_wh)


def addition_at(counter_wh: int, steps: tuple[Step, ...]) -> int:
    """What the next unit costs more, in micro-yuan."""
    return max(((step.above_wh, step.add_micro) for step in steps if step.above_wh <= counter_wh), default=(0, 0))[1]
