"""Other books: a gateway that began anew, lost its tail or numbered again is followed, and columns tell the money."""

from __future__ import annotations

import json
import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from bridge.archive.rows import entry_row, net_nano
from bridge.archive.store import OtherBook, Store
from bridge.archive.tables import ENTRY
from tests.bridge.desk import Desk, fill
from tests.bridge.fake_edge import START, FakeEdge


@pytest.fixture(params=["answer last", "answer first"])
def desk(tmp_path: Path, request: pytest.FixtureRequest) -> Desk:
    """A gateway may answer a replay before or after it sends what it promises."""
    desk = Desk(tmp_path)
    desk.answer_first = request.param == "answer first"
    return desk


def test_a_new_book_replaces_the_old_one(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    """A gateway that begins a new book (another epoch in `info`) has its old rows removed in one clear sentence."""
    fill(desk, 40, 40)
    desk.edge = FakeEdge(epoch="two", started=START + timedelta(days=1))
    desk.edge.grow(10)
    desk.edge.sweep()
    desk.give(desk.edge.info())
    desk.run(5)
    assert desk.differences() == []
    said = [record.getMessage() for record in caplog.records if "old book" in record.getMessage()]
    assert len(said) == 1 and "epoch two" in said[0] and "rows were deleted" in said[0]


def test_what_is_deleted_is_kept_aside_once_a_day(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    """The rows of a lost book may be all that tells of its payments: they stand in a copy, named in the log."""
    fill(desk, 40, 5)
    lost = {entry.id for entry in desk.edge.entries}
    for number, epoch in enumerate(("two", "three")):
        desk.edge = FakeEdge(epoch=epoch, started=START + timedelta(days=1 + number))
        desk.edge.grow(10)
        desk.give(desk.edge.info())
        desk.run(5)
    (copy,) = desk.directory.glob("archive-before-*.db")
    assert f"a copy is kept in {copy}" in caplog.text
    with sqlite3.connect(copy) as connection:
        assert {id for (id,) in connection.execute("SELECT id FROM entry")} == lost


def test_a_new_book_is_known_by_its_first_entry(desk: Desk) -> None:
    """Also when entries of a new book arrive before its `info`, again and again, nothing of two books is mixed."""
    fill(desk, 40, 40)
    for epoch in ("two", "three", "four"):
        desk.edge = FakeEdge(epoch=epoch, started=desk.edge.started + timedelta(days=1))
        desk.edge.grow(10)
        for _ in range(60):
            desk.edge.sweep()
        desk.give(*desk.edge.entries[:3])
        desk.run(1)
        desk.give(desk.edge.info())
        desk.run(5)
        assert desk.differences() == []


@pytest.mark.parametrize("told_by", ["entry", "next", "info"])
def test_a_book_that_lost_its_tail_is_followed(desk: Desk, told_by: str) -> None:
    """A gateway whose disk forgot entries and wrote others under their numbers is believed; its readings stay (41)."""
    fill(desk, 40, 5)
    del desk.edge.entries[30:]
    desk.edge.append("alarm/1", text="another")
    desk.edge.grow(3)
    if told_by == "entry":
        desk.give(desk.edge.entries[30])
    if told_by == "next":
        desk.edge.grow(10)
        desk.give(desk.edge.entries[-5])
        desk.give(desk.edge.entries[41])
    desk.give(desk.edge.info())
    desk.run(5)
    assert desk.differences() == []


def test_a_broken_chain_does_not_refill_for_ever(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    """A book whose own chain is broken is copied as it is and said to be so, not fetched again and again."""
    desk.edge.grow(20)
    desk.edge.entries[9] = desk.edge.entries[9].model_copy(update={"prev_hash": "f" * 64})
    desk.give(*desk.edge.entries[:9])
    desk.connect()
    desk.run(30)
    assert desk.differences() == []
    assert "also after a refill" in caplog.text
    desk.edge.asked.clear()
    desk.run(60)
    assert desk.edge.asked == []


def test_readings_lost_in_a_kill_and_numbered_again_are_corrected(desk: Desk) -> None:
    """Sweeps announced by a gateway that was killed before it stored them give way to those it stored instead."""
    fill(desk, 5, 30)
    for number in range(25, 31):
        del desk.edge.sweeps[number]
    desk.edge.newest_sweep, desk.edge.started = 24, START + timedelta(hours=1)
    desk.give(desk.edge.info())
    desk.run(2)
    assert desk.differences() == []


def test_readings_renumbered_while_the_bridge_was_away_are_corrected(desk: Desk) -> None:
    """The same when the gateway was killed and went on while nobody listened."""
    fill(desk, 5, 30)
    desk.edge.newest_sweep, desk.edge.started = 24, START + timedelta(hours=1)
    for _ in range(20):
        desk.edge.sweep()
    desk.start_bridge()
    desk.connect()
    desk.run(5)
    assert desk.differences() == []


def test_two_gateways_do_not_mix(desk: Desk) -> None:
    """One archive holds several shafts; a new book of one leaves the other untouched."""
    fill(desk, 20, 20)
    first, desk.edge = desk.edge, FakeEdge(gateway="shaft-b")
    fill(desk, 10, 10)
    desk.edge = FakeEdge(gateway="shaft-b", epoch="two")
    desk.edge.grow(3)
    desk.give(desk.edge.info())
    desk.run(5)
    assert desk.differences() == [] and first.differences(desk.engine) == []


def test_each_contradiction_is_noticed(desk: Desk) -> None:
    """Another hash under a stored number, a link missing before or after: nothing of it is written."""
    store = Store(desk.engine)
    desk.edge.grow(5)
    rows = [entry_row("shaft-a", entry) for entry in desk.edge.entries]
    store.put("shaft-a", [row for row in rows if row["seq"] != 3], {})
    for wrong, words in (
        ({**rows[5], "hash": "f" * 64}, "entry 6 now has another hash"),
        ({**rows[5], "seq": 7, "prev_hash": "e" * 64}, "entry 7 does not follow the stored entry 6"),
        ({**rows[2], "hash": "f" * 64}, "the stored entry 4 does not follow entry 3"),
    ):
        with pytest.raises(OtherBook, match=words):
            store.put("shaft-a", [wrong], {})
    assert store.entry_runs("shaft-a") == [(1, 2), (4, 6)]
    store.put("shaft-a", [rows[2]], {})
    assert store.entry_runs("shaft-a") == [(1, 6)]


def test_columns_say_what_an_entry_did_to_the_tenant(desk: Desk) -> None:
    """Account, meter and the net effect on the tenant's wallet are taken from the body, whatever else it moves."""
    moves = [
        {"from": "till:cash", "to": "account:301", "amount_nano": 5_000},
        {"from": "account:301", "to": "fee", "amount_nano": 20},
    ]
    desk.edge.append("topup/1", account="301", moves=moves, balance_after_nano=4_980)
    desk.edge.append(
        "charge/1", account="302", meter="m2", moves=[{"from": "account:302", "to": "income:energy", "amount_nano": 7}]
    )
    desk.edge.append("alarm/1", meter="m2", text="x")
    desk.connect()
    desk.run(3)
    with desk.engine.connect() as connection:
        rows = connection.execute(
            select(ENTRY.c.account, ENTRY.c.meter, ENTRY.c.amount_nano).order_by(ENTRY.c.seq)
        ).all()
    assert [tuple(row) for row in rows] == [
        (None, None, None),
        ("301", None, 4_980),
        ("302", "m2", -7),
        (None, "m2", None),
    ]


@pytest.mark.parametrize(
    "moves", [None, [], 7, [7], [{"to": "account:301"}], [{"to": "account:301", "amount_nano": 1.5}]]
)
def test_a_body_that_is_not_understood_moves_nothing(moves: object) -> None:
    """The archive never guesses an amount: without whole nano-yuan there is none."""
    assert net_nano(json.loads(json.dumps({"moves": moves})), "301") is None
