"""A request that the broker kept (72): it would come back at every connect, so it is never carried out.

Whoever signed it hears so, and a person is told, once: some program sets the retain flag on what it asks.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from hashlib import sha256
from typing import Any

from bridge.contract import signing
from bridge.contract.units import is_transaction
from edge.core import Core

log = logging.getLogger("riser.requests")


class Retained:
    """Looks at what is refused for its flag alone."""

    def __init__(self, core: Core, keys: dict[str, bytes], topic_of: Callable[[str], str]):
        self._core, self._keys, self._topic_of = core, keys, topic_of

    def asker_of(self, operation: str, payload: bytes) -> tuple[str, str | None]:
        """(transaction, key) of whoever signed it; ("", None) of what nobody did, which is not worth an alarm."""
        log.warning(
            "a request %s stood retained at the broker: it is cleared from there and not carried out", operation
        )
        try:
            words, key, _ = signing.open_envelope(self._topic_of(operation), payload, self._keys)
        except signing.BadEnvelope:
            return "", None
        self._alarm(operation, words, payload)
        transaction = words.get("transaction")
        return (str(transaction), key) if is_transaction(transaction) else ("", None)

    def _alarm(self, operation: str, words: dict[str, Any], payload: bytes) -> None:
        core, id = self._core, f"alarm:retained:{sha256(payload).hexdigest()[:32]}"
        if core.cannot_write is not None or core.book.find(id) is not None:
            return
        text = (
            f"a request {operation} stood retained at the broker; it was cleared from there and not carried out. "
            "Whatever program sent it must not set the retain flag"
        )
        fields: dict[str, Any] = {"alarm": "retained-request", "text": text}
        meter = words.get("meter")
        if isinstance(meter, str) and (known := core.state.meters.get(meter)) is not None:
            fields |= {"meter": known.id, "account": known.account}
        core.append(("alarm/1", id, fields))
