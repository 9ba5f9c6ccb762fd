"""What went through the till, by the moves of the book: taken is above zero, paid out below.

A top-up that repays an emergency credit adds less to the balance than lies in the drawer, and a settlement pays out
less than the balance falls by; so the till's own moves count, not the tenant's.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bridge.contract.entries import TILL
from panel.bill_words import METHOD_WORDS
from panel.body_parts import moves_of
from panel.history import Line
from panel.words import later

TOPUP = "topup/1"
WORDS = {
    TOPUP: later("Top-ups|drawer"),
    "reversal/1": later("Reversals|drawer"),
    "refund/1": later("Refunds|drawer"),
    "exit/1": later("Settlements|drawer"),
}
"""What the sums of each kind are called."""

ONE = {"reversal/1": later("Reversal|drawer"), "refund/1": later("Refund|drawer"), "exit/1": later("Settlement|drawer")}
"""What one of them is called; a top-up needs no word."""


@dataclass(frozen=True)
class Through:
    """One entry with what it put into the till, or took out."""

    line: Line
    nano: int

    @property
    def kind(self) -> str:
        """An entry that cannot be read is taken for what its sign says."""
        if self.line.kind in WORDS:
            return self.line.kind
        return TOPUP if self.nano >= 0 else "refund/1"

    @property
    def who(self) -> str:
        return str(self.line.body.get("who") or "")

    @property
    def method(self) -> str:
        return str(self.line.body.get("method") or "")


@dataclass(frozen=True)
class Row:
    """One method: what each kind comes to, and what is left in the drawer."""

    method: str
    sums: dict[str, int]

    @property
    def net_nano(self) -> int:
        return sum(self.sums.values())


def drawer(lines: Iterable[Line]) -> list[Through]:
    """What went through the till; a settlement that paid nothing out did not."""
    found = [Through(line, till_nano(line)) for line in lines]
    return [each for each in found if each.nano or each.line.kind != "exit/1"]


def till_nano(line: Line) -> int:
    """What an entry puts into the till, below zero what it pays out. Of one that cannot be read the archive's column
    tells what the tenant's balance moved by."""
    if moves := moves_of(line.body):
        into = sum(move["amount_nano"] for move in moves if move["from"].startswith(TILL))
        return into - sum(move["amount_nano"] for move in moves if move["to"].startswith(TILL))
    return line.amount_nano or 0


def by_method(found: Sequence[Through]) -> list[Row]:
    """Cash first, since that is what is counted; then as the counter names the methods, then any other."""
    known = list(METHOD_WORDS)
    names = sorted({each.method for each in found}, key=lambda name: (known.index(name) if name in known else 9, name))
    return [Row(name, by_kind([each for each in found if each.method == name])) for name in names]


def by_kind(found: Sequence[Through]) -> dict[str, int]:
    """The sums of the kinds that occur."""
    sums = {kind: [each.nano for each in found if each.kind == kind] for kind in WORDS}
    return {kind: sum(all_of_it) for kind, all_of_it in sums.items() if all_of_it}
