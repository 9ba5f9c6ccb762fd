"""`riser verify` finds what was touched and names it: one byte, one row, one number, with or without new hashes."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.contract.clock import ManualClock
from edge import model
from edge.audit import opened, quick
from edge.audit.beside import anchor_of
from edge.audit.lie import Report
from edge.audit.opened import Reader, Unreadable
from edge.audit.verify import NO_ANCHOR, lines_of, main, verify
from edge.book import Book
from edge.codec import dlt645
from edge.codec.dlt645 import Frame
from edge.live import registers_of
from edge.registry import Registry
from tests.bench.grown_book import Grown
from tests.edge import forged
from tests.edge.building import START, Building


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two meters over eight days, with top-ups and a registry."""
    directory = tmp_path_factory.mktemp("grown")
    book = Grown(directory, 2)
    book.grow(8)
    Registry(directory).refresh(book.state)
    book.book.save_notes({"entry_cursor": book.book.seq})
    book.book.close()
    return directory


@pytest.fixture
def book(grown: Path, tmp_path: Path) -> Path:
    """A copy that may be touched."""
    return Path(shutil.copytree(grown, tmp_path / "book"))


def seq_of(directory: Path, id: str) -> int:
    return next(row[0] for row in forged.rows(directory) if row[1] == id)


FEE = "fee:tm001:2016-01-05:kWh"
CHARGE = "charge:m001:2016-01-05"


def test_an_honest_book_is_true(book: Path) -> None:
    """Nothing was touched: everything is looked at, nothing is found, by `--data` as well as by its bare name."""
    assert main([str(book)]) == main(["--data", str(book)]) == 0
    report = verify(book)
    assert report.good, report.lie
    assert report.checked["charges priced again"] == report.checked["closings"] == report.checked["fees"] == 16
    assert report.checked["registers read again from raw frames"] == 18
    assert report.checked["rows of registry.json"] == 5


def test_what_a_touched_row_says_is_not_obeyed_by_a_terminal(book: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An id with control characters is told with escapes."""
    with forged.opened(book) as db:
        db.execute("UPDATE journal SET id = id || char(27) || '[2J' || char(8238) WHERE id = ?", (FEE,))
    assert main([str(book)]) == 1
    told = capsys.readouterr().out
    assert "\\x1b[2J\\u202e" in told and "\x1b" not in told and "\u202e" not in told


def test_what_the_edge_itself_wrote_is_true(tmp_path: Path) -> None:
    """The demo's whole shaft over a midnight, all protocols, with a payment, days the edge was off and a cut-off."""
    building = Building(tmp_path, poll_s=600, idle_s=20, start=START.replace(hour=15, minute=40))
    building.connect()
    building.run(minutes=5)
    building.topup("100206", 100_00)
    building.run(minutes=40)
    building.stop_edge()
    building.clock.advance(2 * 86_400)
    building.start_edge()
    building.run(minutes=40)
    report = verify(tmp_path)
    assert report.good, report.lie
    assert report.checked["charges priced again"] == len(building.of("charge/2")) > 40
    assert report.checked["top-ups"] == 1


@pytest.mark.parametrize("column", forged.COLUMNS)
@pytest.mark.parametrize("id", [FEE, "close:tm000:2016-01-02", "topup"])
def test_one_byte_of_any_column_names_its_entry(book: Path, column: str, id: str) -> None:
    """Whichever column somebody edits in the file, by a single byte, that entry is named."""
    seq = seq_of(book, "panel:top-m000-2016-01-05" if id == "topup" else id)
    place = forged.places(book, seq)[column]
    forged.flip(book, place.stop - 1)
    report = verify(book)
    assert report.lie is not None and report.lie.seq == seq, report.lie
    assert main([str(book)]) == 1


def test_any_byte_of_a_row_names_its_entry(book: Path) -> None:
    """Any bit of any byte of a row, also where it makes the row unreadable or a text no text."""
    seq, dice = seq_of(book, FEE), Random(7)
    found = forged.places(book, seq)
    first, last = found["id"].start, found["hash"].stop
    for _ in range(60):
        place, mask = dice.randrange(first, last), 1 << dice.randrange(8)
        forged.flip(book, place, mask)
        report = verify(book)
        assert report.lie is not None and report.lie.seq == seq, (place - first, mask, report.lie)
        forged.flip(book, place, mask)
    assert verify(book).good


def test_a_book_cut_at_its_end_is_noticed(book: Path) -> None:
    """The last entries are gone: the outbox's note, the registry or a printed statement knows of them."""
    newest = verify(book)
    with forged.opened(book) as db:
        db.execute("DELETE FROM journal WHERE seq > ?", (newest.seq - 3,))
    report = verify(book)
    assert report.lie is not None and report.lie.seq == newest.seq - 2 and "its end is missing" in report.lie.wrong
    with forged.opened(book) as db:
        db.execute("DELETE FROM note")
    assert verify(book).good, "without anything that knows of them nobody can tell"
    assert verify(book, anchor_of(f"{newest.seq}:{newest.hash[:16]}")).lie is not None
    with forged.opened(book) as db:
        db.execute("DELETE FROM journal WHERE seq > 4")
    report = verify(book)
    assert report.lie is not None and "registry.json knows" in report.lie.wrong


def test_an_anchor_tells_a_book_that_was_written_anew(book: Path) -> None:
    """A forger who makes every hash anew is found by one hash on paper."""
    honest = verify(book)
    anchor = anchor_of(f"{honest.seq}:{honest.hash}")
    assert verify(book, anchor).good
    assert lines_of(honest)[-1] == NO_ANCHOR and lines_of(verify(book, anchor))[-1] != NO_ANCHOR

    def renamed(fields: dict[str, Any]) -> None:
        fields["reference"] = "another"

    forged.rechained(book, seq_of(book, "panel:top-m001-2016-01-05"), renamed)
    assert verify(book).good, "a reference follows from nothing else in the book"
    report = verify(book, anchor)
    assert report.lie is not None and report.lie.seq == honest.seq and "anchor" in report.lie.expected


def test_a_removed_entry_and_two_swapped_ones_are_named(book: Path) -> None:
    """A row taken out of the middle is missing at its number; two that changed places lie from the first on."""
    seq = seq_of(book, FEE)
    with forged.opened(book) as db:
        db.execute("UPDATE journal SET seq = 9999 WHERE seq = ?", (seq,))
        db.execute("UPDATE journal SET seq = ? WHERE seq = ?", (seq, seq + 1))
        db.execute("UPDATE journal SET seq = ? WHERE seq = 9999", (seq + 1,))
    report = verify(book)
    assert report.lie is not None and report.lie.seq == seq
    with forged.opened(book) as db:
        db.execute("DELETE FROM journal WHERE seq = ?", (seq,))
    report = verify(book)
    assert report.lie is not None and report.lie.seq == seq


def test_a_missing_entry_is_called_missing(book: Path) -> None:
    """One row out of the middle: the sentence says that it is missing, not that its neighbour lies."""
    seq = seq_of(book, FEE)
    with forged.opened(book) as db:
        db.execute("DELETE FROM journal WHERE seq = ?", (seq,))
    report = verify(book)
    assert report.lie is not None and report.lie.seq == seq and "missing" in report.lie.wrong


Change = Callable[[dict[str, Any]], None]


def put(*path: Any) -> Change:
    """Put the last value at the place named before it; a number is added to."""
    *way, value = path

    def change(fields: dict[str, Any]) -> None:
        inner: Any = fields
        for key in way[:-1]:
            inner = inner[key]
        old = inner[way[-1]]
        inner[way[-1]] = old + value if type(value) is int and type(old) is int else value

    return change


LIES: list[tuple[str, Change, str]] = [
    (CHARGE, put("lines", 0, "price_micro", 1), "line 1 (flat), price_micro"),
    (CHARGE, put("lines", 1, "wh", 10), "line 2 (peak), wh"),
    (CHARGE, put("lines", 2, "amount_nano", 1), "line 3 (sharp), amount_nano"),
    (CHARGE, lambda fields: fields["lines"].pop(), "number of its lines"),
    (CHARGE, put("amount_nano", 1), "its amount_nano"),
    (CHARGE, put("moves", 0, "amount_nano", -1), "its moves"),
    (CHARGE, put("moves", 0, "to", "till:cash"), "its moves"),
    (CHARGE, put("moves", 0, "amount_nano", -(10**15)), "it moves -"),
    (CHARGE, put("balance_after_nano", 1), "its balance_after_nano"),
    (CHARGE, put("multiplier", 1), "its multiplier"),
    (CHARGE, put("start", "registers_wh", "total", -10), "where it starts"),
    (CHARGE, put("start", "source", "estimate"), "where it starts"),
    (CHARGE, put("end", "registers_wh", "total", 10), "its end, by its registers"),
    (CHARGE, put("end", "frames", []), "keeps no raw frames"),
    (CHARGE, put("end", "frames", 1, 1, "68"), "cannot be read"),
    (CHARGE, put("end", "at", "2016-01-05T15:40:00.000000+00:00"), "froze the registers"),
    (CHARGE, put("tariff_name", "billig"), "its price"),
    (CHARGE, put("version", 1), "its price"),
    (CHARGE, put("counter_before", "used_wh", 5), "its step counter before"),
    (CHARGE, put("counter", "used_wh", 5), "its step counter after"),
    (CHARGE, put("wh", 10), "its wh"),
    (CHARGE, put("days", 1), "its days"),
    (CHARGE, put("date", "2016-01-06"), "its id"),
    (CHARGE, put("by", "borders"), "hours are told apart"),
    (CHARGE, put("guessed", ["estimate"]), "guessed"),
    (CHARGE, put("meter", "m000"), "does not belong"),
    (CHARGE, put("meter", "m777"), "there is no meter"),
    (FEE, put("amount_nano", 1), "its amount_nano"),
    (FEE, put("date", "2016-01-06"), "its id"),
    ("close:tm001:2016-01-05", put("opening_nano", 1), "its opening_nano"),
    ("close:tm001:2016-01-05", put("closing_nano", 1), "its closing_nano"),
    ("close:tm001:2016-01-05", put("charges", []), "names as charges"),
    ("close:tm001:2016-01-05", put("fees", []), "names as fees"),
    ("close:tm001:2016-01-05", put("date", "2016-01-06"), "its id"),
    ("panel:top-m001-2016-01-05", put("amount_fen", 1), "what it moves"),
    ("panel:top-m001-2016-01-05", put("method", "card"), "what it moves"),
    ("panel:top-m001-2016-01-05", put("receipt", "20160105-m000"), "its receipt"),
    ("panel:top-m001-2016-01-05", put("account", "tm000"), "what it moves"),
    ("panel:top-m001-2016-01-05", lambda fields: fields.pop("amount_fen"), "does not say what its kind must say"),
    ("meter:m001:1", put("address", "000000000000"), "has its address"),
    ("opening:m001:7", put("registers_wh", "total", 10), "by its registers"),
]


@pytest.mark.parametrize(("id", "change", "told"), LIES, ids=[f"{id.split(':')[0]}-{told}" for id, _, told in LIES])
def test_a_lie_with_new_hashes_is_named_by_what_is_wrong(book: Path, id: str, change: Change, told: str) -> None:
    """A forger who changes a number and makes every hash anew: what follows from registers and prices says so."""
    seq = seq_of(book, id)
    forged.rechained(book, seq, change)
    report = verify(book)
    assert report.lie is not None and report.lie.seq == seq and told in report.lie.wrong, report.lie


def test_a_price_changed_afterwards_is_found_at_the_first_charge_under_it(book: Path) -> None:
    """The price itself was edited and every hash made anew: the first charge under it no longer follows."""
    forged.rechained(book, seq_of(book, "tariff:shop:1"), put("prices_micro", "peak", 1))
    report = verify(book)
    assert report.lie is not None and report.lie.id == "charge:m000:2016-01-01"
    assert "line 2 (peak), price_micro" in report.lie.wrong


def test_what_stands_beside_the_book_is_compared(book: Path) -> None:
    """The registry says another price than the book, or the guards of the table are gone: both are told."""
    path = book / "registry.json"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace('"multiplier": 21', '"multiplier": 20'), encoding="utf-8")
    report = verify(book)
    assert report.lie is not None and report.lie.id == "registry.json, meters, m001"
    path.unlink()
    report = verify(book)
    assert report.good and "registry.json" in report.remarks[0]
    db = sqlite3.connect(book / "book.db")
    db.execute("DROP TRIGGER journal_keeps")
    db.close()
    report = verify(book)
    assert report.lie is not None and "journal_keeps" in report.lie.wrong


def test_the_edge_goes_on_while_its_book_is_verified(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader in the middle of the book keeps nobody waiting: entries are written and the WAL is taken in."""
    book = Grown(tmp_path, 1)
    book.grow(3)
    monkeypatch.setattr(opened, "BATCH", 2)
    reader = Reader(tmp_path)
    rows = reader.rows()
    assert [next(rows)[0], next(rows)[0]] == [1, 2]
    book.grow(1)
    busy, _, _ = book.book._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    assert busy == 0, "the reader stood in the way of a checkpoint"
    assert [row[0] for row in rows][:3] == [3, 4, 5]
    reader.close()
    assert verify(tmp_path).good
    book.book.close()


def test_reading_leaves_nothing_behind(book: Path) -> None:
    """Nothing is written: the directory holds the same files with the same bytes."""
    before = {path.name: path.read_bytes() for path in book.iterdir()}
    assert verify(book).good
    assert {path.name: path.read_bytes() for path in book.iterdir()} == before


def test_what_is_no_book_is_told_apart_from_a_lie(
    tmp_path: Path, book: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2 where there is no book to read, 1 where one lies, 0 where it is true; with JSON for programs."""
    with pytest.raises(Unreadable):
        verify(tmp_path / "nowhere")
    (tmp_path / "book.db").write_bytes(b"this is no database, and long enough to be looked at" * 20)
    assert main([str(tmp_path), "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["good"] is False
    assert main([str(book), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["good"] is True and told["lie"] is None and len(told["hash"]) == 64
    assert main([str(book), "--anchor", "rubbish"]) == 2


def test_unknown_kinds_are_told_not_called_lies(tmp_path: Path) -> None:
    """A kind of a newer Riser is chained and counted; what it means this program does not know, and says so."""
    book = Book(tmp_path, ManualClock(START), "boot-1")
    book.append(("genesis/1", "genesis", {"gateway": "g", "zone": "Asia/Shanghai"}), ("newer/7", "n:2", {"x": 1}))
    book.close()
    report: Report = verify(tmp_path)
    assert report.good and any("newer/7" in line for line in lines_of(report))


def test_frames_of_another_meter_are_no_proof(book: Path) -> None:
    """Whole frames that say the right registers, but come from the neighbour's meter: the charge is named."""
    seq = seq_of(book, CHARGE)

    def borrowed(fields: dict[str, Any]) -> None:
        for exchange in fields["end"]["frames"]:
            frame = dlt645.decode(bytes.fromhex(exchange[1]))
            exchange[1] = dlt645.encode(replace(frame, address="000000000000"), 0).hex()

    forged.rechained(book, seq, borrowed)
    report = verify(book)
    assert report.lie is not None and report.lie.seq == seq and "do not come from meter m001" in report.lie.wrong


@settings(max_examples=300, deadline=None)
@given(st.binary(min_size=0, max_size=24), st.sampled_from([0, 4]), st.integers(0, 40), st.integers(0, 255))
def test_the_quick_reader_reads_as_the_model_does(values: bytes, preamble: int, place: int, mask: int) -> None:
    """Any value bytes, wake-up bytes and one damaged byte: quick says the same as the model, or leaves it to it."""
    kind = model.load("dlt645-3p")
    for name in ("freeze-energy", "energy"):
        data = dlt645.decode(kind.ask(name, "000000000001", 1)).data[:4]
        raw = bytearray(dlt645.encode(Frame("000000000001", 0x91, data + values), preamble))
        raw[place % len(raw)] ^= mask
        found = quick.registers(kind.id, name, raw.hex())
        if found is not None:
            assert found == registers_of(kind.values(name, bytes(raw), UTC))
        elif mask == 0:
            digits = values[:20].hex()
            assert len(values) < 20 or not digits.isdecimal()
