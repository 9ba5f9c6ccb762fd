"""Messages that nobody may have sent: without a seal, with a wrong one, for another gateway, too old, retained, or
beyond what the asker may. None of them may put a byte on a line, or a line into the book beside a refusal.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

from bridge.contract.asking import ask
from bridge.contract.clock import ManualClock
from bridge.contract.messages import Topics
from tests.bench.policy_seen import Seen
from tests.edge.building import KEYS
from tests.simulate.house import House
from tests.simulate.rows import stands

GRANTED_S = 300
"""A calendar that is further off is noticed before the next message is looked at."""

FINDS_OUT_S = 10.0
"""So soon a gateway that was started, or whose calendar was put right, has found out whether it knows the time; until
then its word is the one of before."""

WRITTEN_S = 60.0
"""So soon a gateway has dealt with a message that has arrived."""


class Forger:
    """Somebody on the network of one house."""

    def __init__(self, house: House, chance: random.Random):
        self.house, self.chance, self._count = house, chance, 0
        self._ways: list[Callable[[Seen, str], tuple[str, bytes, bool]]] = [
            self._no_seal, self._wrong_key, self._other_gateway, self._changed, self._old, self._retained, self._beyond,
            self._rubbish,
        ]  # fmt: skip
        self._deck: list[Callable[[Seen, str], tuple[str, bytes, bool]]] = []

    def forges(self, seen: Seen) -> None:
        self._count += 1
        if not self._deck:  # Each way comes once before one comes again: a few days have few of them.
            self._deck = self.chance.sample(self._ways, len(self._ways))
        way, transaction = self._deck.pop(), f"forged-{self.house.plan.seed}-{self._count:06d}"
        self._sealed = way in (self._old, self._retained, self._beyond)
        topic, payload, retained = way(seen, transaction)
        self.house.memory.forged[transaction] = way.__name__
        self.house.ear.answers[transaction] = partial(self._answered, way.__name__)
        self.house.arrives(topic, payload, retained)
        if self._sealed:
            looked = partial(self._refused, way.__name__, transaction, self.house.edge.core.book.boot, self._troubles())
            self.house.at(WRITTEN_S, looked)

    def _troubles(self) -> tuple[int, bool]:
        """What may keep a gateway from writing something down; nothing does as long as this stays the same."""
        return self.house.weather.troubles, not self.house.broker.connected

    def _refused(self, how: str, transaction: str, boot: str, before: tuple[int, bool]) -> None:
        """A forged message with a true seal has left its refusal in the book, whether or not anybody is answered."""
        house, core = self.house, self.house.edge.core
        well = boot == core.book.boot and core.cannot_write is None and self._troubles() == before == (before[0], False)
        if well and not any(stands(house.directory / "book.db", f"{key}:{transaction}", "refusal/1") for key in KEYS):
            house.broken.append(f"I12: a message was forged ({how}), and the book does not say so")

    def _answered(self, how: str, answer: dict[str, Any]) -> None:
        """No forged message is done."""
        if answer["status"] != "refused":
            self.house.broken.append(f"I12: a message that was forged ({how}) was answered {answer['status']}")

    def _asked(self, seen: Seen, transaction: str, secret: bytes, role: str = "manager", **more: Any) -> list[Any]:
        """A request for money or for a cut."""
        topics = more.pop("topics", self.house.edge.topics)
        clock = more.pop("clock", self.house.clock.true)
        key = more.pop("key", "panel")
        if self.chance.random() < 0.5:
            operation, fields = "trip", {"meter": seen.meter.id, "why": "forged"}
        else:
            operation, fields = "topup", {"account": seen.room.account, "amount_fen": 100_00, "method": "cash"}
        words = {"who": "nobody", "role": role, "transaction": transaction, **fields}
        topic, payload, _ = ask(topics, clock, (key, secret), operation, **words)
        return [topic, payload]

    def _no_seal(self, seen: Seen, transaction: str) -> tuple[str, bytes, bool]:
        topic, payload = self._asked(seen, transaction, KEYS["panel"])
        return topic, json.loads(payload)["signed"].encode(), False

    def _wrong_key(self, seen: Seen, transaction: str) -> tuple[str, bytes, bool]:
        topic, payload = self._asked(seen, transaction, b"x" * 32)
        return topic, payload, False

    def _other_gateway(self, seen: Seen, transaction: str) -> tuple[str, bytes, bool]:
        """Sealed for the gateway next door, put onto this one's topic."""
        topic, payload = self._asked(seen, transaction, KEYS["panel"], topics=Topics("riser", "elsewhere"))
        return topic.replace("/elsewhere/", f"/{self.house.plan.gateway}/"), payload, False

    def _changed(self, seen: Seen, transaction: str) -> tuple[str, bytes, bool]:
        topic, payload = self._asked(seen, transaction, KEYS["panel"])
        outer = json.loads(payload)
        outer["signed"] = outer["signed"].replace("nobody", "somebody")
        return topic, json.dumps(outer).encode(), False

    def _old(self, seen: Seen, transaction: str) -> tuple[str, bytes, bool]:
        """Sealed rightly, five days ago."""
        past = ManualClock(self.house.clock.true.now() - timedelta(days=5))
        topic, payload = self._asked(seen, transaction, KEYS["panel"], clock=past)
        house = self.house
        moved = max(house.started_mono, house.clock.wrong_until)
        sure = house.edge.core.book.trusted and house.mono - moved > FINDS_OUT_S
        if not house.broker.connected or not sure or abs(house.clock.off_s) > GRANTED_S:
            self._sealed = False
            return topic, payload[:-9], False  # A payment may come late to whoever does not know the time (87).
        return topic, payload, False

    def _retained(self, seen: Seen, transaction: str) -> tuple[str, bytes, bool]:
        topic, payload = self._asked(seen, transaction, KEYS["panel"])
        return topic, payload, True

    def _beyond(self, seen: Seen, transaction: str) -> tuple[str, bytes, bool]:
        """The key of the bridge speaks for nobody who may do this."""
        topic, payload = self._asked(seen, transaction, KEYS["bridge"], key="bridge")
        return topic, payload, False

    def _rubbish(self, seen: Seen, transaction: str) -> tuple[str, bytes, bool]:
        topic, payload = self._asked(seen, transaction, KEYS["panel"])
        spot = self.chance.randrange(len(payload))
        bent = payload[:spot] + self.chance.randbytes(3) + payload[spot + 3 :]
        return topic, bent if bent != payload else b"{", False
