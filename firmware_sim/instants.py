"""An instant inside a meter is an integer: microseconds UTC since 1970. Local time appears only here.

A meter never asks what time it is. It is told, and everything it knows about walls, days and midnights is
worked out from that integer and a zone.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ONE_US = timedelta(microseconds=1)
SECOND_US = 1_000_000
MINUTE_US = 60 * SECOND_US


def us_of(at: datetime) -> int:
    """Microseconds UTC of an aware instant; raises TypeError for a naive one."""
    return (at - EPOCH) // ONE_US


def instant_of(at_us: int) -> datetime:
    """The aware UTC instant of microseconds UTC."""
    return EPOCH + timedelta(microseconds=at_us)


def wall_of(at_us: int, zone: ZoneInfo) -> datetime:
    """Local time in `zone` at microseconds UTC, aware."""
    return instant_of(at_us).astimezone(zone)


def us_of_wall(day: date, minute: int, zone: ZoneInfo) -> int:
    """Microseconds UTC of a wall time given as minutes after the midnight printed on the clock.

    The wall time is built first and converted afterwards, so a day of 23 or 25 hours comes out right.
    """
    wall = datetime(day.year, day.month, day.day, minute // 60, minute % 60, tzinfo=zone)
    return us_of(wall)


def midnight_us(day: date, zone: ZoneInfo) -> int:
    """Microseconds UTC at which local `day` begins."""
    return us_of_wall(day, 0, zone)


def minute_due(wall: datetime, timer: str) -> int | None:
    """The minute of the hour of `wall` at which a timer mmhhDD (99 for any) is due, None for not in this hour."""
    minute, hour, day = timer[:2], timer[2:4], timer[4:6]
    fits = hour in ("99", f"{wall:%H}") and day in ("99", f"{wall:%d}")
    return int(minute) if fits else None
