"""Long work of the loop, in slices: a day's closing of a thousand accounts must not keep a restored light waiting."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from bridge.contract.clock import Clock

SLICE_S = 0.005
"""After so much of it the loop looks at what else there is."""


class Chores:
    """Work that was begun and is not finished, by name; each goes on from where it was."""

    def __init__(self, clock: Clock):
        self._clock = clock
        self._begun: dict[str, Iterator[None]] = {}

    def begin(self, name: str, work: Callable[[], Iterator[None]]) -> None:
        """Start a chore, unless it is still at work since last time."""
        if name not in self._begun:
            self._begun[name] = work()

    @property
    def waiting(self) -> bool:
        return bool(self._begun)

    def work(self) -> None:
        """Go on for one slice; the chores take turns."""
        until = self._clock.monotonic() + SLICE_S
        while self._begun:
            name, work = next(iter(self._begun.items()))
            del self._begun[name]
            if next(work, self) is None:  # It may go on; a finished one says `self`.
                self._begun[name] = work
            if self._clock.monotonic() >= until:
                return
