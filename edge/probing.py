"""Whose turn it is among the meters that left the rounds: one is probed at a time, and the healthy ones go on.

Who is away stands in a queue, the one that was probed longest ago first, so that asking whose turn it is costs nothing.
In a long round a probe leaves every few questions; between two short rounds one; while the line has nothing to
do one after the other, and then a round that is due waits for one probe at most.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from edge.core import Core
from edge.live import MISSED_ROUNDS
from edge.state import MeterState

PROBE_S, PROBE_APART = 45.0, 8
"""An off-line meter is probed this often in line seconds, and at least so many questions apart from another probe."""

PATIENT_PROBE = 4
"""Every fourth probe waits as long as the model allows; the others no longer than this meter used to need."""


class Probing:
    """The probes of one port."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._away: dict[str, None] = {}  # oldest probe first
        self._probing: str | None = None  # the meter whose probe is at the port
        self._asked_then = -PROBE_APART  # count of questions at the newest probe
        self._round_since = True  # a round was begun since the newest probe

    def is_away(self, meter: str) -> bool:
        """Out of the rounds, because it missed too many."""
        return self._core.lives[meter].missed >= MISSED_ROUNDS

    def left(self, meter: str) -> None:
        """It missed too many rounds, or its probe: the next probe is PROBE_S from now."""
        self._away.pop(meter, None)
        self._away[meter] = None
        self._core.lives[meter].probed_mono = self._core.clock.monotonic()

    def round_begun(self) -> None:
        self._round_since = True

    def turn(self, asked: int, waits: bool, idle: bool, busy: Collection[str]) -> MeterState | None:
        """The meter to be probed now. `asked` counts the port's questions; `waits` is true while some of a round are
        left, `idle` when none is due; `busy` are the addresses that are being asked."""
        if self._probing is not None or not self._away:
            return None
        if asked < self._asked_then + PROBE_APART and not idle and (waits or not self._round_since):
            return None
        now, lives, back, found = self._core.clock.monotonic(), self._core.lives, [], None
        for id in self._away:
            if not self.is_away(id):
                back.append(id)
            elif now - lives[id].probed_mono < PROBE_S:
                break
            elif (meter := self._core.state.meters[id]).row["address"] not in busy:
                found = meter
                break
        for id in back:
            del self._away[id]
        return found

    def begun(self, meter: MeterState, together: Iterable[MeterState], asked: int) -> None:
        """A probe was given to the port; it is that of all `together`, the circuits of its box."""
        self._probing, self._asked_then, self._round_since = meter.id, asked, False
        for each in together:
            if self.is_away(each.id):
                self.left(each.id)
        self._core.lives[meter.id].probes += 1

    def over(self, meter: str) -> None:
        """A question to a meter is over; if it was the probe, another one may leave."""
        if meter == self._probing:
            self._probing = None
