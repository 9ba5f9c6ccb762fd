"""When a cut for arrears may happen (R2): left-closed, right-open, on workdays, in the site's local time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from edge.billing.tariff import wall_instant

HORIZON_DAYS = 40
"""Longer than any run of rest days; a calendar without a workday in it has none."""


@dataclass(frozen=True)
class CutWindow:
    """Minutes of the local day, and which days count. `work_days` are make-up days, `rest_days` holidays."""

    zone: ZoneInfo
    start_minute: int
    end_minute: int
    workdays_only: bool
    rest_days: frozenset[date] = frozenset()
    work_days: frozenset[date] = frozenset()

    def is_workday(self, day: date) -> bool:
        """A weekday that is no holiday, or a make-up day."""
        if day in self.work_days:
            return True
        return day.weekday() < 5 and day not in self.rest_days

    def on(self, day: date) -> tuple[datetime, datetime] | None:
        """The window of a local day as instants (from, to), or None when that day is protected."""
        if self.workdays_only and not self.is_workday(day):
            return None
        begins, ends = wall_instant(day, self.start_minute, self.zone), wall_instant(day, self.end_minute, self.zone)
        return (begins, ends) if begins < ends else None  # A clock change can skip a whole window.

    def is_open(self, now: datetime) -> bool:
        """True when a cut is not forbidden by R2 at this instant."""
        window = self.on(now.astimezone(self.zone).date())
        return window is not None and window[0] <= now < window[1]

    def opens(self, now: datetime) -> datetime | None:
        """`now` inside a window, else the next instant at which one opens."""
        day = now.astimezone(self.zone).date()
        for ahead in range(HORIZON_DAYS):
            window = self.on(day + timedelta(days=ahead))
            if window is not None and now < window[1]:
                return max(now, window[0])
        return None

    def changes(self, now: datetime) -> datetime | None:
        """The next instant at which a window opens or closes."""
        if not self.is_open(now):
            return self.opens(now)
        window = self.on(now.astimezone(self.zone).date())
        assert window is not None
        return window[1]
