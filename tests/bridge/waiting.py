"""Waiting for a condition instead of sleeping: what a link tells, with a deadline."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable
from typing import TypeVar

from bridge.mqtt import Happening

Kind = TypeVar("Kind")


class Told:
    """An inbox for a `Link` that a test can wait on. What was looked past is kept in `seen`."""

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[Happening] = queue.SimpleQueue()
        self.seen: list[Happening] = []

    def __call__(self, happening: Happening) -> None:
        self._queue.put(happening)

    def wait_for(self, kind: type[Kind], fits: Callable[[Kind], bool] = lambda _: True, within_s: float = 15.0) -> Kind:
        """The next happening of this kind that fits. Raises AssertionError when none comes in time."""
        deadline_s = time.monotonic() + within_s
        while (left_s := deadline_s - time.monotonic()) > 0:
            try:
                happening = self._queue.get(timeout=left_s)
            except queue.Empty:
                break
            self.seen.append(happening)
            if isinstance(happening, kind) and fits(happening):
                return happening
        raise AssertionError(f"no {kind.__name__} within {within_s} s; seen: {self.seen[-5:]}")

    def nothing(self, kind: type, within_s: float) -> bool:
        """True when nothing of this kind comes for so long."""
        try:
            self.wait_for(kind, within_s=within_s)
        except AssertionError:
            return True
        return False


def until(condition: Callable[[], bool], within_s: float, what: str) -> float:
    """Look at a condition of another process until it holds; return the seconds it took."""
    begun_s = time.monotonic()
    while not condition():
        if time.monotonic() - begun_s > within_s:
            raise AssertionError(f"not within {within_s} s: {what}")
        time.sleep(0.05)
    return time.monotonic() - begun_s
