"""`riser verify` works out what no frozen register stands behind: load records, interpolations, estimates (R24)."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bridge.contract.units import instant_exact, instant_of
from edge.audit.verify import verify
from tests.edge import forged
from tests.edge.test_edge_fallbacks import BORDERING, SINGLE, a_day_on, after_a_week, building_of

Change = Callable[[dict[str, Any]], None]


def of_an_estimate(directory: Path) -> None:
    """A meter that falls silent after seven whole days: its next midnights are estimated."""
    building = after_a_week(directory)
    for _ in range(2):
        a_day_on(building)
    building.stop_edge()


def of_an_interpolation(directory: Path) -> None:
    """The gateway is off over a midnight of which the meter keeps nothing."""
    building = building_of(directory, BORDERING)
    building.run(minutes=25)
    building.stop_edge()
    building.clock.advance(1800)
    building.start_edge()
    building.run_until(lambda: building.of("closing/1"), hours=2)
    building.stop_edge()


def of_a_load_record(directory: Path) -> None:
    """The meter has lost its frozen midnight and kept its load record."""
    building = building_of(directory, SINGLE)
    building.run_until(lambda: building.clock.now() >= instant_of("2026-11-11T16:00:30+00:00"), hours=1)
    building.sim_meter(SINGLE).metrology.freezes.pop()
    building.run_until(lambda: building.of("closing/1"), hours=14)
    building.stop_edge()


KINDS = {"estimate": of_an_estimate, "interpolated": of_an_interpolation, "load-record": of_a_load_record}


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A book of each kind."""
    found = {kind: tmp_path_factory.mktemp(kind) for kind in KINDS}
    for kind, make in KINDS.items():
        make(found[kind])
    return found


def end_of(kind: str, directory: Path) -> int:
    """The last charge that ends so."""
    rows = [row for row in forged.rows(directory) if row[6] == "charge/2"]
    return max(row[0] for row in rows if json.loads(row[7])["end"]["source"] == kind)


def added(wh: int, *path: Any) -> Change:
    """Registers at a place in the end of a charge that are another amount."""

    def change(fields: dict[str, Any]) -> None:
        registers = fields["end"]
        for step in path:
            registers = registers[step]
        for name in registers:
            registers[name] += wh

    return change


def moved(seconds: float, *path: Any) -> Change:
    """An instant at a place in the end of a charge that is another one."""

    def change(fields: dict[str, Any]) -> None:
        mark = fields["end"]
        for step in path:
            mark = mark[step]
        mark["at"] = instant_exact(instant_of(mark["at"]) + timedelta(seconds=seconds))

    return change


def put(*path: Any) -> Change:
    *way, last, value = path

    def change(fields: dict[str, Any]) -> None:
        inner = fields["end"]
        for step in way:
            inner = inner[step]
        inner[last] = value

    return change


def recorded_more(fields: dict[str, Any]) -> None:
    """A load record that says 16.50 kWh more, in both answers, with every sum made right again."""
    for exchange in fields["end"]["frames"]:
        raw = bytearray.fromhex(exchange[1])
        start = raw.index(0x68)
        place = start + 10 + 4 + 11 + 1  # After the head, the identifier and 11 bytes of record: the second of the BCD.
        raw[place] = raw[place] + 1 & 0xFF
        raw[-4] = raw[-4] + 1 & 0xFF
        raw[-2] = sum(raw[start:-2]) & 0xFF
        exchange[1] = raw.hex()


def thrice(fields: dict[str, Any]) -> None:
    fields["end"]["rests_on"] *= 3


FORGED: list[tuple[str, str, Change]] = [
    ("estimate", "by what it rests on", added(-10, "registers_wh")),
    ("estimate", "the days that its end rests on", added(-10, "days", 3)),
    ("estimate", "does not go on from a reading", added(-10, "rests_on", 0, "registers_wh")),
    ("estimate", "where its day ends", moved(-60)),
    ("estimate", "do not lie around it", thrice),
    ("estimate", "its frames", put("frames", [["68", "68"]])),
    ("interpolated", "by what it rests on", added(-10, "registers_wh")),
    ("interpolated", "as sweep", added(-10, "rests_on", 0, "registers_wh")),
    ("interpolated", "as sweep", added(10, "rests_on", 1, "registers_wh")),
    ("interpolated", "in no sweep of that time", moved(-1, "rests_on", 0)),
    ("interpolated", "do not lie around it", moved(-7300, "rests_on", 0)),
    ("interpolated", "do not lie around it", moved(7300, "rests_on", 1)),
    ("interpolated", "where its day ends", moved(60)),
    ("interpolated", "its read_at", put("read_at", "2026-11-12T00:00:00.000+00:00")),
    ("load-record", "by its load record", added(-10, "registers_wh")),
    ("load-record", "by its load record", recorded_more),
    ("load-record", "where its day ends", moved(60)),
    ("load-record", "load records", lambda fields: fields["end"]["frames"].pop()),
    ("load-record", "cannot be read", put("frames", 0, 1, "6868")),
]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_what_no_frozen_register_stands_behind_is_worked_out_again(books: dict[str, Path], kind: str) -> None:
    """An honest book: each such end is derived, also the readings that it rests on, and none is merely believed."""
    report = verify(books[kind])
    assert report.good, report.lie
    counted = {"estimate": "estimates worked out again", "interpolated": "interpolated registers worked out again",
               "load-record": "load records read again"}  # fmt: skip
    assert report.checked[counted[kind]] >= 1 and report.remarks == ["no registry.json beside the book; the edge "
                                                                     "writes it at its next start"]  # fmt: skip
    if kind == "interpolated":
        assert report.checked["readings found again among the sweeps"] == 2


@pytest.mark.parametrize(("kind", "told", "change"), FORGED, ids=[f"{kind}-{told}" for kind, told, _ in FORGED])
def test_a_forged_end_is_named(books: dict[str, Path], tmp_path: Path, kind: str, told: str, change: Change) -> None:
    """Another register, another instant, another ground for it, with every hash made anew: the charge is named."""
    book = Path(shutil.copytree(books[kind], tmp_path / "book"))
    seq = end_of(kind, book)
    forged.rechained(book, seq, change)
    report = verify(book)
    assert report.lie is not None and report.lie.seq == seq and told in report.lie.sentence(), report.lie.sentence()


def test_readings_that_were_trimmed_are_counted_and_told(books: dict[str, Path], tmp_path: Path) -> None:
    """Telemetry is kept for some weeks. Afterwards an old interpolation is still derived from the readings it names;
    that nobody can look these up any more is said, with their number, and is no lie."""
    book = Path(shutil.copytree(books["interpolated"], tmp_path / "book"))
    with forged.opened(book) as db:
        db.execute("DELETE FROM sweep")
    report = verify(book)
    assert report.good, report.lie
    (remark,) = [each for each in report.remarks if "taken as told" in each]
    assert remark.startswith("2 readings that interpolated or estimated registers rest on")
    forged.rechained(book, end_of("interpolated", book), added(-10, "registers_wh"))
    assert verify(book).lie is not None
