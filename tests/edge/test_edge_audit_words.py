"""What is typed at `riser verify`, `explain`, `statement`, `vouchers`: a sentence at worst, and never a lost file."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from edge.audit import explain, statement, verify, vouchers
from edge.audit.verify import verify as verified
from tests.bench.grown_book import Grown
from tests.edge import forged


@pytest.fixture
def book(tmp_path: Path) -> Path:
    """One meter over three days."""
    grown = Grown(tmp_path / "data", 1)
    grown.grow(3)
    grown.book.close()
    return tmp_path / "data"


def files(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir()}


def page(path: Path, book: Path) -> int:
    return statement.main(["tm000", "--month", "2016-01", "--html", str(path), "--data", str(book)])


def test_a_lie_is_told_to_programs_too(book: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With --json the entry that lies is named in the object, and the exit code is 1."""
    seq = next(row[0] for row in forged.rows(book) if row[6] == "closing/1")
    forged.rechained(book, seq, lambda fields: fields.update(closing_nano=1))
    assert verify.main([str(book), "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["good"] is False and told["lie"]["seq"] == seq and told["lie"]["expected"]


def test_a_file_that_is_something_else_is_not_replaced(book: Path, tmp_path: Path) -> None:
    """Neither the book, what lies beside it, nor a file of another kind becomes a page or a table by a slip of the
    pen; a device is no file to write to either."""
    notes, linked, pipe = tmp_path / "notes.txt", tmp_path / "linked.html", tmp_path / "pipe.csv"
    notes.write_text("mine")
    os.mkfifo(pipe)
    linked.symlink_to(book / "book.db")
    before = files(book)
    for path in (book / "book.db", book / "book.lock", book / "book.db-wal", notes, linked, pipe):
        assert page(path, book) == 1
        assert vouchers.main([str(path), "--csv", "--data", str(book)]) == 1
        assert vouchers.main([str(path), "--xlsx", "--data", str(book)]) == 1
    assert files(book) == before and notes.read_text() == "mine" and pipe.is_fifo()
    assert linked.is_symlink() and verified(book).good


def test_what_was_there_of_the_same_kind_is_replaced_and_nothing_else(book: Path, tmp_path: Path) -> None:
    """A second run replaces the first one's file, and no other file beside it."""
    kept = tmp_path / "v.csv.new"
    kept.write_text("mine")
    for name in ("v.csv", "v.xlsx", "v.CSV"):
        for _ in range(2):
            assert vouchers.main([str(tmp_path / name), "--data", str(book)]) == 0
    for _ in range(2):
        assert page(tmp_path / "p.htm", book) == 0
    assert kept.read_text() == "mine"
    assert {path.name for path in tmp_path.iterdir()} == {"data", "v.csv", "v.csv.new", "v.xlsx", "v.CSV", "p.htm"}


@pytest.mark.parametrize("form", ["--csv", "--xlsx"])
@pytest.mark.parametrize("name", ["", "/", "..", "nowhere/v.csv"])
def test_a_place_that_cannot_be_written_is_told(
    book: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str,
    form: str,
) -> None:  # fmt: skip
    """A directory, the root of the disk, a directory that is not there: exit code 1, one sentence, nothing left."""
    monkeypatch.chdir(tmp_path)
    assert vouchers.main([name, form, "--data", str(book)]) == 1
    assert capsys.readouterr().err.count("\n") == 1
    assert {path.name for path in tmp_path.iterdir()} == {"data"}


@pytest.mark.parametrize("entry", ["9" * 19, "9" * 30, "9" * 5000, "２", "²", "\udcff", "4\n", "-1", "", "'; --"])
def test_an_entry_that_is_none_is_told(book: Path, entry: str) -> None:
    """A number beyond every book, another script's digits, half a character: there is no such entry."""
    assert explain.main([entry, "--data", str(book)]) == 1


@pytest.mark.parametrize(
    "text",
    [
        '{"folded":{"1":{"seq":SEQ,"epoch":"EPOCH"}},"meters":[]}',
        '{"folded":{"1":{"seq":SEQ,"epoch":"EPOCH"}},"accounts":5}',
        '{"folded":{"1":{"seq":1e999,"epoch":"EPOCH"}}}', '{"folded":{"1":[]}}', "[" * 100_000, "[]", "\0", "{}",
    ],
)  # fmt: skip
def test_a_registry_that_is_none_is_no_lie_of_the_book(book: Path, text: str) -> None:
    """Whatever stands in registry.json, the book is judged; the file is only remarked on: the edge makes it anew."""
    rows = forged.rows(book)
    installed = max(row[0] for row in rows if row[6] in ("account/1", "meter/1", "tariff/2"))
    text = text.replace("EPOCH", json.loads(rows[0][7])["epoch"]).replace("SEQ", str(installed))
    (book / "registry.json").write_text(text)
    report = verified(book)
    assert report.good and "registry.json" in report.remarks[0], report.lie


def test_a_month_and_a_day_that_are_none_are_told(book: Path) -> None:
    """Exit code 2 and a sentence, and no file."""
    page = book.parent / "p.html"
    for month in ("2016-13", "0000-01", "9999-12", "２０１６-01", "2016-01-01", "2016-W1", "2016-01\n", ""):
        assert statement.main(["tm000", "--month", month, "--html", str(page), "--data", str(book)]) == 2
    for day in ("2016-13-01", "２０１６-01-01", "now", ""):
        with pytest.raises(SystemExit, match="2"):
            vouchers.main([str(book.parent / "v.csv"), "--from", day, "--data", str(book)])
    assert {path.name for path in book.parent.iterdir()} == {"data"}
