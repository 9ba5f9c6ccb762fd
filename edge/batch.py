"""Entries of many accounts, made in slices and written in one transaction and one fsync.

What was made holds as long as nobody else wrote to the book meanwhile, for everything it rests on stands there; else
it is made again. What belongs together, an account's day, is added together and so stands or falls together.
"""

from __future__ import annotations

from typing import Generic, TypeVar

from edge.core import Core
from edge.entry import Draft, Sealed, seal_own

Item = TypeVar("Item")

MOST = 200
"""Accounts written at once: hashing, inserting and folding them takes about as long as the slice of a chore does, and a
fsync of some milliseconds, the price of being safe, is shared by two hundred."""


class Batch(Generic[Item]):
    """Waiting entries, and whose they are."""

    def __init__(self, core: Core):
        self._core = core
        self._items: list[Item] = []
        self._drafts: list[Sealed] = []
        self._seq, self._most = core.book.seq, MOST

    def __len__(self) -> int:
        return len(self._items)

    def void(self) -> list[Item]:
        """Whose entries hold no more, because the book went on; they are to be made again, and fewer at a time, so
        that a busy hour cannot keep them from ever being written."""
        if self._seq == self._core.book.seq:
            return []
        items, self._items, self._drafts = self._items, [], []
        if items:
            self._most = max(1, self._most // 4)
        self._seq = self._core.book.seq
        return items

    def add(self, item: Item, drafts: list[Draft]) -> None:
        """Entries that rest on the book as it is now."""
        self._items.append(item)
        self._drafts += [seal_own(*draft) for draft in drafts]

    @property
    def full(self) -> bool:
        return len(self._items) >= self._most

    def write(self) -> list[Item]:
        """Write what waits; returns whose it was. Raises sqlite3.Error or CannotWrite: then nothing was written."""
        items = self._items
        self._core.append(*self._drafts)
        self._items, self._drafts, self._most = [], [], MOST
        self._seq = self._core.book.seq
        return items
