"""A sink is where facts go: the archive, Home Assistant, the demo's payer. No sink knows of another.

All its methods are called by the one loop thread. A sink may raise: the loop says so in one line and goes on
with the others, so a sink must be able to repair later what it missed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bridge.facts import Fact
from bridge.mqtt import Received

Publish = Callable[..., "int | None"]
"""`Link.publish`: (topic, payload, *, retain=False) -> mid, or None while nothing can be sent."""


class Sink:
    """Does nothing with every fact; real sinks say which facts they want and what they do with them."""

    name: str
    subscriptions: Sequence[str] = ()

    def connected(self) -> None:
        """The broker let us in, perhaps a broker that forgot everything; retained facts follow."""

    def take(self, came: Fact | Received) -> None:
        """A fact of a gateway, or another topic's message as it came."""

    def settle(self) -> None:
        """What was queued has been taken; also called when nothing came for a second."""

    def close(self) -> None:
        """The program ends in order."""


class Presence(Sink):
    """Says `online` at every connect, `offline` in parting; where we cannot, the broker does (last will)."""

    name = "presence"

    def __init__(self, publish: Publish, topic: str, online: bytes, offline: bytes):
        self._publish, self._topic, self._online, self._offline = publish, topic, online, offline

    def connected(self) -> None:
        self._publish(self._topic, self._online, retain=True)

    def close(self) -> None:
        self._publish(self._topic, self._offline, retain=True)
