"""The registers of one meter: a total and four rates that only ever grow, brought forward to an instant that is given.

Energy is kept in W·µs, so nothing is lost between two reads, and shown in steps of 10 Wh by flooring, as an
electronic meter does. The rate registers follow the meter's own clock, which drifts; the total register adds up
by itself. At the midnight of the meter's own clock all five are put into the freeze memory (daily freeze,
DL/T 645-2007 annex A, 62 days deep).
"""

from __future__ import annotations

from collections import deque
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from .instants import us_of_wall, wall_of
from .loads import WUS_PER_WH, Load

STEP_WUS = 10 * WUS_PER_WH
"""One step of a register that shows 0.01 kWh."""
FULL_SCALE_STEPS = 100_000_000
"""After 999999.99 kWh comes 000000.00."""
FREEZE_DAYS = 62

DayTable = tuple[tuple[int, int], ...]
"""Minutes after midnight at which a rate begins, with the rate: 1 sharp, 2 peak, 3 flat, 4 valley. Starts at 0."""

ALL_FLAT: DayTable = ((0, 3),)


def check_day_table(table: DayTable) -> None:
    """Raise ValueError in one sentence unless the table starts at 00:00, ascends and has 1 to 14 entries."""
    starts = [start for start, _ in table]
    if not 1 <= len(table) <= 14 or starts[0] != 0 or starts != sorted(set(starts)) or starts[-1] >= 1440:
        raise ValueError("a day table starts at 00:00, ascends, and has at most 14 entries")
    if any(rate not in (1, 2, 3, 4) for _, rate in table):
        raise ValueError("a day table names the rates 1 sharp, 2 peak, 3 flat, 4 valley")


class OwnClock:
    """A meter's clock: set once, then off by `ppm` for ever. All integers, so that it can be asked backwards."""

    def __init__(self, at_us: int, offset_s: int = 0, ppm: int = 0):
        self.set_at_us, self.set_to_us, self.ppm = at_us, at_us + offset_s * 1_000_000, ppm

    def shown_us(self, at_us: int) -> int:
        """What this clock shows at the true instant `at_us`."""
        passed = at_us - self.set_at_us
        return self.set_to_us + passed + passed * self.ppm // 1_000_000

    def true_us(self, shown_us: int) -> int:
        """The first true instant at which this clock shows `shown_us` or later."""
        ahead = shown_us - self.set_to_us
        return self.set_at_us - (-ahead * 1_000_000 // (1_000_000 + self.ppm))  # rounded up

    def adjust(self, at_us: int, to_us: int) -> None:
        """Set the clock: at the true instant `at_us` it shows `to_us`."""
        self.set_at_us, self.set_to_us = at_us, to_us


class Metrology:
    """Registers, own clock, day table and freeze memory of one meter, and whether its relay lets the load run.

    registers: total and rates 1 to 4 at `start_us`, in steps of 0.01 kWh.
    """

    def __init__(
        self,
        load: Load,
        start_us: int,
        zone: ZoneInfo,
        registers: tuple[int, int, int, int, int] = (0, 0, 0, 0, 0),
        day_table: DayTable = ALL_FLAT,
        offset_s: int = 0,
        ppm: int = 0,
    ):
        check_day_table(day_table)
        self.load, self.zone, self.day_table = load, zone, day_table
        self.total_wus = registers[0] * STEP_WUS
        self.rates_wus = [steps * STEP_WUS for steps in registers[1:]]
        self.clock = OwnClock(start_us, offset_s, ppm)
        self.closed = True
        self.at_us = start_us
        self.freezes: deque[tuple[date, tuple[int, ...]]] = deque(maxlen=FREEZE_DAYS)
        self._plan()

    def registers(self) -> tuple[int, ...]:
        """Total and rates 1 to 4 as displayed: steps of 0.01 kWh, floored, rolled over at full scale."""
        return (
            self.total_wus // STEP_WUS % FULL_SCALE_STEPS,
            *(energy // STEP_WUS % FULL_SCALE_STEPS for energy in self.rates_wus),
        )

    def watts(self) -> int:
        """Watts flowing now; 0 behind an open relay."""
        return self.load.watts_at(self.at_us) if self.closed else 0

    def own_wall(self) -> datetime:
        """Local time on the meter's own display."""
        return wall_of(self.clock.shown_us(self.at_us), self.zone)

    def advance(self, to_us: int) -> None:
        """Bring everything forward to the true instant `to_us`. An instant already passed changes nothing."""
        while to_us >= self._border_us:
            self._integrate(self._border_us)
            if self._freeze_day is not None:
                self._freeze(self._freeze_day)
            self._plan()
        self._integrate(to_us)

    def set_clock(self, to_us: int) -> None:
        """Set the own clock at the instant reached. Midnights jumped over are not frozen; they never came."""
        self.clock.adjust(self.at_us, to_us)
        self._plan()

    def freeze_back(self, slot: int) -> tuple[date, tuple[int, ...]] | None:
        """The `slot`-th newest midnight and its five registers (1 is the newest), or None where memory has none."""
        return self.freezes[-slot] if 1 <= slot <= len(self.freezes) else None

    def _integrate(self, to_us: int) -> None:
        if to_us <= self.at_us:
            return
        if self.closed:
            energy = self.load.energy_wus(self.at_us, to_us)
            self.total_wus += energy
            self.rates_wus[self._rate - 1] += energy
        self.at_us = to_us

    def _freeze(self, day: date) -> None:
        # After the clock was set back the same midnight may come again; the first one stands.
        if not self.freezes or self.freezes[-1][0] < day:
            self.freezes.append((day, self.registers()))

    def _plan(self) -> None:
        """Find the rate that counts now, and the next instant at which rate or day changes by the own clock."""
        shown_us = self.clock.shown_us(self.at_us)
        wall = wall_of(shown_us, self.zone)
        minute = wall.hour * 60 + wall.minute
        self._rate = [rate for start, rate in self.day_table if start <= minute][-1]
        today, tomorrow = wall.date(), wall.date() + timedelta(days=1)
        self._freeze_day: date | None = tomorrow
        border_us = us_of_wall(tomorrow, 0, self.zone)
        for start, _ in self.day_table:
            start_us = us_of_wall(today, start, self.zone) if start > minute else 0
            if shown_us < start_us < border_us:
                border_us, self._freeze_day = start_us, None
                break
        self._border_us = self.clock.true_us(border_us)

    def state(self) -> dict[str, Any]:
        """All that must survive a restart, as JSON values; `restore` takes it back."""
        return {
            "at_us": self.at_us,
            "total_wus": self.total_wus,
            "rates_wus": self.rates_wus,
            "closed": self.closed,
            "clock_set_at_us": self.clock.set_at_us,
            "clock_set_to_us": self.clock.set_to_us,
            "freezes": [[day.isoformat(), *steps] for day, steps in self.freezes],
        }

    def restore(self, kept: dict[str, Any]) -> None:
        """Take back what `state` gave. Raises KeyError or ValueError where it is not that."""
        self.at_us, self.total_wus, self.closed = kept["at_us"], kept["total_wus"], kept["closed"]
        self.rates_wus = list(kept["rates_wus"])
        self.clock.adjust(kept["clock_set_at_us"], kept["clock_set_to_us"])
        self.freezes.clear()
        self.freezes.extend((date.fromisoformat(row[0]), tuple(row[1:])) for row in kept["freezes"])
        self._plan()
