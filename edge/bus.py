"""One port, one thread, one owner: the only importer of pyserial. Nobody else touches the wire.

A port takes the most urgent `Request`, does one exchange, and leaves a `Reply` in the loop's inbox. A trip is
handed over in two steps: the port says `Ready`, the loop writes its evidence and says `go`, and waits until
the first byte is out. What the line can say and how long it may take stands in `exchange`.
"""

from __future__ import annotations

import logging
import select
import termios
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

import serial

from bridge.contract.clock import Clock
from edge.codec import PROTOCOLS
from edge.waiting import Queue

log = logging.getLogger("riser.bus")

RESTORE, PERSON, BORDER, TRIP, WATCH, ROUTINE = range(6)
"""Priorities: light comes back first, then what a person waits for, midnight, an automatic trip, then reads."""

FIRST_BYTE_S = 0.55
"""A meter answers within 500 ms of the last request byte (DL/T 645-2007 §5.3, Td)."""

GAP_S = 0.15
"""Silence after which a begun answer is over; USB adapters deliver in bursts, so not shorter."""

QUIET_S = {"dlt645-2007": 0.02, "modbus-rtu": 0.005}
"""Quiet line kept before a request: kind to old meters, and at least 3.5 characters for Modbus at 9600."""

SENT_WITHIN_S = 0.2
"""After `go` the first byte of a trip leaves within this time or not at all (I8)."""

READY_FOR_S = 2.0
"""A port waits this long for the loop's word on a trip; then the request is withdrawn."""


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

    An answer ends by its length. Our own echo, a late answer and noise before it are passed over, so whatever was
    heard, the meter keeps its whole time to begin, and a begun answer may end after that. Babble ends at `over_at`.
    """
    protocol = PROTOCOLS[line.protocol]
    wire.drain()
    wire.write(frame)
    asked_by = clock.monotonic() + line.wire_s(len(frame))
    silent_at = asked_by + FIRST_BYTE_S
    over_at = silent_at + line.wire_s(protocol.reply_bytes(frame)) + GAP_S
    buffer, heard, last = bytearray(), 0, 0.0
    while True:
        now = clock.monotonic()
        until = min(over_at, max(silent_at, last + GAP_S)) if heard else silent_at
        if now >= until:
            break
        piece = wire.read(until - now)
        if piece:
            heard, last = heard + len(piece), clock.monotonic()
            buffer += piece
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


class ThreadPort(threading.Thread):
    """A port with its thread. It opens its device by itself, again and again while it is missing (failure 29)."""

    def __init__(self, line: Line, inbox: Callable[[Reply | Ready], None], clock: Clock):
        super().__init__(name=f"port-{line.id}", daemon=True)
        self.line, self.state = line, "closed"
        self.why: str | None = "not opened yet"
        self._inbox, self._clock, self._queue = inbox, clock, Queue()
        self._wire: Wire | None = None
        self._stopping = threading.Event()
        self._answer = threading.Condition()
        self._asked: int | None = None  # number of the trip that waits for the loop's word
        self._word = ""  # "", "go", "refused", "sent"
        self._sent: int | None = None  # number of the newest trip whose bytes were given to the line
        self._quiet_from = 0.0

    def put(self, request: Request) -> None:
        self._queue.put(request)

    def waiting(self) -> int:
        return len(self._queue)

    def stop(self) -> None:
        self._stopping.set()
        self._queue.wake()
        with self._answer:
            self._answer.notify_all()

    def go(self, number: int) -> bool:
        """The loop's word that a trip may leave. True when its first byte is out, False when it will never leave."""
        with self._answer:
            if self._asked != number or self._word:
                return False
            self._word = "go"
            self._answer.notify_all()
            self._answer.wait_for(lambda: self._sent == number or self._asked != number, SENT_WITHIN_S)
            if self._sent == number:  # Asked of the trip itself: its exchange may be over before we are woken.
                return True
            if self._asked == number:
                self._word = "refused"
            return False

    def refuse(self, number: int) -> None:
        """The loop's word that a trip must not leave."""
        with self._answer:
            if self._asked == number and not self._word:
                self._word = "refused"
                self._answer.notify_all()

    # --- the port's thread ---

    def run(self) -> None:
        pause = 0.2
        while not self._stopping.is_set():
            if self._wire is None and not self._open():
                self._fail_waiting()
                self._stopping.wait(pause)
                pause = min(pause * 2, 5.0)
                continue
            pause = 0.2
            request = self._queue.take(0.5)
            if request is not None:
                self._serve(request)
        if self._wire is not None:
            self._wire.close()

    def _open(self) -> bool:
        try:
            self._wire = self.line.open()
        except (OSError, serial.SerialException, ValueError) as error:
            if self.why != str(error):
                log.warning("port %s: %s cannot be opened: %s", self.line.id, self.line.device, error)
            self.state, self.why = "closed", str(error)
            return False
        log.info("port %s: %s is open at %d baud", self.line.id, self.line.device, self.line.baud)
        self.state, self.why = "open", None
        return True

    def _fail_waiting(self) -> None:
        while (request := self._queue.take(0)) is not None:
            now = self._clock.monotonic()
            self._inbox(Reply(request, self.line.id, None, "closed", now, now, self._clock.now()))

    def _serve(self, request: Request) -> None:
        assert self._wire is not None
        began = self._clock.monotonic()
        raw: bytes | None = None
        error: str | None
        try:
            if request.not_after is not None and began > request.not_after:
                error = "late"
            else:
                pause = self._quiet_from + QUIET_S[self.line.protocol] - self._clock.monotonic()
                if pause > 0:
                    self._clock.wait(pause)
                if request.handshake and not self._permitted(request):
                    raise _Withdrawn
                raw, error = exchange(self.line, self._announcing(request), request.frame, self._clock)
        except _Withdrawn:
            error = "withdrawn"
        except (OSError, serial.SerialException) as trouble:
            log.warning("port %s: the line is gone: %s", self.line.id, trouble)
            self.state, self.why, error = "closed", str(trouble), "closed"
            self._wire.close()
            self._wire = None
        finally:
            with self._answer:
                self._asked, self._word = None, ""
                self._answer.notify_all()
        ended = self._quiet_from = self._clock.monotonic()
        self._inbox(Reply(request, self.line.id, raw, error, began, ended, self._clock.now()))

    def _permitted(self, request: Request) -> bool:
        with self._answer:
            self._asked, self._word = request.number, ""
            self._inbox(Ready(request, self.line.id))
            self._answer.wait_for(lambda: bool(self._word) or self._stopping.is_set(), READY_FOR_S)
            if not self._word:
                self._word = "refused"
            return self._word == "go"

    def _announcing(self, request: Request) -> Wire:
        """The wire; for a trip one that refuses to send once the loop has given up, and says when it has sent."""
        assert self._wire is not None
        return _Announcing(self, self._wire) if request.handshake else self._wire


class _Withdrawn(Exception):
    """The loop refused a trip, or gave up waiting for its first byte: nothing left and nothing will."""


class _Announcing:
    """Sends a trip's bytes only while the loop still waits for them, and tells the loop that they are out."""

    def __init__(self, port: ThreadPort, wire: Wire):
        self._port, self._wire = port, wire
        self.read, self.drain, self.close = wire.read, wire.drain, wire.close

    def write(self, frame: bytes) -> None:
        port = self._port
        with port._answer:
            if port._word != "go":
                raise _Withdrawn
            # Said before it is done: when the line breaks in the middle, some bytes may have left, and then the
            # loop must not believe that none did.
            port._word, port._sent = "sent", port._asked
            try:
                self._wire.write(frame)
            finally:
                port._answer.notify_all()
