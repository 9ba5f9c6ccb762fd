"""The panel's sign of progress: it beats while the feed turns and the web server answers its own /health (failure 47).

gunicorn itself only knows that its worker's main thread lives; two dozen threads that wait for one lock look well to
it. So we ask as a browser would, by the door: an answer has passed the socket, a thread of the pool, Flask and the
mirror. Any answer will do: 503 says that the broker is away, and a panel started anew would not find it either.
"""

from __future__ import annotations

import http.client
import threading
from collections.abc import Callable

from bridge.contract.clock import Clock
from bridge.contract.progress import Progress
from panel.feed import Feed

LOOK_EVERY_S = 3.0
"""Longer than a turn of the feed, which waits two seconds for a message."""

ANSWER_WITHIN_S = 10.0


class Pulse(threading.Thread):
    """Looks every few seconds, and beats for what it saw. When this thread itself dies, silence says so."""

    def __init__(self, feed: Feed, answers: Callable[[], bool], progress: Progress, clock: Clock):
        super().__init__(name="pulse", daemon=True)
        self._feed, self._answers, self._progress, self._clock = feed, answers, progress, clock
        self._turns = feed.turns

    def run(self) -> None:
        while True:
            self._clock.wait(LOOK_EVERY_S)
            self.look()

    def look(self) -> None:
        """Beat when the feed has turned since the last look and the server answers."""
        turns, self._turns = self._turns, self._feed.turns
        if self._turns != turns and self._answers():
            self._progress.beat()


def answers(listen: str, port: int) -> bool:
    """True when the server that listens there answers /health in words of HTTP."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(listen, listen)
    connection = http.client.HTTPConnection(host, port, timeout=ANSWER_WITHIN_S)
    try:
        connection.request("GET", "/health", headers={"Connection": "close"})
        return connection.getresponse().status in (200, 503)
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
