"""All meters off at once, and by the same: then it is the gateway's clock that moved, and it sets nobody's (R25).

Quartz clocks drift each for itself. What most of them say together changes slowly, or because ours moved: by a wrong
time server, or by a person's hand. A broadcast then would make every meter wrong, and leave nobody who knows better.
So it waits, a day of running at most: where it was the meters that stood wrong together, they are mended in the end.

Days are closed and cuts are made by a clock that is off by no more than the five minutes which R25 grants. One that
moved by more is not believed for as long as the wait lasts (`witnesses.py`), and no longer: no handful of meters may
stop a building's bills.
"""

from __future__ import annotations

import logging
from collections.abc import Collection
from dataclasses import dataclass, replace
from statistics import median_low

from edge.core import Core
from edge.witnesses import APART_S, calendar_apart_s

log = logging.getLogger("riser.clocks")

FRESH_S = 1800.0
"""Line seconds in which a clock was read, to count as known; it is asked for three times in that."""

WAIT_S = 86_400
"""Powered seconds for somebody to look before the meters are set after all; no restart begins or ends them."""

APART, MOVED = 2, 3
"""In units of what a broadcast mends: clocks that need none may differ by the first; what they say together has moved
when it changes by more than the second, and is that far from ours."""

FOLLOWED_S = 3600
"""In so many powered seconds a common drift of one second is taken for the quartz's own; none drifts by more."""

AGREED = "the gateway's clock and most meters' agree again"
LASTED = "most meters disagreed with the gateway's clock for a day and nobody moved it: they are set to it now"

NOTES = ("clocks_apart_s", "clocks_moved_s", "clocks_wait_until_s")


@dataclass(frozen=True)
class Held:
    """What is remembered over restarts, as the book's notes have it."""

    apart_s: int = 0
    """How far from ours the meters' common time is when nothing has moved."""
    moved_s: int = 0
    """The same since it moved, while that is waited for."""
    until_s: int = 0
    """The powered second at which the wait ends; 0 while there is none."""


def common_s(offsets_s: Collection[int], from_s: int) -> int | None:
    """How far from ours the time is on which most agree; None where there is no such time.

    A clock that stands hours away is no witness of seconds.
    """
    near = [s for s in offsets_s if abs(s) <= APART_S]
    if not near:
        return None
    middle = median_low(near)
    agree = sum(abs(s - middle) <= APART * from_s for s in near)
    return middle if 2 * agree > len(near) else None


def after(held: Held, common: int | None, powered_s: int, from_s: int) -> Held:
    """What is held once the meters' common time was looked at."""
    if held.until_s and powered_s >= held.until_s:
        return Held(apart_s=held.moved_s)
    if common is None:
        return held
    far = MOVED * from_s
    if abs(common - held.apart_s) <= far:
        return Held(held.apart_s)
    if abs(common) <= far:
        return Held(common)  # It came to ours: they were set, or our own clock was put right.
    if held.until_s and abs(common - held.moved_s) <= far:
        return held
    return Held(held.apart_s, common, powered_s + WAIT_S)


def sentence(moved_s: int) -> str:
    """What is seen, and what to do."""
    return (
        f"most meters agree with each other on a time {moved_s:+d} s from the gateway's: its clock was moved, or they "
        "were all set wrong. See `timedatectl`; if the gateway's time is right, they are set to it once this has "
        f"lasted {WAIT_S // 3600} hours, or at once with `riser meter PORT ADDRESS broadcast-time` (R25)"
    )


class CommonTime:
    """Watches what the meters' clocks say together."""

    def __init__(self, core: Core, allowed: bool):
        self._core = core
        self._held = Held(*map(core.book.note, NOTES))
        if not allowed and self._held != Held():
            self._keep(Held())  # Nobody sets them any more, so nothing waits either.
        self._followed_s = core.powered_s()
        self._alarmed_s: int | None = None
        self._apart_s: float | None = None
        self._steady_mono = core.clock.monotonic()
        self._tell()

    def offset_s(self, id: str) -> int | None:
        """How far a meter's clock is off, None when that is not known now: silent, in doubt, not read lately or read
        before our own clock was set."""
        live, mono = self._core.lives[id], self._core.clock.monotonic()
        read = live.asked_mono.get("clock")
        if read is None or read < max(mono - FRESH_S, self._since()) or live.clock_doubt_s is not None:
            return None
        return live.clock_offset_s if live.online else None

    def _since(self) -> float:
        """What was read before says nothing of our calendar as it is now."""
        return max(self._steady_mono, self._core.clock_stepped_mono)

    def look(self, believed: bool, from_s: int) -> bool:
        """True while clocks may be set. `believed` is our own, `from_s` how far off a clock is set."""
        self._notice_steps(from_s)
        if not believed:
            self._core.clock_unheard = True
            self._keep(after(self._held, None, self._core.powered_s(), from_s))
            self._tell()
            return False
        asked = [id for id, live in self._core.lives.items() if live.tells_time]
        known = [s for s in map(self.offset_s, asked) if s is not None]
        # Most have said what they say, or were asked three times: the few that never do are not waited for.
        heard = 2 * len(known) > len(asked) or self._core.clock.monotonic() - self._since() > FRESH_S
        common = common_s(known, from_s) if heard else None
        self._keep(after(self._held, common, self._core.powered_s(), from_s))
        self._core.clock_unheard = not heard
        self._follow(common)
        self._tell()
        return heard and not self._held.until_s

    def _notice_steps(self, from_s: int) -> None:
        """Our own calendar was set, or creeps: what the meters' clocks said was said of another time."""
        apart_s = calendar_apart_s(self._core)
        if self._apart_s is None:
            self._apart_s = apart_s
        elif 2 * abs(apart_s - self._apart_s) > from_s:
            self._apart_s, self._steady_mono = apart_s, self._core.clock.monotonic()

    def _keep(self, held: Held) -> None:
        before, self._held = self._held, held
        if held == before:
            return
        core, powered_s = self._core, self._core.powered_s()
        if held.until_s not in (0, before.until_s):
            log.warning("%s", sentence(held.moved_s))
            if self._alarmed_s is None or powered_s - self._alarmed_s >= WAIT_S:  # A clock may go to and fro.
                self._alarmed_s = powered_s
                alarm = {"alarm": "clock-moved", "text": sentence(held.moved_s)}
                core.append(("alarm/1", core.own_id("alarm"), alarm))
        elif before.until_s and not held.until_s:
            put_right = held.apart_s != before.moved_s
            log.warning("%s", AGREED if put_right else LASTED)
        core.book.save_notes(dict(zip(NOTES, (held.apart_s, held.moved_s, held.until_s), strict=True)))

    def _follow(self, common: int | None) -> None:
        """Clocks of one make drift together, slowly."""
        powered_s, held = self._core.powered_s(), self._held
        if common is None or held.until_s or powered_s - self._followed_s < FOLLOWED_S:
            return
        self._followed_s = powered_s
        step = (common > held.apart_s) - (common < held.apart_s)
        self._keep(replace(held, apart_s=held.apart_s + step))

    def _tell(self) -> None:
        moved_s = self._held.moved_s if self._held.until_s else 0
        if moved_s != self._core.clock_moved_s:
            self._core.clock_moved_s = moved_s
            self._core.changed("info")
