"""A long book is read by two processes: together they look at the same, and a lie is named as by one alone."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from edge.audit import halves
from edge.audit.verify import verify
from tests.bench.grown_book import Grown
from tests.edge import forged

METERS = 6


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("halves")
    book = Grown(directory, METERS)
    book.grow(4)
    book.book.close()
    return directory


@pytest.fixture
def by_two(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every book is long, and there are two processors."""
    monkeypatch.setattr(halves, "LONG", 1)
    monkeypatch.setattr(halves.os, "cpu_count", lambda: 2)


def dearer(fields: dict[str, Any]) -> None:
    fields["lines"][0]["price_micro"] += 1


def test_two_look_at_what_one_looks_at(grown: Path, by_two: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every charge is priced again once, by one of both; all else is counted as by one alone."""
    followed: list[int] = []
    joined = halves.Other.joined

    def counted(self: halves.Other, report: Any) -> bool:
        followed.append(report.checked["charges priced again"])
        return joined(self, report)

    monkeypatch.setattr(halves.Other, "joined", counted)
    together = verify(grown)
    monkeypatch.setattr(halves, "LONG", 10**9)
    alone = verify(grown)
    assert together.good and together.checked == alone.checked
    assert len(followed) == 1 and 0 < followed[0] < alone.checked["charges priced again"] == 4 * METERS


@pytest.mark.parametrize("mine", [True, False])
def test_a_lie_is_named_whoever_looks_at_it(grown: Path, by_two: None, tmp_path: Path, mine: bool) -> None:
    """In a charge that either of both prices again."""
    book = Path(shutil.copytree(grown, tmp_path / "book"))
    meter = next(f"m{n:03d}" for n in range(METERS) if halves.first(f"m{n:03d}") is mine)
    seq = next(row[0] for row in forged.rows(book) if row[1] == f"charge:{meter}:2016-01-03")
    forged.rechained(book, seq, dearer)
    report = verify(book)
    assert report.lie is not None and report.lie.seq == seq and "price_micro" in report.lie.wrong


def test_a_second_process_that_dies_proves_nothing(
    grown: Path, by_two: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ended by the system for want of memory: what it had to look at is looked at by the first one."""
    book = Path(shutil.copytree(grown, tmp_path / "book"))
    meter = next(f"m{n:03d}" for n in range(METERS) if not halves.first(f"m{n:03d}"))
    seq = next(row[0] for row in forged.rows(book) if row[1] == f"charge:{meter}:2016-01-03")
    forged.rechained(book, seq, dearer)
    begun = halves.Other.__init__

    def killed(self: halves.Other, reader: Any) -> None:
        begun(self, reader)
        self._process.kill()

    monkeypatch.setattr(halves.Other, "__init__", killed)
    report = verify(book)
    assert report.lie is not None and report.lie.seq == seq
