"""A month on paper begins where the last one ended; its sums are its postings; it names the newest hash of the book."""

from __future__ import annotations

import itertools
import re
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

import pytest

from bridge.contract.month import month_of
from edge.audit import statement_page, statement_text
from edge.audit.beside import anchor_of
from edge.audit.month import Month
from edge.audit.statement import main, statement
from edge.audit.verify import verify
from tests.bench.grown_book import Grown
from tests.edge import forged
from tests.edge.money_desk import MoneyDesk

ACCOUNT = "tm001"


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two tenants from new year to the third of April."""
    directory = tmp_path_factory.mktemp("months")
    grown = Grown(directory, 2)
    grown.grow(93)
    grown.book.close()
    return directory


def of(book: Path, month: str, account: str = ACCOUNT) -> Month:
    found = statement(book, account, month)
    assert found is not None
    return found


def test_months_follow_on_each_other(book: Path) -> None:
    """Money and registers of each month begin with what the one before ended with; the last ends with the balance."""
    months = [of(book, f"2016-0{n}") for n in range(1, 5)]
    assert months[0].opening_nano == 0
    for before, after in itertools.pairwise(months):
        assert after.opening_nano == before.closing_nano
        assert before.meters[0].closing is not None and after.meters[0].opening is not None
        assert after.meters[0].opening["registers_wh"] == before.meters[0].closing["registers_wh"]
    closing = max((row for row in forged.rows(book) if row[1].startswith(f"close:{ACCOUNT}:")), key=lambda row: row[0])
    assert f'"closing_nano":{months[-1].closing_nano}' in closing[7]


def test_the_sums_are_the_postings(book: Path) -> None:
    """What rates, steps, surcharges and fees come to is what was taken; registers x multiplier is what was used."""
    month = of(book, "2016-02")
    assert sum(each.amount_nano for each in month.sums) == month.out_nano
    assert month.closing_nano == month.opening_nano + month.in_nano - month.out_nano
    assert [each.day for each in month.postings if each.kind == "charge"] == [
        date(2016, 2, 1) + timedelta(days=n) for n in range(29)
    ]
    assert [each.amount_nano for each in month.postings if each.kind == "topup"] == [500 * 10**9]
    (meter,) = month.meters
    assert meter.opening is not None and meter.closing is not None
    totals = meter.closing["registers_wh"]["total"] - meter.opening["registers_wh"]["total"]
    assert meter.wh == totals * meter.multiplier
    assert meter.wh == sum(each.quantity for each in month.sums if each.kind == "rate")
    assert {each.kind for each in month.sums} == {"rate", "step", "surcharge", "fee"}
    assert all(each.quantity * each.price_micro == each.amount_nano for each in month.sums if each.kind != "fee")


def test_the_next_tenants_opening_is_not_on_the_statement_of_who_left(tmp_path: Path) -> None:
    """One tenant leaves in the middle of a month and another moves in: each statement has that tenant's own registers
    and use, whatever was opened before, after, or in a later month."""
    desk = MoneyDesk(tmp_path)
    desk.opened("m1", 1000)
    desk.topup("101", 100)
    desk.clock.advance(3600)
    desk.reads("m1", 12_345)
    desk.agreed("settle", account="101", method="cash", papers="photo 88", why="contract ended")
    row = {**desk.core.state.accounts["101"].row, "account": "103", "since": desk.clock.now().isoformat()}
    desk.core.append(("account/1", "account:103", row))
    mark = {"registers_wh": {"total": 12_400}, "at": desk.clock.now().isoformat(), "source": "opening"}
    desk.core.append(("opening/1", "opening:m1:2", {"meter": "m1", "serial": "1" * 12, "frames": [], **mark}))
    desk.book.close()
    (old,), (new,) = (of(tmp_path, "2026-11", account).meters for account in ("101", "103"))
    assert old.opening is not None and old.closing is not None and new.opening is not None
    assert (old.opening["registers_wh"], old.closing["registers_wh"]) == ({"total": 1000}, {"total": 12_345})
    assert (old.wh, new.opening["registers_wh"], new.closing, new.wh) == (11_345, {"total": 12_400}, None, 0)
    assert of(tmp_path, "2026-10", "103").meters == []


def test_a_month_that_is_not_over_says_so(book: Path) -> None:
    """Days that are not closed yet are no zeroes: the statement says through which day it goes."""
    text = statement_text.text_of(of(book, "2016-04"), "en")
    assert "closed through 2016-04-02" in text
    assert "closed through" not in statement_text.text_of(of(book, "2016-03"), "en")


def test_its_hash_is_an_anchor(book: Path) -> None:
    """The hash on the paper is the book's newest, and `riser verify` takes it as it is printed."""
    text = statement_text.text_of(of(book, "2016-03"), "zh")
    printed = re.search(r"--anchor (\S+)", text)
    assert printed is not None and verify(book, anchor_of(printed[1])).good


def test_the_page_stands_alone_in_both_languages(book: Path) -> None:
    """One file without anything from outside; every figure of the text is on it, and both languages of each word."""
    month = of(book, "2016-02")
    page = statement_page.page(month)
    assert not re.search(r"https?:|src=|@import|url\(", page)
    assert "@page { size: A4" in page and statement_page.SPLIT not in page
    for posting in month.postings:
        assert f">{posting.seq}<" in page
    for word in ("Every posting", "逐笔明细", "Opening register", "期初示数", "step 3, added", "第 3 阶梯加价"):
        assert word in page


def test_a_name_cannot_become_part_of_the_page(tmp_path: Path) -> None:
    """A tenant's name with markup in it is shown as it was written."""
    grown = Grown(tmp_path, 1)
    grown.grow(1)
    grown.book.close()

    def renamed(fields: dict[str, object]) -> None:
        fields["name"] = "<script>alert(1)</script>&"

    seq = next(row[0] for row in forged.rows(tmp_path) if row[6] == "account/1")
    forged.rechained(tmp_path, seq, renamed)
    page = statement_page.page(of(tmp_path, "2016-01", "tm000"))
    assert "<script" not in page and "&lt;script&gt;alert(1)&lt;/script&gt;&amp;" in page


def test_the_verb_writes_and_refuses(book: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A page is written where it was asked for; no such account, month, book or folder each has its sentence."""
    out = tmp_path / "page.html"
    assert main([ACCOUNT, "--month", "2016-02", "--html", str(out), "--data", str(book)]) == 0
    assert out.read_text(encoding="utf-8").endswith("</html>\n")
    assert main(["nobody", "--month", "2016-02", "--data", str(book)]) == 1
    assert main([ACCOUNT, "--month", "2016-13", "--data", str(book)]) == 2
    assert main([ACCOUNT, "--month", "2016-02", "--data", str(tmp_path)]) == 2
    assert main([ACCOUNT, "--month", "2016-02", "--html", str(tmp_path / "no" / "x.html"), "--data", str(book)]) == 1
    assert "there is no account 'nobody'" in capsys.readouterr().err


def test_the_last_whole_month_is_meant_where_none_is_named(book: Path) -> None:
    """On the third of April that is March, in January it is December of the year before."""
    found = statement(book, ACCOUNT, None, today=date(2016, 4, 3))
    assert found is not None and (found.first, found.last) == month_of("2016-03")
    found = statement(book, ACCOUNT, None, today=date(2017, 1, 31))
    assert found is not None and found.first == date(2016, 12, 1) and found.last == date(2016, 12, 31)


def test_a_tenancy_of_this_month_has_its_own_statement(book: Path) -> None:
    """There was no tenant in the last whole month, so an empty page of it would tell nobody anything."""
    found = statement(book, ACCOUNT, None, today=date(2016, 1, 20))
    assert found is not None and (found.first, found.last) == month_of("2016-01") and found.postings


def test_the_front_door_knows_the_four_verbs() -> None:
    """explain, verify, statement and vouchers are verbs of `riser`, each with its help and its exit codes."""

    root = Path(__file__).parents[2]
    for verb in ("explain", "verify", "statement", "vouchers"):
        done = subprocess.run(
            [sys.executable, "riser.py", verb, "--help"], cwd=root, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0 and "exit codes:" in done.stdout, done.stderr
