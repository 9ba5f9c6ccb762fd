"""What goes over a line and how long it may take: requests, replies, one exchange; the only importer of pyserial.

A port takes the most urgent `Request`, does one exchange, and leaves a `Reply` in the loop's inbox; for a trip or
close it first leaves a `Ready`. `port.py` is a port with its thread, `inline.py` one for tests and simulation.
"""

from __future__ import annotations

import logging
import select
import termios
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

import serial

from bridge.contract.clock import Clock
from edge.codec import PROTOCOLS

log = logging.getLogger("riser.bus")

RESTORE, PERSON, BORDER, TRIP, WATCH, ROUTINE = range(6)
"""Priorities: light comes back first, then what a person waits for, midnight, an automatic trip, then reads."""

FIRST_BYTE_S = 0.55
"""A meter answers within 500 ms of the last request byte (DL/T 645-2007 §5.3, Td)."""

GAP_S = 0.15
"""Silence after which a begun answer is over; USB adapters deliver in bursts, so not shorter."""


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


@dataclass(frozen=True)
class Ready:
    """The port is at a trip and waits for `go`."""

    request: Request
    port: str


class Wire(Protocol):
    """Bytes to and from a line. `read` returns what has come within `timeout_s`, or nothing. Raises OSError."""

    def write(self, frame: bytes) -> None: ...
    def read(self, timeout_s: float) -> bytes: ...
    def drain(self) -> None: ...
    def close(self) -> None: ...


class SerialWire:
    """A serial port. Pseudo-terminals are opened 8N1, because they take parity once and then refuse it."""

    def __init__(self, device: Path, baud: int, parity: str):
        simulated = device.resolve().is_relative_to("/dev/pts")
        try:
            self._port = serial.Serial(
                str(device), baud, parity="N" if simulated else parity, timeout=0, write_timeout=2, exclusive=True
            )
        except termios.error as error:  # Not an OSError, though it means the same: the device went while it was opened.
            raise OSError(*error.args) from None
        if not simulated:
            try:
                self._port.set_low_latency_mode(True)
            except (OSError, ValueError, AttributeError, NotImplementedError) as error:
                log.info("%s keeps its own latency timer (%s); reads are a little slower", device, error)

    def write(self, frame: bytes) -> None:
        self._port.write(frame)

    def read(self, timeout_s: float) -> bytes:
        readable, _, _ = select.select([self._port.fileno()], [], [], max(timeout_s, 0))
        return self._port.read(4096) if readable else b""

    def drain(self) -> None:
        try:
            self._port.reset_input_buffer()
        except termios.error as error:  # The adapter was pulled; this is what tcflush says then.
            raise OSError(*error.args) from None

    def close(self) -> None:
        self._port.close()


@dataclass(frozen=True)
class Line:
    """What a port is: its id, device, protocol and speed."""

    id: str
    device: Path
    protocol: str
    baud: int
    parity: str

    def wire_s(self, count: int) -> float:
        """Seconds that `count` bytes take on this line."""
        return count * PROTOCOLS[self.protocol].FRAMING_BITS / self.baud

    def open(self) -> Wire:
        return SerialWire(self.device, self.baud, self.parity)


def exchange(line: Line, wire: Wire, frame: bytes, clock: Clock) -> tuple[bytes | None, str | None]:
    """Send one frame and wait for its answer: (raw reply, None), or (None, "silent" or "noise").

    An answer ends by its length. A late answer and noise before it are passed over, so whatever was heard, the meter
    keeps its whole time to begin, and a begun answer may end after that. Babble ends at `over_at`. Our own echo is
    taken away once, at the front only: an echo with nothing behind it is silence (failure 24).
    """
    protocol = PROTOCOLS[line.protocol]
    wire.drain()
    wire.write(frame)
    asked_by = clock.monotonic() + line.wire_s(len(frame))
    silent_at = asked_by + FIRST_BYTE_S
    over_at = silent_at + line.wire_s(protocol.reply_bytes(frame)) + GAP_S
    buffer, heard, last, front = bytearray(), 0, 0.0, True
    while True:
        now = clock.monotonic()
        until = min(over_at, max(silent_at, last + GAP_S)) if heard else silent_at
        if now >= until:
            break
        piece = wire.read(until - now)
        if piece:
            heard, last = heard + len(piece), clock.monotonic()
            buffer += piece
            if front and len(buffer) < len(frame) and frame.startswith(buffer):
                continue  # It may become our echo, or an answer that begins as the question did.
            if front and buffer.startswith(frame):
                del buffer[: len(frame)]
                heard = len(buffer)
            front = False
            if (raw := protocol.find_reply(frame, buffer)) is not None:
                return raw, None
    raw = protocol.find_reply(frame, buffer, final=True)
    return raw, None if raw is not None else ("noise" if heard else "silent")


class Port(Protocol):
    """What the loop sees of a port, whether a thread stands behind it or the test itself."""

    line: Line
    state: str
    why: str | None

    def put(self, request: Request) -> None: ...
    def go(self, number: int) -> bool: ...
    def refuse(self, number: int) -> None: ...
    def waiting(self) -> int: ...
