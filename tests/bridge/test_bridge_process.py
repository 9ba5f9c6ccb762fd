"""The whole bridge as a process beside a real broker: killed in every way, the archive equals the book again."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from bridge.archive.tables import open_engine
from bridge.contract.messages import Account, Meters, Response, Topics
from bridge.contract.signing import open_envelope
from bridge.mqtt import Link, Received
from tests.bridge.broker import Mosquitto
from tests.bridge.fake_edge import FakeEdge
from tests.bridge.live import ROOT, SITE, LiveEdge, Program
from tests.bridge.shown import FULL, TENANTS
from tests.bridge.waiting import Told, until

pytestmark = pytest.mark.processes

WITHIN_S = 60.0
"""After any kill archive and book agree within a minute."""


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def broker(tmp_path: Path, stack: ExitStack) -> Mosquitto:
    return stack.enter_context(Mosquitto(tmp_path))


@pytest.fixture
def bridge(tmp_path: Path, broker: Mosquitto, stack: ExitStack) -> Program:
    program = Program(tmp_path, broker, "bridge").start()
    stack.callback(program.kill)
    return program


def listener(stack: ExitStack, broker: Mosquitto, *topics: str) -> Told:
    told = Told()
    link = Link(broker.login(), "listener", told, subscriptions=topics)
    link.start()
    stack.callback(link.stop)
    return told


@pytest.mark.parametrize("victim", ["bridge", "broker", "edge", "archive"])
def test_after_any_kill_the_archive_equals_the_book(
    tmp_path: Path, broker: Mosquitto, bridge: Program, stack: ExitStack, victim: str
) -> None:
    """Bridge, broker or edge killed in full work, or the archive deleted: a minute later nothing is missing."""
    edge = FakeEdge()
    live = [LiveEdge(broker, edge)]
    stack.callback(lambda: live[0].stop())
    engine = open_engine("sqlite", tmp_path)

    def equal() -> bool:
        with live[0].lock:
            return not edge.differences(engine)

    for _ in range(700):
        live[0].grow()
    until(equal, WITHIN_S, "the first fill")
    chance = random.Random(1)
    killed_at = chance.randrange(50, 100)
    for number in range(300):
        if number == killed_at:
            if victim in ("bridge", "archive"):
                bridge.kill()
            elif victim == "broker":
                broker.kill()
            else:
                live[0].die()
                live[0] = LiveEdge(broker, edge)
        live[0].grow()
    if victim == "archive":
        for path in tmp_path.glob("archive.db*"):
            path.unlink()
        engine.dispose()
    if victim in ("bridge", "archive"):
        bridge.start()
        until(lambda: bridge.said().count("connected to the broker") == 2, 20, "the bridge is back")
        engine = open_engine("sqlite", tmp_path)
    elif victim == "broker":
        broker.start()
    took_s = until(equal, WITHIN_S, f"equal after the kill of {victim}\n{bridge.said()[-2000:]}")
    assert len(edge.entries) > 1000 and took_s < WITHIN_S


def test_others_see_the_bridge_come_go_and_die(broker: Mosquitto, bridge: Program, stack: ExitStack) -> None:
    """`bridge/status` is on line while it runs, off line after SIGTERM (exit code 0), and off line after kill -9."""
    told = listener(stack, broker, "riser/bridge/status")

    def says(word: str) -> None:
        told.wait_for(Received, lambda got: json.loads(got.payload) == {"state": word})

    says("online")
    assert bridge.terminate() == 0
    says("offline")
    bridge.start()
    says("online")
    bridge.kill()
    says("offline")
    assert "Traceback" not in bridge.said()


def test_home_assistant_finds_everything_on_the_broker(broker: Mosquitto, bridge: Program, stack: ExitStack) -> None:
    """Retained discovery messages of gateway, meters and accounts stand on the broker, and nobody's name among them."""
    live = LiveEdge(broker, FakeEdge())
    stack.callback(live.stop)
    told = listener(stack, broker, "homeassistant/#")
    live.publish(live.edge.info(), Meters(meters=[FULL]), TENANTS)
    seen: dict[str, bytes] = {}
    while len(seen) < 4:
        got = told.wait_for(Received)
        seen[got.topic] = got.payload
    assert set(seen) == {
        f"homeassistant/device/riser_shaft-a{each}/config"
        for each in ("", "_meter_m301", "_account_a-301", "_account_a-302")
    }
    assert not any("张三丰".encode() in payload or b"13800138000" in payload for payload in seen.values())


def test_a_broken_archive_does_not_stop_home_assistant(tmp_path: Path, broker: Mosquitto, stack: ExitStack) -> None:
    """With an archive that cannot be opened the bridge says so in one line and goes on announcing."""
    (tmp_path / "archive.db").write_bytes(b"this is no database" * 1000)
    bridge = Program(tmp_path, broker, "bridge").start()
    stack.callback(bridge.kill)
    live = LiveEdge(broker, FakeEdge())
    stack.callback(live.stop)
    told = listener(stack, broker, "homeassistant/#")
    live.publish(live.edge.info(), Meters(meters=[FULL]), TENANTS)
    told.wait_for(Received)
    until(lambda: "archive settle: DatabaseError" in bridge.said(), 10, "the trouble is told")
    assert bridge.said().count("archive settle") == 1
    assert bridge.terminate() == 0


def test_a_program_that_cannot_start_says_why_in_one_sentence(tmp_path: Path) -> None:
    """Without secrets, or with a wrong site file, the bridge ends with code 2 and says what to do."""
    (tmp_path / "site.toml").write_text(SITE, encoding="utf-8")
    environment = {"PATH": "/usr/bin", "RISER_DATA": str(tmp_path), "RISER_SITE": str(tmp_path / "site.toml")}
    command = [sys.executable, "-m", "bridge"]
    ended = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=30)
    assert ended.returncode == 2 and "`riser up` writes it" in ended.stderr and "Traceback" not in ended.stderr
    (tmp_path / "site.toml").write_text("[site]\n", encoding="utf-8")
    ended = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=30)
    assert ended.returncode == 2 and "site.gateway" in ended.stderr and "site.name" in ended.stderr


def test_the_pretend_payer_pays_on_the_wire(tmp_path: Path, broker: Mosquitto, stack: ExitStack) -> None:
    """`python -m bridge.demo` sees the retained cut, sends one signed top-up and reports the answer."""
    topics, key = Topics("riser", "shaft-a"), "11" * 32
    told = Told()
    link = Link(broker.login(), "shaft-a", told, subscriptions=[topics.request("topup")])
    link.start()
    stack.callback(link.stop)
    habit = json.dumps({"account": "301", "after_s": 0.5, "amount_fen": 10000})
    payer = Program(tmp_path, broker, "bridge.demo", {"demo": key}, RISER_DEMO=habit).start()
    stack.callback(payer.kill)
    cut = Account.model_validate({
        "at": "x", "state": "cut", "balance": 0.0, "available_nano": 0, "posted_nano": 0, "provisional_nano": 0,
        "provisional_wh": 0, "level": 0, "episode": 1, "restore_above_nano": 0, "can_cut": True,
    })  # fmt: skip
    until(lambda: link.publish(topics.of(Account, "301"), cut.payload(), retain=True) is not None, 15, "connected")
    got = told.wait_for(Received)
    body, name, _ = open_envelope(got.topic, got.payload, {"demo": bytes.fromhex(key)})
    assert (name, body["account"], body["amount_fen"], got.retained) == ("demo", "301", 10000, False)
    answer = Response(transaction=body["transaction"], status="done", at="x")
    link.publish(topics.response("topup"), answer.payload())
    until(lambda: "account 301 has paid" in payer.said(), 10, "the answer is told")
    assert payer.terminate() == 0


@pytest.mark.parametrize("habit", ["", "{}", '{"account": "301", "after_s": 1, "amount_fen": 1.5}'])
def test_the_payer_refuses_orders_that_it_does_not_understand(tmp_path: Path, stack: ExitStack, habit: str) -> None:
    """A wrong RISER_DEMO ends with code 2 and an example of a right one."""
    program = Program(tmp_path, Mosquitto(tmp_path), "bridge.demo", {"demo": "11" * 32}, RISER_DEMO=habit).start()
    stack.callback(program.kill)
    assert program.wait() == 2
    assert "RISER_DEMO is not understood" in program.said() and '"amount_fen": 10000' in program.said()
