"""Making a request: the words, their two minutes, and the seal; used by every program that asks an edge."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Any

from bridge.contract.clock import Clock
from bridge.contract.messages import REQUESTS, Topics
from bridge.contract.permissions import UNSIGNED
from bridge.contract.signing import envelope
from bridge.contract.units import instant_text

VALIDITY_S = 120.0
"""A request is valid for two real minutes: enough for a broker that restarts, too short to surprise anybody (R7)."""


def new_transaction() -> str:
    """A transaction id that nobody else will make. A form gets one when it is rendered, before the click."""
    return secrets.token_urlsafe(16)


def ask(
    topics: Topics,
    clock: Clock,
    key: tuple[str, bytes],
    operation: str,
    *,
    who: str,
    role: str,
    transaction: str | None = None,
    **fields: Any,
) -> tuple[str, bytes, str]:
    """Return (topic, payload, transaction) of a signed request. Raises pydantic's ValidationError on bad fields."""
    now = clock.now()
    words = {
        "transaction": transaction or new_transaction(),
        "who": who,
        "role": role,
        "issued_at": instant_text(now),
        "valid_until": instant_text(now + timedelta(seconds=VALIDITY_S * clock.speed)),
        **fields,
    }
    REQUESTS[operation].model_validate(words)
    topic = topics.request(operation)
    return topic, envelope(topic, words, *key), str(words["transaction"])


def query(topics: Topics, operation: str, **fields: Any) -> tuple[str, bytes, str]:
    """Return (topic, payload, transaction) of a request that needs no seal, such as `replay`."""
    assert operation in UNSIGNED
    body = REQUESTS[operation].model_validate({"transaction": new_transaction(), **fields})
    return topics.request(operation), body.model_dump_json(exclude_none=True).encode(), body.transaction
