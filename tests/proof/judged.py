"""What must be so on every disk that a cut leaves: what was told stands there, and nothing stands there by half.

The story's own book, as it ended, is the measure: a disk after a cut holds its first entries, to the hash, ends where
an append ended, and ends no earlier than the outside was told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.proof.opened import Found
from tests.proof.tape import Change, Kind

DONE = ("done", "accepted")


@dataclass
class Told:
    """What the outside knows at a place of the tape."""

    seq: int = 0
    why: str = "nothing"
    sweep: int = 0
    answered: list[str] = field(default_factory=list)

    def hear(self, words: dict[str, Any]) -> None:
        """One mark."""
        if "told" not in words:
            return
        if words["told"] > self.seq:
            self.seq, self.why = (
                words["told"],
                str({k: v for k, v in words.items() if k not in ("told", "hash")} or "a fact"),
            )
        self.sweep = max(self.sweep, words.get("sweep", 0))
        answer = words.get("answer")
        if answer is not None and answer["status"] in DONE:
            self.answered.append(answer["transaction"])


class Story:
    """The tape as a whole: where appends ended, and what the book became."""

    def __init__(
        self, tape: Sequence[Change], hashes: Sequence[str], kinds: Sequence[str], ids: Sequence[str], begun_at: int = 0
    ):
        """`begun_at` is the entry with which the book ended when the tape began."""
        self.tape, self._hashes, self._kinds = tape, hashes, kinds
        marks = [change.words for change in tape if change.kind is Kind.MARK]
        self._ends = {begun_at} | {words["group"][1] for words in marks if "group" in words}
        self.payments = {id.partition(":")[2] for id, kind in zip(ids, kinds, strict=True) if kind == "topup/1"}

    def impossible(self, words: dict[str, Any]) -> str | None:
        """A mark that must never come, whatever the disk does: a trip whose evidence is not the newest entry."""
        if words.get("order") == "trip" and self._kinds[words["told"] - 1] != "trip/1":
            return f"a trip's bytes left, and entry {words['told']} is {self._kinds[words['told'] - 1]} (I7)"
        return None

    def wrong(self, found: Found, told: Told) -> tuple[str, str] | None:
        """(which promise, a sentence), or None where all of them are kept."""
        if found.unreadable is not None:
            return "unreadable", found.unreadable
        lost = [t for t in told.answered if t in self.payments and f"shell:{t}" not in found.ids]
        if lost:
            return "lost", f"payments {lost} were answered and are gone"
        if found.seq < told.seq:
            return "lost", f"the book ends at entry {found.seq}, and {told.why} told of entry {told.seq}"
        if found.newest_sweep < told.sweep:
            return "lost", f"readings end at sweep {found.newest_sweep}, and sweep {told.sweep} was published"
        if found.hashes != list(self._hashes[: found.seq]):
            return "half", "the entries are not those that were written"
        if found.seq not in self._ends:
            return "half", f"the book ends at entry {found.seq}, in the middle of what was written together"
        return None if found.trouble is None else ("half", found.trouble)
