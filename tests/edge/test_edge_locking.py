"""R5, I10, I7: hands are at the wires behind a meter: it is locked, and nothing and nobody gives supply to it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bridge.contract.units import instant_text
from bridge.mqtt import Received
from edge.audit.verify import verify
from tests.edge.wires import ACCOUNT, ROOM, Watched


def ask(building: Watched, operation: str, who: str = "李强", role: str = "engineer", **fields: Any) -> dict[str, Any]:
    """The newest answer to a request of an electrician."""
    return building.answered(operation, who=who, role=role, **fields)


def locked(tmp_path: Path, **more: Any) -> Watched:
    """A room with light whose meter 李强 has locked, off unless `off` says otherwise."""
    building = Watched(tmp_path, poll_s=120, idle_s=10)
    building.run(minutes=3)
    answer = ask(building, "lock", meter=ROOM, why="new breaker", **more)
    assert answer["status"] == "done", answer
    return building


def test_i10_a_lock_outlives_payment_persons_and_power_cuts(tmp_path: Path) -> None:
    """Cut for arrears, then locked; the tenant pays, a manager closes, the gateway restarts, a day passes: no close
    leaves. Unlocked, the payment that came meanwhile brings supply back, and nobody has to press anything."""
    building = Watched(tmp_path, poll_s=120, idle_s=10)
    building.cut()
    assert ask(building, "lock", meter=ROOM, why="new breaker")["status"] == "done"
    building.topup(ACCOUNT, 300_00)
    building.run(minutes=15)
    assert sorted(building.edge.core.state.meters[ROOM].holds) == ["lockout"], "the payment has lifted the arrears"
    refused = ask(building, "close", who="王敏", role="manager", meter=ROOM, why="the tenant complains")
    assert (refused["status"], refused["rule"]) == ("refused", "R5")
    lock = building.edge.core.state.meters[ROOM].lock
    assert lock is not None
    at = datetime.fromtimestamp(lock.since / 1e6, ZoneInfo("Asia/Shanghai"))
    assert f"locked for work by 李强 since {at:%Y-%m-%d %H:%M}" in refused["error"] and "+00" not in refused["error"]
    assert "new breaker" in refused["error"]
    building.edge.snapshots.save()
    building.restart()
    building.run(minutes=20)
    assert building.dark and building.orders("direct", "permit") == []
    assert ask(building, "unlock", meter=ROOM, why="done")["status"] == "done"
    assert not building.dark and len(building.orders("direct")) == 1
    building.edge.core.book.close()
    assert verify(tmp_path).good


def test_i10_a_lock_in_the_last_moment_stops_a_close(tmp_path: Path) -> None:
    """The close stands at the head of the line when the electrician's lock comes: it does not leave."""
    building = Watched(tmp_path, poll_s=120, idle_s=10)
    building.cut()
    topic, payload, _ = building.asked("topup", account=ACCOUNT, amount_fen=300_00, method="cash")
    building.edge.enqueue(Received(topic, payload, False))
    waiting = building.until_ready("close", hours=0.1)
    topic, payload, _ = building.asked("lock", meter=ROOM, off=False, why="hands at the busbar")
    for event in (Received(topic, payload, False), *waiting):
        building.edge.enqueue(event)
    building.run(minutes=10)
    assert building.orders("direct", "permit") == [] and building.dark
    assert building.fact(f"meter/{ROOM}/relay")["holds"][0]["off"] is True, "it was off, and is locked off"


def test_r5_a_lock_switches_off_and_is_read_back(tmp_path: Path) -> None:
    """Locking means off unless it is said otherwise: accepted, then done when the meter's status says so; everybody is
    told who, since when and why. One that closes by itself is opened again, within the hour."""
    building = Watched(tmp_path, poll_s=120, idle_s=10)
    building.run(minutes=3)
    began = building.clock.now()
    asked = building.request("lock", who="李强", role="engineer", meter=ROOM, why="new breaker")
    assert [each["status"] for each in building.answers(asked)] == ["accepted"] and not building.dark
    building.run(seconds=20)
    data = building.answers(asked)[-1]["data"]
    assert data == {"observed": "open", "holds": ["lockout"], "read_at": data["read_at"]} and building.dark
    assert data["read_at"] > instant_text(began), "when it was read back"
    fact = building.fact(f"meter/{ROOM}/relay")
    (hold,) = fact["holds"]
    assert (hold["kind"], hold["by"], hold["why"], hold["off"]) == ("lockout", "李强", "new breaker", True)
    assert fact["desired"] == "open" and fact["why"] == "held open: lockout"
    assert building.of("trip/1")[0].fields["cause"] == "manual"
    building.sim_meter(ROOM).relay.open = building.sim_meter(ROOM).relay.commanded_open = False
    building.run_until(lambda: building.dark, hours=1.2)


def test_i7_a_lock_that_leaves_it_on_switches_nothing(tmp_path: Path) -> None:
    """Locked as it stands: done at once, the light stays on, nobody is cut for arrears while hands are at the wires,
    and the account says why; unlocked, the cut follows as it was due."""
    building = locked(tmp_path, off=False)
    assert not building.dark and building.fact(f"meter/{ROOM}/relay")["desired"] == "closed"
    assert building.fact(f"meter/{ROOM}/relay")["why"].startswith("locked as it stands")
    building.until_warned()
    building.run(hours=1)
    assert not building.dark and building.of("trip/1") == [] and building.orders("trip") == []
    fact = building.fact(f"account/{ACCOUNT}")
    assert fact["blocked"] == "R5" and "locked for work by 李强" in fact["blocked_why"]
    assert ask(building, "unlock", meter=ROOM, why="done")["status"] == "done"
    building.run_until(lambda: building.dark, hours=1)
    building.edge.core.book.close()
    assert verify(tmp_path).good


def test_r5_one_that_opens_by_itself_under_a_lock_stays_open(tmp_path: Path) -> None:
    """A fuse or a hand opened it during the work: it is told, it stays off, and unlocking brings it back."""
    building = locked(tmp_path, off=False)
    relay = building.sim_meter(ROOM).relay
    relay.open = relay.commanded_open = True
    building.run(minutes=5)
    assert building.of("alarm/1", alarm="relay-moved") and building.orders("direct", "permit", "trip") == []
    assert ask(building, "unlock", meter=ROOM, why="done")["status"] == "done" and not building.dark


@pytest.mark.parametrize(
    ("who", "fields", "rule"),
    [
        ("李 强", {}, None),
        ("王敏", {}, "R5"),
        ("王敏", {"in_place_of": "赵六"}, "R5"),
        ("王敏", {"in_place_of": "李强"}, None),
    ],
)
def test_r5_who_locks_it_unlocks_it_or_somebody_names_them(
    tmp_path: Path, who: str, fields: dict[str, str], rule: str | None
) -> None:
    """The one who works there, however the name is typed; anybody else only in their place, by name, and the book
    keeps both."""
    building = locked(tmp_path)
    answer = ask(building, "unlock", who=who, role="manager", meter=ROOM, why="he went home", **fields)
    assert (answer["status"], answer.get("rule")) == ("refused" if rule else "done", rule)
    assert building.dark is (rule is not None)
    if rule is None:
        (lifted,) = building.of("hold/1", hold="lockout", set=False)
        assert lifted.fields.get("in_place_of") == ("李强" if fields else None)
    else:
        assert "locked for work by 李强" in answer["error"]


@pytest.mark.parametrize(("role", "allowed"), [("engineer", True), ("finance", False), ("operations", False)])
def test_r32_who_wires_meters_locks_them(tmp_path: Path, role: str, allowed: bool) -> None:
    """A clerk neither locks nor unlocks."""
    building = Watched(tmp_path, poll_s=120, idle_s=10)
    building.run(minutes=3)
    assert (ask(building, "lock", role=role, meter=ROOM, why="x").get("rule") == "R32") is not allowed
    assert (ask(building, "unlock", role=role, meter=ROOM, why="x").get("rule") == "R32") is not allowed
    assert bool(building.of("hold/1")) is allowed


def test_r5_a_second_lock_and_an_unlock_of_nothing_are_refused(tmp_path: Path) -> None:
    """Two people are not behind one lock by mistake: the second hears whose it is. What is not locked is not
    unlocked."""
    building = locked(tmp_path)
    second = ask(building, "lock", who="赵六", meter=ROOM, why="cable")
    assert second["rule"] == "R5" and "locked for work by 李强" in second["error"]
    ask(building, "unlock", meter=ROOM, why="done")
    assert ask(building, "unlock", meter=ROOM, why="done")["rule"] == "R5"


def test_r5_other_holds_outlast_the_lock_and_are_told(tmp_path: Path) -> None:
    """Somebody switched it off as well: unlocking says what remains, and lifting that brings supply back."""
    building = locked(tmp_path)
    assert ask(building, "off", who="王敏", role="manager", meter=ROOM, why="quarrel")["status"] == "done"
    answer = ask(building, "unlock", meter=ROOM, why="done")
    assert answer["status"] == "done" and answer["data"]["text"] == "the lock is lifted; supply stays off: manual"
    assert building.dark and ask(building, "on", meter=ROOM, why="agreed")["status"] == "done" and not building.dark


def test_r6_a_permission_to_close_is_taken_back_by_a_lock(tmp_path: Path) -> None:
    """Paid, and the meter waits for its button; the electrician locks it before anybody presses: the button does
    nothing until it is unlocked, and lock and unlock are told as done only when that is so."""
    building = Watched(tmp_path, poll_s=120, idle_s=10)
    building.edge.core.state.meters[ROOM].row["relay"] = "permit"
    building.cut()
    building.topup(ACCOUNT, 300_00)
    relay = building.sim_meter(ROOM).relay
    building.run_until(lambda: relay.permitted, hours=0.2)
    building.run(minutes=1)
    trips = len(building.orders("trip"))
    answer = ask(building, "lock", meter=ROOM, why="new breaker")
    assert answer["status"] == "done" and len(building.orders("trip")) == trips + 1
    assert not relay.permitted and not building.sim_meter(ROOM).press_button(building.clock.now())
    building.run(minutes=30)
    assert building.dark and len(building.orders("trip")) == trips + 1, "told once"
    ask(building, "unlock", meter=ROOM, why="done")
    assert relay.permitted and building.sim_meter(ROOM).press_button(building.clock.now())


def test_a_permission_that_is_never_taken_back_is_not_fought(tmp_path: Path) -> None:
    """A meter whose status never shows the newer order: told three times, then left."""
    building = Watched(tmp_path, poll_s=120, idle_s=10)
    building.edge.core.state.meters[ROOM].row["relay"] = "permit"
    building.cut()
    meter = building.sim_meter(ROOM)
    meter.relay.__class__.commanded_open = property(lambda own: False, lambda own, value: None)  # type: ignore[assignment]
    try:
        building.run(minutes=2)
        trips = len(building.orders("trip"))
        ask(building, "lock", meter=ROOM, why="new breaker")
        building.run(minutes=30)
        assert len(building.orders("trip")) - trips == 3
    finally:
        del meter.relay.__class__.commanded_open
        meter.relay.__class__.commanded_open = False


def test_i22_an_unsure_gateway_locks_and_switches_nothing_off(tmp_path: Path) -> None:
    """In a careful mode a lock that would switch off is refused and one that leaves it as it stands is taken."""
    building = Watched(tmp_path, poll_s=120, idle_s=10)
    building.run(minutes=3)
    building.edge.modes.recover("restored from last week's copy")
    assert ask(building, "lock", meter=ROOM, why="x")["rule"] == "I22"
    assert ask(building, "lock", meter=ROOM, off=False, why="x")["status"] == "done" and not building.dark


def test_r5_a_forgotten_lock_is_told_after_a_day(tmp_path: Path) -> None:
    """Once for each lock, also over a restart, and the lock goes on standing; one that was lifted in time tells
    nothing."""
    building = locked(tmp_path)
    for hours, told in ((23, 0), (2, 1)):
        building.stop_edge()
        building.clock.advance(hours * 3600)
        building.start_edge()
        building.connect()
        building.run(minutes=2)
        assert len(building.of("alarm/1", alarm="lock-stands")) == told
    (alarm,) = building.of("alarm/1", alarm="lock-stands")
    assert "still locked for work by 李强" in alarm.fields["text"] and alarm.fields["meter"] == ROOM
    building.restart()
    building.run(minutes=2)
    assert len(building.of("alarm/1", alarm="lock-stands")) == 1 and building.dark


@pytest.mark.parametrize(
    ("kind", "fields", "told"),
    [
        ("trip/1", {"account": ACCOUNT, "cause": "arrears", "episode": 1}, "李强 had locked it for work"),
        ("close/1", {"account": ACCOUNT, "command": "direct", "cause": "paid"}, "closed under the hold lockout"),
        ("hold/1", {"hold": "lockout", "set": False, "who": "王敏", "why": "x"}, "whose lock it was"),
        ("hold/1", {"hold": "lockout", "set": True, "who": "王敏", "why": "x"}, "one stood before it"),
    ],
)
def test_riser_verify_names_what_a_lock_forbids(tmp_path: Path, kind: str, fields: dict[str, Any], told: str) -> None:
    """A cut, a close, another's unlocking and a second lock, written into the book of a locked meter by whoever got
    hold of it: the entry is named (I7, I10, R5)."""
    building = locked(tmp_path, off=False)
    (entry,) = building.edge.core.append((kind, "forged", {"meter": ROOM, **fields}))
    building.edge.core.book.close()
    report = verify(tmp_path)
    assert report.lie is not None and report.lie.seq == entry.seq and told in report.lie.wrong, report.lie
