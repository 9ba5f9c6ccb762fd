"""Gives a restored gateway back what the archive saw of its former epoch: one entry at a time, until it has all.

    info.restored ──▶ the next entry ── bring-back ──▶ done ──▶ the next ... ── all-brought ──▶ done

Each request has the same transaction whenever it is made, and each entry its own id: what is asked twice, or again
after a kill on either side, is done once (I5); so a bridge that starts again begins at the beginning. What the gateway
will not take is told in the log and passed over; it then counts as one that the archive lacks.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Engine

from bridge.archive.former import Former, Row
from bridge.archive.rows import body_of
from bridge.contract.asking import ask
from bridge.contract.clock import Clock
from bridge.contract.messages import Info, Response, Status, Topics
from bridge.contract.recovering import BROUGHT_BACK, SHOWN, RestoredFacts
from bridge.facts import Fact, filter_of
from bridge.mqtt import Received
from bridge.sink import Publish, Sink

log = logging.getLogger("riser.archive")

AGAIN_S = 5.0
"""Real seconds without an answer, then the same is asked again."""

BRING, ALL = "bring-back", "all-brought"

ASKER: dict[str, Any] = {"who": "archive", "role": "archive"}


@dataclass
class _Gateway:
    """What is being given back to one gateway."""

    restored: RestoredFacts | None = None
    online: bool = False
    epoch: str = ""
    at: tuple[int, str] = (0, "")
    """Behind this (number, hash) of the former epoch the next entry is looked for."""
    passed_over: set[int] = field(default_factory=set)
    waiting: str | None = None
    asked: Row | None = None
    """The entry that is waited for; None of the last word."""
    asked_s: float = -1e9
    done: bool = False


class Returning(Sink):
    """Watches `info` of every gateway. `open_engine` is called when the first one waits for its former entries."""

    name = "returning"

    def __init__(self, base: str, publish: Publish, clock: Clock, key: bytes | None, open_engine: Callable[[], Engine]):
        self._base, self._publish, self._clock, self._key, self._open = base, publish, clock, key, open_engine
        self.subscriptions = [
            *(filter_of(base, message) for message in (Status, Info)),
            *(filter_of(base, Response, operation) for operation in (BRING, ALL)),
        ]
        self._gateways: dict[str, _Gateway] = {}
        self._former: Former | None = None

    def take(self, came: Fact | Received) -> None:
        if not isinstance(came, Fact):
            return
        state = self._gateways.setdefault(came.gateway, _Gateway())
        match came.message:
            case Status() as status:
                state.online = status.state == "online"
            case Info() as info:
                self._heard(state, info.epoch, info.restored)
            case Response() as response if response.transaction == state.waiting:
                self._answered(came.gateway, state, response)

    def _heard(self, state: _Gateway, epoch: str, restored: RestoredFacts | None) -> None:
        if restored is not None and epoch != state.epoch:
            state.epoch, state.at, state.done = epoch, (restored.seq, ""), False
            state.passed_over, state.waiting = set(), None
        state.restored = restored

    def settle(self) -> None:
        now_s = self._clock.monotonic()
        for gateway, state in self._gateways.items():
            restored = state.restored
            if self._key is None or restored is None or not restored.open or restored.through is not None:
                continue
            if state.online and not state.done and (state.waiting is None or now_s - state.asked_s >= AGAIN_S):
                self._next(gateway, state, restored, now_s)

    def _next(self, gateway: str, state: _Gateway, restored: RestoredFacts, now_s: float) -> None:
        if self._former is None:
            self._former = Former(self._open())
        state.waiting = None
        known = self._former.holds(gateway, restored.before, restored.seq)
        if known is None:
            state.asked_s, state.waiting = now_s, "-"  # Looked for again later: the archive may still be setting aside.
            return
        row = self._former.after(gateway, restored.before, state.at, (*BROUGHT_BACK, *SHOWN))
        if row is not None:
            name = f"former-{restored.before[:16]}-{row['seq']}-{row['hash'][:8]}"
            self._ask(gateway, state, BRING, name, row, fields_of(restored.before, row), now_s)
            return
        through, holes = known[0], known[1] + len(state.passed_over)
        name = f"former-{restored.before[:16]}-all-{through}-{holes}"
        fields = {"epoch": restored.before, "through": through, "holes": holes}
        self._ask(gateway, state, ALL, name, None, fields, now_s)

    def _ask(
        self, gateway: str, state: _Gateway, operation: str, name: str, row: Row | None, fields: dict[str, Any],
        now_s: float,
    ) -> None:  # fmt: skip
        assert self._key is not None
        key, topics = ("bridge", self._key), Topics(self._base, gateway)
        try:
            topic, payload, _ = ask(topics, self._clock, key, operation, transaction=name, **ASKER, **fields)
        except ValidationError as error:
            state.asked = row
            self._pass_over(gateway, state, f"it cannot be told ({error.error_count()} mistakes)")
            return
        if self._publish(topic, payload) is not None:
            state.waiting, state.asked, state.asked_s = name, row, now_s

    def _answered(self, gateway: str, state: _Gateway, response: Response) -> None:
        """What failed is asked again after a while; what was refused will be refused again."""
        if response.status == "refused":
            self._pass_over(gateway, state, f"{response.rule}: {response.error}")
        elif response.status == "done":
            self._go_on(state)

    def _go_on(self, state: _Gateway) -> None:
        state.waiting = None
        if state.asked is None:
            state.done = True
        else:
            state.at = (state.asked["seq"], state.asked["hash"])

    def _pass_over(self, gateway: str, state: _Gateway, why: str) -> None:
        if state.asked is not None:
            state.passed_over.add(state.asked["seq"])
            log.error("%s: entry %d of its former epoch does not come back: %s", gateway, state.asked["seq"], why)
        else:
            log.error("%s: the gateway does not take the last word of its archive: %s", gateway, why)
        self._go_on(state)


def fields_of(epoch: str, row: Row) -> dict[str, Any]:
    """The fields of a request that brings one entry; of a kind that is only shown, what a person needs to see."""
    body = body_of(row["body"])
    columns = ("seq", "id", "at_us", "boot", "mono_ns", "kind", "prev_hash", "hash", "account", "meter")
    fields = {"epoch": epoch, **{name: row[name] for name in columns}, "trusted": bool(row["trusted"])}
    if row["kind"] in BROUGHT_BACK:
        return fields | {"body": row["body"]}
    inner = body["body"] if isinstance(body.get("body"), dict) else {}
    fen = body.get("amount_fen", inner.get("amount_fen"))
    return fields | {
        "account": _text(row["account"] or inner.get("account")),
        "meter": _text(row["meter"] or inner.get("meter")),
        "amount_fen": fen if type(fen) is int else None,
        "by": _text(body.get("who", body.get("by"))),
    }


def _text(value: Any) -> str | None:
    return value[:200] if isinstance(value, str) else None
