"""The registers of one meter: a total and four rates that only ever grow, brought forward to an instant that is given.

Energy is kept in W·µs, so nothing is lost between two reads, and shown in steps of 10 Wh by flooring, as an
electronic meter does. The rate registers follow the meter's own clock, which drifts; the total register adds up
by itself. At the midnight of the meter's own clock all five are put into the freeze memory (daily freeze,
DL/T 645-2007 annex A, 62 days deep), and at the ends of settlement periods, by a timer or at once into others.
"""

from __future__ import annotations

from collections import deque
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from .history import History, OwnClock
from .instants import minute_due, us_of_wall, wall_of
from .loads import WUS_PER_WH, Load
from .tables import ALL_FLAT, DayTable, Tables, check_day_table

__all__ = ["ALL_FLAT", "DayTable", "Frozen", "Metrology", "OwnClock", "check_day_table"]

STEP_WUS = 10 * WUS_PER_WH
"""One step of a register that shows 0.01 kWh."""
FULL_SCALE_STEPS = 100_000_000
"""After 999999.99 kWh comes 000000.00."""
FREEZE_DAYS = 62
SETTLEMENTS, INSTANTS, TIMED = 12, 3, 12
RINGS = ("settlements", "instant", "timed")
MINUTE = "%Y-%m-%d %H:%M"


class Frozen(NamedTuple):
    """Registers kept at an instant: true instant, the minute the own clock showed, total and rates."""

    at_us: int
    wall: str
    steps: tuple[int, ...]


class Metrology:
    """Registers, own clock, day tables and freeze memory of one meter, and whether its load runs.

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
        self.tables: Tables | None = None
        self.total_wus = registers[0] * STEP_WUS
        self.rates_wus = [steps * STEP_WUS for steps in registers[1:]]
        self.clock = OwnClock(start_us, offset_s, ppm)
        self._closed = self._powered = self.flowing = True
        """flowing: whether the load runs, closed and powered."""
        self.at_us = start_us
        self.history = History(load, start_us, self.total_wus, self.clock)
        self.freezes: deque[tuple[date, tuple[int, ...]]] = deque(maxlen=FREEZE_DAYS)
        self.settle_days: tuple[tuple[int, int], ...] = ((1, 0),)
        """(day of the month, hour) at which a settlement period ends."""
        self.settlements: deque[Frozen] = deque(maxlen=SETTLEMENTS)
        self.instant: deque[Frozen] = deque(maxlen=INSTANTS)
        self.timed: deque[Frozen] = deque(maxlen=TIMED)
        self.timer = ""
        """mmhhDD of the timed freeze, 99 for any; empty for none."""
        self.plan()

    @property
    def closed(self) -> bool:
        """Whether the relay lets the load run."""
        return self._closed

    @closed.setter
    def closed(self, closed: bool) -> None:
        self._closed = closed
        self._reflow()

    @property
    def powered(self) -> bool:
        """Whether the meter has supply. Without it nothing flows and no midnight is frozen."""
        return self._powered

    @powered.setter
    def powered(self, powered: bool) -> None:
        if powered != self._powered:
            self._powered = powered
            self.history.darken(self.at_us, not powered)
            self._reflow()

    def _reflow(self) -> None:
        flowing = self._closed and self._powered
        if flowing != self.flowing:
            self.flowing = flowing
            self.history.flow(self.at_us, flowing)

    def registers(self) -> tuple[int, ...]:
        """Total and rates 1 to 4 as displayed: steps of 0.01 kWh, floored, rolled over at full scale."""
        return (
            self.total_wus // STEP_WUS % FULL_SCALE_STEPS,
            *(energy // STEP_WUS % FULL_SCALE_STEPS for energy in self.rates_wus),
        )

    def watts(self) -> int:
        """Watts flowing now; 0 behind an open relay."""
        return self.load.watts_at(self.at_us) if self.flowing else 0

    def own_wall(self) -> datetime:
        """Local time on the meter's own display."""
        return wall_of(self.clock.shown_us(self.at_us), self.zone)

    def advance(self, to_us: int) -> None:
        """Bring everything forward to the true instant `to_us`. An instant already passed changes nothing."""
        while to_us >= self._border_us:
            self._integrate(self._border_us)
            if self._due:
                self._note(self.own_wall())
            self.plan()
        self._integrate(to_us)

    def set_clock(self, to_us: int) -> None:
        """Set the own clock at the instant reached. Midnights jumped over are not frozen; they never came."""
        self.clock.adjust(self.at_us, to_us)
        self.history.clock_set(self.at_us, self.clock)
        self.plan()

    def freeze_back(self, slot: int) -> tuple[date, tuple[int, ...]] | None:
        """The `slot`-th newest midnight and its five registers (1 is the newest), or None where memory has none."""
        return self.freezes[-slot] if 1 <= slot <= len(self.freezes) else None

    def freeze_now(self) -> None:
        """Put time and registers of this instant into the memory of instant freezes."""
        self.instant.append(self._frozen(self.own_wall()))

    def _integrate(self, to_us: int) -> None:
        if to_us <= self.at_us:
            return
        if self.flowing:
            energy = self.load.energy_wus(self.at_us, to_us)
            self.total_wus += energy
            self.rates_wus[self.rate - 1] += energy
        self.at_us = to_us

    def _note(self, wall: datetime) -> None:
        """A minute of the own clock that has something to be kept: a midnight, a settlement, the timer."""
        if wall.hour == wall.minute == 0:
            self.history.checkpoint(self.at_us, self.total_wus)
            # After the clock was set back the same midnight may come again; the first one stands.
            if self._powered and (not self.freezes or self.freezes[-1][0] < wall.date()):
                self.freezes.append((wall.date(), self.registers()))
        if wall.minute == 0 and (wall.day, wall.hour) in self.settle_days and self._is_new(wall):
            # A period that ended without supply is made up for (the registers stood still meanwhile).
            self.settlements.append(self._frozen(wall))
        if self.timer and self._powered and wall.minute == minute_due(wall, self.timer):
            self.timed.append(self._frozen(wall))
        if self.tables is not None:
            self.tables.change(f"{wall:%y%m%d%H%M}")

    def _is_new(self, wall: datetime) -> bool:
        return not self.settlements or self.settlements[-1].wall < f"{wall:{MINUTE}}"

    def _frozen(self, wall: datetime) -> Frozen:
        return Frozen(self.at_us, f"{wall:{MINUTE}}", self.registers())

    def plan(self) -> None:
        """Find the rate that counts now, and the next instant at which rate or day changes by the own clock.

        To be called when tables, settlement days or the timer were changed.
        """
        shown_us = self.clock.shown_us(self.at_us)
        wall = wall_of(shown_us, self.zone)
        minute = wall.hour * 60 + wall.minute
        today, tomorrow = wall.date(), wall.date() + timedelta(days=1)
        table = self.day_table if self.tables is None else self.tables.table_of(today)
        self.rate = [rate for start, rate in table if start <= minute][-1]
        self._due = True
        border_us = us_of_wall(tomorrow, 0, self.zone)
        for start, _ in table:
            start_us = us_of_wall(today, start, self.zone) if start > minute else 0
            if shown_us < start_us < border_us:
                border_us, self._due = start_us, False
                break
        if self.tables is not None or self.timer or any(day == today.day and hour for day, hour in self.settle_days):
            due = [us_of_wall(today, at, self.zone) for at in self._minutes_due(wall, minute)]
            due = [at_us for at_us in due if shown_us < at_us <= border_us]
            if due:
                border_us, self._due = min(due), True
        self._border_us = self.clock.true_us(border_us)

    def _minutes_due(self, wall: datetime, minute: int) -> list[int]:
        """Minutes of today at which something beside the rates is due."""
        found = [hour * 60 for day, hour in self.settle_days if day == wall.day]
        if self.timer:
            past = ((hour, minute_due(wall.replace(hour=hour), self.timer)) for hour in range(24))
            found += [hour * 60 + at for hour, at in past if at is not None]
        change = self.tables.next_change() if self.tables is not None else ""
        if change.startswith(f"{wall:%y%m%d}"):
            found.append(int(change[6:8]) * 60 + int(change[8:10]))
        return [at for at in found if at > minute]

    def state(self) -> dict[str, Any]:
        """All that must survive a restart, as JSON values; `restore` takes it back."""
        return {
            "at_us": self.at_us,
            "total_wus": self.total_wus,
            "rates_wus": list(self.rates_wus),
            "closed": self._closed,
            "powered": self._powered,
            "clock_set_at_us": self.clock.set_at_us,
            "clock_set_to_us": self.clock.set_to_us,
            "freezes": [[day.isoformat(), *steps] for day, steps in self.freezes],
            "rings": {name: [list(each) for each in getattr(self, name)] for name in RINGS},
            "settle_days": self.settle_days,
            "timer": self.timer,
            "history": self.history.state(),
            "tables": None if self.tables is None else self.tables.state(),
        }

    def restore(self, kept: dict[str, Any]) -> None:
        """Take back what `state` gave. Raises KeyError or ValueError where it is not that."""
        self.at_us, self.total_wus, self._closed = kept["at_us"], kept["total_wus"], kept["closed"]
        self._powered = kept.get("powered", True)
        self.flowing = self._closed and self._powered
        self.rates_wus = list(kept["rates_wus"])
        self.clock.adjust(kept["clock_set_at_us"], kept["clock_set_to_us"])
        self.freezes.clear()
        self.freezes.extend((date.fromisoformat(row[0]), tuple(row[1:])) for row in kept["freezes"])
        self.history = History(self.load, self.at_us, self.total_wus, self.clock)
        if "history" in kept:  # Older memories know midnights only; their past begins where they were stopped.
            self.history.restore(kept["history"])
            self.settle_days = tuple((day, hour) for day, hour in kept["settle_days"])
            self.timer = kept["timer"]
            for name in RINGS:
                ring = getattr(self, name)
                ring.clear()
                ring.extend(Frozen(at_us, wall, tuple(steps)) for at_us, wall, steps in kept["rings"][name])
            if kept["tables"] is not None:
                self.tables = Tables(self.day_table)
                self.tables.restore(kept["tables"])
        elif not self.flowing:
            self.history.flow(self.at_us, False)
        self.plan()
