"""What the book says of a tenant besides registers and balances: agreements on money, and protections by people."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from zoneinfo import ZoneInfo

from bridge.contract.units import instant_of_micros, wall_time


@dataclass(frozen=True)
class Protection:
    """A person's word that a tenant is not cut until an instant (R3)."""

    kind: str
    why: str
    by: str
    since: int
    until: int
    seq: int

    def words(self, zone: ZoneInfo, valve: bool) -> str:
        """One sentence of what a person said, about a meter with a relay or a valve."""
        until = wall_time(instant_of_micros(self.until), zone)
        if self.kind == "dispute":
            return f"the bill is disputed: {self.why} (until {until}, says {self.by})"
        if valve:
            return f"water is kept on: {self.why} (until {until}, says {self.by})"
        return f"power is kept on: {self.why} (until {until}, says {self.by})"


GAP_US = 24 * 3600 * 1_000_000
"""A protection given within a day after the last one ended goes on with it: lifted and set anew is a renewal too."""


@dataclass(frozen=True)
class Kept:
    """Since when people have protected a tenant without a break, be it for this reason or that (R3)."""

    since: int
    until: int
    """The end of the last one so far; it may have passed."""
    renewed: int
    by: tuple[str, ...]
    """Each person once, who gave the first one first."""

    def given(self, at: int, who: str) -> Kept:
        """One more protection."""
        if at > self.until + GAP_US:
            return begun(at, who)
        return replace(self, renewed=self.renewed + 1, by=self.by if who in self.by else (*self.by, who))


def begun(at: int, who: str) -> Kept:
    return Kept(at, at, 0, (who,))


@dataclass(frozen=True)
class Agreement:
    """How an agreed debt is paid off (R16), and what was in the week that began on the local day `week`."""

    share_percent: int
    weekly_cap_nano: int
    week: date | None = None
    repaid_nano: int = 0


@dataclass
class Purse:
    """What the money acts must know of an account besides its ledger."""

    reversed: set[int] = field(default_factory=set)
    """Seqs of top-ups that were taken back (R12)."""
    lent_seq: int = 0
    """The newest emergency credit."""
    agreement: Agreement | None = None
    brought_in: bool = False
    ended_at: int | None = None
    """Settled: no charge and no money any more (R33)."""
