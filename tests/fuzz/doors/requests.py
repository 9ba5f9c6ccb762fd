"""The door of requests: whatever comes over MQTT, nothing is done that was not rightly asked, sealed and permitted.

What is forbidden is said here in words of its own, without the edge's tables.
"""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any, get_args, get_origin

from pydantic.fields import FieldInfo

from bridge.contract.messages import REQUESTS
from bridge.contract.signing import envelope
from bridge.contract.units import instant_text
from bridge.mqtt import Acknowledged, Received
from edge.audit.verify import verify
from tests.edge.building import KEYS, Building
from tests.fuzz.doors import odd
from tests.fuzz.doors.door import Door, Input
from tests.fuzz.doors.rights import ROLES, SPEAKS_FOR, UNSEALED, WHO_MAY

SHOPS = {"a201", "a202", "a206"}
NAMES = (*ROLES, "root", "")
"""What may stand for a role in a request."""

NEWEST = {"proposal", "receipt"}

POOL: dict[str, tuple[Any, ...]] = {
    "account": ("100206", "100201", "100202", "999"),
    "to_account": ("100202", "100206", "999"),
    "meter": ("a206", "a201", "a202", "zz"),
    "meters": (["a206"], ["a201", "a202"]),
    "amount_fen": (100, 5000, 123_456, 0, -5, 5_000_001),
    "method": ("cash", "transfer", "card", "online"),
    "reason": ("wrong-meter", "other"),
    "receipt": ("east-1", "1", "R1"),
    "kind": ("keep-power", "dispute"),
    "tariff": ("catering", "shop"),
    "address": ("202603110206",),
    "multiplier": (1, 30),
    "share_percent": (30,),
    "price": ({"id": "catering", "name": "x", "kind": "single", "price": "0.9"},),
}


def says_the_same(raw: bytes, whole: bytes) -> bool:
    """True when damage met no more than the white space around the sealed text."""
    try:
        return bool(json.loads(raw) == json.loads(whole))
    except ValueError:
        return False


class RequestDoor(Door):
    """Signed and unsigned, right and wrong requests at a whole edge, in one life of its book."""

    name = "requests"

    def __init__(self, scratch: Path):
        self._directory = scratch / "requests"
        self._directory.mkdir()
        self.building = Building(self._directory, meters=SHOPS, poll_s=3600, policy={"emergency_credit": "50.00"})
        self.building.connect()
        self._proposals: list[str] = []
        self._seen: list[tuple[str, dict[str, Any], str]] = []
        self._told: dict[tuple[Any, str], tuple[str, Any]] = {}
        self._newest: dict[str, str] = {}
        self._number = 0
        self._began = self.building.clock.now()

    # --- making ---

    def make(self, dice: Random) -> Input:
        self._number += 1
        operation = dice.choice(list(REQUESTS))
        body = self._body(dice, operation)
        key = dice.choice(("shell", "shell", "shell", "panel", "panel", "demo", "bridge"))
        if self._seen and dice.random() < 0.06:
            operation, body, key = dice.choice(self._seen)  # Sent once more, mostly with other words.
            body = body if dice.random() < 0.4 else odd.mixed(dice, body, 1)
        elif dice.random() < 0.35:
            body = odd.mixed(dice, body, dice.choice((1, 1, 2, 4)))
        else:
            self._seen = [*self._seen[-200:], (operation, body, key)]
        if operation in UNSEALED:
            about = {"operation": operation, "kind": "query", "transaction": body.get("transaction")}
            return Input(json.dumps(body).encode(), about | {"at_s": self._running_s()})
        topic = self.building.edge.topics.request(operation)
        try:
            raw = envelope(topic, body, key, KEYS[key])
        except (ValueError, UnicodeError):  # What JSON or UTF-8 cannot say is sent as it is, without a seal.
            about = {"operation": operation, "kind": "forged", "at_s": self._running_s()}
            return Input(repr(body).encode(errors="replace"), about)
        about = {"operation": operation, "kind": "sealed", "body": body, "key": key, "at_s": self._running_s()}
        match dice.randrange(12):
            case 0:
                raw, whole = odd.damaged(dice, raw), raw
                about["kind"] = "sealed" if says_the_same(raw, whole) else "damaged"
            case 1:
                raw, about["kind"] = envelope(topic, body, key, b"another's secret of 32 bytes...."), "forged"
            case 2:
                about["kind"] = "retained"
            case 3:
                about["kind"], about["operation"] = "elsewhere", dice.choice(("on", "trip", "topup", "nothing", "a b"))
                if about["operation"] == operation:
                    about["kind"] = "sealed"
        return Input(raw, about)

    def _running_s(self) -> float:
        """The second of this door's life, which an input needs again: what it asks for has an end."""
        return float((self.building.clock.now() - self._began).total_seconds())

    def kept(self, given: Input) -> dict[str, Any]:
        """Without the bytes where they are no more than the body with its seal."""
        words = super().kept(given)
        if given.about["kind"] in ("sealed", "retained") and given.raw == self._sealed(given.about):
            del words["raw"]
        return words

    def again(self, words: dict[str, Any]) -> list[Input]:
        """Whom the rules do not allow it, and who does not hold the key, asks for the same before.

        Where a proposal or a receipt is "newest", it is that of the line before.
        """
        if "raw" in words:
            return super().again(words)
        body, own = words["body"], words["body"].get("role")
        body = body | {name: each for name, each in self._newest.items() if body.get(name) == "newest"}
        who = [(self._key_of(role), role) for role in NAMES if role not in WHO_MAY.get(words["operation"], ())]
        who += [(key, own) for key in KEYS if own in NAMES and own not in SPEAKS_FOR[key]]
        others = [
            words | {"key": key, "body": body | {"role": role, "transaction": f"{body.get('transaction')}-{number}"}}
            for number, (key, role) in enumerate(who)
        ]
        return [Input(self._sealed(about), about) for about in (*others, words | {"body": body})]

    @staticmethod
    def _key_of(role: str) -> str:
        return next((key for key in KEYS if role in SPEAKS_FOR[key]), "shell")

    def _sealed(self, about: dict[str, Any]) -> bytes:
        topic = self.building.edge.topics.request(about["operation"])
        return envelope(topic, about["body"], about["key"], KEYS[about["key"]])

    def _body(self, dice: Random, operation: str) -> dict[str, Any]:
        now = self.building.clock.now()
        body: dict[str, Any] = {"transaction": f"hostile-{self._number:08d}"}
        for name, field in REQUESTS[operation].model_fields.items():
            if name in ("transaction", "login") or (not field.is_required() and dice.random() < 0.5):
                continue
            body[name] = self._word(dice, name, field)
        if "role" in body:
            role = dice.choice(NAMES if dice.random() < 0.3 else sorted(WHO_MAY.get(operation, ROLES)))
            body |= {"who": dice.choice(("王敏", "李强")), "role": role}
            body |= {"issued_at": instant_text(now), "valid_until": instant_text(now + timedelta(minutes=2))}
        return body

    def _word(self, dice: Random, name: str, field: FieldInfo) -> Any:
        if name == "proposal":
            return dice.choice(self._proposals or ["p-1"])
        if name in POOL:
            return dice.choice(POOL[name])
        choices = get_args(field.annotation)
        if get_origin(field.annotation) is not None and choices and all(isinstance(each, str) for each in choices):
            return dice.choice(choices)
        if field.annotation is int:
            return dice.randrange(1, 200)
        if field.annotation is bool:
            return dice.random() < 0.5
        return dice.choice(("papers 7", "wrong room", "a206-x", "2026-11-21T10:30:00+08:00"))

    # --- judging ---

    def try_(self, given: Input) -> bool:
        edge, about = self.building.edge, given.about
        core, broker = edge.core, self.building.broker
        if (ahead_s := about.get("at_s", 0.0) - self._running_s()) > 0:
            self.building.clock.advance(ahead_s)
        money, seq = dict(core.state.ledger), core.book.seq
        broker.heard.clear()
        edge.step(Received(edge.topics.request(about["operation"]), given.raw, about["kind"] == "retained"))
        for mid in broker.unacknowledged:
            edge.step(Acknowledged(mid))
        broker.unacknowledged.clear()
        answers = [json.loads(raw) for topic, raw, _ in broker.heard if "/response/" in topic]
        ours = (about.get("body", {}).get("transaction"), about.get("transaction"), "")
        answers = [each for each in answers if each["transaction"] in ours]  # Others are done by now.
        if not given.raw:
            assert not answers and core.book.seq == seq, "a cleared topic is no request"
            return False
        assert len(answers) == 1, f"{len(answers)} answers to one request"
        answer = answers[0]
        new = core.book.entries(seq + 1)
        asked = [each for each in new if each.id.split(":")[0] in KEYS and each.kind != "done/1"]
        moved = {name for name in money | core.state.ledger if money.get(name) != core.state.ledger.get(name)}
        assert sum(core.state.ledger.values()) == 0, "double entry"
        if answer["status"] in ("refused", "failed"):
            assert answer.get("error") and len(answer["error"]) < 1000, "a refusal says why"
            assert not moved and all(entry.kind == "refusal/1" for entry in asked), f"refused, and yet {asked}"
        by, told = (about.get("key"), answer["transaction"]), (answer["status"], answer.get("data"))
        if about["kind"] == "sealed" and answer["status"] != "refused":
            self._told[by] = told  # Who asks the same once more hears the same once more (R7), also retained.
        if about["kind"] not in ("sealed", "query"):
            if about["kind"] != "damaged":
                again = about["kind"] == "retained" and told == self._told.get(by) and not asked and not moved
                assert answer["status"] == "refused" or again, f"{about['kind']} and {answer['status']}"
            if (
                answer["status"] == "refused" and about["kind"] != "retained"
            ):  # That one is sealed, and never taken later.
                assert not asked, f"{about['kind']}, and yet written down"
            if about["kind"] == "retained":
                assert any(not raw and retain for _, raw, retain in broker.heard), "a retained request is cleared"
        elif about["kind"] == "query":
            assert not asked and not moved, "a query changes nothing"
        elif answer["status"] != "refused":
            self._allowed(about, answer, money)
        self.building.clock.advance(0.05)
        return answer["status"] in ("done", "accepted")

    def _allowed(self, about: dict[str, Any], answer: dict[str, Any], money: dict[str, int]) -> None:
        """What was not refused must have been one's right, and done as asked."""
        body, key, state = about["body"], about["key"], self.building.edge.core.state
        operation, role = about["operation"], body["role"]
        assert role in WHO_MAY.get(operation, ()), f"{role} was allowed {operation}"
        assert role in SPEAKS_FOR.get(key, ()), f"the key {key} spoke for {role}"
        if (proposal := (answer.get("data") or {}).get("proposal")) is not None:
            self._proposals = [*self._proposals[-20:], proposal]
        self._newest |= {name: each for name, each in (answer.get("data") or {}).items() if name in NEWEST}
        if operation != "topup" or answer["status"] != "done":
            return
        till = f"till:{body['method']}"
        entry = self.building.edge.core.book.find(f"{key}:{body['transaction']}")
        assert entry is not None and entry.kind == "topup/1" and entry.fields["account"] == body["account"]
        paid = money.get(till, 0) - state.ledger.get(till, 0)
        assert paid in (body["amount_fen"] * 10**7, 0), f"{body['amount_fen']} fen moved {paid} nano"
        if paid == 0:
            assert entry.seq < self.building.edge.core.book.seq or entry.fields["amount_fen"] == body["amount_fen"]

    def close(self) -> None:
        """The whole book is true, whatever was asked."""
        self.building.edge.core.book.close()
        report = verify(self._directory)
        assert report.good, f"the book lies: {report}"
