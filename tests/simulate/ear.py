"""Somebody who listens to one gateway as a bridge does: keeps its entries and readings in order, asks for what is
missing, passes answers on to those who asked, and looks at every relay that is shown and at every message for a secret.

Reads messages with `json` alone.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable
from typing import Any

from tests.bench.policy_judge import OPEN
from tests.edge.building import KEYS

ASKED_AGAIN_S = 60.0
SECRETS = tuple(text.encode() for key in KEYS.values() for text in (key.decode(), key.hex()))
"""Signing keys, as they could be told by mistake."""


class Ear:
    """What one listener knows."""

    def __init__(self, root: str, now_s: Callable[[], float], send: Callable[[str, bytes], None]):
        self._root, self._now_s, self._send = root, now_s, send
        self.hashes: dict[int, str] = {}
        self.seq = 0
        """Everything up to here was heard without a gap."""
        self.newest = 0
        self.sweeps: set[int] = set()
        self.first_sweep: int | None = None
        self.answers: dict[str, Callable[[dict[str, Any]], None]] = {}
        self.contradictions: list[str] = []
        self.warned: Callable[[str, int], None] = lambda account, episode: None
        """Called when a final warning is told."""
        self.status_words: dict[str, deque[int]] = {}
        """By meter, the newest status words that went over the line to the gateway; told by the line."""
        self._asked_s, self._asks = -1e9, 0

    def hears(self, topic: str, payload: bytes) -> None:
        """A message of the gateway."""
        below = topic[len(self._root) + 1 :]
        if below == "entry":
            self._entry(json.loads(payload))
        elif below == "reading":
            self._reading(json.loads(payload)["number"])
        elif below.startswith("response/"):
            answer = json.loads(payload)
            if answer["transaction"] in self.answers:
                self.answers[answer["transaction"]](answer)
        elif below == "info" and payload:
            info = json.loads(payload)
            self._contradicts(info["seq"], info["hash"])
            self.newest = max(self.newest, info["seq"])
            self.misses()

    def told(self, topic: str, payload: bytes) -> None:
        """A message leaves the gateway, whatever becomes of it."""
        if topic.endswith("/relay") and payload:
            self._relay(topic.split("/")[-2], json.loads(payload))
        if any(secret in payload for secret in SECRETS):
            self.contradictions.append(f"a key stands in a message on {topic}")

    def _entry(self, entry: dict[str, Any]) -> None:
        self._contradicts(entry["seq"], entry["hash"])
        self.hashes[entry["seq"]] = entry["hash"]
        if entry["kind"] == "final/1":
            fields = json.loads(entry["body"])
            self.warned(fields["account"], fields["episode"])
        self.newest = max(self.newest, entry["seq"])
        while self.seq + 1 in self.hashes:
            self.seq += 1
        self.misses()

    def _contradicts(self, seq: int, digest: str) -> None:
        if self.hashes.get(seq, digest) != digest:
            self.contradictions.append(f"entry {seq} was told with two hashes")

    def _reading(self, number: int) -> None:
        self.first_sweep = number if self.first_sweep is None else self.first_sweep
        if number >= self.first_sweep:
            self.sweeps.add(number)

    def _relay(self, meter: str, fact: dict[str, Any]) -> None:
        """I11: what is shown is what was confirmed last, or is not known; `heard.WORDS_KEPT`."""
        seen = {"open" if word & OPEN else "closed" for word in self.status_words.get(meter, ())}
        if fact["observed"] not in seen | {"unknown"}:
            self.contradictions.append(f"relay {meter} is shown {fact['observed']} and was read {seen or 'never'}")

    def misses(self, now: bool = False) -> bool:
        """Ask for what is missing; True when something is."""
        holes = self.missing_sweep()
        if self.seq >= self.newest and holes is None:
            return False
        if now or self._now_s() - self._asked_s >= ASKED_AGAIN_S:
            self._asked_s, self._asks = self._now_s(), self._asks + 1
            words: dict[str, Any] = {"transaction": f"replay-{self._asks:08d}"}
            words |= {} if self.seq >= self.newest else {"entries_from": self.seq + 1}
            words |= {} if holes is None else {"readings_from": holes}
            self._send(f"{self._root}/request/replay", json.dumps(words).encode())
        return True

    def missing_sweep(self) -> int | None:
        """The first number of a reading that was passed over."""
        if self.first_sweep is None:
            return None
        while self.first_sweep in self.sweeps:
            self.sweeps.discard(self.first_sweep)
            self.first_sweep += 1
        return self.first_sweep if self.sweeps else None

    def forget_after(self, seq: int) -> None:
        """An older copy of the book was put back: what came after it was another story."""
        self.hashes = {number: digest for number, digest in self.hashes.items() if number <= seq}
        self.seq, self.newest = min(self.seq, seq), min(self.newest, seq)
        self.sweeps.clear()
        self.first_sweep = None
