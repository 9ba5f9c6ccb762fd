"""How long a line is left alone before the next question, so that what comes late is heard before it and thrown away.

DL/T 645 answers name what they answer, and a late one is told apart. A Modbus answer names the slave and its own
length only: to that slave nothing is said until its late answer cannot come any more (failure 23).
"""

from __future__ import annotations

QUIET_S = {"dlt645-2007": 0.02, "modbus-rtu": 0.005}
"""Quiet line kept before a request: kind to old meters, and at least 3.5 characters for Modbus at 9600."""

AFTER_NOTHING_S = 0.15
"""After a time-out: a meter that was a little late is still speaking, and two voices spoil both."""

LATE_S = 2.0
"""A Modbus slave that has not answered by then never will."""


class Quiet:
    """The pauses of one line."""

    def __init__(self, protocol: str):
        self._protocol = protocol
        self._until = 0.0
        self._silent: dict[int, float] = {}  # Modbus slave, and the second from which it may be asked again

    def over(self, frame: bytes, answered: bool, now: float) -> None:
        """An exchange is over at the monotonic second `now`."""
        self._until = now + (QUIET_S[self._protocol] if answered else AFTER_NOTHING_S)
        if self._protocol == "modbus-rtu":
            self._silent.pop(frame[0], None)
            if not answered:
                self._silent[frame[0]] = now + LATE_S

    def pause_s(self, frame: bytes, now: float) -> float:
        """Seconds to wait before `frame` may leave, 0 for none."""
        slave = self._silent.get(frame[0], 0.0) if self._silent else 0.0
        return max(0.0, self._until - now, slave - now)
