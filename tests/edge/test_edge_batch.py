"""A day of many accounts is one act of the disk, and yet each account's day is right, whatever happens meanwhile."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.batch import MOST, Batch
from edge.entry import seal, seal_own
from tests.bench.billing_rig import Rig

METERS = 40


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    made = Rig(tmp_path, METERS)
    yield made
    made.book.close()


def closed(rig: Rig) -> list[dict[str, Any]]:
    return [entry.fields for entry in rig.book.entries() if entry.kind == "closing/1"]


def test_a_day_of_many_accounts_is_one_transaction(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """Forty accounts close with one fsync; each has its charge and its closing beside each other."""
    acts: list[int] = []
    append = rig.book.append
    monkeypatch.setattr(rig.book, "append", lambda *drafts: acts.append(len(drafts)) or append(*drafts))
    rig.give()
    rig.close_day()
    assert acts == [2 * METERS]
    newest = list(rig.book.entries(rig.book.seq - 2 * METERS + 1))
    assert [entry.kind for entry in newest] == ["charge/2", "closing/1"] * METERS


def test_money_that_comes_meanwhile_counts(rig: Rig) -> None:
    """A payment between two slices: what was made before it is made again, and each closing says the right balance."""
    rig.give()
    work = rig.closing.work()
    for number in range(METERS):
        next(work, None)
        if number % 5 == 4:
            account = f"a{number:04d}"
            moves = [{"from": "till:cash", "to": f"account:{account}", "amount_nano": 777}]
            money = {"moves": moves, "balance_after_nano": rig.core.state.posted_nano(account) + 777}
            rig.core.append(("topup/1", f"topup-{number}", {"account": account, **money}))
    for _ in work:
        pass
    assert sorted(each["account"] for each in closed(rig)) == sorted(rig.core.state.accounts)
    paid, balance = 0, dict.fromkeys(rig.core.state.accounts, 0)
    for entry in rig.book.entries():
        paid += entry.kind == "topup/1"
        for each in entry.fields.get("moves", ()):
            for side, sign in ((each["from"], -1), (each["to"], 1)):
                if side.startswith("account:"):
                    balance[side.removeprefix("account:")] += sign * each["amount_nano"]
        said = entry.fields.get("balance_after_nano", entry.fields.get("closing_nano"))
        assert said is None or said == balance[entry.fields["account"]], f"{entry.seq} {entry.kind}"
    assert paid == METERS // 5
    for account in rig.core.state.accounts.values():
        assert account.closing_nano <= rig.core.state.posted_nano(account.id) <= account.closing_nano + 777


def test_somebody_who_always_writes_cannot_keep_days_open(rig: Rig) -> None:
    """An entry in every pause of the closing: fewer accounts at a time, and all days close."""
    rig.give()
    for number, _ in enumerate(rig.closing.work()):
        rig.core.append(("alarm/1", f"alarm-{number}", {"alarm": "busy", "text": "busy"}))
        assert number < 10 * METERS
    assert len(closed(rig)) == METERS


def test_several_days_close_oldest_first(rig: Rig) -> None:
    """Three days at once after a stop: for each account in order, each opening where the one before closed (I14)."""
    for _ in range(3):
        rig.give()
    rig.close_day()
    for account in rig.core.state.accounts:
        days = [each for each in closed(rig) if each["account"] == account]
        assert [each["date"] for each in days] == ["2026-01-01", "2026-01-02", "2026-01-03"]
        assert [each["opening_nano"] for each in days[1:]] == [each["closing_nano"] for each in days[:-1]]


def test_a_disk_that_refuses_closes_nothing(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """The transaction fails: no account's day is closed in memory either, and later all are."""
    rig.give()
    with monkeypatch.context() as full:
        full.setattr(rig.book, "append", lambda *drafts: (_ for _ in ()).throw(OSError("full")))
        with pytest.raises(OSError, match="full"):
            list(rig.closing.work())
    assert closed(rig) == [] and all(each.closed_through is None for each in rig.core.state.accounts.values())
    list(rig.closing.work())
    assert len(closed(rig)) == METERS


def test_a_batch_holds_so_many(rig: Rig) -> None:
    """What is written at once has a bound, so that a payment waits for it no longer than for one fsync and a slice."""
    batch = Batch[int](rig.core)
    for number in range(MOST):
        assert not batch.full
        batch.add(number, [])
    assert batch.full and batch.void() == []


PARTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3) | st.floats(),
    lambda inner: st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)


@given(st.dictionaries(st.text(max_size=3), PARTS))
def test_what_is_not_read_back_is_what_would_be_read(fields: dict[str, Any]) -> None:
    """The short way of making a text gives what the long one gives: same text, same fields, same refusal of floats."""
    try:
        long = seal("alarm/1", "one", fields)
    except TypeError:
        with pytest.raises(TypeError, match="float"):
            seal_own("alarm/1", "one", fields)
        return
    assert seal_own("alarm/1", "one", fields) == long and json.loads(long.body) == long.fields
