"""One thread takes what the broker said out of a queue and gives it to the mirror and to the commands.

The broker's own thread only enqueues. When that thread has died the whole program ends and is started again:
a panel that looks alive and hears nothing is worse than one that restarts.
"""

from __future__ import annotations

import logging
import os
import queue
import signal
import threading
from collections.abc import Callable
from typing import Protocol

from pydantic import ValidationError

from bridge.contract.messages import PanelStatus, Response, Topics
from bridge.contract.sound import unsound
from bridge.mqtt import Acknowledged, Connected, Disconnected, Happening, Received
from panel.commands import Commands
from panel.mirror import Mirror

log = logging.getLogger("riser.panel.feed")

WAITING_AT_MOST = 50_000
"""Messages that wait for the mirror: ten times the facts of a large site."""


class LinkLike(Protocol):
    """What the panel needs of a connection to the broker."""

    @property
    def connected(self) -> bool: ...
    @property
    def alive(self) -> bool: ...
    def start(self) -> None: ...
    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> int | None: ...


class Feed:
    """The one reader of the inbox."""

    def __init__(self, topics: Topics, mirror: Mirror, commands: Commands):
        self._topics, self._mirror, self._commands = topics, mirror, commands
        self._inbox: queue.Queue[Happening] = queue.Queue(WAITING_AT_MOST)
        self._link: LinkLike | None = None
        self.turns = 0

    @property
    def connected(self) -> bool:
        return self._link is not None and self._link.connected

    def attach(self, link: LinkLike) -> None:
        """Use this connection; it must have been made with `put` as its inbox."""
        self._link = link
        self._commands.publish = lambda topic, payload: link.publish(topic, payload)

    def put(self, happening: Happening) -> None:
        """Called on the broker's thread."""
        self._inbox.put_nowait(happening)

    def start(self, ended: Callable[[], None] | None = None) -> None:
        """Connect, and read the inbox for ever in a thread of its own."""
        assert self._link is not None
        self._link.start()
        threading.Thread(target=self._read, args=(ended or end_this_program,), name="feed", daemon=True).start()

    def _read(self, ended: Callable[[], None]) -> None:
        while self._link is not None and self._link.alive:
            self.turns += 1
            try:
                happening = self._inbox.get(timeout=2.0)
            except queue.Empty:
                continue
            self.take(happening)
        log.error("the thread that listens to the broker has died; the panel ends and is started again")
        ended()

    def take(self, happening: Happening) -> None:
        """Give one happening to whom it concerns."""
        match happening:
            case Connected():
                self._mirror.connected()
                if self._link is not None:
                    status = PanelStatus(state="online")
                    self._link.publish(self._topics.of(PanelStatus), status.payload(), retain=True)
            case Disconnected():
                self._mirror.disconnected()
            case Received(topic, payload) if topic.startswith(self._topics.response("")):
                self._answer(topic, payload)
            case Received(topic, payload):
                self._mirror.learn(topic, payload)
            case Acknowledged(mid, error):
                self._commands.acknowledged(mid, error)

    def _answer(self, topic: str, payload: bytes) -> None:
        try:
            answer = Response.model_validate_json(payload)
        except ValidationError as error:
            log.warning(
                "an answer on %s does not fit the contract: %s", topic, error.errors(include_url=False)[0]["msg"]
            )
            return
        if why := unsound(answer):
            log.warning("an answer on %s does not fit the contract: %s", topic, why)
            return
        self._commands.answered(answer)


def end_this_program() -> None:
    """Ask this process to end in order; whoever started it starts it again."""
    os.kill(os.getpid(), signal.SIGTERM)
