"""The process ends at every commit of a story of money: asked again with the same ids, it ends with the same money."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest

from bridge.contract.units import instant_exact, instant_text
from edge.billing.tariff import local_midnight
from edge.book import Book
from edge.fold import apply
from edge.state import State
from tests.edge import money_desk
from tests.edge.money_desk import CHECKER, MoneyDesk

PRICE = {"id": "shop", "name": "商铺", "kind": "single", "price": "0.9"}
LOOKS = ("level/1", "rearm/1", "final/1", "cancelled/1")
"""What follows from a look at an account, with the next reading at the latest; no money."""

DAYS = [date(2026, 11, 20), date(2026, 11, 21)]


class Gone(BaseException):
    """The process has ended."""


class MortalBook(Book):
    """A book whose process ends at one commit of entries, before or after it is safe on disk."""

    commit: ClassVar[int] = 0
    dies: ClassVar[tuple[int, str]] = (0, "")

    def append(self, *drafts: Any) -> Any:
        MortalBook.commit += 1
        if MortalBook.dies == (MortalBook.commit, "before"):
            raise Gone
        found = super().append(*drafts)
        if MortalBook.dies == (MortalBook.commit, "after"):
            raise Gone
        return found


class Story:
    """What people do at the counter on three days. An act that the process did not survive is asked for again."""

    def __init__(self, directory: Path):
        self.desk = MoneyDesk(directory, overdraft="20.00", emergency_credit="10.00")
        self.proposals: dict[str, str] = {}

    def survived(self, act: Callable[[], Any]) -> Any:
        while True:
            try:
                return act()
            except Gone:
                self.desk.restart()

    def asks(self, name: str, operation: str, **fields: Any) -> dict[str, Any]:
        def act() -> dict[str, Any]:
            return self.desk.done(operation, transaction=f"{name:-<12}", **fields)

        return self.survived(act)

    def agrees(self, name: str, operation: str, decide: str = "approve-money", **fields: Any) -> None:
        proposal = self.asks(f"{name}-p", operation, **fields)["proposal"]
        self.asks(f"{name}-a", decide, proposal=proposal, who=CHECKER, role=fields.get("role", "finance"))

    def midnight(self, day: date, registers: dict[str, int]) -> None:
        """A day ends; all its accounts are closed in one commit."""
        desk = self.desk
        at = local_midnight(day + timedelta(days=1), desk.core.terms.zone)
        desk.clock.advance((at - desk.clock.now()).total_seconds() + 120)

        def act() -> None:
            for meter, wh in registers.items():
                self.desk.closing._midnights._marks[meter, day + timedelta(days=1)] = {
                    "registers_wh": {"total": wh}, "at": instant_exact(at), "read_at": instant_text(at),
                    "source": "freeze", "frames": [],
                }  # fmt: skip
            self.desk.close_days()

        self.survived(act)

    def opened(self, meter: str, wh: int) -> None:
        def act() -> None:
            if self.desk.core.state.meters[meter].billed is None:
                self.desk.opened(meter, wh)

        self.survived(act)

    def live_through(self) -> None:
        why: dict[str, Any] = {"why": "x", "papers": "7"}
        self.opened("m1", 100_000)
        self.opened("m2", 50_000)
        receipt = self.asks("topup-1", "topup", account="101", amount_fen=5_000, method="cash")["receipt"]
        self.asks("topup-2", "topup", account="102", amount_fen=10_000, method="card")
        self.asks("reverse", "reverse", account="101", receipt=receipt, why="x")
        self.asks("lend", "lend", account="101", why="x")
        self.asks("topup-3", "topup", account="101", amount_fen=9_000, method="online")
        self.desk.clock.advance(60)
        self.agrees("price", "propose-price", "approve-price", price=PRICE, role="manager")
        self.midnight(DAYS[0], {"m1": 110_000, "m2": 55_000})
        wrong = {"account": "101", "meter": "m1", "entry": f"charge:m1:{DAYS[0]}"}
        self.agrees("right", "correct-reading", **wrong, total="109", **why)
        self.agrees("refund", "refund", account="102", amount_fen=1_000, method="cash", reference="s", why="x")
        self.agrees("move", "correct", account="102", to_account="101", amount_fen=500, **why)
        self.agrees("more", "compensate", account="101", amount_fen=77, reason="other", **why)
        self.agrees("less", "deduct", account="101", amount_fen=33, reason="other", consent="letter", **why)
        self.midnight(DAYS[1], {"m1": 112_345, "m2": 60_001})
        self.desk.clock.advance(3_600)
        proposal = self.settled("settle-p----", "settle", account="102", method="cash", **why)["proposal"]
        self.settled("settle-a----", "approve-money", proposal=proposal, who=CHECKER)

    def settled(self, transaction: str, operation: str, **fields: Any) -> dict[str, Any]:
        """The meter is read first: a process that has just begun has no reading."""

        def act() -> dict[str, Any]:
            self.desk.reads("m2", 60_500)
            return self.desk.done(operation, transaction=transaction, **fields)

        return self.survived(act)

    def outcome(self) -> dict[str, Any]:
        """All that is left: money, days, registers, prices, proposals; and the same from an empty fold (I25)."""
        state, core = State(), self.desk.core
        for entry in self.desk.book.entries():
            apply(state, entry)
        assert state == core.state
        kinds = Counter(entry.kind for entry in self.desk.book.entries() if entry.kind not in LOOKS)
        receipts = [entry.fields["receipt"] for entry in self.desk.book.entries() if "receipt" in entry.fields]
        assert len(set(receipts)) == len(receipts)
        assert sum(state.ledger.values()) == 0
        return {
            "ledger": state.ledger, "kinds": kinds, "prices": [each["version"] for each in state.tariffs["shop"]],
            "billed": {id: meter.billed for id, meter in state.meters.items()},
            "closed": {id: account.closed_through for id, account in state.accounts.items()},
            "decided": [each.decision is not None for each in state.proposals.values()],
            "receipts": len(receipts),
        }  # fmt: skip


def lived(directory: Path, dies: tuple[int, str], monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.setattr(money_desk, "Book", MortalBook)
    MortalBook.commit, MortalBook.dies = -1, dies  # The filling of the book is no act.
    story = Story(directory)
    story.live_through()
    found = story.outcome()
    story.desk.book.close()
    return found


def test_a_story_of_money_survives_the_end_of_the_process_at_any_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before a commit nothing happened; after it all did, and whoever asks again hears of it: in both cases each act
    stands once, with a receipt of its own, and every ledger account is the same to the nano-yuan."""
    expected = lived(tmp_path / "whole", (0, ""), monkeypatch)
    commits = MortalBook.commit
    assert commits > 20 and expected["kinds"]["closing/1"] == 5 and expected["kinds"]["exit/1"] == 1
    for commit in range(1, commits + 1):
        for when in ("before", "after"):
            found = lived(tmp_path / f"{commit}-{when}", (commit, when), monkeypatch)
            assert found == expected, (commit, when)
