"""A lamp that was lit for a former tenant warns nobody else: what a meter said counts for that one warning (R1)."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from bridge.contract.units import instant_of_micros
from edge.audit.verify import verify
from edge.codec import dlt645
from tests.edge.losing import backed_up, restored
from tests.edge.test_edge_move_in import Shop
from tests.edge.wires import ACCOUNT, ROOM, Watched, order_of

NEW, THIRD = "200206", "300206"


class Let(Watched, Shop):
    """A room whose frames are listened to, and which is let again."""

    def let(self, new: str, old: str) -> None:
        self.settle(old)
        self.move_in(account=new, meters=[ROOM], room="A206", tariff="catering")


def warned_once(building: Let, deaf_to: set[str]) -> None:
    """Warned by the lamp, paid, the warning taken back; `deaf_to` from the payment on."""
    building.until_warned()
    building.deaf_to = deaf_to
    building.topup(ACCOUNT, 20_00)
    building.run_until(lambda: building.of("cancelled/1"), hours=0.5)
    building.run(minutes=2)


def is_true(building: Let) -> None:
    building.stop_edge()
    report = verify(building.directory)
    assert report.good, report.lie


@pytest.mark.parametrize("way", ["as it is", "restored"])
def test_r1_a_lamp_that_was_lit_for_the_former_tenant_warns_nobody_else(tmp_path: Path, way: str) -> None:
    """The order to put it out was lost, the tenant is settled, the next one has not paid: their first warning counts
    once the lamp was ordered for it, and half an hour later they may be cut. On a book from a backup as well."""
    building = Let(tmp_path / "lives")
    warned_once(building, {"alarm", "alarm-off"})
    if way == "restored":
        made_at = backed_up(building, tmp_path / "copy")
        building.run(minutes=5)
        restored(building, made_at, tmp_path / "copy")
        building.run(minutes=2)
        said = building.request("recovered", why="till and receipts compared", without_archive=True)
        assert building.answers(said)[-1]["status"] == "done"
        building.run(minutes=2)
    building.let(NEW, ACCOUNT)
    building.run_until(lambda: building.of("final/1", account=NEW), hours=0.5)
    assert building.of("final/1", account=NEW)[0].fields["episode"] == 1
    building.run(minutes=40)
    assert building.sim_meter(ROOM).relay.alarm, "lit all the time"
    assert not building.of("delivered/1", account=NEW) and building.orders("trip") == []
    building.deaf_to = set()
    building.run_until(lambda: building.dark, hours=1)
    ordered, (delivered,) = building.orders("alarm")[-1][0], building.of("delivered/1", account=NEW)
    assert ordered <= instant_of_micros(delivered.at)
    assert building.orders("trip")[0][0] - instant_of_micros(delivered.at) >= timedelta(minutes=30)
    is_true(building)


def test_r1_an_attempt_for_the_former_tenant_is_none_for_the_next(tmp_path: Path) -> None:
    """Where an order counts that was sent (`attempted`): one to light it must have left for this very tenant. For the
    third of one day as well."""
    building = Let(tmp_path, policy={"warning_counts": "attempted"})
    unlit: list[str] = []

    def look(frame: dlt645.Frame) -> None:
        if order_of(frame) == "alarm":
            unlit.extend(account for account in (NEW, THIRD) if building.of("delivered/1", account=account))

    building.before = look
    warned_once(building, set())
    old = ACCOUNT
    for new in (NEW, THIRD):
        building.deaf_to = {"alarm"}
        building.let(new, old)
        building.run_until(lambda new=new: building.of("delivered/1", account=new), hours=1)
        building.run(seconds=1)
        assert new not in unlit, "it counted before an order had left"
        assert building.of("delivered/1", account=new)[0].fields["channel"] == "attempted"
        building.deaf_to, old = set(), new
        building.topup(new, 20_00)
        building.run_until(lambda new=new: building.of("cancelled/1", account=new), hours=0.5)
        building.run(minutes=2)
    is_true(building)
