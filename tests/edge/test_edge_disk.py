"""The disk is full, read-only, or fails: nothing is promised, nobody is cut, light comes back, and it recovers."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from edge.book import Book
from edge.core import CannotWrite
from edge.disk import FULL_BYTES, ROOM_BYTES, Disk
from tests.edge import books
from tests.edge.building import Building

ROOM, ACCOUNT = "a206", "100206"


def room(directory: Path, **options: Any) -> Building:
    building = Building(directory, meters={ROOM}, **{"poll_s": 30, "idle_s": 2, **options})
    building.connect()
    building.run(minutes=3)
    return building


def fills(building: Building) -> None:
    """Somebody else's log eats the disk."""
    building.edge.disk.free_bytes = lambda: FULL_BYTES - 1  # type: ignore[method-assign]
    building.run(seconds=20)
    assert building.edge.core.mode == "disk"


def restart(building: Building) -> None:
    building.stop_edge()
    building.start_edge()
    building.connect()


def paid_as_it_fills(directory: Path) -> Building:
    """Cut, then paid, and the disk fills before the relay has moved; five minutes later."""
    building = room(directory)
    building.run_until(lambda: building.sim_meter(ROOM).relay.open, hours=4)
    building.run(minutes=5)
    port = building.ports["line-2"]
    pump = port.pump
    port.pump = lambda: False  # type: ignore[method-assign]  # The line is busy for a moment.
    building.topup(ACCOUNT, 300_00)
    assert building.of("hold/1", set=False) and building.of("close/1") == []
    fills(building)
    port.pump = pump  # type: ignore[method-assign]
    building.run(minutes=5)
    return building


def topups(building: Building) -> list[str]:
    return [entry.id for entry in building.of("topup/1")]


# --- nearly full ---


def test_a_full_disk_books_nothing_and_says_so(tmp_path: Path) -> None:
    """No room: a payment is refused in a sentence and not written, an answered one keeps its answer (38, I5)."""
    building = room(tmp_path)
    paid = building.topup(ACCOUNT, 10_00, transaction="paid-before-it")
    fills(building)
    seq = building.edge.core.book.seq
    refused = building.topup(ACCOUNT, 20_00, transaction="paid-meanwhile")
    answer = building.answers(refused)[-1]
    assert (answer["status"], answer["rule"]) == ("refused", "I5") and "disk is full" in answer["error"]
    building.topup(ACCOUNT, 10_00, transaction="paid-before-it")
    assert [a["status"] for a in building.answers(paid)] == ["done", "done"]
    building.run(hours=1)
    assert building.edge.core.book.seq == seq
    info = building.fact("info")
    assert info["mode"] == "disk" and "disk is full" in info["mode_why"]


def test_nothing_at_all_is_written_while_the_disk_is_full(tmp_path: Path) -> None:
    """Whoever asks, also a part of the edge that did not look: what is left is for closing the book (38)."""
    building = room(tmp_path)
    fills(building)
    core, seq = building.edge.core, building.edge.core.book.seq
    with pytest.raises(CannotWrite, match="disk is full"):
        core.append(("alarm/1", "alarm:none-looked", {"alarm": "test", "text": "nobody looked"}))
    assert core.book.seq == core.state.seq == seq and core.book.find("alarm:none-looked") is None


def test_reading_goes_on_in_memory_within_bounds(tmp_path: Path) -> None:
    """Two hours without a disk: registers shown stay new, a person's reading is answered, nothing piles up (I23)."""
    building = room(tmp_path)
    fills(building)
    before = building.fact(f"meter/{ROOM}")["energy_wh"]
    waiting = building.edge.core.book.unsaved_sweeps
    building.run(hours=2)
    assert building.fact(f"meter/{ROOM}")["energy_wh"] > before
    assert building.edge.core.book.unsaved_sweeps <= waiting
    read = building.request("read", meter=ROOM)
    building.run(seconds=10)
    assert [a["status"] for a in building.answers(read)] == ["accepted", "done"]


def test_nobody_is_cut_while_nothing_can_be_written(tmp_path: Path) -> None:
    """Warned, the half hour over, below zero, and no room for the evidence: no trip, neither automatic nor by hand."""
    building = room(tmp_path)
    building.run_until(lambda: building.of("delivered/1"), hours=4)
    fills(building)
    building.run(hours=1)
    refused = building.request("trip", meter=ROOM, why="lock-out")
    building.run(minutes=5)
    assert building.answers(refused)[-1]["rule"] == "I5"
    assert building.of("trip/1") == [] and not building.sim_meter(ROOM).relay.open


def test_light_whose_cause_stands_in_the_book_comes_back(tmp_path: Path) -> None:
    """Paid, and the disk fills before the relay has moved: the light does not wait for room (I9)."""
    building = paid_as_it_fills(tmp_path)
    assert not building.sim_meter(ROOM).relay.open


def test_light_that_came_back_without_a_disk_is_shown_and_the_next_run_writes_it_down(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Read back closed while nothing can be written: no answer of the meter is dropped half way, people see the relay
    as it is, and the book has it later (I11)."""
    caplog.set_level("DEBUG", "riser.edge")
    building = paid_as_it_fills(tmp_path)
    assert [each for each in caplog.messages if each.startswith("Reply: not written")] == []
    assert building.fact(f"meter/{ROOM}/relay")["observed"] == "closed"
    assert building.edge.core.state.meters[ROOM].observed == "open"
    building.edge.disk.free_bytes = lambda: ROOM_BYTES  # type: ignore[method-assign]
    building.run_until(lambda: building.edge.failed, hours=1)
    restart(building)
    building.run(minutes=5)
    assert [entry.fields["why"] for entry in building.of("relay/1", observed="closed")][-1] == "as ordered"
    assert building.of("alarm/1", alarm="relay-moved") == []


def test_it_recovers_by_itself(tmp_path: Path) -> None:
    """Room again: the process ends, the next one books the same request that was refused, days and sums are right."""
    building = room(tmp_path)
    fills(building)
    building.topup(ACCOUNT, 20_00, transaction="paid-meanwhile")
    building.edge.disk.free_bytes = lambda: ROOM_BYTES  # type: ignore[method-assign]
    building.run_until(lambda: building.edge.failed, hours=1)
    assert building.edge.failed == "the disk takes entries again"
    restart(building)
    building.topup(ACCOUNT, 20_00, transaction="paid-meanwhile")
    assert topups(building) == ["shell:paid-meanwhile"]
    building.clock.advance(14 * 3600)
    building.run(minutes=10)
    assert building.edge.core.mode == "normal" and books.days_of(building, ACCOUNT) == ["2026-11-20"]
    books.check(building)


# --- writes that fail ---


class Failing:
    """A connection whose every commit fails, as on a disk that went read-only or broke."""

    def __init__(self, real: Any):
        self._real, self.fails = real, True

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def execute(self, sql: str, *values: Any) -> Any:
        if sql == "COMMIT" and self.fails:
            raise sqlite3.OperationalError("disk I/O error")
        return self._real.execute(sql, *values)


def test_a_failed_sync_ends_the_process_and_is_not_repeated(tmp_path: Path) -> None:
    """An I/O error at a payment: no answer, the loop ends with the error, and the next process reads the book anew."""
    building = room(tmp_path)
    book = building.edge.core.book
    book._db = Failing(book._db)  # type: ignore[assignment]
    with pytest.raises(sqlite3.OperationalError):
        building.topup(ACCOUNT, 10_00, transaction="never-answered")
    assert building.answers("never-answered") == []
    restart(building)
    building.topup(ACCOUNT, 10_00, transaction="never-answered")
    assert building.answers("never-answered")[0]["status"] == "done" and len(topups(building)) == 1


def test_started_on_a_disk_that_takes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first entry of a run cannot be written: it reads and shows, tries slowly, and ends when it can."""
    building = room(tmp_path)
    building.stop_edge()
    broken: list[Failing] = []
    real = Book.__init__

    def on_a_broken_disk(self: Book, *args: Any, **options: Any) -> None:
        real(self, *args, **options)
        broken.append(Failing(self._db))
        self._db = broken[-1]  # type: ignore[assignment]

    with monkeypatch.context() as disk:
        disk.setattr(Book, "__init__", on_a_broken_disk)
        building.start_edge()
    building.connect()
    building.run(minutes=5)
    assert building.edge.core.mode == "disk" and building.fact(f"meter/{ROOM}")["quality"] == "good"
    assert building.edge.failed is None
    broken[0].fails = False
    building.run(minutes=1)
    assert building.edge.failed == "the disk takes entries again"


def test_a_full_disk_at_start_is_known_before_the_first_entry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A start on a disk without room writes nothing at all, not even that it started; so it can try again for days."""
    building = room(tmp_path)
    seq = building.edge.core.book.seq
    building.stop_edge()
    monkeypatch.setattr(Disk, "free_bytes", lambda self: FULL_BYTES - 1)
    building.start_edge()
    assert building.edge.core.mode == "disk" and building.edge.core.book.seq == seq


@pytest.mark.parametrize(
    "trouble", ["SQLITE_FULL", "SQLITE_IOERR_WRITE", "SQLITE_READONLY_DBMOVED", "SQLITE_CANTOPEN", "SQLITE_BUSY"]
)
def test_a_disk_is_not_taken_for_a_damaged_book(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trouble: str) -> None:
    """No room even to open the book: nobody is told to restore a backup, the lock is free, it can be tried again."""
    building = room(tmp_path)
    building.stop_edge()

    def cannot(self: Book, may_begin: bool) -> None:
        error = sqlite3.OperationalError("not now")
        error.sqlite_errorname = trouble
        raise error

    with monkeypatch.context() as disk:
        disk.setattr(Book, "_prepare", cannot)
        with pytest.raises(sqlite3.OperationalError):
            building.start_edge()
    building.start_edge()
    assert building.edge.core.mode == "normal"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 20 MB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=20m", "tmpfs", disk], capture_output=True)
    if done.returncode:
        pytest.skip("mounting is not permitted here")
    yield disk
    subprocess.run(["umount", "-l", disk], check=True)


def fill_up(path: Path) -> None:
    """Write until not one byte more is taken."""
    with path.open("wb", buffering=0) as ballast:
        for size in (65_536, 1):
            with contextlib.suppress(OSError):
                while ballast.write(b"\0" * size):
                    pass


def test_really_full_from_one_moment_to_the_next(small_disk: Path) -> None:
    """Filled to the last byte between two looks: payments are booked or not answered; none is answered and lost."""
    building = room(small_disk)
    fill_up(small_disk / "ballast")
    paid = 0
    with pytest.raises(sqlite3.OperationalError):
        while True:
            building.topup(ACCOUNT, 1_00, transaction=f"payment-{paid:04d}")
            paid += 1
    building.stop_edge()
    try:
        building.start_edge()
    except sqlite3.OperationalError as error:  # Not even room to open it in: the process ends and is started again.
        assert error.sqlite_errorname.startswith(("SQLITE_FULL", "SQLITE_IOERR", "SQLITE_CANTOPEN"))
    else:
        building.connect()
        building.run(minutes=1)
        assert building.edge.core.mode == "disk"
        building.stop_edge()
    (small_disk / "ballast").unlink()
    building.start_edge()
    building.connect()
    building.run(minutes=1)
    assert building.edge.core.mode == "normal"
    answered = {
        answer["transaction"]
        for topic, payload, _ in building.broker.heard
        if "/response/" in topic and (answer := json.loads(payload))["status"] == "done"
    }
    assert {f"shell:{transaction}" for transaction in answered} <= set(topups(building))
    assert len(topups(building)) == len(set(topups(building))) <= paid + 1


def test_really_read_only(small_disk: Path) -> None:
    """The kernel makes the file system read-only: the edge started on it reads, shows, and says it (39)."""
    building = room(small_disk)
    building.edge.core.book._db.execute("PRAGMA wal_checkpoint")
    kept = {path.name: path.read_bytes() for path in small_disk.glob("book.db-*")}
    building.stop_edge()
    for name, content in kept.items():
        (small_disk / name).write_bytes(content)
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    try:
        building.start_edge()
        building.connect()
        building.run(minutes=3)
        assert building.edge.core.mode == "disk" and building.fact(f"meter/{ROOM}")["quality"] == "good"
        refused = building.topup(ACCOUNT, 1_00)
        assert building.answers(refused)[-1]["rule"] == "I5"
        building.stop_edge()
    finally:
        subprocess.run(["mount", "-o", "remount,rw", small_disk], check=True)
    building.start_edge()
    assert building.edge.core.mode == "normal"
    building.stop_edge()
