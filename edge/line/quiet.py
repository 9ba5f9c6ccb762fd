"""How long a line is left alone before the next question, so that what comes late is heard before it and thrown away.

DL/T 645 answers name what they answer, and a late one is told apart. A Modbus answer names the slave and its own
length only: to that slave nothing is said until its late answer cannot come any more (failure 23).
"""

from __future__ import annotations

from edge.line.request import Request
from edge.line.wire import Line

MODBUS_GAP_CHARACTERS, MODBUS_GAP_AT_LEAST_S = 3.5, 0.00175
"""Modbus keeps 3.5 characters between frames, and above 19200 bit/s a fixed time (Modbus over Serial Line §2.5.1.1)."""

AFTER_NOTHING_S = 0.15
"""After a time-out: a meter that was a little late is still speaking, and two voices spoil both."""

LATE_S = 2.0
"""A Modbus slave that has not answered by then never will."""


class Quiet:
    """The pauses of one line. DL/T 645 asks for none; what a meter needs all the same, its model says."""

    def __init__(self, line: Line):
        self._modbus = line.protocol == "modbus-rtu"
        self._gap_s = max(line.wire_s(1) * MODBUS_GAP_CHARACTERS, MODBUS_GAP_AT_LEAST_S) if self._modbus else 0.0
        self._ended = self._until = -1e9
        self._silent: dict[int, float] = {}  # Modbus slave, and the second from which it may be asked again

    def over(self, request: Request, answered: bool, now: float) -> None:
        """An exchange is over, and its last byte was heard by the monotonic second `now`."""
        self._ended = now
        heard = answered or not request.answered
        self._until = now + (self._gap_s if heard else AFTER_NOTHING_S)
        if self._modbus:
            self._silent.pop(request.frame[0], None)
            if not heard:
                self._silent[request.frame[0]] = now + LATE_S

    def pause_s(self, request: Request, now: float) -> float:
        """Seconds to wait before the request may leave, 0 for none."""
        slave = self._silent.get(request.frame[0], 0.0) if self._silent else 0.0
        return max(0.0, max(self._until, self._ended + request.manner.quiet_s, slave) - now)
