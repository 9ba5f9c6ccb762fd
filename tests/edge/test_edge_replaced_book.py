"""The book of a replaced meter: derived again, explained and printed, and whoever alters it is named."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from edge.audit import explain, statement_text
from edge.audit.statement import statement
from edge.audit.verify import verify
from edge.audit.words import say
from tests.edge import forged
from tests.edge.swapping import ACCOUNT, ENGINEER, OLD_SERIAL, PAPERS, POINT, SERIAL, Swapping

LATE = datetime(2026, 11, 20, 15, 20, tzinfo=UTC)  # Friday 23:20 in Shanghai.


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One point gets a new meter, whose predecessor's display a person read; another one gets new transformers."""
    directory = tmp_path_factory.mktemp("replaced")
    shop = Swapping(directory, start=LATE)
    shop.run(minutes=10)
    heard = shop.live.sample.registers_wh
    shop.swap(watts=3000)
    shop.agree(shop.replace(closing={**heard, "total": heard["total"] + 50, "flat": heard["flat"] + 50}))
    shop.agree(shop.ask_to("change-multiplier", meter="a102", multiplier=40, **PAPERS))
    shop.run_until(lambda: len(shop.of("closing/1")) == 2, hours=2)
    shop.edge.shut()
    shop.edge.core.book.close()
    return directory


def seq_of(book: Path, kind: str, nth: int = 0) -> int:
    return [row[0] for row in forged.rows(book) if row[6] == kind][nth]


def explained(book: Path, capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert explain.main([*words, "--data", str(book)]) == 0
    return capsys.readouterr().out


def test_the_whole_book_is_true(book: Path) -> None:
    """Replacement and new multiplier are counted among what was checked."""
    report = verify(book)
    assert report.good and report.checked["meters replaced or multipliers changed"] == 2


LIES: dict[str, tuple[str, Callable[[dict[str, Any]], None]]] = {
    "another first register": ("replacement/1", lambda body: body["registers_wh"].update(total=0)),
    "another number": ("replacement/1", lambda body: body.update(serial="202611099999")),
    "another moment of the new one": (
        "replacement/1", lambda body: body.update(at="2026-11-20T15:45:00.000000+00:00")
    ),
    "another last register": ("replacement/1", lambda body: body["was"]["registers_wh"].update(total=1)),
    "another meter taken off": ("replacement/1", lambda body: body["was"].update(serial="202511080102")),
    "a multiplier slipped in": ("replacement/1", lambda body: body["row"].update(multiplier=2)),
    "one person alone": ("replacement/1", lambda body: body.update(approved_by=ENGINEER)),
    "nobody's proposal": ("replacement/1", lambda body: body.update(proposal="p-999")),
    "another multiplier": ("ratio/1", lambda body: body.update(multiplier=30)),
    "another multiplier before": ("ratio/1", lambda body: body.update(multiplier_before=2)),
    "another moment": ("ratio/1", lambda body: body.update(at="2026-11-20T15:00:00.000000+00:00")),
    "a register nobody read": (
        "charge/2", lambda body: body["end"]["registers_wh"].update(total=body["end"]["registers_wh"]["total"] + 10)
    ),
}  # fmt: skip


@pytest.mark.parametrize("lie", LIES)
def test_who_alters_it_is_named(book: Path, tmp_path: Path, lie: str) -> None:
    """Every hash was made anew behind the change, and still verify names the entry."""
    kind, change = LIES[lie]
    shutil.copytree(book, tmp_path / "copy")
    seq = seq_of(book, kind)
    forged.rechained(tmp_path / "copy", seq, change)
    report = verify(tmp_path / "copy")
    assert report.lie is not None and report.lie.seq == seq, report.lie


def test_an_approval_taken_away_is_named(book: Path, tmp_path: Path) -> None:
    """A decision that says no brings nothing about: the first entry that rests on it lies."""
    shutil.copytree(book, tmp_path / "copy")
    forged.rechained(tmp_path / "copy", seq_of(book, "decision/1"), lambda body: body.update(approved=False))
    report = verify(tmp_path / "copy")
    assert report.lie is not None and report.lie.seq == seq_of(book, "decision/1") + 1


def test_no_other_charge_ends_on_a_display(book: Path, tmp_path: Path) -> None:
    """A person's reading stands only where two people approved a replacement; a daily charge is no place for one."""
    shutil.copytree(book, tmp_path / "copy")
    nightly = next(row[0] for row in forged.rows(book) if row[1] == f"charge:{POINT}:2026-11-20")
    forged.rechained(tmp_path / "copy", nightly, lambda body: body["end"].update(source="display", frames=[]))
    report = verify(tmp_path / "copy")
    assert report.lie is not None and report.lie.seq == nightly


def test_it_is_explained_in_both_languages(book: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Both meters, both registers, how the last one was had, who proposed and approved, the papers; the charge of the
    old meter names the old one, that of the new one begins with the new one's own frames."""
    for language in ("en", "zh"):
        told = explained(book, capsys, str(seq_of(book, "replacement/1")), "--lang", language)
        for word in (OLD_SERIAL, SERIAL, "photos 12 and 13", ENGINEER, "王敏", say("display", language)):
            assert word in told, word
        ratio = explained(book, capsys, str(seq_of(book, "ratio/1")), "--lang", language)
        assert say("ratio-line", language, before=1, after=40) in ratio
    old = explained(book, capsys, str(seq_of(book, "charge/2")))
    assert OLD_SERIAL in old and "read off its display by a person" in old
    new = explained(book, capsys, f"charge:{POINT}:2026-11-20")
    assert SERIAL in new and "no raw frames" not in new


def test_the_statement_has_a_row_for_each_meter(book: Path) -> None:
    """Opening and closing register of the old meter and of the new one, each with what was used on it; both together
    are what was charged."""
    month = statement(book, ACCOUNT, "2026-11")
    assert month is not None and [each.meter for each in month.meters] == [POINT, POINT]
    old, new = month.meters
    assert old.closing is not None and new.opening is not None and new.closing is not None
    assert old.closing["source"] == "display" and new.opening["source"] == "opening"
    assert old.wh + new.wh == sum(each.quantity for each in month.sums if each.kind == "rate")
    assert statement_text.text_of(month, "en").count(f"  {POINT} total") == 2
    other = statement(book, "100102", "2026-11")
    assert other is not None and [each.multiplier for each in other.meters] == [1, 40]
