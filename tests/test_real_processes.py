"""One run of the real programs: everything is killed in turn while people pay, and nothing is lost or doubled."""

from __future__ import annotations

import json
import os
import queue
import re
import signal
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bridge.contract import secrets
from bridge.contract.asking import ask
from bridge.contract.clock import ScaledClock, from_environment
from bridge.contract.messages import MESSAGES, REQUESTS, Topics
from bridge.mqtt import Happening, Link, Received

ROOT = Path(__file__).parents[1]
TOPICS = Topics("riser", "jinxiu-east")
ACCOUNT = "100101"

pytestmark = [pytest.mark.processes, pytest.mark.timeout(170)]


class Demo:
    """`riser up --demo` in a directory of its own, seen from another terminal."""

    def __init__(self, directory: Path):
        self.directory = directory
        self.log = (directory / "up.log").open("wb")
        environment = {k: v for k, v in os.environ.items() if not k.startswith("RISER_")}
        command = [sys.executable, "riser.py", "up", "--demo", "--no-browser", "--data", str(directory / "data")]
        self.up = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=self.log, stderr=self.log)
        self.environment = environment

    def status(self) -> dict[str, Any]:
        command = [sys.executable, "riser.py", "status", "--json", "--data", str(self.directory / "data")]
        answer = subprocess.run(command, cwd=ROOT, env=self.environment, capture_output=True, text=True, timeout=20)
        return json.loads(answer.stdout) if answer.stdout.startswith("{") else {}

    @property
    def data(self) -> Path:
        """Where the demo's book and secrets are."""
        return next(path.parent for path in (self.directory / "data").rglob("run.json"))

    def until(self, condition: Callable[[], Any], limit_s: float, what: str) -> Any:
        until = time.monotonic() + limit_s
        while not (found := condition()):
            assert time.monotonic() < until, f"{what} did not come within {limit_s} s\n{self.tail()}"
            assert self.up.poll() is None, f"`up` ended\n{self.tail()}"
            time.sleep(0.2)
        return found

    def tail(self) -> str:
        return (self.directory / "up.log").read_text(errors="replace")[-3000:]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    made = Demo(tmp_path_factory.mktemp("up"))
    try:
        made.until(lambda: made.status().get("ready"), 60, "readiness")
        yield made
    finally:
        made.up.send_signal(signal.SIGINT)
        try:
            made.up.wait(20)
        except subprocess.TimeoutExpired:
            made.up.kill()


class Payer:
    """Somebody who pays one yuan after another and asks again with the same id until there is an answer."""

    def __init__(self, demo: Demo):
        self._secrets = secrets.read(demo.data, "shell")
        process = next(Path("/proc").glob(f"{demo.status()['programs']['edge']['pid']}/environ"))
        pairs = dict(each.split("=", 1) for each in process.read_text().split("\0") if "=" in each)
        clock = from_environment(pairs)
        assert isinstance(clock, ScaledClock)
        self._clock, self._heard = clock, queue.Queue[Happening]()
        self.topics: set[str] = set()
        self.answered: dict[str, dict[str, Any]] = {}
        self._sent: dict[str, tuple[str, bytes]] = {}
        self._stopping = threading.Event()
        self.link = Link(self._secrets.broker, "payer", self._heard.put, subscriptions=["riser/#"])
        self.link.start()
        self._thread = threading.Thread(target=self._pay, daemon=True)
        self._thread.start()

    def _pay(self) -> None:
        while not self._stopping.is_set() or len(self.answered) < len(self._sent):
            self._listen(0.15)
            open_ones = {t: m for t, m in self._sent.items() if t not in self.answered}
            if len(open_ones) < 5 and not self._stopping.is_set() and self.link.connected:
                topic, payload, transaction = ask(
                    TOPICS, self._clock, ("shell", self._secrets.keys["shell"]), "topup",
                    who="payer", role="manager", account=ACCOUNT, amount_fen=100, method="online",
                )  # fmt: skip
                self._sent[transaction] = (topic, payload)
                self.link.publish(topic, payload)
            for topic, payload in open_ones.values():
                self.link.publish(topic, payload)

    def _listen(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            try:
                happening = self._heard.get(timeout=left)
            except queue.Empty:
                return
            if isinstance(happening, Received):
                self.topics.add(happening.topic)
                if happening.topic == TOPICS.response("topup"):
                    answer = json.loads(happening.payload)
                    if answer["transaction"] in self._sent:
                        self.answered.setdefault(answer["transaction"], answer)

    def stop(self) -> None:
        """No new payments; every open one is asked for until it is answered."""
        self._stopping.set()
        self._thread.join(40)
        assert not self._thread.is_alive(), "a payment was never answered"
        self.link.stop()


@pytest.fixture(scope="module")
def aftermath(demo: Demo) -> Payer:
    """Edge, broker, panel and bridge are killed in turn, the edge and the broker twice, while somebody pays."""
    payer = Payer(demo)
    for victim in ("edge", "broker", "panel", "bridge", "broker", "edge"):
        paid = len(payer.answered)
        demo.until(lambda paid=paid: len(payer.answered) >= paid + 3, 30, "three payments")
        pid = demo.status()["programs"][victim]["pid"]
        os.kill(pid, signal.SIGKILL)

        def back(victim: str = victim, pid: int = pid) -> bool:
            seen = demo.status().get("programs", {}).get(victim, {})
            return seen.get("state") == "running" and seen.get("pid") != pid

        demo.until(back, 30, f"{victim} to come back")
    paid = len(payer.answered)
    demo.until(lambda: len(payer.answered) >= paid + 3, 30, "payments after the last kill")
    payer.stop()
    return payer


def rows(path: Path, query: str) -> list[tuple[Any, ...]]:
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10) as connection:
        return connection.execute(query).fetchall()


def test_every_answered_payment_stands_in_the_book_exactly_once(demo: Demo, aftermath: Payer) -> None:
    """A receipt is a promise: each one given is in the book once, and no payment is there twice."""
    assert len(aftermath.answered) > 20
    assert {answer["status"] for answer in aftermath.answered.values()} == {"done"}
    booked = [id for (id,) in rows(demo.data / "book.db", "SELECT id FROM journal WHERE kind = 'topup/1'")]
    mine = [id for id in booked if id.startswith("shell:")]
    assert sorted(mine) == sorted(f"shell:{transaction}" for transaction in aftermath.answered)


def test_the_archive_equals_the_book_within_a_minute(demo: Demo, aftermath: Payer) -> None:
    """The copy for reports repairs itself: same entries, same hashes."""

    def copies() -> bool:
        book = rows(demo.data / "book.db", "SELECT seq, hash FROM journal ORDER BY seq")
        archive = rows(demo.data / "archive.db", "SELECT seq, hash FROM entry ORDER BY seq")
        return len(book) > 100 and archive == book[: len(archive)] and abs(len(book) - len(archive)) <= 1

    demo.until(copies, 60, "the archive to equal the book")


def test_the_pages_recover_by_themselves(demo: Demo, aftermath: Payer) -> None:
    """After all that the panel is ready again, with the gateway on line, and nobody pressed anything."""
    url = demo.status()["panel"]["url"]

    def ready() -> bool:
        try:
            with urllib.request.urlopen(f"{url}/health", timeout=3) as answer:
                health = json.load(answer)
        except OSError:
            return False
        return bool(health["ready"]) and health["gateway"] == "online"

    demo.until(ready, 30, "the panel")
    demo.until(lambda: demo.status().get("ready"), 40, "readiness")


def test_only_documented_topics_are_heard(demo: Demo, aftermath: Payer) -> None:
    """A subscriber to `riser/#` hears what the documentation names and nothing else."""
    patterns = []
    for message in MESSAGES:
        topic = TOPICS.of(message, "{id}").replace("{id}", "ID")
        patterns.append(re.escape(topic).replace("ID", "[a-z0-9-]+"))
    patterns += [re.escape(TOPICS.request(op)) for op in REQUESTS]
    unknown = [topic for topic in aftermath.topics if not any(re.fullmatch(each, topic) for each in patterns)]
    assert unknown == [] and len(aftermath.topics) > 100


def test_everything_ends_when_the_parent_is_killed(demo: Demo, aftermath: Payer) -> None:
    """`up` is killed with -9: within seconds not one of its programs is left."""
    pids = [program["pid"] for program in demo.status()["programs"].values()]
    assert len(pids) >= 5
    demo.up.kill()
    demo.up.wait(10)
    until = time.monotonic() + 15
    while left := [pid for pid in pids if Path(f"/proc/{pid}").exists() and not zombie(pid)]:
        assert time.monotonic() < until, f"still there: {left}"
        time.sleep(0.2)


def zombie(pid: int) -> bool:
    try:
        return ") Z " in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return True
