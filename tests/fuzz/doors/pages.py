"""The door of pages: whatever a browser sends, no page breaks, nobody learns or does what is not theirs."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import quote

from bridge.contract.messages import Accounts, MeterFacts, Meters, Proposals, Valve
from bridge.contract.price_facts import ProposalRow
from bridge.contract.signing import open_envelope
from tests.fuzz.doors import odd
from tests.fuzz.doors.door import Door, Input
from tests.fuzz.doors.rights import PAGES_MAY, UNSEALED

sys.path.insert(0, str(Path(__file__).parents[2] / "panel"))
from panel_facts import at, charge, hold, proposed_price, protection, reading, relay, row, standing, tenant
from panel_stage import SECRET, Stage, one_shop

IDS = ("100206", "a206", "1", "2", "p-1", "p-7", "shop", "refund", "keep-power", "a1", "hostile-00000001")
FIELDS = (
    "transaction", "amount", "method", "reference", "why", "papers", "do", "room", "name", "role", "day", "month", "q",
    "next", "lang", "page", "who", "until", "receipt", "kind", "price", "from", "to", "step", "entry", "total",
    "decide", "password", "new", "again", "account", "tariff", "meter", "address", "serial", "multiplier", "version",
    "consent", "confirmed", "proposal", "effective", "phone", "before", "state", "floor",
)  # fmt: skip
ROLES = (None, "manager", "finance", "engineer", "operations")

SECRETS = ("味之源麻辣烫", "100206")
"""What nobody sees who has not signed in."""


VALVE: dict[str, Any] = {"protocol": "cjt188", "switch": "valve", "quantities": {"volume_l": "L"}}
MADE = {"who": "王敏", "role": "finance", "at": at(5), "until": at(-4000)}
REFUND = {"account": "100206", "amount_fen": 100, "method": "cash", "reference": "TK-1", "why": "x"}
RATIO = {
    "meter": "a206", "multiplier": 40, "papers": "photo 1", "why": "x",
    "mark": {"at": at(6), "registers_wh": {"total": 350}, "source": "read"},
}  # fmt: skip
TENANCY = {
    "account": "100207", "name": "新茶馆", "room": "A207", "phone": "1", "tariff": "shop", "meters": ["a207"],
    "papers": "lease 1", "water_tariff": None, "category": None, "household": None,
}  # fmt: skip
WAITING = (
    {"id": "p-1", "what": "refund", "body": REFUND, **MADE},
    {"id": "p-2", "what": "change-multiplier", "body": RATIO, **MADE},
    {"id": "p-3", "what": "move-in", "body": TENANCY, **MADE},
    proposed_price(),
)


class PageDoor(Door):
    """Five browsers, one of them a stranger's, at a panel with one shop."""

    name = "pages"

    def __init__(self, scratch: Path):
        directory = scratch / "pages"
        directory.mkdir()
        self._stage = Stage(directory, policy={"emergency_credit": "50.00"})
        self._things()
        self._stage.entry("topup/1", {"account": "100206", "amount_fen": 5000, "method": "cash", "receipt": "r-1"})
        self._stage.entry("charge/1", charge("100206", "a206"), id="charge:a206:2026-11-19")
        self._visitors = {role: self._stage.visitor(role) for role in ROLES}
        self._tokens = {role: visitor.token("/sign-in" if role is None else "/password")
                        for role, visitor in self._visitors.items()}  # fmt: skip
        self._rules = [rule for rule in self._stage.app.url_map.iter_rules() if rule.endpoint != "static"]
        self._stage.app.config["PROPAGATE_EXCEPTIONS"] = True

    def _things(self) -> None:
        """Something for each form: a tenant to be told and protected, a vacant room locked for work, a valve, and what
        waits for a second person."""
        stage = self._stage
        one_shop(stage, delivered_at=None, delivered_by=None, needs_telling=True, protections=[protection()])
        view = stage.mirror.view()
        stage.say(Accounts(accounts=[*view.accounts.values(), tenant("100205", "老书店", "A205", [])]))
        stage.say(Meters(meters=[*view.meters.values(), row("a207", "A207"), row("w1", "A208", **VALVE)]))
        stage.say(standing(available=-50.0), "100205")
        stage.say(reading(), "a207")
        stage.say(relay("open", holds=[hold("lockout", "work")]), "a207")
        stage.say(MeterFacts(read_at=at(0.1), quality="good", volume_l=123_450, valve="open"), "w1")
        stage.say(Valve.model_validate(relay("open").model_dump(exclude={"keep_power", "alarm"})), "w1")
        stage.say(Proposals(proposals=[ProposalRow.model_validate(each) for each in WAITING]))

    def make(self, dice: Random) -> Input:
        rule = dice.choice(self._rules)
        path = rule.rule
        for name in sorted(rule.arguments):
            id = dice.choice(IDS) if dice.random() < 0.75 else str(dice.choice(odd.TEXTS))
            path = path.replace(f"<{name}>", quote(id.encode("utf-8", "replace"), safe=""))
        fields = {dice.choice(FIELDS): self._text(dice) for _ in range(dice.choice((0, 1, 2, 4, 9)))}
        if "transaction" in fields or dice.random() < 0.5:
            fields["transaction"] = f"hostile-{dice.getrandbits(24):08d}"
        method = dice.choice(("GET", "GET", "POST", "POST", "HEAD", "PUT"))
        about = {"path": path, "method": method, "fields": fields, "role": dice.choice(ROLES),
                 "token": dice.random() < 0.85, "raw": dice.random() < 0.05}  # fmt: skip
        return Input(json.dumps(about, ensure_ascii=True).encode(), about)

    def kept(self, given: Input) -> dict[str, Any]:
        return given.about

    def again(self, words: dict[str, Any]) -> list[Input]:
        """Everybody else sends the same form before, with a number of its own. `asks` is what leaves from the right
        browser."""
        others = []
        for role in ROLES:
            fields = dict(words["fields"])
            if "transaction" in fields:
                fields["transaction"] += f"-{role}"
            if role != words["role"]:
                others.append(words | {"role": role, "asks": None, "fields": fields})
        return [Input(json.dumps(about).encode(), about) for about in (*others, words)]

    def _text(self, dice: Random) -> str:
        if dice.random() < 0.4:
            return dice.choice(("200", "cash", "A206", "trip", "close", "manager", "send", "check", "100206", "yes"))
        return str(odd.value(dice))[:4000]

    def try_(self, given: Input) -> bool:
        about: dict[str, Any] = given.about
        role, fields = about["role"], dict(about["fields"])
        client, sent = self._visitors[role].client, self._stage.link.published
        if about["path"] == "/sign-out" and role is not None:
            return False  # Somebody else's session would be no test of this one's.
        if about["path"] == "/password" and about["method"] == "POST":
            fields.pop("new", None)
        sent.clear()
        if about["token"]:
            fields["csrf_token"] = self._tokens[role]
        safe = {key: text.encode("utf-8", "replace").decode() for key, text in fields.items()}
        more: dict[str, Any] = {"query_string": safe} if about["method"] in ("GET", "HEAD") else {"data": safe}
        if about["raw"]:
            more = {"data": given.raw, "content_type": "application/json"}
        answer = client.open(about["path"], method=about["method"], **more)
        assert answer.status_code < 500 or answer.status_code in (501, 503), f"status {answer.status_code}"
        left = [(topic.rsplit("/", 1)[1], topic, raw) for topic, raw, _ in sent if "/request/" in topic]
        asked = {operation for operation, _, _ in left} - UNSEALED
        assert not asked or about["method"] == "POST", f"{about['method']} asked for {asked}"
        assert not asked or about["token"], f"without the form's token: {asked}"
        assert asked <= PAGES_MAY[role], f"{role} asked for {asked}"
        for operation, topic, raw in left:
            if operation in asked:
                words = open_envelope(topic, raw, {"panel": SECRET})[0]
                assert (words["role"], words["who"]) == (role, f"{role}-1"), f"{role} asked in the name of {words}"
        if role is None:
            page = answer.get_data(as_text=True)
            shown = [each for each in SECRETS if each in page and each not in str(about)]
            assert not shown, f"a stranger sees {shown}"
        assert about.get("asks") in (None, *asked), f"it asks for {about['asks']} no more, but for {asked or 'nothing'}"
        return answer.status_code in (200, 303)
