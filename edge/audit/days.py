"""Closings are contiguous, open with what the last one closed with, and name their day's charges and fees (I14)."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from bridge.contract.units import instant_of, instant_of_micros, micros_of
from edge.audit.charges import Charges
from edge.audit.lie import Wrong, must
from edge.billing.tariff import local_midnight
from edge.pricing import ENERGY, WATER
from edge.state import AccountState, State

Fields = dict[str, Any]


@lru_cache(maxsize=1024)
def _day_ends(day: date, zone: ZoneInfo) -> int:
    return micros_of(local_midnight(day + timedelta(days=1), zone))


class Days:
    """The closings of one book, against its state so far."""

    def __init__(self, state: State, zone: ZoneInfo, charges: Charges):
        self._state, self._zone, self._charges = state, zone, charges
        self._open: dict[str, dict[str, tuple[str, Fields]]] = defaultdict(dict)
        self._closed: dict[str, list[str]] = defaultdict(list)

    def charged(self, id: str, kind: str, fields: Fields) -> None:
        """Remember a charge or fee until the closing that names it. Raises Wrong for one that stands already."""
        waiting = self._open[fields["account"]]
        if id in waiting:
            raise Wrong("it stands in the book twice", "one entry of this id")
        day = fields.get("date")
        account = self._state.accounts[fields["account"]]
        if day is not None and account.closed_through is not None and date.fromisoformat(day) <= account.closed_through:
            raise Wrong(f"its day {day} was closed before", f"a day after {account.closed_through}")
        waiting[id] = (kind, fields)

    def closing(self, id: str, fields: Fields) -> None:
        """Check a closing before it is folded. Raises Wrong."""
        account = self._state.accounts.get(fields["account"])
        if account is None:
            raise Wrong(f"there is no account {fields['account']!r}", "an account/1 before it")
        day = date.fromisoformat(fields["date"])
        must(id, f"close:{account.id}:{day.isoformat()}", "its id")
        if account.closed_through is not None:
            must(fields["date"], (account.closed_through + timedelta(days=1)).isoformat(), "its date")
        elif day < (first := self._first_day(account)):
            raise Wrong(f"its date is {day}", f"{first} or later: the account was opened then")
        must(fields["opening_nano"], account.closing_nano, "its opening_nano")
        must(fields["closing_nano"], self._state.posted_nano(account.id), "its closing_nano")
        waiting = self._open[account.id]
        for what, kinds in (("charges", ("charge/1", "charge/2")), ("fees", ("fee/1",))):
            if what not in fields:
                continue
            named = fields[what]
            own = [
                each for each, (kind, body) in waiting.items()
                if kind in kinds and (each in named or body.get("date", fields["date"]) <= fields["date"])
            ]  # fmt: skip
            must(named, own, f"what it names as {what}")
        charged = {body["meter"] for kind, body in waiting.values() if kind != "fee/1"}
        self._complete(account, day, fields, charged)
        self._closed[account.id] = list(fields["charges"])
        waiting.clear()

    def settled(self, fields: Fields) -> None:
        """An act that charges to now, such as the end of a tenancy, names its charges too. Raises Wrong."""
        account = fields["account"]
        for id in fields["charges"]:
            if self._open[account].pop(id, None) is None and id not in self._closed[account]:
                raise Wrong(f"it names the charge {id}", "a charge of this account since its last closing, or in it")

    def _first_day(self, account: AccountState) -> date:
        opened = instant_of(account.row["since"])
        if not account.since_believed:
            opened = max(opened, instant_of_micros(self._state.believed_since))
        return opened.astimezone(self._zone).date()

    def _complete(self, account: AccountState, day: date, fields: Fields, charged: set[str]) -> None:
        """Every meter is charged, deferred, or charged from later on; every fee is there."""
        midnight = _day_ends(day, self._zone)
        for id in account.meters:
            billed = self._state.meters[id].billed
            if id not in charged and id not in fields["deferred"] and (billed is None or billed.at < midnight):
                raise Wrong(f"meter {id} is neither charged nor deferred", "one of both: no hole in the days")
        if spare := set(fields["deferred"]) - (set(account.meters) - charged):
            raise Wrong(f"it names {', '.join(sorted(map(str, spare)))} as deferred", "meters that were not charged")
        if "fees" not in fields:
            return
        owed = [
            f"fee:{account.id}:{day.isoformat()}:{unit}"
            for unit in (ENERGY, WATER) if self._charges.fee_nano(account, day, unit)
        ]  # fmt: skip
        must(fields["fees"], owed, "what it names as fees")
