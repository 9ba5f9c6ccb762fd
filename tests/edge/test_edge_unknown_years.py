"""R2: in a year whose official calendar is not known, nobody is cut on a day that may be a statutory rest day."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bridge.contract.site import Policy, Site, SiteTable
from edge.festivals import LUNAR, may_rest
from edge.holidays import statutory
from edge.settings import statutory_days, terms_on, unknown_years
from tests.edge.building import Building

NEW_MOON = datetime(2000, 1, 6, 18, 14, tzinfo=UTC)
LUNATION = timedelta(days=29.530588853)


@pytest.fixture(autouse=True)
def ends_with_2026(monkeypatch: pytest.MonkeyPatch) -> None:
    """The calendar as it was when these tests were written, also beside a newer one."""

    def known(day: date) -> bool | None:
        if day.year > 2026:
            raise NotImplementedError
        return statutory(day)

    monkeypatch.setattr("edge.settings.statutory", known)


def year(number: int) -> Iterator[date]:
    day = date(number, 1, 1)
    while day.year == number:
        yield day
        day += timedelta(days=1)


def site(**policy: Any) -> Site:
    return Site(site=SiteTable(name="t", gateway="t"), policy=Policy.model_validate(policy))


def test_r2_nobody_is_cut_in_the_spring_festival_of_a_year_that_is_not_known(tmp_path: Path) -> None:
    """Monday 2027-02-08, the third day of the festival, 11:22: no hour is open, and the fact says why days are shut."""
    start = datetime(2027, 2, 8, 3, 22, tzinfo=UTC)
    building = Building(tmp_path, meters={"a206"}, start=start)
    building.connect()
    told = building.fact("policy")
    assert (told["days"][0]["date"], told["days"][0]["kind"], told["days"][0]["open"]) == ("2027-02-08", "holiday", [])
    assert not building.edge.core.terms.window.is_open(start) and told["unknown_years"] == [2027]


SPANS_2027 = [
    ("01-01", "01-03"), ("02-03", "02-14"), ("04-02", "04-07"), ("04-29", "05-05"), ("06-07", "06-11"),
    ("09-13", "09-17"), ("09-29", "10-08"), ("12-30", "12-31"),
]  # fmt: skip
SPANS_2050 = [
    ("01-01", "01-03"), ("01-18", "02-28"), ("04-02", "04-07"), ("04-29", "05-05"), ("05-25", "06-28"),
    ("09-05", "10-09"), ("12-30", "12-31"),
]  # fmt: skip
"""Beyond the table of the moon a festival has the whole range in which it can fall."""


@pytest.mark.parametrize(("number", "spans"), [(2027, SPANS_2027), (2050, SPANS_2050)])
def test_r2_each_festival_has_a_generous_span_and_no_other_day_has_one(
    number: int, spans: list[tuple[str, str]]
) -> None:
    """From two days before the eve of the new year to its ninth day, and so on: to the day."""
    expected = {day for day in year(number) if any(a <= f"{day:%m-%d}" <= b for a, b in spans)}
    assert {day for day in year(number) if may_rest(day)} == expected


def test_r2_what_was_ever_a_holiday_may_be_one() -> None:
    """Every weekday off since the festivals of today are statutory (2008) lies in a span, but for a jubilee of once."""
    days = [day for number in range(2008, 2027) for day in year(number) if statutory(day)]
    outside = {day for day in days if not may_rest(day)}
    assert len(days) > 400 and {day.isoformat() for day in outside if day.weekday() < 5} == {"2015-09-03", "2015-09-04"}


def test_r2_the_table_of_the_moon_follows_the_moon() -> None:
    """A date typed wrong would open a festival to cuts: each is its 1st, 5th or 15th day, by the mean new moon."""
    assert list(LUNAR) == list(range(2027, 2046))
    for number, festivals in LUNAR.items():
        for (month, day), offset in zip(festivals, (0, 4, 14), strict=True):
            noon = datetime(number, month, day, 4, tzinfo=UTC) - timedelta(days=offset)
            assert abs((noon - NEW_MOON + LUNATION / 2) % LUNATION - LUNATION / 2) < timedelta(days=1.2), (
                number,
                month,
            )


def test_r2_a_known_year_is_as_the_calendar_has_it() -> None:
    """No span is laid over a year whose days are known, not even where the next one is not."""
    rest, work = statutory_days(date(2026, 12, 20), Policy())
    assert not any(day.year == 2026 for day in rest | work)
    assert {date(2027, 1, 1), date(2027, 2, 3), date(2027, 2, 6)} <= rest
    rest, work = statutory_days(date(2026, 1, 31), Policy())
    assert {day for day in rest if day.year == 2026} == {day for day in year(2026) if statutory(day)}
    assert {day for day in work if day.year == 2026} == {day for day in year(2026) if statutory(day) is False}


def test_r2_the_sites_own_days_win_in_a_year_that_is_not_known() -> None:
    """A day of a span is worked where the site file says so, a day outside rests; weekends are not worked by anybody
    else's word."""
    own = site(work_days=[date(2027, 2, 3), date(2027, 2, 20)], rest_days=[date(2027, 3, 3)])
    window = terms_on(own, date(2027, 1, 20)).window
    worked = {day for day in year(2027) if day.month in (2, 3) and window.on(day)}
    assert {date(2027, 2, 3), date(2027, 2, 15), date(2027, 2, 20), date(2027, 3, 2)} <= worked
    assert not {date(2027, 2, 4), date(2027, 2, 12), date(2027, 3, 3)} & worked
    assert {day for day in worked if day.weekday() >= 5} == {date(2027, 2, 20)}


@pytest.mark.parametrize(
    ("today", "policy", "years"),
    [
        ("2026-11-30", {}, ()),
        ("2026-12-01", {}, (2027,)),
        ("2027-11-30", {}, (2027,)),
        ("2027-12-01", {}, (2027, 2028)),
        ("2026-12-01", {"rest_days": [date(2026, 12, 24)]}, (2027,)),
        ("2026-12-01", {"rest_days": [date(2027, 2, 6)]}, ()),
        ("2027-12-01", {"work_days": [date(2027, 2, 20)]}, (2028,)),
        ("2026-12-01", {"cut_window": {"days": "all"}}, ()),
    ],
)
def test_r2_a_year_that_is_not_known_is_told_from_december_on(
    today: str, policy: dict[str, Any], years: tuple[int, ...]
) -> None:
    """The notice comes in November: a gateway that has not heard of it says so until the site file gives days of that
    year. Where cuts are possible on all days there is nothing to know."""
    assert unknown_years(date.fromisoformat(today), Policy.model_validate(policy)) == years


def test_r2_the_fact_says_so_on_the_first_of_december_without_a_restart(tmp_path: Path) -> None:
    """A gateway that runs for years tells it at the midnight that begins December."""
    building = Building(tmp_path, meters={"a206"}, start=datetime(2026, 11, 30, 15, 59, tzinfo=UTC))
    building.connect()
    assert building.fact("policy")["unknown_years"] == []
    building.run(minutes=2)
    assert building.fact("policy")["unknown_years"] == [2027]
