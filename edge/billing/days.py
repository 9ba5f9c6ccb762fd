"""Which kind of day a local day is: workday, weekend or holiday; by the calendar that people can edit (R2, R28)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

WORKDAY, WEEKEND, HOLIDAY = KINDS = ("workday", "weekend", "holiday")


@dataclass(frozen=True)
class Days:
    """`rest` are holidays, also those that fall on a weekend; `work` are weekend days that are worked (调休)."""

    rest: frozenset[date] = frozenset()
    work: frozenset[date] = frozenset()

    def kind(self, day: date) -> str:
        """A make-up day is a workday whatever else it is."""
        if day in self.work:
            return WORKDAY
        if day in self.rest:
            return HOLIDAY
        return WORKDAY if day.weekday() < 5 else WEEKEND


EVERY_WEEK = Days()
"""No holidays known."""
