"""When a cut for arrears may happen (R2): left-closed, right-open windows in the site's local time.

A window counts on workdays, on weekdays by name, or every day; holidays rest, make-up days are worked, and a
protected season has no windows at all.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from edge.billing.tariff import wall_instant

HORIZON_DAYS = 100
"""Longer than any run of rest days or protected season; a calendar without a workday in it has none."""

DAYS_KEPT = 400
"""Days whose windows are remembered; whoever looks ahead looks at some hundred."""

Window = tuple[datetime, datetime]
"""(from, to), the end not included."""


@dataclass(frozen=True)
class Span:
    """Minutes of the local day, and on which days they count; 0 is Monday."""

    start_minute: int
    end_minute: int
    days: Literal["workdays", "all"] | frozenset[int] = "workdays"


@dataclass(frozen=True)
class Season:
    """Protected days, both included."""

    first: date
    last: date
    why: str


@dataclass(frozen=True)
class CutWindow:
    """All windows of a site. `work_days` are make-up days, `rest_days` holidays."""

    zone: ZoneInfo
    spans: tuple[Span, ...]
    rest_days: frozenset[date] = frozenset()
    work_days: frozenset[date] = frozenset()
    seasons: tuple[Season, ...] = ()
    _known: dict[date, list[Window]] = field(default_factory=dict, init=False, repr=False, compare=False)
    """By day, what `on` has worked out: it follows from the day and from nothing that changes."""

    def is_workday(self, day: date) -> bool:
        """A weekday that is no holiday, or a make-up day."""
        if day in self.work_days:
            return True
        return day.weekday() < 5 and day not in self.rest_days

    def season(self, day: date) -> Season | None:
        """Why this day is protected as a whole."""
        return next((each for each in self.seasons if each.first <= day <= each.last), None)

    def _counts(self, span: Span, day: date) -> bool:
        if span.days == "all":
            return True
        if span.days == "workdays":
            return self.is_workday(day)
        return day.weekday() in span.days and (day in self.work_days or day not in self.rest_days)

    def on(self, day: date) -> list[Window]:
        """The windows of a local day in their order, none where it is protected; those that touch are one."""
        if (known := self._known.get(day)) is None:
            if len(self._known) >= DAYS_KEPT:
                self._known.clear()
            known = self._known[day] = self._on(day)
        return known

    def _on(self, day: date) -> list[Window]:
        found: list[Window] = []
        if self.season(day) is not None:
            return found
        for span in sorted(self.spans, key=lambda span: span.start_minute):
            begins, ends = (wall_instant(day, each, self.zone) for each in (span.start_minute, span.end_minute))
            if not self._counts(span, day) or begins >= ends:  # A clock change can skip a whole window.
                continue
            if found and begins <= found[-1][1]:
                found[-1] = (found[-1][0], max(ends, found[-1][1]))
            else:
                found.append((begins, ends))
        return found

    def at(self, now: datetime) -> Window | None:
        """The window that is open at this instant: inside of it a cut is not forbidden by R2."""
        windows = self.on(now.astimezone(self.zone).date())
        return next((window for window in windows if window[0] <= now < window[1]), None)

    def is_open(self, now: datetime) -> bool:
        """True when a cut is not forbidden by R2 at this instant."""
        return self.at(now) is not None

    def opens(self, now: datetime) -> datetime | None:
        """`now` inside a window, else the next instant at which one opens."""
        day = now.astimezone(self.zone).date()
        for ahead in range(HORIZON_DAYS):
            for window in self.on(day + timedelta(days=ahead)):
                if now < window[1]:
                    return max(now, window[0])
        return None

    def changes(self, now: datetime) -> datetime | None:
        """The next instant at which a window opens or closes."""
        window = self.at(now)
        return self.opens(now) if window is None else window[1]
