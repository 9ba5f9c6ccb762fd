"""What passed over each line, and with which meter, since the start and within the newest quarter of an hour.

Pure, and cheap, because it runs for each exchange in the loop beside a busy line. Memory is bounded: a tally a minute,
fifteen of them; the newest turnarounds; the newest exchange of each meter, whose passwords the renderer masks.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from bridge.contract.port_statistics import REFUSED, SENT_ERRORS, UNSENT_ERRORS
from edge.codec import PROTOCOLS
from edge.codec.errors import CodecError
from edge.codec.refusal import is_refusal
from edge.line.request import Port, Reply
from edge.line.wire import Line

STEP_S, STEPS = 60.0, 15
"""The window moves on a minute at a time; a tally for each exchange of a quarter of an hour would be thousands."""

NEWEST = 32
"""Turnarounds that are kept: a few rounds of a meter, so that one that grows slow is seen within minutes."""

TOLD_EVERY_S = 10.0
"""Line seconds between two messages about a port."""

DAMAGED = ("noise", "babble", "unfinished")
"""After these the same question again is a repeated one; a silent meter is asked anew in its next round."""

ASKED_IN_CASE = ("time-table",)
"""Purposes to which "I have no such thing" is an answer like any other."""


@dataclass(slots=True)
class Tally:
    """Counts and seconds of some exchanges."""

    asked: int = 0
    failed: int = 0
    repeated: int = 0
    bytes_out: int = 0
    bytes_in: int = 0
    wire_s: float = 0.0
    busy_s: float = 0.0
    lost_s: float = 0.0
    errors: dict[str, int] = field(default_factory=dict)

    def add(self, other: Tally) -> None:
        self.asked += other.asked
        self.failed += other.failed
        self.repeated += other.repeated
        self.bytes_out += other.bytes_out
        self.bytes_in += other.bytes_in
        self.wire_s += other.wire_s
        self.busy_s += other.busy_s
        self.lost_s += other.lost_s
        for kind, count in other.errors.items():
            self.errors[kind] = self.errors.get(kind, 0) + count


class Counted:
    """The figures of a port or a meter."""

    def __init__(self) -> None:
        self.total = Tally()
        self._steps: deque[tuple[int, Tally]] = deque(maxlen=STEPS)
        self._turnarounds: deque[float] = deque(maxlen=NEWEST)
        self.last: Reply | None = None

    def take(self, one: Tally, step: int, turnaround_s: float | None) -> None:
        if not self._steps or self._steps[-1][0] != step:
            self._steps.append((step, Tally()))
        self._steps[-1][1].add(one)
        self.total.add(one)
        if turnaround_s is not None:
            self._turnarounds.append(turnaround_s)

    def window(self, now: float) -> Tally:
        """The sum of the newest minutes."""
        found, oldest = Tally(), int(now // STEP_S) - STEPS + 1
        for step, tally in self._steps:
            if step >= oldest:
                found.add(tally)
        return found

    def forget(self, now: float) -> bool:
        """Drop the minutes that are too old for the window. True when there were any."""
        oldest, before = int(now // STEP_S) - STEPS + 1, len(self._steps)
        while self._steps and self._steps[0][0] < oldest:
            self._steps.popleft()
        return len(self._steps) != before

    def drop_after(self, mono: float) -> None:
        """Take the minutes after this second's own out of the window; the totals keep them."""
        while self._steps and self._steps[-1][0] > int(mono // STEP_S):
            self._steps.pop()

    def turnarounds(self) -> tuple[float, float] | None:
        """(the middle one, the slowest) of the newest, None while nothing was answered."""
        found = sorted(self._turnarounds)
        return (found[(len(found) - 1) // 2], found[-1]) if found else None


class Statistics:
    """All lines of an edge. `ports` are those of the core; `began` is the monotonic second and instant of the start."""

    def __init__(self, ports: Mapping[str, Port], began: float, since: datetime):
        self._ports, self.began, self.since = ports, began, since
        self._of_port: dict[str, Counted] = {}
        self._of_meter: dict[tuple[str, str], Counted] = {}
        self._changed: set[str] = set()
        self._told: dict[str, float] = {}

    def take(self, reply: Reply) -> None:
        """Count what became of a request."""
        port, key = self._of_port.get(reply.port), (reply.port, reply.request.meter)
        if port is None:
            port = self._of_port[reply.port] = Counted()
        meter = self._of_meter.get(key)
        if meter is None:
            meter = self._of_meter[key] = Counted()
        one, step = tally_of(self._ports[reply.port].line, reply, meter.last), int(reply.ended // STEP_S)
        port.take(one, step, reply.turnaround_s)
        meter.take(one, step, reply.turnaround_s)
        if one.asked:
            meter.last = reply
        self._changed.add(reply.port)

    def due(self, now: float) -> list[str]:
        """Ports whose figures are to be told now, each at most every ten seconds and only when something changed."""
        found = []
        for id in self._of_port:
            if now - self._told.get(id, -1e9) >= TOLD_EVERY_S and (self._forgets(id, now) or id in self._changed):
                self._told[id] = now
                self._changed.discard(id)
                found.append(id)
        return found

    def _forgets(self, id: str, now: float) -> bool:
        """Drop what is too old. A line without its adapter keeps its figures: they are told as of when it went."""
        return self._ports[id].state != "closed" and self._of_port[id].forget(now)

    def returned(self, port: str, id: str, off_mono: float | None) -> None:
        """A meter is back: that it was dead meanwhile says nothing of how it does now, that it fell silent does."""
        if off_mono is not None and (meter := self._of_meter.get((port, id))) is not None:
            meter.drop_after(off_mono)

    def window_s(self, now: float) -> float:
        """How many seconds the window reaches back: to the beginning of its oldest minute, or to the start."""
        return now - max(self.began, (int(now // STEP_S) - STEPS + 1) * STEP_S)

    def port(self, id: str) -> Counted:
        """The figures of a port; all zero while nothing was asked."""
        return self._of_port.get(id) or Counted()

    def meter(self, port: str, id: str) -> Counted | None:
        """The figures of a meter on a port, None while it was not asked."""
        return self._of_meter.get((port, id))


def tally_of(line: Line, reply: Reply, before: Reply | None) -> Tally:
    """What one reply adds. `before` is the meter's exchange before it."""
    request, error = reply.request, reply.error
    if error in UNSENT_ERRORS:
        return Tally(errors={error: 1})
    busy_s = max(0.0, reply.ended - reply.began)
    out = len(request.frame) + (_asked_on(line, reply) if reply.more else 0)
    come = len(reply.heard) if reply.raw is None else sum(map(len, reply.parts))
    # Whoever does not stop speaking had the line all the time, however little of it was kept.
    wire_s = busy_s if error == "babble" else min(busy_s, line.wire_s(out + come))
    one = Tally(1, 0, 0, out, come, wire_s, busy_s)
    if before is not None and before.error in DAMAGED and before.request.frame == request.frame:
        one.repeated = 1
    if error is not None:
        one.failed, one.lost_s = 1, busy_s - wire_s
        one.errors[error if error in SENT_ERRORS else "noise"] = 1
    elif reply.raw is not None and request.purpose not in ASKED_IN_CASE and is_refusal(line.protocol, reply.raw):
        one.errors[REFUSED] = 1
    return one


def _asked_on(line: Line, reply: Reply) -> int:
    """Bytes of the questions for the further parts of a long answer."""
    protocol, parts, count = PROTOCOLS[line.protocol], reply.parts, 0
    for number in range(1, len(parts)):
        try:
            count += len(protocol.next_part(reply.request.frame, parts[:number]) or b"")
        except CodecError:
            return count
    return count
