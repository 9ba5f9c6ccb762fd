"""What the loop wants of a line and what it gets: requests, replies, and a port as the loop sees it. Plain values only.

A port takes the most urgent `Request`, does one exchange, and leaves a `Reply` in the loop's inbox; for a trip or
close it first leaves a `Ready`. `port.py` is a port with its thread, `inline.py` one for tests and simulation.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from edge.line.wire import Line

RESTORE, PERSON, BORDER, TRIP, WATCH, ROUTINE = range(6)
"""Priorities: light comes back first, then what a person waits for, midnight, an automatic trip, then reads."""


@dataclass(frozen=True)
class Manner:
    """How a meter wants to be spoken to; its model says so."""

    first_byte_s: float = 0.55
    """A meter answers within 500 ms of the last request byte (DL/T 645-2007 §5.3, Td)."""
    rest_s: float = 0.15
    """Silence after which a begun answer is over; USB adapters deliver in bursts."""
    quiet_s: float = 0.0
    """Quiet line that it needs before a question, where that is more than its protocol asks for."""


USUAL = Manner()


@dataclass(frozen=True)
class Request:
    """One exchange that the loop wants: plain, picklable, made by the loop and by nobody else."""

    number: int
    priority: int
    meter: str
    purpose: str
    frame: bytes
    handshake: bool = False
    not_after: float | None = None
    """Monotonic second after which the answer would be worthless (a border read)."""
    manner: Manner = USUAL
    answered: bool = True
    """False for a broadcast, which nobody answers."""


@dataclass(frozen=True)
class Reply:
    """What became of a request. `raw` is the meter's frame, or `error` says in a word why there is none."""

    request: Request
    port: str
    raw: bytes | None
    error: str | None
    began: float
    ended: float
    at: datetime
    more: tuple[bytes, ...] = ()
    """Further parts of a long answer, in order; `raw` is the first."""
    turnaround_s: float | None = None
    """From the last byte of the question, as the line's speed has it, to the first byte heard."""
    heard: bytes = b""
    """What came instead of an answer."""
    spoken: bool = False
    """No answer, and yet the meter that was asked has spoken: what it said came damaged."""
    pause_s: float | None = None
    """The longest silence inside the answer."""

    @property
    def parts(self) -> tuple[bytes, ...]:
        """The whole answer, empty where there is none."""
        return () if self.raw is None else (self.raw, *self.more)


@dataclass(frozen=True)
class Ready:
    """The port is at a trip and waits for `go`."""

    request: Request
    port: str


class Port(Protocol):
    """What the loop sees of a port, whether a thread stands behind it or the test itself."""

    line: Line
    state: str
    why: str | None

    def put(self, request: Request) -> None: ...
    def go(self, number: int) -> bool: ...
    def refuse(self, number: int) -> None: ...
    def waiting(self) -> int: ...
