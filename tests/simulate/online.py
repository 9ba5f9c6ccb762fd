"""What a gateway of the simulation and the people around it say to each other: a broker between them that comes and
goes, and a panel that looks now and then.
"""

from __future__ import annotations

from typing import Any

from bridge.mqtt import Connected, Disconnected, Received
from tests.bench.policy_seen import Seen
from tests.simulate.post import BadLine, Post
from tests.simulate.powered import Powered
from tests.simulate.rows import stands

MONEY_TURNS = 4
"""Turns after a payment's arrival in which the book is looked at: before a light that it brings back is ordered."""
MONEY = ("/topup", "/reverse", "/lend", "/approve-money", "/approve-move-in", "/told")
"""What changes a tenant's money, who the tenant is, or from when on they are warned, as soon as it arrives."""


class Shown:
    """The panel's side: somebody looks now and then, and the loop need not render facts in between."""

    def __init__(self, house: Online):
        self._house, self.look = house, True

    @property
    def connected(self) -> bool:
        if not (self.look and self._house.broker.connected):
            return False
        self.look = False
        return True


class Online(Powered):
    """A world whose gateway is connected to a broker, and whose people ask it things."""

    broker: Post
    net: BadLine
    shown: Shown

    def __init__(self, *arguments: Any, **named: Any):
        self._money_turns = 0
        self._queued: list[tuple[str, bytes, bool]] = []
        super().__init__(*arguments, **named)

    def connect(self) -> None:
        self.connects()
        self.pump()

    def connects(self) -> None:
        """The connection is there: our own `info` comes first, then what people sent meanwhile."""
        self.memory.broker_gone = False
        self.broker.connected, self.shown.look = True, True
        self.edge.enqueue(Connected(False))
        topic = f"{self.broker.root}/info"
        if topic in self.broker.retained:
            self.edge.enqueue(Received(topic, self.broker.retained[topic], True))
        queued, self._queued = self._queued, []
        self._money_turns = MONEY_TURNS
        for each in queued:
            self.edge.enqueue(Received(*each))

    def disconnects(self) -> None:
        """The broker is gone; what was on its way to it is lost."""
        self.memory.broker_gone = True
        self.broker.connected = False
        self.broker.unacknowledged.clear()
        self.edge.enqueue(Disconnected("gone", False))

    def send(self, topic: str, payload: bytes, retained: bool = False) -> None:
        """What a program publishes to this gateway, over the bad line."""
        self.net.carry(lambda: self.arrives(topic, payload, retained))

    def arrives(self, topic: str, payload: bytes, retained: bool = False) -> None:
        """It is at the broker, which gives it to whoever listens to the topic."""
        if not topic.startswith(self.broker.root + "/request/"):
            return
        if topic.endswith(MONEY):
            self._money_turns = MONEY_TURNS
        if self.broker.connected:
            self.edge.enqueue(Received(topic, payload, retained))
        elif not retained:
            self._queued = [*self._queued[-200:], (topic, payload, retained)]

    def hold(self, seen: Seen, on: bool) -> None:
        """A write that fails may have landed all the same: whoever is not answered looks whether it did."""
        transaction = f"hold-{self.plan.seed}-{next(self._numbers):06d}"
        try:
            self.asks("trip" if on else "close", meter=seen.meter.id, why="bench", transaction=transaction)
        finally:
            if stands(self.directory / "book.db", f"shell:{transaction}", "hold/1"):
                seen.held, seen.cause = on, seen.cause or not on

    def asks(self, operation: str, role: str = "manager", who: str = "王敏", **fields: Any) -> dict[str, Any]:
        if not self.broker.connected:
            return {}
        self.weather.sheltered += 1
        try:
            return super().asks(operation, role, who, **fields)
        finally:
            self.weather.sheltered -= 1
