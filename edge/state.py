"""What the book says now. State is a fold of the journal and nothing else; `fold.apply` is its only writer."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from edge.billing.days import Days
from edge.holds import LOCKOUT, Hold, Ordered, Unanswered
from edge.purse import Kept, Protection, Purse
from edge.restored import Restored
from edge.waiting import Run, Waiting

Registers = dict[str, int]
"""A meter's own registers before the multiplier: `total`, and the rates it has; in Wh, or in litres where it counts
water."""

DAYS_KEPT = 7
"""An estimate is the mean of so many days (R24)."""
AILMENTS = {"battery-low": "battery-good", "valve-fault": "valve-good", "purse-counts": "purse-off"}
"""What a meter can say is wrong with it, and the alarm that takes it back."""


@dataclass(frozen=True)
class Mark:
    """Registers at an instant (microseconds since 1970 UTC), and how they were obtained."""

    registers_wh: Registers
    at: int
    source: str


@dataclass(frozen=True)
class Counter:
    """What an account has used of its step period, which began on the local day `period` (R29).

    `others` are periods beside it, (first day, used), where several meters share the counter: one that is charged late
    goes on in the period in which it was used.
    """

    period: date | None = None
    used_wh: int = 0
    others: tuple[tuple[date, int], ...] = ()


@dataclass(frozen=True)
class Cover:
    """What a meter said of one of its covers: how often it was opened, and whether it stands open."""

    count: int
    is_open: bool


@dataclass
class MeterState:
    """One metering point and what is installed there."""

    id: str
    row: dict[str, Any]
    account: str | None = None
    billed: Mark | None = None
    borders: list[Mark] = field(default_factory=list)
    """Readings at the borders of hours since it was charged last (R28)."""
    proven: Mark | None = None
    """The last register it was charged to that it said itself: later than that it was only estimated."""
    days: list[Registers] = field(default_factory=list)
    """What it used on its last whole days that no guess has part in, at most `DAYS_KEPT` (R24)."""
    estimated_days: int = 0
    """Days in a row that were charged on an estimate; 0 once a real register has settled them."""
    table_differs: bool = False
    """Its hours are told apart by readings at their borders: its own time table is not that of its price (R28)."""
    table_found: bool | None = None
    """Whether its time table differed when it was compared last; counts from where the next charge begins."""
    holds: dict[str, Hold] = field(default_factory=dict)
    ordered: Ordered | None = None
    observed: str = "unknown"
    observed_since: int | None = None
    known: str | None = None
    """How the relay stood when that was last known, open or closed: a change is one also across a time of `unknown`."""
    known_since: int | None = None
    quarantined: str | None = None
    quarantined_wh: int | None = None
    released_at: int | None = None
    """When a person took the doubted register as it is; what was read before judges nothing, until it is charged."""
    serial: str | None = None
    """The number the meter must read back before a trip: from the site file, else as read when it was opened."""
    restore: str | None = None
    """Why supply is to be closed again (I10); None once the relay was read back closed, or a new hold was set."""
    waiting: Waiting | None = None
    """Since when, of the newest such cause (I9)."""
    trips: list[int] = field(default_factory=list)
    clock_set_at: int | None = None
    covers: dict[str, Cover] = field(default_factory=dict)
    """By question, `cover` and `terminal-cover`; empty until they were looked at."""
    ailing: set[str] = field(default_factory=set)
    """What was told to be wrong with it and not taken back, of `AILMENTS`."""
    since: int = 0
    """Readings up to then are another meter's, or of another multiplier (R22, R23)."""
    changing: str | None = None
    """The proposal that waits to replace it or to change its multiplier: until it is decided nothing is charged on."""
    vacant: Mark | None = None
    """Where the last tenancy ended, from the next one's begin until its opening: used since then by nobody's bill."""

    @property
    def held_off(self) -> bool:
        """True while a hold stands by which it is to be off; any hold keeps it from being closed (R5)."""
        return any(hold.off for hold in self.holds.values())

    @property
    def held_by_people(self) -> bool:
        """True while one of them is a person's, which a payment does not lift."""
        return any(hold.off and hold.by_person for hold in self.holds.values())

    @property
    def lock(self) -> Hold | None:
        """The maintenance lock: nothing closes and nobody is cut for arrears while hands are at the wires (I7, I10)."""
        return self.holds.get(LOCKOUT)

    @property
    def multiplier(self) -> int:
        return self.row["multiplier"]


@dataclass(frozen=True)
class Final:
    """A final warning: its entry, when it was given, and since which powered second it counts as delivered."""

    seq: int
    at: int
    delivered_seq: int | None = None
    delivered_at: int | None = None
    delivered_by: str | None = None
    delivered_powered_s: int | None = None


@dataclass
class AccountState:
    """One tenancy."""

    id: str
    row: dict[str, Any]
    level: int = 0
    level_at: int = 0
    """When that level was told last, and how often it was told again (R9)."""
    level_repeats: int = 0
    protections: dict[str, Protection] = field(default_factory=dict)
    """By kind; one whose time is over says nothing any more."""
    episode: int = 0
    final: Final | None = None
    closed_through: date | None = None
    closing_nano: int = 0
    counters: dict[str, Counter] = field(default_factory=dict)
    """By unit, what it has used of its step period (R29)."""
    last_money_seq: int = 0
    paid_seq: int = 0
    """The newest entry that brought it money: a final warning of before is taken back (R1)."""
    since_believed: bool = True
    """Its `since` was taken from a calendar that was believed; else its days begin with the first believed entry."""
    purse: Purse = field(default_factory=Purse)
    open_charges: list[str] = field(default_factory=list)
    """Charges since its last closing: of a meter that was replaced, or whose multiplier changed, within the day."""
    kept: Kept | None = None
    """Its newest protections in a row."""
    way: Ordered | None = None  # by which its supply comes back, where a person chose it since

    @property
    def warned(self) -> bool:
        """A final warning stands and was delivered: without that nobody is cut, whatever else is so (R1)."""
        return self.final is not None and self.final.delivered_seq is not None

    def protected(self, at: int) -> list[Protection]:
        """The protections that stand at an instant, the one that ends last first."""
        standing = [each for each in self.protections.values() if at < each.until]
        return sorted(standing, key=lambda each: -each.until)

    @property
    def ended(self) -> bool:
        """Settled: it is charged nothing and takes no money (R33)."""
        return self.purse.ended_at is not None

    @property
    def meters(self) -> list[str]:
        """The meters that it pays for now; none once the tenancy has ended."""
        return [] if self.ended else self.row["meters"]


@dataclass(frozen=True)
class Decision:
    """What became of a proposal, and by whom."""

    approved: bool
    who: str
    role: str
    why: str
    at: int
    seq: int


@dataclass
class Proposal:
    """Something that a person wants done and another one must approve before `until` (R32). `body` is of the kind
    `what`."""

    id: str
    what: str
    body: dict[str, Any]
    who: str
    role: str
    at: int
    until: int
    seq: int
    decision: Decision | None = None
    login: str | None = None
    """The operating system's user who proposed it from a shell."""


@dataclass
class State:
    """The whole fold."""

    seq: int = 0
    hash: str = "0" * 64
    genesis: dict[str, Any] = field(default_factory=dict)
    ledger: dict[str, int] = field(default_factory=dict)
    meters: dict[str, MeterState] = field(default_factory=dict)
    accounts: dict[str, AccountState] = field(default_factory=dict)
    tariffs: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    days: Days = field(default_factory=Days)
    """The holidays and make-up days by which prices tell days apart."""
    proposals: dict[str, Proposal] = field(default_factory=dict)
    """Also those that were decided: whoever asks again hears what became of it."""
    takings: dict[str, tuple[str, int]] = field(default_factory=dict)
    """By person (`people.folded`): the local day (YYYYMMDD) of their newest top-up, and the fen taken on it (R15)."""
    cuts: dict[str, list[int]] = field(default_factory=dict)
    """By meter, the powered seconds of its newest cuts for arrears since the brake was last released (R4): a calendar
    that is put right makes no hour pass."""
    unanswered: dict[str, Unanswered] = field(default_factory=dict)
    """By entry id, in the order in which they were asked."""
    brake: str | None = None
    installed_seq: int = 0
    unknown_kinds: set[str] = field(default_factory=set)
    newest_at: int = 0
    believed_since: int = 0
    recovering: str | None = None
    restored: Restored | None = None
    run: Run | None = None

    @property
    def epoch(self) -> str | None:
        """What tells this book from every other one of its gateway; None of an empty book."""
        return self.genesis.get("epoch") if self.restored is None else self.restored.epoch

    def posted_nano(self, account: str) -> int:
        """The tenant's posted balance."""
        return self.ledger.get(f"account:{account}", 0)

    def owed_nano(self, what: str, account: str) -> int:
        """What a tenant owes beside the balance: `CREDIT` or `DEBT` (R16)."""
        return -self.ledger.get(what + account, 0)
