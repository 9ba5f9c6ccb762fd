"""The process ends at every commit of a day with a cut, a payment and a midnight: the book comes out the same."""

from __future__ import annotations

import itertools
import shutil
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar

import pytest

from bridge.contract.clock import ManualClock
from bridge.contract.units import NANO_PER_FEN
from edge.book import Book
from edge.line.inline import InlinePort
from tests.edge import books, building
from tests.edge.building import Building

ROOM, ACCOUNT, OPENING_FEN, PAID_FEN = "a206", "100206", 54_90, 500_00


Eve = tuple[Path, dict[str, Any], datetime]
"""A book's directory, the meters' memory, and the time."""


class Gone(BaseException):
    """The process has ended; nobody catches this."""


class Mortal:
    """A book's connection that dies at chosen commits: of entries (journal), readings (sweep) or cursors (note)."""

    deaths: ClassVar[dict[tuple[str, int], str]] = {}
    done: ClassVar[Counter[str]] = Counter()

    def __init__(self, real: Any):
        self._real, self._table = real, ""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def executemany(self, sql: str, rows: Any) -> Any:
        self._table = next(table for table in ("journal", "sweep", "note") if f"INTO {table}" in sql)
        return self._real.executemany(sql, rows)

    def execute(self, sql: str, *values: Any) -> Any:
        if sql != "COMMIT":
            return self._real.execute(sql, *values)
        Mortal.done[self._table] += 1
        when = Mortal.deaths.get((self._table, Mortal.done[self._table]))
        if when == "before":
            raise Gone
        found = self._real.execute(sql)
        if when == "after":
            raise Gone
        return found


class MortalBook(Book):
    """A book on such a connection."""

    def __init__(self, *args: Any, **options: Any):
        super().__init__(*args, **options)
        self._db = Mortal(self._db)  # type: ignore[assignment]


class Day(Building):
    """One afternoon and night of a tenant who is warned already: cut at three, paid at a quarter past, closed at 12."""

    def start_edge(self, recovered_by: str | None = None) -> None:
        if not hasattr(self, "edge"):
            self.boots = itertools.count(100)  # The copied book knows the first ones.
        super().start_edge(recovered_by)
        for port in self.ports.values():
            self._guard(port)

    def _guard(self, port: InlinePort) -> None:
        """No byte of a trip leaves before its evidence of this very run is on disk (I7)."""
        go = port.go

        def checked(number: int) -> bool:
            trip = port.trip
            if trip is not None and trip.purpose == "trip":
                newest = self.of("trip/1", meter=trip.meter)[-1]
                assert newest.boot == self.edge.core.book.boot and newest.seq == self.edge.core.book.seq
            return go(number)

        port.go = checked  # type: ignore[method-assign]

    def survive(self, act: Any) -> Any:
        """Do something, and start again when the process ended meanwhile; ended is the newest process only."""
        try:
            return act()
        except Gone:
            self.reborn()
            return None

    def reborn(self) -> None:
        self.stop_edge()
        try:
            self.start_edge()
        except Gone:
            self.reborn()  # It ended while it started.
        else:
            self.connect()

    def run_until(self, condition: Any, hours: float = 24) -> None:
        """As ever, over the end of processes."""
        until = self.clock.monotonic() + 3600 * hours
        while not condition():
            assert self.clock.monotonic() < until, "it did not come about"
            if self.survive(self.pump) is not True:
                self.clock.advance(self.idle_s)

    def two_minutes(self) -> None:
        over = self.clock.monotonic() + 120
        self.run_until(lambda: self.clock.monotonic() > over)

    def live_through(self) -> None:
        """The day. Whoever pays asks again with the same id until there is an answer."""
        self.run_until(lambda: self.sim_meter(ROOM).relay.open, hours=2)
        transaction, answered = "payment-of-a206-1", []
        while not answered:
            self.survive(lambda: self.topup(ACCOUNT, PAID_FEN, transaction=transaction))
            answered = self.answers(transaction)
        assert answered[0]["status"] == "done"
        paid_at = self.clock.monotonic()
        self.run_until(lambda: not self.sim_meter(ROOM).relay.open, hours=1)
        assert self.clock.monotonic() - paid_at < 30, "the light is back although the process ended"
        self.two_minutes()
        self.clock.advance(11 * 3600)
        self.run_until(lambda: self.of("closing/1"), hours=3)
        self.two_minutes()


@pytest.fixture(scope="module")
def eve(tmp_path_factory: pytest.TempPathFactory) -> Eve:
    """The book and the meters shortly before the cut; each test begins from a copy."""
    directory = tmp_path_factory.mktemp("eve")
    before = Building(directory, meters={ROOM}, poll_s=30, idle_s=5)
    before.connect()
    before.run_until(lambda: before.of("delivered/1"), hours=4)
    before.run(minutes=28)
    before.stop_edge()
    return directory, before.shaft.state(), before.clock.now()


def day(tmp_path: Path, eve: Eve, deaths: dict[tuple[str, int], str]) -> Day:
    """The day, with a process that ends at these commits."""
    directory, meters, now = eve
    shutil.copytree(directory, tmp_path, dirs_exist_ok=True)
    Mortal.deaths = {}
    made = Day(tmp_path, clock=ManualClock(now), meters={ROOM}, poll_s=30, idle_s=5)
    made.shaft.restore(meters)
    made.connect()
    Mortal.deaths, Mortal.done = deaths, Counter()
    made.live_through()
    return made


def outcome(lived: Day) -> None:
    """What must be so however often the process ended."""
    books.check(lived)
    (topup,) = lived.of("topup/1")
    assert topup.fields["amount_fen"] == PAID_FEN
    assert books.days_of(lived, ACCOUNT) == ["2026-11-20"]
    (charge,) = lived.of("charge/2")
    posted = lived.edge.core.state.posted_nano(ACCOUNT)
    assert posted == (OPENING_FEN + PAID_FEN) * NANO_PER_FEN - charge.fields["amount_nano"]
    assert 1 <= len(lived.of("trip/1")) <= 2, "one cut, and its evidence anew when the process ended in between"
    assert len(lived.of("final/1")) == 1 and not lived.sim_meter(ROOM).relay.open
    opened = [entry for entry in lived.of("relay/1", observed="open") if entry.fields["why"] != "first look"]
    assert len(opened) <= 1 and lived.of("alarm/1") == []
    levels = [entry.fields["level"] for entry in lived.of("level/1")]
    assert levels[:3] == [1, 2, 3]
    ledger = dict(lived.edge.core.state.ledger)
    Mortal.deaths = {}
    lived.reborn()
    assert lived.edge.core.state.ledger == ledger, "replayed from empty (I25)"


@pytest.fixture(autouse=True)
def mortal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(building, "Book", MortalBook)


ACTS = ["trip", "found open", "payment", "what follows", "close", "found closed", "midnight"]
"""The commits of entries in this day, in order."""


def test_the_day_has_these_commits(tmp_path: Path, eve: Eve) -> None:
    """Undisturbed: one trip, one payment, one close, one midnight; the tests below end the process at each of these."""
    lived = day(tmp_path, eve, {})
    assert Mortal.done["journal"] == len(ACTS) and Mortal.done["sweep"] > 5 and Mortal.done["note"] > 20
    assert len(lived.of("trip/1")) == 1
    outcome(lived)


@pytest.mark.parametrize("number", range(1, len(ACTS) + 1), ids=ACTS)
def test_the_process_ends_before_it_is_safe(tmp_path: Path, eve: Eve, number: int) -> None:
    """Nothing of it is in the book, so nothing of it was answered or sent; it is decided again and done once."""
    outcome(day(tmp_path, eve, {("journal", number): "before"}))


@pytest.mark.parametrize("number", range(1, len(ACTS) + 1), ids=ACTS)
def test_the_process_ends_when_it_is_safe_and_again_while_it_starts(tmp_path: Path, eve: Eve, number: int) -> None:
    """It stands in the book and nobody was told; the next process ends too, before and after its first entry (37)."""
    deaths = {("journal", number): "after", ("journal", number + 1): "before", ("journal", number + 2): "after"}
    outcome(day(tmp_path, eve, deaths))


@pytest.mark.parametrize(("table", "number"), [("sweep", 1), ("sweep", 4), ("note", 2), ("note", 15)])
@pytest.mark.parametrize("when", ["before", "after"])
def test_the_process_ends_while_it_saves_what_may_be_lost(
    tmp_path: Path, eve: Eve, table: str, number: int, when: str
) -> None:
    """Readings and cursors are saved lazily: one lost costs nothing, one saved and sent again costs nothing."""
    outcome(day(tmp_path, eve, {(table, number): when}))
