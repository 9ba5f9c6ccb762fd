"""The newest facts in memory, keyed by topic; pages read one immutable `View`, so a page never mixes two moments.

A fact with an empty payload is gone. After a new connection everything retained comes again; what did not come again
once the gateway has announced itself was cleared while we were away, and is dropped.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from pydantic import ValidationError

from bridge.contract.clock import Clock
from bridge.contract.messages import (
    Account,
    AccountEvent,
    AccountRow,
    Accounts,
    Availability,
    Info,
    Message,
    MeterEvent,
    MeterFacts,
    MeterRow,
    Meters,
    Policy,
    PortStatistics,
    Proposals,
    Status,
    Tariff,
    Topics,
)
from bridge.contract.sound import unsound
from bridge.contract.units import is_id
from panel.switches import SWITCHES

log = logging.getLogger("riser.panel.mirror")

SETTLE_S = 3.0
"""Retained facts arrive within a moment of the subscription; three seconds is ten times what a slow Pi needs."""

SILENT_S = 30.0
"""A gateway tells where it stands every five seconds. A broker that was killed beside it keeps its last `online` for
ever, so what counts is that it was heard."""

EVENTS_KEPT = 50

COMPLAINTS_KEPT = 500
"""Topics whose last complaint is remembered, so that a sender who is always wrong fills no log."""

M = TypeVar("M", bound=Message)

OF_GATEWAY: dict[str, type[Message]] = {cls.topic: cls for cls in (Status, Info, Meters, Accounts, Policy, Proposals)}
"""Facts of the gateway as a whole, by their topic below it."""


def kind_of(parts: list[str]) -> type[Message] | None:
    """The kind of message on the topic with these parts below the gateway; None for what the panel does not mirror."""
    match parts:
        case [name]:
            return OF_GATEWAY.get(name)
        case [_, id, *_] if not is_id(id):
            return None  # Nobody's: no page could name it, and made-up ids would fill the memory.
        case ["meter", _]:
            return MeterFacts
        case ["meter", _, "availability"]:
            return Availability
        case ["meter", _, "relay" | "valve" as what]:
            return SWITCHES[what]
        case ["meter", _, "event"]:
            return MeterEvent
        case ["account", _]:
            return Account
        case ["account", _, "event"]:
            return AccountEvent
        case ["tariff", _]:
            return Tariff
        case ["port", _]:
            return PortStatistics
    return None


def subscriptions(topics: Topics) -> list[str]:
    """What the panel listens to: facts and answers, never requests."""
    kinds: tuple[type[Message], ...] = (
        *OF_GATEWAY.values(), MeterFacts, Availability, *SWITCHES.values(), MeterEvent, Account, AccountEvent, Tariff,
        PortStatistics,
    )  # fmt: skip
    return [*(topics.of(kind, "+") for kind in kinds), topics.response("+")]


@dataclass(frozen=True)
class Fact:
    """A message and when it arrived: `heard_s` on the real clock, `generation` the connection that brought it."""

    message: Message
    heard_s: float
    generation: int


@dataclass(frozen=True)
class View:
    """All facts at one moment. `heard_s` is the real time of the newest message, `heard_at` the calendar's."""

    version: int
    facts: Mapping[str, Fact]
    topics: Topics
    broker: bool
    heard_s: float | None
    heard_at: datetime | None
    silent: bool = False
    meters: dict[str, MeterRow] = field(default_factory=dict)
    accounts: dict[str, AccountRow] = field(default_factory=dict)

    def get(self, kind: type[M], id: str = "") -> M | None:
        """The newest fact of a kind, None when there is none."""
        found = self.facts.get(self.topics.of(kind, id))
        return found.message if found is not None and isinstance(found.message, kind) else None

    @property
    def gateway(self) -> str:
        """online, silent, offline, or unknown while nothing was heard of it."""
        status = self.get(Status)
        if status is None:
            return "unknown"
        return "silent" if status.state == "online" and self.silent else status.state

    @property
    def live(self) -> bool:
        """True while what is shown is what is."""
        return self.broker and self.gateway == "online"

    def account_of(self, meter: MeterRow) -> AccountRow | None:
        return self.accounts.get(meter.account or "")

    def meters_of(self, account: AccountRow) -> list[MeterRow]:
        return [self.meters[id] for id in account.meters if id in self.meters]


class Mirror:
    """Fed by one thread, read by many."""

    def __init__(self, topics: Topics, clock: Clock):
        self.topics, self._clock = topics, clock
        self._lock = threading.Lock()
        self._facts: dict[str, Fact] = {}
        self._events: dict[tuple[str, str], deque[MeterEvent | AccountEvent]] = {}
        self._generation, self._settles_at_s = 0, None  # type: tuple[int, float | None]
        self._broker = False
        self._heard_s: float | None = None
        self._heard_at: datetime | None = None
        self._version = 0
        self._view: View | None = None
        self.unreadable = 0
        self._complaints: dict[str, str] = {}

    def connected(self) -> None:
        """The broker let us in: everything retained is on its way."""
        with self._lock:
            self._generation += 1
            self._settles_at_s = None
            self._broker = True
            self._changed()

    def disconnected(self) -> None:
        with self._lock:
            self._broker = False
            self._changed()

    def learn(self, topic: str, payload: bytes) -> None:
        """Take one message. What does not fit the contract is logged and counted; the fact before it stays."""
        parts = self.topics.below(topic)
        kind = kind_of(parts) if parts else None
        if kind is None or parts is None:
            return
        if not payload:
            with self._lock:
                if self._facts.pop(topic, None):
                    self._changed()
            return
        try:
            message = kind.model_validate_json(payload)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            self._left_out(topic, f"{'.'.join(map(str, first['loc']))}: {first['msg']}")
            return
        if why := unsound(message):
            self._left_out(topic, why)
            return
        with self._lock:
            self._heard_s, self._heard_at = self._clock.monotonic(), self._clock.now()
            if isinstance(message, MeterEvent | AccountEvent):
                kept = self._events.setdefault((parts[0], parts[1]), deque(maxlen=EVENTS_KEPT))
                kept.append(message)
            else:
                self._facts[topic] = Fact(message, self._heard_s, self._generation)
            if isinstance(message, Info) and self._settles_at_s is None:
                self._settles_at_s = self._heard_s + SETTLE_S
            self._changed()

    def _left_out(self, topic: str, why: str) -> None:
        """Count and log a message that is not believed; the same complaint about a topic is written once."""
        self.unreadable += 1
        if self._complaints.get(topic) != why:
            if len(self._complaints) >= COMPLAINTS_KEPT:
                self._complaints.clear()
            self._complaints[topic] = why
            log.warning("%s does not fit the contract: %s", topic, why)

    def events(self, branch: str, id: str) -> list[MeterEvent | AccountEvent]:
        """The newest events of `meter` or `account` `id`, newest first; at most 50 since this panel started."""
        with self._lock:
            return list(reversed(self._events.get((branch, id), ())))

    def view(self) -> View:
        """All facts at this moment; the same object until something changes."""
        with self._lock:
            self._settle()
            if self._view is not None and self._view.silent != self._silent():
                self._changed()
            if self._view is None:
                self._view = self._make_view()
            return self._view

    # --- under the lock ---

    def _changed(self) -> None:
        self._version += 1
        self._view = None

    def _silent(self) -> bool:
        return self._heard_s is not None and self._clock.monotonic() - self._heard_s > SILENT_S

    def _settle(self) -> None:
        """Drop what the new connection did not bring again."""
        if self._settles_at_s is None or self._clock.monotonic() < self._settles_at_s:
            return
        self._settles_at_s = float("inf")
        gone = [topic for topic, fact in self._facts.items() if fact.generation != self._generation]
        for topic in gone:
            del self._facts[topic]
        if gone:
            self._changed()

    def _make_view(self) -> View:
        facts = dict(self._facts)
        installed = facts.get(self.topics.of(Meters))
        tenants = facts.get(self.topics.of(Accounts))
        meters = installed.message.meters if installed and isinstance(installed.message, Meters) else []
        accounts = tenants.message.accounts if tenants and isinstance(tenants.message, Accounts) else []
        return View(
            self._version, facts, self.topics, self._broker, self._heard_s, self._heard_at, self._silent(),
            {row.id: row for row in meters}, {row.id: row for row in accounts},
        )  # fmt: skip
