"""No cut without right, warning and time; no light kept from someone who paid (R1-R7, I7-I11)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bridge.contract.asking import ask
from bridge.contract.units import instant_of_micros
from bridge.mqtt import Received
from edge.codec import dlt645
from edge.codec.dlt645_orders import COMMANDS
from firmware_sim.faults import Faults
from tests.edge.building import KEYS, Building

TRIP, ALARM = COMMANDS["trip"], COMMANDS["alarm"]
ROOM, ACCOUNT = "a206", "100206"
FRIDAY_1530 = datetime(2026, 11, 20, 7, 30, tzinfo=UTC)


def room(tmp_path: Path, **options: Any) -> Building:
    building = Building(tmp_path, meters={ROOM}, **{"poll_s": 30, "idle_s": 2, **options})
    building.connect()
    return building


def trips_sent(building: Building) -> list[datetime]:
    """When a trip's bytes left for the line."""
    sent = building.ports["line-2"].wire.sent
    return [at for at, raw in sent if (f := dlt645.decode(raw)).control == 0x1C and f.data[8] == TRIP]


def until_delivered(building: Building) -> None:
    building.run_until(lambda: building.of("delivered/1"), hours=4)


def test_no_trip_leaves_before_the_lead_is_over(tmp_path: Path) -> None:
    """R1, I7: the first byte of a trip is at least thirty powered minutes after the delivered warning."""
    building = room(tmp_path)
    building.ports["line-2"].wire.keep_sent = True
    building.run_until(lambda: trips_sent(building), hours=4)
    (delivered,) = building.of("delivered/1")
    assert trips_sent(building)[0] - instant_of_micros(delivered.at) >= timedelta(minutes=30)
    (evidence,) = building.of("trip/1")
    assert instant_of_micros(evidence.at) <= trips_sent(building)[0], "the evidence stands before the first byte (I7)"
    assert evidence.fields["read"]["serial"] == building.edge.core.state.meters[ROOM].serial


def test_an_undelivered_warning_never_leads_to_a_cut(tmp_path: Path) -> None:
    """The lamp does not come on: nobody was told, so nobody is cut, however long the debt stands."""
    building = room(tmp_path)
    meter = building.sim_meter(ROOM)
    building.run_until(lambda: building.edge.core.lives[ROOM].sample, hours=1)
    answer = meter.answer

    def deaf_to_alarms(frame: bytes, now: datetime, mono: float | None = None) -> bytes | None:
        asked = dlt645.decode(frame)
        return None if asked.control == 0x1C and asked.data[8] == ALARM else answer(frame, now, mono)

    meter.answer = deaf_to_alarms
    building.run(hours=4)
    assert building.of("final/1") and not building.of("delivered/1") and not building.of("trip/1")
    assert building.fact(f"account/{ACCOUNT}")["blocked"] == "R1"


def test_time_without_power_is_not_warning_time(tmp_path: Path) -> None:
    """The edge is off for an hour right after the warning: the thirty minutes begin to count again when it runs."""
    building = room(tmp_path)
    until_delivered(building)
    building.run(minutes=5)
    building.stop_edge()
    building.clock.advance(3600)
    building.start_edge()
    began = building.clock.now()
    building.connect()
    building.run_until(lambda: building.of("trip/1"), hours=2)
    assert building.clock.now() - began >= timedelta(minutes=24)


def test_a_top_up_calls_the_cut_off(tmp_path: Path) -> None:
    """Paid within the half hour: the lamp goes out, the episode is over, and nothing is cut."""
    building = room(tmp_path)
    until_delivered(building)
    building.topup(ACCOUNT, 200_00)
    building.run(hours=1)
    assert building.of("cancelled/1") and not building.of("trip/1")
    assert not building.edge.core.lives[ROOM].lamp_on
    assert building.fact(f"account/{ACCOUNT}")["state"] == "on"


def test_a_warning_of_another_episode_does_not_count(tmp_path: Path) -> None:
    """Warned, paid a little, dry again: the second cut waits for half an hour after its own warning."""
    building = room(tmp_path)
    until_delivered(building)
    building.topup(ACCOUNT, 20_00)
    building.run_until(lambda: building.of("trip/1"), hours=5)
    finals, delivered = building.of("final/1"), building.of("delivered/1")
    assert [f.fields["episode"] for f in finals] == [1, 2] and len(delivered) == 2
    (trip,) = building.of("trip/1")
    assert trip.fields["episode"] == 2
    assert instant_of_micros(trip.at) - instant_of_micros(delivered[1].at) >= timedelta(minutes=30)


def test_nothing_is_cut_in_protected_time(tmp_path: Path) -> None:
    """Dry at 17:20 on a Friday: the light stays on until Monday 09:00, and the fact and the warning say so (R2)."""
    building = room(tmp_path, start=FRIDAY_1530, poll_s=300, idle_s=10)
    building.run(hours=20)
    assert building.of("delivered/1") and not building.of("trip/1")
    assert [final.fields["cut_at"][:16] for final in building.of("final/1")] == ["2026-11-23T01:00"]
    fact = building.fact(f"account/{ACCOUNT}")
    assert fact["protected_until"].startswith("2026-11-23T01:00") and fact["blocked"] == "R2"
    building.run_until(lambda: building.of("trip/1"), hours=60)
    (trip,) = building.of("trip/1")
    opened = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
    assert timedelta(0) <= instant_of_micros(trip.at) - opened < timedelta(minutes=5)
    assert trip.fields["read"]["age_ms"] < 60_000, "decided again with a fresh read"


def test_a_stuck_relay_ends_in_an_alarm_and_is_not_shown_as_off(tmp_path: Path) -> None:
    """The contact is welded: each attempt has its own evidence, a person is called, and the page says closed."""
    building = room(tmp_path, faults=("stuck:a206",))
    building.run_until(lambda: building.of("alarm/1", alarm="not-following"), hours=6)
    assert len(building.of("trip/1")) == 3
    assert building.fact(f"meter/{ROOM}/relay")["observed"] == "closed"
    assert building.fact(f"account/{ACCOUNT}")["state"] != "cut"
    assert not building.fact(f"meter/{ROOM}/relay")["following"]


def test_a_meter_with_another_number_is_not_tripped(tmp_path: Path) -> None:
    """Somebody swapped meters behind our back: the number read back is another one, so no trip leaves (failure 27)."""
    building = room(tmp_path)
    until_delivered(building)
    building.ports["line-2"].wire.keep_sent = True
    building.sim_meter(ROOM).serial = "202699999999"
    building.run(hours=2)
    assert trips_sent(building) == [] and building.of("trip/1") == []


def test_a_cut_that_loses_its_reason_at_the_last_look_is_withdrawn(tmp_path: Path) -> None:
    """A payment arrives between the decision and the bytes: not one byte of the trip leaves (I8)."""
    building = room(tmp_path)
    building.ports["line-2"].wire.keep_sent = True
    until_delivered(building)
    building.run_until(lambda: any(port.trip for port in building.ports.values()), hours=2)
    waiting = [building.edge.events.get_nowait() for _ in range(building.edge.events.qsize())]
    topic, payload, _ = ask(
        building.edge.topics, building.clock, ("shell", KEYS["shell"]), "topup",
        who="王敏", role="manager", account=ACCOUNT, amount_fen=100_00, method="cash",
    )  # fmt: skip
    for event in (Received(topic, payload, False), *waiting):
        building.edge.enqueue(event)
    building.run(minutes=30)
    assert trips_sent(building) == [] and not building.sim_meter(ROOM).relay.open


def test_light_returns_after_a_payment_although_the_first_closes_are_lost(tmp_path: Path) -> None:
    """The line is noisy just when somebody pays: the close is tried again until it is read back (I9)."""
    building = room(tmp_path)
    building.run_until(lambda: building.sim_meter(ROOM).relay.open, hours=4)
    building.run(minutes=5)
    line = building.shaft.lines["line-2"]
    line.set_faults(Faults(silent=frozenset({ROOM})))
    building.topup(ACCOUNT, 100_00)
    building.run(minutes=1)
    line.set_faults(Faults())
    returned = building.clock.monotonic()
    building.run_until(lambda: not building.sim_meter(ROOM).relay.open, hours=1)
    assert building.clock.monotonic() - returned < 600


def test_a_payment_during_a_power_cut_of_the_edge_still_brings_light(tmp_path: Path) -> None:
    """Posted, and the edge dies before the close leaves: after the restart the close follows from the book."""
    building = room(tmp_path)
    building.run_until(lambda: building.sim_meter(ROOM).relay.open, hours=4)
    building.run(minutes=5)
    building.ports["line-2"].pump = lambda: False  # type: ignore[method-assign]
    building.topup(ACCOUNT, 100_00)
    building.stop_edge()
    assert building.sim_meter(ROOM).relay.open
    building.start_edge()
    building.connect()
    building.run(minutes=3)
    assert not building.sim_meter(ROOM).relay.open


def test_a_relay_that_opens_by_itself_is_left_to_a_person(tmp_path: Path) -> None:
    """Overload or a hand at the meter: an alarm, no automatic close; a person's request closes it (I10)."""
    building = room(tmp_path)
    building.run(minutes=3)
    meter = building.sim_meter(ROOM)
    meter.relay.open = True
    building.run(minutes=5)
    assert building.of("alarm/1", alarm="relay-moved") and meter.relay.open and not building.of("close/1")
    close = building.request("close", meter=ROOM, why="breaker reset, load checked")
    building.run(minutes=1)
    assert not meter.relay.open
    assert building.answers(close)[-1]["status"] == "done"


def test_permit_close_waits_for_the_button(tmp_path: Path) -> None:
    """Where the policy is permit close, the relay closes at the button, and the fact says so (R6)."""
    building = Building(tmp_path, meters={"b202"}, poll_s=20, idle_s=1)
    building.connect()
    building.run(minutes=2)
    building.request("trip", meter="b202", why="test")
    building.run(minutes=1)
    assert building.sim_meter("b202").relay.open
    close = building.request("close", meter="b202", why="test over")
    building.run(minutes=2)
    assert building.sim_meter("b202").relay.open
    assert "press the button" in building.fact("meter/b202/relay")["why"]
    assert "press the button" in building.answers(close)[-1]["error"]
    building.sim_meter("b202").press_button(building.clock.now(), building.clock.monotonic())
    building.run(minutes=2)
    assert building.fact("meter/b202/relay")["observed"] == "closed"


def test_r4_the_brake_stops_a_mass_cut(tmp_path: Path) -> None:
    """R4: one wrong tariff must not darken a mall: after so many cuts in an hour a named person must say go on."""
    dlt = {f"a20{n}" for n in range(1, 9)}
    building = Building(tmp_path, meters=dlt, poll_s=60, idle_s=2, policy={"brake_meters": 2, "brake_percent": 1})
    building.connect()
    building.run(minutes=3)
    state = building.edge.core.state
    for account in state.accounts:
        state.ledger[f"account:{account}"] = -(10**9)
    building.run(hours=1, minutes=5)
    assert len({trip.fields["meter"] for trip in building.of("trip/1")}) == 2
    assert building.fact("info")["brake"]
    refused = building.request("brake", role="finance", why="looked at it")
    assert building.answers(refused)[0]["status"] == "refused"
    building.request("brake", why="prices are right, tenants are told")
    building.run(minutes=10)
    assert len({trip.fields["meter"] for trip in building.of("trip/1")}) == 4


@pytest.mark.parametrize("hours", [-2, 30 * 24])
def test_a_stepped_clock_cuts_nobody_early(tmp_path: Path, hours: int) -> None:
    """The calendar jumps right after the warning: the half hour is powered time, not the wall's (I7, R25)."""
    building = room(tmp_path)
    until_delivered(building)
    began = building.clock.monotonic()
    building.clock.step_calendar(hours * 3600)
    building.ports["line-2"].wire.keep_sent = True
    building.run(minutes=29)
    assert trips_sent(building) == []
    assert building.clock.monotonic() - began < 30 * 60
