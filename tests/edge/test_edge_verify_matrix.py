"""Every kind of entry touched: one byte in the file names it; a patient forger is named wherever the book can tell."""

from __future__ import annotations

import json
import shutil
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from bridge.contract.entries import KINDS
from edge.audit import beside
from edge.audit.chain import Chain
from edge.audit.entries import Entries
from edge.audit.lie import Lie, Report
from edge.audit.opened import Reader, Row
from edge.audit.verify import verify
from edge.book import canonical, hash_of
from tests.edge import every_kind, forged

ANYWHERE = 8
"""Bytes touched at random in each row, beside one of each column."""


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("every")
    every_kind.build(directory)
    return directory


@pytest.fixture(scope="module")
def newest(book: Path) -> dict[str, int]:
    """The newest entry of each kind."""
    return {row[6]: row[0] for row in forged.rows(book)}


def test_the_book_has_every_kind_and_is_true(book: Path, newest: dict[str, int]) -> None:
    """A kind that is new needs its place in `every_kind.py`, and its row in the tables below."""
    assert newest.keys() == KINDS.keys()
    report = verify(book)
    assert report.good and report.remarks == [], report.lie


@pytest.mark.parametrize("kind", KINDS)
def test_any_byte_of_any_kind_names_that_entry(book: Path, newest: dict[str, int], tmp_path: Path, kind: str) -> None:
    """A byte of each column, and some anywhere in the row: id, time, number, body, its own hash and the one before. It
    is always this very entry that is named; a wrong hash is never blamed on the next one."""
    touched, seq, dice = Path(shutil.copytree(book, tmp_path / "book")), newest[kind], Random(kind)
    columns = forged.places(touched, seq)
    first, last = columns["id"].start, columns["hash"].stop
    places = [dice.choice(column) for column in columns.values() if column] + dice.choices(
        range(first, last), k=ANYWHERE
    )
    for place in places:
        mask = 1 << dice.randrange(8)
        forged.flip(touched, place, mask)
        report = verify(touched)
        assert report.lie is not None and report.lie.seq == seq, (place - first, mask, report.lie)
        forged.flip(touched, place, mask)
    assert verify(touched).good


# --- with every hash made anew ---

REQUEST = "request"

TOLD: dict[str, str] = {
    "alarm/1": "alarm meter text",
    "border/1": "frames",
    "brake/1": "role set who why",
    "calendar/1": "by",
    "brought-back/1": "holes request role who",
    "cancelled/1": "available_nano why",
    "charge/1": "days end.frames end.read_at end.source",
    "charge/2": "end.frames",
    "clock-set/1": "offset_s port why",
    "close-way/1": "role who why",
    "close/1": "account cause",
    "cover/1": "closed_at count cover opened_at why",
    "credit/1": "request role who why",
    "decision/1": "request role why",
    "delivered/1": "detail powered_s",
    "done/1": "answer status",
    "final/1": "available_nano cut_at powered_s zero_at",
    "genesis/1": "gateway name",
    "hold/1": "account operation request role who why",
    "level/1": "available_nano threshold_nano",
    "protection/1": "role who why",
    "missed/1": "former why",
    "mode/1": "mode why",
    "opening-balance/1": "by",
    "opening/1": "frames serial",
    "proposal/1": "request",
    "quarantine/1": "read_at registers_wh rule why",
    "rearm/1": "available_nano level",
    "replacement/1": "serial_frames",
    "restored/1": "version who",
    "refusal/1": "error operation request role rule who",
    "relay/1": "account observed read_at wanted why word_3",
    "release/1": "role who why",
    "reversal/1": "request role who why",
    "start/1": "boot line_s version",
    "time-table/1": "day differs frames tariff told version",
    "topup/1": "reference request role who",
    "trip/1": "attempt cause holds read.age_ms read.frames read.read_at",
    "withdrawn/1": "why",
}
"""What follows from nothing else in the book: only an anchor from outside tells that it was written anew. Of frames it
is the question, never the answer."""

ELSEWHERE: dict[str, str] = {
    "decision/1": "approved who",
    "genesis/1": "epoch",
    "hold/1": "hold",
    "meter/1": "address meter model multiplier protocol by circuit floor max_amps model_name name phases port purse"
    " rates relay room serial shaft volts",
    "proposal/1": "body role what who",
    "tariff/1": "by name price_kind prices_micro tariff",
}
"""What is named at a later entry that does not follow any more, or in registry.json: the installation and the prices,
and who agreed. Who moved in is named at once: two people had agreed on every word of it."""


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Every value of a body with its path; of a list the first."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, (*path, key))
    elif isinstance(value, list) and value:
        yield from leaves(value[0], (*path, 0))
    else:
        yield path, value


def another(value: Any) -> Any:
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    return ["x"] if isinstance(value, list) else f"{value or ''}x"


class Forger:
    """Changes one value, makes every hash from there on anew, and is looked at."""

    def __init__(self, book: Path):
        self._reader = Reader(book)
        self.rows, self._registry = list(self._reader.rows()), self._reader.registry()

    def forge(self, seq: int, path: tuple[Any, ...], value: Any) -> Lie | None:
        rows, prev = self.rows[: seq - 1], self.rows[seq - 1][8]
        for row in self.rows[seq - 1 :]:
            number, id, at, boot, mono, trusted, kind, body = row[:8]
            if number == seq:
                fields = inner = json.loads(body)
                for step in path[:-1]:
                    inner = inner[step]
                inner[path[-1]] = value
                body = canonical(fields).encode()
            texts = [column.decode() for column in (id, boot, kind, body, prev)]
            digest = hash_of(number, texts[0], at, texts[1], mono, bool(trusted), *texts[2:]).encode()
            rows.append((*row[:7], body, prev, digest, row[10]))
            prev = digest
        return self._looked(rows)

    def _looked(self, rows: list[Row]) -> Lie | None:
        report = Report("forged")
        chain, entries = Chain(), Entries(report, self._reader)
        try:
            for row in rows:
                chain.joins(row)
                entries.take(row)
            beside.compare(entries.state, report, {}, self._registry, beside.TRIGGERS)
        except Lie as lie:
            return lie
        return None


@pytest.fixture(scope="module")
def forger(book: Path) -> Forger:
    return Forger(book)


@pytest.mark.parametrize("kind", KINDS)
def test_a_patient_forger_is_named_wherever_the_book_can_tell(
    forger: Forger, newest: dict[str, int], kind: str
) -> None:
    """Each value of an entry changed, and every hash after it made anew. What follows from registers, prices, the
    ledger, proposals and warnings before it names the entry itself; the tables above say, value by value, what is named
    elsewhere, and what nobody can know who has only the book."""
    found: dict[str, set[str]] = defaultdict(set)
    seq = newest[kind]
    for path, value in leaves(json.loads(forger.rows[seq - 1][7])):
        lie = forger.forge(seq, path, another(value))
        outcome = "told" if lie is None else "named" if lie.seq == seq else "elsewhere"
        found[outcome].add(_shown(path))
    assert found["told"] == set(TOLD.get(kind, "").split()), "taken as told"
    assert found["elsewhere"] == set(ELSEWHERE.get(kind, "").split()), "named elsewhere"


def _shown(path: tuple[Any, ...]) -> str:
    """A value by its first key, and within `end` and `read` by its second."""
    return ".".join(map(str, path[:2])) if path[0] in ("end", "read") else str(path[0])


def test_the_forger_is_told_which_charge_was_made_up(book: Path, newest: dict[str, int], tmp_path: Path) -> None:
    """A settlement that names a charge which is not there, in the file and with new hashes: the settlement is named."""
    touched, seq = Path(shutil.copytree(book, tmp_path / "book")), newest["exit/1"]

    def other_charge(fields: dict[str, Any]) -> None:
        fields["charges"] = ["charge:a301:2026-11-20"]

    forged.rechained(touched, seq, other_charge)
    report = verify(touched)
    assert report.lie is not None and report.lie.seq == seq and "names the charge" in report.lie.wrong
