"""Steps and seasons at their very borders, and the counters of meters that are charged late (R28, R29)."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from edge.billing.days import EVERY_WEEK
from edge.billing.rating import PERIODS_KEPT, Payer, charge
from edge.billing.spans import Rules, between
from edge.billing.steps import Step, Steps, addition_at, split
from edge.billing.tariff import Table, Version
from edge.charged import charged
from edge.pricing import Pricing
from edge.state import AccountState, Counter, Mark, MeterState, State

UTC_ZONE = ZoneInfo("UTC")
SCALE = 1_000_000_000
STEPS = (Step(100, 5), Step(200, 30))


@pytest.mark.parametrize(("used", "step", "add"), [(99, 1, 0), (100, 2, 5), (199, 2, 5), (200, 3, 30)])
def test_the_next_unit_costs_what_it_will_be_charged(used: int, step: int, add: int) -> None:
    """At the bound itself the unit before it was the last cheap one: what is shown and what is charged agree."""
    assert addition_at(used, STEPS) == add
    assert list(split(used, 1, STEPS)) == ([(step, 1, add)] if add else [])


@pytest.mark.parametrize(("day", "summer"), [((6, 30), False), ((7, 1), True), ((8, 31), True), ((9, 1), False)])
def test_a_season_has_both_its_days(day: tuple[int, int], summer: bool) -> None:
    """07-01..08-31 begins with the first of July and ends with the last of August (R28)."""
    assert Table(((0, 1440, "peak"),), ((701, 831),)).holds(date(2026, *day), "workday") is summer


@pytest.mark.parametrize(
    ("day", "begins", "following"),
    [((2026, 4, 30), (2025, 5, 1), (2026, 5, 1)), ((2026, 5, 1), (2026, 5, 1), (2027, 5, 1)),
     ((2026, 1, 1), (2025, 5, 1), (2026, 5, 1)), ((2026, 12, 31), (2026, 5, 1), (2027, 5, 1))],
)  # fmt: skip
def test_a_year_of_steps_is_a_year(day: tuple[int, ...], begins: tuple[int, ...], following: tuple[int, ...]) -> None:
    """It begins on its own day, May 1 for one, and lasts until the next; not with January, and not for a month."""
    yearly = Steps("year", STEPS, month=5, day=1)
    assert yearly.begins(date(*day)) == date(*begins) and yearly.next(date(*begins)) == date(*following)  # type: ignore[arg-type]


def test_a_counter_goes_on_from_charge_to_charge() -> None:
    """80 Wh and 80 Wh and 80 Wh: the second reaches the step of 100 and the third that of 200 (R29)."""
    monthly = Steps("month", STEPS)
    price = Version("home", "home", 1, datetime(2020, 1, 1, tzinfo=UTC), "single", {"total": 0}, (), steps=monthly)
    rules, payer, counter, found = Rules([price], UTC_ZONE, EVERY_WEEK), Payer(date(2020, 1, 1)), Counter(), []
    for day in (2, 3, 4):
        marks = [Mark({"total": 0}, at(2026, 1, day), "freeze"), Mark({"total": 80}, at(2026, 1, day + 1), "freeze")]
        done = charge(marks, 1, SCALE, rules, payer, counter)
        counter = done.counter
        found.append([(line.rate, line.wh) for line in done.lines if line.kind == "step"])
    assert found == [[], [("2", 60)], [("2", 40), ("3", 40)]] and counter.used_wh == 240


def test_hours_told_by_borders_are_multiplied_too() -> None:
    """Behind a transformer of 40 the register counts a fortieth, in whichever hour (R23, R28)."""
    windows = ((0, 480, "valley"), (480, 1440, "peak"))
    price = Version("shop", "", 1, datetime(2020, 1, 1, tzinfo=UTC), "tou", {"peak": 1000, "valley": 300}, windows)
    noon, eight = (int(datetime(2026, 1, 2, hour, tzinfo=UTC).timestamp()) * 1_000_000 for hour in (12, 8))
    marks = [Mark({"total": 0}, at(2026, 1, 2), "read"), Mark({"total": 10}, eight, "border"),
             Mark({"total": 25}, noon, "read")]  # fmt: skip
    done = charge(marks, 40, SCALE, Rules([price], UTC_ZONE, EVERY_WEEK, True), Payer(date(2020, 1, 1)), Counter())
    assert {line.rate: (line.wh, line.amount_nano) for line in done.lines} == {
        "valley": (400, 120_000), "peak": (600, 600_000),
    }  # fmt: skip


def at(year: int, month: int, day: int) -> int:
    return int(datetime(year, month, day, tzinfo=UTC).timestamp()) * 1_000_000


def test_a_late_meter_finds_the_newest_periods_of_its_siblings() -> None:
    """Its siblings are five months ahead. Of the months they have left the newest are known: there it goes on from
    what they used; an older one it begins at nothing, so a step comes too late rather than too early."""
    monthly = Steps("month", (Step(100, 1_000),))
    price = Version("home", "home", 1, datetime(2020, 1, 1, tzinfo=UTC), "single", {"total": 0}, (), steps=monthly)
    rules, payer, counter = Rules([price], UTC_ZONE, EVERY_WEEK), Payer(date(2020, 1, 1), shares=True), Counter()

    def used(month: int, wh: int) -> int:
        nonlocal counter
        marks = [Mark({"total": 0}, at(2026, month, 2), "freeze"), Mark({"total": wh}, at(2026, month, 3), "freeze")]
        done = charge(marks, 1, SCALE, rules, payer, counter)
        counter = done.counter
        return sum(line.wh for line in done.lines if line.kind == "step")

    assert [used(month, 90) for month in range(1, 2 + PERIODS_KEPT + 1)] == [0] * (PERIODS_KEPT + 2)
    assert used(2, 90) == 80, "the oldest that is kept"
    assert used(1, 90) == 0, "one that is not"


@pytest.mark.parametrize(
    ("counter", "used", "step"),
    [
        (Counter(date(2026, 2, 1), 150), 150, 2),
        (Counter(date(2026, 1, 1), 150), 0, 1),  # The last month's, before the first charge of this one.
        (Counter(date(2026, 1, 1), 90, ((date(2026, 2, 1), 150),)), 150, 2),  # A sibling was charged late.
    ],
)
def test_where_an_account_stands_is_told_of_this_period(counter: Counter, used: int, step: int) -> None:
    """In February the step that is shown is February's, whichever meter of the account was charged last (R29)."""
    monthly = Steps("month", STEPS)
    price = Version("home", "home", 1, datetime(2020, 1, 1, tzinfo=UTC), "single", {"total": 0}, (), steps=monthly)
    account = AccountState("a", {"since": "2020-01-01T00:00:00Z", "meters": ["m", "n"], "tariff": "home"})
    now = datetime(2026, 2, 5, tzinfo=UTC)
    standing = Pricing(State(), UTC_ZONE).standing(account, price, now, {"kWh": counter})
    assert standing is not None and (standing.used_wh, standing.step) == (used, step)
    assert standing.add_micro == addition_at(used, STEPS)


def test_rates_that_run_ahead_of_their_total_do_not_carry_it_beyond_its_reading() -> None:
    """Rates that moved 90 while the total moved 50 leave the interpolated total between its two readings (R28)."""
    windows = ((0, 1380, "flat"), (1380, 1440, "peak"))
    price = Version("s", "s", 1, datetime(2020, 1, 1, tzinfo=UTC), "tou", {"peak": 1, "flat": 1}, windows)
    before = Mark({"total": 1000, "peak": 500, "flat": 500}, at(2026, 1, 2) - 3_600_000_000, "read")
    after = Mark({"total": 1050, "peak": 590, "flat": 500}, at(2026, 1, 2) + 3_600_000_000, "read")
    found = between(before, after, at(2026, 1, 2), Rules([price], UTC_ZONE, EVERY_WEEK), SCALE)
    assert found.registers_wh == {"peak": 590, "flat": 500, "total": 1050}


def test_an_estimate_over_several_days_counts_each_of_them() -> None:
    """Three days in a row may be estimated, also where one charge spans two (R24)."""
    meter = MeterState("m", {})
    start = {"registers_wh": {"total": 1}, "at": "2026-01-01T00:00:00Z", "source": "freeze"}
    for days, sum_of in ((2, 2), (1, 3)):
        charged(meter, {"start": start, "end": {**start, "source": "estimate"}, "days": days})
        assert meter.estimated_days == sum_of
    charged(meter, {"start": start, "end": start, "days": 1})
    assert meter.estimated_days == 0
