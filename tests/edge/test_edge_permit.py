"""A meter that is closed at its button: the permission is what its status says, not what was sent (R6, I10, I11)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bridge.contract.site import Site
from bridge.mqtt import Disconnected
from edge.codec import dlt645
from edge.disk import FULL_BYTES
from tests.edge.wires import ACCOUNT, ROOM, Watched, order_of


class Permit(Watched):
    """The same room, whose meter waits for its button."""

    def _site(self, poll_s: int, policy: dict[str, Any], meters: set[str] | None) -> Site:
        told = super()._site(poll_s, policy, meters).model_dump(by_alias=True)
        told["meters"] = [row | {"relay": "permit"} for row in told["meters"]]
        return Site.model_validate(told)

    @property
    def permitted(self) -> bool:
        relay = self.sim_meter(ROOM).relay
        return relay.open and not relay.commanded_open


def test_r6_a_permission_that_was_lost_is_given_again(tmp_path: Path) -> None:
    """The one frame is lost and the status after it is heard: nobody is sent to a button that does nothing, and the
    permission comes within seconds."""
    building, lost = Permit(tmp_path), list[str]()
    building.cut()

    def lose_the_first(frame: dlt645.Frame) -> None:
        is_lost = not lost and order_of(frame) == "permit"
        building.deaf_to = {"permit"} if is_lost else set()
        lost.extend(["permit"] if is_lost else [])

    building.before = lose_the_first
    building.topup(ACCOUNT, 500_00)
    building.run_until(lambda: bool(lost), hours=1)
    building.run(seconds=1)
    assert not building.permitted and "press the button" not in building.fact(f"meter/{ROOM}/relay")["why"]
    building.run(seconds=20)
    assert building.permitted and building.fact(f"meter/{ROOM}/relay")["step"] == "press the button"
    assert "press the button" in building.fact(f"meter/{ROOM}/relay")["why"]
    building.press()
    building.run(minutes=2)
    assert not building.dark and not [each for each in building.of("alarm/1") if each.fields["alarm"] == "relay-moved"]


def test_r6_a_permission_that_the_meter_forgot_is_given_again(tmp_path: Path) -> None:
    """It restarted before anybody pressed: its status says so, and the permission does not wait for an hour."""
    building = Permit(tmp_path)
    building.cut()
    building.topup(ACCOUNT, 500_00)
    building.run(minutes=2)
    assert building.permitted
    building.sim_meter(ROOM).relay.commanded_open = True
    building.run(minutes=3)
    assert building.permitted


def test_r7_who_asks_for_a_close_is_sent_to_the_button_only_where_it_works(tmp_path: Path) -> None:
    """The permission never arrived: failed, and no word of a button."""
    building = Permit(tmp_path)
    building.topup(ACCOUNT, 900_00)
    building.run(minutes=3)
    building.request("trip", meter=ROOM, why="service")
    building.run(minutes=1)
    building.deaf_to = {"permit"}
    asked = building.request("close", meter=ROOM, why="done")
    building.run(minutes=2)
    assert building.answers(asked)[-1]["status"] == "failed" and "button" not in building.answers(asked)[-1]["error"]


def test_i10_a_lock_takes_a_permission_back_in_every_mode(tmp_path: Path) -> None:
    """Paid, permitted, not pressed; the book is in doubt, and somebody locks it: the button closes nothing any more."""
    building = Permit(tmp_path)
    building.cut()
    building.topup(ACCOUNT, 500_00)
    building.run(minutes=2)
    building.edge.modes.recover("test")
    building.run(seconds=5)
    asked = building.request("lock", meter=ROOM, why="cable", off=False)
    building.run(minutes=1)
    assert building.answers(asked)[-1]["status"] == "done" and not building.permitted
    building.press()
    building.run(minutes=5)
    assert building.dark


def test_i10_a_lock_takes_a_permission_back_while_the_disk_is_full(tmp_path: Path) -> None:
    """The order that took it back was lost, and then the disk filled: the lock stands in the book and is the reason
    why the next one leaves; the line is not held up, and the button closes nothing."""
    building = Permit(tmp_path)
    building.cut()
    building.topup(ACCOUNT, 500_00)
    building.run(minutes=2)
    building.deaf_to = {"trip"}
    building.request("lock", meter=ROOM, why="hands at the wires", off=True)
    building.run(seconds=1)
    building.edge.disk.free_bytes = lambda: FULL_BYTES - 1  # type: ignore[method-assign]
    building.run(seconds=20)
    assert building.edge.core.mode == "disk" and building.permitted
    building.deaf_to, heard = set(), len(building.frames)
    building.run(minutes=30)
    assert not building.permitted and len(building.frames) > heard + 20
    building.press()
    building.run(minutes=5)
    assert building.dark


def test_i7_nothing_darkens_a_room_while_no_reason_can_be_written(tmp_path: Path) -> None:
    """The disk fills between a decision and its last look: no byte of the trip leaves, and the line goes on."""
    building = Watched(tmp_path)
    building.until_warned()
    waiting = building.until_ready("trip")
    building.edge.core.cannot_write = "the disk is full"
    for event in waiting:
        building.edge.step(event)
    heard = len(building.frames)
    building.run(minutes=2)
    assert not building.dark and building.of("trip/1") == [] and len(building.frames) > heard


def test_i22_no_trip_leaves_once_somebody_else_has_the_name(tmp_path: Path) -> None:
    """The order waits for its last look in the very tick in which the takeover is told: it stays."""
    building = Watched(tmp_path)
    building.until_warned()
    waiting = building.until_ready("trip")
    for event in (Disconnected("taken over", taken_over=True), *waiting):
        building.edge.step(event)
    building.run(seconds=30)
    assert building.edge.core.mode == "identity" and not building.dark and building.of("trip/1") == []
