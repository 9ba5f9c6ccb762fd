"""Meters' clocks are set by broadcast, once a day and a line, and only when nothing can come of it (R25).

    one is 10 s to 5 min off       less is what reading costs, more no meter takes from a broadcast: that alarms
    no border within 5 min         local midnight, a tariff's border, a change of the zone's offset: a clock that is set
                                   there freezes a day twice or not at all
    our own clock is believed      else it is ours that may be wrong
    it has not moved just now      see `common_time.py`: then it is ours that may be wrong, too

Whether it helped, the next reading of the clock tells. What was done is written when it has left: a crash between may
cost a second broadcast on that day, which the meters themselves ignore (DL/T 614).
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from bridge.contract.units import instant_of_micros
from edge.billing.tariff import wall_instant
from edge.codec import dlt645_orders
from edge.common_time import CommonTime
from edge.core import Core, Draft
from edge.line.request import WATCH, Reply
from edge.state import MeterState

log = logging.getLogger("riser.clocks")

PROTOCOL = "dlt645-2007"

SET_FROM_S, SET_TO_S = 10, 300
"""A meter is set when it is so far off: from the first to the second, both included."""

BORDER_S = 300
"""Neither the meters' time nor ours may come nearer to a border than this."""

LEAVES_WITHIN_S = 3.0
"""A broadcast carries the second at which it was made; one that waited longer at its port does not leave."""

LOOK_EVERY_S = 10.0
"""Line seconds between two looks at all lines."""


@dataclass(frozen=True)
class Line:
    """What is known of a line: how far each meter's clock is off, and the local day of the newest setting."""

    offsets_s: Mapping[str, int]
    set_on: date | None = None
    alone: bool = True
    """Nothing but DL/T 645-2007 is on it; another protocol's meter might take the broadcast for something else."""


def off(line: Line, from_s: int = SET_FROM_S) -> dict[str, int]:
    """The meters that a broadcast is for, with how far they are off."""
    return {meter: s for meter, s in line.offsets_s.items() if from_s <= abs(s) <= SET_TO_S}


def why_not(
    line: Line, now: datetime, zone: ZoneInfo, borders: Collection[int], believed: bool, from_s: int = SET_FROM_S
) -> str | None:
    """None when the clocks of a line are to be set at `now`, else why not. `borders` are minutes of the local day."""
    if not believed:
        return "our own clock is not believed"
    if not line.alone:
        return "other meters than those of DL/T 645-2007 are on the line"
    wrong = off(line, from_s)
    if not wrong:
        return "no clock is off by what a broadcast mends"
    if line.set_on is not None and line.set_on >= now.astimezone(zone).date():
        return "it was done today"
    # A clock that is set runs through all times between its own and ours, or runs through them twice.
    reach = [min(0, *wrong.values()) - BORDER_S, max(0, *wrong.values()) + BORDER_S]
    early, late = (now + timedelta(seconds=s) for s in reach)
    if early.astimezone(zone).utcoffset() != late.astimezone(zone).utcoffset():
        return "the zone changes its offset"
    day = early.astimezone(zone).date()
    for ahead in range(3):
        for minute in {0, *borders}:
            if early <= wall_instant(day + timedelta(days=ahead), minute, zone) <= late:
                return f"{minute // 60:02d}:{minute % 60:02d} is near"
    return None


class Clocks:
    """The lines whose meters are set right."""

    def __init__(self, core: Core, allowed: bool):
        self._core, self._allowed, self._common = core, allowed, CommonTime(core, allowed)
        self._looked = -1e9
        self._asked: dict[str, datetime] = {}  # what is on its way, or has left and could not be written

    def tick(self) -> None:
        """Look at each line now and then, and set its clocks when they want it."""
        core = self._core
        if not self._allowed or core.clock.monotonic() - self._looked < LOOK_EVERY_S:
            return
        self._looked = core.clock.monotonic()
        # Where the calendar is faster than the line, reading and setting cost so much more of it.
        from_s = max(SET_FROM_S, int(2 * core.clock.speed))
        believed = core.book.trusted and core.mode == "normal"
        if not self._common.look(believed or core.clock_asked, from_s):
            return
        borders = {edge for all in core.state.tariffs.values() for row in all for edge in _edges(row)}
        for port in core.ports:
            line = self._line(port)
            if why_not(line, core.now(), core.terms.zone, borders, believed, from_s) is None:
                self._set(port, off(line, from_s))

    def _line(self, port: str) -> Line:
        core, zone = self._core, self._core.terms.zone
        meters = self._meters(port)
        offsets = {meter.id: s for meter in meters if (s := self._common.offset_s(meter.id)) is not None}
        alone = all(core.lives[meter.id].model.protocol == PROTOCOL for meter in meters)
        written = [instant_of_micros(meter.clock_set_at) for meter in meters if meter.clock_set_at is not None]
        done = [*written, *([self._asked[port]] if port in self._asked else [])]
        set_on = max(done).astimezone(zone).date() if done else None
        return Line(offsets, set_on, alone and core.ports[port].line.protocol == PROTOCOL)

    def _meters(self, port: str) -> list[MeterState]:
        return [meter for meter in self._core.state.meters.values() if meter.row["port"] == port]

    def _set(self, port: str, wrong: dict[str, int]) -> None:
        core, now = self._core, self._core.now()
        line = core.ports[port].line
        frame_s = line.wire_s(len(dlt645_orders.broadcast_time(now))) * core.clock.speed
        arrives = now + timedelta(seconds=frame_s)  # Clocks are set when its last byte has come.
        frame = dlt645_orders.broadcast_time(arrives.astimezone(core.terms.zone))
        first = core.state.meters[next(iter(wrong))]
        self._asked[port] = now
        not_after = core.clock.monotonic() + LEAVES_WITHIN_S
        core.submit(
            first, WATCH, "clock-set", frame, lambda reply: self._left(port, wrong, reply),
            not_after=not_after, answered=False,
        )  # fmt: skip

    def _left(self, port: str, wrong: dict[str, int], reply: Reply) -> None:
        """It has left, or has not: then it is tried again."""
        if reply.error is not None:
            self._asked.pop(port, None)
            return
        drafts: list[Draft] = []
        for meter, offset_s in wrong.items():
            why = f"the clock was set by broadcast; it was {offset_s:+d} s off (R25)"
            fields = {"meter": meter, "port": port, "offset_s": offset_s, "why": why}
            drafts.append(("clock-set/1", f"clock-set:{meter}:{self._core.book.seq + 1 + len(drafts)}", fields))
            log.info("meter %s on %s: %s", meter, port, why)
        self._core.append(*drafts)


def _edges(tariff: Mapping[str, object]) -> list[int]:
    """Minutes of the day at which a price changes."""
    windows = tariff.get("windows") or []
    assert isinstance(windows, list)
    return [int(window[side]) % 1440 for window in windows for side in ("from", "to")]
