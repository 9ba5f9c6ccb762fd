"""What a worked example holds once it is read: prices, account, meters, and the charges as a book-keeper expects them.

Quantities are integers of Wh (or litres), prices micro-yuan, money nano-yuan, as everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from zoneinfo import ZoneInfo

from edge.billing.days import Days
from edge.billing.spans import Rules
from edge.billing.tariff import Version
from edge.state import Counter, Mark


@dataclass
class MeterSheet:
    """One meter and what it showed when."""

    multiplier: int = 1
    full_scale_wh: int = 1_000_000_000
    borders: bool = False
    marks: list[Mark] = field(default_factory=list)

    def between(self, first: datetime, last: datetime) -> list[Mark]:
        """The readings of a charge, both ends included."""
        at = [int(each.timestamp()) * 1_000_000 for each in (first, last)]
        found = [mark for mark in self.marks if at[0] <= mark.at <= at[1]]
        if [found[0].at, found[-1].at] != at:
            raise ValueError("a charge must begin and end with a reading")
        return found


@dataclass(frozen=True)
class LineSheet:
    """One expected line."""

    version: int
    kind: str
    name: str
    wh: int
    price_micro: int
    amount_nano: int


@dataclass
class ChargeSheet:
    """One expected charge; `between` are the marks at which it was cut, `refused` is the rule of one that must not be
    made at all."""

    meter: str
    first: datetime
    last: datetime
    lines: list[LineSheet] = field(default_factory=list)
    between: list[Mark] = field(default_factory=list)
    guessed: list[str] = field(default_factory=list)
    sum_fen: int = 0
    sum_nano: int | None = None
    counter: Counter | None = None
    refused: str | None = None


@dataclass
class DaySheet:
    """A day as the gateway must close it."""

    day: date
    fees_nano: list[int] = field(default_factory=list)
    opening_nano: int | None = None
    closing_nano: int | None = None
    deferred: list[str] = field(default_factory=list)


@dataclass
class Ledger:
    """One file."""

    title: str = ""
    how: str = ""
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("Asia/Shanghai"))
    unit: str = "kWh"
    versions: list[Version] = field(default_factory=list)
    days: Days = field(default_factory=Days)
    since: date | None = None
    category: str | None = None
    money_nano: int | None = None
    counter: Counter = field(default_factory=Counter)
    meters: dict[str, MeterSheet] = field(default_factory=dict)
    charges: list[ChargeSheet] = field(default_factory=list)
    closings: list[DaySheet] = field(default_factory=list)
    gateway: bool = False
    off: tuple[datetime, datetime] | None = None
    """While the gateway was without power."""
    all_nano: int | None = None
    all_fen: int = 0

    def rules(self, meter: MeterSheet) -> Rules:
        return Rules(self.versions, self.zone, self.days, meter.borders)
