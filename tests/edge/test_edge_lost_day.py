"""After a restore the book lacks a day in which people locked, left, moved in and were told no: nobody is harmed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bridge.contract.site import Site
from edge.audit.verify import verify
from tests.edge.building import Building
from tests.edge.losing import Archive, backed_up, restored
from tests.edge.pricing import CATERING, approve, propose, request
from tests.edge.test_edge_close_way import orders
from tests.edge.test_edge_move_in import METER, NEW, OLD, Shop
from tests.edge.wires import ACCOUNT, ROOM, Watched


def poor(site: Site, opening: str) -> Site:
    tables = site.model_dump(by_alias=True)
    tables["accounts"] = [row | {"opening": opening} for row in tables["accounts"]]
    return Site.model_validate(tables)


# --- a close that waited ---


def paid_and_silent(tmp_path: Path) -> tuple[Watched, str]:
    """Cut, and paid while the meter answers nothing; a backup is made, and when."""
    building = Watched(tmp_path / "first", poll_s=60, idle_s=5)
    building.cut()
    building.deaf_to = {"direct", "permit", "reads"}
    building.run(minutes=5)
    building.topup(ACCOUNT, 500_00)
    building.run(minutes=2)
    return building, backed_up(building, tmp_path / "copy")


def locked_since(tmp_path: Path) -> tuple[Watched, Archive, list[str]]:
    """After the backup it was locked for work at its wires; the card dies, and the meter answers."""
    building, at = paid_and_silent(tmp_path)
    building.request("lock", role="engineer", meter=ROOM, why="a cable is laid", off=False)
    building.run(minutes=5)
    archive = Archive(building, restored(building, at, tmp_path / "copy"))
    left = orders(building)
    building.deaf_to = set()
    building.run(minutes=12)
    return building, archive, left


def test_r5_a_close_that_waited_in_the_backup_waits_for_who_knows_of_locks(tmp_path: Path) -> None:
    """Nobody pays or asks, and hands are at the wires: no order closes. With the lock back it stays so."""
    building, archive, left = locked_since(tmp_path)
    assert not {"direct", "permit"} & set(left) and building.dark
    for row in archive.rows:
        archive.bring(row)
    assert archive.all()["status"] == "done"
    building.run(minutes=5)
    assert not {"direct", "permit"} & set(left) and building.edge.core.state.meters[ROOM].lock
    assert verify(building.directory).good


@pytest.mark.parametrize("who", ["an archive without the lock", "a person", "on"])
def test_i9_a_close_of_before_the_backup_is_not_forgotten(tmp_path: Path, who: str) -> None:
    """An archive that has everything and knows of no lock, the word that the book is complete, or somebody's own:
    light within minutes. One with holes does not know."""
    building, archive, left = locked_since(tmp_path)
    assert archive.all(holes=1)["status"] == "done"
    building.run(minutes=5)
    assert "direct" not in left
    if who == "on":
        building.request("on", meter=ROOM, why="I stand beside it")
    elif who == "a person":
        building.request("recovered", why="nobody locked anything, says the shift book")
    else:
        archive.all()
    building.run(minutes=5)
    assert "direct" in left and not building.dark and verify(building.directory).good


def test_i9_who_pays_after_the_restore_has_light(tmp_path: Path) -> None:
    """While it waits people are told for what; a payment of now is a cause of its own."""
    building, _, left = locked_since(tmp_path)
    told = building.fact(f"meter/{ROOM}/relay")
    assert "may have been locked since" in told["why"] and "may have been locked since" in str(
        building.of("alarm/1")[-1]
    )
    building.topup(ACCOUNT, 10_00)
    building.run(minutes=3)
    assert "direct" in left and not building.dark and verify(building.directory).good


def test_r5_a_payment_that_the_archive_brings_is_no_payment_of_now(tmp_path: Path) -> None:
    """It comes before the lock does: no order leaves between the two."""
    building, at = paid_and_silent(tmp_path)
    building.topup(ACCOUNT, 20_00)
    building.request("lock", role="engineer", meter=ROOM, why="a cable is laid", off=False)
    building.run(minutes=1)
    archive = Archive(building, restored(building, at, tmp_path / "copy"))
    left = orders(building)
    building.deaf_to = set()
    for row in archive.rows:
        archive.bring(row)
        building.run(minutes=4)
    assert not {"direct", "permit"} & set(left) and building.edge.core.state.meters[ROOM].lock


# --- the brake ---


def test_r4_a_relay_that_does_not_obey_is_one_cut(tmp_path: Path) -> None:
    """Tried again each hour: what the brake counts is the first attempt."""
    building = Watched(tmp_path, poll_s=60, idle_s=5)
    building.deaf_to = {"trip"}
    building.run_until(lambda: bool(building.of("trip/1")), hours=6)
    marked = {id: list(at) for id, at in building.edge.core.state.cuts.items()}
    building.run(hours=3)
    assert len(building.of("trip/1")) > 2 and building.edge.core.state.cuts == marked and len(marked[ROOM]) == 1


def test_r4_the_brake_holds_for_who_was_cut_before_the_backup_and_has_paid_since(tmp_path: Path) -> None:
    """Eight were cut, a person had released the brake, all have paid since and have light; the payments are lost, and
    a person says that nothing is missing: after five more cuts the brake catches."""
    meters = {f"a20{n}" for n in range(1, 9)}

    class Poor(Building):
        def _site(self, poll_s: int, policy: dict[str, Any], meters: set[str] | None) -> Site:
            return poor(super()._site(poll_s, policy, meters), "2.00")

    building = Poor(tmp_path / "first", meters=meters, poll_s=120, idle_s=10, policy={"overdraft": "500.00"})

    def dark() -> int:
        return sum(building.sim_meter(id).relay.open for id in meters)

    def looked() -> bool:
        if building.edge.core.state.brake:
            building.request("brake", why="looked at it")
        return dark() == len(meters)

    building.connect()
    building.run_until(looked, hours=12)
    at = backed_up(building, tmp_path / "copy")
    for id in meters:
        building.topup("100" + id[1:], 300_00)
    building.run(minutes=40)
    assert dark() == 0
    restored(building, at, tmp_path / "copy")
    building.run(minutes=70)  # The cuts before the backup are more than an hour ago.
    before = len(building.of("trip/1"))
    building.request("recovered", why="a list was forgotten", without_archive=True)
    building.run_until(lambda: bool(building.edge.core.state.brake), hours=3)
    building.run(minutes=30)
    assert len(building.of("trip/1")) - before == dark() == 5 and verify(building.directory).good


# --- who moved ---


class Cheap(Shop):
    """A tenant with three yuan."""

    def _site(self, poll_s: int, policy: dict[str, Any], meters: set[str] | None) -> Site:
        return poor(super()._site(poll_s, policy, meters), "3.00")


def moved_since(tmp_path: Path) -> Cheap:
    """Settled and let anew after the backup, restored, shown by an archive, and said to be complete."""
    building = Cheap(tmp_path / "first", meters={METER}, poll_s=60, idle_s=5)
    building.connect()
    building.run(minutes=5)
    at = backed_up(building, tmp_path / "copy")
    building.settle()
    building.run(minutes=1)
    building.move_in()
    building.run(minutes=5)
    building.topup(NEW, 500_00)
    archive = Archive(building, restored(building, at, tmp_path / "copy"))
    for row in archive.rows:
        archive.bring(row)
    archive.all()
    building.request("recovered", why="all lists compared")
    return building


def test_i5_who_moved_in_after_the_backup_is_not_cut_for_the_one_who_had_left(tmp_path: Path) -> None:
    """An archive shows that the room was settled: whatever the old account owes, nobody is warned or cut there until it
    is settled again, and the reason is told; then the new tenant moves in."""
    building = moved_since(tmp_path)
    building.run(hours=4)
    told = building.fact(f"account/{OLD}")
    assert told["available_nano"] < 0 and not building.of("trip/1") and not building.sim_meter(METER).relay.open
    assert not building.of("final/1") and "settled after the backup" in str(told)
    owed = -building.edge.core.balances.available_nano(building.edge.core.state.accounts[OLD]) // 10_000_000 + 5_00
    given = request(building, "compensate", "王敏", "finance", account=OLD, amount_fen=owed, reason="other",
                    why="used by the next tenant", papers="the new lease")  # fmt: skip
    request(building, "approve-money", "李强", "finance", proposal=given["data"]["proposal"])
    building.settle()
    building.move_in()
    building.run(minutes=3)
    assert building.answers(building.topup(NEW, 500_00))[-1]["status"] == "done" and verify(building.directory).good


def test_i5_who_had_left_is_known_after_another_restore_too(tmp_path: Path) -> None:
    """The backup of the evening after: nobody brings the settlement a second time."""
    building = moved_since(tmp_path)
    building.run(minutes=5)
    at = backed_up(building, tmp_path / "evening")
    restored(building, at, tmp_path / "evening")
    building.request("recovered", why="nothing was missed", without_archive=True)
    building.run(hours=4)
    assert not building.of("trip/1") and not building.of("final/1") and verify(building.directory).good


# --- who was told no ---


def test_r32_a_no_that_was_said_after_the_backup_stands_again(tmp_path: Path) -> None:
    """A price ten times too high was rejected; the archive brings the no back, and nobody can approve it any more. Of a
    proposal that was decided here meanwhile it changes nothing."""
    building = Watched(tmp_path / "first", poll_s=300, idle_s=10)
    building.run(minutes=2)
    wrong = propose(building, CATERING | {"price": "11.000"}, effective_at="2026-11-20T20:00:00+08:00")
    at = backed_up(building, tmp_path / "copy")
    request(building, "reject-price", "李伟", proposal=wrong["data"]["proposal"], why="a slip of the point")
    archive = Archive(building, restored(building, at, tmp_path / "copy"))
    for row in [*archive.rows, *archive.rows]:
        assert archive.bring(row)["status"] == "done"
    answer = approve(building, wrong, "陈静")
    assert answer["status"] == "refused" and "was rejected by 李伟" in answer["error"]
    assert len(building.of("decision/1")) == 1 and verify(building.directory).good


def test_r32_a_no_comes_too_late_where_somebody_has_decided_again(tmp_path: Path) -> None:
    """Approved here before the archive spoke: that stands in the book, and the former no is left out."""
    building = Watched(tmp_path / "first", poll_s=300, idle_s=10)
    building.run(minutes=2)
    price = propose(building, CATERING | {"price": "1.1000"}, effective_at="2026-11-20T20:00:00+08:00")
    at = backed_up(building, tmp_path / "copy")
    request(building, "reject-price", "李伟", proposal=price["data"]["proposal"], why="not yet")
    archive = Archive(building, restored(building, at, tmp_path / "copy"))
    assert approve(building, price, "陈静")["status"] == "done"
    assert archive.bring(archive.rows[-1])["status"] == "done"
    (decided,) = building.of("decision/1")
    assert decided.fields["approved"] and verify(building.directory).good


def test_r32_a_former_no_is_not_for_another_proposal_of_its_number(tmp_path: Path) -> None:
    """Proposals are numbered by entries, and numbers after the backup are given anew: the new one waits on."""
    building = Watched(tmp_path / "first", poll_s=300, idle_s=10)
    building.run(minutes=2)
    at = backed_up(building, tmp_path / "copy")
    for _ in range(12):
        building.topup(ACCOUNT, 10_00)
    wrong = propose(building, CATERING | {"price": "11.000"}, effective_at="2026-11-20T20:00:00+08:00")
    request(building, "reject-price", "李伟", proposal=wrong["data"]["proposal"], why="a slip of the point")
    archive = Archive(building, restored(building, at, tmp_path / "copy"))
    former = next(row for row in archive.rows if row["kind"] == "decision/1")
    while building.edge.core.book.seq < int(wrong["data"]["proposal"][2:]) - 1:
        building.topup(ACCOUNT, 10_00)
    other = propose(building, CATERING | {"price": "0.9900"}, effective_at="2026-11-21T20:00:00+08:00")
    assert other["data"]["proposal"] == wrong["data"]["proposal"]
    assert archive.bring(former)["status"] == "done" and not building.of("decision/1")
    assert approve(building, other, "陈静")["status"] == "done" and verify(building.directory).good
