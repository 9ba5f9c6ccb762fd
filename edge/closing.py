"""Days are closed on frozen midnight registers: one closing per account and day, never a hole, never a guess.

How a midnight's registers are obtained stands in `midnights.py`. A day whose register cannot be had closes without
a charge, marked deferred; the next charge spans it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from typing import Any

from bridge.contract.entries import INCOME
from bridge.contract.units import instant_exact, instant_of, instant_of_micros, micros_of
from edge import gate
from edge.accounts import Accounts
from edge.billing import rating
from edge.billing.rating import NotRatable
from edge.billing.spans import span_wh
from edge.billing.tariff import local_midnight
from edge.core import Core, Draft
from edge.line.request import Reply
from edge.midnights import Midnights
from edge.schedule import Schedule
from edge.state import AccountState, Mark, MeterState

log = logging.getLogger("riser.closing")

DEFER_AFTER = timedelta(hours=12)
"""So long after midnight a day closes without the register of a meter that still does not answer."""


class Closing:
    """Closes days as soon as their midnights are there."""

    def __init__(self, core: Core, accounts: Accounts, take: Callable[[MeterState, str, Reply], bool]):
        self._core, self._accounts = core, accounts
        self._schedule = Schedule(core.terms.zone)
        self._midnights = Midnights(core, self._schedule, take)
        self._idle_until = datetime.min.replace(tzinfo=UTC)

    def border_reads(self) -> None:
        """Reads around midnight of meters that freeze nothing; on time, also while yesterday is still being closed."""
        now = self._core.now()
        if self._core.book.trusted and now >= self._idle_until:
            self._midnights.border_reads(now)

    def work(self) -> Iterator[None]:
        """Every day that is due; a chore of the loop, account by account."""
        core, now = self._core, self._core.now()
        if not core.book.trusted or now < self._idle_until:
            return
        waiting = False
        for account in list(core.state.accounts.values()):
            for day in self._schedule.days_due(account.closed_through or self._day_before(account), now):
                if not self._close_if_ready(account, day, now):
                    waiting = True
                    break  # Days are contiguous: the oldest first.
                yield
            yield
        if not waiting:
            border = self._midnights.next_border(now) - timedelta(seconds=core.terms.border_lead_s)
            self._idle_until = min(border, self._schedule.next_midnight(now))

    def _day_before(self, account: AccountState) -> date:
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
            elif self._midnights.lost(meter, midnight_day, now, late):
                deferred.append(id)
            else:
                self._midnights.want(meter, midnight_day, now)
                return False
        self._close(account, day, ready, deferred)
        return True

    def _close(
        self, account: AccountState, day: date, ready: list[tuple[MeterState, dict[str, Any]]], deferred: list[str]
    ) -> None:
        core = self._core
        drafts: list[Draft] = []
        posted = core.state.posted_nano(account.id)
        for meter, mark in ready:
            draft = self._charge(account, meter, day, mark, posted)
            if draft is None:
                deferred.append(meter.id)
            else:
                drafts.append(draft)
                posted = draft[2]["balance_after_nano"]
        closing = {
            "account": account.id,
            "date": day.isoformat(),
            "charges": [id for _, id, _ in drafts],
            "deferred": deferred,
            "opening_nano": account.closing_nano,
            "closing_nano": posted,
        }
        core.append(*drafts, ("closing/1", f"close:{account.id}:{day.isoformat()}", closing))
        for id in account.meters:
            self._midnights.forget(id, day + timedelta(days=1))
        if deferred:
            log.warning("account %s: %s closed, deferred for %s", account.id, day, ", ".join(deferred))
        self._accounts.evaluate(account)

    def _charge(
        self, account: AccountState, meter: MeterState, day: date, mark: dict[str, Any], posted_nano: int
    ) -> Draft | None:
        """The charge from the last billed register to this midnight, or None when it cannot be charged as it is."""
        core, start = self._core, meter.billed
        if start is None or meter.quarantined is not None:
            return None  # I15: what is in doubt is not charged until the doubt is released.
        try:
            self._plausible(meter, start, mark)
            version = core.version_at(account, instant_of_micros(start.at))
            full = core.lives[meter.id].model.full_scale_wh
            lines = rating.rate(start.registers_wh, mark["registers_wh"], meter.multiplier, full, version)
        except NotRatable as trouble:
            alarm = {"meter": meter.id, "account": account.id, "alarm": "not-charged", "text": f"{day}: {trouble}"}
            core.append(("alarm/1", core.own_id("alarm"), alarm))
            return None
        amount, wallet = rating.amount_nano(lines), f"account:{account.id}"
        moves = [{"from": wallet, "to": INCOME, "amount_nano": amount}] if amount else []
        first = instant_of_micros(start.at).astimezone(core.terms.zone).date()
        fields: dict[str, Any] = {
            "account": account.id,
            "meter": meter.id,
            "start": {
                "registers_wh": start.registers_wh,
                "at": instant_exact(instant_of_micros(start.at)),
                "source": start.source,
            },
            "end": mark,
            "multiplier": meter.multiplier,
            "tariff": version.tariff,
            "tariff_name": version.name,
            "version": version.version,
            "lines": [asdict(line) for line in lines],
            "wh": rating.energy_wh(lines),
            "amount_nano": amount,
            "days": (day - first).days + 1,
            "date": day.isoformat(),
            "moves": moves,
            "balance_after_nano": posted_nano - amount,
        }
        return ("charge/1", f"charge:{meter.id}:{day.isoformat()}", fields)

    def _plausible(self, meter: MeterState, start: Mark, mark: dict[str, Any]) -> None:
        """A frozen register goes through the gate too. Raises NotRatable."""
        model = self._core.lives[meter.id].model
        span_s = (instant_of(mark["at"]) - instant_of_micros(start.at)).total_seconds()
        for name, was in start.registers_wh.items():
            used = span_wh(was, mark["registers_wh"].get(name, was), model.full_scale_wh)
            if used > gate.ceiling_wh(model, span_s):
                raise NotRatable(f"R21: the register {name} rose by {used} Wh, more than the meter can carry")
