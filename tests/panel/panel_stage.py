"""A stage for the panel: a site, a clock that stands still, a link that records, an archive, a browser with two verbs.

Facts come in through the same door as the broker's.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from datetime import datetime
from html import unescape
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient
from panel_facts import NOW, at, available, info, port_statistics, reading, relay, row, standing, tariff, tenant
from sqlalchemy import insert
from werkzeug.test import TestResponse

from bridge.archive.tables import ENTRY, READING, open_engine
from bridge.contract.clock import Clock, ManualClock
from bridge.contract.messages import (
    AccountRow,
    Accounts,
    Message,
    MeterRow,
    Meters,
    Response,
    Status,
    Topics,
)
from bridge.contract.signing import open_envelope
from bridge.contract.site import Site
from bridge.contract.units import instant_text, micros_of
from bridge.mqtt import Connected, Disconnected, Received
from panel.app import create_app
from panel.commands import Commands
from panel.feed import Feed
from panel.history import History
from panel.mirror import Mirror
from panel.parts import Demo, Parts
from panel.receipts import Receipts
from panel.sessions import Sessions
from panel.tenant_bills import TenantBills
from panel.tenant_links import TenantLinks
from panel.tenant_seen import TenantSeen
from panel.throttle import Throttle
from panel.users import Database, Users

SECRET = b"k" * 32
SITE = {
    "site": {"name": "锦绣广场", "gateway": "jx-a"},
    "ports": [{"id": "a1", "device": "a1", "protocol": "dlt645-2007"}],
}


@dataclass
class FakeLink:
    """Records what is published. `connected` is the broker's mood."""

    connected: bool = True
    alive: bool = True
    published: list[tuple[str, bytes, bool]] = field(default_factory=list)

    def start(self) -> None:
        self.connected = True

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> int | None:
        if not self.connected:
            return None
        self.published.append((topic, payload, retain))
        return len(self.published)


class Stage:
    """The panel with everything around it in memory."""

    def __init__(
        self, directory: Path, clock: Clock | None = None, demo: Demo | None = None,
        policy: dict[str, Any] | None = None,
    ):  # fmt: skip
        self.clock: Any = clock or ManualClock(NOW)
        self.site = Site.model_validate(SITE | {"policy": policy or {}})
        self.topics = Topics("riser", "jx-a")
        self.link = FakeLink()
        self.mirror = Mirror(self.topics, self.clock)
        self.commands = Commands(self.topics, self.clock, SECRET)
        self.feed = Feed(self.topics, self.mirror, self.commands)
        self.feed.attach(self.link)
        self.engine = open_engine("sqlite", directory)
        self.database = database = Database(directory / "panel.db")
        self.users = Users(database, directory)
        history = History(self.engine, "jx-a")
        self.parts = Parts(
            self.site, self.clock, directory, self.mirror, self.commands, self.feed,
            history, self.users, Sessions(database, self.users, self.clock),
            Throttle(database, self.clock), Receipts(database, self.clock),
            TenantLinks(database, self.clock),
        TenantBills(history, self.clock), TenantSeen(self.commands, self.clock), demo,
        )  # fmt: skip
        self.app = create_app(self.parts)
        self.seq = 0
        self.feed.take(Connected(False))

    # --- the gateway speaks ---

    def say(self, message: Message, id: str = "") -> None:
        """A fact, or an answer on `response/<id>`, arrives."""
        self.feed.take(Received(self.topics.of(type(message), id), message.payload(), message.retained))

    def clear(self, kind: type[Message], id: str = "") -> None:
        self.feed.take(Received(self.topics.of(kind, id), b"", True))

    def lose(self) -> None:
        self.link.connected = False
        self.feed.take(Disconnected("gone", False))

    def return_(self) -> None:
        self.link.connected = True
        self.feed.take(Connected(False))

    def answer(self, operation: str, transaction: str, status: str, **more: Any) -> None:
        at = instant_text(self.clock.now())
        self.say(Response(transaction=transaction, key="panel", status=status, at=at, **more), operation)  # type: ignore[arg-type]

    def online(self, **more: Any) -> None:
        self.say(Status(state="online"))
        self.say(info(self.clock.now(), **more))

    def requests(self, operation: str) -> list[dict[str, Any]]:
        """The requests that left, opened with the panel's key."""
        topic = self.topics.request(operation)
        return [
            open_envelope(topic, payload, {"panel": SECRET})[0] for t, payload, _ in self.link.published if t == topic
        ]

    # --- the archive ---

    def entry(
        self, kind: str, body: dict[str, Any], *, at: datetime | None = None, id: str = "",
        amount_nano: int | None = None,
    ) -> int:  # fmt: skip
        """Put an entry into the archive, as the bridge would. Return its seq."""
        self.seq += 1
        moment = at or self.clock.now()
        row = {
            "gateway": "jx-a", "seq": self.seq, "id": id or f"e:{self.seq}", "at_us": micros_of(moment), "kind": kind,
            "account": body.get("account"), "meter": body.get("meter"), "amount_nano": amount_nano,
            "body": json.dumps(body, ensure_ascii=False, separators=(",", ":")), "boot": "b", "mono_ns": 0,
            "trusted": 1, "prev_hash": "0" * 64, "hash": "0" * 64,
        }  # fmt: skip
        with self.engine.begin() as connection:
            connection.execute(insert(ENTRY).values(row))
        return self.seq

    def readings(self, meter: str, powers: list[tuple[datetime, int]]) -> None:
        rows = [
            {"gateway": "jx-a", "number": n, "meter": meter, "read_at_us": micros_of(at), "energy_wh": n, "power_w": w}
            for n, (at, w) in enumerate(powers, 1)
        ]
        with self.engine.begin() as connection:
            connection.execute(insert(READING), rows)

    # --- people ---

    def visitor(self, role: str | None = None, language: str = "en", number: int = 1) -> Visitor:
        """Somebody at a browser; with a role, signed in. `number` tells people of one role apart."""
        visitor = Visitor(self.app.test_client(), language)
        if role is not None:
            name, password = f"{role}-{number}", f"a good password of {role}"
            if self.users.named(name) is None:
                self.users.add(name, role, password)
                with self.database.open() as connection:  # As if it had been changed long ago: half the hashing.
                    connection.execute("UPDATE user SET one_time = 0 WHERE name = ?", (name,))
            visitor.sign_in(name, password)
        return visitor


class Visitor:
    """A browser with two verbs, `get` and `post`, and signing in."""

    def __init__(self, client: FlaskClient, language: str):
        self.client = client
        client.get(f"/sign-in?lang={language}")

    def get(self, path: str, **more: Any) -> TestResponse:
        return self.client.get(path, **more)

    def see(self, path: str) -> str:
        """The page as text, entities resolved."""
        answer = self.client.get(path)
        assert answer.status_code == 200, (path, answer.status_code, answer.headers.get("Location"))
        return unescape(answer.text)

    def token(self, page: str = "/password") -> str:
        found = re.search(r'name="csrf_token" value="([^"]+)"', self.client.get(page).text)
        assert found, f"{page} has no form"
        return found[1]

    def post(self, path: str, form_on: str = "/password", **fields: str) -> TestResponse:
        return self.client.post(path, data={"csrf_token": self.token(form_on), **fields})

    def sign_in(self, name: str, password: str) -> TestResponse:
        return self.post("/sign-in", form_on="/sign-in", name=name, password=password)

    def sign_out(self) -> TestResponse:
        return self.post("/sign-out")


def install(stage: Stage, meters: list[MeterRow], accounts: list[AccountRow]) -> None:
    """Announce what is installed."""
    stage.say(Meters(meters=meters))
    stage.say(Accounts(accounts=accounts))


def one_shop(stage: Stage, **account: Any) -> None:
    """A206 味之源麻辣烫, read a moment ago, relay closed, 3.18 yuan and the final warning out unless told otherwise."""
    install(stage, [row("a206", "A206", "100206")], [tenant("100206", "味之源麻辣烫", "A206", ["a206"])])
    stage.online()
    stage.say(tariff(), "shop")
    stage.say(port_statistics(), "a1")
    stage.say(reading(), "a206")
    stage.say(relay(), "a206")
    stage.say(available(), "a206")
    warned: dict[str, Any] = {
        "state": "final", "available": 3.18, "days_left": 0.0206, "zero_at": at(-29.8), "cut_at": at(-29.8),
        "final_warning_at": at(0.2), "delivered_at": at(0.1), "delivered_by": "lamp", "level": 3, "episode": 1,
    }  # fmt: skip
    stage.say(standing(**(warned | account)), "100206")
