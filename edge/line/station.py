"""The ports' own process, seen from the loop: a busy loop must not cost the lines their time, nor a line the loop's.

One child (`python -m edge.line`) holds all ports, a thread each. Both sides talk over one socket pair in whole
messages: requests, words on trips and an end go there; replies, states, answers to a `go` and beats come back. When
either side ends, the other sees the socket close: the child lets go of its devices, the edge ends and is started anew.
"""

from __future__ import annotations

import logging
import os
import pickle
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from typing import Any

from bridge.contract.clock import Clock
from bridge.contract.progress import WATCHING
from edge.line.exchange import Outcome, reply_of
from edge.line.port import SENT_WITHIN_S, TURN_S
from edge.line.request import Ready, Reply, Request
from edge.line.wire import Line

log = logging.getLogger("riser.bus")

ANSWERS_WITHIN_S = SENT_WITHIN_S + 0.3
"""A port says within `SENT_WITHIN_S` whether a trip left. A station that does not pass it on in time is ended: what it
had not sent by then never leaves."""

ENDS_WITHIN_S = 3.0
"""A station that was told to end and does not is killed after so long."""

FULL = "the program that holds the ports does not respond; it is started anew if that lasts"

LARGEST_MESSAGE = 131072
"""Bytes; an answer of 30 s at 19200 bit/s, in all its parts, is less."""


class StationPort:
    """What the loop sees of a port that lives in the station."""

    def __init__(self, line: Line, station: Station):
        self.line, self._station = line, station
        self.state = "closed"
        self.why: str | None = "not opened yet"
        self._told = (self.state, self.why)
        self._given = 0  # requests that have no reply yet; the loop's thread counts up, the ear counts down
        self._taken = 0

    def stands(self, *told: Any) -> None:
        """How the port said it stands; without that, as it said last. Called by the station's ear."""
        self._told = told or self._told
        self.state, self.why = self._told

    def unreached(self) -> None:
        """The child takes no questions, so nobody can be asked: for the loop that is a port that is closed."""
        self.state, self.why = "closed", FULL

    def put(self, request: Request) -> None:
        """Hand it over; where the child does not take it, its answer is at once that the port is closed."""
        if self._station.tell("put", self.line.id, request):
            self._given += 1
        else:
            self._station.fail(request, self.line.id)

    def waiting(self) -> int:
        """Requests that wait behind the one on the line."""
        return max(0, self._given - self._taken - 1)

    def replied(self) -> None:
        """Called by the station's ear, which is one thread."""
        self._taken += 1

    def go(self, number: int) -> bool:
        return self._station.go(self.line.id, number)

    def refuse(self, number: int) -> None:
        self._station.tell("refuse", self.line.id, number)


class Station:
    """The child process and the thread that hears it."""

    def __init__(self, lines: Sequence[Line], inbox: Callable[[Reply | Ready], None], clock: Clock):
        self.ports = {line.id: StationPort(line, self) for line in lines}
        self._inbox, self._clock = inbox, clock
        self._ours, self._theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._child: subprocess.Popen[bytes] | None = None
        self._ear = threading.Thread(target=self._hear, name="station", daemon=True)
        self._word = threading.Condition()
        self._sent: dict[int, bool] = {}  # number of a trip, and whether it left
        self._beaten_s = clock.monotonic()
        self._closed = False
        self.full = False
        """The child took nothing the last time, and has not been heard since."""

    def start(self) -> None:
        """Start the child and hand it its lines."""
        command = [sys.executable, "-m", "edge.line", str(self._theirs.fileno()), str(os.getpid())]
        environment = {name: value for name, value in os.environ.items() if name not in WATCHING}
        self._child = subprocess.Popen(
            command, pass_fds=[self._theirs.fileno()], stdin=subprocess.DEVNULL, env=environment
        )
        self._theirs.close()
        self._beaten_s = self._clock.monotonic()
        self.tell("lines", [port.line for port in self.ports.values()])
        self._ear.start()

    def works(self) -> bool:
        """False when the child has ended, or has not said for long that its ports work."""
        silent_s = self._clock.monotonic() - self._beaten_s
        return not self._closed and self._ear.is_alive() and silent_s < TURN_S

    def stop(self) -> None:
        """End the child: its devices are free when this returns."""
        self._closed = True
        if self._child is None or self._ours.fileno() < 0:
            return
        self._ours.shutdown(socket.SHUT_RDWR)
        try:
            self._child.wait(ENDS_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._kill()
        self._ear.join(1.0)
        self._ours.close()

    def tell(self, *message: Any) -> bool:
        """Send one message, and never wait for it. False when the child does not take it, being stopped or stuck; one
        that is gone is found by `works`, and nothing is lost with it but questions."""
        try:
            self._ours.send(pickle.dumps(message, pickle.HIGHEST_PROTOCOL), socket.MSG_DONTWAIT)
        except BlockingIOError:
            if not self.full:
                log.critical("the ports' process takes no more questions; it is started anew if that lasts")
            self.full = True
            for each in self.ports.values():
                each.unreached()
            return False
        except OSError as error:
            if not self._closed:
                log.critical("the ports' process is gone: %s", error)
            self._closed = True
        return True

    def fail(self, request: Request, port: str) -> None:
        """The answer to a question that the child did not take: it was not asked, as at a port that is closed."""
        self._inbox(reply_of(request, port, Outcome(error="closed"), self._clock.monotonic(), self._clock))

    def go(self, port: str, number: int) -> bool:
        """The loop's word that a trip may leave. True when its first byte is out or nobody can tell, False when it will
        never leave."""
        if not self.tell("go", port, number):
            return False  # Its port gives the trip up by itself, having heard nothing (`READY_FOR_S`).
        with self._word:  # Not held while telling: the ear needs it to hear, and the child to be heard.
            self._word.wait_for(lambda: number in self._sent or self._closed, ANSWERS_WITHIN_S)
            answer = self._sent.pop(number, None)
        if answer is None:
            log.critical("port %s: nobody knows whether order %d left; the ports' process is ended", port, number)
            self._kill()
            return True
        return answer

    def _kill(self) -> None:
        self._closed = True
        if self._child is None:
            return
        self._child.kill()
        try:
            self._child.wait(ENDS_WITHIN_S)
        except subprocess.TimeoutExpired:  # A driver that does not come back keeps its process, and not this one too.
            log.critical("the ports' process %d hangs in an adapter's driver; unplug it", self._child.pid)

    # --- the ear's thread ---

    def _hear(self) -> None:
        while True:
            try:
                raw = self._ours.recv(LARGEST_MESSAGE)
            except OSError:
                raw = b""
            if not raw:
                break
            self._heard(*pickle.loads(raw))
        if not self._closed:
            log.critical("the ports' process has ended")
        with self._word:
            self._closed = True
            self._word.notify_all()

    def _heard(self, kind: str, *what: Any) -> None:
        if kind == "reply":
            self.ports[what[0].port].replied()
            self._inbox(what[0])
        elif kind == "ready":
            self._inbox(what[0])
        elif kind == "state":
            port, state, why = what
            self.ports[port].stands(state, why)
        elif kind == "sent":
            with self._word:
                self._sent[what[0]] = what[1]
                self._word.notify_all()
        self._beaten_s = self._clock.monotonic()
        if self.full:
            self.full = False
            for each in self.ports.values():
                each.stands()
