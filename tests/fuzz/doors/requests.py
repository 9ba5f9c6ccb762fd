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

SHOPS = {"a201", "a202", "a206"}
ROLES = ("manager", "finance", "engineer", "operations", "system", "payment", "notices", "tenant", "root", "")
COUNTER, WIRING = {"manager", "finance"}, {"manager", "engineer"}
WHO_MAY = {
    **dict.fromkeys(("reverse", "refund", "compensate", "deduct", "correct", "correct-reading", "bring", "lend",
                     "defer", "settle", "approve-money", "reject-money", "propose-price", "approve-price",
                     "reject-price", "move-in", "approve-move-in", "reject-move-in", "protect", "unprotect"), COUNTER),
    **dict.fromkeys(("off", "on", "trip", "close", "release", "replace-meter", "change-multiplier", "approve-meter",
                     "reject-meter"), WIRING),
    "topup": COUNTER | {"payment"},
    "told": {"manager", "finance", "engineer", "operations", "notices", "tenant"},
    "brake": {"manager"},
}  # fmt: skip
"""Whom the rules allow what; anything else must be refused to them (R32)."""

SPEAKS_FOR = {
    "panel": {"manager", "finance", "engineer", "operations", "tenant"},
    "demo": {"payment"},
    "bridge": {"system"},
    "notices": {"notices"},
}

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
        self.building = Building(self._directory, meters=SHOPS, poll_s=3600)
        self.building.connect()
        self._proposals: list[str] = []
        self._seen: list[tuple[str, dict[str, Any], str]] = []
        self._told: dict[tuple[Any, str], tuple[str, Any]] = {}
        self._number = 0

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
        if operation in ("replay", "preview-price"):
            about = {"operation": operation, "kind": "query", "transaction": body.get("transaction")}
            return Input(json.dumps(body).encode(), about)
        topic = self.building.edge.topics.request(operation)
        try:
            raw = envelope(topic, body, key, KEYS[key])
        except (ValueError, UnicodeError):  # What JSON or UTF-8 cannot say is sent as it is, without a seal.
            return Input(repr(body).encode(errors="replace"), {"operation": operation, "kind": "forged"})
        about = {"operation": operation, "kind": "sealed", "body": body, "key": key}
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

    def _body(self, dice: Random, operation: str) -> dict[str, Any]:
        now = self.building.clock.now()
        body: dict[str, Any] = {"transaction": f"hostile-{self._number:08d}"}
        for name, field in REQUESTS[operation].model_fields.items():
            if name in ("transaction", "login") or (not field.is_required() and dice.random() < 0.5):
                continue
            body[name] = self._word(dice, name, field)
        if "role" in body:
            role = dice.choice(ROLES if dice.random() < 0.3 else sorted(WHO_MAY.get(operation, ROLES[:4])))
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
        assert role in WHO_MAY.get(operation, {*ROLES[:6]}), f"{role} was allowed {operation}"
        assert role in SPEAKS_FOR.get(key, {*ROLES[:6]}), f"the key {key} spoke for {role}"
        if (proposal := (answer.get("data") or {}).get("proposal")) is not None:
            self._proposals = [*self._proposals[-20:], proposal]
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
