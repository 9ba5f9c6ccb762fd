"""What the book says of a tenant besides registers and balances: agreements on money, and protections by people."""

from __future__ import annotations

from dataclasses import dataclass, field
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
