"""Which rate counts when: two sets of year zones and of day tables, one of each in use, and when the other takes over.

DL/T 645-2007 annex A: a year zone names the day table of the days from its MMDD on; a day table names the rate from
each hhmm on. A meter whose tables nobody wrote has one day table for all days and needs none of this.
"""

from __future__ import annotations

from datetime import date
from typing import Any

DayTable = tuple[tuple[int, int], ...]
"""Minutes after midnight at which a rate begins, with the rate: 1 sharp, 2 peak, 3 flat, 4 valley. Starts at 0."""

ALL_FLAT: DayTable = ((0, 3),)
Zones = tuple[tuple[int, int, int], ...]
"""(month, day, number of the day table) from which day on it counts, ascending."""

MOST_ZONES, MOST_TABLES, MOST_PERIODS, MOST_RATES = 14, 8, 14, 4


def check_day_table(table: DayTable) -> None:
    """Raise ValueError in one sentence unless the table starts at 00:00, ascends and has 1 to 14 entries."""
    starts = [start for start, _ in table]
    if not 1 <= len(table) <= MOST_PERIODS or starts[0] != 0 or starts != sorted(set(starts)) or starts[-1] >= 1440:
        raise ValueError("a day table starts at 00:00, ascends, and has at most 14 entries")
    if any(rate not in (1, 2, 3, 4) for _, rate in table):
        raise ValueError("a day table names the rates 1 sharp, 2 peak, 3 flat, 4 valley")


class Tables:
    """Both sets. A change of set is due at a minute of the own clock; `next_change` tells the earliest."""

    def __init__(self, table: DayTable):
        self.zones: list[Zones] = [((1, 1, 1),), ((1, 1, 1),)]
        self.days: list[dict[int, DayTable]] = [{1: table}, {1: table}]
        self.zone_set = self.day_set = 0
        self.zone_change = self.day_change = ""
        """YYMMDDhhmm, empty for never."""
        self.work_bits, self.rest_table = 0x7F, 0
        """Weekdays that are worked, bit 0 Sunday; the day table of the others, 0 for none of their own."""

    def table_of(self, day: date) -> DayTable:
        """The day table that counts on `day`; a zone that names a table nobody wrote has the first."""
        zones = self.zones[self.zone_set]
        begun = [number for month, first, number in zones if (month, first) <= (day.month, day.day)]
        days = self.days[self.day_set]
        if self.rest_table and not self.work_bits >> day.isoweekday() % 7 & 1:
            return days.get(self.rest_table, days[1])
        return days.get(begun[-1] if begun else zones[-1][2], days[1])

    def next_change(self) -> str:
        """YYMMDDhhmm of the next change of set, empty for none."""
        return min((each for each in (self.zone_change, self.day_change) if each), default="")

    def change(self, minute: str) -> None:
        """The own clock shows `minute` (YYMMDDhhmm): the sets whose time has come are swapped."""
        if self.zone_change and self.zone_change <= minute:
            self.zone_set, self.zone_change = 1 - self.zone_set, ""
        if self.day_change and self.day_change <= minute:
            self.day_set, self.day_change = 1 - self.day_set, ""

    def state(self) -> dict[str, Any]:
        """JSON values."""
        kept = dict(vars(self))
        kept["days"] = [{str(number): table for number, table in days.items()} for days in self.days]
        return kept

    def restore(self, kept: dict[str, Any]) -> None:
        """Take back what `state` gave."""
        vars(self).update(kept)
        self.zones = [tuple((month, day, number) for month, day, number in zones) for zones in kept["zones"]]
        self.days = [
            {int(number): tuple((start, rate) for start, rate in table) for number, table in days.items()}
            for days in kept["days"]
        ]
