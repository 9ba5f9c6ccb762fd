"""The ports' own process: `python -m edge.line FD PARENT`, started by `station.py` and by nobody else.

It ends when FD closes, and is ended when the edge dies.

RISER_CLOCK   the demo's calendar, absent in ordinary use        RISER_LOG   level, INFO unless set
"""

from __future__ import annotations

import gc
import logging
import os
import pickle
import select
import signal
import socket
import sys
import threading
from pathlib import Path
from typing import Any

from bridge.contract.clock import from_environment
from edge import process
from edge.line.port import ThreadPort
from edge.line.request import Ready, Reply
from edge.line.station import LARGEST_MESSAGE

log = logging.getLogger("riser.bus")

BEAT_S = 2.0
"""The edge hears this often that every port works."""

TIMER_SLACK = Path("/proc/self/timerslack_ns"), "1000"
"""Linux lets every sleep end 50 microseconds late to save power; a pause of 1.8 ms between frames cannot afford it."""

NICE = -10
"""The lines' process does next to nothing, and that at once. The installed service may ask for it; root may anyway."""


class Child:
    """All ports of this edge."""

    def __init__(self, link: socket.socket):
        self._link, self._clock = link, from_environment()
        self._ports: dict[str, ThreadPort] = {}
        self._alone = threading.Event()

    def run(self) -> int:
        """Serve until the edge closes the socket (0), or a port has died (1)."""
        beaten_s = self._clock.monotonic()
        while not self._alone.is_set():
            if self._clock.monotonic() - beaten_s >= BEAT_S:
                beaten_s = self._clock.monotonic()
                if not all(port.works() for port in self._ports.values()):
                    return 1
                self._tell("beat")
            if not select.select([self._link], [], [], BEAT_S)[0]:
                continue  # No time-out of the socket's own: that would hold for what is told too, and lose a reply.
            try:
                raw = self._link.recv(LARGEST_MESSAGE)
            except OSError:
                raw = b""
            if not raw:
                break
            self._do(*pickle.loads(raw))
        for port in self._ports.values():
            port.stop()
        for port in self._ports.values():
            port.join(1.0)
        return 0

    def _do(self, kind: str, *what: Any) -> None:
        if kind == "lines":
            for line in what[0]:
                told = lambda state, why, id=line.id: self._tell("state", id, state, why)  # noqa: E731
                self._ports[line.id] = ThreadPort(line, self._answer, self._clock, told)
                self._ports[line.id].start()
            gc.freeze()  # What is here stays; the collector has next to nothing to look through while lines wait.
        elif kind == "put":
            self._ports[what[0]].put(what[1])
        elif kind == "refuse":
            self._ports[what[0]].refuse(what[1])
        elif kind == "go":  # Trips are rare, and one port's must not keep the others from hearing.
            threading.Thread(target=self._go, args=what, daemon=True).start()

    def _go(self, port: str, number: int) -> None:
        self._tell("sent", number, self._ports[port].go(number))

    def _answer(self, what: Reply | Ready) -> None:
        self._tell("reply" if isinstance(what, Reply) else "ready", what)

    def _tell(self, *message: Any) -> None:
        """Pass a message on; any thread may. Raises OSError where it is not for the edge being gone: a port's thread
        dies of it, and the edge starts this process anew."""
        try:
            self._link.send(pickle.dumps(message, pickle.HIGHEST_PROTOCOL))
        except (BrokenPipeError, ConnectionResetError):
            if not self._alone.is_set():
                log.info("the edge is gone: the lines are let go")
            self._alone.set()  # `run` sees it, or the closed socket, and ends this process.


def _prefer() -> None:
    """Ask the system to wake this process in time; threads begin with what the one that starts them has."""
    slack, ns = TIMER_SLACK
    try:
        slack.write_text(ns)
        os.setpriority(os.PRIO_PROCESS, 0, NICE)
    except OSError as error:
        log.info("the lines share the processor with everybody else (%s); they are a little slower under load", error)


def main() -> int:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # The edge is told to stop, and closes the socket when it has.
    process.begin()
    if not process.end_with(int(sys.argv[2])):
        return 0  # The edge was gone before this began.
    _prefer()
    return Child(socket.socket(fileno=int(sys.argv[1]))).run()


if __name__ == "__main__":
    sys.exit(main())
