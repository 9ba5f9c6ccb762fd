"""The book keeps what it acknowledged, refuses to be changed, and shows it when somebody changed it all the same."""

from __future__ import annotations

import random
import shutil
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
from edge.book import FIRST_HASH, SCHEMA_VERSION, Book, BookError, canonical, hash_of

START = datetime(2026, 11, 20, 2, 30, tzinfo=UTC)
REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Callable[..., Book]]:
    books: list[Book] = []

    def build(boot: str = "boot-1", **options: Any) -> Book:
        books.append(Book(tmp_path, ManualClock(START), boot, **options))
        return books[-1]

    yield build
    for book in books:
        book.close()


def note(number: int, **fields: Any) -> tuple[str, str, dict[str, Any]]:
    return ("alarm/1", f"alarm:{number}", {"text": f"entry {number}", **fields})


def trouble(rows: list[tuple[Any, ...]], newest_hash: str) -> str | None:
    """What is wrong with a journal's rows, or None: the check that anybody can make with the anchor from outside."""
    prev = FIRST_HASH
    for number, row in enumerate(rows, 1):
        if row[0] != number:
            return f"entry {number} is missing"
        if row[-2] != prev or hash_of(*row[:-1]) != row[-1]:
            return f"entry {number} was changed"
        prev = row[-1]
    return None if prev == newest_hash else "the newest entries are missing"


# --- appending ---


def test_entries_are_numbered_and_chained(opened: Callable[..., Book]) -> None:
    """Numbers rise by one, each entry carries the hash of the one before (I16, I17), also over a restart."""
    book = opened()
    first = book.append(note(1), note(2))
    second = book.append(note(3))
    assert [entry.seq for entry in first + second] == [1, 2, 3]
    assert [e.prev_hash for e in first + second] == [FIRST_HASH, first[0].hash, first[1].hash]
    assert list(book.entries()) == first + second and list(book.entries(2, 1)) == [first[1]]
    book.close()
    again = opened("boot-2")
    assert (again.seq, again.hash) == (3, second[0].hash)
    (fourth,) = again.append(note(4))
    assert (fourth.seq, fourth.prev_hash, fourth.boot) == (4, second[0].hash, "boot-2")
    assert again.find("alarm:2") == first[1] and again.find("alarm:9") is None


def test_entries_of_one_act_stand_together_or_not_at_all(opened: Callable[..., Book]) -> None:
    """The second of three cannot be written: none is, the numbers have no gap, and the next act succeeds."""
    book = opened()
    book.append(note(1))
    with pytest.raises(sqlite3.IntegrityError):
        book.append(note(2), note(1, text="again"), note(3))
    assert [entry.id for entry in book.entries()] == ["alarm:1"] and book.seq == 1
    assert [entry.seq for entry in book.append(note(2), note(3))] == [2, 3]


def test_a_doubled_id_is_refused(opened: Callable[..., Book]) -> None:
    """The same id a second time, in one act or two, with the same contents or others: refused, nothing written (I4)."""
    book = opened()
    for drafts in ((note(1), note(1)), (note(1, more=1), note(1))):
        with pytest.raises(sqlite3.IntegrityError):
            book.append(*drafts)
        assert book.seq == 0
    book.append(note(1))
    with pytest.raises(sqlite3.IntegrityError):
        book.append(note(1))
    assert [entry.seq for entry in book.entries()] == [1]


@pytest.mark.parametrize("wrong", [1.0, float("nan"), [0.5], {"a": [{"b": 1e400}]}, (0.1,)])
def test_no_float_enters_the_book(opened: Callable[..., Book], wrong: Any) -> None:
    """I6: an amount that is a float, however deep it hides, is refused before anything is written."""
    book = opened()
    with pytest.raises(TypeError, match="float"):
        book.append(note(1), note(2, wrong=wrong))
    assert book.seq == 0 and list(book.entries()) == []


def test_the_same_contents_have_one_text() -> None:
    """Order of keys and spaces do not make another body; a line break inside stays on one line; Chinese is kept."""
    assert canonical({"b": 1, "a": "电\n"}) == canonical({"a": "电\n", "b": 1}) == '{"a":"电\\n","b":1}'


def test_a_full_disk_loses_nothing_and_stops_nothing_for_ever(opened: Callable[..., Book]) -> None:
    """Disk full: the act fails loudly, nothing is half written, and when there is room again work goes on (38)."""
    book = opened()
    book.append(note(1))
    book.add_sweep([{"meter": "a206", "read_at": 1, "energy_wh": 2}])
    pages = book._db.execute("PRAGMA page_count").fetchone()[0]
    book._db.execute(f"PRAGMA max_page_count={pages}")
    for _ in range(2):
        with pytest.raises(sqlite3.OperationalError, match="full"):
            book.append(note(2), note(3, blob="x" * 100_000))
        with pytest.raises(sqlite3.OperationalError, match="full"):
            book.save_notes({f"note {number} {'x' * 900}": 1 for number in range(100)})
    assert book.seq == 1 and [entry.id for entry in book.entries()] == ["alarm:1"]
    book._db.execute("PRAGMA max_page_count=1000000")
    assert book.append(note(2), note(3))[-1].seq == 3
    book.save_sweeps(10)
    assert [number for number, _, _ in book.sweeps(1, 9)] == [1] and book.unsaved_sweeps == 0


# --- the database itself refuses ---


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE journal SET body = '{}' WHERE seq = 1",
        "UPDATE journal SET at = at + 1",
        "DELETE FROM journal WHERE seq = 2",
        "DELETE FROM journal",
        "INSERT INTO journal SELECT seq + 10, id, at, boot, mono_ns, trusted, kind, body, prev_hash, hash FROM journal",
        "INSERT INTO journal SELECT -1, 'x', at, boot, mono_ns, trusted, kind, body, prev_hash, hash FROM journal",
        "INSERT INTO journal SELECT 9, 'x', 'noon', boot, mono_ns, trusted, kind, body, prev_hash, hash FROM journal",
        "INSERT INTO journal SELECT 9, 'x', at, boot, mono_ns, 2, kind, body, prev_hash, hash FROM journal LIMIT 1",
    ],
)
def test_the_database_refuses_to_change_an_entry(opened: Callable[..., Book], tmp_path: Path, statement: str) -> None:
    """R10: no program can edit or remove an entry, double its id or store a wrong type; the database says no."""
    book = opened()
    book.append(note(1), note(2))
    before = list(book.entries())
    book.close()
    raw = sqlite3.connect(tmp_path / "book.db")
    with pytest.raises(sqlite3.IntegrityError):
        raw.execute(statement)
    raw.close()
    assert list(opened().entries()) == before


def test_the_disk_settings_are_really_in_force(opened: Callable[..., Book], tmp_path: Path) -> None:
    """WAL with full syncs is what survived 10,000 power cuts; the open book says that it has them."""
    book = opened()
    assert book._db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert book._db.execute("PRAGMA synchronous").fetchone() == (2,)
    assert book._db.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)
    strict = book._db.execute("SELECT name, strict FROM pragma_table_list WHERE schema='main'").fetchall()
    assert {name for name, is_strict in strict if is_strict} == {"journal", "sweep", "note"}


ONE_BY_ONE = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from bridge.contract.clock import ManualClock
from edge.book import Book
book = Book(Path(sys.argv[1]), ManualClock(datetime(2026, 11, 20, tzinfo=UTC)), "boot")
for number in range(int(sys.argv[2])):
    book.append(("alarm/1", f"a{number}", {}), ("alarm/1", f"b{number}", {}))
    sys.stdout.write("said\\n"); sys.stdout.flush()
import os; os._exit(0)
"""


@pytest.mark.skipif(shutil.which("strace") is None, reason="counts system calls with strace")
def test_each_act_is_synced_before_it_is_acknowledged(tmp_path: Path) -> None:
    """Between two acknowledgements there is exactly one sync: none is missing, and none is wasted."""
    run = ["strace", "-f", "-o", str(tmp_path / "calls"), "-e", "trace=fsync,fdatasync,write"]
    run += [sys.executable, "-c", ONE_BY_ONE, str(tmp_path / "book"), "8"]
    done = subprocess.run(run, cwd=REPOSITORY, capture_output=True, text=True, timeout=60)
    if "Operation not permitted" in done.stderr:
        pytest.skip("tracing is not permitted here")
    assert done.stdout.count("said") == 8, done.stderr
    syncs, between = 0, []
    for line in (tmp_path / "calls").read_text().splitlines():
        syncs += "sync(" in line
        if 'write(1, "said' in line:
            between.append(syncs)
            syncs = 0
    assert len(between) == 8 and between[1:] == [1] * 7 and between[0] >= 1


# --- tampering is noticed ---


def tampered(chance: random.Random, raw: sqlite3.Connection, size: int) -> str:
    """Edit, cut or swap something; returns what was done."""
    act = chance.choice(["text", "number", "delete", "swap", "cut", "move", "invent", "forge"])
    seq, other = chance.sample(range(1, size), 2)
    if act == "text":
        column = chance.choice(["id", "boot", "kind", "body", "prev_hash", "hash"])
        (was,) = raw.execute(f"SELECT {column} FROM journal WHERE seq = ?", (seq,)).fetchone()
        at = chance.randrange(len(was))
        letter = chance.choice([c for c in 'a0:"\n电 ' if c != was[at]])
        raw.execute(f"UPDATE journal SET {column} = ? WHERE seq = ?", (was[:at] + letter + was[at + 1 :], seq))
    elif act == "number":
        column = chance.choice(["at", "mono_ns"])
        raw.execute(f"UPDATE journal SET {column} = {column} + ? WHERE seq = ?", (chance.choice([-1, 1, 10**6]), seq))
        if chance.random() < 0.3:
            raw.execute("UPDATE journal SET trusted = 1 - trusted WHERE seq = ?", (seq,))
    elif act == "delete":
        raw.execute("DELETE FROM journal WHERE seq = ?", (seq,))
    elif act == "cut":
        raw.execute("DELETE FROM journal WHERE seq > ?", (seq,))
    elif act == "swap":
        raw.execute("UPDATE journal SET seq = 100000 WHERE seq = ?", (seq,))
        raw.execute("UPDATE journal SET seq = ? WHERE seq = ?", (seq, other))
        raw.execute("UPDATE journal SET seq = ? WHERE seq = 100000", (other,))
    elif act == "move":
        raw.execute("UPDATE journal SET seq = ? WHERE seq = ?", (size + 1, seq))
    elif act == "forge":  # With a right hash of its own, and the next entry made to point at it.
        seq = chance.randrange(1, size)
        row = list(raw.execute("SELECT * FROM journal WHERE seq = ?", (seq,)).fetchone())
        row[7] = row[7].replace("entry", "forged")
        digest = hash_of(*row[:-1])
        raw.execute("UPDATE journal SET body = ?, hash = ? WHERE seq = ?", (row[7], digest, seq))
        raw.execute("UPDATE journal SET prev_hash = ? WHERE seq = ?", (digest, seq + 1))
    else:
        raw.execute(
            "INSERT INTO journal SELECT ?, 'invented', at, boot, mono_ns, trusted, kind, body, hash, hash "
            "FROM journal WHERE seq = ?",
            (size + 1, size),
        )
    return f"{act} {seq} {other}"


def test_two_hundred_edits_of_the_file_are_all_noticed(opened: Callable[..., Book], tmp_path: Path) -> None:
    """Somebody edits the card with a database tool, triggers removed: every edit, cut, swap or invention shows (99)."""
    book = opened()
    for number in range(1, 31):
        book.append(note(2 * number, amount_nano=number), note(2 * number + 1, name="锦绣"))
    size, newest = book.seq, book.hash
    book.close()
    raw = sqlite3.connect(tmp_path / "book.db", isolation_level=None)
    read = "SELECT * FROM journal ORDER BY seq"
    assert trouble(raw.execute(read).fetchall(), newest) is None
    chance = random.Random(99)
    for _ in range(200):
        raw.execute("BEGIN")
        raw.execute("DROP TRIGGER journal_keeps")
        raw.execute("DROP TRIGGER journal_stays")
        what = tampered(chance, raw, size)
        assert trouble(raw.execute(read).fetchall(), newest) is not None, what
        raw.execute("ROLLBACK")
    assert trouble(raw.execute(read).fetchall(), newest) is None
    raw.close()


# --- opening ---


def test_a_missing_book_is_never_begun_in_silence(opened: Callable[..., Book], tmp_path: Path) -> None:
    """The file is gone but the marker says that there was a book: refuse and name the option (43)."""
    opened().close()
    for leftover in tmp_path.glob("book.db*"):
        leftover.unlink()
    with pytest.raises(BookError, match="--begin-anew"):
        opened()
    assert not (tmp_path / "book.db").exists()
    assert opened(begin_anew=True).seq == 0


def test_an_emptied_book_is_never_begun_in_silence(opened: Callable[..., Book], tmp_path: Path) -> None:
    """The file is there but empty, or a database of something else: refuse as well (43)."""
    opened().close()
    for leftover in tmp_path.glob("book.db*"):
        leftover.unlink()
    (tmp_path / "book.db").touch()
    with pytest.raises(BookError, match=r"empty.*--begin-anew"):
        opened()
    assert opened(begin_anew=True).append(note(1))[0].seq == 1


def test_a_second_edge_on_the_same_book_refuses(opened: Callable[..., Book]) -> None:
    """Service and shell, old and new: the second one to open the book stops with a sentence (48)."""
    first = opened()
    with pytest.raises(BookError, match="another edge"):
        opened("boot-2")
    first.append(note(1))
    first.close()
    assert opened("boot-3").seq == 1


def test_an_older_program_refuses_a_newer_book(opened: Callable[..., Book], tmp_path: Path) -> None:
    """A book of a later Riser is not touched; the sentence says which program to start (50)."""
    book = opened()
    book.append(note(1))
    book.close()
    raw = sqlite3.connect(tmp_path / "book.db")
    raw.execute(f"PRAGMA user_version={SCHEMA_VERSION + 1}")
    raw.close()
    with pytest.raises(BookError, match="newer Riser") as kept:
        opened()
    raw = sqlite3.connect(tmp_path / "book.db")
    assert raw.execute("SELECT count(*) FROM journal").fetchone() == (1,)
    raw.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
    raw.close()
    assert opened().seq == 1 and kept.value, "the refusal let go of the lock"


def test_a_book_of_before_is_newer_once_it_holds_newer_readings(opened: Callable[..., Book], tmp_path: Path) -> None:
    """A book of schema 1 is read and written; with the first readings of today's packing it is one of today's (50)."""
    opened().close()
    raw = sqlite3.connect(tmp_path / "book.db")
    raw.execute("PRAGMA user_version=1")
    raw.execute("INSERT INTO sweep VALUES (1, 5, ?)", (zlib.compress(b'[{"meter":"a206","read_at":1}]'),))
    raw.commit()
    book = opened()
    version = book._db.execute("PRAGMA user_version")
    assert version.fetchone() == (1,)
    book.add_sweep([{"meter": "a207", "read_at": 2}])
    book.save_sweeps(10)
    assert book._db.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,) == (2,)
    assert [rows[0]["meter"] for _, _, rows in book.sweeps(1, 9)] == ["a206", "a207"]
    raw.close()


def test_a_damaged_book_is_said_to_be_damaged(opened: Callable[..., Book], tmp_path: Path) -> None:
    """A file that is no database: one sentence that says to restore a backup, no crash, no new book (42)."""
    opened().close()
    (tmp_path / "book.db").write_bytes(b"not a database at all" * 400)
    with pytest.raises(BookError, match="restore a backup"):
        opened()
    assert (tmp_path / "book.db").read_bytes().startswith(b"not a database")


# --- telemetry and notes ---


def test_sweeps_keep_their_numbers_over_a_restart(opened: Callable[..., Book]) -> None:
    """Readings are numbered without a gap, after a restart too; what was trimmed does not free its number (I20)."""
    book = opened()
    rows = [{"meter": "a206", "read_at": 1, "energy_wh": 2}]
    assert [book.add_sweep(rows) for _ in range(5)] == [1, 2, 3, 4, 5] and book.unsaved_sweeps == 5
    book.save_sweeps(keep=2)
    assert [number for number, _, _ in book.sweeps(1, 100)] == [4, 5] and book.unsaved_sweeps == 0
    assert book.add_sweep(rows) == 6
    book.close()
    again = opened("boot-2")
    assert again.sweep_number == 5, "the sixth was never saved and never told"
    assert again.add_sweep(rows) == 6
    again.save_sweeps(keep=2)
    ((number, at, saved),) = again.sweeps(6, 1)
    assert (number, saved) == (6, rows) and at == 1_795_141_800_000_000


def test_a_book_that_was_restored_twice_trims_by_age_and_not_by_number(opened: Callable[..., Book]) -> None:
    """Each restore leaps over a thousand numbers: the newest stay, whatever they are numbered, and the oldest go."""
    book, rows = opened(), [{"meter": "a206", "read_at": 1}]
    for _ in range(2):
        for _ in range(10):
            book.add_sweep(rows)
        book.leap(1000)
    for _ in range(2):
        book.add_sweep(rows)
    book.save_sweeps(keep=8)  # The newest two, what the leap itself wrote, and at least five of before.
    left = [number for number, _, _ in book.sweeps(1, 10_000)]
    assert left[-8:] == [1016, 1017, 1018, 1019, 1020, 2020, 2021, 2022] and left[0] > 10, left


def test_a_note_that_cannot_be_written_spoils_nothing(opened: Callable[..., Book]) -> None:
    """A lazily saved number that is refused is not half saved, and the next payment is written as ever."""
    book = opened()
    with pytest.raises((sqlite3.Error, OverflowError)):
        book.save_notes({"seq": 7, "powered_s": 2**70})
    assert book.note("seq") == 0
    assert book.append(note(1))[0].seq == 1


def test_notes_are_kept(opened: Callable[..., Book]) -> None:
    """Cursors and powered time survive a restart; one that was never saved is zero."""
    book = opened()
    assert book.note("powered_s") == 0
    book.save_notes({"powered_s": 60, "seq": 7})
    book.save_notes({"powered_s": 120})
    book.close()
    again = opened("boot-2")
    assert (again.note("powered_s"), again.note("seq")) == (120, 7)
