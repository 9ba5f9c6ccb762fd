"""A day on a disk that fails at its n-th change: whoever is answered stands in the book, nobody is cut on a doubt.

`python -m tests.proof.ailing SCRATCH PLANT`, under the shim; SCRATCH/plan is a JSON list of [n, trouble, how long].
Whoever pays asks again with the same id until it is done; an edge that ends is started again, as by `riser up`.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import sys
import traceback
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from bridge.contract.clock import ManualClock
from edge.audit.verify import verify
from edge.book import BookError
from edge.codec import dlt645
from tests.edge.wires import order_of
from tests.proof import story
from tests.proof.story import ACCOUNT, OTHER, ROOM, Days

METERS = {"a205", "a206"}
PACE: dict[str, Any] = {"meters": METERS, "poll_s": 60, "idle_s": 10}
"""A small building at an easy pace: a day is lived some hundred times."""

STAYS_S = 150.0
"""Line seconds that a lasting trouble lasts."""

START_AGAIN_S = 10.0
"""Between the end of a process and the next one, as under `riser up` when it ends again and again."""

ENDS = (sqlite3.Error, OSError, RuntimeError)
"""With these the edge's process ends and is started again; anything else would be a mistake in the edge."""

PAYMENTS = (
    ("paid-in-the-dark-1", ACCOUNT, 500_00),
    ("paid-beside-it-2", OTHER, 20_00),
    ("paid-at-night-3", OTHER, 30_00),
)


class Broken(Exception):
    """A promise was broken; the sentence says which."""


class Ailing(Days):
    """The day, over the ends of processes."""

    first_boot = 100

    def __init__(self, directory: Path, trouble: tuple[int, str, str], **options: Any):
        self.trouble, self.shim = trouble, story.MarkedBook.shim
        self.ailing_since: float | None = None
        self.ends = 0
        self.told: dict[int, str] = {}
        number, kind, manner = trouble
        self._first = self.shim.calls() + number
        if kind:
            self.shim.fail(number, 1 << 40 if manner == "stays" else 1, kind, half=manner == "half")
        super().__init__(directory, **options)

    def start_edge(self, recovered_by: str | None = None, doubt: str | None = None) -> None:
        while True:
            try:
                super().start_edge(recovered_by, doubt)
                return
            except BookError as error:
                raise Broken(f"the edge wants a person at its start: {error}") from None
            except ENDS:
                self._ended()

    def _ended(self) -> None:
        self.ends += 1
        if self.ends > 500:
            raise Broken("the edge does not stay up")
        if hasattr(self, "edge"):
            self.edge.core.book.close()
        self.broker.connected = False
        self.clock.advance(START_AGAIN_S)
        self._look()

    def _look(self) -> None:
        """A lasting trouble ends after its time."""
        if self.ailing_since is None and self.shim.calls() >= self._first:
            self.ailing_since = self.clock.monotonic()
        if self.ailing_since is not None and self.clock.monotonic() - self.ailing_since > STAYS_S:
            self.shim.heal()

    def survive(self, act: Callable[[], Any]) -> Any:
        """Do something; start again where the process ended meanwhile, or says that it must."""
        try:
            found = act()
        except ENDS:
            found = None
            self._reborn()
        else:
            if self.edge.failed is not None:
                self._reborn()
        self._look()
        self._remember()
        return found

    def _reborn(self) -> None:
        self._ended()
        self.start_edge()
        self.broker.connected = True
        try:
            self.connect()
        except ENDS:
            self._reborn()

    def _remember(self) -> None:
        """What the outside may have heard of: the book as it stands now."""
        book = self.edge.core.book
        self.told[book.seq] = book.hash

    def answer_of(self, line: str) -> Any:
        inner = super().answer_of(line)

        def answer(frame: bytes, now: datetime, mono: float) -> tuple[bytes, float]:
            if line == "line-2" and order_of(dlt645.decode(frame)) == "trip":
                core = self.edge.core
                newest = next(core.book.entries(core.book.seq))
                if core.mode == "disk" or core.cannot_write is not None:
                    raise Broken("a trip left while the disk takes no entries (I22)")
                if newest.kind != "trip/1" or newest.boot != core.book.boot:
                    raise Broken("a trip left without its evidence (I7)")
            return inner(frame, now, mono)

        return answer

    # --- the day ---

    def until(self, condition: Callable[[], Any], hours: float, what: str) -> None:
        over = self.clock.monotonic() + 3600 * hours
        while not condition():
            if self.clock.monotonic() > over:
                raise Broken(f"{what} did not come about within {hours} hours; mode {self.edge.core.mode}")
            if self.survive(self.pump) is not True:
                self.clock.advance(self.idle_s)

    def minutes(self, minutes: float) -> None:
        over = self.clock.monotonic() + 60 * minutes
        self.until(lambda: self.clock.monotonic() > over, 1 + minutes, "time")

    def pay(self, transaction: str, account: str, fen: int) -> None:
        """Ask until it is done; every other answer is a refusal because of the disk."""
        over = self.clock.monotonic() + 1800
        while "done" not in (said := [answer["status"] for answer in self.answers(transaction)]):
            if self.clock.monotonic() > over:
                raise Broken(f"{transaction} was never done: {said}")
            self.survive(lambda: self.topup(account, fen, transaction=transaction))
            self.minutes(0.25)

    def live(self) -> None:
        """The day from wherever it stands: a process that follows another one goes on with it."""
        self.connect_or_end()
        if not self.of("topup/1"):
            self.until(lambda: self.sim_meter(ROOM).relay.open, 3, "the cut")
        self.pay(*PAYMENTS[0])
        self.pay(*PAYMENTS[1])
        self.until(lambda: not self.sim_meter(ROOM).relay.open, 1, "light after the payment")
        self.minutes(2)
        if self.clock.now().astimezone(self.site.zone).hour in range(9, 20):
            self.clock.advance(11 * 3600)
        self.until(lambda: len(self.of("closing/1")) == len(METERS), 3, "the closing of the day")
        self.pay(*PAYMENTS[2])
        self.minutes(2)
        self.until(lambda: self.edge.core.mode == "normal", 1, "mode normal")
        self.survive(self.edge.shut)

    def connect_or_end(self) -> None:
        self.survive(self.connect)
        self.broker.connected = True

    def judge(self) -> None:
        """What must be so whatever the disk did."""
        rows = {entry.seq: entry for entry in self.edge.core.book.entries()}
        for seq, digest in self.told.items():
            if seq and (seq not in rows or rows[seq].hash != digest):
                raise Broken(f"entry {seq} was told and is not in the book")
        booked = sorted(entry.id for entry in rows.values() if entry.kind == "topup/1")
        if booked != sorted(f"shell:{transaction}" for transaction, _, _ in PAYMENTS):
            raise Broken(f"payments in the book: {booked}")
        closed = [
            (entry.fields["account"], entry.fields["date"]) for entry in rows.values() if entry.kind == "closing/1"
        ]
        if len(set(closed)) != len(closed):
            raise Broken(f"days closed twice: {closed}")
        self.stop_edge()
        if (lie := verify(self.directory).lie) is not None:
            raise Broken(f"riser verify: {lie.sentence()}")


Eve = tuple[Path, dict[str, Any], datetime]


def eve(directory: Path) -> Eve:
    """The book and the meters shortly before a cut; the book is one of an older version, which the first readings that
    are saved bring up to date."""
    before = Days(directory, **PACE)
    before.connect()
    before.run_until(lambda: before.of("delivered/1"), hours=4)
    before.run(minutes=27)
    before.stop_edge()
    story.age(directory)
    return directory, before.shaft.state(), before.clock.now()


def day(scratch: Path, begun: Eve, trouble: tuple[int, str, str]) -> dict[str, Any]:
    """One day with this trouble; what became of it."""
    directory, meters, now = begun
    shutil.rmtree(scratch, ignore_errors=True)
    shutil.copytree(directory, scratch)
    shim = story.MarkedBook.shim
    shim.heal()
    shim.watch(scratch)
    told: dict[str, Any] = {"trouble": trouble}
    before = shim.calls()
    try:
        made = Ailing(scratch, trouble, clock=ManualClock(now), **PACE)
        made.shaft.restore(meters)
        made.live()
        told |= {"ends": made.ends, "calls": shim.calls() - before, "reached": made.ailing_since is not None}
        shim.heal()
        made.judge()
    except Broken as broken:
        told["broken"] = str(broken)
    except Exception:
        told["broken"] = traceback.format_exc(limit=-6)
    finally:
        shim.heal()
    return told


def main(scratch: Path, plant: str) -> None:
    story.begin()
    plan = json.loads((scratch / "plan").read_text())
    shutil.rmtree(scratch / "eve", ignore_errors=True)
    begun = eve(scratch / "eve")
    story.MarkedBook.plant = plant
    print(json.dumps([day(scratch / "day", begun, (n, trouble, manner)) for n, trouble, manner in plan]))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
