"""A room under the rules' eyes: the tests look at the frames that reach its meter, and at its contact."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from bridge.contract.asking import ask
from edge.codec import dlt645
from edge.codec.dlt645_orders import COMMANDS
from tests.edge.building import KEYS, Building

ROOM, ACCOUNT = "a206", "100206"
NAMES = {code: name for name, code in COMMANDS.items()}


class Watched(Building):
    """A building whose second line is listened to from the meters' side."""

    def __init__(self, directory: Path, **options: Any):
        self.frames: list[tuple[datetime, dlt645.Frame]] = []
        self.before: Callable[[dlt645.Frame], None] = lambda frame: None
        self.deaf_to: set[str] = set()
        super().__init__(directory, **{"meters": {ROOM}, "poll_s": 30, "idle_s": 2, **options})
        self.connect()

    def answer_of(self, line: str) -> Any:
        inner = super().answer_of(line)
        if line != "line-2":
            return inner

        def answer(frame: bytes, now: datetime, mono: float) -> tuple[bytes, float]:
            heard = dlt645.decode(frame)
            self.before(heard)
            self.frames.append((now, heard))
            if order_of(heard) in self.deaf_to or (heard.control == 0x11 and "reads" in self.deaf_to):
                return b"", 0.05
            return inner(frame, now, mono)

        return answer

    def orders(self, *names: str) -> list[tuple[datetime, dlt645.Frame]]:
        """The orders that left so far: trip, direct, permit, alarm, alarm-off."""
        return [(at, frame) for at, frame in self.frames if order_of(frame) in names]

    @property
    def dark(self) -> bool:
        return self.sim_meter(ROOM).relay.open

    def press(self) -> None:
        """Somebody presses the meter's button."""
        self.sim_meter(ROOM).press_button(self.clock.now(), self.clock.monotonic())

    def until_warned(self) -> None:
        self.run_until(lambda: self.of("delivered/1"), hours=4)

    def cut(self) -> None:
        """Let the money run out, and the lead pass."""
        self.run_until(lambda: self.dark, hours=4)
        self.run(minutes=2)

    def restart(self) -> None:
        self.stop_edge()
        self.start_edge()
        self.connect()

    def asked(self, operation: str, **fields: Any) -> tuple[str, bytes, str]:
        """A sealed request, not delivered yet."""
        words = {"who": "王敏", "role": "manager", **fields}
        return ask(self.edge.topics, self.clock, ("shell", KEYS["shell"]), operation, **words)

    def answered(self, operation: str, seconds: float = 20, **fields: Any) -> dict[str, Any]:
        """The newest answer to a request, so long after it was made."""
        asked = self.request(operation, **fields)
        self.run(seconds=seconds)
        return self.answers(asked)[-1]

    def until_ready(self, purpose: str, hours: float = 2) -> list[Any]:
        """Stop where a port waits for the last word on an order; the events that wait then, taken out."""

        def waits() -> bool:
            return any(port.trip is not None and port.trip.purpose == purpose for port in self.ports.values())

        self.run_until(waits, hours=hours)
        return [self.edge.events.get_nowait() for _ in range(self.edge.events.qsize())]


def order_of(frame: dlt645.Frame) -> str | None:
    """The name of an order (1CH), None for any other frame."""
    return NAMES.get(frame.data[8]) if frame.control == 0x1C else None
