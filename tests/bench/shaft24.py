"""Twenty-four meters on one line at 2400 bit/s, a real edge, a real broker: what the benches measure on."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bridge.contract import secrets
from bridge.contract.clock import SystemClock
from bridge.contract.entries import BROUGHT_IN
from bridge.contract.messages import Topics
from bridge.contract.site_file import load
from bridge.mqtt import Connected, Happening, Link, Received
from edge import install
from edge.book import Book
from edge.core import Core
from edge.settings import terms_of
from firmware_sim import shaft as sim_shaft
from tests.bridge.broker import Mosquitto

ROOT = Path(__file__).parents[2]
METERS = [f"m{n:02d}" for n in range(1, 25)]
ACCOUNTS = {meter: f"a{meter}" for meter in METERS}
KEY = b"k" * 32
TOPICS = Topics("riser", "bench")


def site_text() -> str:
    """The site file: one line, one price, 24 rooms."""
    rows = [
        '[site]\nname = "bench"\ngateway = "bench"\n[clock]\ntrust = "always"\n',
        '[[ports]]\nid = "line"\ndevice = "sim/line"\nprotocol = "dlt645-2007"\nbaud = 2400\n',
        '[[tariffs]]\nid = "price"\nname = "price"\nkind = "single"\nprice = "1.0000"\n',
    ]
    for n, meter in enumerate(METERS, 1):
        rows.append(
            f'[[meters]]\nid = "{meter}"\nmodel = "dlt645-1p"\nport = "line"\n'
            f'address = "{n:012d}"\nserial = "{n:012d}"\n'
            f'room = "{meter}"\n[[accounts]]\nid = "{ACCOUNTS[meter]}"\nname = "{meter}"\nroom = "{meter}"\n'
            f'tariff = "price"\nmeters = ["{meter}"]\nopening = "-5.00"\n'
        )
    return "\n".join(rows)


def shaft_text() -> str:
    """The same line as its meters see it."""
    rows = [
        '[shaft]\nname = "bench"\nzone = "Asia/Shanghai"\nseed = 7\nhistory_days = 1\n',
        '[[day_tables]]\nname = "flat"\nwindows = [{ from = "00:00", rate = "flat" }]\n',
        '[[lines]]\nid = "line"\nprotocol = "dlt645-2007"\nbaud = 2400\nparity = "E"\n',
    ]
    for n, meter in enumerate(METERS, 1):
        rows.append(
            f'[[meters]]\nid = "{meter}"\nline = "line"\nmodel = "dlt645-1p"\n'
            f'address = "{n:012d}"\nserial = "{n:012d}"\n'
            'registers = ["100.00", "0.00", "0.00", "100.00", "0.00"]\nday_table = "flat"\n'
            f'load = {{ kind = "constant", watts = 500, seed = {n} }}\n'
        )
    return "\n".join(rows)


class Rig:
    """Sim, broker and edge as real processes, and a client that hears everything."""

    def __init__(self, directory: Path, cut: bool):
        self.directory = directory
        (directory / "site.toml").write_text(site_text())
        (directory / "shaft.toml").write_text(shaft_text())
        self.broker = Mosquitto(directory)
        self._heard: queue.Queue[Happening] = queue.Queue()
        self.children: dict[str, subprocess.Popen[bytes]] = {}
        self._cut = cut
        self.retained: dict[str, dict[str, Any]] = {}

    def start(self) -> None:
        self.broker.start()
        url = f"mqtt://127.0.0.1:{self.broker.port}"
        secrets.write(self.directory, "edge", {"broker": {"url": url}, "keys": {"shell": KEY.hex()}})
        self._prepare()
        self._spawn(
            "sim", "firmware_sim", "--shaft", str(self.directory / "shaft.toml"), "--run", str(self.directory / "sim")
        )
        self.until(lambda: (self.directory / "sim" / "line").exists(), 20, "the simulated line")
        login = secrets.BrokerLogin("127.0.0.1", self.broker.port, False, None, None, "5")
        self.link = Link(login, "bench", self._heard.put, subscriptions=["riser/bench/#"])
        self.link.start()
        self.hear(lambda h: isinstance(h, Connected), 20)
        self._spawn("edge", "edge")

    def _prepare(self) -> None:
        """The book with everybody in arrears and cut, and the simulated relays open, as after a bad week."""
        if not self._cut:
            return
        site, clock = load(self.directory / "site.toml"), SystemClock()
        book = Book(self.directory, clock, "bench")
        core = Core(book, terms_of(site, (frozenset(), frozenset())), clock)
        install.fill(core, site)
        for meter in METERS:
            fields = {"meter": meter, "account": ACCOUNTS[meter], "hold": "arrears", "set": True, "why": BROUGHT_IN}
            core.append(("hold/1", f"cut:{meter}", {**fields, "who": "bench", "role": "system"}))
        book.close()
        shaft = sim_shaft.load(self.directory / "shaft.toml", clock.now())
        for meter in shaft.meters.values():
            meter.relay.open = meter.relay.commanded_open = True  # type: ignore[attr-defined]
        (self.directory / "sim").mkdir()
        sim_shaft.save(shaft.state(), self.directory / "sim" / "state.json")

    def _spawn(self, name: str, module: str, *arguments: str) -> None:
        environment = {
            **os.environ,
            "RISER_DATA": str(self.directory),
            "RISER_SITE": str(self.directory / "site.toml"),
            "RISER_LOG": "WARNING",
        }
        log = (self.directory / f"{name}.log").open("wb")
        self.children[name] = subprocess.Popen(
            [sys.executable, "-m", module, *arguments], cwd=ROOT, env=environment, stdout=log, stderr=log
        )

    def hear(self, wanted: Callable[[Happening], bool], limit_s: float) -> tuple[float, Happening]:
        """Wait for a message; returns (monotonic second of hearing, message). Facts are kept on the way."""
        until = time.monotonic() + limit_s
        while (left := until - time.monotonic()) > 0:
            try:
                happening = self._heard.get(timeout=left)
            except queue.Empty:
                break
            if isinstance(happening, Received):
                parts = TOPICS.below(happening.topic) or []
                if parts[:1] not in (["entry"], ["reading"]) and happening.payload:
                    self.retained["/".join(parts)] = json.loads(happening.payload)
            if wanted(happening):
                return time.monotonic(), happening
        raise AssertionError(f"not heard within {limit_s} s; see {self.directory}")

    def until(self, condition: Callable[[], bool], limit_s: float, what: str) -> None:
        until = time.monotonic() + limit_s
        while not condition():
            if time.monotonic() > until:
                raise AssertionError(f"{what} did not come within {limit_s} s; see {self.directory}")
            time.sleep(0.05)

    def stop(self) -> None:
        for child in reversed(self.children.values()):
            child.send_signal(signal.SIGTERM)
            child.wait(10)
        self.link.stop()
        self.broker.kill()


@contextmanager
def rig(directory: Path, cut: bool) -> Iterator[Rig]:
    """A running rig."""
    directory.mkdir(parents=True)
    made = Rig(directory, cut)
    made.start()
    try:
        yield made
    finally:
        made.stop()
