"""A flood: thousands of requests in a burst that ask for nothing: unsealed, sealed wrongly, too old, far too long."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from datetime import datetime, timedelta

from bridge.contract import secrets
from bridge.contract.asking import ask
from bridge.contract.clock import SystemClock
from bridge.mqtt import Acknowledged, Happening, Link
from tests.proof.machine import ACCOUNTS, TOPICS, Machine
from tests.proof.payers import FEN

MESSAGES = 3_000
LONG = 200_000
"""Bytes of one in sixty."""


class LongAgo(SystemClock):
    """Ten minutes ago: what was sealed then is not taken any more (R7)."""

    def now(self) -> datetime:
        return super().now() - timedelta(minutes=10)


class Flood:
    """A program that may publish requests and has gone mad."""

    def __init__(self, machine: Machine, many: int = MESSAGES):
        own = secrets.read(machine.data, "shell")
        self._messages, self._heard = messages(own.keys["shell"], many), queue.SimpleQueue[Happening]()
        self._next: tuple[str, bytes] | None = next(self._messages)
        self._unanswered = 0
        self.link = Link(own.broker, "proof-flood", self._heard.put)
        self.link.start()

    def poured(self) -> bool:
        """Send as much as the connection takes now; True once the broker has all."""
        while self._next is not None and self.link.publish(*self._next) is not None:
            self._next, self._unanswered = next(self._messages, None), self._unanswered + 1
        while not self._heard.empty():
            self._unanswered -= isinstance(self._heard.get(), Acknowledged)
        return self._next is None and self._unanswered <= 0


def messages(key: bytes, many: int) -> Iterator[tuple[str, bytes]]:
    """(topic, payload) of each."""
    topic = TOPICS.request("topup")
    for number in range(many):
        if number % 60 == 0:
            yield topic, b"x" * LONG
        elif number % 3 == 0:
            yield topic, b'{"signed": "{}", "key": "shell", "mac": "%d"}' % number
        else:
            clock, sealed = (LongAgo(), key) if number % 3 == 1 else (SystemClock(), b"not the key")
            words = {"who": "flood", "role": "manager", "account": ACCOUNTS[0], "amount_fen": FEN, "method": "online"}
            yield ask(TOPICS, clock, ("shell", sealed), "topup", **words)[:2]
