"""The supply of a gateway: what a power cut leaves is what lay on the disk at that instant, and it comes up again."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Any

from tests.bench.policy_world import World
from tests.simulate.clocks import HouseClock
from tests.simulate.memory import Memory
from tests.simulate.weather import PowerCut, Weather

BOOK_FILES = ("book.db", "book.db-wal")


class Powered(World):
    """A world whose gateway can fall and rise."""

    clock: HouseClock
    weather: Weather
    memory: Memory
    happened: Counter[str]
    restarts: int
    noticing: list[Callable[[], None]]
    say: Callable[[str], None]
    connects: Callable[[], None]

    def disk_well(self) -> None:
        """The disk takes entries again, and has room."""
        self.weather.disk, self.weather.well_since = None, self.mono
        vars(self.edge.disk).pop("free_bytes", None)

    def stop_edge(self) -> None:
        """The supply is gone: what lay on the disk at this instant is what there is."""
        kept = {name: self.directory / f"{name}.cut" for name in BOOK_FILES}
        for name, copy in kept.items():
            if (self.directory / name).exists():
                shutil.copyfile(self.directory / name, copy)
        self.edge.core.book.close()
        for name, copy in kept.items():
            (self.directory / name).unlink(missing_ok=True)
            if copy.exists():
                copy.replace(self.directory / name)
        (self.directory / "book.db-shm").unlink(missing_ok=True)
        self.broker.connected = False

    def fall(
        self, seconds: float, calendar: datetime | None = None, cut_again: int | None = None, **begin: Any
    ) -> None:
        """Without supply for so long, and up again; `cut_again` cuts it once more at that write after the start."""
        self.weather.calm()
        self.weather.cut_at_write = cut_again
        self.judge.lost(self.clock.true.now(), self.mono)
        self.judge.off_s += seconds
        self.stop_edge()
        self.clock.advance(seconds)
        self.clock.set_right() if calendar is None else self.clock.set_calendar(calendar)
        self.rise(**begin)

    def rise(self, **begin: Any) -> None:
        """Start the edge, as often as it takes."""
        while True:
            self.restarts += 1
            try:
                self.start_edge(**begin)
                break
            except PowerCut:
                self.happened["power-cut-at-start"] += 1
                self.stop_edge()
                self.clock.advance(3)
                self.judge.off_s += 3
        self.judge.calendar_off_s = self.clock.off_s
        for notices in self.noticing:
            notices()
        if not self.memory.broker_gone:
            self.connects()

    def dark(self, seconds: float, calendar: datetime | None = None) -> None:
        self.say(f"power cut for {seconds:.0f} s" + (f", comes up at {calendar}" if calendar else ""))
        self.fall(seconds, calendar)
