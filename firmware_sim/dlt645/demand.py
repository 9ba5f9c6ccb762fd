"""Maximum demand: the highest mean power over the demand period, found when somebody asks for it.

The window slides by a minute; total and rates each have their own maximum with the minute at whose end it was
reached. A window belongs to one local day and to the rate in which it ends. Days that are over are remembered.
"""

from __future__ import annotations

from datetime import date, timedelta
from itertools import accumulate
from operator import sub
from zoneinfo import ZoneInfo

from ..history import History
from ..instants import MINUTE_US, wall_of
from ..loads import Load
from ..tables import DayTable

Peaks = tuple[tuple[int, int], ...]
"""Total and rates 1 to 4: (highest energy of a window in W·µs, true instant of its end); (0, 0) for none."""

NOTHING: Peaks = ((0, 0),) * 5


class Demand:
    """The maxima of one meter. `minutes` is the demand period."""

    def __init__(self, history: History, load: Load, zone: ZoneInfo, minutes: int = 15):
        self.history, self.load, self.zone, self.minutes = history, load, zone, minutes
        self._days: dict[tuple[int, int], Peaks] = {}

    def highest(self, from_us: int, to_us: int, table: DayTable) -> Peaks:
        """The maxima of windows that lie wholly within [from_us, to_us)."""
        found = NOTHING
        day, last = wall_of(from_us, self.zone).date(), wall_of(to_us, self.zone).date()
        while day <= last:
            found = _higher(found, self._day(day, from_us, to_us, table))
            day += timedelta(days=1)
        return found

    def watts(self, wus: int) -> int:
        """The mean power of a window that holds so much energy."""
        return wus // (self.minutes * MINUTE_US)

    def _day(self, day: date, from_us: int, to_us: int, table: DayTable) -> Peaks:
        start_us, sums = self.load.minute_sums(day)
        first = max(0, -(-(from_us - start_us) // MINUTE_US))
        last = min(len(sums) - 1, (to_us - start_us) // MINUTE_US)
        key = (start_us + first * MINUTE_US, start_us + last * MINUTE_US)
        over = to_us > start_us + (len(sums) - 1) * MINUTE_US
        if not over or key not in self._days:
            peaks = _peaks(self._through(start_us, sums), start_us, first, last, self.minutes, table)
            if not over:
                return peaks
            self._days[key] = peaks
        return self._days[key]

    def _through(self, start_us: int, sums: list[int]) -> list[int]:
        """The running sums of a day without what an open contact kept away."""
        end_us = start_us + (len(sums) - 1) * MINUTE_US
        spans = list(self.history.spans(start_us, end_us))
        if spans == [(start_us, end_us)]:
            return sums
        energies = [0] * (len(sums) - 1)
        for begin, end in spans:
            first, last = (begin - start_us) // MINUTE_US, -(-(end - start_us) // MINUTE_US)
            for minute in range(first, last):
                at_us = start_us + minute * MINUTE_US
                energies[minute] += self.load.energy_wus(max(begin, at_us), min(end, at_us + MINUTE_US))
        return list(accumulate(energies, initial=0))


def _peaks(sums: list[int], start_us: int, first: int, last: int, minutes: int, table: DayTable) -> Peaks:
    rows = [(0, 0)] * 5
    windows = list(map(sub, sums[first + minutes : last + 1], sums[first:]))
    for spot, (begins, rate) in enumerate(table):
        ends = table[spot + 1][0] if spot + 1 < len(table) else 1500  # A day of 25 hours has 1500 minutes.
        # Window i ends after minute first + minutes + i, so it ends in the rate of the minute before.
        low, high = max(0, begins + 1 - first - minutes), max(0, ends + 1 - first - minutes)
        part = windows[low:high]
        if part and (peak := max(part)) > rows[rate][0]:
            rows[rate] = (peak, start_us + (first + minutes + low + part.index(peak)) * MINUTE_US)
    rows[0] = max(rows, key=lambda each: (each[0], -each[1]))
    return tuple(rows)


def _higher(one: Peaks, other: Peaks) -> Peaks:
    return tuple(b if b[0] > a[0] else a for a, b in zip(one, other, strict=True))
