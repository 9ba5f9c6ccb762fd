"""A second account of a book, kept by whoever checks it: what each entry must find, by the documented meaning of its
kind. Nothing of the edge is imported here, nor in `rows.py` and `invariants.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from tests.simulate.points import Point, Tenancy
from tests.simulate.rows import TENANT, Entry, us_of

FIRST = "0" * 64
WAYS = ("meter/1", "replacement/1", "account/1", "exit/1", "close-way/1", "hold/1", "relay/1")
"""Entries after which a meter's supply may come back in another way."""


@dataclass
class Known:
    """Everything up to entry `seq`."""

    seq: int = 0
    zone: ZoneInfo | None = None
    hash: str = FIRST
    boot: str = ""
    mono_ns: int = 0
    trusted_us: int = 0  # The newest time of all that was believed.
    ledger: dict[str, int] = field(default_factory=dict)
    points: dict[str, Point] = field(default_factory=dict)
    tenancies: dict[str, Tenancy] = field(default_factory=dict)
    versions: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    proposals: dict[str, tuple[int, str, str]] = field(default_factory=dict)
    asked: dict[str, dict[str, Any]] = field(default_factory=dict)
    """What each proposal is for, word for word."""
    decided: set[str] = field(default_factory=set)
    approved: dict[str, str] = field(default_factory=dict)
    carried: dict[str, int] = field(default_factory=dict)
    """By which entry an approved proposal was carried out."""
    receipts: dict[int, dict[str, Any]] = field(default_factory=dict)
    """Payments by the number of their entry."""
    reversed: set[int] = field(default_factory=set)
    topups: dict[str, list[Entry]] = field(default_factory=dict)
    """By the payer's own number."""
    modes: dict[str, str] = field(default_factory=dict)
    """Mode by start."""
    recovering: bool = False
    restored: dict[str, tuple[int, str, int]] = field(default_factory=dict)
    """Meters whose light is to come back: (seq, start, monotonic ns) of the cause."""
    told: dict[str, str] = field(default_factory=dict)
    """Those of them that somebody was told of, with the start in which that was."""
    kinds: dict[str, int] = field(default_factory=dict)
    counted: dict[str, dict[str, int]] = field(default_factory=dict)
    """By account, what was charged in each period of a price with steps, in Wh, by its first day."""
    lost_count: set[tuple[str, str]] = field(default_factory=set)
    """Accounts and periods of which that cannot be told: a charge with several prices spans two of them."""

    def wallet(self, account: str) -> int:
        return self.ledger.get(TENANT + account, 0)

    def way(self, meter: str) -> str:
        """How its supply comes back, direct or by a permission (R6): by its tenant's word, else as it is wired."""
        point = self.points[meter]
        tenancy = self.tenancies.get(point.account or "")
        wired: str = point.row["relay"]
        return (point.left if tenancy is None else tenancy.close) or wired

    def settled(self, meter: str) -> None:
        """Nobody waits for its light any more."""
        self.points[meter].waits = False
        self.restored.pop(meter, None)
        self.told.pop(meter, None)

    def take(self, entry: Entry) -> None:
        """Go on to the next entry."""
        f = entry.fields
        self.kinds[entry.kind] = self.kinds.get(entry.kind, 0) + 1
        for move in f.get("moves", ()):
            for side, sign in (("from", -1), ("to", 1)):
                self.ledger[move[side]] = self.ledger.get(move[side], 0) + sign * move["amount_nano"]
                if move[side].startswith(TENANT) and move[side][len(TENANT) :] in self.tenancies:
                    self.tenancies[move[side][len(TENANT) :]].money_seq = entry.seq
        if "proposal" in f and entry.kind not in ("proposal/1", "decision/1"):
            self.carried[f["proposal"]] = entry.seq
        taker = _TAKES.get(entry.kind)
        if taker is not None:
            taker(self, entry, f)
        if entry.kind in WAYS:
            for meter in [f["meter"]] if "meter" in f else self.tenancies[f["account"]].meters:
                ways, way = self.points[meter].ways, self.way(meter)
                if not ways or ways[-1][1] != way:
                    ways.append((entry.seq, way))
        self.seq, self.hash, self.boot, self.mono_ns = entry.seq, entry.hash, entry.boot, entry.mono_ns
        self.trusted_us = max(self.trusted_us, entry.at * entry.trusted)


Fields = dict[str, Any]


def _genesis(known: Known, entry: Entry, f: Fields) -> None:
    known.zone = ZoneInfo(f["zone"])


def _meter(known: Known, entry: Entry, f: Fields) -> None:
    known.points[f["meter"]] = Point(f, f["multiplier"])


def _account(known: Known, entry: Entry, f: Fields) -> None:
    known.tenancies[f["account"]] = Tenancy(list(f["meters"]), f["tariff"], us_of(f["since"]), f.get("close"))
    for meter in f["meters"]:
        known.points[meter].account, known.points[meter].opened = f["account"], False
        known.points[meter].left = None


def _close_way(known: Known, entry: Entry, f: Fields) -> None:
    known.tenancies[f["account"]].close = f["close"]


def _tariff(known: Known, entry: Entry, f: Fields) -> None:
    known.versions.setdefault(f["tariff"], []).append(f)


def _mark(known: Known, entry: Entry, f: Fields) -> None:
    point = known.points[f["meter"]]
    point.registers, point.at_us, point.source = f["registers_wh"], us_of(f["at"]), f["source"]


def _opening(known: Known, entry: Entry, f: Fields) -> None:
    _mark(known, entry, f)
    known.points[f["meter"]].opened = True


def _exit(known: Known, entry: Entry, f: Fields) -> None:
    tenancy = known.tenancies[f["account"]]
    tenancy.ended, tenancy.final_seq, tenancy.delivered_seq = entry.seq, None, None
    for point in map(known.points.__getitem__, tenancy.meters):
        point.account, point.left = None, tenancy.close if point.waits else None


def _reversal(known: Known, entry: Entry, f: Fields) -> None:
    known.reversed.add(f["original"])


def _replacement(known: Known, entry: Entry, f: Fields) -> None:
    _opening(known, entry, f)
    point = known.points[f["meter"]]
    point.row, point.since_us, point.observed = f["row"], us_of(f["at"]), "unknown"
    point.quarantined, point.left, point.waits = False, None, not point.holds


def _ratio(known: Known, entry: Entry, f: Fields) -> None:
    _mark(known, entry, f)
    known.points[f["meter"]].multiplier = f["multiplier"]


def _charge(known: Known, entry: Entry, f: Fields) -> None:
    point, end = known.points[f["meter"]], f["end"]
    point.registers, point.at_us, point.source = end["registers_wh"], us_of(end["at"]), end["source"]
    known.tenancies[f["account"]].open_charges.append(entry.id)


def _fee(known: Known, entry: Entry, f: Fields) -> None:
    known.tenancies[f["account"]].open_fees.append(entry.id)


def _closing(known: Known, entry: Entry, f: Fields) -> None:
    tenancy = known.tenancies[f["account"]]
    tenancy.closed, tenancy.closing_nano = date.fromisoformat(f["date"]), f["closing_nano"]
    tenancy.open_charges, tenancy.open_fees = [], []


def _quarantine(known: Known, entry: Entry, f: Fields) -> None:
    known.points[f["meter"]].quarantined = True


def _release(known: Known, entry: Entry, f: Fields) -> None:
    known.points[f["meter"]].quarantined = False


def _proposal(known: Known, entry: Entry, f: Fields) -> None:
    known.proposals[f["proposal"]] = entry.seq, f["who"], f["what"]
    known.asked[f["proposal"]] = f["body"]


def _decision(known: Known, entry: Entry, f: Fields) -> None:
    known.decided.add(f["proposal"])
    if f["approved"]:
        known.approved[f["proposal"]] = f["who"]


def _topup(known: Known, entry: Entry, f: Fields) -> None:
    known.topups.setdefault(f["reference"], []).append(entry)
    known.receipts[entry.seq] = f


def _mode(known: Known, entry: Entry, f: Fields) -> None:
    known.modes[entry.boot] = f["mode"]


def _final(known: Known, entry: Entry, f: Fields) -> None:
    tenancy = known.tenancies[f["account"]]
    tenancy.episode, tenancy.final_seq, tenancy.delivered_seq = f["episode"], entry.seq, None


def _delivered(known: Known, entry: Entry, f: Fields) -> None:
    tenancy = known.tenancies[f["account"]]
    if f["episode"] == tenancy.episode and tenancy.final_seq is not None:
        tenancy.delivered_seq = entry.seq


def _cancelled(known: Known, entry: Entry, f: Fields) -> None:
    known.tenancies[f["account"]].final_seq = known.tenancies[f["account"]].delivered_seq = None


def _trip(known: Known, entry: Entry, f: Fields) -> None:
    if f["cause"] == "arrears":
        known.points[f["meter"]].holds.add("arrears")
        known.settled(f["meter"])


def _withdrawn(known: Known, entry: Entry, f: Fields) -> None:
    known.points[f["meter"]].holds.discard("arrears")


def _hold(known: Known, entry: Entry, f: Fields) -> None:
    point, began = known.points[f["meter"]], known.restored.get(f["meter"])
    (point.holds.add if f["set"] else point.holds.discard)(f["hold"])
    wanted = not f["set"] and not point.holds
    waits = wanted and point.observed == "open"
    # Who waits already, in this start or with somebody told, whatever start that was in, does not wait anew.
    if not waits or began is None or (f["meter"] not in known.told and entry.boot != began[1]):
        known.settled(f["meter"])
        if waits:
            known.restored[f["meter"]] = entry.seq, entry.boot, entry.mono_ns
    point.waits = wanted
    if wanted and not (f.get("operation") == "unlock" and point.account is None):
        point.left = None  # A lock that comes and goes in an empty room asks for no light.


def _relay(known: Known, entry: Entry, f: Fields) -> None:
    known.points[f["meter"]].observed = f["observed"]
    if f["observed"] == "closed":
        known.points[f["meter"]].left = None
        known.settled(f["meter"])


def _alarm(known: Known, entry: Entry, f: Fields) -> None:
    if f["alarm"] in ("paid-and-dark", "not-following") and "meter" in f:
        known.told[f["meter"]] = entry.boot


_TAKES = {
    "genesis/1": _genesis, "meter/1": _meter, "account/1": _account, "tariff/1": _tariff, "tariff/2": _tariff,
    "opening/1": _opening, "replacement/1": _replacement, "ratio/1": _ratio, "charge/1": _charge, "charge/2": _charge,
    "fee/1": _fee, "closing/1": _closing, "quarantine/1": _quarantine, "release/1": _release, "proposal/1": _proposal,
    "decision/1": _decision, "topup/1": _topup, "mode/1": _mode, "final/1": _final, "delivered/1": _delivered,
    "cancelled/1": _cancelled, "trip/1": _trip, "withdrawn/1": _withdrawn, "alarm/1": _alarm, "hold/1": _hold,
    "relay/1": _relay, "exit/1": _exit, "reversal/1": _reversal, "close-way/1": _close_way,
}  # fmt: skip
