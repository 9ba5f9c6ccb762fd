"""Accepted readings around a midnight, from the saved sweeps: what is left where a meter kept nothing of it (R24).

Sweeps are looked through a page at a time and each once, so that the loop is not held while years of them stand there.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from bridge.contract.units import micros_of
from edge.book import Book
from edge.state import Mark

WITHIN = timedelta(hours=2)
"""A reading further from midnight says too little of it; a load changes meanwhile."""

PAGE = 64
"""Sweeps looked through at a time."""

SETTLED_US = 600 * 1_000_000
"""A sweep is written when its round is over, some minutes after its first reading at most."""


class Nearby:
    """The newest two readings of each meter before one midnight, and the first two after it."""

    def __init__(self, book: Book, midnight: datetime):
        self._book, self._at = book, micros_of(midnight)
        within = micros_of(midnight + WITHIN) - self._at
        self._from, self._to = self._at - within, self._at + within
        self._next = self._first()
        self.before: dict[str, list[Mark]] = {}
        self.after: dict[str, list[Mark]] = {}
        self.whole = False
        """Every sweep was looked at that can hold such a reading."""

    def _first(self) -> int:
        """The number of the first saved sweep that is late enough; numbers and instants rise together."""
        low, high = 1, self._book.sweep_number + 1
        while low < high:
            middle = (low + high) // 2
            found = self._book.sweeps(middle, 1)
            if not found or found[0][1] >= self._from:
                high = middle
            else:
                low = found[0][0] + 1
        return low

    def look(self) -> bool:
        """Look through one page of what was saved since. True when there is no more at this moment."""
        if self.whole:
            return True
        page = self._book.sweeps(self._next, PAGE)
        for number, at, rows in page:
            self._next = number + 1
            if at > self._to + SETTLED_US:
                self.whole = True
                break
            for row in rows:
                if "registers_wh" in row and self._from <= row["read_at"] <= self._to and row.get("believed", True):
                    self._take(row["meter"], Mark(row["registers_wh"], row["read_at"], "read"))
        return self.whole or len(page) < PAGE

    def _take(self, meter: str, mark: Mark) -> None:
        if mark.at <= self._at:
            self.before[meter] = [*self.before.get(meter, []), mark][-2:]
        elif len(self.after.get(meter, [])) < 2:
            self.after.setdefault(meter, []).append(mark)
