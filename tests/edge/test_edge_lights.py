"""Light that returns and light that goes: on credit, at two panels at once, by hands at the meter, behind a contact
that never opened; and what is read once more before anything follows from it."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from edge.audit.verify import verify
from edge.codec import dlt645
from edge.disk import FULL_BYTES
from tests.edge.building import Building
from tests.edge.wires import ACCOUNT, ROOM, Watched

ALWAYS = {"cut_window": {"days": "all", "from": "00:00", "to": "24:00"}}


class Dumb(Watched):
    """A meter that never tells its status words."""

    def answer_of(self, line: str) -> Any:
        inner = super().answer_of(line)

        def answer(frame: bytes, *when: Any) -> tuple[bytes, float]:
            heard = dlt645.decode(frame)
            is_status = heard.control == 0x11 and heard.data[:4] == bytes.fromhex("03050004")
            return (b"", 0.05) if is_status else inner(frame, *when)

        return answer


def available(building: Building) -> int:
    core = building.edge.core
    return core.balances.available_nano(core.state.accounts[ACCOUNT])


def test_r16_emergency_credit_brings_light_until_it_is_used_up_and_then_a_warning_of_its_own(tmp_path: Path) -> None:
    """Cut at night, nobody to pay: credit lights the room within seconds, is lent once, and when it is used up there is
    a new warning with its whole lead before it is dark again."""
    building = Watched(tmp_path, policy={**ALWAYS, "emergency_credit": "30.00"})
    building.cut()
    assert building.answered("lend", account=ACCOUNT, why="at night")["status"] == "done"
    assert not building.dark and available(building) > 0
    assert building.answered("lend", account=ACCOUNT, why="again")["status"] == "refused"
    building.run_until(lambda: building.dark, hours=12)
    first, second = building.of("trip/1")
    final = building.of("final/1")[-1]
    assert second.fields["episode"] == first.fields["episode"] + 1 and second.fields["final_seq"] == final.seq
    assert second.fields["warned_s"] >= 1800 and second.fields["available_nano"] <= 0


def test_i12_two_panels_that_want_the_opposite_both_hear_what_became_of_it(tmp_path: Path) -> None:
    """Two people at two desks in the same second: the second is told what the first has done, or its wish is done; and
    however it ends the room stands as the last answer says."""
    building = Watched(tmp_path)
    building.topup(ACCOUNT, 900_00)
    building.run(minutes=3)
    off = building.request("trip", who="王敏", key="panel", role="manager", meter=ROOM, why="works")
    on = building.request("close", who="李强", key="panel", role="manager", meter=ROOM, why="done")
    twice = building.request("trip", who="赵红", key="panel", role="manager", meter=ROOM, why="works as well")
    building.run(minutes=3)
    last = {id: building.answers(id)[-1] for id in (off, on, twice)}
    assert last[off]["status"] == last[twice]["status"] == "done" and building.dark
    told = last[on]["data"] if last[on]["status"] == "done" else None
    # It stood closed for a moment, after this wish and before the trip: said with its time, and that a hold stands.
    assert told is None or (told["read_at"] < last[twice]["data"]["read_at"] and told["holds"] == ["manual"])
    assert building.answered("close", key="panel", meter=ROOM, why="over", seconds=60)["status"] == "done"
    assert not building.dark and verify(tmp_path).good


def test_r5_hands_that_close_a_relay_which_is_cut_for_arrears_are_no_tug_of_war(tmp_path: Path) -> None:
    """Somebody closes it at the meter again and again: at most one trip an hour and three a day follow, a person is
    told, and what is used is charged as ever."""
    building = Watched(tmp_path, policy=ALWAYS)
    building.cut()
    before = len(building.of("trip/1"))
    for _ in range(45):
        building.sim_meter(ROOM).relay.open = False
        building.run(minutes=8)
    trips = building.of("trip/1")[before:]
    assert 1 <= len(trips) <= 3 and all(b.at - a.at >= 3600e6 for a, b in pairwise(trips))
    assert building.of("alarm/1", alarm="relay-moved", meter=ROOM)
    assert building.fact(f"account/{ACCOUNT}")["available_nano"] < -1


@pytest.mark.parametrize("stuck", [True, False])
def test_r1_a_contact_that_never_opened_is_warned_of_again(tmp_path: Path, stuck: bool) -> None:
    """Held for arrears, and a small payment ends the episode without lifting the hold. Where the contact is welded the
    room has light, so when the money is used up a new warning goes out; where it is dark there is none."""
    building = Watched(
        tmp_path, faults=(f"stuck:{ROOM}",) if stuck else (), policy={**ALWAYS, "restore_above": "50.00"}
    )
    building.run_until(lambda: building.of("trip/1"), hours=4)
    building.run(minutes=2)
    building.topup(ACCOUNT, max(-available(building) // 10**7 + 300, 100))
    building.run_until(lambda: building.of("cancelled/1"), hours=0.5)
    assert "arrears" in building.edge.core.state.meters[ROOM].holds
    if not stuck:
        building.run(hours=6)
        assert len(building.of("final/1")) == 1
        return
    building.run_until(lambda: len(building.of("delivered/1")) == 2, hours=6)
    building.run(seconds=30)
    assert building.fact(f"account/{ACCOUNT}")["cut_at"], "it will be cut, and the page says when"


def test_r1_nobody_knows_yet_how_the_relay_stands_and_the_warning_goes_out(tmp_path: Path) -> None:
    """Its status is not answered, its registers are: whoever may have light is warned."""
    building = Dumb(tmp_path, policy=ALWAYS)
    building.run_until(lambda: building.of("final/1"), hours=4)
    assert building.edge.core.lives[ROOM].relay_open is None


def test_r1_what_would_follow_from_one_reading_is_read_once_more_at_once(tmp_path: Path) -> None:
    """A round every ten minutes: the reading that calls for the final warning is confirmed within seconds, not with the
    next round, so that nothing of the tenant's time is lost."""
    building = Watched(tmp_path, poll_s=600, policy=ALWAYS)
    building.run_until(lambda: building.of("final/1"), hours=4)
    live = building.edge.core.lives[ROOM]
    assert live.sample is not None and live.before is not None
    assert live.sample.mono - live.before.mono < 60


def test_i9_a_room_that_was_paid_for_before_the_disk_filled_up_is_told_in_its_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Paid and silent; then the disk takes nothing: after ten minutes, counted from the payment, the page says so."""
    building = Watched(tmp_path)
    building.cut()
    building.deaf_to = {"direct", "reads"}
    building.topup(ACCOUNT, 500_00)
    building.run(minutes=6)
    meter, looking = building.edge.core.state.meters[ROOM], building.edge.relays.looking
    assert meter.restore is not None and not looking.long_dark(meter)
    monkeypatch.setattr(building.edge.disk, "free_bytes", lambda: FULL_BYTES - 1)
    building.run(minutes=3)
    assert building.edge.core.mode == "disk" and not looking.long_dark(meter)
    building.run(minutes=2)
    assert looking.long_dark(meter)


def test_i7_a_meter_that_lost_its_tenant_at_the_last_moment_is_not_tripped(tmp_path: Path) -> None:
    """The cut waits for its last look when the tenancy is settled: nobody's arrears are left, so no byte leaves."""
    building = Watched(tmp_path, policy=ALWAYS)
    building.until_warned()
    waiting = building.until_ready("trip")
    building.edge.core.state.meters[ROOM].account = None
    for event in waiting:
        building.edge.step(event)
    building.run(minutes=5)
    assert not building.dark and not building.orders("trip") and building.of("trip/1") == []


def test_r6_supply_returns_above_the_limit_and_not_at_it(tmp_path: Path) -> None:
    """To the nano-yuan: at the restore limit it stays off, one above it comes back."""
    building = Watched(tmp_path, policy={**ALWAYS, "restore_above": "5.00"})
    building.cut()
    accounts, account = building.edge.accounts, building.edge.core.state.accounts[ACCOUNT]
    limit = building.edge.core.terms.restore_nano
    assert accounts._restore(account, limit) == []
    assert next(draft[2]["why"] for draft in accounts._restore(account, limit + 1)) == "paid"


def test_r5_a_relay_that_did_not_open_follows_again_once_nobody_wants_it_open(tmp_path: Path) -> None:
    """The contact is welded and a person was told; then somebody pays: nothing is wrong with it any more."""
    building = Watched(tmp_path, faults=(f"stuck:{ROOM}",), policy=ALWAYS)
    building.run_until(lambda: building.of("alarm/1", alarm="not-following"), hours=6)
    assert building.fact(f"meter/{ROOM}/relay")["following"] is False
    building.topup(ACCOUNT, 500_00)
    building.run(minutes=5)
    assert building.fact(f"meter/{ROOM}/relay")["following"] is True


def test_i7_the_evidence_says_how_old_its_reading_is(tmp_path: Path) -> None:
    """Milliseconds between the registers and the order, on a line that answers at once."""
    building = Watched(tmp_path, policy=ALWAYS)
    building.cut()
    assert 0 < building.of("trip/1")[0].fields["read"]["age_ms"] < 900
