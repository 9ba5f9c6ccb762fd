"""Prices: a version never changes, is effective from an instant, and says what a kWh costs at each local minute (R27).

Prices are micro-yuan per kWh. Windows are local wall times of the site; a day is built from wall times and
then converted, so days of 23 and 25 hours come out right (R26).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from bridge.contract.units import instant_of

SINGLE = "total"
"""The rate of a single price, and the register it is charged on."""


@dataclass(frozen=True)
class Version:
    """One version of one tariff. `windows` are (from minute, to minute, rate), sorted, covering the day."""

    tariff: str
    name: str
    version: int
    effective_at: datetime
    kind: str
    prices_micro: dict[str, int]
    windows: tuple[tuple[int, int, str], ...]

    @property
    def rates(self) -> tuple[str, ...]:
        """The registers that this price is charged on."""
        return tuple(self.prices_micro)

    def price_at(self, now: datetime, zone: ZoneInfo) -> int:
        """Micro-yuan per kWh at an instant: the price of the span of `ahead` that it lies in."""
        return next(self.ahead(now, zone, 1))[2]

    def ahead(self, now: datetime, zone: ZoneInfo, days: int) -> Iterator[tuple[datetime, datetime, int]]:
        """Spans (from, to, micro-yuan per kWh) from `now` on, gapless, for `days` local days."""
        windows = self.windows if self.kind == "tou" else ((0, 1440, SINGLE),)
        day = now.astimezone(zone).date()
        for _ in range(days):
            for start, end, rate in windows:
                begins, ends = wall_instant(day, start, zone), wall_instant(day, end, zone)
                if ends > now and ends > begins:
                    yield max(begins, now), ends, self.prices_micro[rate]
            day += timedelta(days=1)


@lru_cache(maxsize=8192)  # Every forecast walks the same borders of the next days.
def wall_instant(day: date, minute: int, zone: ZoneInfo) -> datetime:
    """The instant of a local wall time, `minute` minutes after midnight on the wall's clock; 1440 is the next day.

    A time that a clock change skips counts from the instant of the change; one that comes twice is its first coming.
    """
    days, minute = divmod(minute, 1440)
    wall = datetime.combine(day + timedelta(days=days), time(minute // 60, minute % 60), zone)
    before, after = wall.astimezone(UTC), wall.replace(fold=1).astimezone(UTC)
    return before if before <= after else _change_between(after, before, zone)


def _change_between(early: datetime, late: datetime, zone: ZoneInfo) -> datetime:
    """The whole second at which the zone's offset changes, after `early` and not after `late`."""
    offset = early.astimezone(zone).utcoffset()
    while late - early > timedelta(seconds=1):
        middle = early + timedelta(seconds=int((late - early).total_seconds()) // 2)
        early, late = (middle, late) if middle.astimezone(zone).utcoffset() == offset else (early, middle)
    return late


def local_midnight(day: date, zone: ZoneInfo) -> datetime:
    """The instant at which a local day begins."""
    return wall_instant(day, 0, zone)


def version_of(fields: dict[str, Any]) -> Version:
    """The version that a `tariff/1` entry holds."""
    windows = sorted((window["from"], window["to"], window["rate"]) for window in fields["windows"])
    return Version(
        fields["tariff"],
        fields["name"],
        fields["version"],
        instant_of(fields["effective_at"]),
        fields["price_kind"],
        fields["prices_micro"],
        tuple((int(start), int(end), rate) for start, end, rate in windows),
    )


def in_force(versions: list[Version], at: datetime) -> Version:
    """The version in force at an instant: the newest that is effective by then.

    Before the first one begins, the first: a clock that stands in the past must not stop reading and restoring (R25).
    """
    effective = [version for version in versions if version.effective_at <= at]
    if not effective:
        return min(versions, key=lambda version: (version.effective_at, version.version))
    return max(effective, key=lambda version: (version.effective_at, version.version))
