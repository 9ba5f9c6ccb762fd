"""The door of pages: whatever a browser sends, no page breaks, nobody learns or does what is not theirs."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import quote

from tests.fuzz.doors import odd
from tests.fuzz.doors.door import Door, Input

sys.path.insert(0, str(Path(__file__).parents[2] / "panel"))
from panel_stage import Stage, one_shop

IDS = ("100206", "a206", "1", "2", "p-1", "shop", "refund", "keep-power", "a1", "hostile-00000001")
FIELDS = (
    "transaction", "amount", "method", "reference", "why", "papers", "do", "room", "name", "role", "day", "month", "q",
    "next", "lang", "page", "who", "until", "receipt", "kind", "price", "from", "to", "step", "entry", "total",
    "decide", "password", "new", "again", "account", "tariff", "meter", "address", "serial", "multiplier", "version",
    "consent", "confirmed", "proposal", "effective", "phone", "before", "state", "floor",
)  # fmt: skip
ROLES = (None, "manager", "finance", "engineer", "operations")
MAY_ASK = {
    None: set[str](),
    "operations": {"read", "told"},
    "engineer": {"read", "told", "off", "on", "trip", "close", "release", "replace-meter", "change-multiplier",
                 "approve-meter", "reject-meter", "lock", "unlock"},
}  # fmt: skip
"""What may leave for the gateway from such a person's browser; the counter may more, and never wire."""

SECRETS = ("味之源麻辣烫", "100206")
"""What nobody sees who has not signed in."""


class PageDoor(Door):
    """Five browsers, one of them a stranger's, at a panel with one shop."""

    name = "pages"

    def __init__(self, scratch: Path):
        directory = scratch / "pages"
        directory.mkdir()
        self._stage = Stage(directory)
        one_shop(self._stage)
        self._stage.entry("topup/1", {"account": "100206", "amount_fen": 5000, "method": "cash", "receipt": "r-1"})
        self._visitors = {role: self._stage.visitor(role) for role in ROLES}
        self._tokens = {role: visitor.token("/sign-in" if role is None else "/password")
                        for role, visitor in self._visitors.items()}  # fmt: skip
        self._rules = [rule for rule in self._stage.app.url_map.iter_rules() if rule.endpoint != "static"]
        self._stage.app.config["PROPAGATE_EXCEPTIONS"] = True

    def make(self, dice: Random) -> Input:
        rule = dice.choice(self._rules)
        path = rule.rule
        for name in rule.arguments:
            id = dice.choice(IDS) if dice.random() < 0.75 else str(dice.choice(odd.TEXTS))
            path = path.replace(f"<{name}>", quote(id.encode("utf-8", "replace"), safe=""))
        fields = {dice.choice(FIELDS): self._text(dice) for _ in range(dice.choice((0, 1, 2, 4, 9)))}
        if "transaction" in fields or dice.random() < 0.5:
            fields["transaction"] = f"hostile-{dice.getrandbits(24):08d}"
        method = dice.choice(("GET", "GET", "POST", "POST", "HEAD", "PUT"))
        about = {"path": path, "method": method, "fields": fields, "role": dice.choice(ROLES),
                 "token": dice.random() < 0.85, "raw": dice.random() < 0.05}  # fmt: skip
        return Input(json.dumps(about, ensure_ascii=True).encode(), about)

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
        asked = {topic.rsplit("/", 1)[1] for topic, _, _ in sent if "/request/" in topic} - {"preview-price", "replay"}
        assert not asked or about["method"] == "POST", f"{about['method']} asked for {asked}"
        assert not asked or about["token"], f"without the form's token: {asked}"
        assert asked <= MAY_ASK.get(role, asked), f"{role} asked for {asked}"
        if role is None:
            page = answer.get_data(as_text=True)
            shown = [each for each in SECRETS if each in page and each not in str(about)]
            assert not shown, f"a stranger sees {shown}"
        return answer.status_code in (200, 303)
