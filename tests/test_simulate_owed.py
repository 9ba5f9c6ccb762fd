"""The simulator's judge of what must happen: who has paid has light, days close, meters are charged."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from tests.simulate import heard, witnesses_owed
from tests.simulate.invariants_money import i14
from tests.simulate.known import Known
from tests.simulate.memory import Memory
from tests.simulate.modbus_wire import question
from tests.test_simulate_checker import rows, true_book

CUT = ("hold/1", {"meter": "m1", "hold": "arrears", "set": True})
LIFTED = ("hold/1", {"meter": "m1", "hold": "arrears", "set": False})
OFF = ("hold/1", {"meter": "m1", "hold": "manual", "set": True})
LEFT = ("exit/1", {"account": "a1"})
WAITING = ("proposal/1", {"proposal": "p-20", "who": "one", "what": "replace-meter", "body": {"meter": "m1"}})
NO = ("decision/1", {"proposal": "p-20", "approved": False, "who": "another"})

NOON = datetime(2026, 5, 8, 4, tzinfo=UTC)
"""In Shanghai on the day after the next of the book's only closing."""


def known(*more: tuple[str, dict[str, Any]]) -> Known:
    found = Known()
    for entry in rows([*true_book(), *more]):
        found.take(entry)
    return found


def house(left_yuan: float = 0, mode: str = "normal", fair: bool = True, at: datetime = NOON) -> Any:
    """A tenant with so much left, who is given light from one yuan on; the judge is sure within half a yuan."""
    seen = SimpleNamespace(room=SimpleNamespace(account="a1"), unopened=False, vacant=False)
    judge = SimpleNamespace(
        by_id={"m1": seen}, left_nano=lambda account, at: int(left_yuan * 1e9), restore_nano=10**9,
        slack_nano=lambda account: 5 * 10**8,
    )  # fmt: skip
    clock = SimpleNamespace(true=SimpleNamespace(now=lambda: at))
    edge = SimpleNamespace(core=SimpleNamespace(mode=mode))
    return SimpleNamespace(edge=edge, judge=judge, clock=clock, fair=fair)


@pytest.mark.parametrize(
    ("more", "left", "mode", "owed"),
    [
        ((), 1.6, "normal", True), ((CUT,), 1.6, "normal", True), ((CUT,), 1.4, "normal", False),
        ((CUT, LIFTED), 9, "normal", False), ((CUT, OFF), 9, "normal", False), ((CUT,), 9, "time", False),
        ((CUT, LEFT), 9, "normal", False),
    ],
)  # fmt: skip
def test_i9_who_has_paid_and_is_held_off_is_named(more: Any, left: float, mode: str, owed: bool) -> None:
    """By load and payments, whatever the book says; not where a person holds it, nobody knows the time, or the tenant
    has gone."""
    said = list(witnesses_owed.i9(witnesses_owed.dark(house(left, mode), known(*more))))
    assert (said != []) is owed and (not owed or f"{left - 1.5:.2f} yuan more" in said[0])


@pytest.mark.parametrize(
    ("more", "at", "fair", "owed"),
    [
        ((), NOON, True, True), ((), NOON.replace(day=7), True, False), ((), NOON, False, False),
        ((), NOON.replace(hour=6), False, True), ((LEFT,), NOON, True, False), ((WAITING,), NOON, True, False),
        ((WAITING, NO), NOON, True, True),
    ],
)  # fmt: skip
def test_i14_a_day_that_nobody_closed_is_named(more: Any, at: datetime, fair: bool, owed: bool) -> None:
    """An hour after midnight where nothing is wrong, else after noon; a change that waits for its decision divides
    the day first."""
    assert (list(witnesses_owed.i14(house(fair=fair, at=at), known(*more))) != []) is owed


def test_i14_a_day_that_closes_without_a_charge_is_named() -> None:
    """A meter that was opened and is not deferred has been charged into that day."""
    book = [each for each in true_book() if each[0] != "charge/2"]
    found, said = Known(), list[str]()
    for entry in rows(book):
        said += i14(entry, found)
        found.take(entry)
        if entry.kind == "closing/1":
            break
    assert any("m1 was not charged for it" in each for each in said) is False  # It was opened on that very day.
    later = next(entry for entry in rows(book) if entry.kind == "closing/1")
    later.fields["date"] = "2026-05-09"
    assert any("m1 was not charged for it" in each for each in i14(later, found))
    later.fields["deferred"] = ["m1"]
    assert not any("was not charged" in each for each in i14(later, found))


@pytest.mark.parametrize(
    ("left", "before", "relay", "at", "slave", "owed"),
    [
        (-0.6, {}, "closed", NOON, None, True), (-0.4, {}, "closed", NOON, None, False),
        (-0.6, {"paid_nano": 4}, "closed", NOON, None, False), (-0.6, {"final_seq": 3}, "closed", NOON, None, False),
        (-0.6, {"delivered_seq": None}, "closed", NOON, None, False),
        (-0.6, {"since": NOON - timedelta(hours=23)}, "closed", NOON, None, False),
        (-0.6, {}, "open", NOON, None, False), (-0.6, {}, "kept", NOON, None, False),
        (-0.6, {}, "held", NOON, None, False), (-0.6, {}, "vacant", NOON, None, False),
        (-0.6, {}, "closed", NOON.replace(day=10), None, False), (-0.6, {}, "closed", NOON, 3, True),
        (-0.6, {"delivered_seq": None}, "untold", NOON, 3, False),
        (-0.6, {"delivered_seq": None}, "untold", NOON, None, True),
    ],
)  # fmt: skip
def test_r1_who_owes_for_a_day_and_has_light_is_named(
    left: float, before: dict[str, Any], relay: str, at: datetime, slave: int | None, owed: bool
) -> None:
    """Not where the tenant has paid or was warned since, a person has a hand in it, nobody lives there, nobody may be
    cut on a Sunday, or who has no lamp was not told."""
    town = house(left, at=at)
    town.judge.hours = SimpleNamespace(open=lambda at: at.weekday() < 5 and 9 <= at.hour < 13)
    town.judge.limit_nano, town.judge.paid = 0, {"a1": 5}
    seen = town.judge.by_id["m1"]
    seen.device = SimpleNamespace(relay=SimpleNamespace(open=relay == "open"))
    seen.meter = SimpleNamespace(id="m1", slave=slave)
    seen.held, seen.kept, seen.vacant = (relay == each for each in ("held", "kept", "vacant"))
    town.judge.rooms = {"a1": [seen], "gone": []}
    book = known()
    book.tenancies["a1"].delivered_seq = None if relay == "untold" else 10
    yesterday = witnesses_owed.Due(at - timedelta(days=1), 5, 9, 10)
    found = witnesses_owed.due(town, book, {"a1": replace(yesterday, **before)})
    assert bool(found) is (left == -0.6 and relay != "vacant")
    said = list(witnesses_owed.r1(town, found))
    assert (said != []) is owed and (not owed or "m1 has light" in said[0])


def test_i13_an_order_to_a_slave_that_is_not_there_is_heard() -> None:
    """Also one to all of them: by the line, not by whom the first byte names."""
    from firmware_sim.modbus import crc

    told: list[str] = []
    book = SimpleNamespace(boot="boot-1", seq=9)
    heard_by: Any = SimpleNamespace(
        events=0, digest=SimpleNamespace(update=lambda part: None), modbus_lines={"line-2"}, memory=Memory(),
        judge=SimpleNamespace(meters={}), weather=SimpleNamespace(disk=None), say=told.append,
        edge=SimpleNamespace(core=SimpleNamespace(book=book, cannot_write=None)),
    )  # fmt: skip
    for slave in (0, 99):
        body = bytes((slave, 0x10, 0, 0x57, 0, 2, 4, 0, 1, 0, 1))
        frame = body + crc(body)
        assert question(frame) is not None
        heard.passed(heard_by, "line-2", frame, b"", 5.0)
    assert [order.address for order in heard_by.memory.orders] == ["slave 0", "slave 99"] and len(told) == 2
