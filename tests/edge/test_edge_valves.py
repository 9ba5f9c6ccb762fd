"""A valve is told, moved and asked for in its own words, and has the time that it needs to turn (R35)."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bridge.contract.units import instant_text
from tests.edge.test_edge_moved_by_model import Shaft


@pytest.fixture
def shaft(tmp_path: Path) -> Shaft:
    return Shaft(tmp_path)


def told(shaft: Shaft, kind: str) -> list[str]:
    """Texts of the events of a kind about the water meter."""
    heard = [json.loads(p) for topic, p, _ in shaft.broker.heard if topic.endswith("/meter/w1/event")]
    return [event["text"] for event in heard if event["kind"] == kind]


def done(shaft: Shaft, operation: str, meter: str = "w1", hours: float = 0.1, **fields: Any) -> dict[str, Any]:
    """Ask, wait for the last answer, return it."""
    asked = shaft.request(operation, meter=meter, why="a burst pipe", **fields)
    shaft.run_until(lambda: shaft.answers(asked) and shaft.answers(asked)[-1]["status"] != "accepted", hours=hours)
    return shaft.answers(asked)[-1]


def stands(answer: dict[str, Any]) -> dict[str, Any]:
    """How it stands and by what it is held, as it was read back, without when."""
    return {key: value for key, value in answer["data"].items() if key != "read_at"}


def test_off_and_on_mean_the_same_for_every_kind(shaft: Shaft) -> None:
    """`off` closes a valve and opens a relay, `on` the other way round; the answer tells each in its own words."""
    assert stands(done(shaft, "off")) == {"valve": "closed", "holds": ["manual"]} and shaft.water.orders == [0x99]
    assert shaft.valve().desired == shaft.valve().observed == "closed" and shaft.valve().why == "held closed: manual"
    assert stands(done(shaft, "on")) == {"valve": "open", "holds": []} and shaft.water.orders == [0x99, 0x55]
    assert shaft.valve().desired == shaft.valve().observed == "open" and shaft.valve().step is None
    assert stands(done(shaft, "off", "m1")) == {"observed": "open", "holds": ["manual"]}
    assert stands(done(shaft, "on", "m1")) == {"observed": "closed", "holds": []}
    assert told(shaft, "relay-moved")[-2:] == [
        "valve read back closed (as ordered)",
        "valve read back open (as ordered)",
    ]
    assert told(shaft, "trip") == ["the order to close the valve is about to leave (manual)"]
    bodies = [*shaft.of("trip/1", meter="w1"), *shaft.of("close/1", meter="w1"), *shaft.of("relay/1", meter="w1")[-2:]]
    assert [entry.fields["valve"] for entry in bodies] == ["close", "open", "closed", "open"]
    assert not shaft.of("alarm/1")


def test_a_lock_of_a_valve_speaks_of_a_valve(shaft: Shaft) -> None:
    """Locked for work on the pipes: it closes, is read back, and is refused to others; `lock` and `unlock` are asked of
    relays and valves alike (R5)."""
    assert stands(done(shaft, "lock")) == {"valve": "closed", "holds": ["lockout"]}
    refused = done(shaft, "on")
    assert refused["rule"] == "R5" and "locked for work by 王敏" in refused["error"]
    assert done(shaft, "off")["status"] == "done"
    vain = done(shaft, "unlock")["data"]
    assert vain == {"holds": ["manual"], "text": "the lock is lifted; the valve stays closed: manual"}
    assert stands(done(shaft, "on")) == {"valve": "open", "holds": []}
    assert done(shaft, "lock", off=False)["status"] == "done" and shaft.valve().desired == "open"
    assert shaft.valve().why == "locked as it stands: the valve is not turned before it is unlocked"


def test_a_reading_tells_litres_as_litres(shaft: Shaft) -> None:
    """`read` answers a water meter's volume, and an energy meter's registers, each under its own name."""
    asked = [shaft.request("read", meter=meter) for meter in ("w1", "m1")]
    shaft.run_until(lambda: all(len(shaft.answers(each)) == 2 for each in asked), hours=0.1)
    water, energy = (shaft.answers(each)[-1]["data"] for each in asked)
    assert water["volume_l"] == shaft.fact("meter/w1")["volume_l"] and "registers_wh" not in water
    assert energy["registers_wh"]["total"] > 0 and "volume_l" not in energy


@pytest.mark.parametrize("word", ["trip", "close"])
def test_a_relays_word_is_refused_for_a_valve(shaft: Shaft, word: str) -> None:
    """`close` lights a room and would shut a valve: it is refused with the words to use, and nothing moves."""
    answer = done(shaft, word)
    assert answer["status"] == "refused" and answer["rule"] == "R7"
    assert "`off`, which closes the valve" in answer["error"] and "`on`, which opens it" in answer["error"]
    shaft.run(minutes=5)
    assert not shaft.water.orders and not shaft.of("hold/1", meter="w1")


@pytest.mark.parametrize("operation", ["off", "on"])
@pytest.mark.parametrize(("key", "role"), [("shell", "finance"), ("shell", "operations"), ("bridge", "system")])
def test_the_new_words_need_the_old_rights(shaft: Shaft, operation: str, key: str, role: str) -> None:
    """Who may not trip and close may not ask for off and on either."""
    answer = done(shaft, operation, key=key, role=role)
    assert (answer["status"], answer["rule"]) == ("refused", "R32") and not shaft.water.orders


def test_nobody_hears_of_a_valve_as_of_a_relay(shaft: Shaft) -> None:
    """`meters` says which it is; the relay's topic of an earlier version is removed; a sweep tells the valve."""
    rows = {row["id"]: row for row in shaft.fact("meters")["meters"]}
    assert rows["w1"]["switch"] == "valve" and rows["m1"]["switch"] == "relay"
    assert not rows["w1"]["button"] and not rows["m1"]["button"], "neither a valve nor a Modbus relay waits for one"
    topic = f"{shaft.edge.topics.root}/meter/w1/relay"
    shaft.broker.retained[topic] = b'{"observed": "closed"}'
    shaft.connect()
    assert shaft.broker.retained[topic] == b"" and shaft.relay("m1").observed == "unknown"
    swept = [json.loads(payload) for heard, payload, _ in shaft.broker.heard if heard.endswith("/reading")]
    row = next(row for each in reversed(swept) for row in each["readings"] if row["meter"] == "w1")
    assert row["valve"] == "open" and "relay" not in row


def test_a_valve_on_its_way_is_no_alarm(shaft: Shaft) -> None:
    """It turns for 40 s and calls itself out of order meanwhile: it is told as closing, and nobody is called."""
    shaft.water.turn_s, shaft.water.abnormal_on_its_way = 40.0, True
    asked = shaft.request("off", meter="w1", why="a burst pipe")
    shaft.run_until(lambda: shaft.water.orders == [0x99], hours=0.1)
    shaft.run(seconds=30)
    valve = shaft.valve()
    assert (valve.desired, valve.observed, valve.moving) == ("closed", "open", "closing") and valve.following
    assert shaft.fact("meter/w1")["valve"] == "open"
    shaft.run_until(lambda: len(shaft.answers(asked)) == 2, hours=0.1)
    assert shaft.answers(asked)[-1]["status"] == "done" and shaft.valve().moving is None
    shaft.run(minutes=10)
    assert not shaft.of("alarm/1") and shaft.water.orders == [0x99] and shaft.valve().observed == "closed"
    assert [entry.fields["why"] for entry in shaft.of("relay/1", meter="w1")] == ["first look", "as ordered"]


def test_a_valve_on_its_way_leaves_the_line_to_others(shaft: Shaft) -> None:
    """It is looked at every three seconds and not without a pause: a line at 2400 bit/s has other meters too."""
    shaft.water.turn_s = 40.0
    asked: list[float] = []
    answer = shaft.water.answer

    def counting(frame: bytes, now: Any, monotonic: float) -> tuple[bytes, float]:
        asked.append(monotonic)
        return answer(frame, now, monotonic)

    shaft.ports["water"].wire._answer = counting
    shaft.request("off", meter="w1", why="a burst pipe")
    shaft.run_until(lambda: shaft.water.orders == [0x99], hours=0.1)
    asked.clear()
    shaft.run(seconds=30)
    assert 8 <= len(asked) <= 16, "ten looks and a round or two"


def test_a_stuck_valve_is_told_when_its_time_is_over(shaft: Shaft) -> None:
    """It says yes and does not move: no word for a minute, then one alarm in a valve's words, and a failed answer."""
    shaft.water.turn_s = 1e9
    asked = shaft.request("off", meter="w1", why="a burst pipe")
    shaft.run_until(lambda: shaft.water.orders == [0x99], hours=0.1)
    shaft.run(seconds=55)
    assert not shaft.of("alarm/1") and shaft.valve().moving == "closing" and shaft.valve().following
    shaft.run_until(lambda: bool(shaft.of("alarm/1", alarm="not-following")), hours=0.01)
    text = "the valve does not follow (closing, 1 attempts): read back, and the valve has not arrived"
    assert shaft.of("alarm/1")[0].fields["text"] == text
    assert shaft.valve().moving is None and not shaft.valve().following
    shaft.run_until(lambda: len(shaft.answers(asked)) == 2, hours=0.1)
    answer = shaft.answers(asked)[-1]
    assert answer["status"] == "failed" and answer["error"].startswith("the valve has not arrived within 120 s")
    shaft.run(minutes=20)
    assert len(shaft.of("alarm/1")) == 1 and 2 <= len(shaft.water.orders) <= 3, "few attempts: each costs its battery"


def test_an_order_that_was_not_heard_is_tried_again_before_anybody_is_called(shaft: Shaft) -> None:
    """One lost frame is no stuck valve."""
    answer, lost = shaft.water.answer, []

    def deaf_once(frame: bytes, now: Any, monotonic: float) -> tuple[bytes, float]:
        if frame.lstrip(b"\xfe")[9] == 0x04 and not lost:
            lost.append(frame)
            return b"", 0.0
        return answer(frame, now, monotonic)

    shaft.ports["water"].wire._answer = deaf_once
    shaft.request("off", meter="w1", why="a burst pipe")
    shaft.run_until(lambda: shaft.valve().observed == "closed", hours=0.2)
    assert lost and not shaft.of("alarm/1") and shaft.water.orders == [0x99]


def test_a_valve_that_moves_by_itself_is_told_as_a_valve(shaft: Shaft) -> None:
    """Somebody shuts it at the meter: the alarm and the fact speak of a valve that is closed."""
    shaft.water.shut = True
    shaft.run_until(lambda: bool(shaft.of("alarm/1", alarm="relay-moved")), hours=0.1)
    text = "the valve was found closed and nobody here had ordered it"
    assert shaft.of("alarm/1")[0].fields["text"] == text
    assert shaft.valve().why == "closed by itself or by hand; nobody here ordered it, so a person decides"


@pytest.mark.parametrize(("meter", "what"), [("w1", "water"), ("m1", "power")])
def test_a_protection_of_a_valve_keeps_water_on(shaft: Shaft, meter: str, what: str) -> None:
    """Why it is not cut is told of water where a valve would be closed, and of power where a relay would open (R3)."""
    core = shaft.edge.core
    core.terms = replace(core.terms, cut_limit_nano=10**15)  # Whatever is left, it is owed.
    in_a_day = instant_text(shaft.clock.now() + timedelta(days=1))
    asked = shaft.request("protect", account="a1", protection="keep-power", why="a clinic", until=in_a_day)
    assert shaft.answers(asked)[-1]["status"] == "done"
    verdict = shaft.edge.accounts.verdict(core.state.accounts["a1"], core.state.meters[meter])
    assert verdict.rule == "R3" and verdict.why.startswith(f"{what} is kept on: a clinic (until 2026-11-")
