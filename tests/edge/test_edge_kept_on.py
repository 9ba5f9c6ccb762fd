"""What a person asks against what was promised or read: a room that is kept on, a number that was read too long ago."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from bridge.contract.units import instant_text
from edge import trust
from edge.evidence import PERSONS_FRESH_S
from tests.edge.wires import ACCOUNT, ROOM, Watched


def test_r3_nobody_switches_off_whom_somebody_keeps_on(tmp_path: Path) -> None:
    """The manager keeps a sick tenant's power on; an engineer who wants it off for the debt is refused, and told by
    whom and why. Work at the wires may lock it; once it is lifted, a person may."""
    building = Watched(tmp_path)
    building.run(minutes=3)
    until = instant_text(building.clock.now() + timedelta(days=3))
    building.request("protect", account=ACCOUNT, protection="keep-power", until=until, why="dialysis", who="王敏")
    for operation in ("off", "trip"):
        refused = building.answered(operation, meter=ROOM, why="has not paid", role="engineer", who="李强")
        assert (refused["status"], refused["rule"]) == ("refused", "R3") and "王敏 keeps" in refused["error"]
        assert "dialysis" in refused["error"]
    assert not building.dark and not building.of("hold/1")
    assert building.answered("lock", meter=ROOM, why="new breaker", off=True)["status"] == "done" and building.dark
    building.answered("unlock", meter=ROOM, why="done")
    assert building.answered("on", meter=ROOM, why="done")["status"] in ("done", "refused")
    building.request("unprotect", account=ACCOUNT, protection="keep-power", why="moved to a hospital")
    assert building.answered("off", meter=ROOM, why="contract", role="engineer")["status"] == "done"


def test_r3_nobody_promises_power_to_a_room_that_somebody_has_switched_off(tmp_path: Path) -> None:
    """The order was lost and is tried again: a promise in between would be broken by it. Once it is on it is kept."""
    building = Watched(tmp_path)
    building.run(minutes=3)
    building.deaf_to = {"trip"}
    building.request("off", meter=ROOM, why="service", role="engineer", who="李强")
    until = instant_text(building.clock.now() + timedelta(days=3))
    kept = {"account": ACCOUNT, "protection": "keep-power", "until": until, "why": "dialysis"}
    refused = building.answered("protect", seconds=1, **kept)
    assert (refused["status"], refused["rule"]) == ("refused", "R5") and "李强 has switched" in refused["error"]
    building.request("on", meter=ROOM, why="done")
    assert building.answered("protect", **kept)["status"] == "done"
    building.deaf_to = set()
    building.run(minutes=30)
    assert not building.dark


def test_r3_a_disputed_bill_is_no_promise_of_power(tmp_path: Path) -> None:
    """What is off for another reason than the bill is no cut for arrears."""
    building = Watched(tmp_path)
    building.run(minutes=3)
    until = instant_text(building.clock.now() + timedelta(days=3))
    building.request("protect", account=ACCOUNT, protection="dispute", until=until, why="the bill")
    assert building.answered("off", meter=ROOM, why="fire alarm", role="engineer")["status"] == "done"


def test_r1_what_was_paid_while_nobody_knew_the_time_ends_the_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the hour that is supposed it was not enough, by the true one it may have been: once the time is known the
    tenant is warned anew, and has the whole half hour again."""
    window = {"cut_window": {"days": "all", "from": "19:00", "to": "21:00"}}
    building = Watched(tmp_path, poll_s=120, idle_s=20, policy=window)
    building.until_warned()
    building.run(hours=3)
    with monkeypatch.context() as kernel:
        kernel.setattr(trust, "judge", lambda *_: (False, "not synchronised since start"))
        building.restart()
        building.run(minutes=10)
        account = building.edge.core.state.accounts[ACCOUNT]
        assert building.edge.core.mode == "time" and building.edge.core.balances.available_nano(account) < -(10**9)
        assert not building.of("cancelled/1")
        building.topup(ACCOUNT, 100)
        (over,) = building.of("cancelled/1")
        assert over.fields["why"] == "a payment came" and over.fields["available_nano"] < 0
    building.run_until(lambda: building.dark, hours=24)
    first, second = building.of("final/1")
    (trip,) = building.of("trip/1")
    assert trip.fields["final_seq"] == second.seq > first.seq and trip.fields["warned_s"] >= 1800


def test_i7_a_persons_trip_does_not_leave_on_a_number_that_was_read_long_ago(tmp_path: Path) -> None:
    """It waited for the line for longer than five minutes: the meter's own number is asked again before it leaves."""
    building = Watched(tmp_path)
    building.run(minutes=3)
    asked = building.request("off", meter=ROOM, why="service")
    waiting = building.until_ready("trip", hours=0.1)
    building.clock.advance(PERSONS_FRESH_S + 1)
    for event in waiting:
        building.edge.step(event)
    assert building.of("trip/1") == [] and not building.dark
    building.run_until(lambda: building.dark, hours=0.5)
    building.run(seconds=20)
    (evidence,) = building.of("trip/1")
    assert evidence.fields["read"]["serial"] == building.sim_meter(ROOM).serial
    assert building.answers(asked)[-1]["status"] in ("done", "failed")
