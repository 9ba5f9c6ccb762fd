"""Vouchers carry what is less than a fen: all fen posted are the floor of the exact sum, and no cell is a formula."""

from __future__ import annotations

import csv
import re
import zipfile
from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from xml.etree import ElementTree
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.contract.units import NANO_PER_FEN
from edge.audit import sheets
from edge.audit.posting import Voucher, safe, vouchers
from edge.audit.vouchers import main
from edge.book import Entry, canonical
from tests.bench.grown_book import Grown

ZONE = ZoneInfo("Asia/Shanghai")
SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def entry(seq: int, giver: str, taker: str, amount: int) -> Entry:
    body = canonical({"account": "a", "moves": [{"from": giver, "to": taker, "amount_nano": amount}]})
    return Entry(seq, f"charge:m:{seq}", 1_450_000_000_000_000, "b", 0, True, "charge/2", body, "", "")


SIDES = st.sampled_from(["account:a", "account:b", "income:energy", "income:fees", "till:cash"])


@given(st.lists(st.tuples(SIDES, SIDES, st.integers(1, 3 * 10**9)).filter(lambda row: row[0] != row[1]), max_size=40))
def test_the_fen_posted_are_the_floor_of_the_exact_sum(moves: list[tuple[str, str, int]]) -> None:
    """For each pair of accounts, after every posting: nothing is lost, less than a fen is open, and it is shown."""
    exact: dict[tuple[str, str], int] = defaultdict(int)
    posted: dict[tuple[str, str], int] = defaultdict(int)
    left: dict[tuple[str, str], int] = defaultdict(int)
    entries = [entry(seq, *row) for seq, row in enumerate(moves, 1)]
    for found, (giver, taker, amount) in zip(vouchers(entries, ZONE, "en"), moves, strict=True):
        pair = giver, taker
        assert (found.debit, found.credit) == pair and found.before_nano == left[pair]
        exact[pair] += amount
        posted[pair] += found.fen
        left[pair] = found.after_nano
        assert posted[pair] == exact[pair] // NANO_PER_FEN
        assert found.after_nano == exact[pair] - posted[pair] * NANO_PER_FEN


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("vouchers")
    grown = Grown(directory, 2)
    grown.grow(8)
    grown.book.close()
    return directory


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_days_asked_for_are_the_same_vouchers(book: Path, tmp_path: Path) -> None:
    """A window of days gives the very rows that the whole book gives for them: residues are counted from the start."""
    whole, part = tmp_path / "whole.csv", tmp_path / "part.csv"
    assert main([str(whole), "--data", str(book)]) == 0
    assert main([str(part), "--from", "2016-01-04", "--to", "2016-01-05", "--data", str(book)]) == 0
    expected = [row for row in rows_of(whole) if "2016-01-04" <= row["Date"] <= "2016-01-05"]
    assert rows_of(part) == expected and len(expected) == 10
    assert len(rows_of(whole)) == 2 * 8 * 2 + 2
    assert whole.read_bytes().startswith(b"\xef\xbb\xbf") and whole.read_bytes().endswith(b"\r\n")


def test_a_top_up_debits_the_till_and_credits_the_tenant(book: Path, tmp_path: Path) -> None:
    """The sides are an accountant's: cash comes in on the left, what is owed to the tenant grows on the right."""
    path = tmp_path / "v.csv"
    assert main([str(path), "--data", str(book)]) == 0
    (row,) = [row for row in rows_of(path) if row["Reference"] == "panel:top-m001-2016-01-05"]
    assert (row["Debit account"], row["Credit account"]) == ("till:cash", "account:tm001")
    assert (row["Posted, yuan"], row["Residue after, yuan"]) == ("500.00", "0.00")
    assert re.search(r" 20160105-\d{6}$", row["Text"]), "the receipt's number"


EVIL = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\0=1", " =1", "＝1", '=HYPERLINK("http://x")', "'=1"]


def evil() -> Iterator[Voucher]:
    for text in EVIL:
        yield Voucher(date(2026, 1, 1), text, text, 123456, 1234567891234, 0, 7891234, text, text)


def cells_of(path: Path) -> list[dict[str, tuple[str, str]]]:
    """(type, value) by column of each row, out of the workbook's own XML."""
    with zipfile.ZipFile(path) as archive:
        sheet = ElementTree.fromstring(archive.read("xl/worksheets/sheet1.xml"))
    assert not list(sheet.iter(f"{SHEET}f")), "a formula"
    assert not list(sheet.iter(f"{SHEET}hyperlink")), "a link"
    found = []
    for row in sheet.iter(f"{SHEET}row"):
        found.append({
            cell.attrib["r"].rstrip("0123456789"): (cell.attrib.get("t", "n"), "".join(cell.itertext()))
            for cell in row.iter(f"{SHEET}c")
        })  # fmt: skip
    return found


def test_no_cell_is_a_formula(tmp_path: Path) -> None:
    """Whatever a name or a reference begins with, a spreadsheet shows it and computes nothing (failure 91)."""
    sheets.write_csv(tmp_path / "evil.csv", evil(), "en")
    for row in rows_of(tmp_path / "evil.csv"):
        for name in ("Debit account", "Credit account", "Reference", "Text"):
            assert row[name].startswith("'"), row[name]
    sheets.write_xlsx(tmp_path / "evil.xlsx", evil(), "en")
    rows = cells_of(tmp_path / "evil.xlsx")
    assert len(rows) == len(EVIL) + 1
    for row in rows[1:]:
        assert [row[column][0] for column in "BCEF"] == ["inlineStr"] * 4
        assert all(row[column][1].lstrip("_x0Dd9A").startswith("'") for column in "BCEF"), row
        assert row["D"] == ("n", "1234.56")
    assert safe("account:a") == "account:a"


def test_the_workbook_says_what_the_csv_says(book: Path, tmp_path: Path) -> None:
    """Both files hold the same vouchers; amounts are numbers in the workbook."""
    assert main([str(tmp_path / "v.csv"), "--data", str(book)]) == 0
    assert main([str(tmp_path / "v.xlsx"), "--data", str(book)]) == 0
    listed, sheet = rows_of(tmp_path / "v.csv"), cells_of(tmp_path / "v.xlsx")
    assert len(sheet) == len(listed) + 1
    for row, cells in zip(listed, sheet[1:], strict=True):
        texts = [value for _, value in cells.values()]
        for n, told in enumerate(row.values()):
            assert texts[n] == told or (n in sheets.FIGURES and texts[n] == told.rstrip("0").rstrip(".")), (row, texts)


def test_what_cannot_be_written_is_told(book: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No folder, no book, no form: one sentence each, and no half file is left."""
    assert main([str(tmp_path / "no" / "v.csv"), "--data", str(book)]) == 1
    assert main([str(tmp_path / "v.csv"), "--data", str(tmp_path)]) == 2
    for words in (["v.txt"], ["v.csv", "--from", "yesterday"], ["v.csv", "--from", "2016-02-01", "--to", "2016-01-01"]):
        with pytest.raises(SystemExit) as ended:
            main([*words, "--data", str(book)])
        assert ended.value.code == 2
    assert "no day" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
