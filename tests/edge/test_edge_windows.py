"""When a cut may happen: to the second, with weekends, holidays, make-up days and clock changes (R2)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.billing.windows import HORIZON_DAYS, CutWindow, Season, Span

SHANGHAI = ZoneInfo("Asia/Shanghai")


def one(zone: ZoneInfo, start: int, end: int, workdays: bool, *days: frozenset[date]) -> CutWindow:
    return CutWindow(zone, (Span(start, end, "workdays" if workdays else "all"),), *days)


WORKDAYS = one(SHANGHAI, 9 * 60, 16 * 60, True)
ALWAYS = one(SHANGHAI, 0, 1440, False)
HOLIDAY, MAKE_UP = date(2026, 10, 1), date(2026, 10, 10)  # A Thursday off, a Saturday worked.
CALENDAR = one(SHANGHAI, 9 * 60, 16 * 60, True, frozenset({HOLIDAY}), frozenset({MAKE_UP}))


def wall(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    ("text", "is_open"),
    [
        ("2026-11-20T08:59:59.999999", False),
        ("2026-11-20T09:00:00", True),
        ("2026-11-20T15:59:59.999999", True),
        ("2026-11-20T16:00:00", False),
        ("2026-11-20T00:00:00", False),
        ("2026-11-21T10:00:00", False),
        ("2026-11-22T10:00:00", False),
    ],
)
def test_the_window_is_left_closed_and_right_open(text: str, is_open: bool) -> None:
    """Nine o'clock is inside, four o'clock is outside, the weekend is outside: to the microsecond."""
    assert WORKDAYS.is_open(wall(text)) is is_open


def test_holidays_rest_and_make_up_days_work() -> None:
    """On a holiday nobody is cut though it is a Thursday; on a make-up Saturday one may be."""
    assert not CALENDAR.is_open(wall("2026-10-01T10:00:00")) and WORKDAYS.is_open(wall("2026-10-01T10:00:00"))
    assert CALENDAR.is_open(wall("2026-10-10T10:00:00")) and not WORKDAYS.is_open(wall("2026-10-10T10:00:00"))
    assert CALENDAR.on(HOLIDAY) == [] and len(CALENDAR.on(MAKE_UP)) == 1
    assert one(SHANGHAI, 540, 960, False, frozenset({HOLIDAY})).is_open(wall("2026-10-01T10:00:00")), "every day"


@pytest.mark.parametrize(
    ("text", "opens"),
    [
        ("2026-11-20T10:00:00", "2026-11-20T10:00:00"),
        ("2026-11-20T08:00:00", "2026-11-20T09:00:00"),
        ("2026-11-20T16:00:00", "2026-11-23T09:00:00"),
        ("2026-11-21T23:59:59", "2026-11-23T09:00:00"),
        ("2026-09-30T16:00:00", "2026-10-02T09:00:00"),
        ("2026-10-09T16:00:00", "2026-10-10T09:00:00"),
    ],
)
def test_the_next_opening_is_said(text: str, opens: str) -> None:
    """Inside it is now; outside the morning of the next day that counts, over weekends and holidays."""
    assert CALENDAR.opens(wall(text)) == wall(opens)


def test_a_calendar_of_rest_days_never_opens() -> None:
    """Where no workday comes for longer than any run of holidays, there is no opening, and no endless search."""
    rest = frozenset(date(2026, 11, 20) + timedelta(days=offset) for offset in range(HORIZON_DAYS + 10))
    closed = one(SHANGHAI, 540, 960, True, rest)
    assert closed.opens(wall("2026-11-20T10:00:00")) is None and closed.changes(wall("2026-11-20T10:00:00")) is None


def test_the_next_change_is_the_close_or_the_opening() -> None:
    """What the panel shows: inside when the window ends, outside when the next one begins."""
    assert WORKDAYS.changes(wall("2026-11-20T09:00:00")) == wall("2026-11-20T16:00:00")
    assert WORKDAYS.changes(wall("2026-11-20T16:00:00")) == wall("2026-11-23T09:00:00")
    assert ALWAYS.is_open(wall("2026-11-21T23:59:59.999999")) and ALWAYS.is_open(wall("2026-11-22T00:00:00"))


ZONES = st.sampled_from(["Asia/Shanghai", "Europe/Berlin", "America/Santiago", "Australia/Lord_Howe"])
INSTANTS = st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 1), timezones=st.just(UTC))  # noqa: DTZ001


@given(INSTANTS, ZONES, st.integers(0, 1438), st.integers(1, 1440), st.booleans())
def test_open_is_what_the_wall_says(now: datetime, zone: str, start: int, length: int, workdays: bool) -> None:
    """In any zone, on any day: open means that the wall's clock stands inside; `opens` is the next such time."""
    window = one(ZoneInfo(zone), start, min(start + length, 1440), workdays)
    local = now.astimezone(ZoneInfo(zone))
    inside = start <= local.hour * 60 + local.minute < min(start + length, 1440)
    counts = not workdays or local.weekday() < 5
    twice_or_skipped = (
        now.astimezone(window.zone).utcoffset() != (now - timedelta(hours=24)).astimezone(window.zone).utcoffset()
    )
    if not twice_or_skipped:
        assert window.is_open(now) is (inside and counts)
    opens = window.opens(now)
    assert opens is not None and opens >= now and window.is_open(opens)
    assert (opens == now) is window.is_open(now)
    assert opens == now or not window.is_open(opens - timedelta(microseconds=1))
    changes = window.changes(now)
    assert changes is not None and changes > now
    assert changes == opens if not window.is_open(now) else window.is_open(changes - timedelta(microseconds=1))


def test_a_clock_change_inside_the_window_moves_only_its_length() -> None:
    """A window from 00:00 to 06:00 lasts five hours in spring, seven in autumn; its ends are where the wall says."""
    night = one(ZoneInfo("Europe/Berlin"), 0, 360, False)
    lengths = []
    for day in (date(2026, 3, 29), date(2026, 10, 25), date(2026, 7, 1)):
        (span,) = night.on(day)
        lengths.append((span[1] - span[0]) / timedelta(hours=1))
    assert lengths == [5, 7, 6]


def test_a_window_that_a_clock_change_skips_is_closed_that_day() -> None:
    """A window from 02:10 to 02:50 does not exist on that Sunday in Berlin: the next opening is on Monday."""
    odd = one(ZoneInfo("Europe/Berlin"), 130, 170, False)
    sunday = datetime(2026, 3, 28, 23, 0, tzinfo=UTC)
    assert odd.on(date(2026, 3, 29)) == []
    assert odd.opens(sunday) == odd.changes(sunday) == datetime(2026, 3, 30, 0, 10, tzinfo=UTC)


LUNCH = CutWindow(
    SHANGHAI, (Span(540, 690), Span(840, 960), Span(600, 660, frozenset({5}))), frozenset({HOLIDAY}),
    frozenset({MAKE_UP}), (Season(date(2027, 2, 1), date(2027, 2, 20), "Spring Festival"),),
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "is_open"),
    [
        ("2026-11-20T11:29:59", True), ("2026-11-20T11:30:00", False), ("2026-11-20T14:00:00", True),
        ("2026-11-21T10:30:00", True), ("2026-11-21T09:30:00", False), ("2026-11-22T10:30:00", False),
        ("2026-10-10T09:30:00", True), ("2027-02-01T10:00:00", False), ("2027-02-20T23:59:59", False),
        ("2027-02-22T10:00:00", True),
    ],
)  # fmt: skip
def test_r2_several_windows_weekdays_by_name_and_seasons(text: str, is_open: bool) -> None:
    """Nobody is cut over lunch, on Saturday for an hour only, and not at all in a protected season, to its end."""
    assert LUNCH.is_open(wall(text)) is is_open


def test_r2_the_next_window_may_be_of_the_same_day() -> None:
    """Over lunch the next one opens at two; windows that touch are one."""
    assert LUNCH.opens(wall("2026-11-20T12:00:00")) == wall("2026-11-20T14:00:00")
    assert LUNCH.changes(wall("2026-11-20T09:00:00")) == wall("2026-11-20T11:30:00")
    assert LUNCH.opens(wall("2027-01-29T16:00:00")) == wall("2027-01-30T10:00:00")
    both = CutWindow(SHANGHAI, (Span(540, 700), Span(700, 960), Span(600, 650)))
    assert both.on(date(2026, 11, 20)) == [(wall("2026-11-20T09:00:00"), wall("2026-11-20T16:00:00"))]
