"""Who is paid and waits for supply: since when, and when a person was told of it last (I9). Pure, no clock.

Counted in line seconds of the gateway's life (`Core.line_s`), for that is what an order takes; nobody waits on it while
it has no power. Each start writes down how many there were (`start/1`), and each entry when it was written within its
run: so the book itself says at which of them a cause to close was booked, and no restart makes anybody wait anew.
"""

from __future__ import annotations

from dataclasses import dataclass

from edge.entry import Entry

NANO = 1_000_000_000


@dataclass(frozen=True)
class Run:
    """A start of the edge: the line seconds that the gateway had run until then, and the run's own time of it."""

    boot: str
    line_s: int
    mono_ns: int

    def line_s_of(self, entry: Entry) -> int | None:
        """The line second of an entry, rounded up so that nothing that waits for it is due too early; None for one of
        another run."""
        return self.line_s - (self.mono_ns - entry.mono_ns) // NANO if entry.boot == self.boot else None


@dataclass(frozen=True)
class Waiting:
    """Line seconds; None where the book does not say it, as one of an earlier Riser."""

    since_s: int | None = None
    told_s: int | None = None
    way: str | None = None
    """How a tenant who has left since wanted it closed (R6)."""
    of_backup: bool = False
    """The cause stood in a backup that was restored since: it may have been taken back after that (R5)."""
