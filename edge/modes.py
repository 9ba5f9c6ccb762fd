"""Is the gateway sure of itself? Anything but `normal` means no automatic trips; reading and restoring go on (I22).

    version    the book holds kinds this program does not know       identity   another program uses our id
    recovery   the broker knows a longer book of the same epoch,     time       the calendar cannot be believed
               or this one was restored from a backup
    disk       the disk takes no entries                             book       the book is not what we go by

`recovery` is left only by a person who says that every payment is in the book again, `book` by a new start; the
others when their cause is gone.
"""

from __future__ import annotations

import logging
from math import ceil

from bridge.contract import kernel_clock, messages
from bridge.mqtt import Disconnected
from edge import read_times, stale_warnings, trust
from edge.core import Core
from edge.witnesses import Witnesses

log = logging.getLogger("riser.edge")

KERNEL_EVERY_S = 5.0
"""The kernel is asked this often whether its clock is synchronised."""

FLAPS, FLAPPING_S, CALM_S = 6, 60.0, 600.0
"""So many lost connections in so many seconds mean a second program with our id; doubt ends after this much calm."""

SAME_ID = "another program seems to use this gateway's id at the broker"


class Modes:
    """Judges the mode and writes it down when it changes."""

    def __init__(self, core: Core, trust_setting: str):
        self._core, self._trust_setting = core, trust_setting
        self.trusted, self.trust_why = True, ""
        self._witnesses = Witnesses(core)
        core.true_now = self._witnesses.true_now
        self._synchronised, self._asked_kernel = False, -1e9
        self._remembered = self._kernel_was_sure = False
        self._recovering: str | None = None
        self._warnings_ended = self._copy_found = False
        self._lost: list[float] = []
        self._doubted_until = -1e9

    def judge(self) -> None:
        """Look at everything that may make the gateway unsure."""
        core, now = self._core, self._core.clock.monotonic()
        if now - self._asked_kernel >= KERNEL_EVERY_S:
            self._asked_kernel, self._synchronised = now, kernel_clock.is_synchronised()
        newest, setting = core.state.newest_at, self._trust_setting
        self.trusted, self.trust_why = trust.judge(core.clock, newest, setting, self._synchronised)
        doubt = self._witnesses.doubt()
        # Also where it stands before the newest entry: what the meters say of it is of the moment at which it moved.
        kernel_is_sure, _ = trust.judge(core.clock, 0, setting, self._synchronised)
        if kernel_is_sure and not self._kernel_was_sure:
            # After the first look: a calendar that was set in this moment is measured from what meters said of the old.
            self._witnesses.kernel_is_sure_again()
            doubt = self._witnesses.doubt()
        self._kernel_was_sure = kernel_is_sure
        core.clock_asked = kernel_is_sure and self._witnesses.reads_first()
        if self.trusted and doubt is not None and setting != "always":
            self.trusted, self.trust_why = False, doubt
        if self.trusted and not core.book.trusted:
            read_times.tell_anew(core)
        core.book.trusted = self.trusted
        self._witnesses.judged(self.trusted)
        if core.state.recovering:
            self._recovering = None  # It stands in the book now, and is taken back there.
        self._end_warnings()
        mode, why = self._mode(now)
        if (mode, why) == (core.mode, core.mode_why):
            return
        before, core.mode, core.mode_why = core.mode, mode, why
        core.changed("info")
        if mode != before:
            log.warning("mode %s%s", mode, f": {why}" if why else "")
            if core.cannot_write is None:
                core.append(("mode/1", core.own_id("mode"), {"mode": mode, "why": why or ""}))

    def _end_warnings(self) -> None:
        """With recovery the warnings end that stood in the copy."""
        core = self._core
        if not (self._recovering or core.state.recovering):
            self._warnings_ended = False
        elif (self._copy_found or not self._warnings_ended) and core.cannot_write is None:
            if drafts := stale_warnings.taken_back(core, self._copy_found):
                core.append(*drafts)
            self._warnings_ended, self._copy_found = True, False

    def look(self) -> None:
        """Judge at once when the calendar was set: no entry may carry a time that was not looked at."""
        if self._witnesses.moved():
            self.judge()

    def _mode(self, now: float) -> tuple[str, str | None]:
        state = self._core.state
        if self._core.cannot_write is not None:
            return "disk", self._core.cannot_write
        if state.unknown_kinds:
            return "version", f"the book holds kinds this version does not know: {sorted(state.unknown_kinds)}"
        if self._core.differs is not None:
            return "book", self._core.differs
        if now < self._doubted_until:
            return "identity", SAME_ID
        if self._recovering or state.recovering:
            return "recovery", self._recovering or state.recovering
        return ("normal", None) if self.trusted else ("time", self.trust_why)

    def begin(self, version: str, recovered_by: str | None, doubt: str | None) -> None:
        """The first entry of a run, and what a person said at its start."""
        core = self._core
        self.judge()
        if core.cannot_write is not None:
            return
        fields = {"version": version, "boot": core.book.boot, "line_s": ceil(core.line_s())}
        core.append(("start/1", f"start:{core.book.boot}", fields))
        if doubt:
            self.recover(doubt)
        if recovered_by:
            self.recovered(recovered_by)
            self.judge()

    def recover(self, why: str) -> None:
        """This book does not hold every payment, as a person or the broker says: nobody is cut until a person says it
        does."""
        self._recovering, self._copy_found = why, True
        self.judge()

    def recovered(self, who: str) -> None:
        """A person says that every payment since the backup stands in the book again."""
        if not (self._recovering or self._core.state.recovering):
            log.warning("%s says that the book is recovered, and it is not in mode recovery: nothing to do", who)
            return
        self._recovering = None
        fields = {"mode": "normal", "why": f"recovered, says {who}"}
        self._core.append(("mode/1", self._core.own_id("mode"), fields))
        log.warning("mode recovery ends, says %s: every payment stands in the book", who)

    def remember(self, payload: bytes) -> None:
        """Our own retained info, looked at once: a newer seq there means that this book is an older copy."""
        if self._remembered:
            return
        self._remembered = True
        try:
            info = messages.Info.model_validate_json(payload)
        except ValueError:
            log.warning("the broker's copy of `info` cannot be read; it is written anew")
            return
        if info.epoch == self._core.state.epoch and info.seq > self._core.book.seq:
            self.recover(f"the broker knows entry {info.seq}, this book ended at {self._core.book.seq}")

    def disconnected(self, event: Disconnected) -> None:
        """Two programs with one id throw each other out: the broker says so, or the connection falls all the time."""
        now = self._core.clock.monotonic()
        self._lost = [at for at in self._lost if at > now - FLAPPING_S] + [now]
        if event.taken_over or len(self._lost) >= FLAPS:
            if now > self._doubted_until:
                alarm = {"alarm": "identity", "text": SAME_ID}
                self._core.append(("alarm/1", self._core.own_id("alarm"), alarm))
            self._doubted_until = now + CALM_S
            self.judge()  # At once: an order may be waiting for its last look.
