"""Prices by the wall clock: every second of every day has exactly one, on days of 23, 24 and 25 hours (R26, R27)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.billing.tariff import Version, in_force, local_midnight, version_of, wall_instant
from edge.schedule import Schedule

SHANGHAI = ZoneInfo("Asia/Shanghai")
ZONES = [
    "Asia/Shanghai",
    "Europe/Berlin",
    "America/Santiago",
    "America/Havana",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
]
PRICES = {"sharp": 1_350_000, "peak": 1_050_000, "flat": 700_000, "valley": 350_000}
WINDOWS = ((0, 420, "valley"), (420, 600, "flat"), (600, 720, "peak"), (720, 1110, "flat"), (1110, 1320, "sharp"))
DAY = (*WINDOWS, (1320, 1440, "valley"))


def tou(windows: tuple[tuple[int, int, str], ...] = DAY, number: int = 1, since: str = "2026-01-01") -> Version:
    return Version("shop", "商铺", number, datetime.fromisoformat(since + "T00:00+00:00"), "tou", PRICES, windows)


SINGLE = Version("flat", "一口价", 1, datetime(2026, 1, 1, tzinfo=UTC), "single", {"total": 1_050_000}, ())


def rate_by_the_wall(now: datetime, zone: ZoneInfo, windows: tuple[tuple[int, int, str], ...]) -> str:
    """What a person with a clock and the price list would say."""
    wall = now.astimezone(zone)
    minute = wall.hour * 60 + wall.minute
    (rate,) = [rate for start, end, rate in windows if start <= minute < end]
    return rate


INSTANTS = st.datetimes(datetime(2025, 1, 1), datetime(2027, 12, 28), timezones=st.just(UTC))  # noqa: DTZ001


@given(INSTANTS, st.sampled_from(ZONES))
def test_prices_ahead_leave_no_gap(now: datetime, zone_name: str) -> None:
    """From now on every second has one price: spans touch, none is empty, the last ends at a local midnight."""
    zone = ZoneInfo(zone_name)
    for version in (tou(), SINGLE):
        spans = list(version.ahead(now, zone, 3))
        assert spans[0][0] == now
        for (_, ended, _), (begins, _, _) in pairwise(spans):
            assert ended == begins
        assert all(begins < ends for begins, ends, _ in spans)
        assert spans[-1][1] == local_midnight(now.astimezone(zone).date() + timedelta(days=3), zone)


@given(INSTANTS, st.sampled_from(ZONES))
def test_the_price_now_is_what_the_wall_clock_says(now: datetime, zone_name: str) -> None:
    """At any instant the price is that of the window in which the clock on the wall stands."""
    zone = ZoneInfo(zone_name)
    assert tou().price_at(now, zone) == PRICES[rate_by_the_wall(now, zone, DAY)]
    assert SINGLE.price_at(now, zone) == 1_050_000


@pytest.mark.parametrize(
    ("zone_name", "day", "hours"),
    [
        ("Asia/Shanghai", date(2026, 3, 29), 24),
        ("Europe/Berlin", date(2026, 3, 29), 23),
        ("Europe/Berlin", date(2026, 10, 25), 25),
        ("America/Santiago", date(2026, 9, 6), 23),
        ("America/Santiago", date(2026, 4, 4), 25),
        ("America/Havana", date(2026, 3, 8), 23),
        ("America/Havana", date(2026, 11, 1), 25),
        ("Australia/Lord_Howe", date(2026, 10, 4), 23.5),
        ("Asia/Shanghai", date(1991, 4, 14), 23),
    ],
)
def test_long_and_short_days_are_covered_exactly(zone_name: str, day: date, hours: float) -> None:
    """On the days of a clock change each second is priced once: 23 or 25 hours in all, by the wall's windows."""
    zone = ZoneInfo(zone_name)
    begins, ends = local_midnight(day, zone), local_midnight(day + timedelta(days=1), zone)
    assert ends - begins == timedelta(hours=hours)
    spans = list(tou().ahead(begins, zone, 1))
    assert (spans[0][0], spans[-1][1]) == (begins, ends)
    assert sum(((end - start) for start, end, _ in spans), timedelta()) == ends - begins
    for start, end, price in spans:
        for at in (start, start + (end - start) / 2, end - timedelta(seconds=1)):
            assert price == PRICES[rate_by_the_wall(at, zone, DAY)] == tou().price_at(at, zone)


def test_a_midnight_that_vanishes_is_the_instant_of_the_change() -> None:
    """In Santiago the clock goes from 23:59:59 to 01:00:00: the new day begins at that instant, no hour is lost."""
    zone = ZoneInfo("America/Santiago")
    assert local_midnight(date(2026, 9, 6), zone) == datetime(2026, 9, 6, 4, 0, tzinfo=UTC)
    assert wall_instant(date(2026, 9, 5), 1440, zone) == local_midnight(date(2026, 9, 6), zone)
    assert datetime(2026, 9, 6, 4, 0, tzinfo=UTC).astimezone(zone).isoformat() == "2026-09-06T01:00:00-03:00"


@pytest.mark.parametrize("minute", [121, 135, 150, 179])
def test_a_border_inside_the_skipped_hour_counts_from_the_change(minute: int) -> None:
    """02:15 does not exist on that Sunday in Berlin: what begins then begins at the instant of the change."""
    zone, day = ZoneInfo("Europe/Berlin"), date(2026, 3, 29)
    assert wall_instant(day, minute, zone) == datetime(2026, 3, 29, 1, 0, tzinfo=UTC)
    odd = ((0, minute, "valley"), (minute, 1440, "peak"))
    spans = list(tou(odd).ahead(local_midnight(day, zone), zone, 1))
    assert [(end - start) / timedelta(hours=1) for start, end, _ in spans] == [2, 21]
    assert tou(odd).price_at(datetime(2026, 3, 29, 1, 0, 1, tzinfo=UTC), zone) == PRICES["peak"]


def test_a_window_inside_the_skipped_hour_is_no_span() -> None:
    """02:10 to 02:30 never comes on that Sunday: it has no price, no length, and leaves no gap."""
    zone, day = ZoneInfo("Europe/Berlin"), date(2026, 3, 29)
    odd = tou(((0, 130, "valley"), (130, 150, "sharp"), (150, 1440, "peak")))
    spans = list(odd.ahead(local_midnight(day, zone), zone, 1))
    assert [price for _, _, price in spans] == [PRICES["valley"], PRICES["peak"]]


def test_a_border_that_comes_twice_counts_when_it_first_comes() -> None:
    """02:30 comes twice on that Sunday in Berlin: the new price begins at the first coming and stays."""
    zone, day = ZoneInfo("Europe/Berlin"), date(2026, 10, 25)
    assert wall_instant(day, 150, zone) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    odd = tou(((0, 150, "valley"), (150, 1440, "peak")))
    assert odd.price_at(datetime(2026, 10, 25, 0, 29, 59, tzinfo=UTC), zone) == PRICES["valley"]
    for minutes in (30, 59, 60, 75, 90):
        assert odd.price_at(datetime(2026, 10, 25, tzinfo=UTC) + timedelta(minutes=minutes), zone) == PRICES["peak"]


def test_a_day_that_never_was_has_no_price() -> None:
    """Samoa skipped 30 December 2011 altogether: the prices run on without a gap and without a second price."""
    zone = ZoneInfo("Pacific/Apia")
    spans = list(tou().ahead(local_midnight(date(2011, 12, 29), zone), zone, 3))
    assert all(ended == begins for (_, ended, _), (begins, _, _) in pairwise(spans))
    assert spans[-1][1] - spans[0][0] == timedelta(days=2)


def test_a_window_is_left_closed_and_right_open() -> None:
    """10:00:00 is peak and 09:59:59 is not: the second at a border belongs to what begins."""
    ten = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
    assert tou().price_at(ten, SHANGHAI) == PRICES["peak"]
    assert tou().price_at(ten - timedelta(microseconds=1), SHANGHAI) == PRICES["flat"]


# --- versions ---


def test_the_newest_effective_version_is_in_force() -> None:
    """R27: a version counts from its instant on, not before; of two for the same instant the later one counts."""
    first, second = tou(number=1), tou(number=2, since="2026-06-01")
    third = tou(number=3, since="2026-06-01")
    change = datetime(2026, 6, 1, tzinfo=UTC)
    for versions in ([first, second], [second, first]):
        assert in_force(versions, change - timedelta(microseconds=1)) is first
        assert in_force(versions, change) is second
    assert in_force([third, first, second], change) is third
    past = datetime(1970, 1, 1, tzinfo=UTC)
    assert in_force([second, first], past) is first, "a clock that stands in the past stops nothing (R25)"


def test_a_version_is_read_from_its_entry() -> None:
    """What the book holds is what is charged: prices, windows in order, instant, kind."""
    fields = {
        "tariff": "shop",
        "name": "商铺",
        "version": 4,
        "effective_at": "2026-06-01T00:00:00.000+08:00",
        "price_kind": "tou",
        "prices_micro": PRICES,
        "windows": [{"from": start, "to": end, "rate": rate} for start, end, rate in reversed(DAY)],
        "by": "site file",
    }
    version = version_of(fields)
    assert version.windows == DAY and version.rates == tuple(PRICES)
    assert version.effective_at == datetime(2026, 5, 31, 16, 0, tzinfo=UTC) and version.kind == "tou"


# --- midnights ---


@pytest.mark.parametrize("zone_name", ZONES)
def test_every_local_day_is_due_once(zone_name: str) -> None:
    """Over a whole year each local day becomes due at its end, one after the other, clock changes included (I14)."""
    zone = ZoneInfo(zone_name)
    schedule, day = Schedule(zone), date(2026, 1, 1)
    while day < date(2027, 1, 2):
        ends = local_midnight(day + timedelta(days=1), zone)
        before = day - timedelta(days=1)
        assert schedule.day_due(before, ends - timedelta(microseconds=1)) is None
        assert schedule.day_due(before, ends) == day and schedule.day_due(day, ends) is None
        assert schedule.today(ends) == day + timedelta(days=1) and schedule.today(ends - timedelta(seconds=1)) == day
        day += timedelta(days=1)
    due, day = [], date(2025, 12, 31)
    while next_day := schedule.day_due(day, local_midnight(date(2027, 1, 1), zone)):
        due.append(day := next_day)
    assert len(due) == 365


def test_the_next_midnight_in_china() -> None:
    """Every midnight of a year in Shanghai comes exactly once."""
    schedule, now = Schedule(SHANGHAI), local_midnight(date(2026, 1, 1), SHANGHAI)
    for day in range(1, 366):
        now = schedule.next_midnight(now)
        assert now == local_midnight(date(2026, 1, 1) + timedelta(days=day), SHANGHAI)
