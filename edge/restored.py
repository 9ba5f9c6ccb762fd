"""What the book says of its newest restore: which epoch it took over from, and what came back of it. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from bridge.contract.units import instant_of, wall_time


@dataclass
class Restored:
    """A restore. `before` is the former epoch, which this book knows up to its entry `seq`."""

    epoch: str
    before: str
    seq: int
    hash: str
    made_at: str
    heard: int
    """The newest entry of the former epoch that was brought back or shown."""
    through: int | None = None
    """An archive said that it has nothing beyond this entry."""
    holes: int = 0
    brought: dict[str, tuple[int, int]] = field(default_factory=dict)
    """By the begin of its hash: (its number in the former epoch, the entry here that it came back as)."""
    missed: list[int] = field(default_factory=list)
    """The entries here that tell of one that a person must look at."""
    settled: set[str] = field(default_factory=set)
    """The accounts here that were settled in the former epoch."""

    def here(self, former_seq: int) -> list[int]:
        """The numbers that an entry of the former epoch may have here; of a book restored twice there may be two."""
        if former_seq <= self.seq:
            return [former_seq]
        return [here for seq, here in self.brought.values() if seq == former_seq]

    @property
    def again(self) -> set[int]:
        """The entries here that were written again."""
        return {here for _, here in self.brought.values()}


def is_former(restored: Restored | None, seq: int) -> bool:
    """True of an entry that stood in the backup, or came back of what the book lost."""
    return restored is not None and (seq <= restored.seq or seq in restored.again)


def why(made_at: str, seq: int, zone: str) -> str:
    """Why nobody is cut; a person takes it back."""
    made = wall_time(instant_of(made_at), ZoneInfo(zone))
    return f"restored from the backup of {made}, which ends at entry {seq}: payments made since then may be missing"


def mark_of(digest: str) -> str:
    """The begin of a former entry's hash, by which it is known again."""
    return digest[:16]
