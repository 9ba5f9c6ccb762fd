"""A sign of progress for whoever watches this process: one datagram in the words of sd_notify(3).

    NOTIFY_SOCKET   where to: a path, or @name in Linux' abstract space. Absent: nobody watches, no call does anything.

A beat is sent from where work is really done and never by a timer of its own: a process whose work is stuck must fall
silent (failure 47). Sending never waits: no worker stops because its watcher has.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping

from bridge.contract.clock import Clock

SOCKET = "NOTIFY_SOCKET"

WATCHING = (SOCKET, "WATCHDOG_USEC", "WATCHDOG_PID")
"""Environment variables between a watcher and one process; they are not for that process's own children."""

BEAT = "WATCHDOG=1"

BEAT_EVERY_S = 1.0
"""However often work is done, a beat a second says it; watchers wait for half a minute and more."""


class Progress:
    """This process's side of the watch."""

    def __init__(self, clock: Clock, environ: Mapping[str, str] = os.environ):
        self._clock, self._address = clock, environ.get(SOCKET, "")
        self._beaten_s = clock.monotonic() - BEAT_EVERY_S
        self._socket: socket.socket | None = None
        if self._address.startswith("@"):
            self._address = "\0" + self._address[1:]

    @property
    def watched(self) -> bool:
        """True when somebody asked for beats."""
        return bool(self._address)

    def beat(self) -> None:
        """Work was done just now. More than once a second is not sent."""
        now_s = self._clock.monotonic()
        if now_s - self._beaten_s >= BEAT_EVERY_S:
            self._beaten_s = now_s
            self.tell(BEAT)

    def tell(self, *lines: str) -> bool:
        """Send lines such as `READY=1`; True when the watcher's queue took them, or when nobody watches."""
        if not self._address:
            return True
        try:
            if self._socket is None:
                self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
                self._socket.setblocking(False)
            self._socket.sendto("\n".join(lines).encode(), self._address)
        except OSError:  # The watcher hangs or is gone. It will miss this beat; the work goes on.
            return False
        return True
