"""How the state is had: at opening from a snapshot that fits the book, else by folding all; and how snapshots are made.

At opening the book is believed, not the snapshot: the entry that it names must stand there with the hash it names,
what comes after is folded on top, and the newest entries are hashed again either way. That the older ones are what
was written is the business of `riser verify` and of the check each night.
"""

from __future__ import annotations

import logging
import zlib
from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING

from edge import book_words, snapshot
from edge.book import Book, BookError
from edge.entry import Draft, Snapshot, digest_of
from edge.fold import apply
from edge.state import State

if TYPE_CHECKING:
    from edge.core import Core

log = logging.getLogger("riser.edge")

REHASHED = 1000
"""So many of the newest entries are hashed again at each opening, whatever a snapshot says: what a failing card or a
hand most likely changes, in some hundredths of a second."""

EVERY = 2000
"""Entries after which a new snapshot is due: at most so many are folded at an opening, in a fifth of a second."""

PAGE = 50
"""Entries read at a time."""

CHECKED_AT = 3
"""In this local hour, when little is due, the whole book is folded again and compared."""

UNREADABLE = (ValueError, TypeError, KeyError, zlib.error)


def state_of(book: Book) -> State:
    """The fold of a book. Raises BookError."""
    kept = book.snapshot()
    if kept is not None and (why := unfit(kept, book)) is not None:
        log.warning("the snapshot of entry %d is not used, the whole book is folded: %s", kept.seq, why)
        kept = None
    if kept is not None:
        try:
            _rehash(book, kept.seq)
            return _folded(book, loaded(kept))
        except UNREADABLE as error:
            log.warning("the snapshot of entry %d is not used, the whole book is folded: %s", kept.seq, error)
    try:
        return _folded(book, State())
    except (ValueError, KeyError) as error:
        raise BookError(f"the book does not fold: {error}; restore a backup (failure 42)") from None


def unfit(kept: Snapshot, book: Book) -> str | None:
    """Why a snapshot does not belong to this book and this program, or None."""
    if kept.version != snapshot.VERSION:
        return "it is another version's"
    if not kept.whole:
        return "it is damaged"
    if kept.seq > book.seq:
        return f"it is newer than the book, which ends with entry {book.seq}"
    named = next(book.entries(kept.seq, 1), None)
    if named is None or named.hash != kept.hash or named.computed_hash != kept.hash:
        return "it is of another book"
    return None


def loaded(kept: Snapshot) -> State:
    """The state that a snapshot holds. Raises ValueError, TypeError or zlib.error for one that cannot be read."""
    *_, state = snapshot.of_lines(_lines(kept))
    assert state is not None
    if (state.seq, state.hash) != (kept.seq, kept.hash):
        raise ValueError("its state is of another entry than it says")
    return state


def _lines(kept: Snapshot) -> list[str]:
    return zlib.decompress(kept.body).decode().split("\n")[:-1]


def _rehash(book: Book, through: int) -> None:
    """Hash the newest entries that a snapshot covers. Raises ValueError."""
    prev = None
    for entry in book.entries(max(1, book.seq - REHASHED)):
        if entry.seq > through:
            return
        if entry.hash != entry.computed_hash or prev not in (None, entry.prev_hash):
            raise ValueError(f"entry {entry.seq} is not what was written: its hash does not fit (I17)")
        prev = entry.hash


def _folded(book: Book, state: State) -> State:
    for entry in book.entries(state.seq + 1):
        apply(state, entry)
    return state


class Snapshots:
    """Makes them, and compares: beside the loop's own state a second one is folded, in slices, from the book."""

    def __init__(self, core: Core):
        self._core, self._book = core, core.book
        kept = core.book.snapshot()
        self._saved_seq = 0 if kept is None or kept.version != snapshot.VERSION else kept.seq
        self._far = core.state.seq - self._saved_seq >= EVERY
        """So much was folded at the opening that no start after this one shall do it again, however soon it comes."""
        self._checked: date | None = None
        self._untold: Draft | None = None

    @property
    def differs(self) -> str | None:
        """Why the book was found not to be what this edge goes by; then nothing is saved any more."""
        return self._core.differs

    def due(self) -> bool:
        """Is there work now: entries enough, the check of this night, or something that nobody was told yet?"""
        if self.differs is not None:
            return self._untold is not None and self._core.cannot_write is None
        return self._book.seq - self._saved_seq >= EVERY or self._night_due()

    def _night_due(self) -> bool:
        now = self._core.now().astimezone(self._core.terms.zone)
        return now.hour == CHECKED_AT and now.date() != self._checked

    def work(self) -> Iterator[None]:
        """Fold the book beside the state; when both are the same, keep that. A chore of the loop."""
        if self.differs is not None:
            self._alarm()
            return
        if self._far:
            self._far = False
            self.save()
            return
        second, kept = State(), self._book.snapshot()
        if self._night_due():
            self._checked = self._core.now().astimezone(self._core.terms.zone).date()
        elif kept is not None and unfit(kept, self._book) is None:
            for state in snapshot.of_lines(_lines(kept)):
                second = state or second
                yield
        try:
            while second.seq < self._core.state.seq:
                for entry in list(self._book.entries(second.seq + 1, PAGE)):
                    apply(second, entry)
                    yield  # Entries may be written meanwhile; they are folded here as well.
        except (ValueError, KeyError) as error:
            log.critical("entry %d of the book on the disk: %s", second.seq + 1, error)
            self._tell(book_words.disk_differs(second.seq + 1), f"alarm:book:{second.seq + 1}")
            return
        if second != self._core.state:
            self._tell(book_words.MEMORY_DIFFERS, f"alarm:memory:{self._checked}")
            return
        packer, packed = zlib.compressobj(6), []
        for line in snapshot.lines(second):
            packed.append(packer.compress(line.encode()))
            yield
        self._save(second.seq, second.hash, b"".join((*packed, packer.flush())))

    def _tell(self, why: str, id: str) -> None:
        """`id` is one for the same finding, however often the gateway is started over that book."""
        log.critical("%s; run `riser verify`, it names the entry, and restore a backup (failure 42)", why)
        text = book_words.alarm_text(why)
        self._core.differs, self._untold = why, ("alarm/1", id, {"alarm": "book", "text": text})
        self._alarm()

    def _alarm(self) -> None:
        """A person must see it, once."""
        if self._untold is None or self._core.cannot_write is not None:
            return
        if self._book.find(self._untold[1]) is None:
            self._core.append(self._untold)
        self._untold = None

    def save(self) -> None:
        """Keep the state as it is now: at a clean stop, and after a long opening."""
        state = self._core.state
        if self.differs is None and state.seq != self._saved_seq:
            self._save(state.seq, state.hash, zlib.compress("".join(snapshot.lines(state)).encode(), 6))

    def _save(self, seq: int, hash: str, body: bytes) -> None:
        digest = digest_of(seq, hash, snapshot.VERSION, body)
        self._book.save_snapshot(Snapshot(seq, hash, snapshot.VERSION, body, digest))
        self._saved_seq = seq
