"""The broker between one gateway and everybody else: it loses, delays, doubles and swaps what it is given.

What is published goes to an ear (`ear.py`), what people send goes to the gateway, both through the same bad line. While
the gateway is off line its persistent session keeps what people sent; retained facts stay. A broker passes one sender's
messages on in their order, so nothing of a book that was replaced comes after the first word of the book that stands
in its place, however late it is.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable

from tests.edge.building import Broker

Later = Callable[[float, Callable[[], None]], None]


class BadLine:
    """So many of a hundred messages are lost, late, doubled or swapped with the next one."""

    def __init__(self, chance: random.Random, badness: float, happened: Counter[str], later: Later):
        self._chance, self._badness, self._happened, self._later = chance, badness, happened, later

    def heals(self) -> None:
        """From now on it loses nothing."""
        self._badness = 0.0

    def carry(self, deliver: Callable[[], None]) -> None:
        """Hand a message over, or whatever becomes of it."""
        drawn = self._chance.random()
        if not self._badness or drawn >= self._badness:
            deliver()
            return
        kind = ("lost", "late", "doubled", "reordered")[int(drawn / self._badness * 4)]
        self._happened[f"message-{kind}"] += 1
        if kind == "late":
            self._later(self._chance.uniform(5, 400), deliver)
        elif kind == "reordered":
            self._later(self._chance.uniform(0.01, 3), deliver)
        elif kind == "doubled":
            deliver()
            self._later(self._chance.uniform(0, 900), deliver)


class Post(Broker):
    """What one gateway sees of the broker."""

    def __init__(self, root: str, line: BadLine, ear: Callable[[str, bytes], None], told: Callable[[str, bytes], None]):
        """`told` hears each message when it is told, `ear` when it arrives, if it does."""
        super().__init__()
        self.root, self._line, self._ear, self._told = root, line, ear, told
        self.carried = 0
        self.story = 0
        """Counts the books that were put in the place of another."""
        self.strays: list[str] = []
        """Topics on which this gateway has published and which are not its own."""

    def publish(
        self, topic: str, payload: bytes, *, retain: bool = False, correlation: bytes | None = None
    ) -> int | None:
        mid = super().publish(topic, payload, retain=retain, correlation=correlation)
        if mid is not None:
            self.carried += 1
            self._told(topic, payload)
            if not topic.startswith(self.root + "/"):
                self.strays.append(topic)
            story = self.story
            self._line.carry(lambda: self._ear(topic, payload) if story == self.story else None)
        return mid
