"""A meter that somebody opened is told to a person: when, and when it was closed again; one wrong frame is no alarm."""

from __future__ import annotations

import json
import logging
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from edge.codec import dlt645
from edge.due import EVERY_S
from firmware_sim.accidents import flip
from firmware_sim.faults import Faults, gather
from tests.edge.building import Building

ROOM = "a206"
LOOK_S = EVERY_S["minutes"] + 40


def room(tmp_path: Path, **options: Any) -> Building:
    building = Building(tmp_path, meters={ROOM}, **{"poll_s": 30, "idle_s": 2, **options})
    building.topup("100206", 5000_00)
    building.connect()
    building.run(seconds=60)
    return building


def events(building: Building) -> list[tuple[str, str]]:
    """(kind, text) of what was said of the meter's covers, oldest first."""
    said = [json.loads(payload) for topic, payload, _ in building.broker.heard if topic.endswith(f"meter/{ROOM}/event")]
    return [(each["kind"], each["text"]) for each in said if each["kind"].startswith("cover")]


def alarms(building: Building) -> list[str]:
    return [each.fields["alarm"] for each in building.of("alarm/1") if each.fields["alarm"].startswith("cover")]


def test_an_opened_cover_waits_for_a_disk_that_takes_its_entry(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """While nothing can be written nothing is told of it either, not every five minutes anew; then it is told once."""
    building = room(tmp_path)
    building.edge.disk.free_bytes = lambda: 0  # type: ignore[method-assign]
    building.shaft.set_faults(gather(["cover:a206"]))
    building.run(seconds=3 * LOOK_S)
    assert building.edge.core.mode == "disk" and not [each for each in caplog.messages if "was opened" in each]
    building.stop_edge()
    building.start_edge()
    building.connect()
    building.run(seconds=LOOK_S)
    assert alarms(building) == ["cover-opened"] and len([each for each in caplog.messages if "was opened" in each]) == 1


def test_an_opened_cover_is_told_and_so_is_its_closing(tmp_path: Path) -> None:
    """Opened for twenty minutes: within minutes an alarm in the book with the meter's own time; then closed again."""
    building = room(tmp_path)
    assert alarms(building) == [] and [each.fields["why"] for each in building.of("cover/1")] == ["first look"] * 2
    assert building.fact(f"meter/{ROOM}")["cover_open"] is False
    building.shaft.set_faults(gather(["cover:a206"]))
    opened = building.sim_meter(ROOM).metrology.own_wall()
    building.run(seconds=LOOK_S)
    (alarm,) = building.of("alarm/1", alarm="cover-opened")
    assert alarm.fields["meter"] == ROOM and alarm.fields["account"] == "100206"
    text = f"the cover was opened at {opened:%Y-%m-%d %H:%M:%S} by the meter's clock; it counts 1"
    assert events(building) == [("cover-opened", text)] and alarm.fields["text"] == text
    fact = building.fact(f"meter/{ROOM}")
    assert (fact["cover_open"], fact["cover_openings"], fact["terminal_cover_open"]) == (True, 1, False)
    building.run(minutes=20)
    assert len(alarms(building)) == 1, "told once, however long it stands open"
    building.shaft.set_faults(Faults())
    building.run(seconds=LOOK_S)
    assert [kind for kind, _ in events(building)] == ["cover-opened", "cover-closed"]
    assert building.fact(f"meter/{ROOM}")["cover_open"] is False
    assert building.of("trip/1") == [] and building.of("quarantine/1") == []


def test_a_cover_opened_and_closed_between_two_looks_is_told_whole(tmp_path: Path) -> None:
    """Somebody was at the terminals for a minute, while the gateway was off: both are told when it runs again."""
    building = room(tmp_path)
    building.stop_edge()
    meter = building.sim_meter(ROOM)
    for opened in (True, False):
        building.clock.advance(60)
        meter.advance(building.clock.now())
        meter.set_cover("terminal", opened)
    building.start_edge()
    building.connect()
    building.run(seconds=60)
    assert [kind for kind, _ in events(building)] == ["cover-opened", "cover-closed"]
    assert all("the terminal cover was" in text for _, text in events(building))
    (noted,) = building.of("cover/1", why="opened")
    spent = datetime.fromisoformat(noted.fields["closed_at"]) - datetime.fromisoformat(noted.fields["opened_at"])
    assert spent == timedelta(seconds=60)


def test_openings_before_the_meter_came_are_no_alarm(tmp_path: Path) -> None:
    """A new meter that its maker opened 27 times is not an alarm; one that stands open when it is first read is."""
    building = Building(tmp_path / "1", meters={"a104"}, poll_s=30, idle_s=2)
    building.run(seconds=60)
    assert building.of("cover/1", cover="cover", count=27) and not building.of("alarm/1")
    building = Building(tmp_path / "2", meters={"a104"}, poll_s=30, idle_s=2, faults=("cover:a104",))
    building.run(seconds=60)
    assert building.of("alarm/1", alarm="cover-opened") and building.of("cover/1", count=28, why="first look")


def test_a_record_that_was_cleared_is_told(tmp_path: Path) -> None:
    """Whoever clears the meter's events wipes traces: a count that fell is an alarm, and counting goes on."""
    building = room(tmp_path)
    meter = building.sim_meter(ROOM)
    meter.covers["cover"].count = 5
    building.run(seconds=LOOK_S)
    meter.covers["cover"].count, meter.covers["cover"].openings = 0, []
    building.run(seconds=LOOK_S)
    meter.set_cover("cover", True)
    building.run(seconds=LOOK_S)
    assert alarms(building) == ["cover-opened", "cover-cleared", "cover-opened"]
    assert "counts 0 openings and had counted 5" in building.of("alarm/1", alarm="cover-cleared")[0].fields["text"]


def test_one_wrong_frame_is_no_opened_cover(tmp_path: Path) -> None:
    """A count damaged so that its sum fits is read again: nobody is sent to look at a meter for a flipped bit."""
    building = room(tmp_path)
    meter, dice = building.sim_meter(ROOM), Random(5)
    answer, spoiled = meter.answer, []

    def spoils_every_other_count(frame: bytes, now: datetime, mono: float | None = None) -> bytes | None:
        reply = answer(frame, now, mono)
        if dlt645.decode(frame).identifier not in ("03300D00", "03300E00"):
            return reply  # type: ignore[no-any-return]
        spoiled.append(len(spoiled) % 2 == 0)
        return flip(reply, "sly", dice) if spoiled[-1] else reply

    meter.answer = spoils_every_other_count
    building.run(minutes=80)
    assert sum(spoiled) > 12 and alarms(building) == [] and len(building.of("cover/1")) == 2


def test_a_meter_without_such_a_record_is_left_alone(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Many meters do not know these identifiers: asked once an hour, no alarm, no error, one log line."""
    building = Building(tmp_path, meters={ROOM}, poll_s=30, idle_s=2)
    meter = building.sim_meter(ROOM)
    answer, asked = meter.answer, []

    def knows_no_covers(frame: bytes, now: datetime, mono: float | None = None) -> bytes | None:
        question = dlt645.decode(frame)
        if (question.identifier or "").startswith("0330"):
            asked.append(question.identifier)
            return dlt645.encode(dlt645.Frame(meter.address, 0xD1, b"\x02"))
        return answer(frame, now, mono)  # type: ignore[no-any-return]

    meter.answer = knows_no_covers
    with caplog.at_level(logging.INFO):
        building.run(hours=3)
    assert 4 <= len(asked) <= 8 and not building.of("cover/1") and not building.of("alarm/1", alarm="cover-opened")
    assert sum("cover" in message for message in caplog.messages) == 2 and building.edge.polls["line-2"].failed == 0
