"""Prices: a version never changes, is effective from an instant, and says what a kWh costs at each local minute (R27).

Prices are micro-yuan per kWh. Windows are local wall times of the site; a day is built from wall times and
then converted, so days of 23 and 25 hours come out right (R26).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from bridge.contract.units import instant_of
from edge.billing.days import EVERY_WEEK, Days
from edge.billing.steps import Step, Steps

SINGLE = "total"
"""The rate of a single price, and the register it is charged on."""


Windows = tuple[tuple[int, int, str], ...]
"""(from minute, to minute, rate) of a local day, sorted, gapless, covering it."""


@dataclass(frozen=True)
class Table:
    """The windows of some days: `seasons` are (from, to) as month x 100 + day, both included, empty for the whole
    year; a season may pass New Year. `days` are kinds of day, empty for all."""

    windows: Windows
    seasons: tuple[tuple[int, int], ...] = ()
    days: frozenset[str] = frozenset()

    def holds(self, day: date, kind: str) -> bool:
        """True for a day on which these windows count."""
        if self.days and kind not in self.days:
            return False
        of_year = day.month * 100 + day.day
        return not self.seasons or any(
            first <= of_year <= last if first <= last else of_year >= first or of_year <= last
            for first, last in self.seasons
        )


@dataclass(frozen=True)
class Surcharge:
    """So much per kWh, also a reduction, for accounts of one category, or for all."""

    name: str
    micro: int
    category: str | None = None


@dataclass(frozen=True)
class Version:
    """One version of one tariff. `windows` count on days that no table of `tables` claims; the first that does wins.

    Prices are micro-yuan per kWh, or per m3 where `unit` says so.
    """

    tariff: str
    name: str
    version: int
    effective_at: datetime
    kind: str
    prices_micro: dict[str, int]
    windows: Windows
    tables: tuple[Table, ...] = ()
    steps: Steps | None = None
    surcharges: tuple[Surcharge, ...] = ()
    daily_fee_nano: int = 0
    unit: str = "kWh"
    purchase_micro: dict[str, int] = field(default_factory=dict)

    @property
    def rates(self) -> tuple[str, ...]:
        """The registers that this price is charged on."""
        return tuple(self.prices_micro)

    @property
    def by_hours(self) -> bool:
        """True for a price that depends on the hour (分时)."""
        return self.kind == "tou"

    def windows_of(self, day: date, days: Days) -> Windows:
        """What counts on a local day."""
        if not self.by_hours:
            return ((0, 1440, SINGLE),)
        kind = days.kind(day)
        return next((table.windows for table in self.tables if table.holds(day, kind)), self.windows)

    def price_at(self, now: datetime, zone: ZoneInfo, days: Days = EVERY_WEEK) -> int:
        """Micro-yuan per kWh at an instant, before steps and surcharges."""
        return self.prices_micro[self.rate_at(now, zone, days)]

    def rate_at(self, now: datetime, zone: ZoneInfo, days: Days = EVERY_WEEK) -> str:
        """The rate at an instant: that of the span which it lies in."""
        return next(self.spans(now, zone, 1, days))[2]

    def spans(
        self, now: datetime, zone: ZoneInfo, count: int, days: Days = EVERY_WEEK
    ) -> Iterator[tuple[datetime, datetime, str]]:
        """Spans (from, to, rate) from `now` on, gapless, for `count` local days."""
        day = now.astimezone(zone).date()
        for _ in range(count):
            for start, end, rate in self.windows_of(day, days):
                begins, ends = wall_instant(day, start, zone), wall_instant(day, end, zone)
                if ends > now and ends > begins:
                    yield max(begins, now), ends, rate
            day += timedelta(days=1)

    def ahead(
        self, now: datetime, zone: ZoneInfo, count: int, days: Days = EVERY_WEEK, more_micro: int = 0
    ) -> Iterator[tuple[datetime, datetime, int]]:
        """Spans (from, to, micro-yuan per kWh) as `spans`; `more_micro` is what surcharges add to each."""
        return (
            (begins, ends, self.prices_micro[rate] + more_micro)
            for begins, ends, rate in self.spans(now, zone, count, days)
        )

    def surcharges_of(self, category: str | None) -> tuple[Surcharge, ...]:
        """Those that an account of this category pays."""
        return tuple(each for each in self.surcharges if each.category in (None, category))


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
    """The version that a `tariff/1` or `tariff/2` entry holds."""
    steps = fields.get("steps")
    return Version(
        fields["tariff"],
        fields["name"],
        fields["version"],
        instant_of(fields["effective_at"]),
        fields["price_kind"],
        fields["prices_micro"],
        _windows(fields["windows"]),
        tuple(
            Table(
                _windows(table["windows"]),
                tuple((int(first), int(last)) for first, last in table["seasons"]),
                frozenset(table["days"]),
            )
            for table in fields.get("tables", ())
        ),
        None if steps is None else Steps(
            steps["period"],
            tuple(Step(step["above_wh"], step["add_micro"]) for step in steps["steps"]),
            steps["month"], steps["day"], steps["moving_in"],
        ),
        tuple(Surcharge(each["name"], each["micro"], each["category"]) for each in fields.get("surcharges", ())),
        fields.get("daily_fee_nano", 0),
        fields.get("unit", "kWh"),
        fields.get("purchase_micro", {}),
    )  # fmt: skip


def _windows(rows: Iterable[dict[str, Any]]) -> Windows:
    return tuple(sorted((int(row["from"]), int(row["to"]), row["rate"]) for row in rows))


def in_force(versions: Sequence[Version], at: datetime) -> Version:
    """The version in force at an instant: the newest that is effective by then.

    Before the first one begins, the first: a clock that stands in the past must not stop reading and restoring (R25).
    """
    if len(versions) == 1:
        return versions[0]
    effective = [version for version in versions if version.effective_at <= at]
    if not effective:
        return min(versions, key=lambda version: (version.effective_at, version.version))
    return max(effective, key=lambda version: (version.effective_at, version.version))
