"""How often a receipt was printed, and by whom, in `panel.db`; every paper after the first is marked 补打.

What a receipt says is the book's; only the printing is the panel's own act, so only that is kept here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bridge.contract.clock import Clock
from bridge.contract.units import instant_of_micros, micros_of
from panel.users import Database

_TABLE = """
CREATE TABLE IF NOT EXISTS receipt_print (
  id INTEGER PRIMARY KEY, seq INTEGER NOT NULL, who TEXT NOT NULL, at_us INTEGER NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS receipt_print_seq ON receipt_print (seq);
"""


@dataclass(frozen=True)
class Print:
    """One paper: `copy` 0 is the receipt itself, 1 the first reprint."""

    copy: int
    who: str
    at: datetime


class Receipts:
    """Counting papers."""

    def __init__(self, database: Database, clock: Clock):
        self._database, self._clock = database, clock
        with database.open() as connection:
            connection.executescript(_TABLE)

    def print(self, seq: int, who: str) -> Print:
        """Note that the receipt of entry `seq` goes to paper now. Return which copy it is."""
        at = self._clock.now()
        with self._database.open() as connection:
            connection.execute("BEGIN IMMEDIATE")  # Two printers at once do not both get the first paper.
            (before,) = connection.execute("SELECT count(*) FROM receipt_print WHERE seq = ?", (seq,)).fetchone()
            connection.execute(
                "INSERT INTO receipt_print (seq, who, at_us) VALUES (?, ?, ?)", (seq, who, micros_of(at))
            )
        return Print(before, who, at)

    def printed(self, seq: int) -> list[Print]:
        """Every paper of the receipt of entry `seq`, the first one first."""
        question = "SELECT who, at_us FROM receipt_print WHERE seq = ? ORDER BY id"
        with self._database.open() as connection:
            rows = connection.execute(question, (seq,)).fetchall()
        return [Print(copy, who, instant_of_micros(at_us)) for copy, (who, at_us) in enumerate(rows)]
