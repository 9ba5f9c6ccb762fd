"""What the judge of `riser bench policy` knows by itself: money used, hours in which nobody may be cut, frames.

Nothing of `edge` is imported here. Money is the integral of the load while the contact was closed, times the price of
each moment; the days off are a table typed from the State Council's notice for 2026.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from firmware_sim.loads import WUS_PER_WH, Load
from tests.bench.policy_site import WINDOWS, Plan, RoomMeter

OFF_2026 = {
    *(date(2026, 1, day) for day in (1, 2, 3)), *(date(2026, 2, day) for day in range(15, 24)),
    *(date(2026, 4, day) for day in (4, 5, 6)), *(date(2026, 5, day) for day in range(1, 6)),
    *(date(2026, 6, day) for day in (19, 20, 21)), *(date(2026, 9, day) for day in (25, 26, 27)),
    *(date(2026, 10, day) for day in range(1, 8)),
}  # fmt: skip
WORKED_2026 = {date(2026, 1, 4), date(2026, 2, 14), date(2026, 2, 28), date(2026, 5, 9), date(2026, 9, 20),
               date(2026, 10, 10)}  # fmt: skip
"""Holidays, and the weekend days worked in their place."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MINUS_33 = bytes((byte - 0x33) % 256 for byte in range(256))


def micros(at: datetime) -> int:
    return (at - EPOCH) // timedelta(microseconds=1)


class Hours:
    """May somebody be cut at this moment, by the hours and days of the plan?"""

    def __init__(self, plan: Plan):
        window = plan.policy.get("cut_window", {"from": "09:00", "to": "16:00", "days": "workdays"})
        self._begin, self._end = _minute(window["from"]), _minute(window["to"])
        self._every_day, self.zone = window["days"] == "all", ZoneInfo(plan.zone)
        self._rest, self._work = set(plan.policy.get("rest_days", ())), set(plan.policy.get("work_days", ()))

    def open(self, at: datetime) -> bool:
        """Read off the wall's clock and calendar."""
        wall = at.astimezone(self.zone)
        return self._begin <= wall.hour * 60 + wall.minute < self._end and self._counts(wall.date())

    def _counts(self, day: date) -> bool:
        if self._every_day or day in self._work:
            return True
        if day in self._rest or day in OFF_2026:
            return False
        return day.weekday() < 5 or day in WORKED_2026

    def near(self, at: datetime) -> Iterator[datetime]:
        """Yesterday's to tomorrow's instants at which the hours begin or end."""
        today = at.astimezone(self.zone).date()
        for ahead in (-1, 0, 1):
            for minute in (self._begin, self._end):
                yield at_wall(today + timedelta(days=ahead), minute, self.zone)


def _minute(text: str) -> int:
    return int(text[:2]) * 60 + int(text[3:])


def at_wall(day: date, minute: int, zone: ZoneInfo) -> datetime:
    return datetime(day.year, day.month, day.day, minute // 60, minute % 60, tzinfo=zone).astimezone(UTC)


@lru_cache(maxsize=1024)  # Many meters are asked in one minute, and no day begins within one.
def _day(minute: int, zone: ZoneInfo) -> date:
    """The local day of a minute since 1970 UTC."""
    return datetime.fromtimestamp(minute * 60, zone).date()


class Prices:
    """Each price's versions as they were agreed, and what a span costs by the hours within it."""

    def __init__(self, plan: Plan):
        self.zone, self.steps = ZoneInfo(plan.zone), plan.steps
        self._versions = {id: [(0, prices)] for id, prices in plan.prices.items()}
        self._borders: dict[date, list[tuple[int, str]]] = {}

    def agreed(self, id: str, from_us: int, prices: dict[str, int]) -> None:
        self._versions[id].append((from_us, prices))

    def pending(self, at: datetime) -> bool:
        """True while some price is agreed that does not count yet."""
        return any(versions[-1][0] > micros(at) for versions in self._versions.values())

    def newest(self, id: str) -> dict[str, int]:
        return self._versions[id][-1][1]

    def dearest(self, id: str) -> int:
        highest = max((micro for _, micro in self.steps[id].bounds), default=0) if id in self.steps else 0
        return max(max(prices.values()) for _, prices in self._versions[id]) + highest

    def spread(self, id: str) -> int:
        """How much two moments of one price can be apart, a step included."""
        return self.dearest(id) - min(micro for _, prices in self._versions[id] for micro in prices.values())

    def borders(self, id: str, from_us: int, to_us: int) -> list[int]:
        """Instants in (from, to] at which the price may change, or the counter of its steps begins anew."""
        found = [at for at, _ in self._versions[id] if from_us < at <= to_us]
        if id in self.steps and from_us < (begins := self.period(id, to_us)) <= to_us:
            found.append(begins)
        if "total" not in self._versions[id][0][1]:
            day, last = _day(from_us // 60_000_000, self.zone), _day(to_us // 60_000_000, self.zone)
            while day <= last:
                found += [at for at, _ in self._of_day(day) if from_us < at <= to_us]
                day += timedelta(days=1)
        return sorted(found)

    def micro_at(self, id: str, at_us: int) -> int:
        prices = [prices for since, prices in self._versions[id] if since <= at_us][-1]
        if "total" in prices:
            return prices["total"]
        hours = self._of_day(_day(at_us // 60_000_000, self.zone))
        return prices[[rate for since, rate in hours if since <= at_us][-1]]

    def pieces(self, id: str, from_us: int, to_us: int) -> Iterator[tuple[int, int, int]]:
        """(from, to, micro-yuan per kWh) of a span."""
        edges = [from_us, *self.borders(id, from_us, to_us)]
        for begins, ends in zip(edges, [*edges[1:], to_us], strict=True):
            if ends > begins:
                yield begins, ends, self.micro_at(id, begins)

    def period(self, id: str, at_us: int) -> int:
        """When the counter of a price with steps began anew, in microseconds."""
        day, first = _day(at_us // 60_000_000, self.zone), self.steps[id].day
        begins = day.replace(day=first)
        if begins > day:
            begins = (day.replace(day=1) - timedelta(days=1)).replace(day=first)
        return micros(at_wall(begins, 0, self.zone))

    def _of_day(self, day: date) -> list[tuple[int, str]]:
        if day not in self._borders:
            self._borders[day] = [(micros(at_wall(day, _minute(text), self.zone)), rate) for text, rate in WINDOWS]
        return self._borders[day]


def load_of(meter: RoomMeter, zone: ZoneInfo) -> Load:
    """What flows through it while its contact is closed."""
    return Load(meter.kind, meter.watts, meter.seed, zone)


class Used:
    """What one meter's load has cost since its first reading, in W·µs times micro-yuan, exactly."""

    def __init__(self, meter: RoomMeter, tariff: str, prices: Prices):
        self._load = load_of(meter, prices.zone)
        self._meter, self._tariff, self._prices = meter, tariff, prices
        self.since_us: int | None = None
        self.flowing, self._cost, self._carried = True, 0, 0
        self._told: list[int] = []
        self.stands: int | None = None
        """What had been told when its register ceased to tell it all; nothing that is read meanwhile tells more."""

    def until(self, at: datetime) -> int:
        """Nano-yuan up to an instant; asked forward in time."""
        at_us = micros(at)
        if self.since_us is None:
            return 0
        if at_us > self.since_us:
            if self.flowing:
                self._cost += self._of(self.since_us, at_us)
            self.since_us = at_us
        return self._carried + self._nano(self._cost)

    def changed(self, at: datetime, meter: RoomMeter) -> None:
        """From now on it counts with another multiplier."""
        self._carried, self._cost, self._meter = self.until(at), 0, meter

    def tell(self, at: datetime) -> None:
        """It was read."""
        self._told = [*self._told[-1:], self.until(at)]

    def told(self) -> int:
        """Nano-yuan by the reading before the newest."""
        if self.stands is not None:
            return self.stands
        return self._told[0] if self._told else 0

    def newest(self) -> int:
        """Nano-yuan by the newest reading."""
        return self._told[-1] if self._told else 0

    def ahead(self, from_us: int, to_us: int) -> int:
        """Nano-yuan that a coming span will cost."""
        return self._nano(self._of(from_us, to_us))

    def _of(self, from_us: int, to_us: int) -> int:
        pieces = self._prices.pieces(self._tariff, from_us, to_us)
        return sum(self._load.energy_wus(begins, ends) * micro for begins, ends, micro in pieces)

    def _nano(self, cost: int) -> int:
        return cost * self._meter.multiplier // WUS_PER_WH


@lru_cache(maxsize=1024)
def opened(heard: bytes) -> tuple[bytes, int, bytes] | None:
    """Address, control and data of the first whole DL/T 645 frame in what was heard whose sum is right."""
    begin = heard.find(0x68)
    while begin >= 0:
        body = heard[begin:]
        end = 12 + body[9] if len(body) >= 12 and body[7] == 0x68 else 0
        if 0 < end <= len(body) and body[end - 1] == 0x16 and sum(body[: end - 2]) % 256 == body[end - 2]:
            return body[1:7], body[8], body[10 : end - 2].translate(MINUS_33)
        begin = heard.find(0x68, begin + 1)
    return None
