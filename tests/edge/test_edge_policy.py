"""Levels, forecast, warning and cut as pure functions: each rule is asked alone and must be the one that is named."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.billing import policy
from edge.billing.money import Limits
from edge.billing.policy import FORECAST_DAYS, Moment, Terms, Verdict
from edge.billing.tariff import Version
from edge.billing.windows import CutWindow, Span

YUAN = 10**9
SHANGHAI = ZoneInfo("Asia/Shanghai")
FRIDAY_11 = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)
TERMS = Terms(
    zone=SHANGHAI,
    window=CutWindow(SHANGHAI, (Span(9 * 60, 16 * 60),)),
    lead_s=1800,
    cut_limit_nano=0,
    restore_nano=YUAN,
    levels_nano=(50 * YUAN, 20 * YUAN, 10 * YUAN),
    level_margin_nano=YUAN,
    stale_s=900,
    warning_counts="delivered",
    brake_meters=5,
    brake_percent=10,
    border_lead_s=0,
    limits=Limits(YUAN, 50_000 * YUAN),
)
WINDOWS = ((0, 420, "valley"), (420, 720, "flat"), (720, 1110, "peak"), (1110, 1320, "sharp"), (1320, 1440, "valley"))
PRICES = {"sharp": 1_248_000, "peak": 1_025_400, "flat": 641_000, "valley": 308_000}
TOU = Version("shop", "商铺", 1, datetime(2026, 1, 1, tzinfo=UTC), "tou", PRICES, WINDOWS)


# --- levels (R9) ---


BALANCES = st.lists(st.integers(-5 * YUAN, 60 * YUAN), max_size=40)
MARGINS = st.sampled_from([0, YUAN, 15 * YUAN, 45 * YUAN])


@given(BALANCES, MARGINS)
def test_a_level_fires_once_per_downward_crossing(balances: list[int], margin: int) -> None:
    """Each level warns when the balance falls below it, and not again before it has risen above it plus the margin."""
    terms, level = replace(TERMS, level_margin_nano=margin), 0
    armed = [True, True, True]
    for balance in balances:
        was, level = level, policy.level_now(level, balance, terms)
        fired = []
        for index, threshold in enumerate(terms.levels_nano):
            if armed[index] and balance < threshold:
                armed[index] = False
                fired.append(index + 1)
            elif balance > threshold + margin:
                armed[index] = True
        assert list(range(was + 1, level + 1)) == fired
        assert level == armed.count(False)


def test_a_balance_that_hovers_warns_once() -> None:
    """Nineteen yuan, twenty, nineteen: one warning; only above twenty-one the level is armed again."""
    seen = []
    level = 1
    for fen in (2000, 1999, 2000, 1999, 2100, 1999, 2101, 1999):
        was, level = level, policy.level_now(level, fen * 10**7, TERMS)
        seen.append(level - was)
    assert seen == [0, 1, 0, 0, 0, 0, -1, 1]


def test_exactly_at_a_level_is_not_below_it() -> None:
    """Fifty yuan are not below fifty; one nano less is."""
    assert policy.level_now(0, 50 * YUAN, TERMS) == 0 and policy.level_now(0, 50 * YUAN - 1, TERMS) == 1
    assert policy.level_now(0, -3 * YUAN, TERMS) == 3, "a fall through all of them is all of them"
    assert policy.level_now(3, 1000 * YUAN, TERMS) == 0


# --- forecast ---


def reached(left: int, load_w: int, now: datetime, days: int) -> Fraction | None:
    """Seconds until `left` nano are used: minute by minute on the wall's clock, in exact fractions."""
    used, seconds = Fraction(0), Fraction(0)
    for minute in range(days * 1440):
        wall = (now + timedelta(minutes=minute)).astimezone(SHANGHAI)
        (rate,) = [r for start, end, r in WINDOWS if start <= wall.hour * 60 + wall.minute < end]
        per_minute = Fraction(load_w * PRICES[rate], 60)
        if used + per_minute >= left:
            return seconds + (left - used) / per_minute * 60
        used, seconds = used + per_minute, seconds + 60
    return None


@settings(deadline=None)  # A day is walked second by second: on a busy machine that takes as long as it takes.
@given(st.integers(1, 60 * YUAN), st.integers(50, 60_000), st.integers(0, 7 * 1440), st.integers(-20 * YUAN, 0))
def test_zero_is_when_the_money_is_used_up(left: int, load_w: int, minute: int, limit: int) -> None:
    """The forecast is the second at which load times the prices ahead, window by window, has used what is left."""
    now = datetime(2026, 11, 18, tzinfo=UTC) + timedelta(minutes=minute)
    brute = reached(left, load_w, now, 4)
    zero = policy.zero_at(limit + left, limit, load_w, TOU.ahead(now, SHANGHAI, FORECAST_DAYS), now)
    if brute is None:
        assert zero is None or zero > now + timedelta(days=4) - timedelta(seconds=2)
    else:
        assert zero is not None and abs(Fraction((zero - now).total_seconds()) - brute) <= 2


def test_a_forecast_of_nothing_and_of_no_time() -> None:
    """No load: no date. Nothing left: now. Beyond the horizon: no date, and no error. Free hours cost nothing."""
    assert policy.zero_at(YUAN, 0, 0, TOU.ahead(FRIDAY_11, SHANGHAI, FORECAST_DAYS), FRIDAY_11) is None
    assert policy.zero_at(YUAN, 0, -500, TOU.ahead(FRIDAY_11, SHANGHAI, FORECAST_DAYS), FRIDAY_11) is None
    assert policy.zero_at(0, 0, 500, TOU.ahead(FRIDAY_11, SHANGHAI, FORECAST_DAYS), FRIDAY_11) == FRIDAY_11
    assert policy.zero_at(0, 0, 0, TOU.ahead(FRIDAY_11, SHANGHAI, FORECAST_DAYS), FRIDAY_11) == FRIDAY_11
    assert policy.zero_at(-YUAN, 0, 0, TOU.ahead(FRIDAY_11, SHANGHAI, FORECAST_DAYS), FRIDAY_11) == FRIDAY_11
    assert policy.zero_at(10**6 * YUAN, 0, 1, TOU.ahead(FRIDAY_11, SHANGHAI, FORECAST_DAYS), FRIDAY_11) is None
    free = replace(TOU, prices_micro={**PRICES, "flat": 0})
    assert policy.zero_at(1, 0, 1000, free.ahead(FRIDAY_11, SHANGHAI, FORECAST_DAYS), FRIDAY_11) == datetime(
        2026, 11, 20, 4, 0, tzinfo=UTC
    )
    every_day = 24 * 1000 * 500_000
    single = Version("s", "s", 1, datetime(2026, 1, 1, tzinfo=UTC), "single", {"total": 500_000}, ())
    late = policy.zero_at(
        every_day * (FORECAST_DAYS - 2), 0, 1000, single.ahead(FRIDAY_11, SHANGHAI, FORECAST_DAYS), FRIDAY_11
    )
    assert late == FRIDAY_11 + timedelta(days=FORECAST_DAYS - 2)


# --- the final warning (R1) ---


def test_the_final_warning_goes_out_when_zero_is_the_lead_away() -> None:
    """Thirty minutes and a second before zero: not yet. Thirty minutes before, or at an unforeseen zero: now."""
    lead = timedelta(seconds=TERMS.lead_s)
    assert not policy.final_is_due(None, FRIDAY_11, TERMS)
    assert not policy.final_is_due(FRIDAY_11 + lead + timedelta(seconds=1), FRIDAY_11, TERMS)
    assert policy.final_is_due(FRIDAY_11 + lead, FRIDAY_11, TERMS)
    assert policy.final_is_due(FRIDAY_11, FRIDAY_11, TERMS)
    assert policy.final_is_due(FRIDAY_11 - timedelta(hours=5), FRIDAY_11, TERMS)
    day = replace(TERMS, lead_s=86_400)
    assert policy.final_is_due(FRIDAY_11 + timedelta(hours=23), FRIDAY_11, day)


def test_a_final_warning_ends_by_payment_or_a_lasting_fall_of_load() -> None:
    """It stands while the debt stands; above the limit a payment ends it, or zero far away; a flicker does not."""

    def void(balance: int, zero_s: int | None, paid: bool = False, sure: bool = True) -> str | None:
        zero = None if zero_s is None else FRIDAY_11 + timedelta(seconds=zero_s)
        return policy.final_is_void(balance, zero, FRIDAY_11, paid, TERMS, sure)

    assert void(0, None, paid=True) is None and void(-1, None) is None, "still at or below the limit"
    assert void(1, 600, paid=True) == "a payment came"
    assert void(-1, None, paid=True, sure=False) == "a payment came", "nobody knows the price of what was used"
    assert void(-1, None, sure=False) is None
    far = TERMS.lead_s + policy.RELAX_S
    assert void(YUAN, far) is None and void(YUAN, far + 1) is not None
    assert void(YUAN, None) is not None


@pytest.mark.parametrize(
    ("delivered", "powered", "allowed"),
    [(None, 10**6, False), (1000, 1000 + 1799, False), (1000, 1000 + 1800, True), (1000, 1000, False), (0, 1800, True)],
)
def test_the_lead_is_counted_in_powered_seconds(delivered: int | None, powered: int, allowed: bool) -> None:
    """R1: 29 minutes 59 seconds of powered time after the delivered warning are not enough, 30 minutes are."""
    verdict = policy.warned(delivered, powered, TERMS)
    assert verdict.allowed is allowed and (allowed or verdict.rule == "R1")
    assert policy.warned(1000, 1000 + 1799, TERMS).why.endswith("(1 s left)")


# --- may it be cut now ---


CUTTABLE = Moment(
    now=FRIDAY_11,
    mode="normal",
    available_nano=-YUAN,
    delivered_powered_s=1000,
    powered_s=1000 + 1800,
    read_age_s=60.0,
    quarantined=False,
    opened=True,
    keep_power=False,
    brake=None,
)


def test_everything_right_is_a_cut() -> None:
    """Debt, warning, time, reading, window: then, and only then, a cut is allowed; at the limit itself too."""
    assert policy.may_cut(CUTTABLE, TERMS) == Verdict(True)
    assert policy.may_cut(replace(CUTTABLE, available_nano=0, read_age_s=900.0), TERMS).allowed


AGAINST: list[tuple[str, dict[str, Any]]] = [
    *(("I22", {"mode": mode}) for mode in ("time", "recovery", "version", "identity", "disk", "book")),
    ("R1", {"available_nano": 1}),
    ("R3", {"keep_power": True}),
    ("R19", {"opened": False}),
    ("I15", {"quarantined": True}),
    ("R3", {"read_age_s": None}),
    ("R3", {"read_age_s": 901.0}),
    ("R3", {"read_age_s": -1.0}),
    ("R3", {"estimated": True}),
    ("R3", {"changing": True}),
    ("R1", {"delivered_powered_s": None}),
    ("R1", {"powered_s": 1000 + 1799}),
    ("R2", {"now": datetime(2026, 11, 20, 8, 0, tzinfo=UTC)}),
    ("R2", {"now": datetime(2026, 11, 21, 3, 0, tzinfo=UTC)}),
    ("R4", {"brake": "six meters within an hour"}),
]


@pytest.mark.parametrize(("rule", "change"), AGAINST)
def test_each_rule_alone_stops_a_cut_and_is_named(rule: str, change: dict[str, Any]) -> None:
    """Whatever single thing is not right: no cut, and the tenant and the clerk are told which rule it was."""
    verdict = policy.may_cut(replace(CUTTABLE, **change), TERMS)
    assert not verdict.allowed and verdict.rule == rule and len(verdict.why) > 10


@given(st.sets(st.sampled_from(range(len(AGAINST))), min_size=1))
def test_no_two_wrongs_make_a_cut(chosen: set[int]) -> None:
    """Any combination of reasons against a cut is against a cut, and the rule named is one of them."""
    changes: dict[str, Any] = {}
    for index in chosen:
        changes |= AGAINST[index][1]
    verdict = policy.may_cut(replace(CUTTABLE, **changes), TERMS)
    assert not verdict.allowed and verdict.rule in {AGAINST[index][0] for index in chosen}


def test_protected_time_says_until_when() -> None:
    """R2: on Friday at 16:00 the refusal says Monday 09:00; the others do not pretend to know an end."""
    verdict = policy.may_cut(replace(CUTTABLE, now=datetime(2026, 11, 20, 8, 0, tzinfo=UTC)), TERMS)
    assert verdict.until == datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
    assert policy.may_cut(replace(CUTTABLE, quarantined=True), TERMS).until is None


@pytest.mark.parametrize(
    ("cuts", "installed", "due"),
    [(0, 26, False), (4, 26, False), (5, 26, True), (6, 26, True), (5, 60, False), (6, 60, True), (9, 99, True)],
)
def test_the_brake_catches_the_cut_that_is_one_too_many(cuts: int, installed: int, due: bool) -> None:
    """R4: five meters, or a tenth of the site where that is more; the cut after them waits for a named person."""
    assert policy.brake_due(cuts, installed, TERMS) is due


def test_a_relay_is_closed_only_when_nothing_holds_it() -> None:
    """R5: any hold keeps it open, a due cut opens it, nothing of both means closed."""
    assert policy.desired([], False) == "closed"
    assert policy.desired(["manual"], False) == policy.desired([], True) == policy.desired(["a", "b"], True) == "open"
