"""A register between two readings is laid on the hours of its rate; where these have none, on the clock (R27)."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from bridge.contract.units import micros_of
from edge.billing.days import Days
from edge.billing.spans import INTERPOLATED, Rules, between
from edge.billing.tariff import Version
from edge.state import Mark

ZONE = ZoneInfo("Asia/Shanghai")
FULL_WH = 1_000_000_000
NOON = datetime(2026, 11, 20, 12, tzinfo=ZONE)
PRICES = {"peak": 1_000_000, "valley": 300_000}
DAY = ((0, 8 * 60, "valley"), (8 * 60, 22 * 60, "peak"), (22 * 60, 24 * 60, "valley"))


def test_a_rate_without_an_hour_in_the_span_is_divided_by_the_clock() -> None:
    """Between noon and three all hours are peak; the meter counted 300 Wh of valley, whatever its own hours are: a
    third of them lies in the first hour, as of the peak."""
    rules = Rules(
        [Version("t", "T", 1, NOON - timedelta(days=9), "tou", PRICES, DAY)], ZONE, Days(frozenset(), frozenset())
    )
    before = Mark({"total": 10_000, "peak": 7_000, "valley": 3_000}, micros_of(NOON), "read")
    after = Mark({"total": 10_900, "peak": 7_600, "valley": 3_300}, micros_of(NOON + timedelta(hours=3)), "read")
    found = between(before, after, micros_of(NOON + timedelta(hours=1)), rules, FULL_WH)
    assert found.registers_wh == {"total": 10_300, "peak": 7_200, "valley": 3_100} and found.source == INTERPOLATED
