"""Asking a gateway for what the archive lacks: one request at a time, again after five seconds, until both agree.

One `Refill` cares for one series (`entries` or `readings`) of one gateway:

    missing ──1 s──▶ ask ──▶ waiting ──answer──▶ promised ──all came──▶ equal, or ask for the rest at once
                      ▲         │ 5 s               │ 5 s without anything new
                      └─────────┴───────────────────┘

The hole is looked at for a second first, because what is missing is often on its way. The answer may overtake
what it promises. A hole that lies before the oldest the gateway still keeps is given up, and so is one that was
answered several times without being filled: aloud, and until the next connection.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from bridge.archive.coverage import Coverage
from bridge.contract.messages import Response

TIMEOUT_S = 5.0
"""Real seconds without an answer, or without anything of what was promised, then the request is made again."""

PATIENCE_S = 1.0
"""Real seconds a hole may stay before it is asked for."""

TRIES = 3
"""Answers that did not fill the hole, then it is given up; one may be a busy gateway, one a message that was lost."""


@dataclass
class Refill:
    """The state of asking for one series. Times are real monotonic seconds."""

    series: str
    coverage: Coverage = field(default_factory=Coverage)
    _hole_since_s: float | None = None
    _transaction: str | None = None
    _asked: tuple[int, int] = (0, 0)
    _promised_to: int | None = None
    _waiting_since_s: float = 0.0
    _seen_hole: int = 0
    _fruitless: int = 0

    def due(self, now_s: float) -> int | None:
        """The number to ask from, or None when there is nothing to ask for now."""
        hole = self.coverage.missing
        if hole is None:
            self._transaction, self._promised_to, self._hole_since_s, self._fruitless = None, None, None, 0
            return None
        if self._hole_since_s is None:
            self._hole_since_s = now_s
        if hole[0] != self._seen_hole:
            self._seen_hole, self._fruitless, self._waiting_since_s = hole[0], 0, now_s
        if self._promised_to is not None and hole[0] > self._promised_to:
            self._transaction, self._promised_to = None, None
        waits = self._transaction is not None and now_s - self._waiting_since_s < TIMEOUT_S
        return None if waits or now_s - self._hole_since_s < PATIENCE_S else hole[0]

    def asked(self, transaction: str, now_s: float) -> None:
        """The request for the first hole has left."""
        self._transaction, self._waiting_since_s, self._promised_to = transaction, now_s, None
        self._asked = self.coverage.missing or (0, 0)

    def answered(self, response: Response, now_s: float) -> str | None:
        """Take an answer. Return a sentence where something was given up."""
        if response.transaction != self._transaction or response.status != "done":
            return None  # What was refused is asked for again after the time-out.
        said = response.data or {}
        first, last = said.get(f"{self.series}_from"), said.get(f"{self.series}_to")
        if not (isinstance(first, int) and isinstance(last, int)):
            return self._disappointed(self._asked[1])
        self._promised_to, self._waiting_since_s = last, now_s
        if first > self._asked[0]:
            return self._give_up(self._asked[0], min(self._asked[1], first - 1))
        hole = self.coverage.missing
        return self._disappointed(min(hole[1], last)) if hole is not None and hole[0] == self._seen_hole else None

    def begin_again(self) -> None:
        """A new connection: nothing is on its way, and what was given up is asked for once more."""
        self._transaction, self._promised_to, self._hole_since_s, self._fruitless = None, None, None, 0
        self.coverage.hope_again()

    def _disappointed(self, last: int) -> str | None:
        """One answer more that has not filled the hole yet."""
        self._fruitless += 1
        return self._give_up(self._asked[0], max(self._asked[0], last)) if self._fruitless > TRIES else None

    def _give_up(self, first: int, last: int) -> str:
        self.coverage.give_up(first, last)
        return f"{self.series} {first} to {last}: the gateway no longer has them"
