"""The edge is stopped for days, or at the worst moment, and started again: no early cut, no hole, no double."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bridge.contract.site import Site
from bridge.contract.units import instant_of_micros
from edge import midnights
from edge.core import HEARTBEAT_S
from tests.edge import books
from tests.edge.building import Building

ROOM, ACCOUNT = "a206", "100206"
LEAD_S = 30 * 60


def shaft(tmp_path: Path, **options: Any) -> Building:
    """The whole mall, read now and then, so that days pass quickly."""
    building = Building(tmp_path, **{"poll_s": 300, "idle_s": 10, **options})
    building.run(minutes=16)
    assert len(building.of("opening/1")) == 26
    return building


def room(tmp_path: Path, **options: Any) -> Building:
    building = Building(tmp_path, meters={ROOM}, **{"poll_s": 30, "idle_s": 2, **options})
    building.connect()
    return building


def restart(building: Building, off_s: float = 0) -> None:
    building.stop_edge()
    building.clock.advance(off_s)
    building.start_edge()
    building.connect()


# --- days ---


def test_three_days_off_are_closed_day_by_day_and_nobody_is_cut_early(tmp_path: Path) -> None:
    """A long weekend without the gateway: each day closed once, charges exact; who ran dry is warned first (R1, I7)."""
    building = shaft(tmp_path)
    restart(building, 3 * 86_400)
    started_s = building.edge.core.powered_s()
    building.run(minutes=20)
    freezing = [m.id for m in building.edge.core.state.meters.values() if building.edge.core.lives[m.id].model.freeze]
    for account in building.edge.core.state.accounts.values():
        assert books.days_of(building, account.id) == books.days("2026-11-20", 3)
        deferred = [closing.fields["deferred"] for closing in building.of("closing/1", account=account.id)]
        assert deferred == [[m for m in account.meters if m not in freezing]] * 3
    assert {len(building.of("charge/2", meter=m)) for m in freezing if building.edge.core.state.meters[m].account} == {
        3
    }
    books.check(building)
    assert building.of("trip/1") == [], "twenty minutes are not the lead"
    dry = [entry.fields["account"] for entry in building.of("final/1")]
    assert len(dry) >= 3 and len(dry) == len(set(dry))
    building.run(minutes=35)
    trips = building.of("trip/1")
    assert {entry.fields["account"] for entry in trips} == set(dry)
    assert all(entry.fields["warned_s"] >= LEAD_S for entry in trips)
    assert all(instant_of_micros(e.at) - instant_of_micros(building.of("start/1")[-1].at) >= timedelta(seconds=LEAD_S)
               for e in trips)  # fmt: skip
    assert building.edge.core.powered_s() - started_s < 3600, "the days off are no powered time"
    fired = Counter((e.fields["account"], e.fields["level"]) for e in building.of("level/1"))
    assert set(fired.values()) == {1}, "a level fires once"


class OldLine(Building):
    """The mall with its ground floor on a line of 1200 bit/s."""

    def _site(self, poll_s: int, policy: dict[str, Any], meters: set[str] | None) -> Site:
        tables = super()._site(poll_s, policy, meters).model_dump(by_alias=True)
        tables["ports"][0]["baud"] = 1200
        return Site.model_validate(tables)


def test_a_slow_line_gives_no_midnight_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """More meters on a line than it can ask before each is due again: all their midnights are waited for (R24)."""
    monkeypatch.setattr(midnights, "RETRY_S", midnights.RETRY_S / 5)  # As with five times the eight meters.
    floor = {"a101", "a102", "a103", "a104", "a105", "b101", "b102", "b103"}
    building = OldLine(tmp_path, meters=floor, poll_s=600, idle_s=2)
    building.run(minutes=25)
    restart(building, 3 * 86_400)
    building.run(minutes=30)
    assert {len(building.of("charge/2", meter=meter)) for meter in floor} == {3}
    assert all(entry.fields["deferred"] == [] for entry in building.of("closing/1"))
    books.check(building)


def test_a_modbus_charge_spans_the_days_off(tmp_path: Path) -> None:
    """Meters that keep no midnights: the next midnight's read charges all days at once, and nothing is missing."""
    building = Building(tmp_path, meters={"a301", "a303", "b302"}, poll_s=900, idle_s=10)
    building.run(minutes=40)
    restart(building, 3 * 86_400)
    building.run(hours=14)
    for meter in ("a301", "a303", "b302"):
        (charge,) = building.of("charge/2", meter=meter)
        assert charge.fields["end"]["source"] == "border" and charge.fields["days"] == 4
    books.check(building)
    assert {tuple(books.days_of(building, a)) for a in building.edge.core.state.accounts} == {
        tuple(books.days("2026-11-20", 4))
    }


def test_many_who_ran_dry_meanwhile_meet_the_brake(tmp_path: Path) -> None:
    """After days off more tenants are due than the brake allows: it cuts so many, then waits for a person (R4)."""
    building = shaft(tmp_path, policy={"brake_meters": 2, "brake_percent": 1})
    restart(building, 3 * 86_400)
    building.run(minutes=60)
    assert len(building.of("final/1")) > 2 and len(building.of("trip/1")) == 2
    (brake,) = building.of("brake/1")
    assert brake.fields["set"] is True
    building.run(hours=2)
    assert len(building.of("trip/1")) == 2, "time does not release it"


def test_off_over_the_end_of_a_month(tmp_path: Path) -> None:
    """Stopped on the 28th, started on the 3rd: November's and December's days follow one another."""
    building = shaft(tmp_path, start=datetime(2026, 11, 28, 2, 30, tzinfo=UTC))
    restart(building, 5 * 86_400)
    building.run(minutes=20)
    for account in building.edge.core.state.accounts:
        assert books.days_of(building, account) == books.days("2026-11-28", 5)
    books.check(building)


@pytest.mark.parametrize(
    ("start", "day", "hours"),
    [
        (datetime(2026, 3, 27, 9, 0, tzinfo=UTC), "2026-03-29", 23),
        (datetime(2026, 10, 23, 9, 0, tzinfo=UTC), "2026-10-25", 25),
    ],
)
def test_off_over_a_clock_change(tmp_path: Path, start: datetime, day: str, hours: int) -> None:
    """Berlin, both changes: the short and the long day are closed once, from their own midnights (R26)."""
    building = shaft(tmp_path, start=start, zone="Europe/Berlin")
    restart(building, 4 * 86_400)
    building.run(minutes=20)
    for account in building.edge.core.state.accounts:
        assert len(books.days_of(building, account)) == 4
    books.check(building)
    (charge,) = building.of("charge/2", meter="a101", date=day)
    span = [datetime.fromisoformat(charge.fields[side]["at"]) for side in ("start", "end")]
    assert span[1] - span[0] == timedelta(hours=hours)


# --- the half hour, and the instants around a cut ---


def test_off_time_is_no_warning_time(tmp_path: Path) -> None:
    """Stopped twice during the half hour after the final warning: only powered minutes count, before and after."""
    building = room(tmp_path)
    building.run_until(lambda: building.of("delivered/1"), hours=4)
    powered_s = 0.0
    for minutes in (8, 9):
        before = building.clock.elapsed()
        building.run(minutes=minutes)
        powered_s += building.clock.elapsed() - before
        restart(building, 40 * 60)
        assert building.of("trip/1") == []
    again = building.clock.elapsed()
    building.run_until(lambda: building.of("trip/1"), hours=2)
    powered_s += building.clock.elapsed() - again
    assert LEAD_S <= powered_s <= LEAD_S + 2 * HEARTBEAT_S + 120
    assert len(building.of("final/1")) == 1 and building.of("trip/1")[0].fields["warned_s"] >= LEAD_S


class Gone(Exception):
    """The process ended here."""


def crash_before_bytes(building: Building) -> None:
    """Run until the evidence of a trip is written, and end the process before its first byte."""
    port = building.ports["line-2"]

    def die(number: int) -> bool:
        raise Gone

    port.go = die  # type: ignore[method-assign]
    with pytest.raises(Gone):
        building.run(hours=4)
    assert len(building.of("trip/1")) == 1 and not building.sim_meter(ROOM).relay.open


def test_gone_between_the_evidence_and_its_bytes(tmp_path: Path) -> None:
    """The reason stands in the book and no byte left: after the start everything is checked and written anew (35)."""
    building = room(tmp_path)
    crash_before_bytes(building)
    restart(building)
    building.run(minutes=5)
    trips = building.of("trip/1")
    assert len(trips) == 2 and building.sim_meter(ROOM).relay.open
    assert trips[1].boot != trips[0].boot and trips[1].fields["warned_s"] >= LEAD_S


def test_paid_while_gone_between_the_evidence_and_its_bytes(tmp_path: Path) -> None:
    """As before, and the tenant pays first thing after the start: the relay never moves (82)."""
    building = room(tmp_path)
    crash_before_bytes(building)
    restart(building)
    building.topup(ACCOUNT, 200_00)
    building.run(minutes=20)
    assert len(building.of("trip/1")) == 1 and not building.sim_meter(ROOM).relay.open
    assert building.of("relay/1", observed="open") == []


def test_gone_between_the_evidence_and_its_bytes_over_a_night(tmp_path: Path) -> None:
    """Evidence at noon, started again in the evening: protected time, so nothing is cut before the morning (R2)."""
    building = room(tmp_path)
    crash_before_bytes(building)
    restart(building, 7 * 3600)
    building.run(hours=1)
    assert len(building.of("trip/1")) == 1 and not building.sim_meter(ROOM).relay.open


def test_gone_between_a_payment_and_the_light(tmp_path: Path) -> None:
    """The payment is in the book, the process ends before the relay is told: light seconds after the start (I9, 35)."""
    building = room(tmp_path)
    building.run_until(lambda: building.sim_meter(ROOM).relay.open, hours=4)
    building.run(minutes=2)

    def die(account: object, paid: bool = False) -> None:
        raise Gone

    building.edge.accounts.evaluate = die  # type: ignore[method-assign]
    with pytest.raises(Gone):
        building.topup(ACCOUNT, 300_00)
    assert building.of("topup/1") and building.sim_meter(ROOM).relay.open
    restart(building)
    paid_at = building.clock.monotonic()
    building.run_until(lambda: not building.sim_meter(ROOM).relay.open, hours=1)
    assert building.clock.monotonic() - paid_at < 10
    assert len(building.of("topup/1")) == 1
