"""A snapshot is the fold and nothing else: whole, by type, and by one program; what it cannot hold it refuses."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, fields
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.contract.entries import INCOME, TENANT, TILL
from edge import fold, snapshot
from edge.billing.days import Days
from edge.holds import Hold, Ordered, Unanswered
from edge.purse import Agreement, Kept, Protection, Purse
from edge.restored import Restored
from edge.state import (
    AccountState,
    Counter,
    Cover,
    Decision,
    Final,
    Mark,
    MeterState,
    Proposal,
    State,
)  # fmt: skip
from edge.waiting import Run, Waiting
from tests.edge.test_edge_fold import INSTALLED, LIFE, Draft, at, chained, hold, move

METER, ACCOUNT = st.sampled_from(["a1", "a2"]), st.sampled_from(["100", "200"])
SMALL, MICROS = st.integers(0, 10**9), st.integers(1, 2 * 10**15)
WORDS = st.text(st.characters(codec="utf-8"), max_size=6)
REGISTERS = st.dictionaries(st.sampled_from(["total", "peak", "valley"]), SMALL).map(lambda more: {"total": 1, **more})
DAYS = st.dates(date(2020, 1, 1), date(2040, 1, 1)).map(date.isoformat)
MOVES = st.lists(st.builds(move, st.sampled_from([TENANT + "100", TILL + "现金"]), st.just(INCOME), st.integers(1)))


def mark(micros: int, registers: dict[str, int], source: str) -> dict[str, Any]:
    return {"registers_wh": registers, "at": at(micros), "source": source}


MARKS = st.builds(mark, MICROS, REGISTERS, WORDS)


def drafts(kind: str, **parts: Any) -> st.SearchStrategy[Draft]:
    return st.tuples(st.just(kind), st.fixed_dictionaries(parts))


BOOKS = st.lists(
    st.one_of(
        drafts("tariff/2", tariff=WORDS, tables=st.lists(st.dictionaries(WORDS, SMALL | st.none() | st.booleans()))),
        st.builds(lambda meter, mark: ("border/1", {"meter": meter, **mark}), METER, MARKS),
        st.builds(lambda meter, mark: ("opening/1", {"meter": meter, "serial": "1", **mark}), METER, MARKS),
        drafts(
            "charge/2", account=ACCOUNT, meter=METER, end=MARKS, unit=st.sampled_from(["kWh", "m3"]), moves=MOVES,
            counter=st.fixed_dictionaries({"period": DAYS | st.none(), "used_wh": SMALL}),
        ),
        st.builds(
            lambda meter, relay, mark: (
                "replacement/1",
                {"meter": meter, "row": {"relay": relay, "multiplier": 1}, "serial": None, "proposal": "p-1", **mark},
            ),
            METER, st.sampled_from(["direct", "none"]), MARKS,
        ),
        st.builds(lambda meter, mark: ("ratio/1", {"meter": meter, "multiplier": 40, **mark}), METER, MARKS),
        drafts(
            "proposal/1", proposal=WORDS, what=st.sampled_from(["replace-meter", "change-multiplier", "price"]),
            body=st.fixed_dictionaries({"meter": METER}), until=st.just("2026-11-20T00:00:00+08:00"), who=WORDS,
            role=WORDS,
        ),
        drafts("calendar/1", since=DAYS, until=DAYS, rest_days=st.lists(DAYS), work_days=st.lists(DAYS)),
        drafts("closing/1", account=ACCOUNT, date=DAYS, closing_nano=st.integers()),
        drafts("level/1", account=ACCOUNT, level=st.integers(0, 3)),
        drafts("final/1", account=ACCOUNT, episode=SMALL),
        drafts("delivered/1", account=ACCOUNT, episode=SMALL, channel=WORDS, powered_s=SMALL),
        drafts("trip/1", meter=METER, cause=st.sampled_from(["arrears", "manual"]), episode=SMALL),
        st.builds(hold, st.sampled_from(["arrears", "manual"]), st.booleans()),
        drafts("relay/1", meter=METER, observed=st.sampled_from(["open", "closed", "unknown"])),
        drafts("quarantine/1", meter=METER, why=WORDS, registers_wh=REGISTERS),
        drafts("cover/1", meter=METER, cover=WORDS, count=SMALL, opened_at=WORDS | st.none(), closed_at=st.none()),
        drafts(
            "alarm/1", meter=METER,
            alarm=st.sampled_from(["battery-low", "valve-fault", "battery-good", "paid-and-dark"]),
        ),
        drafts("time-table/1", meter=METER, differs=st.booleans()),
        drafts("clock-set/1", meter=METER),
        drafts("start/1", line_s=SMALL),
        drafts("brake/1", set=st.booleans(), why=WORDS),
        drafts("mode/1", mode=st.sampled_from(["recovery", "normal"]), why=WORDS),
        drafts("of-tomorrow/1", moves=MOVES),
    ),
    max_size=12,
)  # fmt: skip
"""Every kind that the fold knows, in any order, with odd names and numbers."""


def folded(entries: Any, state: State | None = None) -> State:
    state = state or State()
    for entry in entries:
        fold.apply(state, entry)
    return state


def again(state: State) -> State:
    """Written and read."""
    *_, found = snapshot.of_lines(list(snapshot.lines(state)))
    assert found is not None
    return found


def same(one: State, other: State) -> bool:
    """Equal, of the same types, and in the same order: accounts are looked at in the order in which they stand."""
    return one == other and repr(one) == repr(other)


@given(BOOKS, st.data())
def test_a_snapshot_and_the_rest_are_the_whole(life: list[Draft], data: st.DataObject) -> None:
    """fold(all) is load(snapshot(k)) and the rest folded on top, for any book and any k (I25)."""
    entries = chained([*INSTALLED, *life])
    k = data.draw(st.integers(0, len(entries)))
    assert folded(entries[k:], again(folded(entries[:k]))) == folded(entries)


def test_at_every_entry_of_a_life() -> None:
    """From installation to the cut and the brake: at each entry the snapshot is the state, to the type and order."""
    entries = chained([*LIFE, ("of-tomorrow/1", {})])
    whole = folded(entries)
    for k in range(len(entries) + 1):
        begun = folded(entries[:k])
        assert same(again(begun), begun)
        assert same(folded(entries[k:], again(begun)), whole)


def test_every_field_is_kept() -> None:
    """Each field of everything in a state has another value than a fresh one has, and each comes back."""
    mark, day = Mark({"total": 1, "峰": 2}, 3, "freeze"), date(2026, 11, 20)
    meter = MeterState(
        "a1", {"multiplier": 30, "name": "电\u2028表"}, "100", mark, [mark], mark, [{"total": 5}],
        estimated_days=2, table_differs=True, table_found=True, holds={"manual": Hold("manual", "why", "王敏", 1, 2)},
        observed="open", observed_since=4, known="closed", known_since=5, quarantined="R20", quarantined_wh=6,
        released_at=12, ordered=Ordered("panel", 13, "王敏", 14),
        serial="serial", restore="restore", waiting=Waiting(3, 4), trips=[7, 8], clock_set_at=9,
        covers={"cover": Cover(1, True)},
        ailing={"battery-low", "valve-fault"}, since=10, changing="p-1", vacant=mark,
    )  # fmt: skip
    account = AccountState(
        "100", {"meters": ["a1"]}, 1, 11, 12, {"dispute": Protection("dispute", "w", "王敏", 1, 2, 3)}, 2,
        Final(1, 2, 3, 4, "lamp", 5), day, -6,
        {"kWh": Counter(day, 7, ((date(2026, 10, 1), 3),))}, 8, 9, False,
        Purse({3, 4}, 5, Agreement(30, 7, day, 9), True, 11), ["charge:a1:p-1"],
        Kept(1, 2, 3, ("王敏", "李强")), Ordered("panel", 14, "李强", 15),
    )  # fmt: skip
    state = State(
        1, "f" * 64, {"gateway": "east"}, {"account:100": -(10**18)}, {"a1": meter}, {"100": account},
        {"shop": [{"version": 1}, {"version": 2}]}, Days(frozenset({day}), frozenset({date(2026, 11, 21)})),
        {"p-1": Proposal("p-1", "price", {"a": [1]}, "who", "finance", 1, 2, 3, Decision(True, "o", "m", "w", 4, 5))},
        {"王敏": ("20261120", 12)}, {"a1": [5, 6]},
        {"panel:1": Unanswered("a1", "trip", "open")}, "brake", 4, {"of-tomorrow/1"}, 5, 6, "recovering",
            Restored("e", "d", 7, "f", "at", 9, 11, 1, {"ab": (8, 12)}, [13]), Run("boot", 5, 6),
    )  # fmt: skip
    for told, fresh in ((meter, MeterState("", {})), (account, AccountState("", {})), (state, State())):
        for each in fields(told):  # type: ignore[arg-type]
            assert getattr(told, each.name) != getattr(fresh, each.name), f"{each.name}: give it a value here"
    assert same(again(state), state)


@dataclass
class Grown(State):
    """State with one field more, as somebody may add it."""

    power: complex = 0j


@dataclass
class GrownWell(State):
    """The same with a type that a snapshot can hold."""

    newcomers: list[str] = field(default_factory=list)


def test_a_new_field_makes_another_version() -> None:
    """Whoever adds a field makes old snapshots void by it, without having to remember; a strange type is refused."""
    assert len({snapshot.version_of(kind) for kind in (State, Grown, GrownWell, MeterState)}) == 4
    assert snapshot.version_of(State) == snapshot.VERSION
    with pytest.raises(TypeError, match="no codec for <class 'complex'>"):
        snapshot.codec(Grown)
    snapshot.codec(GrownWell)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda state: setattr(state, "seq", 1.5), "1.5"),
        (lambda state: setattr(state, "seq", True), "True"),
        (lambda state: setattr(state, "brake", 7), "7"),
        (lambda state: state.unknown_kinds.add(3), "3"),
        (lambda state: state.ledger.update({"account:100": "5"}), "5"),
        (lambda state: state.genesis.update(at=date(2026, 1, 1)), "2026"),
        (lambda state: state.genesis.update(rows=(1, 2)), r"\(1, 2\)"),
        (lambda state: setattr(state, "meters", {"a1": {"id": "a1"}}), "a1"),
        (lambda state: state.cuts.update(a1=[1.5]), "1.5"),
    ],
)
def test_what_is_not_of_its_type_is_refused(change: Any, named: str) -> None:
    """A float, a tuple, a number for a text: refused while it is written, not found out at the next start."""
    state = folded(chained(LIFE))
    change(state)
    with pytest.raises(TypeError, match=named):
        list(snapshot.lines(state))


def test_a_text_with_something_changed_is_refused() -> None:
    """A part that lacks, one too many, another type: refused while it is read, whoever wrote it."""
    lines = list(snapshot.lines(folded(chained(LIFE))))
    told = {tuple(line[:2]) if line[0] == "meters" else line[0]: line for line in map(json.loads, lines)}
    meter = told["meters", "a1"]
    lacking = {name: value for name, value in meter[2].items() if name != "billed"}
    for wrong in (
        [line for line in lines if not line.startswith('["seq"')],
        [*lines, json.dumps(["meters", "a1", lacking])],
        [*lines, json.dumps(["meters", "a1", {**meter[2], "more": 1}])],
        [*lines, '["seq","1"]'],
        [*lines, '["of-tomorrow",1]'],
    ):
        with pytest.raises((TypeError, ValueError, KeyError)):
            list(snapshot.of_lines(wrong))
