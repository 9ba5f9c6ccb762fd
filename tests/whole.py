"""Edge, bridge and panel in one process around a pretended broker, each started and ended alone."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, select

from bridge.announcements import Form
from bridge.archive.tables import ENTRY, READING, open_engine
from bridge.archive.writer import ArchiveWriter
from bridge.contract.messages import Status
from bridge.discovery import Discovery
from bridge.loop import Inbox, Loop
from bridge.mqtt import Connected, Disconnected, Received
from panel.commands import Commands
from panel.feed import Feed
from panel.mirror import Mirror, View
from tests.edge.building import KEYS, Broker, Building

PARTS = ("broker", "edge", "bridge", "panel")


class Hub(Broker):
    """A broker that hands on what it takes, keeps what is retained, and queues for the edge's persistent session."""

    def __init__(self, whole: Whole):
        super().__init__()
        self.whole = whole
        self.queued: list[Received] = []

    def publish(
        self, topic: str, payload: bytes, *, retain: bool = False, correlation: bytes | None = None
    ) -> int | None:
        mid = super().publish(topic, payload, retain=retain, correlation=correlation)
        if mid is not None:
            self.hand_on(topic, payload, retain)
        return mid

    def hand_on(self, topic: str, payload: bytes, retain: bool) -> None:
        """To whoever listens."""
        if retain and not payload:
            self.retained.pop(topic, None)
        elif retain:
            self.retained[topic] = payload
        for part in self.whole.listeners():
            part(Received(topic, payload, False))


class Wire:
    """What the bridge's loop asks of its connection."""

    alive = True


class Whole:
    """A site whose four parts start and end in any order. `on` holds the names of those that run."""

    def __init__(self, directory: Path, **options: Any):
        self.building = Building(directory / "edge", **{"poll_s": 10, "idle_s": 2, **options})
        self.building.stop_edge()
        self.hub = self.building.broker = Hub(self)
        self.topics, self.clock = self.building.edge.topics, self.building.clock
        self.directory, self.on = directory, set[str]()
        self.engine: Engine = open_engine("sqlite", directory)
        self.inbox: Inbox
        self.loop: Loop
        self.feed: Feed
        self.mirror: Mirror

    # --- starting and ending ---

    def start(self, part: str) -> None:
        self.on.add(part)
        getattr(self, f"_start_{part}")()

    def end(self, part: str) -> None:
        """As by kill -9."""
        self.on.discard(part)
        if part == "broker":
            self.hub.connected = False
            for other in self.on:
                self._tell(other, Disconnected("gone", False))
        elif part == "edge":
            self.building.stop_edge()
            if "broker" in self.on:
                self.hub.hand_on(self.topics.of(Status), Status(state="offline").payload(), True)

    def _start_broker(self) -> None:
        for part in sorted(self.on - {"broker"}):
            self._connect(part)

    def _start_edge(self) -> None:
        self.building.start_edge()
        self._connect("edge")

    def _start_bridge(self) -> None:
        self.inbox = Inbox()
        writer = ArchiveWriter("riser", self._from_bridge, self.clock, lambda: open_engine("sqlite", self.directory))
        form = Form("riser")
        memory = self.directory / "announced.json"
        discovery = Discovery("riser", form, self._from_bridge, self.clock, random.Random(1), memory)
        self.loop = Loop("riser", Wire(), self.inbox, [writer, discovery])
        self._connect("bridge")

    def _start_panel(self) -> None:
        self.mirror = Mirror(self.topics, self.clock)
        self.feed = Feed(self.topics, self.mirror, Commands(self.topics, self.clock, KEYS["panel"]))
        self._connect("panel")

    def _connect(self, part: str) -> None:
        if "broker" not in self.on:
            return
        if part == "edge":
            self.hub.connected = True
        self._tell(part, Connected(False))
        for topic, payload in list(self.hub.retained.items()):
            if part != "edge" or topic.endswith("/info"):
                self._tell(part, Received(topic, payload, True))
        if part == "edge":
            queued, self.hub.queued = self.hub.queued, []
            for message in queued:
                self._tell(part, message)

    def _tell(self, part: str, happening: Any) -> None:
        if part == "edge":
            self.building.edge.enqueue(happening)
        elif part == "bridge":
            self.inbox.put(happening)
        elif part == "panel":
            self.feed.take(happening)

    def listeners(self) -> list[Any]:
        return [getattr(self, name) for name in ("_hear_bridge", "_hear_panel") if name[6:] in self.on]

    def _hear_bridge(self, message: Received) -> None:
        self.inbox.put(message)

    def _hear_panel(self, message: Received) -> None:
        self.feed.take(message)

    def _from_bridge(self, topic: str, payload: bytes, *, retain: bool = False) -> int | None:
        """What the bridge publishes: discovery to the broker, requests to the edge, which may be away."""
        if "broker" not in self.on:
            return None
        if "/request/" in topic:
            message = Received(topic, payload, False)
            self._tell("edge", message) if "edge" in self.on else self.hub.queued.append(message)
        else:
            self.hub.hand_on(topic, payload, retain)
        return 1

    # --- time ---

    def run(self, seconds: float) -> None:
        """Let time pass for whoever runs."""
        until = self.clock.monotonic() + seconds
        while self.clock.monotonic() < until:
            if "edge" in self.on:
                self.building.run(seconds=2)
            else:
                self.clock.advance(2)
            if "bridge" in self.on:
                self.loop.step(0.0)

    # --- looking ---

    @property
    def view(self) -> View:
        return self.mirror.view()

    def archive_differs(self) -> str | None:
        """What the archive lacks or has too much; None when it equals the book."""
        book = self.building.edge.core.book
        with self.engine.connect() as connection:
            entries = connection.execute(select(ENTRY.c.seq, ENTRY.c.hash).order_by(ENTRY.c.seq)).all()
            sweeps = connection.execute(select(READING.c.number).distinct().order_by(READING.c.number)).all()
        wanted = [(entry.seq, entry.hash) for entry in book.entries()]
        if [tuple(row) for row in entries] != wanted:
            return f"{len(entries)} entries stored, {len(wanted)} in the book"
        saved = [number for number, _, _ in book.sweeps(1, 10**6)]
        return None if [row[0] for row in sweeps] == saved else f"{len(sweeps)} sweeps stored, {len(saved)} saved"
