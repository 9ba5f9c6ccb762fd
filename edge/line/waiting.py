"""What waits at a port: the most urgent request first, then the oldest. The loop puts, the port takes."""

from __future__ import annotations

import heapq
import itertools
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edge.line.request import Request


class Pile:
    """Requests by priority, then by age, of a port in the loop's own thread."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, Request]] = []
        self._order = itertools.count()

    def put(self, request: Request) -> None:
        heapq.heappush(self._heap, (request.priority, next(self._order), request))

    def take(self, timeout_s: float = 0) -> Request | None:
        """The most urgent, None where nothing waits; who could put more meanwhile is whoever asks."""
        return heapq.heappop(self._heap)[2] if self._heap else None

    def __len__(self) -> int:
        return len(self._heap)


class Queue(Pile):
    """The same between two threads."""

    def __init__(self) -> None:
        super().__init__()
        self._filled = threading.Condition()

    def put(self, request: Request) -> None:
        with self._filled:
            super().put(request)
            self._filled.notify()

    def take(self, timeout_s: float = 0) -> Request | None:
        """The most urgent, None when nothing has come in time."""
        with self._filled:
            if not self._heap:
                self._filled.wait(timeout_s)
            return super().take()

    def wait_for(self, priority: int, timeout_s: float) -> bool:
        """Wait until something at least as urgent as `priority` is there. False when nothing has come in time."""
        with self._filled:
            return self._filled.wait_for(lambda: bool(self._heap) and self._heap[0][0] <= priority, timeout_s)

    def wake(self) -> None:
        """End a waiting `take`, which then returns None."""
        with self._filled:
            self._filled.notify_all()
