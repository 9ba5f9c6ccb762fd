"""May the calendar be believed (R25)? The kernel's word, and never a time before the newest entry of the book."""

from __future__ import annotations

import ctypes
from datetime import timedelta
from pathlib import Path

from bridge.contract.clock import Clock, SystemClock
from bridge.contract.units import instant_of_micros

STA_UNSYNC = 0x0040
SYNCHRONIZED = Path("/run/systemd/timesync/synchronized")

BACKWARD = timedelta(minutes=5)
"""A clock this far behind the newest entry has stepped back over what already happened."""


def kernel_is_synchronised() -> bool:
    """True when the kernel says that its clock is synchronised (adjtimex), or systemd-timesyncd has said so."""
    if SYNCHRONIZED.exists():
        return True
    timex = (ctypes.c_int * 64)()  # struct timex, larger than any; `modes` 0 only reads.
    try:
        state = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(timex))
    except (OSError, AttributeError):
        return False
    status = timex[10] if ctypes.sizeof(ctypes.c_long) == 8 else timex[5]
    return state >= 0 and not status & STA_UNSYNC


def judge(clock: Clock, newest_at: int, setting: str, synchronised: bool) -> tuple[bool, str]:
    """(may it be believed, one sentence). `newest_at` is the newest trusted entry in microseconds, 0 for none."""
    now = clock.now()
    if newest_at and now < instant_of_micros(newest_at) - BACKWARD:
        return False, "the clock stands before the newest entry of the book"
    if not isinstance(clock, SystemClock):
        return True, "the demo's own calendar"
    if setting == "always":
        return True, "believed as it is, by the site file"
    if not synchronised:
        return False, "not synchronised since start; see `timedatectl`, or set clock.trust in the site file"
    return True, "synchronised"
