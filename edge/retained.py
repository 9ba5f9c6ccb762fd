"""A signed request that the broker kept (72): it would come back at every connect, so it is never carried out for that.

It is answered as any other that comes once more, and a person is told: some program sets the retain flag on what it
asks. Who cannot seal a request can make nobody write, and is answered without a word in the book.
"""

from __future__ import annotations

import logging
from typing import Any

from edge.asked import Asked
from edge.core import Core

log = logging.getLogger("riser.requests")

RETAINED = "a retained request is never carried out; it was cleared from the broker"

TOLD_EVERY_S = 3600.0
"""Line seconds between two alarms: a program that retains one request retains them all."""


class Retained:
    """Tells of them."""

    def __init__(self, core: Core):
        self._core, self._told_s = core, -TOLD_EVERY_S

    def tell(self, asked: Asked) -> None:
        """Raise the alarm, once for a request and once an hour at most."""
        core, id, now_s = self._core, f"alarm:retained:{asked.id}", self._core.clock.monotonic()
        if core.cannot_write is not None or now_s - self._told_s < TOLD_EVERY_S or core.book.find(id) is not None:
            return
        self._told_s = now_s
        text = (
            f"a request {asked.operation} stood retained at the broker and was cleared from there. "
            "Whatever program sent it must not set the retain flag"
        )
        log.warning("%s (key %s)", text, asked.key)
        fields: dict[str, Any] = {"alarm": "retained-request", "text": text}
        if (meter := core.state.meters.get(getattr(asked.body, "meter", ""))) is not None:
            fields |= {"meter": meter.id, "account": meter.account}
        core.append(("alarm/1", id, fields))
