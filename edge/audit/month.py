"""A month of one account, as data: registers, money, every posting, sums per rate and step, prices. Pure.

A posting belongs to its day: a charge and a fee to the day they close, all else to the local day on which it was
written. So a day that is closed after midnight stands in its own month, and one month ends where the next begins.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from bridge.contract.entries import PRICED, REPLACED, TARIFFS, TENANT
from bridge.contract.month import Sum, add
from bridge.contract.month import dated as in_order
from bridge.contract.units import instant_of, instant_of_micros
from edge.billing.money import net_nano
from edge.book import Entry

Fields = dict[str, Any]


@dataclass
class Posting:
    """One entry that moved the tenant's money: nano-yuan in (or, below 0, out), and the balance after it."""

    day: date
    seq: int
    id: str
    kind: str
    amount_nano: int
    balance_nano: int = 0
    meter: str = ""
    guessed: bool = False
    detail: str = ""


@dataclass
class MeterMonth:
    """What a meter's registers were when the month began and ended for this account; None while it was not charged."""

    meter: str
    unit: str
    multiplier: int
    opening: Fields | None
    closing: Fields | None = None
    wh: int = 0


@dataclass
class Month:
    """The statement. `first` and `last` are local days."""

    account: Fields
    zone: ZoneInfo
    first: date
    last: date
    opening_nano: int = 0
    closing_nano: int = 0
    closed_through: date | None = None
    ended: bool = False
    meters: list[MeterMonth] = field(default_factory=list)
    postings: list[Posting] = field(default_factory=list)
    sums: list[Sum] = field(default_factory=list)
    prices: list[Entry] = field(default_factory=list)
    newest_seq: int = 0
    newest_hash: str = ""

    @property
    def out_nano(self) -> int:
        return -sum(each.amount_nano for each in self.postings if each.amount_nano < 0)

    @property
    def in_nano(self) -> int:
        return sum(each.amount_nano for each in self.postings if each.amount_nano > 0)


def gathered(entries: Iterable[Entry], account: str, zone: ZoneInfo, first: date, last: date) -> Month | None:
    """The month of an account out of the book's entries in order; None where there is no such account."""
    found: Month | None = None
    meters: dict[str, MeterMonth] = {}
    tariffs: dict[tuple[str, int], Entry] = {}
    for entry, day in dated(entries, zone):
        fields = entry.fields
        if entry.kind in TARIFFS:
            tariffs[fields["tariff"], fields["version"]] = entry
        elif entry.kind == "opening/1":
            # One before this tenancy, after it, or after this month is another statement's.
            if found is not None and not found.ended and day <= last:
                meters[fields["meter"]] = MeterMonth(fields["meter"], "kWh", 1, fields)
        elif entry.kind == "account/1" and fields["account"] == account:
            found = Month(fields, zone, first, last)
        elif entry.kind in REPLACED and found is not None and not found.ended:
            _anew(found, fields, meters)
        elif found is not None:
            _taken(found, entry, day, meters, account)
    if found is None:
        return None
    found.postings.sort(key=lambda posting: (posting.day, posting.seq))
    balance = found.opening_nano
    for posting in found.postings:
        balance += posting.amount_nano
        posting.balance_nano = balance
    found.closing_nano = balance
    spans = [*found.meters, *(meters[id] for id in found.account["meters"] if id in meters)]
    found.meters = [each for id in found.account["meters"] for each in spans if each.meter == id]
    used = {(each.tariff, each.version) for each in found.sums}
    found.prices = [tariffs[key] for key in sorted(used & tariffs.keys())]
    return found


def _anew(month: Month, fields: Fields, meters: dict[str, MeterMonth]) -> None:
    """Another meter, or another multiplier: a span of its own on the statement, from its own register on."""
    day = instant_of(fields["at"]).astimezone(month.zone).date()
    if day > month.last:
        return
    before = meters.pop(fields["meter"], None)
    if before is not None and before.closing is not None:
        month.meters.append(before)
    unit = "m3" if fields.get("unit") == "L" else "kWh"
    multiplier = fields["multiplier"] if "multiplier" in fields else fields["row"]["multiplier"]
    meters[fields["meter"]] = MeterMonth(fields["meter"], unit, multiplier, fields)


def _taken(month: Month, entry: Entry, day: date, meters: dict[str, MeterMonth], account: str) -> None:
    fields = entry.fields
    amount = net_nano(TENANT + account, fields.get("moves", ()))
    own = fields.get("account") == account
    if entry.kind == "closing/1" and own and day <= month.last:
        month.closed_through = day
    month.ended |= entry.kind == "exit/1" and own
    if entry.kind in PRICED and own:
        _charged(month, fields, day, meters)
    elif entry.kind == "fee/1" and own and month.first <= day <= month.last:
        # A fee's price is per day and whole nano-yuan: it is shown as an amount, its micro-price is nobody's.
        key = ("fee", "", fields.get("unit", "kWh"), fields["tariff"], fields["version"], 0)
        add(month.sums, key, 1, fields["amount_nano"])
    if day < month.first:
        month.opening_nano += amount
    elif day <= month.last and (amount or (own and entry.kind in PRICED)):
        month.postings.append(_posting(entry, fields, day, amount))


def dated(entries: Iterable[Entry], zone: ZoneInfo) -> Iterator[tuple[Entry, date]]:
    """Entries in order, each with the local day it belongs to."""
    for entry, at in in_order(entries):
        told = entry.fields.get("date")
        day = date.fromisoformat(told) if isinstance(told, str) else instant_of_micros(at).astimezone(zone).date()
        yield entry, day


def _posting(entry: Entry, fields: Fields, day: date, amount: int) -> Posting:
    detail = fields.get("receipt") or fields.get("reference") or fields.get("why") or ""
    kind = entry.kind.split("/")[0]
    if kind == "charge" and fields.get("unit") == "m3":
        kind = "water-charge"
    return Posting(
        day, entry.seq, entry.id, kind, amount, meter=fields.get("meter", ""), guessed=bool(fields.get("guessed")),
        detail=str(detail),
    )  # fmt: skip


def _charged(month: Month, fields: Fields, day: date, meters: dict[str, MeterMonth]) -> None:
    if day > month.last:
        return
    meter = meters.setdefault(fields["meter"], MeterMonth(fields["meter"], "kWh", 1, fields["start"]))
    meter.unit, meter.multiplier = fields.get("unit", "kWh"), fields["multiplier"]
    if day < month.first:
        meter.opening = fields["end"]
        return
    meter.closing = fields["end"]
    meter.wh += fields["wh"]
    for line in fields["lines"]:
        version = line.get("version", fields["version"])
        told = (line.get("kind", "rate"), line["rate"], fields.get("unit", "kWh"), fields["tariff"], version)
        add(month.sums, (*told, line["price_micro"]), line["wh"], line["amount_nano"])
