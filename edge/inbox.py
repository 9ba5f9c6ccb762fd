"""What waits for the loop: replies, words of ports, messages. Threads only enqueue, and no flood stops the replies."""

from __future__ import annotations

import logging
import queue

from bridge.mqtt import Happening, Received
from edge.line.request import Ready, Reply

log = logging.getLogger("riser.edge")

MESSAGES_AT_MOST = 1000
"""Messages that wait; more than this is a flood, and whoever asks in earnest asks again (I23)."""

QUEUE_AT_MOST = 5000
"""About more than this waiting means that the loop is stuck; then the process ends and is restarted (I23)."""

Event = Reply | Ready | Happening


class Inbox:
    """One bounded queue."""

    def __init__(self) -> None:
        self.events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self.stuck = False
        self.dropped = self._told = 0

    def put(self, event: Event) -> None:
        """Called by the ports' and paho's threads; does no more than queue.

        A flood of messages is dropped and told; only a loop that no longer takes replies ends the process.
        """
        waiting = self.events.qsize()
        if isinstance(event, Received) and waiting >= MESSAGES_AT_MOST:
            self.dropped += 1
        elif waiting >= QUEUE_AT_MOST:
            self.stuck = True
        else:
            self.events.put(event)

    def take(self, timeout_s: float) -> Event | None:
        """The oldest event, or None when none has come within `timeout_s`."""
        try:
            return self.events.get(timeout=timeout_s)
        except queue.Empty:
            return None

    def tell_dropped(self) -> None:
        """Say how many messages were dropped since last time."""
        if self.dropped > self._told:
            log.warning("%d messages came too fast and were dropped", self.dropped - self._told)
            self._told = self.dropped
