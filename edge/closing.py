"""Days are closed on frozen midnight registers: one closing per account and day, never a hole, never a guess.

A meter with freeze memory is asked for its midnights, oldest first, and each answer must carry the very midnight
it is wanted for. A meter without one is read at the border, within a minute of midnight, and marked so. A day
whose register cannot be had closes with a charge of zero marked deferred; the next charge spans it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from typing import Any

from bridge.contract.entries import INCOME
from bridge.contract.units import instant_exact, instant_of, instant_of_micros, instant_text, micros_of
from edge import gate
from edge.accounts import Accounts
from edge.billing import rating
from edge.billing.rating import NotRatable
from edge.billing.tariff import local_midnight
from edge.bus import BORDER, Reply
from edge.codec.errors import CodecError
from edge.core import Core, Draft
from edge.readings import registers_of
from edge.schedule import Schedule
from edge.state import AccountState, Mark, MeterState

log = logging.getLogger("riser.closing")

BORDER_S = 60
"""A border read counts for a midnight this near (calendar seconds)."""

FREEZE_DRIFT_S = 300
"""A freeze whose time is further from midnight than this is another event's, not that midnight's."""

FREEZE_SETTLES = timedelta(seconds=60)
"""So long after midnight the meters are asked; most clocks have come to it by then."""

RETRY_S = 10.0
"""Line seconds until a meter is asked for its midnight again."""

DEFER_AFTER = timedelta(hours=12)
"""So long after midnight a day closes without the register of a meter that still does not answer."""

TRIES = 6
"""A meter that answers, but never with this midnight, is asked so often before its day closes without it."""

FREEZE_DEPTH = 62
"""Midnights a meter keeps; older ones are not asked for."""


class Closing:
    """Fetches midnights and closes days."""

    def __init__(self, core: Core, accounts: Accounts, take: Callable[[MeterState, str, Reply], bool]):
        self._core, self._accounts, self._take = core, accounts, take
        self._schedule = Schedule(core.terms.zone)
        self._marks: dict[tuple[str, date], dict[str, Any] | None] = {}
        self._asked: dict[tuple[str, date], float] = {}
        self._tries: dict[tuple[str, date], int] = {}
        self._border_for: datetime | None = None
        self._idle_until = datetime.min.replace(tzinfo=UTC)

    def tick(self) -> None:
        """Called every second or so: border reads around midnight, then every day that is due."""
        core, now = self._core, self._core.now()
        if core.mode == "time" or now < self._idle_until:
            return
        self._border_reads(now)
        waiting = False
        for account in core.state.accounts.values():
            opened = instant_of(account.row["since"]).astimezone(core.terms.zone).date()
            after = account.closed_through or opened - timedelta(days=1)
            for day in self._schedule.days_due(after, now):
                if not self._close_if_ready(account, day, now):
                    waiting = True
                    break  # Days are contiguous: the oldest first.
        if not waiting:
            self._idle_until = self._next_border(now) - timedelta(seconds=core.terms.border_lead_s)

    def _next_border(self, now: datetime) -> datetime:
        """The midnight that comes next, or the one just past while its border reads are not yet asked for."""
        midnight = self._schedule.next_midnight(now - timedelta(seconds=BORDER_S))
        return self._schedule.next_midnight(midnight) if midnight == self._border_for else midnight

    # --- midnights ---

    def _border_reads(self, now: datetime) -> None:
        core = self._core
        lead = timedelta(seconds=core.terms.border_lead_s)
        midnight = self._schedule.next_midnight(now - timedelta(seconds=BORDER_S))
        if now < midnight - lead or self._border_for == midnight:
            return
        self._border_for = midnight
        left_s = (midnight + timedelta(seconds=BORDER_S) - now).total_seconds() / core.clock.speed
        not_after = core.clock.monotonic() + left_s
        for meter in core.state.meters.values():
            live = core.lives[meter.id]
            if meter.account and not live.model.freeze and live.online is not False:
                self._ask_border(meter, midnight, not_after)

    def _ask_border(self, meter: MeterState, midnight: datetime, not_after: float) -> None:
        frame = self._core.question(meter, "energy")
        self._core.submit(
            meter,
            BORDER,
            "energy",
            frame,
            lambda reply: self._border(meter, midnight, not_after, reply),
            not_after=not_after,
        )

    def _border(self, meter: MeterState, midnight: datetime, not_after: float, reply: Reply) -> None:
        core, live = self._core, self._core.lives[meter.id]
        if reply.raw is None:
            if reply.error in ("noise", "silent") and core.clock.monotonic() < not_after:
                self._ask_border(meter, midnight, not_after)
            return
        if not self._take(meter, "energy", reply) or abs((reply.at - midnight).total_seconds()) > BORDER_S:
            return
        if live.sample is None or live.sample.mono != reply.ended:
            return  # The gate did not accept it.
        self._keep(meter, midnight, live.sample.registers_wh, "border", reply.at, [list(p) for p in live.sample.frames])

    def _keep(
        self,
        meter: MeterState,
        midnight: datetime,
        registers: dict[str, int],
        source: str,
        read_at: datetime,
        frames: Any,
    ) -> None:
        day = midnight.astimezone(self._core.terms.zone).date()
        at = midnight if source == "freeze" else read_at
        self._marks[meter.id, day] = {
            "registers_wh": registers,
            "at": instant_exact(at),
            "read_at": instant_text(read_at),
            "source": source,
            "frames": frames,
        }

    def _ask_freeze(self, meter: MeterState, midnight: date, now: datetime) -> None:
        """Ask for the time and the registers of one midnight; both answers must come, and the time must fit."""
        core, key = self._core, (meter.id, midnight)
        if now < local_midnight(midnight, core.terms.zone) + FREEZE_SETTLES:
            return
        slot = (self._schedule.today(now) - midnight).days + 1
        mono = core.clock.monotonic()
        if not 1 <= slot <= FREEZE_DEPTH or mono < self._asked.get(key, -1e9) + RETRY_S:
            return
        self._asked[key], self._tries[key] = mono, self._tries.get(key, 0) + 1
        self._ask_slot(meter, midnight, slot, 0)

    def _ask_slot(self, meter: MeterState, midnight: date, slot: int, toward: int) -> None:
        frame = self._core.question(meter, "freeze-time", slot)
        self._core.submit(
            meter, BORDER, "freeze-time", frame, lambda reply: self._freeze_time(meter, midnight, slot, toward, reply)
        )

    def _freeze_time(self, meter: MeterState, midnight: date, slot: int, toward: int, reply: Reply) -> None:
        """Is this slot the midnight that is wanted? A meter that was without power lacks some, and its slots shift."""
        frozen_at = self._freeze_values(meter, "freeze-time", reply).get("freeze")
        if frozen_at is None:
            return
        wanted = local_midnight(midnight, self._core.terms.zone)
        off_s = (frozen_at - wanted).total_seconds()
        if abs(off_s) > FREEZE_DRIFT_S:
            step = -1 if off_s < 0 else 1
            if step == -toward or not 1 <= slot + step <= FREEZE_DEPTH:
                self._not_frozen(meter, midnight, wanted)
            else:
                self._ask_slot(meter, midnight, slot + step, step)
            return
        frame = self._core.question(meter, "freeze-energy", slot)
        time_pair = [reply.request.frame.hex(), (reply.raw or b"").hex()]
        self._core.submit(
            meter, BORDER, "freeze-energy", frame, lambda answer: self._freeze_energy(meter, wanted, time_pair, answer)
        )

    def _not_frozen(self, meter: MeterState, midnight: date, wanted: datetime) -> None:
        """The midnight is not in the meter's memory. A meter whose clock is slow may only not have come to it yet."""
        if self._core.now() > wanted + timedelta(seconds=2 * FREEZE_DRIFT_S):
            log.info("meter %s did not freeze at midnight of %s", meter.id, midnight)
            self._marks[meter.id, midnight] = None

    def _freeze_energy(self, meter: MeterState, wanted: datetime, time_pair: list[str], reply: Reply) -> None:
        registers = registers_of(self._freeze_values(meter, "freeze-energy", reply))
        if "total" not in registers:
            return
        pair = [reply.request.frame.hex(), (reply.raw or b"").hex()]
        self._keep(meter, wanted, registers, "freeze", reply.at, [time_pair, pair])

    def _freeze_values(self, meter: MeterState, name: str, reply: Reply) -> dict[str, Any]:
        if reply.raw is None:
            return {}
        try:
            return self._core.lives[meter.id].model.values(name, reply.raw, self._core.terms.zone)
        except CodecError as trouble:
            log.info("meter %s, %s: %s", meter.id, name, trouble)
            return {}

    # --- days ---

    def _close_if_ready(self, account: AccountState, day: date, now: datetime) -> bool:
        """Close a day when every meter's midnight is there or given up. True when it is closed."""
        core = self._core
        midnight_day = day + timedelta(days=1)
        midnight = local_midnight(midnight_day, core.terms.zone)
        late = now > midnight + DEFER_AFTER
        ready, deferred = [], []
        for id in account.meters:
            meter, key = core.state.meters[id], (id, midnight_day)
            mark = self._marks.get(key)
            if mark is not None:
                ready.append((meter, mark))
            elif meter.billed is not None and meter.billed.at >= micros_of(midnight):
                continue  # It is charged from a later instant on: nothing to charge for this day.
            elif key in self._marks or self._lost(meter, midnight, now) or (late and self._given_up(meter, key)):
                deferred.append(id)
            else:
                if core.lives[id].model.freeze:
                    self._ask_freeze(meter, midnight_day, now)
                return False
        self._close(account, day, ready, deferred)
        return True

    def _given_up(self, meter: MeterState, key: tuple[str, date]) -> bool:
        """True when a meter had its chance: it is off line, or was asked several times since the edge runs."""
        return self._core.lives[meter.id].online is False or self._tries.get(key, 0) >= TRIES

    def _lost(self, meter: MeterState, midnight: datetime, now: datetime) -> bool:
        """True when this meter's register of that midnight can no longer be had."""
        live = self._core.lives[meter.id]
        if meter.billed is None and live.online is False:
            return True
        return not live.model.freeze and now > midnight + timedelta(seconds=BORDER_S * 3)

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
            self._marks.pop((id, day + timedelta(days=1)), None)
            self._asked.pop((id, day + timedelta(days=1)), None)
            self._tries.pop((id, day + timedelta(days=1)), None)
        if deferred:
            log.warning("account %s: %s closed, deferred for %s", account.id, day, ", ".join(deferred))
        self._accounts.evaluate(account)

    def _charge(
        self, account: AccountState, meter: MeterState, day: date, mark: dict[str, Any], posted_nano: int
    ) -> Draft | None:
        """The charge from the last billed register to this midnight, or None when it cannot be charged as it is."""
        core, start = self._core, meter.billed
        if start is None:
            return None
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
            used = rating.span_wh(was, mark["registers_wh"].get(name, was), model.full_scale_wh)
            if used > gate.ceiling_wh(model, span_s):
                raise NotRatable(f"R21: the register {name} rose by {used} Wh, more than the meter can carry")
