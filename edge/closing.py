"""Days are closed on frozen midnight registers: one closing per account and day, never a hole.

How a midnight's registers are obtained stands in `midnights.py`, and what stands for them where they are lost in
`fallbacks.py`. A day for which there is nothing at all closes without a charge, marked deferred; the next one spans it.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

from bridge.contract.entries import CHARGES, FEES, TENANT
from bridge.contract.units import instant_of, instant_of_micros, micros_of, micros_of_text
from edge import gate
from edge.accounts import Accounts
from edge.batch import Batch
from edge.billing.rating import NotRatable
from edge.billing.spans import NEAR_US, used_wh
from edge.billing.tariff import local_midnight
from edge.charge_body import priced_body
from edge.core import Core, Draft
from edge.fallbacks import Fallbacks
from edge.hours import Hours
from edge.line.request import Reply
from edge.midnights import Midnights
from edge.pricing import ENERGY, WATER, mark_body
from edge.schedule import Schedule
from edge.state import AccountState, Counter, Mark, MeterState

log = logging.getLogger("riser.closing")

DEFER_AFTER = timedelta(hours=12)
"""So long after midnight a day closes without the register of a meter that still does not answer."""


class Closing:
    """Closes days as soon as their midnights are there."""

    def __init__(self, core: Core, accounts: Accounts, take: Callable[[MeterState, str, Reply], bool]):
        self._core, self._accounts = core, accounts
        self._schedule = Schedule(core.terms.zone)
        self._hours = Hours(core)
        self._fallbacks = Fallbacks(core)
        self._midnights = Midnights(core, self._schedule, take, self._hours)
        self._idle_until = datetime.min.replace(tzinfo=UTC)

    def border_reads(self) -> None:
        """Reads at borders of which meters keep nothing; on time, also while yesterday is still being closed."""
        if self._core.book.trusted:
            self._midnights.borders.reads(self._core.now())
            self._hours.work()

    def work(self) -> Iterator[None]:
        """Every day that is due; a chore of the loop, account by account, many of them in one transaction."""
        core, now = self._core, self._core.now()
        if not core.book.trusted or now < self._idle_until:
            return
        waiting, todo, batch = False, deque(self._open_accounts()), Batch[tuple[AccountState, date]](core)
        while todo or batch:
            todo.extendleft(account for account, _ in reversed(batch.void()))
            account = todo.popleft() if todo else None
            if account and (day := self._schedule.day_due(account.closed_through or self.day_before(account), now)):
                drafts = self._close_if_ready(account, day, now)
                if drafts is None:
                    waiting = True  # Its later days wait too: days are contiguous.
                else:
                    batch.add((account, day), drafts)
            if batch.full or (batch and not todo):
                for account, day in batch.write():
                    self._closed(account, day)
                    if self._schedule.day_due(day, now):
                        todo.append(account)
            yield
        if not waiting:
            self._idle_until = self._schedule.next_midnight(now)

    def _open_accounts(self) -> Iterator[AccountState]:
        return (each for each in self._core.state.accounts.values() if not each.ended)

    def day_before(self, account: AccountState) -> date:
        """The day before the first that is closed: an account opened at 1970 has no 20,000 days behind it (57)."""
        core, opened = self._core, instant_of(account.row["since"])
        if not account.since_believed:
            opened = max(opened, instant_of_micros(core.state.believed_since))
        return opened.astimezone(core.terms.zone).date() - timedelta(days=1)

    def _close_if_ready(self, account: AccountState, day: date, now: datetime) -> list[Draft] | None:
        """What closes a day, when every meter's midnight is there or given up; None while one is not."""
        core = self._core
        midnight_day = day + timedelta(days=1)
        midnight = local_midnight(midnight_day, core.terms.zone)
        late = now > midnight + DEFER_AFTER
        ready, deferred = [], []
        for id in account.meters:
            meter, mark = core.state.meters[id], self._midnights.mark(id, midnight_day)
            if meter.changing is not None:
                return None  # Where this day is divided is decided first (R22, R23).
            if meter.billed is not None and meter.billed.at >= micros_of(midnight):
                continue  # It is charged from a later instant on: nothing to charge for this day.
            if mark is not None and meter.billed is not None and meter.billed.at >= micros_of_text(mark["at"]):
                deferred.append(id)  # Opened between its border read and midnight: that register says nothing more.
            elif mark is not None:
                ready.append((meter, mark))
            elif not self._midnights.lost(meter, midnight_day, now, late):
                self._midnights.want(meter, midnight_day, now)
                return None
            elif self._fallbacks.searching(account, meter, midnight_day, now):
                return None
            elif (guess := self._fallbacks.mark(account, meter, midnight_day)) is not None:
                ready.append((meter, guess))
            else:
                deferred.append(id)
        return self._close(account, day, ready, deferred)

    def _close(
        self, account: AccountState, day: date, ready: list[tuple[MeterState, dict[str, Any]]], deferred: list[str]
    ) -> list[Draft]:
        drafts: list[Draft] = []
        posted, counters = self._core.state.posted_nano(account.id), dict(account.counters)
        for meter, mark in ready:
            draft = self.charge(account, meter, day, mark, posted, counters)
            if draft is None or draft[0] not in CHARGES:
                deferred.append(meter.id)
            else:
                posted = draft[2]["balance_after_nano"]
            if draft is not None and (draft[0] in CHARGES or self._core.book.find(draft[1]) is None):
                drafts.append(draft)  # The alarm of this day stands already where a settlement failed on it.
        charges = [*account.open_charges, *(id for kind, id, _ in drafts if kind in CHARGES)]
        fees = []
        for fee in self.fees(account, day, posted):
            fees.append(fee[1])
            drafts.append(fee)
            posted = fee[2]["balance_after_nano"]
        if deferred:
            log.warning("account %s: %s closes, deferred for %s", account.id, day, ", ".join(deferred))
        return [*drafts, closing_of(account, day, charges, fees, deferred, posted)]

    def _closed(self, account: AccountState, day: date) -> None:
        """A day stands in the book. What is available is what it was, so policy has nothing new to look at (R9)."""
        for id in account.meters:
            self._midnights.forget(id, day + timedelta(days=1))
        self._fallbacks.forget(account.meters, day + timedelta(days=1))
        self._core.changed("account", account.id)

    def changed(self, meter: str) -> None:
        """The meter was replaced, or its multiplier changed: nothing that was obtained before counts after."""
        self._midnights.changed(meter)
        self._fallbacks.changed(meter)
        self._hours.changed(meter)
        self._idle_until = datetime.min.replace(tzinfo=UTC)

    def fees(self, account: AccountState, day: date, posted_nano: int) -> Iterator[Draft]:
        """The fixed fee of a day, by the price with which that day began; a line of its own, used or not."""
        for unit in (ENERGY, WATER):
            if not any(each.daily_fee_nano for each in self._core.pricing.versions(account, unit)):
                continue
            begins = max(local_midnight(day, self._core.terms.zone), instant_of(account.row["since"]))
            version = self._core.pricing.version_at(account, begins, unit)
            if not (fee := version.daily_fee_nano):
                continue
            posted_nano -= fee
            fields = {
                "account": account.id,
                "date": day.isoformat(),
                "tariff": version.tariff,
                "tariff_name": version.name,
                "version": version.version,
                "unit": unit,
                "amount_nano": fee,
                "moves": [{"from": TENANT + account.id, "to": FEES, "amount_nano": fee}],
                "balance_after_nano": posted_nano,
            }
            yield ("fee/1", f"fee:{account.id}:{day.isoformat()}:{unit}", fields)

    def charge(
        self, account: AccountState, meter: MeterState, day: date, mark: dict[str, Any], posted_nano: int,
        counters: dict[str, Counter], released: bool = False,
    ) -> Draft | None:  # fmt: skip
        """The charge from the last billed register to this one; None, or what a person is told, when it cannot be
        charged as it is. `released` says that a doubt of its readings is released in the same transaction."""
        core, start = self._core, meter.billed
        if start is None or (meter.quarantined is not None and not released):
            return None  # I15: what is in doubt is not charged until the doubt is released.
        end = Mark(mark["registers_wh"], micros_of_text(mark["at"]), mark["source"])
        try:
            self._plausible(meter, start, end)
            unit, full = core.balances.unit(meter), core.lives[meter.id].model.full_scale_wh
            version = core.pricing.version_at(account, instant_of_micros(start.at), unit)
            borders = core.pricing.told_by_borders(account, meter, unit, start.at, end.at)
            between = [each for each in meter.borders if start.at < each.at < end.at]
            priced = core.pricing.charge(
                account, [start, *between, end], meter.multiplier, full,
                unit=unit, borders=borders, counters=counters,
            )  # fmt: skip
        except NotRatable as trouble:
            alarm = {"meter": meter.id, "account": account.id, "alarm": "not-charged", "text": f"{day}: {trouble}"}
            return ("alarm/1", f"alarm:not-charged:{meter.id}:{day.isoformat()}", alarm)
        before, counters[unit] = counters.get(unit, Counter()), priced.counter
        first = instant_of_micros(start.at + NEAR_US).astimezone(core.terms.zone).date()
        fields: dict[str, Any] = {
            "account": account.id,
            "meter": meter.id,
            "start": mark_body(start),
            "between": [mark_body(each) for each in priced.marks[1:-1]],
            "end": mark,
            "guessed": list(priced.guessed),
            "days": max((day - first).days + 1, 1),
            "date": day.isoformat(),
            **priced_body(account.id, meter, unit, priced, version, full, borders, before, posted_nano),
        }
        return ("charge/2", f"charge:{meter.id}:{day.isoformat()}", fields)

    def _plausible(self, meter: MeterState, start: Mark, end: Mark) -> None:
        """What comes onto a bill goes through the gate too. Raises NotRatable."""
        model = self._core.lives[meter.id].model
        ceiling_wh = gate.ceiling_wh(model, (end.at - start.at) // 1_000_000)
        for name in sorted(start.registers_wh.keys() & end.registers_wh.keys()):
            used = used_wh(start, end, name, model.full_scale_wh)
            if used > ceiling_wh:
                raise NotRatable(f"R21: the register {name} rose by {used} Wh, more than the meter can carry")


def closing_of(
    account: AccountState, day: date, charges: list[str], fees: list[str], deferred: list[str], posted_nano: int
) -> Draft:
    """The entry that closes a day of an account."""
    fields = {
        "account": account.id,
        "date": day.isoformat(),
        "charges": charges,
        "fees": fees,
        "deferred": deferred,
        "opening_nano": account.closing_nano,
        "closing_nano": posted_nano,
    }
    return ("closing/1", f"close:{account.id}:{day.isoformat()}", fields)
