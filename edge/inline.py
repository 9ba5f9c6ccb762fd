"""A port without a thread: the same exchanges, done when the test says so, over meters in the same process.

`answer(frame, now, monotonic)` returns (reply bytes, seconds the meter thought). The clock is moved by what the
bytes take on the line, so that a whole day runs in seconds and no two runs differ.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from bridge.contract.clock import ManualClock
from edge.bus import QUIET_S, Line, Ready, Reply, Request, exchange
from edge.waiting import Queue

Answer = Callable[[bytes, datetime, float], tuple[bytes, float]]


class InlineWire:
    """A line whose bytes take their time on a manual clock."""

    def __init__(self, line: Line, answer: Answer, clock: ManualClock):
        self._line, self._answer, self._clock = line, answer, clock
        self._pending: tuple[float, bytes] | None = None
        self.sent: list[tuple[datetime, bytes]] = []
        self.keep_sent = False

    def write(self, frame: bytes) -> None:
        if self.keep_sent:
            self.sent.append((self._clock.now(), frame))
        reply, think_s = self._answer(frame, self._clock.now(), self._clock.monotonic())
        due = self._clock.monotonic() + self._line.wire_s(len(frame) + len(reply)) + think_s
        self._pending = (due, reply) if reply else None

    def read(self, timeout_s: float) -> bytes:
        deadline = self._clock.monotonic() + timeout_s
        if self._pending is not None and self._pending[0] <= deadline:
            due, reply = self._pending
            self._pending = None
            self._clock.advance(max(0.0, due - self._clock.monotonic()))
            return reply
        self._clock.advance(max(timeout_s, 1e-6))
        return b""

    def drain(self) -> None:
        self._pending = None

    def close(self) -> None:
        self._pending = None


class InlinePort:
    """What the loop sees as a port; `pump` does the most urgent exchange and returns whether there was one."""

    def __init__(self, line: Line, answer: Answer, inbox: Callable[[Reply | Ready], None], clock: ManualClock):
        self.line, self.state = line, "open"
        self.why: str | None = None
        self.wire = InlineWire(line, answer, clock)
        self._inbox, self._clock, self._queue = inbox, clock, Queue()
        self._trip: Request | None = None

    def put(self, request: Request) -> None:
        self._queue.put(request)

    def waiting(self) -> int:
        return len(self._queue)

    def go(self, number: int) -> bool:
        """The loop's word: the trip leaves at once and its answer is in the inbox afterwards."""
        if self._trip is None or self._trip.number != number:
            return False
        request, self._trip = self._trip, None
        self._do(request)
        return True

    def refuse(self, number: int) -> None:
        if self._trip is not None and self._trip.number == number:
            self._answer_with(self._trip, None, "withdrawn", self._clock.monotonic())
            self._trip = None

    def pump(self) -> bool:
        if self._trip is not None:
            return False
        request = self._queue.take(0)
        if request is None:
            return False
        if request.handshake:
            self._trip = request
            self._inbox(Ready(request, self.line.id))
        elif request.not_after is not None and self._clock.monotonic() > request.not_after:
            self._answer_with(request, None, "late", self._clock.monotonic())
        else:
            self._do(request)
        return True

    def _do(self, request: Request) -> None:
        if not request.handshake:
            self._clock.advance(QUIET_S[self.line.protocol])
        began = self._clock.monotonic()
        raw, error = exchange(self.line, self.wire, request.frame, self._clock)
        self._answer_with(request, raw, error, began)

    def _answer_with(self, request: Request, raw: bytes | None, error: str | None, began: float) -> None:
        self._inbox(Reply(request, self.line.id, raw, error, began, self._clock.monotonic(), self._clock.now()))
