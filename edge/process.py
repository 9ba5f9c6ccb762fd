"""How a process of the edge begins, and with whom it ends: what it logs, how soon its threads take turns."""

from __future__ import annotations

import ctypes
import gc
import logging
import os
import signal
import sys

SWITCH_INTERVAL_S = 0.0005
"""A thread that has waited for a line or for the network gets the interpreter back this soon; Python's own 5 ms is an
exchange's twentieth part."""


PR_SET_PDEATHSIG = 1


def begin() -> None:
    """Call first. RISER_LOG is the level, INFO unless set."""
    logging.basicConfig(
        stream=sys.stdout,
        level=os.environ.get("RISER_LOG", "INFO"),
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )
    sys.setswitchinterval(SWITCH_INTERVAL_S)


def settled() -> None:
    """Call when the book is folded: what is there now stays for as long as the process, and the garbage collector,
    which would stop the loop for tens of milliseconds to look through it all, need not."""
    gc.collect()
    gc.freeze()


def end_with(parent: int) -> bool:
    """Have the system kill this process when the one that started it is gone, also while it stands still and could not
    see it; on Linux, which alone has this. False when the parent is gone already, and no signal will ever come.

    It is the thread that started this process whose end counts: the edge's first, which ends with the edge (prctl(2)).
    """
    if sys.platform == "linux" and ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0):
        logging.getLogger("riser.edge").warning("the kernel refuses a parent-death signal")
    return os.getppid() == parent
