"""Hours are told apart by the meter's registers or by readings at their borders, never both in a charge (R27, R28)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from bridge.contract.units import instant_exact, instant_of, micros_of_text
from edge.audit.verify import verify
from edge.border_times import BorderTimes
from edge.schedule import Schedule
from firmware_sim.faults import Faults
from tests.edge.building import Building

METER = "a101"
LATE = datetime(2026, 11, 20, 15, 20, tzinfo=UTC)  # Friday 23:20 in Shanghai.
BORDERS = ["07:00", "09:00", "11:30", "14:00", "17:00", "19:00", "21:00"]


def building_of(tmp_path: Path) -> Building:
    building = Building(tmp_path, start=LATE, meters={METER}, poll_s=900, idle_s=15)
    building.edge.tables.tick = lambda: None  # type: ignore[method-assign]  # It would find the table to be right.
    building.run_until(lambda: building.of("opening/1"), hours=1)
    return building


def find_other_table(building: Building, differs: bool = True) -> None:
    """The meter's own time table was read, and differs from its price."""
    core = building.edge.core
    fields = {"meter": METER, "differs": differs, "tariff": "business", "version": 1, "told": [], "frames": []}
    core.append(("time-table/1", core.own_id("time-table"), fields))


def new_price(building: Building, at: datetime, **fields: Any) -> None:
    """A second version of the price takes effect."""
    core = building.edge.core
    row = {**core.state.tariffs["business"][-1], "version": 2, "effective_at": instant_exact(at), **fields}
    core.append(("tariff/1", "tariff:business:2", row))


def days_charged(building: Building, count: int) -> list[dict[str, Any]]:
    account, last = building.edge.core.state.accounts, date(2026, 11, 19) + timedelta(days=count)
    building.run_until(lambda: all(each.closed_through == last for each in account.values()), hours=24 * count + 13)
    return [entry.fields for entry in building.of("charge/2")]


def minute_of(building: Building, mark: dict[str, Any]) -> str:
    at = instant_of(mark["at"]).astimezone(building.site.zone) + timedelta(seconds=30)
    return f"{at:%H:%M}"


def rates_of(charge: dict[str, Any]) -> dict[str, int]:
    return {line["rate"]: line["wh"] for line in charge["lines"] if line["kind"] == "rate"}


def registers_moved(charge: dict[str, Any]) -> dict[str, int]:
    start, end = charge["start"]["registers_wh"], charge["end"]["registers_wh"]
    return {name: end[name] - start[name] for name in start if name != "total"}


def test_a_table_that_differs_counts_from_where_the_next_charge_begins(tmp_path: Path) -> None:
    """Found in the evening, that day is still charged on the rate registers, the whole of the next one on readings at
    the borders of its hours; and those give each rate what the meter's own registers gave it, to a step."""
    building = building_of(tmp_path)
    find_other_table(building)
    first, second = days_charged(building, 2)
    assert first["by"] == "registers" and rates_of(first) == registers_moved(first)
    assert second["by"] == "borders" and second["guessed"] == []
    assert [minute_of(building, mark) for mark in second["between"]] == BORDERS
    assert sum(rates_of(second).values()) == second["wh"] == second["end"]["registers_wh"]["total"] - first["end"][
        "registers_wh"]["total"]  # fmt: skip
    for rate, wh in registers_moved(second).items():
        # A border is read up to a minute off, so that the load of these seconds falls to the neighbour.
        assert abs(rates_of(second)[rate] - wh) <= 60, rate
    meter = building.edge.core.state.meters[METER]
    find_other_table(building, differs=False)
    assert meter.table_differs, "what was begun with border reads is ended with them, also where the table is put right"


def test_a_lost_midnight_of_a_meter_set_otherwise_is_told_by_its_total(tmp_path: Path) -> None:
    """Its registers per rate change over at other hours than its price, so they say nothing of where midnight lies
    between two readings: the total alone is divided, evenly (R24, R28)."""
    building = building_of(tmp_path)
    building.edge.core.lives[METER].lacks.add("load-energy")
    find_other_table(building)
    days_charged(building, 1)
    midnight = LATE + timedelta(days=1, minutes=40)
    building.run_until(lambda: building.clock.now() >= midnight + timedelta(seconds=5), hours=25)
    building.sim_meter(METER).advance(building.clock.now())
    building.sim_meter(METER).metrology.freezes.pop()
    charge = days_charged(building, 2)[-1]
    end, (before, after) = charge["end"], charge["end"]["rests_on"]
    assert (end["source"], charge["by"], end["registers_wh"].keys()) == ("interpolated", "borders", {"total"})
    used = after["registers_wh"]["total"] - before["registers_wh"]["total"]
    passed, whole = (micros_of_text(end["at"]) - micros_of_text(before["at"]) for end in (end, after))
    assert used > 0 and end["registers_wh"]["total"] == before["registers_wh"]["total"] + used * passed // whole
    report = verify(tmp_path)
    assert report.good and report.checked["interpolated registers worked out again"] == 1, report.lie


def test_a_missed_border_is_interpolated_and_said_to_be(tmp_path: Path) -> None:
    """The line is dead at 14:00: that border alone is interpolated, the charge says so, and nothing is lost."""
    building = building_of(tmp_path)
    find_other_table(building)
    days_charged(building, 1)
    building.run_until(lambda: len(building.of("border/1")) == 3, hours=13)
    building.shaft.lines["line-1"].set_faults(Faults(silent=frozenset({METER})))
    building.run(hours=2.8)
    building.shaft.lines["line-1"].set_faults(Faults())
    charge = days_charged(building, 2)[1]
    assert charge["guessed"] == ["interpolated"]
    assert [minute_of(building, m) for m in charge["between"] if m["source"] == "interpolated"] == ["14:00"]
    assert sum(rates_of(charge).values()) == charge["wh"]


def test_a_price_that_changes_within_a_day_splits_it_at_a_reading(tmp_path: Path) -> None:
    """At 23:50 a new price takes effect: the registers are read there and then, and each Wh has its hour's price."""
    building = building_of(tmp_path)
    at = datetime(2026, 11, 20, 15, 50, tzinfo=UTC)
    dearer = {"sharp": 2_000_000, "peak": 1_500_000, "flat": 1_000_000, "valley": 500_000}
    new_price(building, at, prices_micro=dearer)
    (charge,) = days_charged(building, 1)
    (border,) = building.of("border/1")
    read_at = instant_of(border.fields["at"])
    assert abs((read_at - at).total_seconds()) <= 60 and len(border.fields["frames"]) == 2
    assert charge["guessed"] == [] and [mark["source"] for mark in charge["between"]] == ["border"]
    middle, end = border.fields["registers_wh"], charge["end"]["registers_wh"]
    for line in charge["lines"]:
        sooner, later = (charge["start"]["registers_wh"], middle) if line["version"] == 1 else (middle, end)
        assert line["wh"] == later[line["rate"]] - sooner[line["rate"]]
        assert line["price_micro"] == (dearer[line["rate"]] if line["version"] == 2 else line["price_micro"])
    assert {line["version"] for line in charge["lines"]} == {1, 2}


def test_a_price_that_counts_at_once_is_read_at_once(tmp_path: Path) -> None:
    """A price that takes effect in the moment in which it is set has its reading too."""
    building = building_of(tmp_path)
    building.run(minutes=7)
    now = building.clock.now()
    new_price(building, now)
    building.run(minutes=10)
    (border,) = building.of("border/1")
    assert abs((instant_of(border.fields["at"]) - now).total_seconds()) <= 60


def test_a_meter_with_registers_per_rate_is_not_read_at_hours(tmp_path: Path) -> None:
    """Where the meter's own registers tell the hours apart the line is not burdened; else the next border is 07:00."""
    building = building_of(tmp_path)
    core, zone = building.edge.core, building.site.zone
    times, midnight = BorderTimes(core, Schedule(zone)), datetime(2026, 11, 20, 16, tzinfo=UTC)
    assert times.next(midnight) == (midnight + timedelta(days=1), ())
    find_other_table(building)
    assert times.next(midnight) == (midnight + timedelta(hours=7), (core.state.meters[METER],))


def test_a_step_period_begins_with_the_frozen_midnight(tmp_path: Path) -> None:
    """A month of steps that begins on the 21st begins at the register frozen at that midnight, not at a guess."""
    building = building_of(tmp_path)
    core = building.edge.core
    steps = {"period": "month", "month": 1, "day": 21, "moving_in": "full"}
    steps["steps"] = [{"above_wh": 1000, "add_micro": 50_000}]
    row = {**core.state.tariffs["business"][-1], "unit": "kWh", "tables": [], "steps": steps, "surcharges": []}
    row |= {"version": 2, "daily_fee_nano": 0, "purchase_micro": {}}
    core.append(("tariff/2", "tariff:business:2", row))
    first, second = days_charged(building, 2)
    assert first["guessed"] == second["guessed"] == [] and second["start"]["source"] == "freeze"
    assert first["counter"] == {"period": "2026-10-21", "used_wh": first["wh"]}
    assert second["counter"] == {"period": "2026-11-21", "used_wh": second["wh"]}
    added = [line["wh"] for line in second["lines"] if line["kind"] == "step"]
    assert added == [second["wh"] - 1000]
