"""An adapter is pulled and put back, in the middle of anything: book and relay agree, nothing is sent blindly."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from edge.codec import dlt645
from edge.line.inline import InlinePort
from tests.edge.building import Building

ROOM, ACCOUNT = "a206", "100206"


def room(tmp_path: Path, **options: Any) -> Building:
    building = Building(tmp_path, meters={ROOM}, **{"poll_s": 30, "idle_s": 2, **options})
    building.connect()
    return building


def at_the_trip(tmp_path: Path) -> tuple[Building, InlinePort]:
    """A building whose port is ready to send a trip and waits for the loop's word."""
    building = room(tmp_path)
    building.run_until(lambda: any(port.trip for port in building.ports.values()), hours=4)
    return building, building.ports["line-2"]


def settled(building: Building, port: InlinePort) -> None:
    """Some time without the adapter, then it is back and the gateway has looked around."""
    building.run(seconds=40)
    port.put_back()
    building.run(minutes=5)


def agree(building: Building) -> bool:
    """The book and the relay say the same."""
    state = building.edge.core.state.meters[ROOM]
    return (state.observed == "open") == building.sim_meter(ROOM).relay.open


def test_meters_go_off_line_with_their_adapter_and_come_back_with_it(tmp_path: Path) -> None:
    """Within seconds the whole line is off line and says why, the other lines read on; put back, it is there again."""
    building = Building(tmp_path, meters={"a201", ROOM, "a101"}, poll_s=2, idle_s=0.5)
    building.connect()
    building.run(seconds=20)
    port = building.ports["line-2"]
    port.wire.pulled = True
    building.run(seconds=8)
    for id in ("a201", ROOM):
        said = building.fact(f"meter/{id}/availability")
        assert (said["state"], said["why"]) == ("offline", "closed")
    assert building.fact("meter/a101/availability")["state"] == "online"
    told = next(row for row in building.fact("info")["ports"] if row["id"] == "line-2")
    assert (told["state"], told["read"]) == ("closed", 0)
    read_at = building.edge.core.lives["a101"].read_at["energy"]
    building.run(minutes=10)
    assert building.edge.core.lives["a101"].read_at["energy"] > read_at
    port.put_back()
    building.run(seconds=5)
    assert all(building.fact(f"meter/{id}/availability")["state"] == "online" for id in ("a201", ROOM))


def test_an_adapter_that_blinks_takes_nobody_off_line(tmp_path: Path) -> None:
    """A hub that resets for a second is no outage of eleven meters."""
    building = room(tmp_path, poll_s=1, idle_s=0.1)
    building.run(seconds=5)
    heard = len(building.broker.heard)
    building.ports["line-2"].wire.pulled = True
    building.run(seconds=1.5)
    building.ports["line-2"].put_back()
    building.run(seconds=5)
    assert not [topic for topic, _, _ in building.broker.heard[heard:] if topic.endswith("availability")]


def test_an_hour_without_the_adapter_does_not_fill_the_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The port says once that it is gone; its meters add no line each, and nothing grows with the hours."""
    building = Building(tmp_path, meters={"a201", "a202", ROOM}, poll_s=2, idle_s=0.5)
    building.run(seconds=20)
    building.ports["line-2"].wire.pulled = True
    with caplog.at_level(logging.INFO):
        caplog.clear()
        building.run(hours=1)
    assert caplog.messages == []


def test_pulled_before_the_first_byte_of_a_trip(tmp_path: Path) -> None:
    """Nothing left: the evidence is withdrawn, and once the adapter is back the cut is decided anew and sent once."""
    building, port = at_the_trip(tmp_path)
    port.wire.pulled = True
    building.run(seconds=2)
    (withdrawn,) = building.of("withdrawn/1")
    assert withdrawn.fields["evidence_seq"] == building.of("trip/1")[0].seq
    assert "arrears" not in building.edge.core.state.meters[ROOM].holds
    settled(building, port)
    meter = building.sim_meter(ROOM)
    assert len(building.of("trip/1")) == 2 and meter.relay.trips == 1 and meter.relay.open and agree(building)


def test_pulled_after_a_trip_left_and_was_obeyed(tmp_path: Path) -> None:
    """The answer is lost: the relay is looked at, twice, and no second trip leaves for a relay that is open."""
    building, port = at_the_trip(tmp_path)
    port.wire.pulled_by_next_write = True
    building.run(seconds=2)
    assert building.sim_meter(ROOM).relay.commanded_open and building.edge.core.state.meters[ROOM].observed == "closed"
    settled(building, port)
    assert building.sim_meter(ROOM).relay.trips == 1 and len(building.of("trip/1")) == 1
    assert not building.of("withdrawn/1") and not building.of("alarm/1") and agree(building)


def test_pulled_after_a_trip_left_and_was_not_heard(tmp_path: Path) -> None:
    """The bytes were lost on the line: everything is checked again, with evidence of its own, and then sent again."""
    building, port = at_the_trip(tmp_path)
    meter = building.sim_meter(ROOM)
    answer, lost = meter.answer, []

    def loses_the_first_trip(frame: bytes, now: datetime, mono: float | None = None) -> bytes | None:
        if dlt645.decode(frame).control == dlt645.CONTROL and not lost:
            lost.append(frame)
            return None
        return answer(frame, now, mono)  # type: ignore[no-any-return]

    meter.answer = loses_the_first_trip
    port.wire.pulled_by_next_write = True
    building.run(seconds=2)
    settled(building, port)
    first, second = building.of("trip/1")
    assert lost and meter.relay.trips == 1 and agree(building)
    assert second.fields["read"]["read_at"] > first.fields["read"]["read_at"], "on a fresh read"


def test_paid_while_the_adapter_is_out(tmp_path: Path) -> None:
    """Pulled in the middle of a trip, paid before it is back: what was cut is lit again, else nothing is cut."""
    for obeyed in (True, False):
        building, port = at_the_trip(tmp_path / str(obeyed))
        if obeyed:
            port.wire.pulled_by_next_write = True
        else:
            port.wire.pulled = True
        building.run(seconds=2)
        building.topup(ACCOUNT, 500_00)
        settled(building, port)
        relay = building.sim_meter(ROOM).relay
        assert not relay.open and relay.trips == int(obeyed) and len(building.of("trip/1")) == 1, obeyed
        assert agree(building) and building.edge.core.state.meters[ROOM].restore is None


def test_pulled_in_the_middle_of_a_close(tmp_path: Path) -> None:
    """Light is owed: pulled before or after the close left, the relay is closed once the adapter is back."""
    ways: list[Callable[[InlinePort], None]] = [
        lambda port: setattr(port.wire, "pulled", True),
        lambda port: setattr(port.wire, "pulled_by_next_write", True),
    ]
    for number, pull in enumerate(ways):
        building, port = at_the_trip(tmp_path / str(number))
        building.run(minutes=2)
        assert building.sim_meter(ROOM).relay.open
        building.topup(ACCOUNT, 500_00)
        building.run_until(lambda b=building: any(port.trip for port in b.ports.values()), hours=1)
        pull(port)
        building.run(seconds=2)
        settled(building, port)
        assert not building.sim_meter(ROOM).relay.open and agree(building), number


def test_the_figures_of_a_pulled_line_stay_those_of_the_moment_it_went(tmp_path: Path) -> None:
    """An hour later the line still says since when it is closed, and its figures are of then, not of an empty now."""
    building = Building(tmp_path, meters={"a201", ROOM}, poll_s=2, idle_s=0.5)
    building.connect()
    building.run(seconds=100)
    building.ports["line-2"].wire.pulled = True
    building.run(seconds=20)
    port = next(row for row in building.fact("info")["ports"] if row["id"] == "line-2")
    figures = building.fact("port/line-2")
    assert figures["asked"] > 20 and figures["at"] == port["closed_since"]
    building.run(hours=1)
    later = building.fact("port/line-2")
    assert (later["at"], later["asked"], later["window_s"]) == (figures["at"], figures["asked"], figures["window_s"])
    building.ports["line-2"].put_back()
    building.run(seconds=30)
    port = next(row for row in building.fact("info")["ports"] if row["id"] == "line-2")
    assert port.get("closed_since") is None and building.fact("port/line-2")["at"] > figures["at"]
