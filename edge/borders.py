"""Border reads: the register at midnight of a meter that keeps no midnights, read then and there, and not only once.

A checksum can be right by chance, and a meter that restarts says odd things. So it is read again at once, until two
readings in a row are the same; where the register moves too fast for that, until three follow on each other within what
the meter can carry meanwhile, and then the middle one counts: if it was wrong, the register still passed it just then.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta

from edge import gate
from edge.core import NOT_ASKED, Core
from edge.line.request import BORDER, PERSON, Reply
from edge.live import Sample
from edge.schedule import Schedule
from edge.state import MeterState

BORDER_S = 60
"""A border read counts for a midnight this near (calendar seconds)."""

READS_AT_MOST = 8
"""A meter whose readings never fit to each other is no witness; its day closes deferred."""

Proven = Callable[[MeterState, datetime, Sample, Sample], None]
"""Meter, midnight, the reading that counts, and the one that confirmed it."""


class Borders:
    """Reads around midnight."""

    def __init__(
        self, core: Core, schedule: Schedule, take: Callable[[MeterState, str, Reply], bool], proven: Proven
    ) -> None:
        self._core, self._schedule, self._take, self._proven = core, schedule, take, proven
        self._for: datetime | None = None
        self._reads: dict[tuple[str, date], list[Sample]] = {}  # of meters that are being read, the newest two
        self._tries: dict[tuple[str, date], int] = {}

    def next(self, now: datetime) -> datetime:
        """The midnight that comes next, or the one just past while its border reads are not yet asked for."""
        midnight = self._schedule.next_midnight(now - timedelta(seconds=BORDER_S))
        return self._schedule.next_midnight(midnight) if midnight == self._for else midnight

    def confirming(self, meter: str, midnight: date) -> bool:
        """It was read, and is being read again."""
        return bool(self._reads.get((meter, midnight)))

    def reads(self, now: datetime) -> None:
        """Around midnight: read every billed meter that keeps no midnights itself."""
        core = self._core
        lead = timedelta(seconds=core.terms.border_lead_s)
        midnight = self._schedule.next_midnight(now - timedelta(seconds=BORDER_S))
        if now < midnight - lead or self._for == midnight:
            return
        self._for = midnight
        self._reads.clear()
        self._tries.clear()
        left_s = (midnight + timedelta(seconds=BORDER_S) - now).total_seconds() / core.clock.speed
        not_after = core.clock.monotonic() + left_s
        meters = list(core.state.meters.values())
        first = midnight.toordinal() % max(
            len(meters), 1
        )  # Where a minute is too short for all, it is not always for the same.
        for meter in [*meters[first:], *meters[:first]]:
            live = core.lives[meter.id]
            if meter.account and not live.model.freeze and live.online is not False:
                self._ask(meter, midnight, not_after)

    def _ask(self, meter: MeterState, midnight: datetime, not_after: float) -> None:
        """Ask for the registers; a second look comes at once, before the next meter's first."""
        key, name = self._key(meter, midnight), self._core.lives[meter.id].model.registers
        self._tries[key] = self._tries.get(key, 0) + 1
        self._core.submit(
            meter,
            PERSON if self._reads.get(key) else BORDER,
            name,
            self._core.question(meter, name),
            lambda reply: self._answered(meter, midnight, not_after, reply),
            not_after=not_after,
            learned_wait=True,
        )

    def _key(self, meter: MeterState, midnight: datetime) -> tuple[str, date]:
        return meter.id, midnight.astimezone(self._core.terms.zone).date()

    def _answered(self, meter: MeterState, midnight: datetime, not_after: float, reply: Reply) -> None:
        core, key = self._core, self._key(meter, midnight)
        before = self._reads.pop(key, [])
        if reply.raw is None:
            if reply.error in NOT_ASKED:
                return
            sample = None
        elif not self._take(meter, reply.request.purpose, reply):
            sample = None  # It refused, perhaps because it was busy.
        else:
            newest = core.lives[meter.id].sample
            sample = newest if newest is not None and newest.mono == reply.ended else None  # Else the gate doubts it.
        if sample is not None and (counts := self._agreed(meter, before, sample)) is not None:
            self._proven(meter, midnight, counts, sample)
            return
        again_by = not_after
        if sample is None and before:
            again_by = max(not_after, before[-1].mono + gate.AT_ONCE_S)
        if sample is not None and abs((sample.read_at - midnight).total_seconds()) <= BORDER_S:
            before = [*before[-1:], sample]
            again_by = max(not_after, sample.mono + gate.AT_ONCE_S)  # What confirms may come a little later.
        if self._tries[key] < READS_AT_MOST and core.clock.monotonic() < again_by:
            self._reads[key] = before
            self._ask(meter, midnight, again_by)

    def _agreed(self, meter: MeterState, before: list[Sample], sample: Sample) -> Sample | None:
        """The reading that counts, now that `sample` was read after `before`; None: read again."""
        if not before:
            return None
        model, last = self._core.lives[meter.id].model, before[-1]
        if not gate.at_once(model, last, sample):
            return None
        if last.registers_wh == sample.registers_wh or (len(before) > 1 and gate.at_once(model, before[0], last)):
            return last
        return None
