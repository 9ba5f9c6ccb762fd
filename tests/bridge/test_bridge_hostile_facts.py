"""Broken and hostile facts leave the bridge working: left out and told once, and the next good one is taken."""

from __future__ import annotations

import itertools
import json
import logging
import random
from pathlib import Path
from typing import Any

import pytest

from bridge.announcements import Form
from bridge.archive.tables import open_engine
from bridge.archive.writer import ArchiveWriter
from bridge.contract.clock import SystemClock
from bridge.contract.messages import MESSAGES, Topics
from bridge.contract.secrets import BrokerLogin
from bridge.discovery import Discovery
from bridge.loop import Inbox, Loop
from bridge.mqtt import Connected, Link, Received
from tests.bridge.shown import INFO, all_of

TOPICS = Topics("riser", "shaft-a")
WRONG: tuple[Any, ...] = (
    None, True, "", "x", "yesterday", "99999-01-01T00:00:00Z", "..", "a/b+#", "\x00", "y" * 5000, -1, 2**63, 10**400,
    1.5, float("nan"), [], {}, [{}], {"a": {"a": {}}},
)  # fmt: skip
RAW = (b"{", b"null", b"[]", b"\xff\xfe{}", b"[" * 100_000, b'{"a":' * 50_000, b"x" * 1_000_001, b'{"state":1e400}')


class Wire:
    alive = True


class Bridge:
    """The loop with the archive and the discovery, as the program has them."""

    def __init__(self, directory: Path):
        self.inbox, self.published = Inbox(), []
        self.engine = open_engine("sqlite", directory)
        form = Form("riser", "homeassistant", "device")
        clock = SystemClock()
        sinks = (
            ArchiveWriter("riser", self.publish, clock, lambda: self.engine),
            Discovery("riser", form, self.publish, clock, random.Random(1), directory / "discovery.json"),
        )
        self.loop = Loop("riser", Wire(), self.inbox, sinks)

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> int | None:
        self.published.append((topic, payload))
        return len(self.published)

    def hear(self, topic: str, payload: bytes) -> None:
        self.inbox.put(Received(topic, payload, True))


def entry(seq: int, **more: Any) -> dict[str, Any]:
    return {
        "seq": seq, "id": f"e:{seq}", "at": "2026-11-20T00:00:00+00:00", "boot": "b", "mono_ns": 1, "trusted": True,
        "kind": "topup/1", "body": '{"account":"a1"}', "prev_hash": "0" * 64, "hash": f"{seq:064x}",
    } | more  # fmt: skip


def test_hostile_facts_leave_the_bridge_working(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Every fact with every wrong value in every field, and rubbish on every topic: no end, no wrong row, no odd
    announcement; a good entry and the good facts afterwards are taken."""
    caplog.set_level(logging.ERROR)
    bridge = Bridge(tmp_path)
    bridge.inbox.put(Connected(False))
    good = {message: json.loads(INFO.payload()) if message.topic == "info" else {} for message in MESSAGES}
    for message, raw in itertools.product(MESSAGES, RAW):
        for id in ("a1", "..", "a/b", "A#"):
            bridge.hear(TOPICS.of(message, id), raw)
    for field, value in itertools.product(entry(1), WRONG):
        bridge.hear(f"{TOPICS.root}/entry", json.dumps(entry(1) | {field: value}).encode())
        bridge.loop.step(0)
    for message, words in good.items():
        for field, value in itertools.product(words, WRONG):
            bridge.hear(TOPICS.of(message, "a1"), json.dumps(words | {field: value}).encode())
            bridge.loop.step(0)
    for body in (
        "",
        "[]",
        "7",
        "{",
        '{"moves": 5}',
        '{"moves": [{"from": [], "to": {}, "amount_nano": 1e400}]}',
        "[" * 9999,
    ):
        bridge.hear(f"{TOPICS.root}/entry", json.dumps(entry(2, body=body)).encode())
        bridge.loop.step(0)
    bridge.hear(f"{TOPICS.root}/entry", json.dumps(entry(30)).encode())
    bridge.loop.step(0)
    with bridge.engine.connect() as connection:
        kinds = {row[0] for row in connection.exec_driver_sql("SELECT kind FROM entry WHERE seq = 30")}
    assert kinds == {"topup/1"}
    assert not any("OverflowError" in record.getMessage() for record in caplog.records), "a number got into a table"
    assert all("\n" not in record.getMessage() for record in caplog.records)
    assert all("sqlalche.me" not in record.getMessage() for record in caplog.records)


def test_markup_in_a_name_is_only_a_name_to_home_assistant(tmp_path: Path) -> None:
    """What a tenant or a meter is called never becomes a template or a topic of Home Assistant's."""
    evil = "{{ states('lock.door') }}<script>"
    bridge = Bridge(tmp_path)
    bridge.inbox.put(Connected(False))
    bridge.hear(TOPICS.of(type(INFO)), INFO.model_copy(update={"name": evil}).payload())
    bridge.loop.step(0)
    for topic, payload in bridge.published:
        assert "{{" not in topic and "<" not in topic
        if topic.startswith("homeassistant/"):
            assert not [t for t in templates(json.loads(payload)) if "lock.door" in t]
    assert all_of is not None


def templates(value: Any) -> list[str]:
    """Every value that Home Assistant would run as a template."""
    found: list[str] = []
    for name, inner in value.items() if isinstance(value, dict) else enumerate(value):
        if isinstance(inner, dict | list):
            found += templates(inner)
        elif isinstance(inner, str) and str(name).endswith("template"):
            found.append(inner)
    return found


def test_a_broker_that_keeps_us_out_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    """Not there for a day, tried every few seconds: one line; a refused login is another one; and a new outage too."""
    caplog.set_level(logging.WARNING)
    link = Link(BrokerLogin("10.0.0.9", 1883, False, "edge", "pw", "5"), "edge", lambda happening: None)
    refused = type("Reason", (), {"is_failure": True, "__str__": lambda self: "Not authorized"})()
    welcome = type("Reason", (), {"is_failure": False})()
    for _ in range(100):
        link._on_connect_fail(link._client, None)
    for _ in range(100):
        link._on_connect(link._client, None, None, refused, None)
    told = [record.getMessage() for record in caplog.records]
    assert len(told) == 2 and "10.0.0.9:1883 does not answer; it is tried again" in told[0]
    assert "refuses us: Not authorized; look at the user and password" in told[1] and "pw" not in "".join(told)
    link._on_connect(link._client, None, None, welcome, None)
    link._on_connect_fail(link._client, None)
    assert len(caplog.records) == 3
