"""The demo's whole first day on all 26 meters: every midnight billed exactly, every relay left alone but one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest

from bridge.contract.units import instant_of, micro_of_price
from tests.edge.building import Building

pytestmark = pytest.mark.timeout(400)  # A day is lived before the first test, most of a minute of a core.
REGISTERS = ("total", "sharp", "peak", "flat", "valley")
MIDNIGHT = datetime(2026, 11, 20, 16, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Building]:
    """From half past ten to after midnight; the prepared tenant is topped up twenty minutes after the cut."""
    building = Building(tmp_path_factory.mktemp("day"), poll_s=300, idle_s=5)
    building.connect()
    building.run_until(lambda: building.of("relay/1", meter="a206", observed="open"), hours=4)
    building.run(minutes=20)
    building.topup("100206", 100_00)
    building.run_until(lambda: building.clock.now() > MIDNIGHT.replace(hour=16, minute=10), hours=20)
    yield building


def test_every_account_closes_its_day_exactly_once(day: Building) -> None:
    """Each account has one closing for the first day, begun at its opening balance."""
    closings = day.of("closing/1")
    assert sorted(entry.fields["account"] for entry in closings) == sorted(day.edge.core.state.accounts)
    assert {entry.fields["date"] for entry in closings} == {"2026-11-20"}
    assert all(entry.fields["deferred"] == [] for entry in closings)


def test_frozen_registers_are_billed_to_the_watt_hour(day: Building) -> None:
    """A DL/T 645 meter is charged for exactly what stands between its opening register and its frozen midnight."""
    seen = 0
    for entry in day.of("charge/2"):
        charge = entry.fields
        meter = day.edge.core.state.meters[charge["meter"]]
        if not day.edge.core.lives[meter.id].model.freeze:
            continue
        seen += 1
        assert charge["end"]["source"] == "freeze" and instant_of(charge["end"]["at"]) == MIDNIGHT
        frozen = day.sim_meter(meter.id).metrology.freeze_back(1)
        registers = charge["end"]["registers_wh"]
        assert [registers[rate] for rate in REGISTERS] == [step * 10 for step in frozen[1]]
        rates = [line["rate"] for line in charge["lines"]]
        used = sum(charge["end"]["registers_wh"][r] - charge["start"]["registers_wh"][r] for r in rates)
        assert charge["wh"] == used * meter.multiplier
    assert seen == 18


def test_border_reads_are_within_a_minute_of_midnight(day: Building) -> None:
    """A Modbus meter keeps no midnights: it is read within a minute of it, and the charge says so."""
    borders = [entry.fields for entry in day.of("charge/2") if entry.fields["end"]["source"] == "border"]
    assert len(borders) == 6
    assert all(abs((instant_of(charge["end"]["at"]) - MIDNIGHT).total_seconds()) <= 60 for charge in borders)


def test_each_yuan_is_two_registers_and_a_price(day: Building) -> None:
    """Line by line: Wh x micro-yuan = nano-yuan, the lines are the amount, and the amount is what moved."""
    prices = {tariff.id: tariff for tariff in day.site.tariffs}
    for entry in day.of("charge/2"):
        charge = entry.fields
        tariff = prices[charge["tariff"]]
        for line in charge["lines"]:
            text = tariff.price if line["rate"] == "total" else tariff.prices[line["rate"]]
            assert line["price_micro"] == micro_of_price(text or "")
            assert line["amount_nano"] == line["wh"] * line["price_micro"]
        assert charge["amount_nano"] == sum(line["amount_nano"] for line in charge["lines"])
        assert sum(move["amount_nano"] for move in charge["moves"]) == charge["amount_nano"]


def test_the_ledger_adds_up_to_zero(day: Building) -> None:
    """Every entry moves money from one named account to another, so the sum over all is zero (R10)."""
    ledger = day.edge.core.state.ledger
    assert sum(ledger.values()) == 0 and len(ledger) > 20


def test_a_late_evening_arrears_waits_for_the_workday(day: Building) -> None:
    """B202 runs dry at eleven at night: it is warned, and not cut, because the night is protected (R2)."""
    assert [entry.fields["meter"] for entry in day.of("trip/1")] == ["a206"]
    account = day.fact("account/100302") if "100302" in day.edge.core.state.accounts else None
    arrears = [
        day.fact(f"account/{id}")
        for id in day.edge.core.state.accounts
        if day.fact(f"account/{id}")["available_nano"] <= 0
    ]
    assert arrears or account
    for fact in arrears:
        assert fact["state"] == "final"
        assert fact["protected_until"].startswith("2026-11-23T01:00"), "Monday 09:00 in Shanghai"


def test_the_book_folds_to_the_same_state_again(day: Building) -> None:
    """Replaying the book from empty gives the same balances, states and hashes (I25)."""
    from edge.fold import apply
    from edge.state import State

    state = State()
    for entry in day.entries():
        apply(state, entry)
    assert state == day.edge.core.state
    assert date.fromisoformat("2026-11-20") == next(iter(state.accounts.values())).closed_through


def test_sweeps_are_numbered_without_a_gap(day: Building) -> None:
    """Readings on MQTT carry contiguous numbers, so that a receiver notices what it missed (I20)."""
    import json

    numbers = [json.loads(p)["number"] for t, p, _ in day.broker.heard if t.endswith("/reading")]
    assert numbers == list(range(1, len(numbers) + 1)) and len(numbers) > 300
