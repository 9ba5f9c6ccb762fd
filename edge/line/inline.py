"""A port without a thread: the same exchanges, done when the test says so, over meters in the same process.

`answer(frame, now, monotonic)` returns (reply bytes, seconds the meter thought). The clock is moved by what the
bytes take on the line, so that a whole day runs in seconds and no two runs differ.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from datetime import datetime

from bridge.contract.clock import ManualClock
from edge.line.exchange import Outcome, hush, reply_of
from edge.line.quiet import Quiet
from edge.line.request import Ready, Reply, Request
from edge.line.twice import Twice
from edge.line.waiting import Pile
from edge.line.wire import Line

Answer = Callable[[bytes, datetime, float], tuple[bytes, float]]


CLOSED_S = 1.0
"""A port without its adapter answers what waits this seldom."""


class InlineWire:
    """A line whose bytes take their time on a manual clock. Its adapter can be pulled and put back."""

    def __init__(self, line: Line, answer: Answer, clock: ManualClock):
        self._line, self._answer, self._clock = line, answer, clock
        self._coming: list[tuple[float, bytes]] = []
        self.sent: list[tuple[datetime, bytes]] = []
        self.keep_sent = False
        self.writes = 0
        self.pulled = self.pulled_by_next_write = False

    def write(self, frame: bytes) -> None:
        self._there()
        self.writes += 1
        if self.keep_sent:
            self.sent.append((self._clock.now(), frame))
        reply, think_s = self._answer(frame, self._clock.now(), self._clock.monotonic())
        if self.pulled_by_next_write:
            self.pulled, self.pulled_by_next_write = True, False
        if reply:
            due = self._clock.monotonic() + self._line.wire_s(len(frame) + len(reply)) + think_s
            self._coming = sorted([*self._coming, (due, reply)])

    def read(self, timeout_s: float) -> bytes:
        self._there()
        deadline = self._clock.monotonic() + timeout_s
        if self._coming and self._coming[0][0] <= deadline:
            due, reply = self._coming.pop(0)
            self._clock.advance(max(0.0, due - self._clock.monotonic()))
            return reply
        self._clock.advance(max(timeout_s, 1e-6))
        return b""

    def drain(self) -> None:
        """What has come is gone; what is still on its way comes into the next question."""
        self._there()
        self._coming = [each for each in self._coming if each[0] > self._clock.monotonic()]

    def close(self) -> None:
        self._coming = []

    def _there(self) -> None:
        if self.pulled:
            raise OSError(errno.EIO, os.strerror(errno.EIO))


class InlinePort:
    """What the loop sees as a port; `pump` does the most urgent exchange and returns whether there was one."""

    def __init__(self, line: Line, answer: Answer, inbox: Callable[[Reply | Ready], None], clock: ManualClock):
        self.line, self.state = line, "open"
        self.why: str | None = None
        self.wire = InlineWire(line, answer, clock)
        self._inbox, self._clock, self._queue = inbox, clock, Pile()
        self._quiet, self._twice = Quiet(line), Twice(line, clock)
        self.trip: Request | None = None
        """It is ready to leave, and waits for the loop's word."""
        self._closed_until = 0.0

    def put(self, request: Request) -> None:
        self._queue.put(request)

    def waiting(self) -> int:
        return len(self._queue)

    def go(self, number: int) -> bool:
        """The loop's word: the trip leaves at once and its answer is in the inbox afterwards. True when it left."""
        if self.trip is None or self.trip.number != number:
            return False
        request, self.trip = self.trip, None
        before = self.wire.writes
        self._do(request)
        return self.wire.writes > before

    def refuse(self, number: int) -> None:
        if self.trip is not None and self.trip.number == number:
            self._fail(self.trip, "withdrawn")
            self.trip = None

    def put_back(self) -> None:
        """The adapter is plugged in again."""
        self.wire.pulled = False
        self.state, self.why = "open", None

    def pump(self) -> bool:
        if self.trip is not None:
            return False
        if self.state == "closed":
            return self._fail_waiting()
        request = self._queue.take()
        if request is None:
            return False
        if request.not_after is not None and self._clock.monotonic() > request.not_after:
            self._fail(request, "late")
            return True
        self._clock.advance(self._quiet.pause_s(request, self._clock.monotonic()))
        if request.handshake:
            self.trip = request
            self._inbox(Ready(request, self.line.id))
        else:
            self._do(request)
        return True

    def _fail_waiting(self) -> bool:
        """As a port with its thread does between two attempts to open its device."""
        now = self._clock.monotonic()
        if now < self._closed_until:
            return False
        self._closed_until = now + CLOSED_S
        failed = False
        while (request := self._queue.take()) is not None:
            self._fail(request, "closed")
            failed = True
        return failed

    def _do(self, request: Request) -> None:
        began = self._clock.monotonic()
        try:
            outcome = self._twice.converse(self.wire, request)
            if outcome.error == "babble":
                hush(self.wire, self._clock)
        except OSError as trouble:
            self.state, self.why, outcome = "closed", str(trouble), Outcome(error="closed")
            self.wire.close()
        self._quiet.over(request, outcome.raw is not None or outcome.spoken, self._clock.monotonic())
        self._inbox(reply_of(request, self.line.id, outcome, began, self._clock))

    def _fail(self, request: Request, error: str) -> None:
        self._inbox(reply_of(request, self.line.id, Outcome(error=error), self._clock.monotonic(), self._clock))
