"""Two registers and a price give an amount, exactly: no rounding, no float, no guess (R11)."""

from __future__ import annotations

from datetime import UTC, datetime
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.contract.units import BALANCE_LIMIT_NANO
from edge.billing.rating import ChargeLine, NotRatable, amount_nano, energy_wh, rate
from edge.billing.spans import span_wh
from edge.billing.tariff import Version

FULL = 1_000_000_000
RATES = ("sharp", "peak", "flat", "valley")


def version(**prices: int) -> Version:
    kind = "single" if set(prices) == {"total"} else "tou"
    return Version("shop", "商铺", 1, datetime(2026, 1, 1, tzinfo=UTC), kind, prices, ())


REGISTERS = st.integers(0, FULL - 1)
PRICES = st.integers(0, 9_999_999_999)


@given(
    st.tuples(*[st.tuples(REGISTERS, REGISTERS) for _ in RATES]),
    st.tuples(*[PRICES for _ in RATES]),
    st.integers(1, 10_000),
)
def test_a_bill_is_exact_to_the_nano(
    spans: tuple[tuple[int, int], ...], prices: tuple[int, ...], multiplier: int
) -> None:
    """Yuan = kWh x yuan/kWh, as fractions without rounding, for any registers, prices and current transformers."""
    start = {name: min(span) for name, span in zip(RATES, spans, strict=True)}
    end = {name: max(span) for name, span in zip(RATES, spans, strict=True)}
    lines = rate(start, end, multiplier, FULL, version(**dict(zip(RATES, prices, strict=True))))
    exact = sum(
        Fraction((end[name] - start[name]) * multiplier, 1000) * Fraction(price, 10**6)
        for name, price in zip(RATES, prices, strict=True)
    )
    assert Fraction(amount_nano(lines), 10**9) == exact
    assert energy_wh(lines) == multiplier * sum(end[name] - start[name] for name in RATES)
    assert all(type(line.amount_nano) is int and line.amount_nano == line.wh * line.price_micro for line in lines)


@given(st.lists(REGISTERS, min_size=2, max_size=12), st.integers(1, 9_999_999))
def test_a_bill_in_pieces_is_the_bill_in_one(registers: list[int], price: int) -> None:
    """Charged daily or once a year, the sum is the same: nothing is rounded between (I3)."""
    registers.sort()
    single = version(total=price)
    pieces = [amount_nano(rate({"total": a}, {"total": b}, 30, FULL, single)) for a, b in pairwise(registers)]
    whole = rate({"total": registers[0]}, {"total": registers[-1]}, 30, FULL, single)
    assert sum(pieces) == amount_nano(whole)


def test_a_printed_example() -> None:
    """52.228 kWh at 1.0500 yuan are 54.839400 yuan; nothing used is nothing charged, and still a line."""
    lines = rate({"total": 1_000_000}, {"total": 1_052_228}, 1, FULL, version(total=1_050_000))
    assert lines == (ChargeLine("total", 52_228, 1_050_000, 54_839_400_000),)
    assert rate({"total": 7}, {"total": 7}, 1, FULL, version(total=1_050_000)) == (
        ChargeLine("total", 0, 1_050_000, 0),
    )
    assert amount_nano(()) == energy_wh(()) == 0


def test_a_single_price_looks_at_the_total_only() -> None:
    """A single price is charged on the total register, whatever the rate registers say, and never twice."""
    start, end = {"total": 0, "peak": 0, "flat": 0}, {"total": 100, "peak": 60, "flat": 41}
    assert energy_wh(rate(start, end, 1, FULL, version(total=500_000))) == 100
    assert energy_wh(rate(start, end, 1, FULL, version(peak=900_000, flat=500_000))) == 101


@given(REGISTERS, st.integers(0, FULL // 10))
def test_a_roll_over_is_counted_through_zero(start: int, used: int) -> None:
    """R20: from the last tenth through zero the use is what was used; from lower down nothing is invented."""
    end = (start + used) % FULL
    if end >= start or start * 10 >= FULL * 9:
        assert span_wh(start, end, FULL) == used
    else:
        with pytest.raises(NotRatable, match="R20"):
            span_wh(start, end, FULL)


def test_a_register_that_fell_is_not_charged() -> None:
    """R20: a smaller register is never a refund and never a charge; one bad rate holds the whole bill."""
    with pytest.raises(NotRatable, match="fell from 500 to 499"):
        rate({"total": 500}, {"total": 499}, 1, FULL, version(total=1))
    start, end = {"peak": 10, "flat": 500}, {"peak": 20, "flat": 499}
    with pytest.raises(NotRatable):
        rate(start, end, 1, FULL, version(peak=1, flat=1))
    assert span_wh(FULL * 9 // 10, 0, FULL) == FULL // 10
    with pytest.raises(NotRatable):
        span_wh(FULL * 9 // 10 - 1, 0, FULL)


@pytest.mark.parametrize(("start", "end"), [({"total": 1}, {"total": 2}), ({"peak": 1}, {"flat": 2})])
def test_a_missing_register_is_not_zero(start: dict[str, int], end: dict[str, int]) -> None:
    """R28: a price by hours on a meter that does not give that register is not charged as if it were nothing."""
    with pytest.raises(NotRatable, match="R28"):
        rate(start, end, 1, FULL, version(peak=1))


def test_the_largest_bill_stays_an_exact_integer() -> None:
    """The dearest price on the biggest transformer over a whole register: exact, far above what a balance may hold."""
    (line,) = rate({"total": 0}, {"total": FULL - 1}, 10_000, FULL, version(total=9_999_999_999))
    assert line.amount_nano == (FULL - 1) * 10_000 * 9_999_999_999 > BALANCE_LIMIT_NANO
