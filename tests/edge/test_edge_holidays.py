"""The holidays by which prices tell days apart: in the book, from today on, by the table that people can edit (R28)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bridge.contract.clock import ManualClock
from bridge.contract.site import Policy, Site, SiteTable
from edge.billing.days import Days
from edge.book import Book
from edge.core import Core
from edge.fold import apply
from edge.holidays import Holidays, statutory
from edge.settings import terms_of
from edge.state import State

START = datetime(2026, 9, 20, 2, 30, tzinfo=UTC)  # Sunday 10:30 in Shanghai: worked, for the National Day.
WINDOWS = [{"from": 0, "to": 1440, "rate": "peak"}]
PRICE: dict[str, Any] = {
    "tariff": "shop", "name": "Shop", "version": 1, "effective_at": "2026-01-01T00:00:00+00:00", "price_kind": "tou",
    "prices_micro": {"peak": 1}, "windows": WINDOWS,
    "tables": [{"seasons": [], "days": ["holiday"], "windows": WINDOWS}], "by": "test",
}  # fmt: skip


class Desk:
    """A book with one price that has a table for holidays."""

    def __init__(self, directory: Path, price: dict[str, Any] | None = None):
        self.clock = ManualClock(START)
        self.book = Book(directory, self.clock, "boot-1")
        self.book.trusted = True
        site = Site(site=SiteTable(name="t", gateway="t"))
        self.core = Core(self.book, terms_of(site, (frozenset(), frozenset())), self.clock)
        self.core.append(("tariff/2", "tariff:shop:1", price or PRICE))

    def look(self, table: Any = statutory, **policy: Any) -> Days:
        """The edge starts with this site file, and looks."""
        Holidays(self.core, Policy.model_validate(policy), table).tick()
        return self.core.state.days

    def calendars(self) -> list[dict[str, Any]]:
        return [entry.fields for entry in self.book.entries() if entry.kind == "calendar/1"]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.book.close()


def test_statutory_holidays_and_make_up_days_are_written_down_once(desk: Desk) -> None:
    """The National Day is a holiday, also where it falls on a weekend; the worked Sunday before it is a workday."""
    days = desk.look()
    assert days.kind(date(2026, 10, 1)) == "holiday" and days.kind(date(2026, 10, 3)) == "holiday"
    assert days.kind(date(2026, 9, 20)) == "workday" and days.kind(date(2026, 10, 17)) == "weekend"
    (calendar,) = desk.calendars()
    assert (calendar["since"], calendar["until"]) == ("2026-09-20", "2026-12-31")
    assert "2026-09-19" not in calendar["rest_days"] + calendar["work_days"]
    desk.look()
    desk.clock.advance(86_400)
    desk.look()
    assert len(desk.calendars()) == 1
    again = State()
    for entry in desk.book.entries():
        apply(again, entry)
    assert again.days == days


def test_people_edit_the_table_by_the_site_file(desk: Desk) -> None:
    """A day of one's own is a holiday, one that was taken back is none, and days that have passed stay as billed."""
    desk.look()
    own = {"rest_days": [date(2026, 11, 11), date(2026, 9, 1)], "work_days": [date(2026, 10, 1)]}
    days = desk.look(**own)
    assert days.kind(date(2026, 11, 11)) == "holiday" and days.kind(date(2026, 10, 1)) == "workday"
    assert date(2026, 9, 1) not in days.rest
    desk.clock.advance(12 * 86_400)
    days = desk.look()
    assert days.kind(date(2026, 11, 11)) == "workday"
    assert days.kind(date(2026, 10, 1)) == "workday", "it has passed: its bills were written by the table of then"
    assert len(desk.calendars()) == 3


def test_a_year_that_is_not_published_yet_is_added_when_it_is(desk: Desk) -> None:
    """A newer table knows the next year: its days are written down then, and the old ones are said again unchanged."""
    before = desk.look()
    new_year = date(2027, 1, 1)
    assert before.kind(new_year) == "workday"

    def newer(day: date) -> bool | None:
        if day.year < 2027:
            return statutory(day)
        return True if day == new_year else None

    days = desk.look(newer)
    assert days == Days(before.rest | {new_year}, before.work)
    assert desk.calendars()[-1]["until"] == (date(2026, 9, 20) + timedelta(days=365)).isoformat()


def test_own_days_of_a_year_that_is_not_known_count(desk: Desk) -> None:
    """Nobody has to wait for a newer table: a holiday of next year stands in the site file and counts."""
    assert desk.look(rest_days=[date(2027, 2, 5)]).kind(date(2027, 2, 5)) == "holiday"
    assert desk.calendars()[-1]["until"] == "2027-02-05"


def test_a_site_without_such_prices_has_no_calendar_in_its_book(tmp_path: Path) -> None:
    """Who has one price on all days is not troubled with a table of them."""
    desk = Desk(tmp_path, PRICE | {"tables": [{"seasons": [[701, 831]], "days": [], "windows": WINDOWS}]})
    assert desk.look() == Days() and desk.calendars() == []
    desk.book.close()


def test_a_price_that_is_set_later_brings_the_calendar_with_it(desk: Desk, tmp_path: Path) -> None:
    """The first price by kind of day is set in the middle of the year: its days are known from that minute on."""
    (tmp_path / "other").mkdir()
    other = Desk(tmp_path / "other", PRICE | {"tables": []})
    holidays = Holidays(other.core, Policy())
    holidays.tick()
    assert other.calendars() == []
    other.core.append(("tariff/2", "tariff:shop:2", PRICE | {"version": 2}))
    holidays.tick()
    assert len(other.calendars()) == 1
    other.book.close()


def test_a_clock_in_doubt_writes_no_calendar(desk: Desk) -> None:
    """In 1970 nobody knows which days are to come."""
    desk.book.trusted = False
    assert desk.look() == Days() and desk.calendars() == []
