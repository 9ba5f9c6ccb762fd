"""Every message there is: its topic, its writer, whether the broker retains it, and its fields.

A topic has one writer. Facts and requests never share a branch. Instants are ISO 8601 with offset, units
stand in the key, an absent value is absent (never 0), and every value can be aged. `docs/mqtt.md` is
written from this file by `python -m bridge.contract.document`.

    <base>/<gateway>/status, info, port/<id>, meters, meter/<id>..., account/<id>...,
    <base>/<gateway>/reading, entry                                                           facts, by the edge
    <base>/<gateway>/request/<op>                                                             by people's programs
    <base>/<gateway>/response/<op>                                                            by the edge
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from bridge.contract.cutting import CUTTING_REQUESTS as CUTTING_REQUESTS
from bridge.contract.cutting import KeptFacts as KeptFacts
from bridge.contract.cutting import Policy as Policy
from bridge.contract.cutting import ProtectionFacts as ProtectionFacts
from bridge.contract.fields import Plain
from bridge.contract.locking import LOCK_REQUESTS as LOCK_REQUESTS
from bridge.contract.message import Message as Message
from bridge.contract.message import Part as Part
from bridge.contract.meter_requests import METER_REQUESTS as METER_REQUESTS
from bridge.contract.money_messages import MONEY_REQUESTS
from bridge.contract.money_messages import TopUp as TopUp
from bridge.contract.port_statistics import PortStatistics as PortStatistics
from bridge.contract.price_facts import DecisionRow as DecisionRow
from bridge.contract.price_facts import ProposalRow as ProposalRow
from bridge.contract.price_facts import Proposals as Proposals
from bridge.contract.price_facts import Tariff as Tariff
from bridge.contract.price_facts import TariffVersion as TariffVersion
from bridge.contract.price_facts import Window as Window
from bridge.contract.price_requests import ApprovePrice as ApprovePrice
from bridge.contract.price_requests import PreviewPrice as PreviewPrice
from bridge.contract.price_requests import ProposePrice as ProposePrice
from bridge.contract.price_requests import RejectPrice as RejectPrice
from bridge.contract.recovering import RECOVERY_REQUESTS, RestoredFacts
from bridge.contract.request import Request as Request
from bridge.contract.switch_requests import SWITCH_REQUESTS
from bridge.contract.switching import HoldFacts as HoldFacts
from bridge.contract.switching import Relay as Relay
from bridge.contract.switching import Valve as Valve
from bridge.contract.tenancy_requests import TENANCY_REQUESTS as TENANCY_REQUESTS

LARGEST = 2**63 - 1
"""The largest number of an entry or reading that a book can hold."""

# --- the gateway ---------------------------------------------------------------------------------------------


class Status(Message):
    """On line or off line; the broker says `offline` itself when the edge is gone (last will)."""

    topic = "status"
    retained = True
    state: Literal["online", "offline"]


class PortFacts(Part):
    id: str
    device: str
    protocol: str
    baud: int
    state: Literal["open", "closed"]
    why: str | None = Field(default=None, description="why the port is closed, in words")
    closed_since: str | None = Field(default=None, description="since when it is closed; its figures are of then")
    meters: int
    read: int = Field(description="meters that answered in the last round")
    round_s: float | None = Field(default=None, description="duration of the last round in seconds of the line")
    round_at: str | None = None
    asked: int = Field(description="requests since start")
    failed: int = Field(description="requests without a good answer since start")


class Info(Message):
    """The gateway itself: version, clock, ports, mode, and the newest seq and hash, by which receivers notice a gap."""

    topic = "info"
    retained = True
    gateway: str
    name: str
    version: str
    at: str
    started_at: str
    zone: str
    clock_trusted: bool
    clock_why: str
    clock_doubt: str | None = Field(
        default=None, description="what speaks against a clock that is trusted: most meters agree on another (R25)"
    )
    mode: Literal["normal", "time", "recovery", "version", "identity", "disk", "book"]
    mode_why: str | None = None
    brake: str | None = Field(default=None, description="why automatic cuts wait for a person (R4), in words")
    seq: int = Field(description="number of the newest entry of the book")
    hash: str = Field(description="hash of that entry")
    epoch: str = Field(description="changes when a book is begun anew, or restored from a backup")
    restored: RestoredFacts | None = None
    sweep: int = Field(description="number of the newest `reading` message")
    meters_installed: int
    meters_read: int = Field(description="meters read in the last round")
    cut_window_open: bool
    cut_window_next: str | None = Field(default=None, description="when automatic cuts become possible, or end, next")
    ports: list[PortFacts]


class MeterRow(Part):
    id: str
    name: str
    model: str
    model_name: str
    protocol: str
    port: str
    address: str
    circuit: int | None = Field(default=None, description="which circuit of a box with one address for many")
    serial: str | None = None
    room: str
    floor: str
    shaft: str
    phases: int
    multiplier: int
    relay: Literal["direct", "permit", "none"] = Field(
        description="how supply comes back (R6), by its tenant's word or else its own; none: nothing switches it"
    )
    button: bool = Field(default=False, description="closing it can be permitted to a person at its button (R6)")
    switch: Literal["relay", "valve"] | None = Field(
        default=None, description="what switches its supply, and which of `meter/<id>/relay` and `.../valve` it has"
    )
    account: str | None = None
    quantities: dict[str, str] = Field(description="each key of `meter/<id>` this meter fills, with its unit")


class Meters(Message):
    """What is installed."""

    topic = "meters"
    retained = True
    meters: list[MeterRow]


# --- meters --------------------------------------------------------------------------------------------------


class MeterFacts(Message):
    """The newest accepted values of one meter, flat. Registers are the meter's own, before the multiplier."""

    topic = "meter/{id}"
    retained = True
    read_at: str | None = None
    quality: Literal["good", "unconfirmed", "quarantined", "unread"]
    quality_why: str | None = None
    energy_wh: int | None = None
    energy_sharp_wh: int | None = None
    energy_peak_wh: int | None = None
    energy_flat_wh: int | None = None
    energy_valley_wh: int | None = None
    power_w: int | None = None
    power_read_at: str | None = None
    voltage_a_v: float | None = None
    voltage_b_v: float | None = None
    voltage_c_v: float | None = None
    amps_a: float | None = None
    amps_b: float | None = None
    amps_c: float | None = None
    power_factor: float | None = None
    frequency_hz: float | None = None
    electrical_read_at: str | None = None
    clock_offset_s: int | None = Field(default=None, description="the meter's clock minus the gateway's")
    clock_read_at: str | None = None
    freeze_at: str | None = Field(default=None, description="the midnight of the newest frozen or border register")
    freeze_energy_wh: int | None = None
    status_word_3: str | None = Field(default=None, description="four hex digits (DL/T 645)")
    volume_l: int | None = Field(default=None, description="a water meter's register, litres")
    valve: Literal["open", "closed", "fault", "unknown"] | None = None
    battery_low: bool | None = Field(default=None, description="a water meter's own word of its battery")
    purse_counts: bool | None = Field(
        default=None, description="the meter says that money or energy is prepaid in it (status word 3, bits 8-9; R14)"
    )
    purse_of: Literal["energy", "money"] | None = Field(
        default=None, description="what is prepaid in it; where it is energy, amounts in money say nothing of it"
    )
    purse_remaining_fen: int | None = Field(default=None, description="balance in the meter's own purse (R14)")
    purse_overdrawn_fen: int | None = None
    purse_count: int | None = Field(default=None, description="how often the meter's own purse was filled (R13)")
    purse_alarm_1_fen: int | None = Field(default=None, description="the meter's own limit for its first alarm")
    purse_alarm_2_fen: int | None = None
    purse_price_micro_per_kwh: int | None = Field(default=None, description="the meter's own price at this hour")
    cover_openings: int | None = Field(default=None, description="how often the meter's cover was opened, by its count")
    cover_open: bool | None = Field(default=None, description="the meter's cover stands open")
    terminal_cover_openings: int | None = None
    terminal_cover_open: bool | None = None
    time_table: Literal["same", "differs"] | None = Field(
        default=None, description="its own time table beside that of its price, as compared last (R28)"
    )
    unbilled_wh: int | None = Field(
        default=None, description="without a tenant: used since `unbilled_since`, charged to nobody (litres for water)"
    )
    unbilled_since: str | None = None
    energy_today_wh: int | None = Field(
        default=None, description="used since the last local midnight, where that is known"
    )


class Availability(Message):
    """Off line only after several missed rounds."""

    topic = "meter/{id}/availability"
    retained = True
    state: Literal["online", "offline"]
    since: str
    why: str | None = None
    how: str | None = Field(
        default=None, description="off line: what came instead of its newest answer, as in `port`; closed: no adapter"
    )


class MeterEvent(Message):
    """Something about a meter that a person may want to know; never retained."""

    topic = "meter/{id}/event"
    retained = False
    at: str
    kind: str = Field(
        description="offline, online, relay-moved, not-following, quarantined, clock-drift, purse-counts, ..."
    )
    text: str
    seq: int | None = None


class ReadingRow(Part):
    meter: str
    read_at: str
    energy_wh: int | None = Field(default=None, description="absent for a water meter")
    volume_l: int | None = Field(default=None, description="a water meter's register, litres")
    power_w: int | None = None
    relay: Literal["closed", "open"] | None = None
    valve: Literal["open", "closed"] | None = Field(default=None, description="a water meter's, instead of `relay`")


class Reading(Message):
    """All accepted readings of a sweep in one message, with its own contiguous number."""

    topic = "reading"
    retained = False
    number: int
    at: str
    replayed: bool = False
    readings: list[ReadingRow]


# --- accounts ------------------------------------------------------------------------------------------------


class Account(Message):
    """Where a tenancy stands. Nano-yuan are exact; `balance` is the available balance floored to fen, for people."""

    topic = "account/{id}"
    retained = True
    at: str
    state: Literal["on", "low1", "low2", "low3", "final", "cut", "held", "keep"]
    balance: float = Field(description="available, yuan, floored to fen")
    available_nano: int = Field(description="posted minus provisional; lent emergency credit is part of it")
    credit_nano: int = Field(default=0, description="emergency credit that is still owed; top-ups repay it first (R16)")
    debt_nano: int = Field(default=0, description="agreed debt beside the balance, repaid by a share of top-ups (R16)")
    debt_share_percent: int | None = Field(default=None, description="of each top-up goes to the debt; absent: no debt")
    debt_weekly_cap_nano: int | None = Field(default=None, description="at most so much in a week; absent: no cap")
    debt_left_nano: int | None = Field(default=None, description="what the cap still allows this week")
    refundable_nano: int | None = Field(default=None, description="at most this can be refunded (R12)")
    ended_at: str | None = Field(default=None, description="the tenancy was settled and takes no money any more (R33)")
    posted_nano: int
    provisional_nano: int = Field(description="used since the last billed register and not yet posted")
    provisional_wh: int
    billed_through: str | None = Field(default=None, description="the local date up to which days are closed")
    level: int = Field(description="0, or the deepest low-balance level that has fired and not re-armed (R9)")
    episode: int = Field(description="arrears episode number")
    load_w: int | None = Field(default=None, description="smoothed load that the forecast uses")
    price_now: str | None = Field(
        default=None, description="yuan for the next kWh: at this hour, in this step, with surcharges"
    )
    step: int | None = Field(default=None, description="the step that the next kWh falls into, from 1 (R29)")
    step_used_wh: int | None = Field(default=None, description="used in this step period, also what is not billed yet")
    step_next_wh: int | None = Field(default=None, description="where the next step begins; absent in the last")
    step_began_on: str | None = Field(default=None, description="the local date on which this step period began")
    water_price_now: str | None = Field(default=None, description="yuan for the next m3")
    water_step: int | None = None
    water_step_used_l: int | None = None
    water_step_next_l: int | None = None
    provisional_l: int | None = Field(default=None, description="water used and not yet posted")
    days_left: float | None = None
    zero_at: str | None = Field(default=None, description="when the balance reaches the cut limit at the load of now")
    final_warning_at: str | None = None
    delivered_at: str | None = None
    delivered_by: str | None = None
    cut_at: str | None = Field(default=None, description="the earliest instant at which supply will be cut unless paid")
    protected_until: str | None = Field(default=None, description="a cut is due but waits until then (R2)")
    blocked: str | None = Field(default=None, description="rule that stands against a cut now, such as R3")
    blocked_why: str | None = None
    restore_above_nano: int = Field(description="supply returns when the available balance rises above this (R6)")
    can_cut: bool = Field(description="false: no meter with a relay")
    needs_telling: bool = Field(
        default=False, description="no meter has a lamp: a final warning counts once a person has told the tenant"
    )
    protections: list[ProtectionFacts] = Field(
        default_factory=list, description="why nobody cuts this tenant whatever the balance, and until when (R3)"
    )
    kept: KeptFacts | None = Field(default=None, description="while one stands: since when, and how often renewed")


class AccountEvent(Message):
    """A step of the prepaid life: level, final warning, delivered, cut, restored, money moved; never retained."""

    topic = "account/{id}/event"
    retained = False
    at: str
    kind: Literal[
        "level", "final-warning", "delivered", "cancelled", "cut", "restored", "topup", "charge", "hold", "fee",
        "opening-balance", "reading-correction", "reversal", "refund", "compensation", "deduction", "correction",
        "credit", "debt", "exit", "protection",
    ]  # fmt: skip
    text: str
    seq: int | None = None
    balance: float | None = None
    level: int | None = None


class AccountRow(Part):
    id: str
    name: str
    room: str
    phone: str
    tariff: str | None = Field(default=None, description="by which its kWh are paid; absent where it has water only")
    water_tariff: str | None = Field(default=None, description="by which its m3 are paid")
    meters: list[str]
    since: str
    category: str | None = Field(default=None, description="which surcharges it pays")
    household: bool = Field(default=False, description="only households have steps (R29)")


class Accounts(Message):
    """Names, rooms and phones; the broker lets only panel and notices read it."""

    topic = "accounts"
    retained = True
    accounts: list[AccountRow]


# --- the book ------------------------------------------------------------------------------------------------


class Entry(Message):
    """The book, in order: every entry once, seq contiguous, each carrying the hash of the one before."""

    topic = "entry"
    retained = False
    seq: int
    id: str
    at: str
    boot: str
    mono_ns: int
    trusted: bool
    kind: str
    body: str = Field(description="the entry's contents as canonical JSON text: the hash covers these very characters")
    prev_hash: str
    hash: str


# --- requests and responses ----------------------------------------------------------------------------------


class Read(Request):
    """Read a meter now. Done with the values."""

    operation = "read"
    meter: str


class Release(Request):
    """Take a meter's doubted register as it is (R20, R21): somebody has looked at the meter. A note is needed."""

    operation = "release"
    meter: str
    why: Plain = Field(min_length=1, max_length=200)


class Brake(Request):
    """Release the brake on a mass cut (R4), by a named person."""

    operation = "brake"
    why: Plain = Field(min_length=1, max_length=200)


class Replay(BaseModel):
    """Send entries and readings again, as plain `entry` and `reading` messages. Needs no signature."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
    operation: ClassVar[str] = "replay"
    transaction: str
    entries_from: int | None = Field(
        default=None, ge=1, le=LARGEST, description="first seq wanted; at most 500 entries are sent"
    )
    readings_from: int | None = Field(
        default=None, ge=1, le=LARGEST, description="first reading number wanted; at most 200 are sent"
    )


_REQUESTS: tuple[type[Request] | type[Replay] | type[PreviewPrice], ...] = (
    *MONEY_REQUESTS, *RECOVERY_REQUESTS, *SWITCH_REQUESTS, Read, Release, Brake, Replay,
    ProposePrice, ApprovePrice, RejectPrice, PreviewPrice, *METER_REQUESTS, *TENANCY_REQUESTS, *CUTTING_REQUESTS,
    *LOCK_REQUESTS,
)  # fmt: skip
REQUESTS = {cls.operation: cls for cls in _REQUESTS}


class Response(Message):
    """The answer to a request, on `response/<op>`. One request may be answered twice: accepted, then done or failed."""

    topic = "response/{id}"
    retained = False
    transaction: str
    key: str | None = Field(default=None, description="the key that signed the request")
    status: Literal["accepted", "refused", "done", "failed"]
    rule: str | None = Field(default=None, description="the rule a refusal names, such as R7")
    error: str | None = Field(default=None, description="one sentence: what happened and what to do")
    data: dict[str, Any] | None = None
    at: str


# --- the other programs --------------------------------------------------------------------------------------


class BridgeStatus(Message):
    """On line or off line, with the last will."""

    topic = "/bridge/status"
    retained = True
    writer = "bridge"
    state: Literal["online", "offline"]


class PanelStatus(Message):
    """On line or off line, with the last will."""

    topic = "/panel/status"
    retained = True
    writer = "panel"
    state: Literal["online", "offline"]


MESSAGES: tuple[type[Message], ...] = (
    Status, Info, PortStatistics, Meters, MeterFacts, Availability, Relay, Valve, MeterEvent, Reading, Account,
    AccountEvent, Accounts, Tariff, Policy, Proposals, Entry, Response, BridgeStatus, PanelStatus,
)  # fmt: skip
"""Every fact that is published, in the order of the documentation."""


class Topics:
    """Full topics for one base and gateway, and the way back from a topic to its parts."""

    def __init__(self, base: str, gateway: str):
        self.base, self.gateway, self.root = base, gateway, f"{base}/{gateway}"

    def of(self, message: type[Message], id: str = "") -> str:
        """The topic of a kind of message; `id` fills the place in braces."""
        filled = message.topic.replace("{id}", id)
        return f"{self.base}{filled}" if filled.startswith("/") else f"{self.root}/{filled}"

    def request(self, operation: str) -> str:
        return f"{self.root}/request/{operation}"

    def response(self, operation: str) -> str:
        return f"{self.root}/response/{operation}"

    def below(self, topic: str) -> list[str] | None:
        """The parts of a topic below this gateway, or None when it is not one of its topics."""
        prefix = self.root + "/"
        return topic[len(prefix) :].split("/") if topic.startswith(prefix) else None
