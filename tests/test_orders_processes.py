"""The real programs over real ends: all killed at once, started again on the same data, the broker emptied and moved.

One site with two simulated meters, started twice under `riser up` and once program by program; the tests build on
one another, as a week in a building does.
"""

from __future__ import annotations

import json
import os
import queue
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bridge.contract import secrets
from bridge.contract.asking import ask
from bridge.contract.clock import SystemClock
from bridge.contract.messages import Topics
from bridge.mqtt import Happening, Link, Received
from host.ports import first_free
from host.programs import Wiring, commands, environment

ROOT = Path(__file__).parents[1]
TOPICS = Topics("riser", "two")
PROGRAMS = ("edge", "bridge", "panel")

pytestmark = [pytest.mark.processes, pytest.mark.timeout(110)]

SITE = """
[site]
name = "Two"
gateway = "two"
[broker]
port = {broker}
[panel]
port = {panel}
[clock]
trust = "always"
[[ports]]
id = "line-1"
device = "{line}"
protocol = "dlt645-2007"
baud = 9600
[[tariffs]]
id = "shop"
name = "Shop"
kind = "single"
price = "0.8500"
"""
METER = """
[[meters]]
id = "m{n}"
model = "dlt645-1p"
port = "line-1"
address = "20260311000{n}"
serial = "20260311000{n}"
room = "R{n}"
relay = "direct"
[[accounts]]
id = "a{n}"
name = "Tenant {n}"
room = "R{n}"
tariff = "shop"
meters = ["m{n}"]
opening = "100.00"
"""


class Place:
    """The site: its file, its simulated meters, its data directory, and `riser` typed at it."""

    def __init__(self, directory: Path):
        self.directory, self.data, self.site = directory, directory / "data", directory / "site.toml"
        self.environ = {k: v for k, v in os.environ.items() if not k.startswith("RISER_")}
        self.broker_port, self.panel_port = first_free("127.0.0.1", 19_100), first_free("127.0.0.1", 19_400)
        self.log = (directory / "log").open("ab")
        self.alone: dict[str, subprocess.Popen[bytes]] = {}
        self.write()
        self.sim = self.riser("sim", "--site", str(self.site), "--run", str(directory / "lines"))
        self.up: subprocess.Popen[bytes]

    def write(self) -> None:
        line = self.directory / "lines" / "line-1"
        text = SITE.format(broker=self.broker_port, panel=self.panel_port, line=line)
        self.site.write_text(text + "".join(METER.format(n=n) for n in (1, 2)), encoding="utf-8")

    def riser(self, *words: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "riser.py", *words]
        return subprocess.Popen(command, cwd=ROOT, env=self.environ, stdout=self.log, stderr=self.log)

    def start(self) -> None:
        self.up = self.riser("up", "--site", str(self.site), "--data", str(self.data), "--no-browser")
        self.until(lambda: self.status().get("ready"), 40, "readiness")

    def status(self) -> dict[str, Any]:
        command = [sys.executable, "riser.py", "status", "--json", "--data", str(self.data)]
        said = subprocess.run(command, cwd=ROOT, env=self.environ, capture_output=True, text=True, timeout=20).stdout
        return json.loads(said) if said.startswith("{") else {}

    def health(self) -> dict[str, Any]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.panel_port}/health", timeout=3) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            return json.load(error)
        except OSError:
            return {}

    def run(self, program: str) -> None:
        """Start one program by itself, as `riser up` would."""
        wiring = Wiring(
            data=self.data,
            site_file=self.site,
            clock="",
            panel_listen="127.0.0.1",
            panel_port=self.panel_port,
            demo=False,
        )
        broker = ("/usr/sbin/mosquitto", "-c", str(self.data / "broker" / "mosquitto.conf"))
        argv = broker if program == "broker" else commands(wiring, {})[program]
        self.alone[program] = subprocess.Popen(
            argv, cwd=ROOT, env=environment(wiring, program, self.environ), stdout=self.log, stderr=self.log
        )

    def until(self, condition: Callable[[], Any], limit_s: float, what: str) -> None:
        until = time.monotonic() + limit_s
        while not condition():
            assert time.monotonic() < until, f"{what} did not come within {limit_s} s\n{self.tail()}"
            time.sleep(0.1)

    def tail(self) -> str:
        return (self.directory / "log").read_text(errors="replace")[-4000:]

    def end(self) -> None:
        for process in (*self.alone.values(), self.up, self.sim):
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
        for process in (*self.alone.values(), self.up, self.sim):
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
        self.log.close()

    # --- what is written ---

    def rows(self, name: str, query: str) -> list[tuple[Any, ...]]:
        with sqlite3.connect(f"file:{self.data / name}?mode=ro", uri=True, timeout=10) as connection:
            return connection.execute(query).fetchall()

    def copies_agree(self) -> bool:
        book = self.rows("book.db", "SELECT seq, hash FROM journal ORDER BY seq")
        archive = self.rows("archive.db", "SELECT seq, hash FROM entry ORDER BY seq")
        return bool(archive) and archive == book[: len(archive)] and len(book) - len(archive) <= 1


class Payer:
    """Somebody who pays one yuan after another, and asks again with the same id until there is an answer."""

    def __init__(self, place: Place):
        self.sent: dict[str, tuple[str, bytes]] = {}
        self.answers: dict[str, list[dict[str, Any]]] = {}
        self.heard: set[str] = set()
        self.facts: set[str] = set()
        self._happenings = queue.Queue[Happening]()
        self._place = place
        self.connect()

    def connect(self) -> None:
        """To the broker that stands in the secrets now."""
        self._mine = secrets.read(self._place.data, "shell")
        self.link = Link(self._mine.broker, "payer", self._happenings.put, subscriptions=["riser/#", "homeassistant/#"])
        self.link.start()

    @property
    def open(self) -> list[str]:
        return [transaction for transaction in self.sent if transaction not in self.answers]

    def pay(self) -> str:
        topic, payload, transaction = ask(
            TOPICS, SystemClock(), ("shell", self._mine.keys["shell"]), "topup",
            who="payer", role="manager", account="a1", amount_fen=100, method="online",
        )  # fmt: skip
        self.sent[transaction] = (topic, payload)
        self.link.publish(topic, payload)
        return transaction

    def ask_again(self) -> None:
        for transaction in self.open:
            self.link.publish(*self.sent[transaction])

    def listen(self, seconds: float = 0.1) -> None:
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            try:
                happening = self._happenings.get(timeout=left)
            except queue.Empty:
                return
            if isinstance(happening, Received):
                self.heard.add(happening.topic)
                if happening.retained:
                    self.facts.add(happening.topic)
                if happening.topic == TOPICS.response("topup"):
                    answer = json.loads(happening.payload)
                    self.answers.setdefault(answer["transaction"], []).append(answer)

    def all_answered(self) -> bool:
        self.ask_again()
        self.listen(0.4)
        return not self.open


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    made = Place(tmp_path_factory.mktemp("two"))
    try:
        made.until(lambda: (made.directory / "lines" / "line-1").exists(), 20, "the simulated line")
        made.start()
        yield made
    finally:
        made.end()


@pytest.fixture(scope="module")
def payer(place: Place) -> Iterator[Payer]:
    made = Payer(place)
    yield made
    made.link.stop()


def pay_until(place: Place, payer: Payer, answered: int) -> None:
    def enough() -> bool:
        if len(payer.open) < 4 and payer.link.connected:
            payer.pay()
        payer.listen(0.05)
        return len(payer.answers) >= answered

    place.until(enough, 20, f"{answered} answered payments")


def booked_once(place: Place, payer: Payer) -> None:
    """Each answered payment stands in the book once, and none that nobody sent."""
    booked = [id for (id,) in place.rows("book.db", "SELECT id FROM journal WHERE kind = 'topup/1'")]
    assert sorted(booked) == sorted(f"shell:{transaction}" for transaction in payer.answers)
    assert {answer["status"] for all in payer.answers.values() for answer in all} == {"done"}


def test_everything_is_killed_at_once_while_people_pay(place: Place, payer: Payer) -> None:
    """`up` and all its programs killed with -9 in one breath, started again on the same data: none lost, none twice."""
    pay_until(place, payer, 8)
    pids = [place.up.pid, *(program["pid"] for program in place.status()["programs"].values())]
    assert len(pids) == 5
    for _ in range(5):
        payer.pay()
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    place.up.wait(10)
    place.start()
    place.until(payer.all_answered, 20, "an answer to every payment")
    pay_until(place, payer, len(payer.answers) + 3)
    place.until(payer.all_answered, 20, "an answer to every payment")
    booked_once(place, payer)
    place.until(place.copies_agree, 30, "the archive to equal the book")
    starts = place.rows("book.db", "SELECT count(*) FROM journal WHERE kind = 'start/1'")
    assert starts == [(2,)]


def test_a_broker_emptied_and_moved(place: Place, payer: Payer) -> None:
    """Ended in order; the broker's memory and passwords gone, its port another: all facts are there again."""
    facts = set(payer.facts)
    assert any(topic.startswith("homeassistant/") for topic in facts) and len(facts) > 8
    place.up.send_signal(signal.SIGINT)
    place.up.wait(20)
    payer.link.stop()
    asked_meanwhile = payer.pay()
    shutil.rmtree(place.data / "broker")
    for path in (place.data / "secrets").glob("*.json"):
        tables = json.loads(path.read_text())
        path.write_text(json.dumps({name: table for name, table in tables.items() if name != "broker"}))
    place.broker_port = first_free("127.0.0.1", place.broker_port + 1)
    place.write()
    place.start()
    payer.heard.clear()
    payer.connect()
    place.until(lambda: payer.all_answered() and facts <= payer.heard, 30, f"an answer and {sorted(facts)}")
    assert len(payer.answers[asked_meanwhile]) >= 1
    booked_once(place, payer)
    place.until(lambda: place.health().get("gateway") == "online", 20, "the panel")
    place.until(place.copies_agree, 30, "the archive to equal the book")


def test_the_programs_before_their_broker(place: Place, payer: Payer) -> None:
    """Panel, bridge and edge started alone, before any broker: they wait, the edge reads; then all find each other."""
    place.up.send_signal(signal.SIGINT)
    place.up.wait(20)
    shutil.rmtree(place.data / "broker" / "store")
    (place.data / "broker" / "store").mkdir()
    shutil.chown(place.data / "broker" / "store", *owner(place.data / "broker"))
    for program in ("panel", "bridge", "edge"):
        place.run(program)
    place.until(lambda: place.health().get("broker") is False, 20, "the panel without a broker")
    assert place.health()["gateway"] == "unknown" and place.health()["facts"] == 0
    place.until(
        lambda: place.rows("book.db", "SELECT count(*) FROM journal WHERE kind = 'start/1'") == [(4,)], 20, "the edge"
    )
    place.run("broker")
    place.until(lambda: place.health().get("gateway") == "online", 30, "the panel sees the gateway")
    place.until(payer.all_answered, 20, "an answer")
    place.until(place.copies_agree, 30, "the archive to equal the book")
    assert all(process.poll() is None for process in place.alone.values()), "nobody had to be started again"


def owner(path: Path) -> tuple[int, int]:
    return path.stat().st_uid, path.stat().st_gid


def test_ended_in_any_order_nobody_is_called_on_line(place: Place, payer: Payer) -> None:
    """Edge, panel and bridge end one after the other, the broker last: what it keeps says off line of each."""
    payer.link.stop()
    for program in ("panel", "edge", "bridge"):
        place.alone[program].terminate()
        place.alone[program].wait(20)
    happenings = queue.Queue[Happening]()
    link = Link(secrets.read(place.data, "shell").broker, "looker", happenings.put, subscriptions=["riser/#"])
    link.start()
    states: dict[str, str] = {}
    until = time.monotonic() + 15
    while len(states) < 3:
        assert time.monotonic() < until, f"only {states}"
        happening = happenings.get(timeout=15)
        if isinstance(happening, Received) and happening.topic.endswith("/status"):
            states[happening.topic] = json.loads(happening.payload)["state"]
    link.stop()
    assert set(states.values()) == {"offline"}, states
