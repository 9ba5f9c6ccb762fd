"""Desired against observed, one meter at a time (R5, R6, I7-I11). The state shown is what was read back.

A trip goes: the meter's own number, registers and status are read afresh; the port says ready; everything is
checked once more; the evidence is written and synced; the bytes leave; the relay is read back. A close needs a
cause that stands in the book. How an order is carried out stands in `commands.py`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta

from bridge.contract.units import micros_of
from edge.accounts import Accounts
from edge.billing import policy
from edge.codec import dlt645_orders
from edge.commands import BUTTON, Commands
from edge.core import Core
from edge.cuttable import closing, may_be_locked
from edge.evidence import close_draft, draft_of, evidence_reads, stale_evidence
from edge.lamps import Lamps
from edge.line.request import PERSON, RESTORE, TRIP, Reply, Request
from edge.looking import Looking
from edge.state import MeterState
from edge.switch_words import no_fresh
from edge.task import Task

log = logging.getLogger("riser.relays")

TRIPS_A_DAY = 3
"""No tug of war: a relay that closes by itself is tripped at most once an hour and so often a day; under a lock, where
hands may be at the wires, each hour of the day."""


class Relays:
    """Brings relays to what they should be."""

    def __init__(self, core: Core, accounts: Accounts, password_of: Callable[[str], dlt645_orders.Password]):
        self._core, self._accounts = core, accounts
        self.commands = Commands(core, password_of)
        self.commands.looked = self.consider
        self._newest_cut = ("", -1e9)  # which meter's cut for arrears was begun last, and when
        self.looking = Looking(core, self.commands, self.consider)
        self.lamps = Lamps(core, accounts, self.commands)

    # --- what is wanted ---

    def desired(self, meter: MeterState) -> str:
        """`open` while it is held off or a cut for arrears is due and allowed, else `closed`."""
        held = [kind for kind, hold in meter.holds.items() if hold.off]
        return policy.desired(held, not meter.holds and self._cut_is_due(meter))

    def _cut_is_due(self, meter: MeterState) -> bool:
        core, account = self._core, self._core.state.accounts.get(meter.account or "")
        if account is None or not account.warned:
            return False  # At a glance: this is asked for every meter several times a second.
        if core.state.brake is not None or core.mode != "normal" or not core.terms.window.is_open(core.now()):
            return False  # Whatever the rest says (R2, R4, I22): nights are long, and many may be warned.
        return self._accounts.verdict(account, meter).allowed

    def restless(self, meter: MeterState) -> bool:
        """True when time alone may bring something to do about this meter."""
        account = self._core.state.accounts.get(meter.account or "")
        if meter.holds or meter.restore is not None or (account is not None and account.final is not None):
            return True
        return self._core.lives[meter.id].lamp_on

    def replaced(self, meter: MeterState) -> None:
        """Nothing that was ordered of the old meter is wanted of the new one; what is, is decided by a new look."""
        for task in self.commands.of(meter):
            self.commands.drop(meter, task.wish)

    def surely_off(self, meter: MeterState) -> bool:
        """Read back open, and where people hold it so its button does not close it either: a permission to close that
        it was given before (R6) is taken back by a trip."""
        return self._core.lives[meter.id].relay_open is True and not self.commands.by_its_button(meter)

    def following(self, meter: MeterState) -> bool:
        return not any(task.alarmed for task in self.commands.of(meter))

    # --- looking ---

    def consider(self, meter: MeterState) -> None:
        """Compare desired with observed and begin what is missing. Cheap; called after everything that may matter."""
        if self.commands.idle(meter) and not self.restless(meter):
            return  # At a glance: nothing is wanted of it, and nothing that was is under way.
        live = self._core.lives[meter.id]
        if not live.model.relay or meter.row["relay"] == "none" or live.seen is None:
            return
        if live.seen_doubt is not None:
            return  # The newest look says otherwise and waits for a second one; nothing is begun on the old one.
        self.lamps.consider(meter)
        if self.surely_off(meter) or (live.relay_open is None and meter.restore is not None):
            self.commands.drop(meter, "trip")
            if meter.restore is not None and not meter.holds and not may_be_locked(self._core, meter):
                self.commands.only(meter, "close", closing(self._core, meter))
                if (task := self.commands.task(meter, "close")) and task.step == BUTTON and live.permitted is False:
                    task.not_before, task.step = 0.0, None  # The meter has forgotten it: its button does nothing.
                self.commands.begin(meter, "close", self._close)
            return
        self.commands.drop(meter, "close")
        if not self._their_turn(meter) and self._warned(meter):
            return  # Whether it would be cut is worked out when it can be.
        if live.online is not False and self.desired(meter) == "open" and self._trip_allowed(meter):
            if self._their_turn(meter) and not self._taken_back(meter):
                self.commands.begin(meter, "trip", self._check_before_trip)
        elif not meter.held_off:
            self.commands.drop(meter, "trip", idle_only=True)

    def _warned(self, meter: MeterState) -> bool:
        account = self._core.state.accounts.get(meter.account or "")
        return account is not None and account.warned

    def _taken_back(self, meter: MeterState) -> bool:
        """It is off, and was told so often enough to forget a permission; that its status says otherwise is its way."""
        task = self.commands.task(meter, "trip")
        return bool(self._core.lives[meter.id].relay_open and task and task.obeyed >= TRIPS_A_DAY)

    def _their_turn(self, meter: MeterState) -> bool:
        """R2: cuts for arrears follow each other at a distance, so that a window that opens does not drop the load of a
        building at once. Another attempt at the same meter waits for nobody."""
        (id, at), now = self._newest_cut, self._core.clock.monotonic()
        return meter.held_by_people or id == meter.id or now - at >= self._core.terms.stagger_s

    def _trip_allowed(self, meter: MeterState) -> bool:
        """The whole check again for each attempt; and no tug of war with a relay that closes by itself."""
        core = self._core
        by_hand = meter.held_by_people
        if not (self._mode_lets_people_trip(meter) if by_hand else self._cut_is_due(meter)):
            return False
        # What somebody wants off is no quarrel yet with whoever closed it after a cut for arrears.
        holds = [meter.lock] if meter.lock else [each for each in meter.holds.values() if each.by_person or not by_hand]
        since = min((hold.since for hold in holds), default=None)
        trips = [at for at in meter.trips if since is not None and at >= since]
        moved_by_itself = meter.observed_since is not None and any(at < meter.observed_since for at in trips)
        if meter.observed == "open" or not moved_by_itself:
            return True
        hour_ago = micros_of(core.now() - timedelta(hours=1))
        day_ago = micros_of(core.now() - timedelta(days=1))
        seldom = meter.lock is not None or sum(at > day_ago for at in trips) < TRIPS_A_DAY
        return all(at < hour_ago for at in trips) and seldom

    def _mode_lets_people_trip(self, meter: MeterState) -> bool:
        """In every mode one that is off loses its permission to close, which darkens nobody."""
        return self._core.mode in ("normal", "time") or self._core.lives[meter.id].relay_open is True

    # --- tripping ---

    def _check_before_trip(self, meter: MeterState, task: Task) -> None:
        task.missing = list(evidence_reads(self._core.lives[meter.id].model))
        if not meter.held_by_people:
            self._newest_cut = (meter.id, self._core.clock.monotonic())
        priority = PERSON if meter.held_by_people else TRIP
        for name in tuple(task.missing):
            frame = self._core.question(meter, name)
            self._core.submit(
                meter, priority, name, frame, lambda reply, name=name: self._checked(meter, task, name, reply)
            )

    def _checked(self, meter: MeterState, task: Task, name: str, reply: Reply) -> None:
        if reply.raw is None or not self.commands.take(meter, name, reply):
            if task.busy:
                valve = self._core.lives[meter.id].model.relay_is_valve
                self.commands.ended(meter, task, no_fresh(valve, name, reply.error or "refused"))
            return
        if name in task.missing:
            task.missing.remove(name)
        if task.missing or not task.busy:
            return
        live = self._core.lives[meter.id]
        if live.seen_doubt is not None or self.surely_off(meter) or self.desired(meter) != "open":
            task.busy = False
            self.consider(meter)
            return
        if (trouble := stale_evidence(self._core, meter)) is not None:
            self.commands.ended(meter, task, trouble)
            return
        priority = PERSON if meter.held_by_people else TRIP
        self.commands.order(meter, task, priority, "trip", handshake=True)

    def ready(self, request: Request, port: str) -> None:
        """The port is at a trip or close: check everything once more, write why, let the bytes leave (I7, I8, I10)."""
        core, meter = self._core, self._core.state.meters[request.meter]
        if core.outdated(request.number):
            core.ports[port].refuse(request.number)  # It bears the address of the meter that was taken off.
            return
        task = self.commands.task(meter, request.purpose)
        trouble = (
            self._last_look(meter) if request.purpose == "trip" else self._last_look_at_close(meter, task, request)
        )
        if trouble is not None:
            core.ports[port].refuse(request.number)
            log.info("meter %s: %s withdrawn at the last look: %s", meter.id, request.purpose, trouble)
            return
        if (reason := self._reason(meter, request.purpose, task)) is None:
            core.ports[port].refuse(request.number)  # The book cannot be written, and no bytes leave without a reason.
            return
        if core.ports[port].go(request.number):
            log.info("meter %s: %s sent, its reason is entry %d", meter.id, request.purpose, reason)
            if task is not None:
                self.commands.left(meter, task)
            live, now = core.lives[meter.id], core.clock.monotonic()
            if request.purpose == "trip":
                live.tripped_mono = now
            else:
                live.closed_mono = now
        elif core.cannot_write is None:
            fields = {"meter": meter.id, "evidence_seq": reason, "why": "the first byte did not leave in time"}
            core.append(("withdrawn/1", core.own_id(f"withdrawn:{meter.id}"), fields))
        core.changed("relay", meter.id)

    def _reason(self, meter: MeterState, purpose: str, task: Task | None) -> int | None:
        """Write why the bytes leave and return the entry's seq; a repeated close keeps that of its first attempt. Where
        the book cannot be written, a person's hold is why one that is off loses its permission to close; else None."""
        core = self._core
        if purpose == "trip" and core.cannot_write is not None:
            off = meter.held_by_people and core.lives[meter.id].relay_open is True
            return max(hold.seq for hold in meter.holds.values() if hold.by_person) if off else None
        if purpose == "trip":
            (entry,) = core.append(draft_of(core, meter, "manual" if meter.held_by_people else "arrears"))
            return entry.seq
        assert task is not None  # An order to close leaves only as its task's newest.
        if task.reason is None and core.cannot_write is None:
            (entry,) = core.append(close_draft(core, meter))
            task.reason = entry.seq
        return task.reason or 0  # Its cause stands in the book; light does not wait for a disk.

    def _last_look(self, meter: MeterState) -> str | None:
        if self._core.lives[meter.id].seen_doubt is not None:
            return no_fresh(
                self._core.lives[meter.id].model.relay_is_valve, "status", "noise"
            )  # The newest one contradicts the one before.
        if meter.held_by_people:
            lets = self._mode_lets_people_trip(meter)
            return stale_evidence(self._core, meter) if lets else f"the gateway is in mode {self._core.mode}"
        account = self._core.state.accounts.get(meter.account or "")
        if account is None:
            return "the meter has no tenant"
        verdict = self._accounts.verdict(account, meter)
        return stale_evidence(self._core, meter) if verdict.allowed else f"{verdict.rule}: {verdict.why}"

    # --- closing ---

    def _close(self, meter: MeterState, task: Task) -> None:
        self.commands.order(meter, task, RESTORE, closing(self._core, meter), handshake=True)

    def _last_look_at_close(self, meter: MeterState, task: Task | None, request: Request) -> str | None:
        if meter.restore is None:
            return "there is no cause to close any more"
        if task is None or task.number != request.number:
            return "another order has taken its place"
        if task.command != closing(self._core, meter):
            return "its tenant's supply comes back in another way now"
        return f"a hold is set: {', '.join(meter.holds)}" if meter.holds else None
