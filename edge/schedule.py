"""What is due at `now`: midnights and what hangs on them. APScheduler's triggers under our own clock.

Its scheduler reads the wall clock itself and drops late jobs, so only its pure triggers are used; missed days
are caught up from the book, never from a timer.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from apscheduler.triggers.cron import CronTrigger

from edge.billing.tariff import local_midnight


class Schedule:
    """The site's local midnights."""

    def __init__(self, zone: ZoneInfo):
        self._zone = zone
        # The trigger names days by their noon, which exists once in every zone; a midnight may vanish or come twice.
        self._noons = CronTrigger(hour=12, minute=0, second=0, timezone=zone)

    def next_midnight(self, now: datetime) -> datetime:
        """The first local midnight after `now`, as an instant."""
        noon = datetime.combine(self.today(now), time(12, 0, 1), self._zone)
        found = self._noons.get_next_fire_time(None, noon)
        assert found is not None
        return local_midnight(found.date(), self._zone)

    def today(self, now: datetime) -> date:
        """The site's local day at `now`."""
        return now.astimezone(self._zone).date()

    def day_due(self, after: date, now: datetime) -> date | None:
        """The local day after `after`, if it has ended by `now`."""
        day = after + timedelta(days=1)
        return day if local_midnight(day + timedelta(days=1), self._zone) <= now else None
