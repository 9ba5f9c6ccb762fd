"""Done is said of a relay only when a status tells so that was asked for after the request (R7, I11, I12)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bridge.contract.units import instant_of, instant_text
from edge.live import Live
from tests.edge.wires import ACCOUNT, ROOM, Watched

READS = {"reads", "trip", "direct", "permit", "alarm", "alarm-off"}


def told(building: Watched, asked: str) -> list[str]:
    return [each["status"] for each in building.answers(asked)]


def ask(building: Watched, operation: str, **fields: Any) -> str:
    return building.request(operation, meter=ROOM, why="new breaker", who="李强", role="engineer", **fields)


def by_hand(building: Watched, is_open: bool) -> None:
    """Somebody switches it at the meter."""
    relay = building.sim_meter(ROOM).relay
    relay.open = relay.commanded_open = is_open


@pytest.mark.parametrize("operation", ["lock", "trip"])
def test_i11_a_silent_meters_old_status_proves_nothing(tmp_path: Path, operation: str) -> None:
    """Cut, silent for hours, closed at the meter meanwhile: who works there is not told that it is off. When it answers
    again it is switched off."""
    building = Watched(tmp_path)
    building.cut()
    building.deaf_to = READS
    building.run(hours=3)
    by_hand(building, False)
    asked = ask(building, operation)
    building.run(minutes=3)
    assert told(building, asked) == ["accepted", "failed"] and not building.dark
    building.deaf_to = set()
    building.run(minutes=20)
    assert building.dark


@pytest.mark.parametrize(("operation", "is_open"), [("trip", True), ("close", False)])
def test_i11_what_stands_already_is_looked_at_once_more(tmp_path: Path, operation: str, is_open: bool) -> None:
    """Nothing has to move: it is asked how it stands all the same, and the answer says when that was read."""
    building = Watched(tmp_path, poll_s=300)
    building.run(minutes=6)
    if is_open:
        building.cut()
    before, now = len(building.frames), building.clock.now()
    asked = ask(building, operation)
    building.run(seconds=5)
    assert told(building, asked) == ["accepted", "done"] and len(building.frames) > before
    data = building.answers(asked)[-1]["data"]
    assert data["observed"] == ("open" if is_open else "closed") and instant_of(data["read_at"]) > now


@pytest.mark.parametrize("deaf_s", [0, 6])
@pytest.mark.parametrize("tells", [True, False])
def test_i11_a_close_of_a_moment_ago_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tells: bool, deaf_s: float
) -> None:
    """Paid: the close leaves, and in that moment it is locked. Off is not said before the contact surely is; and it is
    no alarm that it closed, for that was our own order. The status of some meters tells what they were ordered."""
    if not tells:
        monkeypatch.setattr(Live, "permitted", None)
    building = Watched(tmp_path)
    building.cut()
    building.idle_s, building.sim_meter(ROOM).relay.delay_s = 0.2, 3.0
    building.topup(ACCOUNT, 300_00)
    building.run_until(lambda: building.orders("direct"), hours=1)
    asked = ask(building, "lock")
    building.deaf_to = {"reads"} if deaf_s else set()
    building.run(seconds=deaf_s)
    building.deaf_to = set()
    was_done = [(told(building, asked)[-1], building.dark)]
    for _ in range(600):
        building.run(seconds=0.2)
        was_done.append((told(building, asked)[-1], building.dark))
    assert ("done", False) not in was_done and was_done[-1] == ("done", True)
    assert not [each for each in building.of("alarm/1") if each.fields["alarm"] == "relay-moved"]


def test_i12_who_waited_is_answered_after_a_restart(tmp_path: Path) -> None:
    """The power fails between the order and the read-back: the next run looks, and answers; asked again it says so."""
    building = Watched(tmp_path)
    building.run(minutes=3)
    asked = ask(building, "trip")
    building.run_until(lambda: building.orders("trip"), hours=1)
    assert told(building, asked) == ["accepted"]
    building.restart()
    building.run(minutes=2)
    assert told(building, asked) == ["accepted", "done"] and building.dark
    assert [each.fields["status"] for each in building.of("done/1")] == ["done"]
    building.restart()
    building.run(minutes=2)
    assert told(building, asked) == ["accepted", "done"] and len(building.of("done/1")) == 1


def test_i12_who_waited_is_answered_by_a_full_disk(tmp_path: Path) -> None:
    """The disk takes no entry any more: what happened is told all the same, and written when there is room."""
    building = Watched(tmp_path)
    building.run(minutes=3)
    asked = ask(building, "trip")
    building.run_until(lambda: building.orders("trip"), hours=1)
    core = building.edge.core
    core.cannot_write = "the disk is full"
    building.run(seconds=1)
    assert told(building, asked) == ["accepted", "done"] and building.of("done/1") == []
    building.restart()
    building.run(minutes=2)
    assert [each.fields["status"] for each in building.of("done/1")] == ["done"]


def test_r7_the_last_word_of_one_program_stands(tmp_path: Path) -> None:
    """Off, and twenty seconds later on again; the wires deliver them the other way round: it stays on. A lock counts
    whenever it comes, and so does another program, whose clock may be another."""
    building = Watched(tmp_path)
    building.run(minutes=3)
    earlier = building.clock.now()
    building.run(seconds=20)
    close = ask(building, "close")
    building.run(seconds=30)
    late = ask(building, "trip", issued_at=instant_text(earlier))
    building.run(minutes=2)
    assert told(building, close)[-1] == "done" and not building.dark
    (refused,) = building.answers(late)
    assert (refused["status"], refused["rule"]) == ("refused", "R7") and "asked before what 李强 asked" in refused[
        "error"
    ]
    lock = ask(building, "lock", issued_at=instant_text(earlier))
    building.run(minutes=2)
    assert told(building, lock)[-1] == "done" and building.dark


def test_r7_a_clock_that_was_ahead_forbids_nothing(tmp_path: Path) -> None:
    """An order of years ahead was taken while nobody knew the time; the clock is right again, and people are heard."""
    building = Watched(tmp_path)
    building.run(minutes=3)
    ask(building, "close")
    building.run(minutes=1)
    meter = building.edge.core.state.meters[ROOM]
    assert meter.ordered is not None
    ahead = timedelta(days=900) // timedelta(microseconds=1)
    meter.ordered = replace(meter.ordered, issued_at=meter.ordered.issued_at + ahead, who="李强")
    asked = ask(building, "trip")
    building.run(minutes=1)
    assert told(building, asked)[-1] == "done" and building.dark


def test_r5_a_lock_is_no_quarrel(tmp_path: Path) -> None:
    """Cut, locked minutes later, closed at the meter: it is off again at once, and each hour of the day where somebody
    goes on closing it, for hands may be at the wires."""
    building = Watched(tmp_path)
    building.cut()
    ask(building, "lock")
    building.run(minutes=1)
    for _ in range(6):
        by_hand(building, False)
        building.run(minutes=3 if len(building.orders("trip")) == 1 else 70)
        assert building.dark
    assert len(building.orders("trip")) == 7
