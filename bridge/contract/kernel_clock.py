"""Does the kernel say that its clock is synchronised? One question, asked by the edge (R25) and by `riser doctor`."""

from __future__ import annotations

import ctypes
from pathlib import Path

STA_UNSYNC = 0x0040
SYNCHRONIZED = Path("/run/systemd/timesync/synchronized")


def is_synchronised() -> bool:
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
