"""The top-ups of one account as the archive tells them: which can be taken back, and which were.

The archive is a copy and may lag a moment; the gateway looks into its book.
"""

from __future__ import annotations

from functools import cached_property

from panel.history import History, Line

CHOICE = 8
"""Top-ups offered for a reversal; an older one is chosen from its own line among the entries."""


class TopUps:
    """Asked only where a page needs them."""

    def __init__(self, history: History, account: str):
        self._history, self._account = history, account

    def _of(self, kind: str, limit: int = 500) -> list[Line]:
        """Newest first."""
        lines = self._history.of_kinds(self._account, (), (kind,), limit)[::-1]
        return [line for line in lines if line.kind == kind and line.account == self._account]

    @cached_property
    def reversed(self) -> set[int]:
        """Seqs of those that were taken back."""
        return {line.body["original"] for line in self._of("reversal/1") if type(line.body.get("original")) is int}

    @cached_property
    def brought_in(self) -> bool:
        return bool(self._of("opening-balance/1", 1))

    def lent_since(self, seq: int) -> bool:
        """True where an emergency credit was lent after that entry."""
        return any(line.seq > seq for line in self._of("credit/1", 1))

    def offered(self, receipt: str) -> list[Line]:
        """The newest that stand, and the one that is named where it is older."""
        found = [line for line in self._of("topup/1", 60) if line.seq not in self.reversed and receipt_of(line)]
        named = self.of(receipt)
        found = found[:CHOICE]
        return found if named is None or named in found else [named, *found]

    def of(self, receipt: str) -> Line | None:
        """The top-up with this receipt number, which ends in its entry's number; None where the archive has none."""
        line = self.at(receipt.rpartition("-")[2])
        return line if line is not None and receipt_of(line) == receipt else None

    def at(self, number: str) -> Line | None:
        """The top-up that is this entry."""
        if not (number.isascii() and number.isdigit() and len(number) < 19):
            return None
        line = self._history.entry(int(number))
        mine = line is not None and line.kind == "topup/1" and line.account == self._account
        return line if mine else None


def receipt_of(line: Line) -> str:
    return str(line.body.get("receipt") or "")
