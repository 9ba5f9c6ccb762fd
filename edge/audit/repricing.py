"""A charge priced again from its registers and the state before it; quick where nothing changes within the span.

Nearly every charge is one day under one version: then the span is one piece, and what of that hangs on the calendar
alone (the version, the step period) is the same for all meters of a tariff and is worked out once. All else goes
through `edge/pricing.py` itself. A test holds that both ways give the same lines.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from bridge.contract.units import instant_of_micros
from edge.billing import spans, steps
from edge.billing.rating import RATE, STEP, SURCHARGE, NotRatable, Payer
from edge.billing.spans import Rules
from edge.billing.tariff import Version, in_force
from edge.pricing import Pricing, by_borders, line_body, tariff_id, within
from edge.state import AccountState, Counter, Mark, MeterState, State

Line = dict[str, Any]

Piece = tuple[Version, date | None] | None
"""The version of a span that nothing cuts, and its step period; None for a span that is cut. The first charge of a
period goes the long way too: how a counter turns is for `rating.py` to say."""

KEPT = 512
"""Spans remembered: the midnights of a day are asked for by every meter, those of last year by nobody."""


class Repricing:
    """Prices of one state. Call `changed` when a tariff, an account or a calendar was added."""

    def __init__(self, state: State, zone: ZoneInfo):
        self._state, self._zone = state, zone
        self.pricing = Pricing(state, zone)
        self._pieces: dict[tuple[str | None, int, int], Piece] = {}
        self._payers: dict[str, Payer] = {}
        self._fees: dict[str | None, bool] = {}
        self._versions: dict[tuple[str | None, int], Version] = {}
        self._spans: dict[tuple[str | None, int, int], tuple[Version, ...]] = {}

    def changed(self) -> None:
        self.pricing.refresh()
        self._pieces.clear()
        self._payers.clear()
        self._fees.clear()
        self._versions.clear()
        self._spans.clear()

    def owes_fees(self, account: AccountState, unit: str) -> bool:
        """True where a version of the account's tariff has a daily fee."""
        id = tariff_id(account, unit)
        if id not in self._fees:
            self._fees[id] = any(version.daily_fee_nano for version in self.pricing.versions(account, unit))
        return self._fees[id]

    def version_at(self, account: AccountState, at: int, unit: str) -> Version:
        """The version in force at an instant in microseconds."""
        key = tariff_id(account, unit), at
        if (found := self._versions.get(key)) is None:
            if len(self._versions) >= KEPT:
                self._versions.clear()
            found = self._versions[key] = self.pricing.version_at(account, instant_of_micros(at), unit)
        return found

    def told_by_borders(self, account: AccountState, meter: MeterState, unit: str, first: int, last: int) -> bool:
        """Whether the hours of a span are told apart by readings at borders (R28), by every version within it."""
        return any(by_borders(meter, version) for version in self._within(account, first, last, unit))

    def _within(self, account: AccountState, first: int, last: int, unit: str) -> tuple[Version, ...]:
        """The version at the start of a span, and those that begin within it."""
        key = tariff_id(account, unit), first, last
        if (found := self._spans.get(key)) is None:
            if len(self._spans) >= KEPT:
                self._spans.clear()
            versions = self.pricing.versions(account, unit)
            found = self._spans[key] = within(versions, instant_of_micros(first), instant_of_micros(last))
        return found

    def payer(self, account: AccountState) -> Payer:
        if account.id not in self._payers:
            self._payers[account.id] = self.pricing.payer(account)
        return self._payers[account.id]

    def charge(
        self, account: AccountState, marks: Sequence[Mark], multiplier: int, full_scale_wh: int, unit: str,
        borders: bool,
    ) -> tuple[list[Line], Counter, tuple[Mark, ...]]:  # fmt: skip
        """(lines, step counter after it, marks as they were used). Raises NotRatable."""
        counter = account.counters.get(unit, Counter())
        piece = self._piece(account, marks[0].at, marks[1].at, unit, borders) if len(marks) == 2 else None
        if piece is not None and piece[1] in (None, counter.period):
            lines, counter = self._quick(account, marks, multiplier, full_scale_wh, piece, counter)
            return lines, counter, tuple(marks)
        priced = self.pricing.charge(
            account, marks, multiplier, full_scale_wh, unit=unit, borders=borders, counters=account.counters
        )
        return [line_body(line) for line in priced.lines], priced.counter, priced.marks

    def _piece(self, account: AccountState, first: int, last: int, unit: str, borders: bool) -> Piece:
        """What a span is priced by where nothing cuts it."""
        if borders:
            return None
        key = tariff_id(account, unit), first, last
        if key not in self._pieces:
            if len(self._pieces) >= KEPT:
                self._pieces.clear()
            self._pieces[key] = self._looked_at(account, first, last, unit)
        return self._pieces[key]

    def _looked_at(self, account: AccountState, first: int, last: int, unit: str) -> Piece:
        versions = self.pricing.versions(account, unit)
        empty = Mark({}, first, ""), Mark({}, last, "")
        cut = spans.pieces(empty, Rules(versions, self._zone, self._state.days), 1)
        if len(cut) != 1:
            return None
        version = in_force(versions, cut[0].middle)
        day = instant_of_micros((first + last) // 2).astimezone(self._zone).date()
        return version, None if version.steps is None else version.steps.begins(day)

    def _quick(
        self, account: AccountState, marks: Sequence[Mark], multiplier: int, full_scale_wh: int,
        piece: tuple[Version, date | None], counter: Counter,
    ) -> tuple[list[Line], Counter]:  # fmt: skip
        version, period = piece
        start, end, number = marks[0], marks[1], version.version
        lines, used = [], 0
        for name in version.prices_micro:
            if name not in start.registers_wh or name not in end.registers_wh:
                raise NotRatable(f"R28: {version.tariff} is charged on the register {name!r}, which is not there")
            wh = spans.used_wh(start, end, name, full_scale_wh) * multiplier
            lines.append(_line(RATE, name, wh, version.prices_micro[name], number))
            used += wh
        if version.steps is not None and period is not None:
            bounds = version.steps.for_period(period, self.payer(account).since)
            split = steps.split(counter.used_wh, used, bounds)
            lines += [_line(STEP, str(n), wh, micro, number) for n, wh, micro in split]
            counter = replace(counter, used_wh=counter.used_wh + used)
        if used and version.surcharges:
            category = account.row.get("category")
            lines += [_line(SURCHARGE, each.name, used, each.micro, number) for each in version.surcharges_of(category)]
        return lines, counter


def _line(kind: str, rate: str, wh: int, micro: int, version: int) -> Line:
    return {
        "rate": rate, "wh": wh, "price_micro": micro, "amount_nano": wh * micro, "kind": kind, "version": version,
    }  # fmt: skip
