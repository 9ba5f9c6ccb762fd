"""Random weeks of a meter: a load, prices with everything they can have, a calendar; and what it costs by integration.

The integral is written apart from edge/billing, in fractions of a yuan, along the clock on the wall: quarter by
quarter, which price, which hour, which period. All instants are whole quarters, so a meter's Wh are whole.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from itertools import accumulate, pairwise
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

CELL = timedelta(minutes=15)
RATES = ("sharp", "peak", "flat", "valley", "deep")
DAY = timedelta(days=1)
STARTS = ["2026-12-30", "2026-10-24", "2026-03-28", "2026-02-26", "2026-11-20", "2026-01-30", "2026-06-29"]
"""New Year, both clock changes, the ends of February, of a month of 31 days and of a half year, and an ordinary day."""


@dataclass
class Price:
    """One version in plain words: `hours` are 24 names of rates; `tables` are (first mmdd, last mmdd, kinds, hours)."""

    since: datetime
    micro: dict[str, int]
    hours: list[str]
    tables: list[tuple[int, int, list[str], list[str]]]
    steps: list[tuple[int, int]]
    surcharges: list[tuple[str, int, str | None]]


@dataclass
class World:
    """`wh` is what the meter's register rises by in each quarter of an hour."""

    zone: ZoneInfo
    start: datetime
    wh: list[int]
    prices: list[Price]
    rest: set[date]
    work: set[date]
    period: tuple[str, int, int]
    pro_rated: bool
    since: date
    category: str | None
    multiplier: int
    full: int
    registers: dict[str, int]
    used_before: int
    keys: list[tuple[int, str, date]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.keys = [self.key(self.start + n * CELL) for n in range(len(self.wh))]

    def at(self, cell: int) -> datetime:
        return self.start + cell * CELL

    def key(self, at: datetime) -> tuple[int, str, date]:
        """(number of the price, rate, first day of the step period) by a clock on the wall."""
        number = max(n for n, price in enumerate(self.prices) if price.since <= at)
        wall = at.astimezone(self.zone)
        return number, self.rate(self.prices[number], wall), self.begins(wall.date())

    def rate(self, price: Price, wall: datetime) -> str:
        if "total" in price.micro:
            return "total"
        today = wall.date()
        kind = "workday" if today.isoweekday() < 6 else "weekend"
        kind = "workday" if today in self.work else "holiday" if today in self.rest else kind
        mmdd = int(f"{today:%m%d}")
        for first, last, kinds, hours in price.tables:
            season = first <= mmdd <= last or (first > last and not last < mmdd < first)
            if season and (not kinds or kind in kinds):
                return hours[wall.hour]
        return price.hours[wall.hour]

    def begins(self, day: date) -> date:
        """The newest day, this one included, on which steps begin anew; found by turning back the leaves."""
        while not self.anew(day):
            day -= DAY
        return day

    def anew(self, day: date) -> bool:
        """Do steps begin anew on this day?"""
        every, month, of_month = self.period
        the_day = day.day == of_month or (day.day < of_month and (day + DAY).day == 1)
        return the_day and (every == "month" or day.month == month)

    def bounds(self, price: Price, begins: date) -> list[tuple[int, int]]:
        if not self.pro_rated or self.since <= begins:
            return price.steps
        after = begins + DAY
        while not self.anew(after):
            after += DAY
        share = Fraction(max((after - self.since).days, 0), (after - begins).days)
        return [(int(share * bound), micro) for bound, micro in price.steps]

    def integral(self, *others: World) -> Fraction:
        """Yuan: the load (and that of sibling meters) times the price, over the whole week."""
        yuan, period, used = Fraction(0), self.keys[0][2], self.used_before
        seen = {(number, begins) for number, _, begins in self.keys}
        bounds = {(number, begins): self.bounds(self.prices[number], begins) for number, begins in seen}
        for cell, (number, rate, begins) in enumerate(self.keys):
            price = self.prices[number]
            wh = sum(each.wh[cell] * each.multiplier for each in (self, *others))
            micro = price.micro[rate] + sum(m for _, m, whom in price.surcharges if whom in (None, self.category))
            yuan += Fraction(wh, 1000) * Fraction(micro, 10**6)
            if price.steps:
                if begins != period:
                    period, used = begins, 0
                for part, more in climb(used, wh, bounds[number, begins]):
                    yuan += Fraction(part, 1000) * Fraction(more, 10**6)
                used += wh
        return yuan

    def readings(self) -> list[dict[str, int]]:
        """Total and rates at each border of quarters; while a price is single, its meter counts all as flat."""
        sums = {"total": [0, *accumulate(self.wh)]}
        for name in RATES:
            counts = (
                wh if name == ("flat" if rate == "total" else rate) else 0
                for wh, (_, rate, _) in zip(self.wh, self.keys, strict=True)
            )
            sums[name] = [0, *accumulate(counts)]
        return [
            {name: (self.registers[name] + each[cell]) % self.full for name, each in sums.items()}
            for cell in range(len(self.wh) + 1)
        ]

    def turns(self, borders: bool) -> set[int]:
        """The borders at which the money changes: price, period, and, where the total must tell them apart, hours."""
        return {
            cell
            for cell, (old, new) in enumerate(pairwise(self.keys), 1)
            if (old if borders else (old[0], old[2])) != (new if borders else (new[0], new[2]))
        }


def climb(used: int, wh: int, bounds: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """(Wh, what each kWh of them costs more), going up from `used` step by step."""
    found = []
    while wh:
        more = [micro for bound, micro in bounds if bound <= used]
        above = [bound for bound, _ in bounds if bound > used]
        part = min(wh, min(above) - used) if above else wh
        found.append((part, more[-1] if more else 0))
        used, wh = used + part, wh - part
    return found


MICRO = st.integers(0, 9_999_999)
HOURS = st.lists(st.sampled_from(RATES), min_size=4, max_size=4)


@st.composite
def hours(draw: Any) -> list[str]:
    """24 hours of a day in up to four blocks."""
    cuts = sorted(draw(st.lists(st.integers(0, 24), min_size=3, max_size=3)))
    blocks = zip(pairwise([0, *cuts, 24]), draw(HOURS), strict=True)
    return [rate for (first, last), rate in blocks for _ in range(first, last)]


@st.composite
def prices(draw: Any, since: datetime, reach: int) -> Price:
    """A version; its bounds lie where the week's use can reach them."""
    single = draw(st.booleans())
    mmdd = st.sampled_from([101, 115, 228, 301, 629, 701, 1024, 1025, 1120, 1201, 1231])
    kinds = st.lists(st.sampled_from(["workday", "weekend", "holiday"]), unique=True, max_size=2)
    bounds = sorted(draw(st.lists(st.integers(1, max(2, reach)), unique=True, max_size=3)))
    extra = st.tuples(st.sampled_from("abc"), st.integers(-50_000, 50_000), st.sampled_from([None, "rural", "town"]))
    return Price(
        since,
        {"total": draw(MICRO)} if single else {name: draw(MICRO) for name in RATES},
        draw(hours()),
        [] if single else draw(st.lists(st.tuples(mmdd, mmdd, kinds, hours()), max_size=2)),
        [(bound, draw(st.integers(1, 999_999))) for bound in bounds],
        draw(st.lists(extra, max_size=2, unique_by=lambda each: each[0])),
    )


@st.composite
def worlds(draw: Any, versions: int = 3) -> World:
    """A week, or less of one."""
    zone = ZoneInfo(draw(st.sampled_from(["Asia/Shanghai", "Europe/Berlin"])))
    first = date.fromisoformat(draw(st.sampled_from(STARTS)))
    days = draw(st.integers(1, 4))
    midnights = [
        datetime.combine(day, datetime.min.time(), zone).astimezone(UTC) for day in (first, first + days * DAY)
    ]
    cells = (midnights[1] - midnights[0]) // CELL
    cuts = sorted(draw(st.sets(st.integers(1, cells - 1), max_size=6)))
    wh = [
        level
        for begins, ends in pairwise([0, *cuts, cells])
        for level in [draw(st.integers(0, 2700))] * (ends - begins)
    ]  # fmt: skip
    multiplier = draw(st.sampled_from([1, 1, 30, 8000]))
    changes = sorted(draw(st.sets(st.integers(1, cells - 1), max_size=versions - 1)))
    since = [midnights[0] - 30 * DAY, *(midnights[0] + cell * CELL for cell in changes)]
    full = draw(st.sampled_from([10**8, 10**9]))
    register = st.one_of(st.integers(0, full // 2), st.integers(full - 200_000, full - 1))
    near = [first + n * DAY for n in range(days)]
    every = draw(st.sampled_from(["month", "year"]))
    return World(
        zone, midnights[0], wh,
        [draw(prices(each, sum(wh) * multiplier)) for each in since],
        draw(st.sets(st.sampled_from(near), max_size=2)), draw(st.sets(st.sampled_from(near), max_size=1)),
        (every, draw(st.sampled_from([near[-1].month, 1])), draw(st.sampled_from([near[-1].day, 1, 15, 31]))),
        draw(st.booleans()), first - draw(st.integers(0, 40)) * DAY, draw(st.sampled_from([None, "rural", "town"])),
        multiplier, full, {name: draw(register) for name in ("total", *RATES)},
        draw(st.integers(0, sum(wh) * multiplier)),
    )  # fmt: skip
