"""When was a register read? By the calendar of now, also where that was set since, or was not believed then (R25).

The machine's own seconds go on whatever is done to the calendar, so they tell how long ago it was. Without them a
reading of a calendar that had leapt would stay in the future: priced by another day's steps, and fresh for weeks.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from edge.core import Core
from edge.line.request import Reply
from edge.live import Sample

SET_S = 60.0
"""The stamp of an answer is this far from what the machine's seconds say: the calendar was set meanwhile."""


def read_at(core: Core, reply: Reply) -> tuple[datetime, bool]:
    """(when an answer came, is that known). Its port stamped it, maybe moments before the calendar was set, or before
    the machine slept: then the earlier of both times is told, and neither believed."""
    now, speed = core.now(), core.clock.speed
    counted = min(now - timedelta(seconds=(core.clock.monotonic() - reply.ended) * speed), now)
    if abs((reply.at - counted).total_seconds()) > SET_S * speed:
        return min(counted, reply.at), False
    return reply.at, core.book.trusted


def tell_anew(core: Core) -> None:
    """The calendar is believed again: what was read meanwhile was read so long ago, not when it said then."""
    for live in core.lives.values():
        live.sample, live.before = _told(core, live.sample), _told(core, live.before)
        live.suspect, live.confirming = _told(core, live.suspect), _told(core, live.confirming)


def _told(core: Core, sample: Sample | None) -> Sample | None:
    if sample is None or sample.believed or sample.elapsed_s is None:
        return sample
    return replace(sample, read_at=core.now() - timedelta(seconds=core.clock.elapsed() - sample.elapsed_s))
