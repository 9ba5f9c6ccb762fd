"""What people and programs hear of the edge: facts that changed, events, and everything again at each connect."""

from __future__ import annotations

import logging

from bridge.contract.entries import REPLACED, TARIFFS
from bridge.contract.messages import Relay
from edge.book import Entry
from edge.core import Core
from edge.facts import Facts
from edge.holds import LOCKOUT
from edge.outbox import Outbox
from edge.registry import Registry
from edge.telling import account_events, meter_event

log = logging.getLogger("riser.edge")

INSTALLATION = ("meter/1", "account/1", "close-way/1", "exit/1", *REPLACED, *TARIFFS)


class Publisher:
    """Notes which facts have changed and renders them when the loop has a moment. An ear of the core."""

    def __init__(self, core: Core, facts: Facts, outbox: Outbox, registry: Registry | None):
        self._core, self._facts, self._outbox, self._registry = core, facts, outbox, registry
        self._dirty: set[tuple[str, str]] = set()

    def entry(self, entry: Entry) -> None:
        """An entry was written: tell people what it means, and note which facts it changes."""
        for account, event in account_events(entry, self._core.terms.zone):
            self._outbox.tell(event, account)
        if (noted := meter_event(entry)) is not None:
            self._outbox.tell(noted[1], noted[0])
        fields = entry.fields
        if fields.get("account"):
            self._dirty.add(("account", fields["account"]))
        if fields.get("to_account"):
            self._dirty.add(("account", fields["to_account"]))
        if fields.get("meter"):
            self._dirty |= {("meter", fields["meter"]), ("relay", fields["meter"])}
        if entry.kind in INSTALLATION:
            self.announce()
        elif entry.kind == "hold/1" and fields["hold"] == LOCKOUT:
            self._keep_registry()
        self._dirty.add(("info", ""))

    def changed(self, what: str, id: str) -> None:
        """A fact changed that no entry tells of: a reading, a lamp, an answer."""
        self._dirty.add((what, id))
        account = self._core.state.meters[id].account if what in ("relay", "availability") and id else None
        if account:
            self._dirty.add(("account", account))

    def announce(self) -> None:
        """Everything again: at start and at every connect, because brokers forget."""
        state = self._core.state
        self._keep_registry()
        self._dirty |= {("info", ""), ("meters", ""), ("accounts", ""), ("policy", ""), ("proposals", "")}
        self._dirty |= {("tariff", id) for id in state.tariffs} | {("port", id) for id in self._core.ports}
        self._dirty |= {(what, id) for id in state.meters for what in ("meter", "relay", "availability")}
        self._dirty |= {("account", id) for id in state.accounts}
        for id, live in self._core.lives.items():
            if live.model.relay_is_valve:  # An earlier version told of valves there, in a relay's words.
                self._outbox.gone(Relay, id)

    def _keep_registry(self) -> None:
        if self._registry is not None and self._core.cannot_write is None:
            try:
                self._registry.refresh(self._core.state)
            except OSError as error:  # It is a copy for people; the next announcement writes it.
                log.warning("registry.json cannot be written: %s", error)

    def render(self) -> None:
        """Turn what changed into messages."""
        state, facts, dirty = self._core.state, self._facts, self._dirty
        self._dirty = set()
        for what, id in sorted(dirty):
            if what in ("info", "meters", "accounts", "policy", "proposals"):
                message = getattr(facts, what)()
            elif what in ("tariff", "port"):
                message = getattr(facts, what)(id)
            elif what == "account":
                message = facts.account(state.accounts[id])
            else:
                message = getattr(facts, what)(state.meters[id])
            if message is not None:
                self._outbox.fact(message, id)
