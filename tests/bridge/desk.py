"""The archive writer on a desk: a fake edge and the wire between them, stepped by hand under a manual clock."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Engine

from bridge.archive.tables import open_engine
from bridge.archive.writer import ArchiveWriter
from bridge.contract.clock import ManualClock
from bridge.contract.messages import Message, Replay, Status
from bridge.facts import Fact
from tests.bridge.fake_edge import START, FakeEdge


class Desk:
    """A writer, a fake edge and the wire between them, stepped by hand. `loses` decides which messages get lost."""

    def __init__(self, directory: Path, edge: FakeEdge | None = None):
        self.edge, self.directory, self.clock = edge or FakeEdge(), directory, ManualClock(START)
        self.engine: Engine = open_engine("sqlite", directory)
        self.requests: list[Replay] = []
        self.loses: Callable[[Message], bool] = lambda _: False
        self.answers, self.answer_first = True, False
        self.start_bridge()

    def start_bridge(self) -> None:
        """A new bridge process on the same archive."""
        self.open: Callable[[], Engine] = lambda: open_engine("sqlite", self.directory)
        self.writer = ArchiveWriter("riser", self._publish, self.clock, lambda: self.open())
        self.requests.clear()

    def _publish(self, topic: str, payload: bytes, *, retain: bool = False) -> int:
        assert topic == f"riser/{self.edge.gateway}/request/replay" and not retain
        self.requests.append(Replay.model_validate_json(payload))
        return len(self.requests)

    def give(self, *messages: Message, id: str = "") -> None:
        for message in messages:
            if not self.loses(message):
                self.writer.take(Fact(self.edge.gateway, id, message, False))

    def connect(self) -> None:
        """The broker lets the bridge in, and the retained facts come."""
        self.writer.connected()
        self.give(Status(state="online"), self.edge.info())

    def run(self, seconds: int = 30) -> None:
        """Let real seconds pass: the writer settles each second and the edge answers."""
        for _ in range(seconds):
            for _ in range(200):
                self.writer.settle()
                if not self.requests or not self.answers:
                    break
                requests, self.requests = self.requests, []
                for asked in requests:
                    *sent, answer = self.edge.replay(asked)
                    if self.answer_first:
                        self.give(answer, id="replay")
                        self.writer.settle()
                        self.give(*sent)
                    else:
                        self.give(*sent, answer, id="replay")
            self.clock.advance(1)

    def differences(self) -> list[str]:
        return self.edge.differences(self.engine)


def fill(desk: Desk, entries: int, sweeps: int) -> None:
    """Entries and sweeps that reach the archive as they happen."""
    desk.connect()
    for number in range(max(entries, sweeps)):
        if number < entries:
            desk.give(desk.edge.append("alarm/1", meter="m1", text=str(number)))
        if number < sweeps:
            desk.give(desk.edge.sweep())
    desk.give(desk.edge.info())
    desk.run(3)
