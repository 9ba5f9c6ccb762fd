"""A month of one account out of the archive: registers, money, every posting, sums by rate and step. Pure.

The same numbers as `riser statement`, by the same rule: a charge and a fee belong to the day they close, all else to
the local day on which it was written. So one month ends where the next begins.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from bridge.contract.entries import PRICED, REPLACED
from bridge.contract.month import Sum, add
from bridge.contract.month import dated as in_order
from bridge.contract.units import instant_of
from panel.history import Line
from panel.money_told import balance_nano, moved_nano

Fields = dict[str, Any]


@dataclass
class Posting:
    """One entry that moved money: nano-yuan in, or below zero out, and the balance after it."""

    day: date
    line: Line
    amount_nano: int
    balance_nano: int = 0

    @property
    def guessed(self) -> bool:
        """A register of it was worked out."""
        return bool(self.line.body.get("guessed"))


@dataclass
class MeterMonth:
    """A meter's registers when the month began and ended; None while it was not charged."""

    meter: str
    opening: Fields | None
    unit: str = "kWh"
    multiplier: int = 1
    closing: Fields | None = None
    wh: int = 0


@dataclass
class Statement:
    """`first` and `last` are local days; `opening_nano` is what stood before the first of them."""

    account: str
    zone: ZoneInfo
    first: date
    last: date
    opening_nano: int
    meters: dict[str, MeterMonth] = field(default_factory=dict)
    spans: list[MeterMonth] = field(default_factory=list)
    """What the meters were in the month, one after the other where one was replaced or its multiplier changed."""
    closing_nano: int = 0
    closed_through: date | None = None
    begun: bool = False
    ended: bool = False
    postings: list[Posting] = field(default_factory=list)
    sums: list[Sum] = field(default_factory=list)
    adds_up: bool = True
    """The book's own newest balance is what all this comes to, with what followed after the month."""

    @property
    def out_nano(self) -> int:
        return -sum(each.amount_nano for each in self.postings if each.amount_nano < 0)

    @property
    def in_nano(self) -> int:
        return sum(each.amount_nano for each in self.postings if each.amount_nano > 0)

    def take(self, lines: Iterable[Line]) -> None:
        """All that was written behind what `opening_nano` holds, oldest first."""
        total, told = self.opening_nano, None
        for line, day in dated(lines, self.zone):
            amount = moved_nano(line, self.account) or 0
            total += amount
            after = balance_nano(line, self.account) if line.kind != "opening/1" else None
            told = after if after is not None else told
            self._taken(line, day, amount)
        self.postings.sort(key=lambda posting: (posting.day, posting.line.seq))
        balance = self.opening_nano
        for posting in self.postings:
            balance += posting.amount_nano
            posting.balance_nano = balance
        self.closing_nano, self.adds_up = balance, told in (None, total)

    def order(self, meters: Sequence[str]) -> None:
        """The spans by meter, in the order in which the account has its meters."""
        spans = [*self.spans, *(self.meters[meter] for meter in meters if meter in self.meters)]
        self.spans = [each for meter in meters for each in spans if each.meter == meter]

    def _taken(self, line: Line, day: date, amount: int) -> None:
        body, own = line.body, line.account == self.account
        if line.kind == "opening/1":
            if self.begun and day <= self.last and not self.ended:
                self.meters[line.meter or ""] = begun_at(line.meter or "", line.kind, body)
            return
        self.begun |= line.kind == "account/1" and own
        self.ended |= line.kind == "exit/1" and own
        if line.kind in REPLACED and own and not self.ended:
            self._anew(line)
        if line.kind == "closing/1" and own and day <= self.last:
            self.closed_through = day
        if line.kind in PRICED and own:
            self._charged(line, day)
        elif line.kind == "fee/1" and own and self.first <= day <= self.last:
            self._add("fee", "", body, body["version"], 0, 1, body["amount_nano"])
        if day < self.first:
            self.opening_nano += amount
        elif day <= self.last and (amount or (own and line.kind in PRICED)):
            self.postings.append(Posting(day, line, amount))

    def _anew(self, line: Line) -> None:
        """Another meter, or another multiplier: a span of its own, from its own register on."""
        meter = line.meter or ""
        if instant_of(line.body["at"]).astimezone(self.zone).date() > self.last:
            return
        before = self.meters.pop(meter, None)
        if before is not None and before.closing is not None:
            self.spans.append(before)
        self.meters[meter] = begun_at(meter, line.kind, line.body)

    def _charged(self, line: Line, day: date) -> None:
        if day > self.last:
            return
        body = line.body
        meter = self.meters.setdefault(line.meter or "", MeterMonth(line.meter or "", body["start"]))
        meter.unit, meter.multiplier = body.get("unit", "kWh"), body.get("multiplier", 1)
        if day < self.first:
            meter.opening = body["end"]
            return
        meter.closing = body["end"]
        meter.wh += body["wh"]
        for each in body["lines"]:
            version = each.get("version", body.get("version", 0))
            told = each.get("kind", "rate"), each["rate"]
            self._add(*told, body, version, each["price_micro"], each["wh"], each["amount_nano"])

    def _add(
        self, kind: str, rate: str, body: Fields, version: int, price: int, quantity: int, amount: int
    ) -> None:  # fmt: skip
        key = (kind, rate, body.get("unit", "kWh"), body.get("tariff", ""), version, price)
        add(self.sums, key, quantity, amount, body.get("tariff_name") or body.get("tariff", ""))


def begun_at(meter: str, kind: str, body: Fields) -> MeterMonth:
    """A meter whose register stands in an entry: that up to which it was charged, or from which it counts."""
    if kind in PRICED:
        return MeterMonth(meter, body["end"], body.get("unit", "kWh"), body.get("multiplier", 1))
    if kind not in REPLACED:
        return MeterMonth(meter, body)
    times = body["multiplier"] if "multiplier" in body else (body.get("row") or {}).get("multiplier", 1)
    return MeterMonth(meter, body, "m3" if body.get("unit") == "L" else "kWh", times)


def dated(lines: Iterable[Line], zone: ZoneInfo) -> Iterator[tuple[Line, date]]:
    """Entries in order, each with the local day it belongs to."""
    for line, at in in_order(lines):
        told = line.body.get("date")
        yield line, date.fromisoformat(told) if isinstance(told, str) else at.astimezone(zone).date()
