"""Border reads: the registers at an instant of which the meter keeps nothing, read then and there, and not only once.

Which instants those are, midnights, hours and changes of price, stands in `border_times.py`.

A checksum can be right by chance, and a meter that restarts says odd things. So it is read again at once, until two
readings in a row are the same; where the register moves too fast for that, until three follow on each other within what
the meter can carry meanwhile, and then the middle one counts: if it was wrong, the register still passed it just then.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from edge import gate
from edge.border_times import BorderTimes
from edge.core import NOT_ASKED, Core
from edge.line.request import BORDER, PERSON, Reply
from edge.live import Sample
from edge.schedule import Schedule
from edge.state import MeterState

BORDER_S = 60
"""A border read counts for a border this near (calendar seconds)."""

READS_AT_MOST = 8
"""A meter whose readings never fit to each other is no witness; its midnight is sought elsewhere (R24)."""

Proven = Callable[[MeterState, datetime, Sample, Sample], None]
"""Meter, border, the reading that counts, and the one that confirmed it."""

Key = tuple[str, datetime]
"""Meter and border."""

FORGOTTEN = timedelta(hours=3)
"""A border that lies further ahead than this was read by a calendar that has been set back since."""


class Borders:
    """Reads around borders."""

    def __init__(
        self, core: Core, schedule: Schedule, take: Callable[[MeterState, str, Reply], bool], proven: Proven
    ) -> None:
        self._core, self._take, self._proven = core, take, proven
        self._times = BorderTimes(core, schedule)
        self._done: datetime | None = None
        self._reads: dict[Key, list[Sample]] = {}  # of meters that are being read, the newest two
        self._tries: dict[Key, int] = {}

    def confirming(self, meter: str, border: datetime) -> bool:
        """It was read, and is being read again."""
        return bool(self._reads.get((meter, border)))

    def changed(self, meter: str) -> None:
        """What was read of this meter is not the one that stands there now."""
        self._reads = {key: kept for key, kept in self._reads.items() if key[0] != meter}

    def reads(self, now: datetime) -> None:
        """At a border: read every meter whose registers are wanted there. A border just past counts as well, for a
        price may take effect at the moment in which it is set."""
        core, after = self._core, now - timedelta(seconds=BORDER_S)
        if self._done is not None and self._done > now + FORGOTTEN:
            self._done = None
        border, meters = self._times.next(after if self._done is None else max(after, self._done))
        if now < border - timedelta(seconds=core.terms.border_lead_s):
            return
        self._done = border
        old = border - FORGOTTEN
        self._reads = {key: kept for key, kept in self._reads.items() if key[1] > old}
        self._tries = {key: kept for key, kept in self._tries.items() if key[1] > old}
        left_s = (border + timedelta(seconds=BORDER_S) - now).total_seconds() / core.clock.speed
        not_after = core.clock.monotonic() + left_s
        # Another one begins each night: where a minute is too short for all, it is not always so for the same.
        first = border.toordinal() % max(len(meters), 1)
        for meter in [*meters[first:], *meters[:first]]:
            if core.lives[meter.id].online is not False:
                self._ask(meter, border, not_after)

    def _ask(self, meter: MeterState, border: datetime, not_after: float) -> None:
        """Ask for the registers; a second look comes at once, before the next meter's first."""
        key, name = (meter.id, border), self._core.lives[meter.id].model.registers
        self._tries[key] = self._tries.get(key, 0) + 1
        self._core.submit(
            meter,
            PERSON if self._reads.get(key) else BORDER,
            name,
            self._core.question(meter, name),
            lambda reply: self._answered(meter, border, not_after, reply),
            not_after=not_after,
            learned_wait=True,
        )

    def _answered(self, meter: MeterState, border: datetime, not_after: float, reply: Reply) -> None:
        core, key = self._core, (meter.id, border)
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
            self._proven(meter, border, counts, sample)
            return
        again_by = not_after
        if sample is None and before:
            again_by = max(not_after, before[-1].mono + gate.AT_ONCE_S)
        if sample is not None and abs((sample.read_at - border).total_seconds()) <= BORDER_S:
            before = [*before[-1:], sample]
            again_by = max(not_after, sample.mono + gate.AT_ONCE_S)  # What confirms may come a little later.
        if self._tries.get(key, READS_AT_MOST) < READS_AT_MOST and core.clock.monotonic() < again_by:
            self._reads[key] = before
            self._ask(meter, border, again_by)

    def _agreed(self, meter: MeterState, before: list[Sample], sample: Sample) -> Sample | None:
        """The reading that counts, now that `sample` was read after `before`; None: read again."""
        if not before:
            return None
        model, last, speed = self._core.lives[meter.id].model, before[-1], self._core.clock.speed
        if not gate.at_once(model, last, sample, speed):
            return None
        if last.registers_wh == sample.registers_wh or (
            len(before) > 1 and gate.at_once(model, before[0], last, speed)
        ):
            return last
        return None
