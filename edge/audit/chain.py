"""Is a row what was written, and the next one? Numbers, times and the chain of hashes (I16, I17), column by column.

Pure: a row in, nothing or a `Lie` out. The quick look is one hash; only where it fails is it worked out why.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

from edge.audit.lie import Lie
from edge.audit.opened import Row
from edge.book import FIRST_HASH

_INTEGERS = {"at": 2, "mono_ns": 4, "trusted": 5}


class Chain:
    """What the next row must join on to."""

    def __init__(self) -> None:
        self.seq, self.hash = 0, FIRST_HASH.encode()
        self._boot, self._mono = b"", 0

    def joins(self, row: Row) -> None:
        """Take the next row. Raises Lie."""
        seq, _, _, boot, mono, trusted, _, _, prev, digest, texts = row
        sound = texts and seq == self.seq + 1 and prev == self.hash and type(mono) is type(row[2]) is int
        if not sound or trusted not in (0, 1) or type(trusted) is not int or digest != _hash(row, seq, prev):
            raise self._why(row)
        if boot == self._boot and mono < self._mono:
            raise self._lie(row, f"its monotonic time {mono} ns lies before that of the entry before it (I16)",
                            f"at least {self._mono} ns within one boot")  # fmt: skip
        self.seq, self.hash, self._boot, self._mono = seq, digest, boot, mono

    def _lie(self, row: Row, wrong: str, expected: str) -> Lie:
        return Lie(self.seq + 1, _shown(row[1]), wrong, expected)

    def _why(self, row: Row) -> Lie:
        """The hash does not fit, or the number: which column was touched, as far as that can be told."""
        want = self.seq + 1
        if not row[10]:
            return self._lie(row, "a column holds something that is no text", "six columns of text")
        for name, place in _INTEGERS.items():
            if type(row[place]) is not int:
                return self._lie(row, f"its column {name} holds {row[place]!r}", "an integer")
        own = _hash(row, row[0], row[8])
        if row[0] != want and row[9] == own and row[8] != self.hash:
            return Lie(want, None, f"it is missing: entry {row[0]} ({_shown(row[1])}) stands where it should (I16)",
                       f"entry {want}, whose hash begins with {_shown(row[8])[:12]}")  # fmt: skip
        if row[0] != want:
            same = row[9] == _hash(row, want, self.hash)
            more = "; all else is as it was written" if same else ""
            return self._lie(row, f"its number is {row[0]}{more} (I16)", f"number {want}")
        if row[9] == own:
            return self._lie(row, "it does not join on to the entry before it: its prev_hash is another (I17)",
                             f"prev_hash {_shown(self.hash)}")  # fmt: skip
        touched = next(_mended(row, want, self.hash), "one of its columns")
        return self._lie(row, f"{touched} is not what was written: its hash does not fit (I17)",
                         f"hash {_shown(_hash(row, want, self.hash))} for these columns")  # fmt: skip


def _mended(row: Row, seq: int, prev: bytes) -> Iterator[str]:
    """Columns whose one possible value makes the hash fit."""
    if row[9] == _hash(row, seq, prev):
        yield "its column prev_hash"
    flipped = (*row[:5], 1 - row[5] if row[5] in (0, 1) else 1, *row[6:])
    for trusted in (0, 1):
        if row[9] == _hash((*flipped[:5], trusted, *flipped[6:]), seq, prev):
            yield "its column trusted"


def _hash(row: Row, seq: int, prev: bytes) -> bytes:
    """As `edge.book.hash_of`, over bytes."""
    parts = (
        b"%d" % seq, row[1], b"%d" % row[2], row[3], b"%d" % row[4], b"%d" % row[5], row[6], row[7], prev,
    )  # fmt: skip
    return hashlib.sha256(b"\n".join(parts)).hexdigest().encode()


def _shown(column: Any) -> str:
    """A column for a person's eyes, whatever it holds."""
    return column.decode("utf-8", "backslashreplace") if isinstance(column, bytes) else repr(column)
