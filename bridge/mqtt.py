"""The one importer of paho. Callbacks only enqueue; what was published is ours again only when the broker said so.

A `Link` is one program's connection. It connects in the background for ever, subscribes afresh at every
connect, keeps a persistent session where asked, and says what happened as plain values through `inbox`,
which is called on paho's thread and must do no more than put them into a queue.
"""

from __future__ import annotations

import logging
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from bridge.contract.secrets import BrokerLogin

log = logging.getLogger("riser.mqtt")

KEEPALIVE_S = 20
"""A half-open connection is noticed within one and a half of these (failure 74)."""

SESSION_S = 3600
"""How long a broker keeps a persistent session; a request older than that has expired long before (R7)."""

QUEUED_AT_MOST = 200
"""paho's own queue dies with the process; the book is the outbox, so this one stays small."""

TAKEN_OVER = 0x8E
"""MQTT 5 reason: another client connected under our id."""


@dataclass(frozen=True)
class Connected:
    """The broker let us in; subscriptions were sent."""

    session_present: bool


@dataclass(frozen=True)
class Disconnected:
    """The connection is gone; paho tries again by itself. `taken_over`: somebody else uses our client id."""

    reason: str
    taken_over: bool


@dataclass(frozen=True)
class Received:
    """A message. `reply_to` and `correlation` are MQTT 5's Response Topic and Correlation Data."""

    topic: str
    payload: bytes
    retained: bool
    reply_to: str | None = None
    correlation: bytes | None = None


@dataclass(frozen=True)
class Acknowledged:
    """The broker took the message `mid`; `error` says why where it refused (MQTT 5 only)."""

    mid: int
    error: str | None = None


Happening = Connected | Disconnected | Received | Acknowledged


class Link:
    """One program's connection to the broker."""

    def __init__(
        self,
        login: BrokerLogin,
        client_id: str,
        inbox: Callable[[Happening], None],
        *,
        subscriptions: Sequence[str] = (),
        will: tuple[str, bytes] | None = None,
        persistent: bool = False,
    ):
        self._five = login.protocol == "5"
        self._inbox, self._subscriptions, self._persistent = inbox, list(subscriptions), persistent
        self._login = login
        self.refused: str | None = None
        """Why the broker did not let us in, in its words; None once it did, and before it answered."""
        self._client = client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            protocol=MQTTProtocolVersion.MQTTv5 if self._five else MQTTProtocolVersion.MQTTv311,
            clean_session=None if self._five else not persistent,
        )
        if login.user is not None:
            client.username_pw_set(login.user, login.password)
        if login.tls:
            client.tls_set(cert_reqs=ssl.CERT_REQUIRED)
        if will is not None:
            client.will_set(will[0], will[1], qos=1, retain=True)
        client.max_queued_messages_set(QUEUED_AT_MOST)
        client.max_inflight_messages_set(100)
        client.reconnect_delay_set(1, 15)
        client.on_connect, client.on_disconnect = self._on_connect, self._on_disconnect
        client.on_connect_fail = self._on_connect_fail
        self._complaint = ""
        client.on_message, client.on_publish = self._on_message, self._on_publish
        client.on_subscribe = self._on_subscribe

    def start(self) -> None:
        """Begin connecting; returns at once, also with no broker there."""
        host, port = self._login.host, self._login.port
        if self._five:
            properties = Properties(PacketTypes.CONNECT)
            properties.SessionExpiryInterval = SESSION_S if self._persistent else 0
            self._client.connect_async(host, port, KEEPALIVE_S, clean_start=not self._persistent, properties=properties)
        else:
            self._client.connect_async(host, port, KEEPALIVE_S)
        self._client.loop_start()

    def stop(self) -> None:
        """Leave in order; the will is not sent."""
        self._client.disconnect()
        self._client.loop_stop()

    @property
    def connected(self) -> bool:
        return self._client.is_connected()

    @property
    def alive(self) -> bool:
        """False when paho's thread has died: then the process must end and be started again (failure 46)."""
        thread = self._client._thread
        return thread is not None and thread.is_alive()

    def publish(
        self,
        topic: str,
        payload: bytes,
        *,
        retain: bool = False,
        correlation: bytes | None = None,
    ) -> int | None:
        """Hand a message to the broker with QoS 1. Return its mid for `Acknowledged`, None while off line.

        While off line nothing is queued: facts are sent again at the next connect, entries from the cursor.
        """
        if not self._client.is_connected():
            return None
        properties = None
        if correlation is not None and self._five:
            properties = Properties(PacketTypes.PUBLISH)
            properties.CorrelationData = correlation
        answer = self._client.publish(topic, payload, qos=1, retain=retain, properties=properties)
        return answer.mid if answer.rc == paho.MQTT_ERR_SUCCESS else None

    # --- paho's thread ---

    def _tell(self, happening: Happening) -> None:
        try:
            self._inbox(happening)
        except Exception:  # An exception here would end paho's thread while it still says "connected" (failure 77).
            log.exception("a message from the broker could not be queued and was dropped")

    def _on_connect(self, client: paho.Client, _: object, flags: object, reason: ReasonCode, __: object) -> None:
        self.refused = str(reason) if reason.is_failure else None
        if reason.is_failure:
            self._complain(
                f"refuses us: {reason}; look at the user and password in the site file and its password_file"
            )
            return
        self._complaint = ""
        for topic in self._subscriptions:
            # The retain flag is kept as published: a retained request is recognised whenever it comes (failure 72).
            if self._five:
                client.subscribe(topic, options=SubscribeOptions(qos=1, retainAsPublished=True))
            else:
                client.subscribe(topic, qos=1)
        self._tell(Connected(bool(getattr(flags, "session_present", False))))

    def _on_connect_fail(self, _: paho.Client, __: object) -> None:
        self._complain("does not answer; it is tried again and again, and everything goes on when it is there")

    def _complain(self, why: str) -> None:
        """Say once what keeps us out; it is tried every few seconds, and the log is no place for each time."""
        if self._complaint != why:
            self._complaint = why
            log.warning("the broker at %s:%s %s", self._login.host, self._login.port, why)

    def _on_subscribe(self, _: object, __: object, ___: int, reasons: list[ReasonCode], ____: object) -> None:
        for reason in reasons:
            if reason.is_failure:
                log.error("the broker denies a subscription: %s; look at its access rules", reason)

    def _on_disconnect(self, _: object, __: object, ___: object, reason: ReasonCode, ____: object) -> None:
        self._tell(Disconnected(str(reason), getattr(reason, "value", 0) == TAKEN_OVER))

    def _on_message(self, _: object, __: object, message: paho.MQTTMessage) -> None:
        properties = message.properties
        self._tell(
            Received(
                message.topic,
                bytes(message.payload),
                message.retain,
                getattr(properties, "ResponseTopic", None),
                getattr(properties, "CorrelationData", None),
            )
        )

    def _on_publish(self, _: object, __: object, mid: int, reason: ReasonCode, ___: object) -> None:
        failed = reason is not None and reason.is_failure
        self._tell(Acknowledged(mid, str(reason) if failed else None))
