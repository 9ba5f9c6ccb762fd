"""Home Assistant finds gateway, meters and accounts by itself: what changed is announced, what vanished is cleared.

Discovery messages are retained. What stands on the broker by our doing is kept in a file, so that a later run can
clear what vanished in between. When Home Assistant says that it was started, everything is announced again.
"""

from __future__ import annotations

import json
import os
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bridge.announcements import Announcements, Form, installation, tenancies
from bridge.contract.clock import Clock
from bridge.contract.messages import Accounts, Info, Message, Meters
from bridge.facts import Fact, filter_of
from bridge.mqtt import Received
from bridge.sink import Publish, Sink

LONGEST_DELAY_S = 10.0
"""After Home Assistant's start everybody announces again; a random wait up to this spreads them."""


@dataclass
class _Known:
    info: Info | None = None
    meters: Meters | None = None
    accounts: Accounts | None = None


@dataclass
class Announced:
    """What stands on the broker by our doing, kept in a file so that a later run can clear what vanished."""

    path: Path
    by_part: dict[str, Announcements] = field(default_factory=dict)

    @classmethod
    def load(cls, path: Path) -> Announced:
        """Read the file; none or an unreadable one means that nothing is known to be announced."""
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            found = {}
        return cls(path, found if isinstance(found, dict) else {})

    def save(self) -> None:
        scratch = self.path.with_suffix(".new")
        scratch.write_text(json.dumps(self.by_part, ensure_ascii=False), encoding="utf-8")
        os.replace(scratch, self.path)


class Discovery(Sink):
    """Announces to Home Assistant; with `form` None it only takes back what was announced before."""

    name = "discovery"

    def __init__(
        self, base: str, form: Form | None, publish: Publish, clock: Clock, chance: random.Random, memory: Path
    ):
        self._base, self._form, self._publish, self._clock, self._chance = base, form, publish, clock, chance
        self.subscriptions: Sequence[str] = subscriptions(base, form)
        self._known: dict[str, _Known] = {}
        self._announced = Announced.load(memory)
        self._waiting: dict[str, bytes] = {}
        self._again_s: float | None = None
        self._unsaved = False

    def connected(self) -> None:
        """A broker may have forgotten what it retained: all that is known is sent again."""
        self._announce_all()

    def take(self, came: Fact | Received) -> None:
        if isinstance(came, Received):
            self._home_assistant_said(came)
            return
        known = self._known.setdefault(came.gateway, _Known())
        match came.message:
            case Info() as info:
                before, known.info = known.info, info
                if before is not None and (before.name, before.version) == (info.name, info.version):
                    return  # It comes every few seconds, and nothing else of it is announced.
            case Meters() as meters:
                known.meters = meters
            case Accounts() as accounts:
                known.accounts = accounts
            case _:
                return
        self._renew(came.gateway, known)

    def settle(self) -> None:
        """Send what waits, as much as the connection takes now; acknowledgements make room and bring us back here."""
        if self._again_s is not None and self._clock.monotonic() >= self._again_s:
            self._again_s = None
            self._announce_all()
        while self._waiting:
            topic, payload = next(iter(self._waiting.items()))
            if self._publish(topic, payload, retain=True) is None:
                return
            del self._waiting[topic]
        if self._unsaved:  # Only now: killed before, the next run finds the same differences again.
            self._announced.save()
            self._unsaved = False

    def _home_assistant_said(self, message: Received) -> None:
        if self._form is None or message.topic != f"{self._form.prefix}/status":
            return
        if message.payload == b"online" and not message.retained:
            self._again_s = self._clock.monotonic() + self._chance.uniform(0, LONGEST_DELAY_S)

    def _announce_all(self) -> None:
        if self._form is None:
            for part in list(self._announced.by_part):
                self._replace(part, {})
            return
        waiting, self._waiting = self._waiting, {}
        stands = {topic: payload for part in self._announced.by_part.values() for topic, payload in part.items()}
        self._waiting |= {topic: payload for topic, payload in waiting.items() if topic not in stands}
        for topic, announced in stands.items():
            self._waiting[topic] = waiting.get(topic) or _wire(announced)

    def _renew(self, gateway: str, known: _Known) -> None:
        """Compare what should be announced with what is. What is not known yet is left as it stands."""
        if self._form is None:
            return
        if known.info is not None and known.meters is not None:
            self._replace(gateway, installation(self._form, gateway, known.info, known.meters))
            if known.accounts is not None:
                self._replace(f"{gateway}/accounts", tenancies(self._form, gateway, known.accounts))

    def _replace(self, part: str, wanted: Announcements) -> None:
        stands = self._announced.by_part.get(part, {})
        if stands == wanted:
            return
        for topic in sorted(stands.keys() - wanted.keys()):  # First, because in another form the same ids come again.
            self._waiting[topic] = b""
        for topic, payload in wanted.items():
            if stands.get(topic) != payload:
                self._waiting.pop(topic, None)  # So that it goes to the end: the gateway's device stays first.
                self._waiting[topic] = _wire(_with_removals(stands.get(topic), payload))
        self._announced.by_part[part] = wanted
        self._unsaved = True


def _wire(payload: dict[str, Any]) -> bytes:
    return json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()


def _with_removals(stands: dict[str, Any] | None, wanted: dict[str, Any]) -> dict[str, Any]:
    """A device without some of its former entities still names their platform: Home Assistant then removes them."""
    gone = {
        key: {"p": component["p"]}
        for key, component in (stands or {}).get("cmps", {}).items()
        if key not in wanted.get("cmps", {})
    }
    return {**wanted, "cmps": {**wanted["cmps"], **gone}} if gone else wanted


def subscriptions(base: str, form: Form | None) -> list[str]:
    """What discovery listens to, of every gateway of the site."""
    if form is None:
        return []
    facts: tuple[type[Message], ...] = (Info, Meters, Accounts)
    return [*(filter_of(base, message) for message in facts), f"{form.prefix}/status"]
