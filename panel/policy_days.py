"""The days ahead as they stand against a cut: each local day, of 23 and 25 hours too, with its open spans (R2).

What is not open is protected. Positions are seconds since the day's own midnight, so that a bar is true to time.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from bridge.contract.cutting import OpenSpan, Policy, PolicyDay
from bridge.contract.units import instant_of
from panel.formats import Wall, weekday
from panel.words import later, t

KINDS = {
    "workday": later("workday"),
    "weekend": later("weekend"),
    "holiday": later("holiday"),
    "make-up": later("make-up day"),
    "protected": later("protected day"),
}

MARKED_H = (6, 12, 18)
"""Hours of the wall at which a bar has a mark."""


@dataclass(frozen=True)
class Day:
    """A row. `open` and `now_s` lie within `length_s`; `marks` are where the wall shows 6, 12 and 18."""

    title: str
    kind: str
    word: str
    """Its kind in words."""
    why: str
    words: str
    """When cuts are possible, as people say it."""
    length_s: int
    open: tuple[tuple[int, int], ...]
    marks: tuple[int, ...]
    now_s: int | None

    @property
    def hours(self) -> int:
        return self.length_s // 3600

    @property
    def odd(self) -> bool:
        """The clock is put forward or back on this day."""
        return self.length_s != 86_400


def days_of(policy: Policy, wall: Wall) -> list[Day]:
    """Today and the days after it. Days that are over by now are left out; a date that is none is as well."""
    found = []
    for row in policy.days:
        try:
            day = date.fromisoformat(row.date)
            if day >= wall.now.date():
                found.append((day, _day(row, day, wall)))
        except (ValueError, OverflowError):
            continue
    return [row for _, row in sorted(found, key=lambda pair: pair[0])]


def unknown_of(policy: Policy) -> str | None:
    """That the holidays of a year are not known, what follows from it and what to do; None where they are."""
    if not policy.unknown_years:
        return None
    years = t(", |between words").join(map(str, policy.unknown_years))
    return t(
        "The gateway does not know the official holidays of {years}: nobody is cut on days that may be holidays, and "
        "they are shown as holidays. Update Riser, or write rest_days and work_days of that year into the site file.",
        years=years,
    )


def _day(row: PolicyDay, day: date, wall: Wall) -> Day:
    begins, ends = _at(day, 0, wall), _at(day + timedelta(days=1), 0, wall)
    spans = [span for one in row.open if (span := _clipped(one, begins, ends))]
    names = t(KINDS[row.kind])
    today = begins <= wall.instant < ends
    return Day(
        f"{weekday(begins)} {day:%m-%d}", row.kind, t("today, {kind}", kind=names) if today else names, row.why or "",
        _words(spans, ends, wall), _seconds(begins, ends),
        tuple((_seconds(begins, a), _seconds(a, b)) for a, b in spans),
        tuple(_seconds(begins, _at(day, hour, wall)) for hour in MARKED_H),
        _seconds(begins, wall.instant) if today else None,
    )  # fmt: skip


def _at(day: date, hour: int, wall: Wall) -> datetime:
    """The instant at which the site's wall shows this hour."""
    return datetime(day.year, day.month, day.day, hour, tzinfo=wall.zone)


def _seconds(start: datetime, end: datetime) -> int:
    """Real seconds between two instants: two times of one zone would be taken from each other by the wall."""
    return round(end.timestamp() - start.timestamp())


def _clipped(one: OpenSpan, begins: datetime, ends: datetime) -> tuple[datetime, datetime] | None:
    """The part of a window that lies on this day; None where nothing of it does."""
    start, end = max(instant_of(one.from_), begins), min(instant_of(one.to), ends)
    return (start, end) if start < end else None


def _words(spans: list[tuple[datetime, datetime]], ends: datetime, wall: Wall) -> str:
    if not spans:
        return t("protected all day")
    # A day ends at 24:00, not at 00:00 of the next one.
    told = [f"{wall.clock(a)}–{wall.clock(b) if _seconds(b, ends) else '24:00'}" for a, b in spans]
    return t("cuts possible {spans}", spans=t(", |between words").join(told))
