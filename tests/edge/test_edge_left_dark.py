"""A room whose last tenant was settled while cut off for arrears: nobody can pay for it, so people light it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from edge.audit.verify import verify
from tests.edge.test_edge_move_in import SETTLE
from tests.edge.wires import ACCOUNT, ROOM, Watched

NEW = "200206"


def ask(building: Watched, operation: str, who: str, role: str = "engineer", **fields: Any) -> dict[str, Any]:
    return building.answered(operation, who=who, role=role, **fields)


def agree(building: Watched, operation: str, approve: str, **fields: Any) -> None:
    proposed = ask(building, operation, "王敏", "finance", **fields)
    assert proposed["status"] == "done", proposed
    assert ask(building, approve, "陈静", "finance", proposal=proposed["data"]["proposal"])["status"] == "done"


def left_dark(tmp_path: Path, more: Any = None) -> Watched:
    """Cut for arrears, paid what was owed and no more, settled: dark, and nobody's."""
    building = Watched(tmp_path, poll_s=120, idle_s=10)
    building.cut()
    core = building.edge.core
    owed = -core.balances.available_nano(core.state.accounts[ACCOUNT])
    building.topup(ACCOUNT, max(owed // 10**7 + 1, 1_00))
    building.run(minutes=5)
    if more is not None:
        more(building)
    agree(building, "settle", "approve-money", account=ACCOUNT, **SETTLE)
    building.run(minutes=10)
    assert building.dark and core.state.meters[ROOM].account is None and "arrears" in core.state.meters[ROOM].holds
    return building


def test_r5_a_vacant_room_is_lit_by_a_person(tmp_path: Path) -> None:
    """The engineer closes it for the painters: answered when it was read back, in the book with name and reason; what
    is used is nobody's. The next tenant moves in with light, and is warned before it goes."""
    building = left_dark(tmp_path)
    answer = ask(building, "close", "李强", meter=ROOM, why="painters")
    assert answer["status"] == "done" and (answer["data"]["observed"], answer["data"]["holds"]) == ("closed", [])
    (lifted,) = building.of("hold/1", hold="arrears", set=False)
    assert (lifted.fields["who"], lifted.fields["role"], lifted.fields["why"]) == ("李强", "engineer", "painters")
    building.run(hours=2)
    assert not building.dark and building.fact(f"meter/{ROOM}")["unbilled_wh"] > 0
    lease = {"account": NEW, "name": "新店", "room": "A206", "tariff": "catering", "meters": [ROOM]}
    agree(building, "move-in", "approve-move-in", papers="lease 9", **lease)
    building.run(minutes=5)
    assert not building.dark and not building.edge.core.state.meters[ROOM].holds
    building.run_until(lambda: building.dark, hours=4)
    final, trip = building.of("final/1", account=NEW)[0], building.of("trip/1", account=NEW)[0]
    assert trip.at - final.at >= 30 * 60 * 10**6
    building.edge.core.book.close()
    assert verify(tmp_path).good


def test_r5_both_holds_of_a_vacant_room_are_lifted_at_once(tmp_path: Path) -> None:
    """Somebody had switched it off by hand as well: one request lifts both, and the book has an entry of each."""
    building = left_dark(tmp_path, lambda own: ask(own, "trip", "李强", meter=ROOM, why="quarrel"))
    assert sorted(building.edge.core.state.meters[ROOM].holds) == ["arrears", "manual"]
    assert ask(building, "close", "李强", meter=ROOM, why="painters")["status"] == "done" and not building.dark
    assert {each.fields["hold"] for each in building.of("hold/1", set=False, why="painters")} == {"arrears", "manual"}


def test_r5_nobody_lights_a_tenant_in_arrears_by_hand(tmp_path: Path) -> None:
    """While somebody lives there only a payment lifts the hold; the one who has moved in and not paid counts too."""
    building = Watched(tmp_path, poll_s=120, idle_s=10)
    building.cut()
    refused = ask(building, "close", "李强", meter=ROOM, why="a favour")
    assert refused["rule"] == "R5" and "the hold arrears remains" in refused["error"]
    building.run(minutes=5)
    assert building.dark and building.of("hold/1") == []


def test_r5_who_moves_into_the_dark_pays_first(tmp_path: Path) -> None:
    """Nobody closed it in between: it stays off until the new tenant has paid, and nobody closes it by hand."""
    building = left_dark(tmp_path)
    lease = {"account": NEW, "name": "新店", "room": "A206", "tariff": "catering", "meters": [ROOM]}
    agree(building, "move-in", "approve-move-in", papers="lease 9", **lease)
    assert ask(building, "close", "李强", meter=ROOM, why="a favour")["rule"] == "R5" and building.dark
    building.topup(NEW, 100_00)
    building.run_until(lambda: not building.dark, hours=0.2)
