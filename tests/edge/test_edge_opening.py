"""Opening a book: quick with a snapshot that fits it, whole without, and never by a snapshot against the book."""

from __future__ import annotations

import logging
import signal
import sqlite3
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bridge.contract.clock import ManualClock
from bridge.contract.entries import TILL
from edge import opening, snapshot
from edge.book import Book, BookError
from edge.book_words import MEMORY_DIFFERS
from edge.entry import Snapshot, digest_of, hash_of
from edge.fold import apply
from edge.state import State
from tests.edge.building import Building
from tests.edge.test_edge_fold import LIFE, move

REPOSITORY = Path(__file__).parents[2]
NOW = datetime(2026, 11, 20, tzinfo=UTC)


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Book]:
    """The book of a life, with money that moved on."""
    book = Book(tmp_path, ManualClock(NOW), "boot")
    book.append(*((kind, f"life-{n}", fields) for n, (kind, fields) in enumerate(LIFE)))
    for number in range(30):
        pay(book, number)
    yield book
    book.close()


def pay(book: Book, number: int) -> None:
    fields = {"account": "100", "moves": [move(TILL + "cash", "account:100", 7 + number)]}
    book.append(("topup/1", f"topup-{number}", fields))


def whole(book: Book) -> State:
    state = State()
    for entry in book.entries():
        apply(state, entry)
    return state


def made(book: Book, through: int | None = None, change: Callable[[State], None] = lambda state: None) -> Snapshot:
    """A snapshot of the book up to an entry, with its own digest right, whatever was changed in it."""
    state = State()
    for entry in book.entries(1, book.seq if through is None else through):
        apply(state, entry)
    change(state)
    body = zlib.compress("".join(snapshot.lines(state)).encode())
    digest = digest_of(state.seq, state.hash, snapshot.VERSION, body)
    return Snapshot(state.seq, state.hash, snapshot.VERSION, body, digest)


def signed(told: Snapshot, **changes: Any) -> Snapshot:
    """Something of it changed, and its digest made to fit."""
    told = told._replace(**changes)
    return told._replace(digest=digest_of(*told[:4]))


def rich(state: State) -> None:
    """A mark by which it shows that the snapshot was believed."""
    state.ledger["account:100"] += 10**9


def test_only_what_came_after_is_folded(book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a snapshot that fits, the state is taken, and the entries after it are folded on top: the same state."""
    book.save_snapshot(made(book, book.seq - 3))
    expected, folded = whole(book), []
    monkeypatch.setattr(opening, "apply", lambda state, entry: folded.append(entry.seq) or apply(state, entry))
    assert opening.state_of(book) == expected
    assert folded == [book.seq - 2, book.seq - 1, book.seq]


def test_a_snapshot_is_used_at_all(book: Book) -> None:
    """The tests below are worth something: a snapshot whose digest and hash fit is taken as it is."""
    book.save_snapshot(made(book, book.seq - 3, rich))
    assert opening.state_of(book).posted_nano("100") == whole(book).posted_nano("100") + 10**9


UNFIT: dict[str, Callable[[Snapshot, Book], Snapshot]] = {
    "another version": lambda told, book: signed(told, version="0123456789abcdef"),
    "damaged": lambda told, book: told._replace(digest=made(book, told.seq).digest),
    "cut short": lambda told, book: signed(told, body=told.body[:-9]),
    "newer than the book": lambda told, book: signed(told, seq=book.seq + 1),
    "of another book": lambda told, book: made(book, None, lambda state: setattr(state, "hash", "f" * 64)),
    "of another entry": lambda told, book: signed(told, hash=told.hash[::-1]),
    "of an earlier entry": lambda told, book: signed(told, seq=told.seq - 1),
    "with the state of another entry": lambda told, book: signed(
        made(book, told.seq - 1, rich), seq=told.seq, hash=told.hash
    ),
    "no state": lambda told, book: signed(told, body=zlib.compress(b'["seq",1]\n')),
    "no text": lambda told, book: signed(told, body=b"not packed at all"),
    "another": lambda told, book: signed(told, body=zlib.compress(zlib.decompress(told.body).replace(b'"a1"', b"1"))),
}


@pytest.mark.parametrize("how", UNFIT)
def test_what_does_not_fit_is_not_used(book: Book, how: str, caplog: pytest.LogCaptureFixture) -> None:
    """Damaged, foreign, too new, by another version: one line says so, and the whole book is folded."""
    book.save_snapshot(UNFIT[how](made(book, book.seq - 3, rich), book))
    with caplog.at_level(logging.WARNING):
        assert opening.state_of(book) == whole(book)
    assert [record.getMessage().count("the whole book is folded") for record in caplog.records] == [1]


def test_a_snapshot_does_not_hide_a_changed_entry(book: Book, tmp_path: Path) -> None:
    """One of the newest entries was changed in the file, and the snapshot stands behind it: opening refuses."""
    book.save_snapshot(made(book))
    raw = sqlite3.connect(tmp_path / "book.db", isolation_level=None)
    raw.execute("DROP TRIGGER journal_keeps")
    row = list(raw.execute("SELECT * FROM journal WHERE seq = 40").fetchone())
    row[7] = row[7].replace("cash", "card")
    for right in (False, True):  # Once as it is, once with its own hash made to fit again.
        digest = hash_of(*row[:-1]) if right else row[-1]
        raw.execute("UPDATE journal SET body = ?, hash = ? WHERE seq = 40", (row[7], digest))
        with pytest.raises(BookError, match="the book does not fold"):
            opening.state_of(book)
    raw.close()


def test_an_old_book_gets_its_table_with_its_first_snapshot(book: Book) -> None:
    """A book of an older Riser has no place for snapshots: it opens as ever, and the place is made when needed."""
    assert book.snapshot() is None
    assert opening.state_of(book) == whole(book)
    book.save_snapshot(made(book, 5))
    book.save_snapshot(made(book, 6))
    assert book.snapshot() == made(book, 6)
    assert book._db.execute("SELECT count(*) FROM snapshot").fetchone() == (1,)


WRITER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from bridge.contract.clock import ManualClock
from edge.book import Book
from edge.entry import Snapshot, digest_of
from edge import snapshot
book = Book(Path(sys.argv[1]), ManualClock(datetime(2026, 11, 20, tzinfo=UTC)), "boot-2")
seq = 0
while True:
    seq += 1
    body = bytes([seq % 256]) * 5_000_000
    print("now", flush=True)
    told = (seq, "a" * 64, snapshot.VERSION, body)
    book.save_snapshot(Snapshot(*told, digest_of(*told)))
"""


def test_a_kill_while_a_snapshot_is_written(book: Book, tmp_path: Path) -> None:
    """kill -9 in the middle of it: the book opens, the entries stand, and a snapshot that is there is a whole one."""
    expected = whole(book)
    book.close()
    for rounds in (1, 2, 3):
        writer = subprocess.Popen([sys.executable, "-c", WRITER, tmp_path], cwd=REPOSITORY, stdout=subprocess.PIPE)
        assert writer.stdout is not None
        for _ in range(rounds):
            assert writer.stdout.readline() == b"now\n"
        log = tmp_path / "book.db-wal"
        while not log.exists() or log.stat().st_size < rounds * 1_000_000:
            assert writer.poll() is None  # It is at it, and will be killed at it.
        writer.send_signal(signal.SIGKILL)
        assert writer.wait(10) == -signal.SIGKILL
        writer.stdout.close()
        opened = Book(tmp_path, ManualClock(NOW), "boot-3")
        assert opening.state_of(opened) == expected
        kept = opened.snapshot()
        assert (kept.whole and kept.seq >= rounds - 1) if kept is not None else rounds == 1
        opened.close()


# --- when they are made ---


def begun(tmp_path: Path) -> Building:
    return Building(tmp_path, meters={"a101"}, poll_s=300, idle_s=30)


def test_a_clean_stop_leaves_a_snapshot(tmp_path: Path) -> None:
    """Stopped by `systemctl stop`, started again: nothing is folded but what came after, and all is as it was."""
    building = begun(tmp_path)
    building.run(minutes=10)
    building.edge.shut()
    state = building.edge.core.state
    kept = building.edge.core.book.snapshot()
    assert kept is not None and (kept.seq, kept.hash) == (state.seq, state.hash)
    assert opening.loaded(kept) == state
    building.stop_edge()
    building.start_edge()
    assert building.edge.core.state.ledger == state.ledger


def test_a_snapshot_follows_every_so_many_entries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A gateway that runs for years makes one now and then, in slices, and each is what the book says then."""
    monkeypatch.setattr(opening, "EVERY", 8)
    building = begun(tmp_path)
    seen = set()
    for number in range(30):
        building.topup("100101", 100 + number)
        building.run(seconds=1)
        if (kept := building.edge.core.book.snapshot()) is not None and kept.seq not in seen:
            seen.add(kept.seq)
            state = State()
            for entry in building.edge.core.book.entries(1, kept.seq):
                apply(state, entry)
            assert opening.loaded(kept) == state
    assert len(seen) >= 3


def test_a_start_counts_from_the_snapshot_that_can_be_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a start the next one is due so many entries after the one that stands there; one that another version
    made is none, and a new one is due at once: else each start would fold the whole book once more."""
    building = begun(tmp_path)
    building.run(minutes=5)
    building.edge.shut()
    core, kept = building.edge.core, building.edge.core.book.snapshot()
    assert kept is not None and kept.seq == core.book.seq > 2
    monkeypatch.setattr(opening, "EVERY", core.book.seq)
    assert not opening.Snapshots(core).due()
    core.book.save_snapshot(signed(kept, version="0123456789abcdef"))
    assert opening.Snapshots(core).due()


def test_a_long_opening_is_not_done_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All was folded at the start, as after an upgrade: that is kept as it is, and not after a second fold like it."""
    building = begun(tmp_path)
    building.run(minutes=5)
    building.stop_edge()
    monkeypatch.setattr(opening, "EVERY", 4)
    building.start_edge()
    seq, again = building.edge.core.book.seq, list[int]()
    assert building.edge.core.book.snapshot() is None and seq > 4
    monkeypatch.setattr(opening, "apply", lambda state, entry: again.append(entry.seq) or apply(state, entry))
    building.run(seconds=31)
    kept = building.edge.core.book.snapshot()
    assert kept is not None and kept.seq >= seq and 1 not in again and opening.loaded(kept) == building.edge.core.state


def test_each_night_the_whole_book_is_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """At three in the morning the book is folded from its first entry: a state that is not it is told, and not kept."""
    building = begun(tmp_path)
    whole_folds = []
    monkeypatch.setattr(opening, "apply", lambda state, entry: whole_folds.append(entry.seq) or apply(state, entry))
    building.run(hours=17)
    assert whole_folds.count(1) == 1 and building.edge.snapshots.differs is None
    kept = building.edge.core.book.snapshot()
    assert kept is not None and opening.loaded(kept).posted_nano("100101")
    building.edge.core.state.ledger["account:100101"] += 1
    building.run(hours=24)
    assert building.edge.snapshots.differs == "the state in memory is not what the book says"
    assert sum("riser verify" in record.getMessage() for record in caplog.records) == 1
    (alarm,) = building.of("alarm/1", alarm="book")
    assert "the state in memory is not what the book says; nobody is cut" in alarm.fields["text"]
    assert building.edge.core.mode == "book" and building.edge.core.mode_why == MEMORY_DIFFERS
    building.edge.shut()
    assert building.edge.core.book.snapshot() == kept


def test_a_book_changed_on_the_disk_is_found_in_the_night(tmp_path: Path) -> None:
    """An old entry changes in the file while the edge runs: the next night tells, and no snapshot covers it up."""
    building = begun(tmp_path)
    building.run(minutes=5)
    raw = sqlite3.connect(tmp_path / "book.db", isolation_level=None)
    raw.execute("DROP TRIGGER journal_keeps")
    raw.execute("UPDATE journal SET at = at + 1 WHERE seq = 2")
    raw.close()
    building.run(hours=17)
    assert "entry 2" in str(building.edge.snapshots.differs)
    assert building.edge.core.mode_why == building.edge.snapshots.differs


def test_a_book_that_differs_is_an_alarm_once(tmp_path: Path) -> None:
    """Found while the disk was full: the alarm is written when there is room again. Found again in the night after a
    new start over the same book: people have seen it, and it is not written twice."""
    building = begun(tmp_path)
    building.run(minutes=5)
    raw = sqlite3.connect(tmp_path / "book.db", isolation_level=None)
    raw.execute("DROP TRIGGER journal_keeps")
    raw.execute("UPDATE journal SET at = at + 1 WHERE seq = 2")
    raw.close()
    core, snapshots = building.edge.core, building.edge.snapshots
    core.cannot_write = "the disk is full (1 MB left)"
    assert list(snapshots.work()) and core.differs is not None and not snapshots.due()
    core.cannot_write = None
    assert building.of("alarm/1", alarm="book") == [] and snapshots.due()
    building.run(minutes=1)
    (alarm,) = building.of("alarm/1", alarm="book")
    assert "see entry 2; nobody is cut" in alarm.fields["text"] and not snapshots.due()
    core.differs = None  # As after a new start, which looks at the newest entries only.
    again = opening.Snapshots(core)
    assert list(again.work()) and again.differs is not None and not again.due()
    assert building.of("alarm/1", alarm="book") == [alarm]
