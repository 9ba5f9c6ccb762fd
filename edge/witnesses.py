"""Who agrees with the calendar? The meters keep clocks of their own, and the machine counts its seconds (R25).

The kernel believes whatever time server it was given. A calendar that leaps is believed again when the meters'
clocks say so; one that most of them contradict is not believed at all (failures 57, 64).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from statistics import median_low

from bridge.contract.units import EPOCH, instant_of_micros
from edge.core import Core
from edge.live import Live

APART_S = 3600.0
"""The calendar and the median of the meters' clocks may differ by so much; a zone or a dead battery differs by more."""

GRANTED_S = 300.0
"""What a clock may be off at all (R25): where the calendar moved by more, most meters' common time is waited for."""

STILL_S = 270.0
"""Until the meters are this near again, the calendar that moved is not believed: seconds are rounded, and waver."""

READ_FIRST_S, READ_FIRST_AT_MOST_S = 120.0, 3600.0
"""Line seconds in which the meters' clocks are read after such a step; nobody is cut and no day closed meanwhile. A
round may come a quarter of an hour later: while enough of them may still say, or those that did contradict and what
most of them say is not known yet, they are waited for, up to the second."""

ENOUGH = 3
"""So many meters are heard before they alone may contradict the kernel: one of them may be the wrong one."""

STEP_S = 60.0
"""The calendar moved by this much against the machine's own seconds: what the meters' clocks said is void."""

ALONE_S = 6 * 3600.0
"""Further than this nothing is believed on the kernel's word alone while it runs, nor at start while meters can say."""

ASKED_AGAIN_S = 30.0
"""Line seconds in which a meter that answered may be asked for its clock a second time, because it surprised."""


def calendar_apart_s(core: Core) -> float:
    """The calendar minus the machine's own seconds: the same number until somebody sets the calendar."""
    return (core.now() - EPOCH).total_seconds() - core.clock.elapsed()


class Witnesses:
    """Compares the calendar with the machine's own seconds and with the meters' clocks."""

    def __init__(self, core: Core):
        self._core = core
        self._apart_s: float | None = None
        self._believed_apart_s: float | None = None
        self._leapt: str | None = None
        self._moved_mono: float | None = None

    def moved(self) -> bool:
        """True when somebody has set the calendar since it was looked at last. Cheap."""
        return self._apart_s is not None and abs(calendar_apart_s(self._core) - self._apart_s) > STEP_S

    def doubt(self) -> str | None:
        """Why the calendar is not to be believed whatever the kernel says; None when nothing speaks against it."""
        self._notice_steps()
        heard, waited_for = self._heard()
        off_s = median_low(heard) if heard else 0
        waits = abs(self._core.clock_moved_s) > GRANTED_S
        limit_s = STILL_S if waits else APART_S
        if abs(off_s) > limit_s and (len(heard) >= ENOUGH or self._leapt is not None):
            return (
                f"the meters' clocks stand {off_s} s from the calendar; "
                "see `timedatectl`, or set clock.trust in the site file"
            )
        if self.reads_first() or ((waits or self._leapt is not None) and waited_for and len(heard) < ENOUGH):
            return "the calendar has leapt, and the meters' clocks are being read first"
        if self._leapt is None:
            return None
        if heard or self._leapt == "start":
            self._leapt = None
            return None
        return "the calendar has leapt while the gateway ran; if it is right, start the gateway again"

    def reads_first(self) -> bool:
        """The calendar moved by more than is granted, moments ago, and there are clocks to be read."""
        if self._moved_mono is not None:
            waited_s, (heard, may_say) = self._core.clock.monotonic() - self._moved_mono, self._heard()
            enough = len(heard) >= ENOUGH
            against = enough and abs(median_low(heard)) > GRANTED_S and self._core.clock_unheard
            open_ = against if enough else len(heard) + may_say >= ENOUGH
            if waited_s > (READ_FIRST_AT_MOST_S if open_ else READ_FIRST_S):
                self._moved_mono = None
        return self._moved_mono is not None

    def judged(self, believed: bool) -> None:
        """The verdict of this moment; what was believed is where a leap is measured from."""
        if believed:
            self._believed_apart_s = self._apart_s

    def true_now(self) -> datetime | None:
        """The time as well as it is known: the calendar, what it was and has run since, the meters' clocks, or None."""
        core = self._core
        if core.book.trusted:
            return core.now()
        if self._believed_apart_s is not None:
            return EPOCH + timedelta(seconds=self._believed_apart_s + core.clock.elapsed())
        heard, _ = self._heard()
        return core.now() + timedelta(seconds=median_low(heard)) if heard else None

    # --- the machine's own seconds ---

    def _notice_steps(self) -> None:
        before_s, self._apart_s = self._apart_s, calendar_apart_s(self._core)
        if before_s is None:
            self._off_for_long()
        elif abs(self._apart_s - before_s) > STEP_S:
            self._stepped(before_s, self._apart_s)

    def kernel_is_sure_again(self) -> None:
        """It was not, and vouches for a calendar that meters contradict: they are read anew before it is believed."""
        heard, _ = self._heard()
        if len(heard) >= ENOUGH and abs(median_low(heard)) > GRANTED_S:
            self._forget_clocks()
            self._moved_mono = self._core.clock.monotonic()

    def _forget_clocks(self) -> None:
        self._core.clock_stepped_mono = self._core.clock.monotonic()
        for live in self._core.lives.values():
            live.clock_offset_s = None
            live.asked_mono.pop("clock", None)

    def _off_for_long(self) -> None:
        """A time long after the newest entry is held against the meters before it is believed."""
        newest = self._core.state.newest_at
        if newest and (self._core.now() - instant_of_micros(newest)).total_seconds() > ALONE_S:
            self._leapt = "start"

    def _stepped(self, before_s: float, apart_s: float) -> None:
        """The calendar was set: the meters are asked for theirs again, and a leap forward waits for their answer. It is
        measured from what was believed, else from what the meters said of the calendar before."""
        heard, _ = self._heard()
        from_s = self._believed_apart_s
        if from_s is None and len(heard) >= ENOUGH:
            from_s = self._believed_apart_s = before_s + median_low(heard)
        self._forget_clocks()
        if from_s is None:
            self._off_for_long()  # Nobody has said anything yet: it may have come right or not.
        forward_s = 0.0 if from_s is None else apart_s - from_s
        moved = (from_s is None or abs(forward_s) > GRANTED_S) and self._have_clocks()
        self._moved_mono = self._core.clock.monotonic() if moved else None
        if forward_s > (APART_S if self._have_clocks() else ALONE_S):
            self._leapt = "step"
        elif self._leapt == "step":
            self._leapt = None

    # --- the meters' clocks ---

    def _have_clocks(self) -> bool:
        return any(live.tells_time for live in self._core.lives.values())

    def _heard(self) -> tuple[list[int], int]:
        """(how far each meter's clock stands from the calendar, how many may still say)."""
        lives = [live for live in self._core.lives.values() if live.has_clock]
        heard = [live.clock_offset_s for live in lives if live.clock_offset_s is not None]
        return heard, sum(map(self._may_still_say, lives))

    def _may_still_say(self, live: Live) -> bool:
        """It is not silent, and was not asked for its clock yet or is being asked once more."""
        if live.online is False or live.clock_offset_s is not None or (live.online is None and live.missed):
            return False
        asked = live.asked_mono.get("clock")
        return asked is None or self._core.clock.monotonic() - asked < ASKED_AGAIN_S
