"""A gateway's clock that can be set, sleep, and run fast or slow, while the world's goes on."""

from __future__ import annotations

from tests.bench.policy_world import Kernel


class HouseClock(Kernel):
    """`drift` is how many seconds its calendar gains in each."""

    drift = 0.0

    def advance(self, seconds: float) -> None:
        super().advance(seconds)
        if self.drift:
            self.off_s += seconds * self.drift
