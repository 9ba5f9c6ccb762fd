"""A building whose gateway has a wrong calendar: the meters and the people at the counter keep the true time."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from bridge.contract.asking import ask
from bridge.contract.clock import ManualClock
from edge.line.inline import Answer
from tests.edge.building import KEYS, START, Building

YEAR_1970 = datetime(1970, 1, 1, 0, 0, 7, tzinfo=START.tzinfo)


class WrongCalendar(ManualClock):
    """A gateway's clock whose calendar can be set; `true` is what the world's clocks show."""

    def __init__(self, start: datetime):
        super().__init__(start)
        self.off_s = 0.0
        self.true = ManualClock(start)
        self._shown = -1, 0.0, start

    def now(self) -> datetime:
        if (self._us, self.off_s) != self._shown[:2]:
            self._shown = self._us, self.off_s, super().now() + timedelta(seconds=self.off_s)
        return self._shown[2]

    def advance(self, seconds: float) -> None:
        super().advance(seconds)
        self.true.advance(seconds)

    def step_calendar(self, seconds: float) -> None:
        self.off_s += seconds

    def set_calendar(self, at: datetime) -> None:
        """Set the gateway's calendar, as a start without a battery or a false time server does."""
        self.off_s += (at - self.now()).total_seconds()

    def sleep(self, seconds: float) -> None:
        """The machine sleeps: its calendar and the world go on, its seconds stand still."""
        self._start += timedelta(seconds=seconds)
        self._shown = -1, 0.0, self._start
        self.true.advance(seconds)

    def set_right(self) -> None:
        """A good time server is heard."""
        self.off_s = 0.0


class Elsewhen(Building):
    """The building, with people and meters on the true time."""

    clock: WrongCalendar

    def __init__(self, directory: Path, *, start: datetime = START, **options: Any):
        super().__init__(directory, **{"clock": WrongCalendar(start), **options})

    def answer_of(self, line: str) -> Answer:
        return lambda frame, now, mono: self.shaft.lines[line].answer(frame, self.clock.true.now(), mono)

    def request(self, operation: str, key: str = "shell", role: str = "manager", **fields: Any) -> str:
        topic, payload, transaction = self.asked(operation, key, role, **fields)
        self.deliver(topic, payload)
        return transaction

    def asked(self, operation: str, key: str = "shell", role: str = "manager", **fields: Any) -> tuple[str, bytes, str]:
        """A sealed request by a person whose watch is right, to be delivered now or later."""
        return ask(
            self.edge.topics, self.clock.true, (key, KEYS[key]), operation, who="王敏", role=role, **fields
        )  # fmt: skip

    def restart(self, calendar: datetime | None = None, off_s: float = 0) -> None:
        """A power cut of `off_s` seconds; the gateway comes up with this calendar, or the true one."""
        if self.broker.connected:
            self.stop_edge()
        self.clock.advance(off_s)
        if calendar is None:
            self.clock.set_right()
        else:
            self.clock.set_calendar(calendar)
        self.start_edge()
        self.connect()

    def mode(self) -> tuple[str, str | None]:
        return self.edge.core.mode, self.edge.core.mode_why
