"""Days are closed once, in order, on proven midnights; what is missing is deferred, never guessed (R24, I14)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path

from bridge.contract.units import instant_of
from firmware_sim.faults import Faults
from tests.edge.building import Building

FREEZING, BORDERING = "a101", "a301"


def meters_and_account(building: Building, meter: str) -> str:
    return next(a.id for a in building.site.accounts if meter in a.meters)


def small(tmp_path: Path) -> Building:
    building = Building(tmp_path, meters={FREEZING, BORDERING}, poll_s=300, idle_s=10)
    building.run(minutes=5)
    return building


def test_a_busy_line_does_not_keep_midnights_waiting(tmp_path: Path) -> None:
    """A line that is read without a pause has its midnights read in the middle of a round, not only between two."""
    start = datetime(2026, 11, 20, 15, 59, tzinfo=UTC)  # A minute before midnight in Shanghai.
    building = Building(tmp_path, start=start, poll_s=0, idle_s=0.02)
    building.connect()
    poll, lives = building.edge.polls["line-2"], building.edge.core.lives
    freezing = {meter.id for meter in poll.meters() if lives[meter.id].model.freeze}
    asked, in_a_round = building.edge.closing._midnights._asked, 0
    before = set(asked)

    def asked_in_a_round() -> bool:
        nonlocal in_a_round, before
        new, before = set(asked) - before, set(asked)
        in_a_round += len(poll._plan) > 0 and any(meter in freezing for meter, _ in new)
        return in_a_round > 0

    building.run_until(asked_in_a_round, hours=0.2)


def test_three_days_without_the_edge_are_closed_from_the_meters_memory(tmp_path: Path) -> None:
    """The edge is off for three days: each missed day is closed from its own frozen midnight, oldest first."""
    building = small(tmp_path)
    account = meters_and_account(building, FREEZING)
    building.stop_edge()
    building.clock.advance(3 * 86_400)
    building.start_edge()
    building.run(minutes=10)
    closings = building.of("closing/1", account=account)
    assert [c.fields["date"] for c in closings] == ["2026-11-20", "2026-11-21", "2026-11-22"]
    charges = building.of("charge/2", meter=FREEZING)
    assert [c.fields["end"]["source"] for c in charges] == ["freeze"] * 3
    for before, after in pairwise(charges):
        assert after.fields["start"]["registers_wh"] == before.fields["end"]["registers_wh"], "no hole, no overlap"
    for before, after in pairwise(closings):
        assert after.fields["opening_nano"] == before.fields["closing_nano"]


def test_a_meter_without_memory_defers_and_the_next_charge_spans_it(tmp_path: Path) -> None:
    """A Modbus meter keeps no midnights: days the edge was off close with nothing, and the next border spans them."""
    building = small(tmp_path)
    account = meters_and_account(building, BORDERING)
    building.stop_edge()
    building.clock.advance(2 * 86_400)
    building.start_edge()
    building.run(hours=14)
    closings = building.of("closing/1", account=account)
    assert [(c.fields["date"], c.fields["deferred"]) for c in closings] == [
        ("2026-11-20", [BORDERING]),
        ("2026-11-21", [BORDERING]),
        ("2026-11-22", []),
    ]
    (charge,) = building.of("charge/2", meter=BORDERING)
    assert charge.fields["days"] == 3 and charge.fields["start"]["source"] == "opening"


def test_a_silent_meter_is_charged_when_it_answers_again(tmp_path: Path) -> None:
    """Silent over midnight: the day waits, and is closed exactly from the frozen register once the meter is back."""
    building = small(tmp_path)
    account = meters_and_account(building, FREEZING)
    line = building.shaft.lines["line-1"]
    line.set_faults(Faults(silent=frozenset({FREEZING})))
    building.run(hours=14)
    assert building.of("closing/1", account=account) == []
    line.set_faults(Faults())
    building.run(minutes=30)
    (closing,) = building.of("closing/1", account=account)
    (charge,) = building.of("charge/2", meter=FREEZING)
    assert closing.fields["deferred"] == [] and charge.fields["end"]["source"] == "freeze"


def test_a_day_is_not_held_open_for_ever(tmp_path: Path) -> None:
    """Half a day after midnight the day closes without the meter that still does not answer, marked deferred."""
    building = small(tmp_path)
    account = meters_and_account(building, FREEZING)
    building.shaft.lines["line-1"].set_faults(Faults(silent=frozenset({FREEZING})))
    building.run(hours=27)
    (closing,) = building.of("closing/1", account=account)
    assert closing.fields["deferred"] == [FREEZING]
    assert closing.fields["charges"] == [] and building.of("charge/2", meter=FREEZING) == []
    building.shaft.lines["line-1"].set_faults(Faults())
    building.run(hours=13)
    (charge,) = building.of("charge/2", meter=FREEZING)
    assert charge.fields["days"] == 2


def test_a_clock_set_back_over_midnight_closes_no_day_twice(tmp_path: Path) -> None:
    """The calendar steps back an hour after midnight: mode time, no second closing, and then life goes on (I14)."""
    building = small(tmp_path)
    building.run(hours=14)
    before = len(building.of("closing/1"))
    assert before == 2
    building.clock.step_calendar(-3600)
    building.run(minutes=10)
    assert building.edge.core.mode == "time"
    building.run(hours=2)
    assert building.edge.core.mode == "normal"
    assert len(building.of("closing/1")) == before


def test_days_are_contiguous_over_a_week(tmp_path: Path) -> None:
    """Seven midnights: seven closings per account, one for each local day, each opening where the last one closed."""
    building = small(tmp_path)
    for _ in range(7):
        building.run_until(lambda: not building.ports["line-1"].waiting(), hours=1)
        building.clock.advance(23 * 3600)
        building.run(minutes=70)
    for account in building.edge.core.state.accounts:
        closings = building.of("closing/1", account=account)
        days = [date.fromisoformat(c.fields["date"]) for c in closings]
        assert days == [days[0] + timedelta(days=n) for n in range(len(days))] and len(days) >= 6


def test_the_charge_names_its_frames(tmp_path: Path) -> None:
    """Every charge keeps the very frames its midnight came from, so that a doubted yuan can be read off the line."""
    building = small(tmp_path)
    building.run(hours=14)
    for charge in building.of("charge/2"):
        frames = charge.fields["end"]["frames"]
        assert frames and all(bytes.fromhex(sent) and bytes.fromhex(heard) for sent, heard in frames)
        assert instant_of(charge.fields["end"]["at"]) <= building.clock.now()
