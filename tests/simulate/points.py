"""What a checker keeps of one metering point and of one tenancy (`known.py`)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any


@dataclass
class Point:
    """A metering point as the book has it."""

    row: dict[str, Any]
    multiplier: int
    account: str | None = None
    registers: dict[str, int] | None = None
    """From which the next charge must start."""
    at_us: int = 0
    source: str = ""
    quarantined: bool = False
    since_us: int = 0
    holds: set[str] = field(default_factory=set)
    observed: str = "unknown"
    opened: bool = False
    """A first register stands since the tenant moved in."""
    waits: bool = False
    """A cause to close it stands, and it was not read back closed since."""
    left: str | None = None
    """How the tenant who left while it waited wanted it closed: that stays until another cause or tenant (R6)."""
    ways: list[tuple[int, str]] = field(default_factory=list)
    """From which entry on its supply comes back in which way (R6)."""

    def way_at(self, seq: int) -> str:
        """The way that stood when entry `seq` was the newest."""
        return next(way for since, way in reversed(self.ways) if since <= seq)


@dataclass
class Tenancy:
    meters: list[str]
    tariff: str
    since_us: int
    close: str | None = None
    """How its supply comes back, where its tenant says so."""
    closed: date | None = None
    closing_nano: int | None = None
    open_charges: list[str] = field(default_factory=list)
    open_fees: list[str] = field(default_factory=list)
    money_seq: int = 0
    episode: int = 0
    final_seq: int | None = None
    delivered_seq: int | None = None
    ended: int | None = None
    """The entry with which it was settled."""
