"""What a closing takes and what it leaves: the fee of the day's first price, nothing while a reading is in doubt."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bridge.contract.units import instant_exact, micros_of
from edge.state import Counter, Mark
from tests.edge.money_desk import MoneyDesk

DAY, MIDNIGHT = date(2026, 11, 20), datetime(2026, 11, 20, 16, tzinfo=UTC)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[MoneyDesk]:
    made = MoneyDesk(tmp_path)
    for meter in ("m1", "m2"):
        made.opened(meter, 1000)
    yield made
    made.book.close()


def new_price(desk: MoneyDesk, version: int, at: datetime, **fields: object) -> None:
    row = {**desk.core.state.tariffs["shop"][-1], "version": version, "effective_at": instant_exact(at), **fields}
    desk.core.append(("tariff/2", f"tariff:shop:{version}", row))


def close_the_day(desk: MoneyDesk, **registers: int) -> None:
    """Both meters have frozen their midnight."""
    desk.clock.advance((MIDNIGHT - desk.clock.now()).total_seconds() + 60)
    for id, wh in registers.items():
        desk.closing._midnights._keep(desk.core.state.meters[id], MIDNIGHT, {"total": wh}, "freeze", MIDNIGHT, [])
    desk.close_days()


def test_a_days_fee_is_that_of_the_price_with_which_it_began(desk: MoneyDesk) -> None:
    """A price with a fee of 0.30 begins at noon and one of 0.50 at midnight: the first day had none, the second owes
    0.50, and the balance of the closing is the sum (R27)."""
    new_price(desk, 2, datetime(2026, 11, 20, 4, tzinfo=UTC), daily_fee_nano=300_000_000)
    new_price(desk, 3, MIDNIGHT, daily_fee_nano=500_000_000)
    account = desk.core.state.accounts["101"]
    assert list(desk.closing.fees(account, DAY, 0)) == []
    ((kind, id, fields),) = desk.closing.fees(account, date(2026, 11, 21), 10**9)
    assert (kind, id) == ("fee/1", "fee:101:2026-11-21:kWh")
    assert (fields["version"], fields["amount_nano"], fields["balance_after_nano"]) == (3, 500_000_000, 500_000_000)


def test_a_reading_in_doubt_closes_the_day_without_a_charge(desk: MoneyDesk) -> None:
    """Its midnight is there, and still nothing is charged before somebody has released it (I15); the neighbour is."""
    doubt = {"meter": "m1", "registers_wh": {"total": 9}, "read_at": "", "rule": "R20", "why": "fell", "frames": []}
    desk.core.append(("quarantine/1", "q-1", doubt))
    close_the_day(desk, m1=2000, m2=2000)
    assert [entry.id for entry in desk.of("charge/2")] == ["charge:m2:2026-11-20"]
    assert {entry.fields["account"]: entry.fields["deferred"] for entry in desk.of("closing/1")} == {
        "101": ["m1"], "102": [],
    }  # fmt: skip


def test_a_midnight_beyond_what_the_meter_can_carry_is_not_charged(desk: MoneyDesk) -> None:
    """13.5 hours at 60 A are at most 215 kWh: 900 are told to a person, and the day closes without them (R21)."""
    close_the_day(desk, m1=901_000, m2=2000)
    (alarm,) = desk.of("alarm/1")
    assert "R21" in alarm.fields["text"] and alarm.fields["account"] == "101"
    assert [entry.id for entry in desk.of("charge/2")] == ["charge:m2:2026-11-20"]


def end_of(at: datetime, wh: int, source: str = "border") -> dict[str, Any]:
    text = instant_exact(at)
    return {"registers_wh": {"total": wh}, "at": text, "read_at": text, "source": source, "frames": []}


def test_a_meter_that_was_opened_after_midnight_leaves_no_hole_in_the_day_before(desk: MoneyDesk) -> None:
    """The tenant came in the evening and the meter was opened at 00:30: of that evening nothing is charged, and nothing
    is waited for or deferred."""
    desk.clock.advance((MIDNIGHT - desk.clock.now()).total_seconds() + 1800)
    for meter in ("m1", "m2"):
        fields = {"registers_wh": {"total": 1000}, "at": instant_exact(desk.clock.now()), "source": "opening"}
        desk.core.append(("opening/1", f"opening:{meter}:2", {"meter": meter, "serial": "1" * 12, **fields}))
    desk.close_days()
    assert [entry.fields["deferred"] for entry in desk.of("closing/1")] == [[], []] and desk.of("charge/2") == []


def test_two_meters_of_one_account_climb_one_stair_in_one_closing(desk: MoneyDesk) -> None:
    """90 kWh by the first and 20 by the second: 10 lie above the bound of 100, whoever used them (R29)."""
    steps = {
        "period": "month", "month": 1, "day": 1, "moving_in": "full",
        "steps": [{"above_wh": 100_000, "add_micro": 50_000}],
    }  # fmt: skip
    new_price(desk, 2, desk.clock.now(), steps=steps)
    account, counters = desk.core.state.accounts["101"], dict[str, Counter]()
    used = []
    for id, wh in (("m1", 91_000), ("m2", 21_000)):
        meter = desk.core.state.meters[id]
        draft = desk.closing.charge(account, meter, DAY, end_of(MIDNIGHT, wh), 0, counters)
        assert draft is not None and draft[0] == "charge/2"
        used.append([line["wh"] for line in draft[2]["lines"]])
    assert used == [[90_000], [20_000, 10_000]] and counters["kWh"].used_wh == 110_000


@pytest.mark.parametrize(("early_s", "days"), [(30, 1), (90, 2)])
def test_a_register_read_just_before_midnight_begins_the_day_after(desk: MoneyDesk, early_s: int, days: int) -> None:
    """What is within a minute of midnight stands for it: the next charge is of one day, not of two."""
    start = Mark({"total": 1000}, micros_of(MIDNIGHT) - early_s * 1_000_000, "border")
    meter, account = desk.core.state.meters["m1"], desk.core.state.accounts["101"]
    meter.billed = start
    draft = desk.closing.charge(account, meter, date(2026, 11, 21), end_of(MIDNIGHT + timedelta(days=1), 2000), 0, {})
    assert draft is not None and draft[2]["days"] == days
