"""What a meter said becomes an observation, an opening, a charge's basis, or something set aside; nothing else."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from bridge.contract.units import instant_of_micros, instant_text, micros_of
from edge import gate
from edge.accounts import Accounts
from edge.codec.bcd import nearest
from edge.core import Core
from edge.covers import COUNTS, Covers
from edge.first_registers import FirstRegisters
from edge.leaks import Leaks
from edge.line.request import WATCH, Reply
from edge.live import Live, Sample, registers_of
from edge.model import Values
from edge.own_number import OwnNumber
from edge.purses import Purses
from edge.read_times import read_at
from edge.relays import Relays
from edge.state import MeterState
from edge.valves import Valves, stands_in_sweep
from edge.witnesses import GRANTED_S

log = logging.getLogger("riser.readings")

DRIFT_NOTED_S, DRIFT_ALARM_S = 60, 300
"""R25: a meter's clock this far off is recorded, and alarms."""

REREADS = 2
"""A doubted register is read again at once, so often; after that it is the next round's turn, and the line is free."""


class Readings:
    """Takes the values of every answered question."""

    def __init__(self, core: Core, accounts: Accounts, relays: Relays):
        self._core, self._accounts, self._relays = core, accounts, relays
        self.covers, self.valves, self.purses = Covers(core), Valves(core), Purses(core)
        self.leaks = Leaks(core)
        self.first = FirstRegisters(core, lambda meter, name, reply: self.take(meter, name, reply))
        self.own = OwnNumber(core, lambda meter, reply: self.take(meter, "serial", reply), self._energy)
        self.fresh: dict[str, dict[str, Any]] = {}
        self.take: Callable[[MeterState, str, Reply], bool]
        self._drift_alarmed: set[str] = set()
        self.read: set[str] = set()
        """Accounts of which a meter was read just now."""

    def changed(self, meter: str) -> None:
        """The meter was replaced: what is remembered of the old one is forgotten."""
        self.fresh.pop(meter, None)
        self._drift_alarmed.discard(meter)
        self.covers.changed(meter)
        self.purses.changed(meter)
        self.own.changed(meter)

    def heard(self, meter: MeterState, name: str, values: Values, reply: Reply) -> None:
        """Values of the question `name`; called for routine, evidence and border reads alike."""
        live = self._core.lives[meter.id]
        live.read_at[name] = reply.at
        self._core.changed("meter", meter.id)
        if name == live.model.registers:
            self._energy(meter, live, values, reply)
        elif live.model.relay is not None and name == live.model.relay.row:
            self.valves.heard(meter, values, self._relays.commands.moving(meter) is not None)
            self.purses.heard(meter, values)
            if (seen := live.model.relay.seen(values)) is not None:  # Else "not available": it stays as seen last.
                self._relays.looking.observed(meter, seen, reply)
        elif name == "serial":
            live.serial, live.serial_mono = values.get("serial"), reply.ended
            live.serial_frames = live.model.kept(reply.request.frame, reply.parts)
            self.own.heard(meter, live, reply)
        elif name == "clock":
            self._clock(meter, live, values["clock"], reply)
        elif name in COUNTS:
            self.covers.heard(meter, name, values)
        else:
            live.values.update(values)
            if "power_w" in values:
                live.smooth_load(values["power_w"], reply.at)

    def _energy(self, meter: MeterState, live: Live, values: Values, reply: Reply) -> None:
        registers = registers_of(values)
        if "total" not in registers:
            return
        frames = (live.model.kept(reply.request.frame, reply.parts),)
        core = self._core
        at, believed = read_at(core, reply)
        sample = Sample(registers, at, reply.ended, frames, core.clock.elapsed(), believed)
        if live.unnamed:
            last = live.sample or _accepted_before(meter, live, reply.at)
            if self.own.holds(meter, live, last, sample, values, reply):
                return
        offset = None if meter.proven is None else gate.rates_apart_wh(live.model, meter.proven.registers_wh)
        # What was accepted while nobody knew the time is judged by nothing, and confirms nothing, once it is known.
        forgotten = live.unproven and believed
        newest, earlier = (None, None) if forgotten else (live.sample, live.before)
        before = newest
        if before is None and not live.trusted_anew:
            before = _accepted_before(meter, live, reply.at)
        unproven = (live.unproven and not believed) or (before is not None and gate.span_s(before, sample) is None)
        verdict = gate.check(live.model, before, live.suspect, sample, offset, earlier)
        twice = gate.agrees(live.model, live.suspect, sample)
        # What was known lies hours back, so a first reading may be far off and still fit: it is read twice. (What
        # is read while nobody knows the time is judged again when it is known.)
        alone = (meter.quarantined is not None or (live.sample is None and believed)) and not twice
        if verdict.action == "again" or (verdict.action == "accept" and alone):
            live.suspect = sample
            if live.quality == "unread":
                live.quality, live.quality_why = "unconfirmed", verdict.why or "the first reading is read twice"
            if live.rereads < REREADS:
                live.rereads += 1
                self.read_again(meter)
            return
        live.rereads = 0
        if verdict.action == "set-aside" and verdict.rule == "R21" and not believed:
            # A machine that slept, or a calendar just set: nobody knows yet how long it was. Kept, judged when known.
            live.suspect, live.quality, live.quality_why = sample, "unconfirmed", verdict.why
            return
        if verdict.action == "set-aside":
            self._set_aside(meter, live, sample, verdict)
            return
        if meter.quarantined is not None and (unproven or not self._dissolved(meter, live, sample)):
            live.quality, live.quality_why = "quarantined", meter.quarantined
            return
        live.before = live.suspect if twice else newest
        live.sample, live.suspect, live.trusted_anew, live.unproven = sample, None, False, unproven
        live.quality, live.quality_why = "good", None
        if meter.quarantined is not None:
            why = "the doubted reading was a passing one: the register stands below it again"
            fields = {"meter": meter.id, "why": why, "who": "policy"}
            self._core.append(("release/1", self._core.own_id(f"release:{meter.id}"), fields))
        if meter.billed is None:
            self.first.open(meter, live, sample)
        self._accepted(meter, live, sample)

    def _dissolved(self, meter: MeterState, live: Live, sample: Sample) -> bool:
        """A jump is doubted until a person releases it, unless the register never really jumped. (Where nobody knows
        how much time has passed, that it fits says nothing.)"""
        if (doubted := meter.quarantined_wh) is None:
            return True
        last = live.sample or _accepted_before(meter, live, self._core.now())
        last_wh = 0 if last is None else last.registers_wh["total"]
        # Over its top too; a fall (R20) is nearly once round, and whatever fits is less.
        grew, doubted_wh = ((wh - last_wh) % live.model.full_scale_wh for wh in (sample.registers_wh["total"], doubted))
        return grew < doubted_wh

    def released(self, meter: MeterState) -> None:
        """A person takes the doubted register as it is: the next two readings that agree are accepted."""
        live = self._core.lives[meter.id]
        live.sample = live.before = live.floor = live.suspect = None
        live.trusted_anew = True

    def read_again(self, meter: MeterState) -> None:
        """Ask for the registers once more, before the next round does."""
        name = self._core.lives[meter.id].model.registers
        frame = self._core.question(meter, name)
        self._core.submit(meter, WATCH, name, frame, lambda again: self._again(meter, again))

    def _again(self, meter: MeterState, reply: Reply) -> None:
        if reply.raw is not None:
            self.take(meter, reply.request.purpose, reply)

    def _set_aside(self, meter: MeterState, live: Live, sample: Sample, verdict: gate.Verdict) -> None:
        """Two readings agree on something impossible: keep it with its frames, charge nothing, tell a person (I15)."""
        live.suspect = None
        if live.quality == "quarantined":
            return
        live.quality, live.quality_why = "quarantined", f"{verdict.rule}: {verdict.why}"
        fields = {
            "meter": meter.id,
            "registers_wh": sample.registers_wh,
            "read_at": instant_text(sample.read_at),
            "rule": verdict.rule,
            "why": verdict.why,
            "frames": [list(pair) for pair in sample.frames],
        }
        self._core.append(("quarantine/1", self._core.own_id(f"quarantine:{meter.id}"), fields))
        log.warning("meter %s: reading set aside, %s", meter.id, live.quality_why)

    def _accepted(self, meter: MeterState, live: Live, sample: Sample) -> None:
        self.fresh[meter.id] = {
            "meter": meter.id,
            "read_at": micros_of(sample.read_at),
            "volume_l" if live.model.quantity == "volume" else "energy_wh": sample.registers_wh["total"],
            "registers_wh": sample.registers_wh,
            "power_w": live.values.get("power_w"),
            **({} if sample.believed else {"believed": False}),
            **stands_in_sweep(live),
        }
        self.leaks.look(meter)
        if meter.account is not None:
            self.read.add(meter.account)

    def follow(self) -> None:
        """Look at the accounts whose meters were read: the loop does so once it has told what they said."""
        read, self.read = self.read, set()
        for account in sorted(read & self._core.state.accounts.keys()):
            self._accounts.evaluate(self._core.state.accounts[account])

    def look_at_all(self) -> Iterator[None]:
        """Look at every account, whether its meters were read or not; a chore."""
        for account in list(self._core.state.accounts.values()):
            self._accounts.evaluate(account)
            yield

    def _clock(self, meter: MeterState, live: Live, meter_now: datetime, reply: Reply) -> None:
        if reply.ended <= self._core.clock_stepped_mono:
            live.asked_mono.pop("clock", None)  # The calendar that it was compared with is none any more.
            return
        offset_s = round((nearest(meter_now, reply.at) - reply.at).total_seconds())
        if abs(offset_s - (live.clock_offset_s or 0)) > DRIFT_NOTED_S and (
            live.clock_doubt_s is None or abs(offset_s - live.clock_doubt_s) > DRIFT_NOTED_S
        ):
            # The expiry of a trip or close hangs on it, so a leap is read twice.
            again, live.clock_doubt_s = live.clock_doubt_s is None, offset_s
            if again:
                frame = self._core.question(meter, "clock")
                self._core.submit(meter, WATCH, "clock", frame, lambda twice: self._clock_again(meter, twice))
            return
        live.clock_offset_s, live.clock_doubt_s = offset_s, None
        off = abs(live.clock_offset_s)
        if not self._core.book.trusted:
            return  # It may be ours that is wrong; its witness is heard in `witnesses.py`.
        if off > DRIFT_ALARM_S and meter.id not in self._drift_alarmed:
            self._drift_alarmed.add(meter.id)
            text = (
                f"the meter's clock is {live.clock_offset_s:+d} s off (R25); "
                "set it with `riser meter PORT ADDRESS clock --set`"
            )
            fields = {"meter": meter.id, "alarm": "clock-drift", "text": text}
            self._core.append(("alarm/1", self._core.own_id("alarm"), fields))
        elif off <= DRIFT_NOTED_S:
            self._drift_alarmed.discard(meter.id)

    def _clock_again(self, meter: MeterState, reply: Reply) -> None:
        if reply.raw is not None:
            self.take(meter, "clock", reply)


def _accepted_before(meter: MeterState, live: Live, now: datetime) -> Sample | None:
    """What a first reading after a start is judged by: the register that was billed last, if the meter said it, or what
    was saved since under a calendar that was believed. A leap that a day could explain, a few minutes cannot. Nothing
    where a person has taken the register as it is since: they looked at the meter."""
    if meter.proven is None:
        return None
    billed, saved = Sample(meter.proven.registers_wh, instant_of_micros(meter.proven.at), 0.0, ()), live.floor
    if saved is None or not saved.believed or not billed.read_at < saved.read_at <= now:
        return billed if meter.released_at is None else None
    # The calendar may have been ahead by what any clock is granted, and be right since.
    return replace(saved, read_at=max(billed.read_at, saved.read_at - timedelta(seconds=GRANTED_S)))
