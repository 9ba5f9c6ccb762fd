"""Which price, step and surcharge an account pays by, and how its hours are told, at the borders (R27-R29)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bridge.contract.units import micros_of
from edge.billing.steps import Step, Steps
from edge.billing.tariff import Surcharge, Version
from edge.pricing import Pricing, by_borders, within
from edge.state import AccountState, Counter, Mark, MeterState, State

ZONE = ZoneInfo("Asia/Shanghai")
MIDNIGHT = datetime(2026, 11, 20, 16, tzinfo=UTC)
DAY = timedelta(days=1)
RATED = {"rates": True}


def version(number: int, since: datetime, kind: str = "single", **more: Any) -> Version:
    prices = {"total": 500_000} if kind == "single" else {"peak": 900_000, "valley": 300_000}
    return Version("home", "home", number, since, kind, prices, (), **more)


def account(*meters: str, **row: Any) -> AccountState:
    return AccountState("a", {"since": "2026-01-01T00:00:00Z", "meters": list(meters), "tariff": "home", **row})


def test_a_price_that_begins_where_a_span_ends_is_the_next_ones() -> None:
    """The day before a price by hours begins is still charged as one, by the price it had."""
    single, hours = version(1, MIDNIGHT - 30 * DAY), version(2, MIDNIGHT, "tou")
    assert within([single, hours], MIDNIGHT - DAY, MIDNIGHT) == (single,)
    assert within([single, hours], MIDNIGHT - DAY, MIDNIGHT + timedelta(seconds=1)) == (single, hours)
    assert within([single, hours], MIDNIGHT, MIDNIGHT + DAY) == (hours,)


def test_after_a_total_alone_hours_are_told_by_borders_once_more() -> None:
    """A load record holds no register per rate: the charge that begins there cannot be by them, the next one can."""
    hours, at = version(1, MIDNIGHT - DAY, "tou"), micros_of(MIDNIGHT)
    whole = Mark({"total": 9, "peak": 5, "valley": 4}, at, "freeze")
    for billed, borders in ((whole, False), (Mark({"total": 9}, at, "load-record"), True), (None, False)):
        assert by_borders(MeterState("m", RATED, billed=billed), hours) is borders
    assert by_borders(MeterState("m", {"rates": False}, billed=whole), hours)
    assert by_borders(MeterState("m", RATED, billed=whole, table_differs=True), hours)


@pytest.mark.parametrize(("used", "step", "next_wh"), [(99, 1, 100), (100, 2, 200), (200, 3, None)])
def test_who_stands_at_a_bound_stands_in_the_step_above(used: int, step: int, next_wh: int | None) -> None:
    """The next unit is that step's, so that is the step which is shown."""
    stairs = Steps("year", (Step(100, 5), Step(200, 30)))
    now = MIDNIGHT + DAY
    counters = {"kWh": Counter(stairs.begins(now.date()), used)}
    standing = Pricing(State(), ZONE).standing(account("m"), version(1, MIDNIGHT, steps=stairs), now, counters)
    assert standing is not None and (standing.step, standing.next_wh) == (step, next_wh)


def test_a_forecast_counts_what_is_added_to_the_price() -> None:
    """Surcharges of all and of the account's category, and the step it stands in (R29)."""
    price = version(
        1, MIDNIGHT, steps=Steps("year", (Step(100, 50_000),)),
        surcharges=(Surcharge("fund", 20_000), Surcharge("rural", -10_000, "rural"), Surcharge("town", 7, "town")),
    )  # fmt: skip
    pricing, rural, now = Pricing(State(), ZONE), account("m", category="rural"), MIDNIGHT + DAY
    for used, added in ((0, 10_000), (100, 60_000)):
        rural.counters["kWh"] = Counter(Steps("year", ()).begins(now.date()), used)
        _, _, micro = next(iter(pricing.ahead(rural, price, now, 1, rural.counters, 1)))
        assert micro == 500_000 + added


def test_meters_share_a_counter_where_there_are_several() -> None:
    """An account of one meter keeps no counters of periods it has left; one of two does, for the late one (R29)."""
    pricing = Pricing(State(), ZONE)
    assert [pricing.payer(each).shares for each in (account("m"), account("m", "n"))] == [False, True]
