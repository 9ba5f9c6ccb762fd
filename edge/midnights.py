"""Registers at local midnights: frozen by the meter, or read at the border; each proven, none guessed.

A meter with freeze memory is asked for a midnight's time and registers, and the time must be that very midnight;
each is read twice, the same both times, for it goes on a bill. A meter without one is read within a minute of
midnight (`borders.py`), and its next reading must follow on that. What cannot be had any more is said to be lost.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

from bridge.contract.units import instant_exact, instant_text
from edge import gate
from edge.billing.tariff import local_midnight
from edge.borders import BORDER_S, Borders
from edge.codec.errors import CodecError
from edge.core import Core
from edge.hours import Hours
from edge.line.request import BORDER, Reply
from edge.live import Sample, registers_of
from edge.polling import DEPTH
from edge.schedule import Schedule
from edge.state import MeterState

log = logging.getLogger("riser.closing")

FREEZE_DRIFT_S = 300
"""A freeze whose time is further from midnight than this is another event's, not that midnight's."""

FREEZE_SETTLES = timedelta(seconds=60)
"""So long after midnight the meters are asked; most clocks have come to it by then."""

RETRY_S = 10.0
"""Line seconds until a meter is asked for its midnight again."""

LINE_FREE = DEPTH
"""Requests that always wait at a busy port (routine reads); with more, midnights wait until the line comes to them."""

TRIES = 6
"""A meter that answers, but never with this midnight, is asked so often before its day closes without it."""

NUMBER_WITHIN_S = 1800.0
"""Line seconds that a day which should be closed by now waits for the number of a meter that is back."""

FREEZE_DEPTH = 62
"""Midnights a meter keeps; older ones are not asked for."""


class Midnights:
    """Fetches and keeps the registers of midnights until they are charged."""

    def __init__(self, core: Core, schedule: Schedule, take: Callable[[MeterState, str, Reply], bool], hours: Hours):
        self._core, self._schedule, self._hours = core, schedule, hours
        self._marks: dict[tuple[str, date], dict[str, Any] | None] = {}
        self._unproven: dict[tuple[str, date], Sample] = {}  # border reads that no later reading has confirmed yet
        self._asked: dict[tuple[str, date], float] = {}
        self._tries: dict[tuple[str, date], int] = {}
        self.borders = Borders(core, schedule, take, self._bordered)

    def mark(self, meter: str, midnight: date) -> dict[str, Any] | None:
        """Registers of a meter at the midnight with which a local day begins, or None while they are not there."""
        if (read := self._unproven.get((meter, midnight))) is not None and not self._confirmed(meter, midnight, read):
            return None
        return self._marks.get((meter, midnight))

    def _confirmed(self, meter: str, midnight: date, read: Sample) -> bool:
        """Has a later reading followed on a border read? One that contradicts it takes its midnight away."""
        live = self._core.lives[meter]
        if live.sample is None or live.sample.mono <= read.mono:
            return False
        del self._unproven[meter, midnight]
        if not gate.fits(live.model, read, live.sample, None):
            log.warning("meter %s: its midnight read of %s was contradicted by the next", meter, midnight)
            self._marks[meter, midnight] = None
        return True

    def forget(self, meter: str, midnight: date) -> None:
        """The midnight is charged, or its day closed without it."""
        for kept in (self._marks, self._unproven, self._asked, self._tries):
            kept.pop((meter, midnight), None)  # type: ignore[attr-defined]

    def changed(self, meter: str) -> None:
        """What is kept of any midnight is of another meter."""
        for kept in (self._marks, self._unproven, self._asked, self._tries):
            for key in [key for key in kept if key[0] == meter]:  # type: ignore[attr-defined]
                del kept[key]  # type: ignore[attr-defined]
        self.borders.changed(meter)

    def want(self, meter: MeterState, midnight: date, now: datetime) -> None:
        """Ask for a midnight that is missing, if the meter may still have it."""
        live = self._core.lives[meter.id]
        if live.model.freeze and live.is_itself:
            self._ask_freeze(meter, midnight, now)

    def lost(self, meter: MeterState, midnight: date, now: datetime, late: bool) -> bool:
        """True when this midnight cannot be had any more: not in memory, never read, or asked for long enough."""
        live, key = self._core.lives[meter.id], (meter.id, midnight)
        if key in self._marks:
            return self._marks[key] is None or (late and key in self._unproven)
        if meter.billed is None and live.online is False:
            return True
        if self.borders.confirming(meter.id, local_midnight(midnight, self._core.terms.zone)):
            return late
        if not live.model.freeze:
            return now > local_midnight(midnight, self._core.terms.zone) + timedelta(seconds=BORDER_S * 3)
        if (self._schedule.today(now) - midnight).days >= FREEZE_DEPTH:
            return True
        strange = live.unnamed and self._core.clock.monotonic() - live.unnamed_mono > NUMBER_WITHIN_S
        return late and (live.online is False or strange or self._tries.get(key, 0) >= TRIES)

    # --- at the border ---

    def _bordered(self, meter: MeterState, border: datetime, read: Sample, confirmed_by: Sample) -> None:
        """A border read was confirmed; the next reading must follow on it as well. Its own frame stands last."""
        midnight = local_midnight(border.astimezone(self._core.terms.zone).date(), self._core.terms.zone)
        if border != midnight:
            self._hours.bordered(meter, border, read, confirmed_by)
            return
        frames = [list(each) for each in (*confirmed_by.frames, *read.frames)]
        self._keep(meter, midnight, read.registers_wh, "border", read.read_at, frames)
        self._unproven[meter.id, midnight.astimezone(self._core.terms.zone).date()] = confirmed_by

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

    # --- from the meter's memory ---

    def _ask_freeze(self, meter: MeterState, midnight: date, now: datetime) -> None:
        """Ask for the time and the registers of one midnight; both answers must come, and the time must fit."""
        core, key = self._core, (meter.id, midnight)
        if now < local_midnight(midnight, core.terms.zone) + FREEZE_SETTLES:
            return
        slot = (self._schedule.today(now) - midnight).days + 1
        mono = core.clock.monotonic()
        if not 1 <= slot <= FREEZE_DEPTH or mono < self._asked.get(key, -1e9) + RETRY_S:
            return
        if core.ports[meter.row["port"]].waiting() > LINE_FREE:
            return  # It is still at what was asked before; a try that only waits in the queue would be no try.
        self._asked[key], self._tries[key] = mono, self._tries.get(key, 0) + 1
        self._ask_slot(meter, midnight, slot, 0)

    def _ask_slot(self, meter: MeterState, midnight: date, slot: int, toward: int) -> None:
        self._twice(
            meter,
            "freeze-time",
            slot,
            lambda values, reply: self._freeze_time(meter, midnight, slot, toward, values, reply),
        )

    def _freeze_time(
        self, meter: MeterState, midnight: date, slot: int, toward: int, values: dict[str, Any], reply: Reply
    ) -> None:
        """Is this slot the midnight that is wanted? A meter that was without power lacks some, and its slots shift."""
        frozen_at = values.get("freeze")
        if frozen_at is None:
            return
        wanted = local_midnight(midnight, self._core.terms.zone)
        off_s = (frozen_at - wanted).total_seconds()
        if abs(off_s) > FREEZE_DRIFT_S:
            step = -1 if off_s < 0 else 1
            if slot + step < 1 and not self._past(meter, wanted):
                return  # The meter's clock has not come to that midnight yet; it is asked again.
            if slot + step < 1 or step == -toward or slot + step > FREEZE_DEPTH:
                log.info("meter %s did not freeze at midnight of %s", meter.id, midnight)
                self._marks[meter.id, midnight] = None
            else:
                self._ask_slot(meter, midnight, slot + step, step)
            return
        kept = self._core.lives[meter.id].model.kept(reply.request.frame, reply.parts)
        self._twice(
            meter,
            "freeze-energy",
            slot,
            lambda values, answer: self._freeze_energy(meter, wanted, kept, values, answer),
        )

    def _past(self, meter: MeterState, midnight: datetime) -> bool:
        """True when the meter's own clock, read and found right, is well past a midnight: it was dark then."""
        offset_s = self._core.lives[meter.id].clock_offset_s
        known = offset_s is not None and abs(offset_s) <= FREEZE_DRIFT_S
        return known and self._core.now() > midnight + timedelta(seconds=2 * FREEZE_DRIFT_S)

    def _freeze_energy(
        self, meter: MeterState, wanted: datetime, time_kept: tuple[str, ...], values: dict[str, Any], reply: Reply
    ) -> None:
        registers = registers_of(values)
        if "total" not in registers or not self._core.lives[meter.id].is_itself:
            return
        kept = self._core.lives[meter.id].model.kept(reply.request.frame, reply.parts)
        self._keep(meter, wanted, registers, "freeze", reply.at, [list(time_kept), list(kept)])

    def _twice(self, meter: MeterState, name: str, slot: int, then: Callable[[dict[str, Any], Reply], None]) -> None:
        """Read something frozen twice and hand it on when both are the same; else it is asked for again later."""
        frame = self._core.question(meter, name, slot)

        def first(reply: Reply) -> None:
            if values := self._freeze_values(meter, name, reply):
                self._core.submit(meter, BORDER, name, frame, lambda again: second(values, again))

        def second(values: dict[str, Any], reply: Reply) -> None:
            again = self._freeze_values(meter, name, reply)
            if again == values:
                then(values, reply)
            elif again:
                log.info("meter %s, %s: two readings differ", meter.id, name)

        self._core.submit(meter, BORDER, name, frame, first)

    def _freeze_values(self, meter: MeterState, name: str, reply: Reply) -> dict[str, Any]:
        if reply.raw is None:
            return {}
        try:
            return self._core.lives[meter.id].model.values(name, reply.parts, self._core.terms.zone)
        except CodecError as trouble:
            log.info("meter %s, %s: %s", meter.id, name, trouble)
            return {}
