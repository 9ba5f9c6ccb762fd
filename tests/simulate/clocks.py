"""A gateway's clock that can be set, sleep, and run fast or slow, while the world's goes on."""

from __future__ import annotations

from datetime import datetime

from tests.bench.policy_world import Kernel

ASKED_EVERY_S = 5.0
"""So often a gateway asks the kernel."""
ODD_S, EXCUSED_S = 5.0, 4 * 3600.0
WRONG_S = 330.0
"""Five minutes, which the meters' own clocks are granted, and a little."""


class HouseClock(Kernel):
    """`drift` is how many seconds its calendar gains in each."""

    drift = 0.0

    def __init__(self, start: datetime):
        super().__init__(start)
        self._wrong: list[tuple[float, float]] = []
        """Monotonic seconds from which and until which the calendar was seen to be wrong."""
        self._was_wrong = self.slept = False

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        self.slept = True

    def looked_at(self) -> None:
        """Before each turn: remember whether the calendar is wrong."""
        mono, wrong = self.monotonic(), abs(self.off_s) > WRONG_S
        if wrong and self._was_wrong:
            self._wrong[-1] = self._wrong[-1][0], mono
        elif wrong:
            self._wrong.append((mono, mono))
        self._was_wrong = wrong

    @property
    def wrong_until(self) -> float:
        """When the calendar was wrong last."""
        return self._wrong[-1][1] if self._wrong else 0.0

    def wrong_s(self, mono: float) -> float:
        """How long the calendar had been wrong at that second, 0 where it was not."""
        return next((mono - since for since, until in reversed(self._wrong) if since <= mono < until - 1e-3), 0.0)

    def advance(self, seconds: float) -> None:
        super().advance(seconds)
        if self.drift:
            self.off_s += seconds * self.drift


class KernelWord:
    """What the kernel says of a gateway's time, and what it said before."""

    mono: float
    odd_mono = 0.0
    """The newest second at which something was wrong with its time, or it had slept or was started."""

    @property
    def unsynchronised_since(self) -> float | None:
        """Monotonic second since which it is not sure; None: it is."""
        return self._said[-1][1]

    @unsynchronised_since.setter
    def unsynchronised_since(self, since: float | None) -> None:
        if "_said" not in vars(self):
            self._said: list[tuple[float, float | None, float | None]] = []
        self._said.append((self.mono if self._said else 0.0, since, None))

    @property
    def kernel_said_at(self) -> float:
        """When it said that; for ever, where it is not sure."""
        said, since, _ = self._said[-1]
        return said if since is None else float("inf")

    def kernel_asked(self, clock: HouseClock) -> None:
        """Before each turn: from the first one on in which it asks anew the gateway can have heard a word."""
        if abs(clock.off_s) > ODD_S or clock.slept or self.unsynchronised_since is not None:
            self.odd_mono, clock.slept = self.mono, False
        said, since, first = self._said[-1]
        if first is None and self.mono >= said + ASKED_EVERY_S:
            self._said[-1] = said, since, self.mono

    @property
    def may_doubt(self) -> bool:
        """A gateway has an excuse for not believing its clock: something was wrong with it, or it was started, not long
        ago; its meters are asked for the time only every few hours."""
        return self.mono - self.odd_mono <= EXCUSED_S

    def unsure_s(self, mono: float) -> float:
        """For how long it could have been heard at that second that it was unsure, 0 where it was sure."""
        _, since, first = [each for each in self._said if each[0] <= mono + 1e-3][-1]
        return 0.0 if since is None or first is None else max(mono - first, 0.0)
