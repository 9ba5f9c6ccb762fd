"""What the broker has not acknowledged is offered again, in order, and nothing is told before the disk has it (I19)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bridge.contract.clock import ManualClock
from bridge.contract.messages import Topics
from edge.book import Book
from edge.outbox import DENIED_S, SAVE_EVERY_S, WINDOW, Outbox

START = datetime(2026, 11, 20, 2, 30, tzinfo=UTC)


class Broker:
    """A connection that notes what was given to it; `full` takes nothing more."""

    def __init__(self) -> None:
        self.connected, self.full, self.took = True, False, list[tuple[str, dict[str, Any]]]()
        self._given = 0

    def publish(
        self, topic: str, payload: bytes, *, retain: bool = False, correlation: bytes | None = None
    ) -> int | None:
        if self.full:
            return None
        self.took.append((topic.rpartition("/")[2], json.loads(payload)))
        self._given += 1
        return self._given

    def told(self, what: str) -> list[int]:
        """Numbers of the entries or readings that left, in order."""
        key = {"entry": "seq", "reading": "number"}[what]
        return [body[key] for topic, body in self.took if topic == what]


class Bench:
    """A book of some entries, its outbox and a broker."""

    def __init__(self, directory: Path):
        self.clock, self.broker = ManualClock(START), Broker()
        self.book = Book(directory, self.clock, "boot-1")
        self.outbox = self.again()

    def again(self) -> Outbox:
        """The outbox of a gateway that starts."""
        self.outbox = Outbox(self.book, Topics("riser", "shop"), self.broker, self.clock.monotonic)
        return self.outbox

    def entries(self, count: int) -> None:
        first = self.book.seq + 1
        self.book.append(*[("alarm/1", f"alarm:{n}", {"text": f"{n}"}) for n in range(first, first + count)])

    def sweep(self) -> int:
        return self.book.add_sweep([{"meter": "a101", "read_at": 1_000_000, "registers_wh": {"total": 7}}])


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    found = Bench(tmp_path)
    yield found
    found.book.close()


def test_the_cursor_stands_before_the_first_that_is_missing(bench: Bench) -> None:
    """Acknowledgements come in any order; one that is lost holds the cursor, and a restart begins there again."""
    bench.entries(5)
    bench.outbox.pump()
    assert bench.broker.told("entry") == [1, 2, 3, 4, 5]
    for mid in (5, 3, 1):
        bench.outbox.acknowledged(mid, None)
    assert bench.outbox.cursors["entry"] == 1
    bench.outbox.acknowledged(2, None)
    assert bench.outbox.cursors["entry"] == 3
    bench.outbox.save(force=True)
    bench.broker.took.clear()
    bench.again().pump()
    assert bench.broker.told("entry") == [4, 5]


def test_after_a_lost_connection_all_goes_again_that_was_not_acknowledged(bench: Bench) -> None:
    """What was on the way may be lost with the connection; what was acknowledged is not sent twice."""
    bench.entries(4)
    bench.outbox.pump()
    bench.outbox.acknowledged(1, None)
    bench.outbox.connected()
    bench.broker.took.clear()
    bench.outbox.pump()
    assert bench.broker.told("entry") == [2, 3, 4]


def test_what_the_broker_refuses_is_offered_again_later(bench: Bench) -> None:
    """A wrong access rule loses nothing: from the refused entry on all is offered again, and not at every turn."""
    bench.entries(3)
    bench.outbox.pump()
    bench.outbox.acknowledged(1, None)
    bench.outbox.acknowledged(2, "not authorised")
    bench.outbox.acknowledged(3, None)
    assert bench.outbox.cursors["entry"] == 1 and bench.outbox.denied == "not authorised"
    bench.broker.took.clear()
    bench.clock.advance(DENIED_S - 1)
    bench.outbox.pump()
    assert bench.broker.took == []
    bench.clock.advance(1)
    bench.outbox.pump()
    assert bench.broker.told("entry") == [2, 3] and bench.outbox.denied is None


def test_readings_that_the_disk_has_not_are_not_told(bench: Bench) -> None:
    """A reading that a power cut may take has its number used again: it leaves once it is written."""
    bench.sweep()
    bench.outbox.pump()
    assert bench.broker.told("reading") == []
    bench.book.save_sweeps(100)
    bench.sweep()
    bench.outbox.pump()
    assert bench.broker.told("reading") == [1]


def test_trimmed_readings_do_not_hold_the_cursor(bench: Bench) -> None:
    """What was trimmed before it was told never comes; the rest goes on, acknowledged to its end."""
    for _ in range(5):
        bench.sweep()
    bench.book.save_sweeps(2)
    bench.outbox.pump()
    assert bench.broker.told("reading") == [4, 5]
    for mid in (1, 2):
        bench.outbox.acknowledged(mid, None)
    assert bench.outbox.cursors["sweep"] == 5


def test_no_more_is_on_the_way_than_the_window(bench: Bench) -> None:
    """A slow broker is not buried: with a full window nothing leaves, and each acknowledgement makes room for one."""
    bench.entries(WINDOW + 3)
    for _ in range(3):
        bench.outbox.pump()
    assert bench.broker.told("entry") == list(range(1, WINDOW + 1))
    bench.outbox.acknowledged(1, None)
    bench.outbox.pump()
    assert bench.broker.told("entry")[WINDOW:] == [WINDOW + 1]


def test_a_connection_that_takes_nothing_loses_nothing(bench: Bench) -> None:
    """What could not be handed over is handed over the next time, with nothing left out."""
    bench.entries(2)
    bench.broker.full = True
    bench.outbox.pump()
    bench.broker.full = False
    bench.outbox.pump()
    assert bench.broker.told("entry") == [1, 2]


def test_cursors_are_saved_now_and_then_and_at_the_end(bench: Bench) -> None:
    """Not at each acknowledgement, for the card's sake; every few seconds, and when it stops."""
    bench.entries(2)
    bench.outbox.pump()
    bench.outbox.acknowledged(1, None)
    bench.outbox.save()
    assert bench.book.note("entry_cursor") == 0
    bench.clock.advance(SAVE_EVERY_S)
    bench.outbox.save()
    assert bench.book.note("entry_cursor") == 1
    bench.outbox.acknowledged(2, None)
    bench.outbox.save(force=True)
    assert bench.book.note("entry_cursor") == 2


def test_what_is_replayed_moves_no_cursor(bench: Bench) -> None:
    """An archive that asks for old entries gets them once more, and its acknowledgements say nothing of newer ones."""
    bench.entries(3)
    bench.outbox.pump()
    bench.broker.took.clear()
    assert bench.outbox.replay(1, None) == {"entries_from": 1, "entries_to": 3}
    bench.outbox.pump()
    assert bench.broker.told("entry") == [1, 2, 3]
    for mid in (4, 5, 6):
        bench.outbox.acknowledged(mid, None)
    assert bench.outbox.cursors["entry"] == 0
