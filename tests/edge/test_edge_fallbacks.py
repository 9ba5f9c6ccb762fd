"""A midnight that was not frozen is had another way, and says which; a guess is settled and cuts nobody off (R24)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bridge.contract.units import instant_of
from edge.billing.days import Days
from edge.billing.spans import Rules
from edge.guesses import DAY_US, estimated, interpolated
from edge.state import Mark
from firmware_sim.faults import Faults
from tests.edge.building import Building

LATE = datetime(2026, 11, 11, 15, 20, tzinfo=UTC)  # Wednesday 23:20 in Shanghai.
TIMED, SINGLE, BORDERING = "a101", "a102", "a301"


def building_of(tmp_path: Path, meter: str) -> Building:
    building = Building(tmp_path, start=LATE, meters={meter}, poll_s=300, idle_s=10)
    building.run_until(lambda: building.of("opening/1"), hours=1)
    return building


def charges(building: Building) -> list[dict[str, Any]]:
    return [entry.fields for entry in building.of("charge/2")]


def silence(building: Building, *meters: str) -> None:
    for line in building.shaft.lines.values():
        line.set_faults(Faults(silent=frozenset(meters)))


def after_a_week(tmp_path: Path) -> Building:
    """Seven whole days were charged on frozen midnights; late on Thursday the 19th the meter falls silent."""
    building = building_of(tmp_path, TIMED)
    building.stop_edge()
    building.clock.advance(8 * 86_400)
    building.start_edge()
    building.run_until(lambda: len(building.of("closing/1")) == 8, hours=1)
    assert len(building.edge.core.state.meters[TIMED].days) == 7
    building.run(minutes=6)  # Its last readings are saved.
    silence(building, TIMED)
    return building


def a_day_on(building: Building) -> None:
    """The gateway is off but for three quarters of an hour at noon, when days that waited are closed."""
    building.stop_edge()
    building.clock.advance(12 * 3600)
    building.start_edge()
    building.run(minutes=45)
    building.stop_edge()
    building.clock.advance(11 * 3600 + 15 * 60)
    building.start_edge()


@pytest.mark.parametrize("dark", [False, True])
def test_three_days_are_estimated_and_no_more_and_the_real_register_settles_them(tmp_path: Path, dark: bool) -> None:
    """A meter is dead for five midnights: three days are charged on the mean of its last seven, marked so, the others
    wait; when it answers again its register settles everything, to the watt-hour, rate by rate: also where the meter
    was without supply, used nothing, and stands below the estimate; then money is given back."""
    building = after_a_week(tmp_path)
    if dark:
        building.sim_meter(TIMED).advance(building.clock.now())
        building.shaft.lines["line-1"].set_faults(Faults(power=frozenset({TIMED})))
    for _ in range(5):
        a_day_on(building)
    building.run(minutes=5)
    found = charges(building)[8:]
    assert [(each["date"], each["end"]["source"], each["guessed"]) for each in found] == [
        ("2026-11-19", "estimate", ["estimate"]), ("2026-11-20", "estimate", ["estimate"]),
        ("2026-11-21", "estimate", ["estimate"]),
    ]  # fmt: skip
    week = charges(building)[1:8]
    mean = sum(each["wh"] for each in week) // 7
    assert all(abs(each["wh"] - mean) <= 4 for each in found[1:])
    assert building.of("closing/1")[-1].fields["deferred"] == [TIMED]
    building.sim_meter(TIMED).advance(building.clock.now())
    silence(building)
    building.run_until(lambda: charges(building)[-1]["end"]["source"] == "freeze", hours=26)
    everything = charges(building)
    assert (everything[-1]["amount_nano"] < 0) is dark
    start, end = everything[0]["start"]["registers_wh"], everything[-1]["end"]["registers_wh"]
    for rate in ("sharp", "peak", "flat", "valley"):
        lines = [line for each in everything for line in each["lines"] if line["rate"] == rate]
        assert sum(line["wh"] for line in lines) == end[rate] - start[rate], rate
    assert (
        building.edge.core.state.meters[TIMED].quarantined is None and building.of("alarm/1", alarm="not-charged") == []
    )


def test_nobody_is_cut_off_while_the_balance_rests_on_an_estimate(tmp_path: Path) -> None:
    """The meter is back at noon and the wallet is empty; the lamp has warned for long. But the last midnight was
    estimated: the cut waits for a real one, and the rule is named (R3)."""
    building = after_a_week(tmp_path)
    building.stop_edge()
    building.clock.advance(12 * 3600)
    building.start_edge()
    building.run_until(lambda: charges(building)[-1]["end"]["source"] == "estimate", hours=2)
    silence(building)
    core, account = building.edge.core, building.edge.core.state.accounts["100101"]
    owed = core.state.posted_nano(account.id) + 10**9
    moves = [{"from": f"account:{account.id}", "to": "income:fees", "amount_nano": owed}]
    fee = {"account": account.id, "date": "2026-11-11", "amount_nano": owed, "moves": moves}
    core.append(("fee/1", "fee:test", {**fee, "balance_after_nano": -(10**9)}))
    building.run_until(lambda: account.warned, hours=1)
    building.run(minutes=45)
    meter = core.state.meters[TIMED]
    verdict = building.edge.accounts.verdict(account, meter)
    assert (verdict.allowed, verdict.rule) == (False, "R3") and "estimate" in verdict.why
    assert building.of("trip/1") == []
    live = core.lives[TIMED]
    assert meter.billed is not None and live.before is not None
    # As if the meter had frozen that midnight: a guess is then neither its day nor where its charge begins.
    frozen = replace(meter.billed, source="freeze", registers_wh=dict(live.before.registers_wh))
    meter.estimated_days, meter.billed = 0, frozen
    assert building.edge.accounts.verdict(account, meter).allowed, "nothing else stood against it"


def test_a_load_record_stands_for_a_midnight_that_was_not_frozen(tmp_path: Path) -> None:
    """The meter has lost its frozen midnights and kept its load records: the total of 00:00 is charged, read twice."""
    building = building_of(tmp_path, SINGLE)
    building.run_until(lambda: building.clock.now() >= datetime(2026, 11, 11, 16, 0, 30, tzinfo=UTC), hours=1)
    frozen = building.sim_meter(SINGLE).metrology.freezes.pop()
    building.run_until(lambda: building.of("closing/1"), hours=14)
    (charge,) = charges(building)
    assert charge["end"]["source"] == "load-record" and charge["guessed"] == []
    assert charge["end"]["registers_wh"] == {"total": frozen[1][0] * 10} and len(charge["end"]["frames"]) == 2
    building.stop_edge()
    building.clock.advance(86_400)
    building.start_edge()
    building.run_until(lambda: len(charges(building)) == 2, hours=1)
    assert charges(building)[1]["end"]["source"] == "freeze"


def test_a_meter_that_was_dark_at_midnight_is_charged_between_its_readings(tmp_path: Path) -> None:
    """Its supply is gone from 23:40 to 00:40. It froze nothing and used nothing, and what it showed before and after
    gives the midnight; the charge says that it was interpolated."""
    building = building_of(tmp_path, TIMED)
    building.run(minutes=20)
    for dark in (frozenset({TIMED}), frozenset[str]()):
        building.sim_meter(TIMED).advance(building.clock.now())
        building.shaft.lines["line-1"].set_faults(Faults(power=dark))
        building.run(hours=1)
    building.run_until(lambda: building.of("closing/1"), hours=2)
    (charge,) = charges(building)
    before, after = charge["end"]["rests_on"]
    assert charge["end"]["source"] == "interpolated" and charge["guessed"] == ["interpolated"]
    for rate, wh in charge["end"]["registers_wh"].items():
        assert before["registers_wh"][rate] <= wh <= after["registers_wh"][rate] <= before["registers_wh"][rate] + 200
    assert building.of("closing/1")[0].fields["deferred"] == []


def off_over_midnight(building: Building) -> dict[str, Any]:
    """The gateway runs until 23:50 and is off until 00:20; the charge of the day that ended meanwhile."""
    building.run(minutes=25)
    building.stop_edge()
    building.clock.advance(1800)
    building.start_edge()
    building.run_until(lambda: building.of("closing/1"), hours=2)
    (charge,) = charges(building)
    return charge


def test_a_meter_without_memory_is_charged_between_the_readings_around_midnight(tmp_path: Path) -> None:
    """The gateway is off from 23:50 to 00:20: its last reading and its first one give the midnight."""
    building = building_of(tmp_path, BORDERING)
    charge = off_over_midnight(building)
    before, after = (each["registers_wh"]["total"] for each in charge["end"]["rests_on"])
    assert charge["end"]["source"] == "interpolated" and before < charge["end"]["registers_wh"]["total"] < after


@pytest.mark.parametrize("believed", [True, False])
def test_a_reading_of_an_hour_that_nobody_knows_says_nothing_of_a_midnight(tmp_path: Path, believed: bool) -> None:
    """The same half hour without the gateway, but what it read before was read while the calendar was known to be
    wrong: the midnight is laid between the last reading whose hour is known and the first of the day (R24, R25)."""
    building = building_of(tmp_path, BORDERING)
    building.edge.modes.judge = lambda: None  # type: ignore[method-assign]
    building.edge.core.book.trusted, known_until = believed, building.clock.now()
    charge = off_over_midnight(building)
    before, _ = charge["end"]["rests_on"]
    assert (instant_of(before["at"]) > known_until) is believed


# --- the guesses themselves ---

SCALE = 1_000_000_000


def mark(at: int, wh: int, source: str = "read") -> Mark:
    return Mark({"total": wh}, at, source)


@pytest.mark.parametrize(
    ("base", "later", "flows", "expected"),
    [
        (1000, None, True, 1500),
        (1000, 1200, True, 1200),  # It is known not to have come so far.
        (1000, 9000, True, 1500),
        (1000, None, False, 1000),  # Behind an open relay nothing is used.
        (SCALE - 100, None, True, 400),  # Through the top of its scale.
    ],
)
def test_an_estimate_is_the_mean_of_seven_days(base: int, later: int | None, flows: bool, expected: int) -> None:
    """Half a day later it is half a mean day further, never beyond what the meter is known to have shown afterwards."""
    days = [{"total": wh} for wh in (700, 800, 900, 1000, 1100, 1200, 1300)]
    known = None if later is None else mark(DAY_US, later)
    guess = estimated(mark(0, base), known, days, DAY_US // 2, SCALE, flows)
    assert guess is not None and guess.registers_wh == {"total": expected} and guess.source == "estimate"


def test_six_days_are_no_ground_for_an_estimate() -> None:
    """A tenant who has just moved in is charged when the meter answers, not by a guess."""
    assert estimated(mark(0, 0), None, [{"total": 5}] * 6, DAY_US, SCALE) is None


def test_readings_that_contradict_each_other_give_no_midnight() -> None:
    """One wrong reading beside midnight, with a checksum that is right by chance, decides nothing."""
    rules = Rules([], ZoneInfo("Asia/Shanghai"), Days())
    good = [mark(0, 100), mark(10, 110), mark(30, 130), mark(40, 140)]
    assert interpolated(good, 20, rules, SCALE) == Mark({"total": 120}, 20, "interpolated")
    for spoilt in range(4):
        readings = [*good[:spoilt], mark(good[spoilt].at, 5000), *good[spoilt + 1 :]]
        found = interpolated(readings, 20, rules, SCALE)
        assert found is None or spoilt == 3, spoilt
