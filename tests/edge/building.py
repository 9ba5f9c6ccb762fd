"""A whole building in one process under a manual clock: the real edge, simulated meters, a pretended broker.

building = Building(tmp_path)
building.run(minutes=30)
building.topup("100206", 100_00)
building.of("trip/1")              the entries of a kind
"""

from __future__ import annotations

import itertools
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bridge.contract.asking import ask
from bridge.contract.clock import ManualClock
from bridge.contract.site import Site
from bridge.contract.site_file import load
from bridge.mqtt import Acknowledged, Connected, Received
from edge import install
from edge.book import Book, Entry
from edge.codec.dlt645_orders import Password
from edge.core import Core
from edge.gateway import Gateway
from edge.line.inline import Answer, InlinePort
from edge.registry import Registry
from edge.settings import lines_of, terms_of
from firmware_sim import faults as sim_faults
from firmware_sim import shaft as sim_shaft

DEMO = Path(__file__).parents[2] / "firmware_sim" / "demo"
START = datetime(2026, 11, 20, 2, 30, tzinfo=UTC)  # Friday 10:30 in Shanghai.
KEYS = {"panel": b"p" * 32, "shell": b"s" * 32, "demo": b"d" * 32, "bridge": b"b" * 32, "notices": b"n" * 32}


class Broker:
    """What the edge sees of a broker: takes everything, keeps the retained, acknowledges when asked to."""

    def __init__(self) -> None:
        self.connected = False
        self.retained: dict[str, bytes] = {}
        self.heard: list[tuple[str, bytes, bool]] = []
        self._mids = itertools.count(1)
        self.unacknowledged: list[int] = []
        self.acknowledges = True

    def publish(
        self, topic: str, payload: bytes, *, retain: bool = False, correlation: bytes | None = None
    ) -> int | None:
        if not self.connected:
            return None
        self.heard.append((topic, payload, retain))
        if retain:
            self.retained[topic] = payload
        mid = next(self._mids)
        self.unacknowledged.append(mid)
        return mid


class Building:
    """The demo's shaft, or part of it, with the edge that reads it."""

    def __init__(
        self,
        directory: Path,
        *,
        start: datetime = START,
        poll_s: int = 60,
        faults: tuple[str, ...] = (),
        policy: dict[str, Any] | None = None,
        meters: set[str] | None = None,
        clock: ManualClock | None = None,
        idle_s: float = 0.5,
        zone: str | None = None,
    ):
        """`idle_s` is how far the clock is moved when nothing waits to be done; `zone` moves the mall elsewhere."""
        self.idle_s, self.zone = idle_s, zone
        self.directory, self.clock = directory, clock or ManualClock(start)
        self.shaft = sim_shaft.load(self._described(), self.clock.now(), sim_faults.gather(list(faults)))
        self.site = self._site(poll_s, policy or {}, meters)
        self.broker = Broker()
        self.edge: Gateway
        self.ports: dict[str, InlinePort] = {}
        self.boots = itertools.count(1)
        self._seen: list[Entry] = []
        self.start_edge()

    def _described(self) -> Path:
        """The shaft's description, with its zone changed where the test wants another one."""
        if self.zone is None:
            return DEMO / "shaft.toml"
        moved = self.directory / "shaft.toml"
        text = (DEMO / "shaft.toml").read_text(encoding="utf-8")
        moved.write_text(text.replace("Asia/Shanghai", self.zone), encoding="utf-8")
        return moved

    def answer_of(self, line: str) -> Answer:
        """What answers on a line."""
        return self.shaft.lines[line].answer

    def _site(self, poll_s: int, policy: dict[str, Any], meters: set[str] | None) -> Site:
        site = load(DEMO / "site.toml")
        tables = site.model_dump(by_alias=True)
        for port in tables["ports"]:
            port["poll_s"] = poll_s
        tables["policy"] |= policy
        tables["site"]["zone"] = self.zone or tables["site"]["zone"]
        if meters is not None:
            tables["meters"] = [row for row in tables["meters"] if row["id"] in meters]
            tables["accounts"] = [row for row in tables["accounts"] if set(row["meters"]) <= meters]
        return Site.model_validate(tables)

    def start_edge(self, recovered_by: str | None = None, doubt: str | None = None) -> None:
        """Open the book and start the edge, as after a power cut."""
        book = self._book(f"boot-{next(self.boots)}")
        if book.seq == 0:
            install.fill(Core(book, terms_of(self.site, (frozenset(), frozenset())), self.clock), self.site)
        self.edge = Gateway(self.site, book, self.clock, self.broker, KEYS, lambda meter: Password(), self.registry())
        self.ports = {}
        for line in lines_of(self.site, self.directory):
            self.ports[line.id] = InlinePort(line, self.answer_of(line.id), self.edge.enqueue, self.clock)
        self.edge.attach(dict(self.ports))
        self.edge.begin(recovered_by, doubt)

    def registry(self) -> Registry | None:
        """What is installed, beside the book, where a test looks at it."""
        return None

    def _book(self, boot: str) -> Book:
        return Book(self.directory, self.clock, boot)

    def stop_edge(self) -> None:
        """The process is gone, as by a power cut: nothing is saved, nobody is told."""
        self.edge.core.book.close()
        self.broker.connected = False

    def connect(self) -> None:
        self.broker.connected = True
        self.edge.enqueue(Connected(False))
        self.pump()

    # --- time ---

    def pump(self) -> bool:
        """Handle what is waiting and do one exchange on each port. True when something happened."""
        happened = False
        if self.broker.acknowledges:
            mids, self.broker.unacknowledged = self.broker.unacknowledged, []
            for mid in mids:
                self.edge.enqueue(Acknowledged(mid))
        while not self.edge.events.empty():
            self.edge.step(self.edge.events.get_nowait())
            happened = True
        self.edge.step(None)
        for port in self.ports.values():
            happened |= port.pump()
        return happened

    def run(self, seconds: float = 0, minutes: float = 0, hours: float = 0) -> None:
        """Let the building run for a while."""
        until = self.clock.monotonic() + seconds + 60 * minutes + 3600 * hours
        while self.clock.monotonic() < until:
            if not self.pump():
                self.clock.advance(self.idle_s)

    def run_until(self, condition: Any, hours: float = 24) -> None:
        """Let the building run until something is so; fails when it does not come."""
        until = self.clock.monotonic() + 3600 * hours
        while not condition():
            assert self.clock.monotonic() < until, f"it did not come about within {hours} hours"
            if not self.pump():
                self.clock.advance(self.idle_s)

    # --- people ---

    def request(
        self, operation: str, key: str = "shell", role: str = "manager", who: str = "王敏", **fields: Any
    ) -> str:
        """A signed request from a person; returns its transaction."""
        topic, payload, transaction = ask(
            self.edge.topics, self.clock, (key, KEYS[key]), operation, who=who, role=role, **fields
        )
        self.deliver(topic, payload)
        return transaction

    def deliver(self, topic: str, payload: bytes, retained: bool = False) -> None:
        self.edge.enqueue(Received(topic, payload, retained))
        self.pump()

    def topup(self, account: str, amount_fen: int, **fields: Any) -> str:
        return self.request("topup", account=account, amount_fen=amount_fen, method="cash", **fields)

    def answers(self, transaction: str) -> list[dict[str, Any]]:
        """Every answer to a transaction, oldest first."""
        found = []
        for topic, payload, _ in self.broker.heard:
            if "/response/" in topic and (answer := json.loads(payload))["transaction"] == transaction:
                found.append(answer)
        return found

    # --- looking ---

    def entries(self) -> list[Entry]:
        """The whole book so far; what was seen before is not read again."""
        self._seen += self.edge.core.book.entries(len(self._seen) + 1)
        return self._seen

    def of(self, kind: str, **fields: Any) -> list[Entry]:
        """Entries of a kind whose bodies hold these fields."""
        return [e for e in self.entries() if e.kind == kind and fields.items() <= e.fields.items()]

    def fact(self, topic: str) -> dict[str, Any]:
        """A retained fact as the broker has it."""
        return json.loads(self.broker.retained[f"{self.edge.topics.root}/{topic}"])

    def sim_meter(self, id: str) -> Any:
        return self.shaft.meters[id]
