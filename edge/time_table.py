"""A meter's own time table, and whether it is that of a price: zones, day tables, rest days, holidays (R28).

    04010000  14 x MMDDNN, from which day on which table counts    04010001 ...  14 x hhmmNN, from when on which rate
    04030001  YYMMDDNN, a holiday and its table          04000801 / 02  weekdays (bit 0 Sunday; 0 rests), their table

All BCD, low byte first: NN comes first on the line. Unused entries repeat the last one. The second set stands at 0402.
What is before the first entry of a table, or of a year, belongs to its last one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo

from bridge.contract.units import RATES
from edge.billing.days import Days
from edge.billing.tariff import Version, Windows, in_force, local_midnight
from edge.codec.errors import BadValue

DAYS_AHEAD = 366
"""A season, a holiday: whatever comes within a year."""

ALL_WORK = 0x7F


@dataclass(frozen=True)
class OwnTable:
    """What a meter has told of its tables, numbers as it has them."""

    zones: tuple[tuple[int, int], ...]
    """(month x 100 + day, day table), ascending."""
    days: dict[int, tuple[tuple[int, int], ...]]
    """(minute, rate's number), ascending."""
    work_bits: int = ALL_WORK
    rest_table: int = 0
    holidays: dict[date, int] = field(default_factory=dict)

    def table_of(self, day: date) -> int:
        """The number of the day table that counts on a day."""
        if day in self.holidays:
            return self.holidays[day]
        if self.rest_table and not self.work_bits >> day.isoweekday() % 7 & 1:
            return self.rest_table
        begun = [table for since, table in self.zones if since <= day.month * 100 + day.day]
        return begun[-1] if begun else self.zones[-1][1]

    def windows_of(self, day: date) -> Windows:
        """(from minute, to minute, rate) of a day; nothing where the meter has no such table."""
        return self.windows(self.table_of(day))

    def windows(self, number: int) -> Windows:
        """The same of a day table by its number."""
        table = self.days.get(number, ())
        if not table:
            return ()
        starts = list(table) if table[0][0] == 0 else [(0, table[-1][1]), *table]
        return merged([(since, to, name(rate)) for (since, rate), (to, _) in pairwise([*starts, (1440, 0)])])


@dataclass(frozen=True)
class Difference:
    """The first day on which a meter's table and a price part, and at which minute."""

    day: date
    minute: int
    own: str | None
    price: str


def name(rate: int) -> str:
    """A rate's name by its number in DL/T 645; the number itself where it has none here."""
    return RATES[rate - 1] if 1 <= rate <= len(RATES) else str(rate)


def merged(windows: Sequence[tuple[int, int, str]]) -> Windows:
    """The same without borders at which nothing changes."""
    found: list[tuple[int, int, str]] = []
    for since, to, rate in windows:
        if found and found[-1][2] == rate:
            since = found.pop()[0]
        found.append((since, to, rate))
    return tuple(found)


def difference(
    own: OwnTable | None, versions: Sequence[Version], zone: ZoneInfo, days: Days, now: datetime
) -> Difference | None:
    """Where a meter's table first parts from the price of now, within a year or until that price ends; None: nowhere.

    `own` is None for a meter that does not tell its table: then nothing is known to be the same.
    """
    version, day = in_force(list(versions), now), now.astimezone(zone).date()
    ends = min((each.effective_at for each in versions if each.effective_at > now), default=None)
    theirs_of, ours_of = cache(merged), cache(own.windows) if own else None  # A year has few kinds of days.
    for _ in range(DAYS_AHEAD):
        theirs = theirs_of(version.windows_of(day, days))
        ours = ours_of(own.table_of(day)) if own and ours_of else ()
        if theirs != ours:
            minute = next(minute for minute in range(1440) if _rate(theirs, minute) != _rate(ours, minute))
            return Difference(day, minute, _rate(ours, minute), _rate(theirs, minute) or "")
        day += timedelta(days=1)
        if ends is not None and local_midnight(day, zone) >= ends:
            break
    return None


def _rate(windows: Windows, minute: int) -> str | None:
    return next((rate for since, to, rate in windows if since <= minute < to), None)


# --- bytes ---


def zones_of(raw: bytes) -> tuple[tuple[int, int], ...]:
    """Year zones. Raises BadValue."""
    return _sorted((month * 100 + day, table) for table, day, month in _triples(raw))


def day_table_of(raw: bytes) -> tuple[tuple[int, int], ...]:
    """A day table. Raises BadValue."""
    return _sorted((hour * 60 + minute, rate) for rate, minute, hour in _triples(raw))


def holiday_of(raw: bytes) -> tuple[date, int] | None:
    """(day, table), None for an entry that is not used. Raises BadValue."""
    table, day, month, year = _bcd(raw[:4], 4)
    try:
        return date(2000 + year, month, day), table
    except ValueError:
        return None


def number_of(raw: bytes) -> int:
    """A BCD number, low byte first. Raises BadValue."""
    return sum(byte * 100**place for place, byte in enumerate(_bcd(raw, len(raw))))


def _triples(raw: bytes) -> list[list[int]]:
    """Entries of three bytes; those whose number is 0 are not used."""
    if not raw or len(raw) % 3:
        raise BadValue(f"{len(raw)} bytes are no table of three-byte entries")
    rows = [_bcd(raw[at : at + 3], 3) for at in range(0, len(raw), 3)]
    return [row for row in rows if row[0]]


def _sorted(rows: object) -> tuple[tuple[int, int], ...]:
    found: tuple[tuple[int, int], ...] = tuple(sorted(set(rows)))  # type: ignore[call-overload]
    if not found or len({since for since, _ in found}) != len(found):
        raise BadValue("a table with no entry, or two for the same moment")
    return found


def _bcd(raw: bytes, size: int) -> list[int]:
    text = raw.hex()
    if len(raw) != size or not text.isdigit():
        raise BadValue(f"{text} are not {size} bytes of decimal digits")
    return [int(text[at : at + 2]) for at in range(0, 2 * size, 2)]
