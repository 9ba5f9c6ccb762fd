"""R6: how supply comes back is each tenant's own, and a person may change it while the book runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bridge.contract.site import Site
from edge.audit.verify import verify
from edge.fold import apply
from edge.state import State
from tests.edge.building import Building
from tests.edge.wires import ACCOUNT, ROOM, Watched, order_of

WHY = "an oven stands there"


class Wanted(Watched):
    """The same room, whose meter closes at once, let to a tenant who wants it otherwise."""

    close: str | None = "permit"

    def _site(self, poll_s: int, policy: dict[str, Any], meters: set[str] | None) -> Site:
        told = super()._site(poll_s, policy, meters).model_dump(by_alias=True)
        told["accounts"] = [row | {"close": self.close} for row in told["accounts"]]
        return Site.model_validate(told)


class Usual(Wanted):
    close = None


def orders(building: Watched) -> list[str]:
    """Every order that leaves from now on, as it leaves."""
    left: list[str] = []
    building.before = lambda frame: left.append(order) if (order := order_of(frame)) else None
    return left


def ask(building: Building, **fields: Any) -> dict[str, Any]:
    fields = {"account": ACCOUNT, "why": WHY} | fields
    return building.answers(building.request("set-close", **fields))[-1]


def closed_by(building: Building) -> str:
    """The meter's row as people see it."""
    return next(row["relay"] for row in building.fact("meters")["meters"] if row["id"] == ROOM)


def press(building: Watched) -> None:
    building.sim_meter(ROOM).press_button(building.clock.now(), building.clock.monotonic())


def test_r6_a_tenant_of_the_site_file_comes_back_by_the_button(tmp_path: Path) -> None:
    """The meter is wired direct; no order that closes it leaves, and the room is dark until the button is pressed."""
    building = Wanted(tmp_path)
    building.cut()
    left = orders(building)
    building.topup(ACCOUNT, 500_00)
    building.run(minutes=5)
    assert set(left) - {"alarm", "alarm-off"} == {"permit"} and building.dark and closed_by(building) == "permit"
    assert building.of("close/1")[-1].fields["command"] == "permit"
    press(building)
    building.run(minutes=2)
    assert not building.dark


def test_r6_a_change_counts_for_the_close_that_waits_for_its_button(tmp_path: Path) -> None:
    """It was permitted and nobody came; by itself from now on: light within seconds, after a restart as well."""
    building = Wanted(tmp_path)
    building.cut()
    building.topup(ACCOUNT, 500_00)
    building.run(minutes=2)
    assert building.dark
    assert ask(building, close="direct")["status"] == "done"
    building.run(seconds=20)
    assert not building.dark and closed_by(building) == "direct"
    building.stop_edge()
    building.start_edge()
    building.connect()
    building.run(minutes=1)
    assert closed_by(building) == "direct" and verify(tmp_path).good
    state = State()
    for entry in building.edge.core.book.entries(1):
        apply(state, entry)
    assert state == building.edge.core.state


def test_r6_an_order_of_the_old_way_does_not_leave(tmp_path: Path) -> None:
    """The direct order stands at its port and waits for its last look when somebody says: by the button."""
    building = Usual(tmp_path)
    building.cut()
    left = orders(building)
    building.topup(ACCOUNT, 500_00)
    waiting = building.until_ready("close")
    assert ask(building, close="permit")["status"] == "done"
    for event in waiting:
        building.edge.step(event)
    building.run(minutes=1)
    assert "direct" not in left and "permit" in left and building.dark
    assert [each.fields["command"] for each in building.of("close/1")][-1] == "permit"


def test_r6_a_person_s_hold_takes_the_permission_back_whatever_the_tenant_wants_now(tmp_path: Path) -> None:
    """Permitted, then held off by a person and set to come back by itself: the button closes nothing."""
    building = Wanted(tmp_path)
    building.cut()
    building.topup(ACCOUNT, 500_00)
    building.run(minutes=2)
    building.request("trip", meter=ROOM, why="works")
    assert ask(building, close="direct")["status"] == "done"
    building.run(minutes=1)
    press(building)
    building.run(minutes=2)
    assert building.dark


@pytest.mark.parametrize(
    ("fields", "rule", "says"),
    [
        ({"close": "permit"}, "R6", "that way already"),
        ({"close": "direct", "account": "nobody"}, "R7", "there is no account"),
    ],
)
def test_r6_what_is_refused_changes_nothing(tmp_path: Path, fields: dict[str, Any], rule: str, says: str) -> None:
    building = Wanted(tmp_path)
    building.connect()
    building.run(minutes=2)
    answer = ask(building, **fields)
    assert (answer["status"], answer["rule"]) == ("refused", rule) and says in answer["error"]
    assert not building.of("close-way/1") and closed_by(building) == "permit"


def test_r6_a_role_that_may_not_choose_is_refused(tmp_path: Path) -> None:
    building = Wanted(tmp_path)
    building.connect()
    building.run(minutes=2)
    answer = ask(building, close="direct", role="operations")
    assert (answer["status"], answer["rule"]) == ("refused", "R32")
