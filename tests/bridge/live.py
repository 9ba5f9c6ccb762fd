"""Real processes for tests: `python -m bridge` beside a broker, and a fake edge that is on the line."""

from __future__ import annotations

import os
import queue
import socket
import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path

from bridge.contract import secrets
from bridge.contract.messages import Message, Replay, Status, Topics
from bridge.mqtt import Connected, Happening, Link, Received
from tests.bridge.broker import Mosquitto
from tests.bridge.fake_edge import FakeEdge

ROOT = Path(__file__).parents[2]

SITE = """
[site]
name = "南楼"
gateway = "shaft-a"
"""


class LiveEdge:
    """A `FakeEdge` on a broker: announces itself at each connect, answers replays, publishes what it is told to."""

    def __init__(self, broker: Mosquitto, edge: FakeEdge):
        self.edge, self._topics = edge, Topics("riser", edge.gateway)
        self._queue: queue.SimpleQueue[Happening | None] = queue.SimpleQueue()
        self.link = Link(
            broker.login(), edge.gateway, self._queue.put, persistent=True,
            subscriptions=[self._topics.request("replay")],
            will=(self._topics.of(Status), Status(state="offline").payload()),
        )  # fmt: skip
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.lock = threading.Lock()
        self._announced = threading.Event()
        self.link.start()
        self._thread.start()
        assert self._announced.wait(15), "the fake edge finds no broker"

    def publish(self, *messages: Message, id: str = "") -> None:
        for message in messages:
            self.link.publish(self._topics.of(type(message), id), message.payload(), retain=message.retained)

    def grow(self) -> None:
        """One entry and one sweep more, published as they happen."""
        with self.lock:
            self.publish(self.edge.append("alarm/1", text="x"), self.edge.sweep(), self.edge.info())

    def _run(self) -> None:
        while True:
            try:
                happening = self._queue.get(timeout=1)
            except queue.Empty:
                with self.lock:
                    self.publish(self.edge.info())  # As an edge does every few seconds.
                continue
            if happening is None:
                return
            with self.lock:
                if isinstance(happening, Connected):
                    self.publish(Status(state="online"), self.edge.info())
                    self._announced.set()
                elif isinstance(happening, Received):
                    answers = self.edge.replay(Replay.model_validate_json(happening.payload))
                    # paho queues 200 messages at most; a real edge paces itself by acknowledgements.
                    for message in (answers[-1], *answers[:-1]):  # The answer overtakes what it promises.
                        while self.link.connected and self._publish_one(message) is None:
                            threading.Event().wait(0.002)

    def _publish_one(self, message: Message) -> int | None:
        return self.link.publish(self._topics.of(type(message), "replay"), message.payload(), retain=message.retained)

    def die(self) -> None:
        """As by kill -9: no farewell, and the newest sweeps were not stored yet, so their numbers come again."""
        sock = self.link._client.socket()
        if isinstance(sock, socket.socket):
            sock.shutdown(socket.SHUT_RDWR)
        self.stop()
        for number in range(self.edge.newest_sweep - 5, self.edge.newest_sweep + 1):
            del self.edge.sweeps[number]
        self.edge.newest_sweep -= 6
        self.edge.started += timedelta(days=1)

    def stop(self) -> None:
        self.link.stop()
        self._queue.put(None)
        self._thread.join(5)


class Program:
    """A child process of this test with its own data directory, site file and secrets."""

    def __init__(
        self, directory: Path, broker: Mosquitto, module: str, keys: dict[str, str] | None = None, **environment: str
    ):
        self.directory, self._module = directory, module
        name = module.rpartition(".")[2]
        url = f"mqtt://127.0.0.1:{broker.port}"
        secrets.write(directory, name, {"broker": {"url": url, "protocol": "5"}, "keys": keys or {}})
        (directory / "site.toml").write_text(SITE, encoding="utf-8")
        own = {"RISER_DATA": str(directory), "RISER_SITE": str(directory / "site.toml")}
        self.environment = {**os.environ, **own, **environment}
        self.log = directory / f"{name}.log"
        self._child: subprocess.Popen[bytes] | None = None

    def start(self) -> Program:
        with self.log.open("ab") as log:
            self._child = subprocess.Popen(
                [sys.executable, "-m", self._module], cwd=ROOT, env=self.environment, stderr=log
            )
        return self

    def kill(self) -> None:
        if self._child is not None:
            self._child.kill()
            self._child.wait(10)

    def terminate(self) -> int:
        """SIGTERM; return the exit code."""
        assert self._child is not None
        self._child.terminate()
        return self._child.wait(10)

    def wait(self) -> int:
        assert self._child is not None
        return self._child.wait(20)

    def said(self) -> str:
        return self.log.read_text(encoding="utf-8") if self.log.exists() else ""
