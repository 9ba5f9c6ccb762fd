"""How long the money lasts, where a unit costs more once so much was used: the steps ahead count, and those behind.

And where another price will count soon: it is approved, so it is known."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.contract.units import instant_of_micros, instant_text
from edge.billing.climbing import climbing
from edge.billing.steps import Step, Steps, addition_at
from edge.billing.tariff import Version
from edge.pricing import Pricing
from edge.state import AccountState, State
from tests.edge.building import Building
from tests.edge.money_desk import NANO, MoneyDesk
from tests.edge.pricing import CATERING, HOURS, set_price
from tests.edge.wires import ACCOUNT, Watched

ZONE = ZoneInfo("Asia/Shanghai")
MIDNIGHT = datetime(2026, 11, 29, 16, tzinfo=UTC)  # Monday the 30th begins; the month ends with it.


@settings(max_examples=100, deadline=None)
@given(
    st.integers(1, 40_000), st.integers(0, 9_000),
    st.lists(st.tuples(st.integers(0, 9_000), st.integers(1, 99)), min_size=1, max_size=3, unique_by=lambda row: row[0])
)  # fmt: skip
def test_the_steps_ahead_are_those_of_every_single_minute(load_w: int, used: int, rows: list[tuple[int, int]]) -> None:
    """Any load and any bounds, over the end of a month: the price of each minute is that of the step it lies on, and
    the spans leave no gap."""
    steps = Steps("month", tuple(Step(*row) for row in sorted(rows)))
    hours = [(MIDNIGHT + timedelta(hours=n), MIDNIGHT + timedelta(hours=n + 1), 1000 * n) for n in range(30)]
    found = list(climbing(hours, load_w, used, steps, date(2020, 1, 1), ZONE))
    assert found[0][0] == MIDNIGHT and found[-1][1] == hours[-1][1]
    assert all(one[1] == other[0] and one[0] < one[1] for one, other in pairwise(found))
    for minute in range(30 * 60):
        at = MIDNIGHT + timedelta(minutes=minute, seconds=30)
        since = MIDNIGHT if minute < 24 * 60 else MIDNIGHT + timedelta(hours=24)
        seconds = int((at - since).total_seconds())
        micro = next(span for span in found if span[0] <= at < span[1])[2]
        near = {
            addition_at(max(0, (used if since == MIDNIGHT else 0) + load_w * (seconds + s) // 3600), steps.steps)
            for s in (-1, 0, 1)
        }  # A cut is on a whole second.
        assert micro - 1000 * (minute // 60) in near


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[MoneyDesk]:
    """A household at 0.8512 yuan, and 1 yuan more above 10 kWh of the month."""
    made = MoneyDesk(tmp_path)
    steps = {"period": "month", "month": 1, "day": 1, "moving_in": "full",
             "steps": [{"above_wh": 10_000, "add_micro": 1_000_000}]}  # fmt: skip
    made.core.state.tariffs["shop"][0] |= {"steps": steps}
    made.core.pricing.refresh()
    made.topup("101", 100)
    made.opened("m1", 100_000)
    made.core.lives["m1"].load_w = 1_000
    yield made
    made.book.close()


def lasts_s(desk: MoneyDesk, yuan: int) -> int:
    zero = desk.accounts.zero_at(desk.core.state.accounts["101"], yuan * NANO)
    assert zero is not None
    return int((zero - desk.clock.now()).total_seconds())


def test_what_is_used_and_not_billed_yet_stands_on_its_step(desk: MoneyDesk) -> None:
    """12 kWh were used since midnight and none is billed: each further kWh costs 1.8512 yuan, not 0.8512."""
    desk.clock.advance(3600)
    desk.reads("m1", 112_000)
    assert lasts_s(desk, 5) == 5 * 3600 * 10_000 // 18_512


def test_a_step_that_will_be_crossed_is_counted_from_there_on(desk: MoneyDesk) -> None:
    """8 kWh were used: two hours at 1 kW go at the old price, the rest of the money at the new one."""
    desk.clock.advance(3600)
    desk.reads("m1", 108_000)
    assert lasts_s(desk, 5) == pytest.approx(2 * 3600 + (5 - 2 * 0.8512) / 1.8512 * 3600, abs=1)


# --- prices that will count ---


def begins(desk: MoneyDesk, price: str, seconds: float, **more: Any) -> None:
    """The next version of the price, approved to count in so many seconds."""
    versions = desk.core.state.tariffs["shop"]
    at, micro = desk.clock.now() + timedelta(seconds=seconds), int(Decimal(price) * 10**6)
    fields = {"version": len(versions) + 1, "effective_at": instant_text(at), "prices_micro": {"total": micro}}
    desk.core.append(("tariff/2", f"tariff:shop:{len(versions) + 1}", {**versions[0], **fields, **more}))


def test_r1_a_price_that_will_count_is_forecast(desk: MoneyDesk) -> None:
    """An hour at 0.8512, an hour at 2, then 4 yuan a kWh: five yuan end where they truly will."""
    desk.core.state.tariffs["shop"][0]["steps"] = None
    begins(desk, "4", 7200)
    begins(desk, "2", 3600)
    assert lasts_s(desk, 5) == pytest.approx(7200 + (5 - 0.8512 - 2) / 4 * 3600, abs=1)


def test_r1_the_steps_of_a_price_that_will_count_go_on_where_it_begins(desk: MoneyDesk) -> None:
    """8 kWh used, a third hour's price has its step a kWh higher: two hours at 0.8512, one at 2 from 10 to 11 kWh, and
    5 yuan a kWh above them."""
    desk.clock.advance(3600)
    desk.reads("m1", 108_000)
    steps = desk.core.state.tariffs["shop"][0]["steps"]
    begins(desk, "2", 7200, steps={**steps, "steps": [{"above_wh": 11_000, "add_micro": 3_000_000}]})
    assert lasts_s(desk, 5) == pytest.approx(3 * 3600 + (5 - 2 * 0.8512 - 2) / 5 * 3600, abs=2)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(-300, 4000), st.integers(1, 9), st.booleans()), max_size=5))
def test_the_prices_ahead_are_those_of_every_quarter(rows: list[tuple[int, int, bool]]) -> None:
    """Whatever versions wait, also two of one instant: each quarter of an hour of three days has the price that will be
    charged then, and there is no gap."""
    state = State(tariffs={"shop": [_row(1, -9000, 7, False)]})
    state.tariffs["shop"] += [_row(number, *row) for number, row in enumerate(rows, 2)]
    pricing, account = Pricing(state, ZONE), AccountState("101", {"tariff": "shop", "since": "2026-01-01T00:00:00Z"})
    found = list(pricing.ahead(account, pricing.version_at(account, MIDNIGHT), MIDNIGHT, 3, {}, 1000))
    assert found[0][0] == MIDNIGHT and found[-1][1] == MIDNIGHT + timedelta(days=3)
    assert all(one[1] == other[0] and one[0] < one[1] for one, other in pairwise(found))
    for quarter in range(3 * 96):
        at = MIDNIGHT + timedelta(minutes=15 * quarter, seconds=30)
        version: Version = pricing.version_at(account, at)
        assert next(span for span in found if span[0] <= at < span[1])[2] == version.price_at(at, ZONE)


def _row(number: int, minutes: int, price: int, hours: bool) -> dict[str, Any]:
    windows = [{"from": 0, "to": 480, "rate": "valley"}, {"from": 480, "to": 1440, "rate": "peak"}] if hours else []
    prices = {"valley": price, "peak": 10 * price} if hours else {"total": price}
    return {
        "tariff": "shop", "name": "shop", "version": number, "price_kind": "tou" if hours else "single",
        "effective_at": instant_text(MIDNIGHT + timedelta(minutes=minutes)), "prices_micro": prices, "windows": windows,
    }  # fmt: skip


def zero_comes(building: Building) -> datetime:
    building.run_until(lambda: building.fact(f"account/{ACCOUNT}")["available_nano"] <= 0, hours=3)
    return building.clock.now()


def test_r1_the_final_warning_knows_the_price_that_was_approved(tmp_path: Path) -> None:
    """Money for 70 minutes, and a fourfold price is approved, to count in twenty: zero is 32 minutes away, and
    the warning goes out half an hour before it, while the old price counts."""
    building = Watched(tmp_path)
    building.run_until(lambda: lasts(building, 70), hours=4)
    at = building.clock.now() + timedelta(minutes=20)
    set_price(building, {**CATERING, "price": "4.20"}, effective_at=instant_text(at))
    building.run_until(lambda: building.of("final/1"), hours=1)
    warned = instant_of_micros(building.of("final/1")[0].at)
    assert warned < at
    assert timedelta(minutes=28) < zero_comes(building) - warned < timedelta(minutes=34)


def lasts(building: Building, minutes: float) -> bool:
    left = building.fact(f"account/{ACCOUNT}").get("days_left")
    return left is not None and left * 1440 < minutes


@pytest.mark.parametrize("price", ["21.00", HOURS])
def test_r1_an_approved_price_wakes_who_was_calm(tmp_path: Path, price: Any) -> None:
    """Two hours of money and nothing to say: a price that is approved, twentyfold and to count in ten minutes, is heard
    of within a minute or so; a price by hours that hardly differs warns nobody."""
    building = Watched(tmp_path)
    building.run_until(lambda: lasts(building, 120), hours=4)
    building.run(minutes=3)
    account, calm = building.edge.core.state.accounts[ACCOUNT], building.edge.accounts._calm
    assert calm.holds(account, building.edge.accounts.load_w(account) or 0)
    at = instant_text(building.clock.now() + timedelta(minutes=10))
    set_price(building, price if isinstance(price, dict) else {**CATERING, "price": price}, effective_at=at)
    assert not calm.holds(account, 0)
    building.run(minutes=2)
    assert len(building.of("final/1")) == (0 if isinstance(price, dict) else 1)
    if look := calm._looks.get(ACCOUNT):
        assert instant_text(look.until) <= at, "it is looked at again where the price begins to count"


def test_r1_silence_takes_no_warning_back(tmp_path: Path) -> None:
    """Warned; the gateway starts anew, and the meter answers nothing: no load is known, so no forecast has moved away.
    Once it answers, the warning that was given still counts."""
    building = Watched(tmp_path, poll_s=60, idle_s=5)
    building.until_warned()
    building.stop_edge()
    building.deaf_to = {"reads", "trip", "alarm", "alarm-off"}
    building.start_edge()
    building.connect()
    building.run(minutes=15)
    assert not building.of("cancelled/1")
    building.deaf_to = {"trip"}
    building.run(minutes=5)
    assert not building.of("cancelled/1") and len(building.of("final/1")) == 1
