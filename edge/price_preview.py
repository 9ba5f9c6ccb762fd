"""What a price would have cost: applied to the registers of a month's charges, as they stand in the book.

Nothing is stored and nothing estimated anew: the readings, the multipliers and the step counter with which the month
began are those of the bills. The book is read from its end backward, a page at a time, beside the loop's other work.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from bridge.contract.entries import CHARGES
from bridge.contract.units import instant_of, instant_of_micros, micros_of
from edge.billing import rating
from edge.billing.rating import NotRatable
from edge.billing.spans import INTERPOLATED, Rules
from edge.billing.tariff import Version, local_midnight, version_of
from edge.book import Entry
from edge.core import Core
from edge.pricing import ENERGY, by_borders, tariff_id
from edge.state import AccountState, Counter, Mark

PAGE = 200
"""Entries looked at in one go; some milliseconds on a Pi."""

ALWAYS = "2000-01-01T00:00:00+00:00"
"""Since when the previewed price counts: longer than any charge reaches back."""


@dataclass
class Row:
    """One account in the preview."""

    account: AccountState
    charges: list[Entry] = field(default_factory=list)
    days: int = 0
    old_nano: int = 0
    new_nano: int = 0
    wh: int = 0
    bought_nano: int = 0
    interpolated: bool = False
    why: str | None = None


class Preview:
    """One price and one month. `month` is local, such as 2026-10; None is the last whole one."""

    def __init__(self, core: Core, fields: dict[str, Any], month: str | None):
        self._core = core
        self._fields = fields
        self._version: Version = version_of({**fields, "version": 0, "effective_at": ALWAYS})
        self.first, self.next = _month(month, core.now().astimezone(core.terms.zone).date())
        unit, id = self._version.unit, self._version.tariff
        self.accounts = {each.id: Row(each) for each in core.state.accounts.values() if tariff_id(each, unit) == id}

    def work(self, done: Callable[[dict[str, Any]], None]) -> Iterator[None]:
        """A chore of the loop; `done` gets the data of the answer."""
        yield from self._gather()
        for row in self.accounts.values():
            yield from self._price(row)
        done(self._data())

    # --- what was billed ---

    def _gather(self) -> Iterator[None]:
        """The month's entries, newest page first; a day is closed after its end, so nothing older is of the month."""
        begins = micros_of(local_midnight(self.first, self._core.terms.zone))
        top = self._core.book.seq
        while top > 0:
            first = max(1, top - PAGE + 1)
            page = list(self._core.book.entries(first, top - first + 1))
            for entry in reversed(page):
                self._take(entry)
            if any(entry.trusted and entry.at < begins for entry in page):
                return
            top = first - 1
            yield

    def _take(self, entry: Entry) -> None:
        if entry.kind not in (*CHARGES, "fee/1", "closing/1"):
            return
        fields = entry.fields
        day = date.fromisoformat(fields.get("date") or entry.id.rpartition(":")[2])
        row = self.accounts.get(fields["account"])
        if row is None or not self.first <= day < self.next:
            return
        if entry.kind == "closing/1":
            row.days += 1
        elif fields.get("unit", ENERGY) == self._version.unit:
            row.old_nano += fields["amount_nano"]
            if entry.kind != "fee/1":
                row.charges.append(entry)

    # --- what it would be ---

    def _price(self, row: Row) -> Iterator[None]:
        core, version, counter = self._core, self._version, None  # type: Core, Version, Counter | None
        row.new_nano = row.days * version.daily_fee_nano
        for entry in sorted(row.charges, key=lambda each: each.seq):
            fields, meter = entry.fields, core.state.meters[entry.fields["meter"]]
            marks = [_mark(each) for each in (fields["start"], *fields.get("between", ()), fields["end"])]
            rules = Rules(
                [self._version], self._core.terms.zone, self._core.state.days, by_borders(meter, self._version)
            )
            full = fields.get("full_scale_wh") or self._core.lives[meter.id].model.full_scale_wh
            counter = self._begin(fields, marks[0]) if counter is None else counter
            try:
                payer = core.pricing.payer(row.account)
                charge = rating.charge(marks, fields["multiplier"], full, rules, payer, counter)
            except NotRatable as trouble:
                row.why = str(trouble)
                return
            counter = charge.counter
            row.new_nano += rating.amount_nano(charge.lines)
            row.wh += rating.energy_wh(charge.lines)
            row.interpolated |= INTERPOLATED in charge.guessed
            row.bought_nano += sum(self._bought(line) for line in charge.lines if line.kind == rating.RATE)
            yield

    def _bought(self, line: rating.ChargeLine) -> int:
        bought = self._version.purchase_micro
        return line.wh * bought.get(line.rate, bought.get("total", 0))

    def _begin(self, fields: dict[str, Any], mark: Mark) -> Counter:
        """The step counter with which the month began, where the bill counted the same period."""
        before = fields.get("counter_before") or {}
        if self._version.steps is None or before.get("period") is None:
            return Counter()
        period = date.fromisoformat(before["period"])
        began = instant_of_micros(mark.at).astimezone(self._core.terms.zone).date()
        same = self._version.steps.begins(began) == period
        return Counter(period, before["used_wh"]) if same else Counter()

    def _data(self) -> dict[str, Any]:
        good = [row for row in self.accounts.values() if row.why is None]
        old, new = sum(row.old_nano for row in good), sum(row.new_nano for row in good)
        data: dict[str, Any] = {
            "tariff": self._version.tariff,
            "unit": self._version.unit,
            "month": f"{self.first:%Y-%m}",
            "accounts": [_told(row) for row in self.accounts.values()],
            "wh": sum(row.wh for row in good),
            "old_nano": old,
            "new_nano": new,
            "difference_nano": new - old,
        }
        if (bought := sum(row.bought_nano for row in good)) > 0:
            data |= {"bought_nano": bought, "markup_percent": (new - bought) * 100 // bought}
        return data


def _told(row: Row) -> dict[str, Any]:
    told: dict[str, Any] = {"account": row.account.id, "days": row.days, "charges": len(row.charges)}
    if row.why is not None:
        return {**told, "why": row.why}
    told |= {"wh": row.wh, "old_nano": row.old_nano, "new_nano": row.new_nano}
    return {**told, "difference_nano": row.new_nano - row.old_nano, "interpolated": row.interpolated}


def _mark(body: dict[str, Any]) -> Mark:
    return Mark(body["registers_wh"], micros_of(instant_of(body["at"])), body["source"])


def _month(text: str | None, today: date) -> tuple[date, date]:
    """(first day, first day of the next month) of a month `2026-10`, or of the last whole one before `today`."""
    first = date.fromisoformat(f"{text}-01") if text else (today.replace(day=1) - timedelta(days=1)).replace(day=1)
    return first, (first + timedelta(days=31)).replace(day=1)
