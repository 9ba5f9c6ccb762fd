"""Days of 23 and 25 hours, and the last of a month, are days like others: one closing, hours by the wall (R26)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bridge.contract.units import instant_of
from tests.edge import books
from tests.edge.building import Building

BERLIN, METER, ACCOUNT = ZoneInfo("Europe/Berlin"), "a101", "100101"
BORDERS = ["07:00", "09:00", "11:30", "14:00", "17:00", "19:00", "21:00"]


@pytest.mark.parametrize(
    ("eve", "hours"),
    [(datetime(2026, 10, 24, 21, 20, tzinfo=UTC), 25), (datetime(2027, 3, 27, 22, 20, tzinfo=UTC), 23)],
)
def test_a_day_on_which_the_clock_changes_is_billed_whole(tmp_path: Path, eve: datetime, hours: int) -> None:
    """Billed by readings at the borders of its hours, a day of 25 or 23 hours has the borders that the wall clock
    shows, its night is an hour longer or shorter, and its charge spans exactly from midnight to midnight."""
    building = Building(tmp_path, start=eve, meters={METER}, poll_s=900, idle_s=15, zone="Europe/Berlin")
    building.run_until(lambda: building.of("opening/1"), hours=1)
    core = building.edge.core
    fields = {"meter": METER, "differs": True, "tariff": "business", "version": 1, "told": [], "frames": []}
    core.append(("time-table/1", core.own_id("time-table"), fields))
    last = (eve + timedelta(hours=12)).astimezone(BERLIN).date()
    building.edge.tables.tick = lambda: None  # type: ignore[method-assign]
    building.run_until(lambda: core.state.accounts[ACCOUNT].closed_through == last, hours=28)
    charge = building.of("charge/2")[-1].fields
    start, end = instant_of(charge["start"]["at"]), instant_of(charge["end"]["at"])
    assert end - start == timedelta(hours=hours) and charge["days"] == 1 and charge["guessed"] == []
    marks = [instant_of(mark["at"]) + timedelta(seconds=30) for mark in charge["between"]]
    assert [f"{at.astimezone(BERLIN):%H:%M}" for at in marks] == BORDERS
    assert marks[0] - start - timedelta(hours=hours - 17) < timedelta(minutes=1), "the night from 00:00 to 07:00"
    used = {line["rate"]: line["wh"] for line in charge["lines"]}
    own = {name: charge["end"]["registers_wh"][name] - was for name, was in charge["start"]["registers_wh"].items()}
    assert sum(used.values()) == own["total"]
    assert all(abs(used[rate] - own[rate]) <= 60 for rate in used), "the meter's own registers saw the same hours"


def test_the_hour_that_comes_twice_is_no_fault_of_any_clock(tmp_path: Path) -> None:
    """02:30 comes twice when summer time ends: a meter that says so in the second hour is not an hour behind, nobody is
    told to set it, and the gateway does not doubt its own clock."""
    start = datetime(2026, 10, 25, 0, 40, tzinfo=UTC)
    building = Building(tmp_path, start=start, poll_s=300, idle_s=10, zone="Europe/Berlin")
    building.run_until(lambda: building.clock.now() >= start + timedelta(hours=2), hours=3)
    offsets = [live.clock_offset_s for live in building.edge.core.lives.values()]
    assert [s for s in offsets if s is not None] and all(s is None or abs(s) <= 5 for s in offsets)
    assert not building.of("alarm/1", alarm="clock-drift") and not building.of("mode/1", mode="time")


def test_months_end_while_the_gateway_is_off(tmp_path: Path) -> None:
    """Off over the end of November: each day is closed from its own frozen midnight, the oldest first, across the
    month, and the sum is exact."""
    building = Building(tmp_path, start=datetime(2026, 11, 28, 4, tzinfo=UTC), meters={METER}, poll_s=300, idle_s=10)
    building.run(minutes=5)
    building.stop_edge()
    building.clock.advance(4 * 86_400)
    building.start_edge()
    building.run_until(lambda: len(building.of("closing/1")) == 4, hours=1)
    assert books.days_of(building, ACCOUNT) == ["2026-11-28", "2026-11-29", "2026-11-30", "2026-12-01"]
    assert all(entry.fields["end"]["source"] == "freeze" for entry in building.of("charge/2"))
    books.check(building)
