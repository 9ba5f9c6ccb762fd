"""One building under the bench: broker, judge, the programs as they are shipped, a subscriber; all real processes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from bisect import bisect_left
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bridge.contract import secrets
from bridge.contract.asking import ask
from bridge.contract.clock import ENVIRONMENT, ScaledClock
from bridge.mqtt import Connected, Happening, Link, Received
from tests.bench.bus_site import Building
from tests.bench.judged import Judge, sweeps
from tests.bench.shaft24 import KEY, ROOT, TOPICS
from tests.bridge.broker import Mosquitto, free_port

MIDNIGHT = datetime(2026, 11, 26, 16, tzinfo=UTC)
"""Midnight in Shanghai between two working days."""


class ShippedMosquitto(Mosquitto):
    """The tests' broker with the sizes that `riser up` gives its own, instead of saving everything at every change."""

    def __init__(self, directory: Path):
        super().__init__(directory)
        kept = [row for row in self._configuration.read_text().splitlines() if not row.startswith("autosave")]
        sizes = ["max_queued_messages 10000", "max_queued_bytes 33554432", "autosave_interval 60"]
        self._configuration.write_text("\n".join([*kept, *sizes]) + "\n")


class BusRig:
    """What stands around the edge. `midnight_s` is the monotonic second at which the calendar comes to midnight."""

    def __init__(self, building: Building, directory: Path, midnight_in_s: float):
        self.building, self.directory = building, directory
        (directory / "site.toml").write_text(building.site())
        (directory / "shaft.toml").write_text(building.shaft())
        self.midnight_s = time.monotonic() + midnight_in_s
        self.clock = ScaledClock(MIDNIGHT - timedelta(seconds=midnight_in_s), time.monotonic_ns(), 1.0)
        self.environment = {
            **os.environ,
            "RISER_DATA": str(directory),
            "RISER_SITE": str(directory / "site.toml"),
            "RISER_LOG": "WARNING",
            ENVIRONMENT: self.clock.environment(),
        }
        self.broker = ShippedMosquitto(directory)
        self.children: dict[str, subprocess.Popen[bytes]] = {}
        self.relays_from = 0.0
        self.heard: list[tuple[float, str, bytes]] = []
        self._connected = threading.Event()

    def start(self, edge: bool) -> None:
        self.broker.start()
        self.judge = Judge(self.directory / "shaft.toml", self.directory / "sim", self.environment)
        broker = {"url": f"mqtt://127.0.0.1:{self.broker.port}"}
        keys = {name: KEY.hex() for name in ("shell", "panel", "bridge")}
        secrets.write(self.directory, "edge", {"broker": broker, "keys": keys})
        for name in ("panel", "bridge"):
            secrets.write(self.directory, name, {"broker": broker, "keys": {name: KEY.hex()}})
        self.link = Link(secrets.BrokerLogin.of(broker), "bench", self._take, subscriptions=["riser/#"])
        self.link.start()
        if not self._connected.wait(20):
            raise AssertionError("the broker does not let us in")
        if edge:
            self.spawn("edge")

    def _take(self, happening: Happening) -> None:
        """On paho's thread: note when, and no more."""
        if isinstance(happening, Received):
            self.heard.append((time.monotonic(), happening.topic, happening.payload))
        elif isinstance(happening, Connected):
            self._connected.set()

    def spawn(self, name: str, **environment: str) -> None:
        with (self.directory / f"{name}.log").open("wb") as log:
            self.children[name] = subprocess.Popen(
                [sys.executable, "-m", name], cwd=ROOT, env={**self.environment, **environment}, stdout=log, stderr=log
            )

    # --- hearing and asking ---

    def since(self, at: float) -> list[tuple[float, str, bytes]]:
        """Everything heard from an instant on."""
        return self.heard[bisect_left(self.heard, (at,)) :]

    def of(self, begins: str, since: float = 0.0) -> Iterator[tuple[float, str, dict[str, Any]]]:
        """(when, id, message) of what was heard below a topic."""
        before = f"{TOPICS.root}/{begins}"
        for at, topic, payload in self.since(since):
            if topic.startswith(before) and payload:
                yield at, topic.removeprefix(f"{TOPICS.root}/"), json.loads(payload)

    def wait(self, condition: Callable[[], Any], limit_s: float, what: str, every_s: float = 0.02) -> Any:
        """Until something was heard that makes it true; looked for seldom, so that looking costs nothing."""
        until = time.monotonic() + limit_s
        while not (found := condition()):
            self.alive()
            time.sleep(every_s)
            if time.monotonic() > until:
                raise AssertionError(f"{what}: not heard within {limit_s:.0f} s; see {self.directory}")
        return found

    def ask(self, operation: str, **fields: Any) -> tuple[float, str]:
        """Send a signed request: (the second in which it went, its transaction)."""
        words = {"who": "bench", "role": "manager", **fields}
        topic, payload, transaction = ask(TOPICS, self.clock, ("shell", KEY), operation, **words)
        asked = time.monotonic()
        self.link.publish(topic, payload)
        return asked, transaction

    def alive(self) -> None:
        for name, child in self.children.items():
            if child.poll() is not None:
                text = (self.directory / f"{name}.log").read_text(errors="replace")[-2000:]
                raise AssertionError(f"{name} has ended, code {child.returncode}:\n{text}")

    def rest(self, until: float) -> None:
        """Let the programs run undisturbed until an instant."""
        while (left := until - time.monotonic()) > 0:
            self.alive()
            time.sleep(min(left, 1.0))

    def judged(self, begin: float, seconds: float, whole: int, limit_s: float) -> float:
        """Let the programs run so long, and until so many whole sweeps are seen; returns the second of it."""
        self.rest(begin + seconds)
        self.judge.until(
            lambda _: len(sweeps(self.judge.between(begin))) >= whole, limit_s, f"{whole} whole sweeps", 1.0
        )
        return time.monotonic()

    def all_read(self, sweeps: int, limit_s: float, begin: float = 0.0) -> float:
        """Wait until the judge has seen so many whole sweeps from `begin` on; returns the second of it."""
        want = {id for id, _, _ in self.building.meters()}

        def done(_: Any) -> bool:
            counts = dict.fromkeys(want, 0)
            for each in self.judge.between(begin):
                if each.good and each.total is not None:
                    counts[each.meter] += 1
            return min(counts.values()) >= sweeps

        self.judge.until(done, limit_s, f"{sweeps} sweeps")
        return time.monotonic()

    def stop(self) -> None:
        for child in reversed(self.children.values()):
            child.send_signal(signal.SIGTERM)
        for child in self.children.values():
            try:
                child.wait(15)
            except subprocess.TimeoutExpired:
                child.kill()
        self.link.stop()
        self.judge.stop()
        self.broker.kill()


@contextmanager
def bus_rig(building: Building, midnight_in_s: float = 12 * 3600.0, edge: bool = True) -> Iterator[BusRig]:
    """A running building in a directory of its own; without the edge somebody else is its master."""
    with tempfile.TemporaryDirectory(prefix="riser-bench-") as scratch:
        made = BusRig(building, Path(scratch), midnight_in_s)
        made.start(edge)
        try:
            yield made
        finally:
            made.stop()


__all__ = ["BusRig", "bus_rig", "free_port"]
