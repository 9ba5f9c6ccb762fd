"""Time is an argument. A clock gives the calendar, the line's own time, and powered time.

    now()        the calendar: aware UTC. Billing, windows, ages and everything people see.
    monotonic()  real seconds of this machine. Byte pacing, time-outs, I8's five seconds.
    elapsed()    calendar seconds that never run backwards: lead, powered time, back-off of the policy.

On an ordinary machine the three run alike. In the demo only the calendar (and so `elapsed`) is scaled;
under a manual clock all three stand still until somebody moves them.
"""

from __future__ import annotations

import os
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol

ENVIRONMENT = "RISER_CLOCK"
"""Environment variable that hands one scaled clock to all processes: `scaled:<start>:<CLOCK_MONOTONIC ns>:<speed>`."""


class Clock(Protocol):
    """What every part of Riser is handed instead of the wall clock."""

    speed: float

    def now(self) -> datetime: ...
    def monotonic(self) -> float: ...
    def elapsed(self) -> float: ...
    def wait(self, seconds: float) -> None: ...


class SystemClock:
    """The machine's own time."""

    speed = 1.0

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    def elapsed(self) -> float:
        return time.monotonic()

    def wait(self, seconds: float) -> None:
        time.sleep(seconds)


class ScaledClock:
    """The demo: the calendar runs `speed` times as fast as the machine, from `start` at `base_ns`.

    `base_ns` is a reading of CLOCK_MONOTONIC, which all processes of one machine share, so that a
    restarted child agrees with its siblings to the microsecond.
    """

    def __init__(self, start: datetime, base_ns: int, speed: float):
        if start.tzinfo is None:
            raise ValueError("the start of a scaled clock needs its offset, such as 2026-11-20T02:30:00+00:00")
        if not 0 < speed <= 100_000:
            raise ValueError("the speed of a scaled clock lies above 0 and at most 100000")
        self.start, self.base_ns, self.speed = start.astimezone(UTC), base_ns, speed

    def now(self) -> datetime:
        real_us = (time.monotonic_ns() - self.base_ns) / 1000
        return self.start + timedelta(microseconds=real_us * self.speed)

    def monotonic(self) -> float:
        return time.monotonic()

    def elapsed(self) -> float:
        return (time.monotonic_ns() - self.base_ns) / 1e9 * self.speed

    def wait(self, seconds: float) -> None:
        time.sleep(seconds)

    def environment(self) -> str:
        """The text that makes the same clock in another process."""
        return f"scaled:{self.start.isoformat()}:{self.base_ns}:{self.speed:g}"


class ManualClock:
    """Tests and simulation: time passes only by `wait` and `advance`, the same for all three readings."""

    speed = 1.0

    def __init__(self, start: datetime, monotonic_s: float = 1000.0):
        if start.tzinfo is None:
            raise ValueError("a manual clock starts at an aware instant")
        self._start, self._mono0, self._us = start.astimezone(UTC), monotonic_s, 0
        self._lock = threading.Lock()

    def now(self) -> datetime:
        return self._start + timedelta(microseconds=self._us)

    def monotonic(self) -> float:
        return self._mono0 + self._us / 1e6

    def elapsed(self) -> float:
        return self.monotonic()

    def wait(self, seconds: float) -> None:
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        """Move all three readings forward."""
        if seconds < 0:
            raise ValueError("monotonic time does not run backwards")
        with self._lock:
            self._us += round(seconds * 1e6)

    def step_calendar(self, seconds: float) -> None:
        """Step the calendar alone, as a time server or a wrong RTC does."""
        self._start += timedelta(seconds=seconds)


def from_environment(environ: dict[str, str] | os._Environ[str] = os.environ) -> SystemClock | ScaledClock:
    """The clock this process was told to use; the machine's own where nothing is said.

    Raises ValueError with one sentence when the variable is not understood.
    """
    text = environ.get(ENVIRONMENT, "")
    if not text:
        return SystemClock()
    parts = text.split(":")
    try:
        if parts[0] != "scaled" or len(parts) < 4:
            raise ValueError
        return ScaledClock(datetime.fromisoformat(":".join(parts[1:-2])), int(parts[-2]), float(parts[-1]))
    except ValueError:
        raise ValueError(
            f"{ENVIRONMENT} is not understood: {text!r}; "
            "it reads scaled:<start with offset>:<CLOCK_MONOTONIC ns>:<speed>"
        ) from None
