"""A port with its thread: it opens its device, takes the most urgent request, does one exchange, and answers.

A trip or close is handed over in two steps: the port says `Ready`, the loop writes its reason and says `go`, and
waits until the first byte is out; what did not leave in time never leaves.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from bridge.contract.clock import Clock
from edge.device_words import GONE, IN_USE, NOT_THERE, why_closed
from edge.line.exchange import Outcome, hush, reply_of
from edge.line.holder import in_use
from edge.line.quiet import Quiet
from edge.line.request import WATCH, Ready, Reply, Request
from edge.line.twice import Twice
from edge.line.waiting import Queue
from edge.line.wire import Line, Wire

log = logging.getLogger("riser.bus")

SENT_WITHIN_S = 0.2
"""After `go` the first byte of a trip leaves within this time or not at all (I8)."""

READY_FOR_S = 2.0
"""A port waits this long for the loop's word on a trip; then the request is withdrawn."""

READ_BACK_WITHIN_S = 0.03
"""After an order the line waits so long for the loop's next word, so that what became of it is read next."""

TURN_S = 90.0
"""A turn of a port takes seconds, half a minute when the kernel closes a device that no longer sends. A thread that is
longer at it is stuck in its adapter's driver (failure 47); the edge ends, and a new one opens the device anew."""

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.2, 2.0
"""Between two attempts to open a device that is not there; the pause doubles."""


class ThreadPort(threading.Thread):
    """A port with its thread. It opens its device by itself, again and again while it is missing (failure 29)."""

    def __init__(
        self,
        line: Line,
        inbox: Callable[[Reply | Ready], None],
        clock: Clock,
        told: Callable[[str, str | None], None] = lambda state, why: None,
    ):
        super().__init__(name=f"port-{line.id}", daemon=True)
        self.line, self.state = line, "closed"
        self.why: str | None = "not opened yet"
        self._inbox, self._clock, self._queue, self._say = inbox, clock, Queue(), told
        self._wire: Wire | None = None
        self._stopping = threading.Event()
        self._answer = threading.Condition()
        self._asked: int | None = None  # number of the trip that waits for the loop's word
        self._word = ""  # "", "go", "refused", "sent"
        self._sent: int | None = None  # number of the newest trip whose bytes were given to the line
        self._turned_s = clock.monotonic()
        self._quiet, self._twice = Quiet(line), Twice(line, clock)
        self._untold: Reply | None = None
        self._lost_at: float | None = None
        self._told: set[str] = set()  # what was logged of this outage

    def put(self, request: Request) -> None:
        self._queue.put(request)

    def waiting(self) -> int:
        return len(self._queue)

    def works(self) -> bool:
        """False when the thread has died, or hangs in an exchange that never ends."""
        silent_s = self._clock.monotonic() - self._turned_s
        if self.is_alive() and silent_s >= TURN_S:
            log.critical("port %s: %s has not come back for %.0f s", self.line.id, self.line.device, silent_s)
        return self.is_alive() and silent_s < TURN_S

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
        pause = FIRST_PAUSE_S
        while not self._stopping.is_set():
            self._turned_s = self._clock.monotonic()
            if self._wire is None and not self._open():
                self._tell()
                self._fail_waiting()
                self._stopping.wait(pause)
                pause = min(pause * 2, LONGEST_PAUSE_S)
                continue
            pause = FIRST_PAUSE_S
            request = self._queue.take(0.5 if self._untold is None else 0)
            if request is not None:
                self._serve(request)
            else:
                self._tell()
        self._tell()
        if self._wire is not None:
            self._wire.close()

    def _open(self) -> bool:
        try:
            self._wire = self.line.open()
        except (OSError, ValueError) as error:
            why = why_closed(self.line.device, error)
            why = in_use(self.line.device) if why == IN_USE else why
            self._stand("closed", why)
            if why not in self._told and not (why == NOT_THERE and self._lost_at is not None):
                # An adapter that is out for a day is told when it goes and when it is back, and not in between.
                log.warning("port %s, %s: %s", self.line.id, self.line.device, why)
                self._told.add(why)
            return False
        if self._lost_at is None:
            log.info("port %s: %s is open at %d baud", self.line.id, self.line.device, self.line.baud)
        else:
            away_s = self._clock.monotonic() - self._lost_at
            log.warning("port %s: %s is back after %d s and read again", self.line.id, self.line.device, away_s)
        self._lost_at = None
        self._stand("open", None)
        self._told.clear()
        return True

    def _stand(self, state: str, why: str | None) -> None:
        if (state, why) != (self.state, self.why):
            self.state, self.why = state, why
            self._say(state, why)

    def _fail_waiting(self) -> None:
        while (request := self._queue.take(0)) is not None:
            now = self._clock.monotonic()
            self._inbox(reply_of(request, self.line.id, Outcome(error="closed"), now, self._clock))

    def _serve(self, request: Request) -> None:
        assert self._wire is not None
        began = self._clock.monotonic()
        outcome = Outcome()
        try:
            if request.not_after is not None and began > request.not_after:
                outcome = Outcome(error="late")
            else:
                if request.handshake or self._quiet.pause_s(request, began) > 0:
                    self._tell()
                if (pause_s := self._quiet.pause_s(request, self._clock.monotonic())) > 0:
                    self._clock.wait(pause_s)
                if request.handshake and not self._permitted(request):
                    raise _Withdrawn
                outcome = self._twice.converse(self._announcing(request), request)
                heard = outcome.raw is not None or outcome.spoken
                self._quiet.over(request, heard, outcome.ended_s or self._clock.monotonic())
                if outcome.error == "babble":
                    hush(self._wire, self._clock)
        except _Withdrawn:
            outcome = Outcome(error="withdrawn")
        except OSError as trouble:
            outcome = Outcome(error="closed")
            self._lose(trouble)
        finally:
            with self._answer:
                self._asked, self._word = None, ""
                self._answer.notify_all()
        self._tell()
        self._untold = reply_of(request, self.line.id, outcome, began, self._clock)
        if request.handshake and outcome.error not in ("withdrawn", "closed"):
            self._tell()
            self._queue.wait_for(WATCH, READ_BACK_WITHIN_S)

    def _tell(self) -> None:
        """Hand over the newest reply. It waits until the next question is out, so that the line is not kept waiting."""
        reply, self._untold = self._untold, None
        if reply is not None:
            self._inbox(reply)

    def _lose(self, trouble: OSError) -> None:
        """The adapter was pulled. It is opened again by its name, however long that takes."""
        assert self._wire is not None
        log.warning(
            "port %s: %s is gone (%s); it is opened again when it is back", self.line.id, self.line.device, trouble
        )
        self._lost_at = self._clock.monotonic()
        self._stand("closed", GONE)
        self._wire.close()
        self._wire = None

    def _permitted(self, request: Request) -> bool:
        with self._answer:
            self._asked, self._word = request.number, ""
            self._inbox(Ready(request, self.line.id))
            self._answer.wait_for(lambda: bool(self._word) or self._stopping.is_set(), READY_FOR_S)
            if not self._word:
                self._word = "refused"
            return self._word == "go"

    def _announcing(self, request: Request) -> Wire:
        """The wire, telling the reply before once a question is out; for a trip one that refuses to send once the loop
        has given up, and says when it has sent."""
        assert self._wire is not None
        return (_Announcing if request.handshake else _Telling)(self, self._wire)


class _Withdrawn(Exception):
    """The loop refused a trip, or gave up waiting for its first byte: nothing left and nothing will."""


class _Telling:
    """Sends a question, and only then tells the loop what became of the one before."""

    def __init__(self, port: ThreadPort, wire: Wire):
        self._port, self._wire = port, wire
        self.read, self.drain, self.close = wire.read, wire.drain, wire.close

    def write(self, frame: bytes) -> None:
        self._wire.write(frame)
        self._port._tell()


class _Announcing(_Telling):
    """Sends a trip's bytes only while the loop still waits for them, and tells the loop that they are out."""

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
