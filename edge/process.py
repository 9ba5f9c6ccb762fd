"""How a process of the edge begins: what it logs and where, and how soon its threads take turns."""

from __future__ import annotations

import logging
import os
import sys

SWITCH_INTERVAL_S = 0.0005
"""A thread that has waited for a line or for the network gets the interpreter back this soon; Python's own 5 ms is an
exchange's twentieth part."""


def begin() -> None:
    """Call first. RISER_LOG is the level, INFO unless set."""
    logging.basicConfig(
        stream=sys.stdout,
        level=os.environ.get("RISER_LOG", "INFO"),
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )
    sys.setswitchinterval(SWITCH_INTERVAL_S)
