"""What the broker brings: our own old `info`, once, and requests; and where their answers go."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection
from typing import TypeGuard

from pydantic import ValidationError

from bridge.contract import messages
from bridge.contract.messages import Topics
from bridge.contract.units import is_id
from bridge.mqtt import Received
from edge.modes import Modes
from edge.outbox import Outbox
from edge.requests import Requests

REPLY_TOPICS = 500
"""Askers with an MQTT 5 Response Topic that are remembered, so that a second answer finds them too."""


class Hearing:
    """Hands messages over, and sends each answer to the topic of answers and to the asker's own."""

    def __init__(self, topics: Topics, outbox: Outbox, ports: Collection[str]):
        self._topics, self._outbox, self._ports = topics, outbox, ports
        self._reply_topics: OrderedDict[str, tuple[str, bytes | None]] = OrderedDict()
        self._asking: tuple[str, bytes | None] | None = None

    def received(self, event: Received, requests: Requests, modes: Modes) -> None:
        """A message on a topic that the edge listens to."""
        parts = self._topics.below(event.topic)
        if not event.payload:
            return  # A cleared topic; it may be our own clearing of a retained request that comes back.
        if parts == ["info"]:
            modes.remember(event.payload)
            if event.retained:
                self._clear_removed(event.payload)
        elif parts is not None and len(parts) == 2 and parts[0] == "request":
            self._asking = (event.reply_to, event.correlation) if self._may_reply_to(event.reply_to) else None
            if requests.receive(parts[1], event.payload, event.retained):
                self._outbox.clear(event.topic)
            self._asking = None

    def _clear_removed(self, payload: bytes) -> None:
        """Our own `info` of an earlier start names its ports: those that are gone leave no figures behind."""
        try:
            ports = {port.id for port in messages.Info.model_validate_json(payload).ports if is_id(port.id)}
        except ValidationError:
            return  # `modes` has said that it cannot be read.
        for id in sorted(ports.difference(self._ports)):
            self._outbox.clear(self._topics.of(messages.PortStatistics, id))

    def _may_reply_to(self, topic: str | None) -> TypeGuard[str]:
        """An MQTT 5 Response Topic outside our own tree: nobody can make the edge speak on a topic of facts."""
        if not topic:
            return False
        return not topic.startswith(f"{self._topics.base}/") and not set("+#$") & set(topic)

    def respond(self, operation: str, response: messages.Response) -> None:
        """Send an answer."""
        payload = response.payload()
        self._outbox.answer(self._topics.response(operation), payload)
        if self._asking is not None and response.transaction:
            self._reply_topics[response.transaction] = self._asking
            if len(self._reply_topics) > REPLY_TOPICS:
                self._reply_topics.popitem(last=False)
        if (reply_to := self._reply_topics.get(response.transaction)) is not None:
            self._outbox.answer(reply_to[0], payload, reply_to[1])
