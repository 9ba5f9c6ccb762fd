"""Days are closed on frozen midnight registers: one closing per account and day, never a hole.

How a midnight's registers are obtained stands in `midnights.py`, and what stands for them where they are lost in
`fallbacks.py`. A day for which there is nothing at all closes without a charge, marked deferred; the next one spans it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

from bridge.contract.entries import FEES, INCOME, TENANT, WATER_INCOME
from bridge.contract.units import instant_of, instant_of_micros, micros_of
from edge import gate
from edge.accounts import Accounts
from edge.billing import rating
from edge.billing.rating import NotRatable
from edge.billing.spans import NEAR_US, used_wh
from edge.billing.tariff import local_midnight
from edge.charged import mark_of
from edge.core import Core, Draft
from edge.fallbacks import Fallbacks
from edge.hours import Hours
from edge.line.request import Reply
from edge.midnights import Midnights
from edge.pricing import ENERGY, WATER, counter_body, line_body, mark_body
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
        """Every day that is due; a chore of the loop, account by account."""
        core, now = self._core, self._core.now()
        if not core.book.trusted or now < self._idle_until:
            return
        waiting = False
        for account in [each for each in core.state.accounts.values() if not each.ended]:
            for day in self._schedule.days_due(account.closed_through or self.day_before(account), now):
                if not self._close_if_ready(account, day, now):
                    waiting = True
                    break  # Days are contiguous: the oldest first.
                yield
            yield
        if not waiting:
            self._idle_until = self._schedule.next_midnight(now)

    def day_before(self, account: AccountState) -> date:
        """The day before the first that is closed: an account opened at 1970 has no 20,000 days behind it (57)."""
        core, opened = self._core, instant_of(account.row["since"])
        if not account.since_believed:
            opened = max(opened, instant_of_micros(core.state.believed_since))
        return opened.astimezone(core.terms.zone).date() - timedelta(days=1)

    def _close_if_ready(self, account: AccountState, day: date, now: datetime) -> bool:
        """Close a day when every meter's midnight is there or given up. True when it is closed."""
        core = self._core
        midnight_day = day + timedelta(days=1)
        midnight = local_midnight(midnight_day, core.terms.zone)
        late = now > midnight + DEFER_AFTER
        ready, deferred = [], []
        for id in account.meters:
            meter, mark = core.state.meters[id], self._midnights.mark(id, midnight_day)
            if mark is not None:
                ready.append((meter, mark))
            elif meter.billed is not None and meter.billed.at >= micros_of(midnight):
                continue  # It is charged from a later instant on: nothing to charge for this day.
            elif not self._midnights.lost(meter, midnight_day, now, late):
                self._midnights.want(meter, midnight_day, now)
                return False
            elif self._fallbacks.searching(account, meter, midnight_day, now):
                return False
            elif (guess := self._fallbacks.mark(account, meter, midnight_day)) is not None:
                ready.append((meter, guess))
            else:
                deferred.append(id)
        self._close(account, day, ready, deferred)
        return True

    def _close(
        self, account: AccountState, day: date, ready: list[tuple[MeterState, dict[str, Any]]], deferred: list[str]
    ) -> None:
        core = self._core
        drafts: list[Draft] = []
        posted, counters = core.state.posted_nano(account.id), dict(account.counters)
        for meter, mark in ready:
            draft = self.charge(account, meter, day, mark, posted, counters)
            if draft is None:
                deferred.append(meter.id)
            else:
                drafts.append(draft)
                posted = draft[2]["balance_after_nano"]
        charges = [id for _, id, _ in drafts]
        for fee in self.fees(account, day, posted):
            drafts.append(fee)
            posted = fee[2]["balance_after_nano"]
        fees = [id for _, id, _ in drafts[len(charges) :]]
        core.append(*drafts, closing_of(account, day, charges, fees, deferred, posted))
        for id in account.meters:
            self._midnights.forget(id, day + timedelta(days=1))
        self._fallbacks.forget(account.meters, day + timedelta(days=1))
        if deferred:
            log.warning("account %s: %s closed, deferred for %s", account.id, day, ", ".join(deferred))
        self._accounts.evaluate(account)

    def fees(self, account: AccountState, day: date, posted_nano: int) -> Iterator[Draft]:
        """The fixed fee of a day, by the price with which that day began; a line of its own, used or not."""
        for unit in (ENERGY, WATER):
            if not self._core.pricing.versions(account, unit):
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
        counters: dict[str, Counter],
    ) -> Draft | None:  # fmt: skip
        """The charge from the last billed register to this midnight, or None when it cannot be charged as it is."""
        core, start = self._core, meter.billed
        if start is None or meter.quarantined is not None:
            return None  # I15: what is in doubt is not charged until the doubt is released.
        try:
            self._plausible(meter, start, mark_of(mark))
            unit, full = core.balances.unit(meter), core.lives[meter.id].model.full_scale_wh
            version = core.pricing.version_at(account, instant_of_micros(start.at), unit)
            end = mark_of(mark)
            borders = core.pricing.told_by_borders(account, meter, unit, start.at, end.at)
            between = [each for each in meter.borders if start.at < each.at < end.at]
            priced = core.pricing.charge(
                account, [start, *between, end], meter.multiplier, full,
                unit=unit, borders=borders, counters=counters,
            )  # fmt: skip
        except NotRatable as trouble:
            alarm = {"meter": meter.id, "account": account.id, "alarm": "not-charged", "text": f"{day}: {trouble}"}
            core.append(("alarm/1", core.own_id("alarm"), alarm))
            return None
        amount = rating.amount_nano(priced.lines)
        before, counters[unit] = counters.get(unit, Counter()), priced.counter
        income = INCOME if unit == ENERGY else WATER_INCOME
        first = instant_of_micros(start.at + NEAR_US).astimezone(core.terms.zone).date()
        fields: dict[str, Any] = {
            "account": account.id,
            "meter": meter.id,
            "unit": unit,
            "start": mark_body(start),
            "between": [mark_body(each) for each in priced.marks[1:-1]],
            "end": mark,
            "guessed": list(priced.guessed),
            "multiplier": meter.multiplier,
            "full_scale_wh": full,
            "by": "borders" if borders else "registers",
            "tariff": version.tariff,
            "tariff_name": version.name,
            "version": version.version,
            "lines": [line_body(line) for line in priced.lines],
            "counter_before": counter_body(before),
            "counter": counter_body(priced.counter),
            "wh": rating.energy_wh(priced.lines),
            "amount_nano": amount,
            "days": max((day - first).days + 1, 1),
            "date": day.isoformat(),
            **moved(TENANT + account.id, income, amount, posted_nano),
        }
        return ("charge/2", f"charge:{meter.id}:{day.isoformat()}", fields)

    def _plausible(self, meter: MeterState, start: Mark, end: Mark) -> None:
        """What comes onto a bill goes through the gate too. Raises NotRatable."""
        model = self._core.lives[meter.id].model
        span_s = (instant_of_micros(end.at) - instant_of_micros(start.at)).total_seconds()
        for name in start.registers_wh.keys() & end.registers_wh.keys():
            used = used_wh(start, end, name, model.full_scale_wh)
            if used > gate.ceiling_wh(model, span_s):
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


def moved(wallet: str, income: str, amount_nano: int, posted_nano: int) -> dict[str, Any]:
    """The `moves` and `balance_after_nano` of a charge; one below zero, an estimate taken back, gives money back."""
    sides = (wallet, income) if amount_nano > 0 else (income, wallet)
    moves = [{"from": sides[0], "to": sides[1], "amount_nano": abs(amount_nano)}] if amount_nano else []
    return {"moves": moves, "balance_after_nano": posted_nano - amount_nano}
