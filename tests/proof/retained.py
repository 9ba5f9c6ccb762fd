"""What the broker has retained of the gateway's facts, as a program sees it that comes to it anew."""

from __future__ import annotations

import queue

from bridge.contract import secrets
from bridge.contract.messages import Policy, Status
from bridge.mqtt import Happening, Link, Received
from tests.proof.machine import TOPICS, Machine

LAST = TOPICS.of(Policy)
"""Asked for twice, with all others and after them: with the second one all have come, for a connection keeps order."""


class Eye:
    """A new connection that looks at everything once."""

    def __init__(self, machine: Machine):
        self._heard = queue.SimpleQueue[Happening]()
        self._facts: list[tuple[str, bytes]] = []
        login = secrets.read(machine.data, "shell").broker
        self.link = Link(login, "proof-eye", self._heard.put, subscriptions=[f"{TOPICS.root}/#", LAST])
        self.link.start()

    def whole(self) -> bool:
        """All is heard."""
        while not self._heard.empty():
            happening = self._heard.get()
            if isinstance(happening, Received) and happening.retained:
                self._facts.append((happening.topic, happening.payload))
        return [topic for topic, _ in self._facts].count(LAST) >= 2

    def facts(self) -> dict[str, bytes]:
        """By topic; not `status`, which the broker itself changes when a program goes."""
        return {topic: payload for topic, payload in self._facts if topic != TOPICS.of(Status)}
