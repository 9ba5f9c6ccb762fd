"""`riser verify` on cuts and what people said about them: one that contradicts what stands before it is named."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bridge.contract.units import instant_text
from edge.audit.verify import verify
from tests.edge import forged
from tests.edge.building import Building

ROOM, ACCOUNT, OTHER = "a206", "100206", "100301"
ALWAYS = {"cut_window": {"days": "all", "from": "00:00", "to": "24:00"}}

Change = Callable[[dict[str, Any]], None]


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Warned, taken back by a protection, warned anew by a person's word, cut; a neighbour is protected meanwhile."""
    directory = tmp_path_factory.mktemp("cut")
    building = Building(directory, meters={ROOM, "a301"}, poll_s=30, idle_s=2, policy=ALWAYS)
    building.connect()
    building.edge.relays.lamps._light = lambda meter, account: None  # type: ignore[method-assign]

    def protect(account: str, **ahead: float) -> None:
        until = instant_text(building.clock.now() + timedelta(**ahead))
        building.request("protect", account=account, protection="dispute", until=until, why="x")

    building.run_until(lambda: building.of("final/1"), hours=4)
    protect(ACCOUNT, minutes=20)
    building.run_until(lambda: len(building.of("final/1")) == 2, hours=1)
    building.request("told", account=ACCOUNT, how="phone")
    protect(OTHER, hours=9)
    brake = {"set": False, "why": "looked at", "who": "王敏", "role": "manager", "request": {}}
    building.edge.core.append(("brake/1", "shell:released", brake))
    building.run_until(lambda: building.of("trip/1"), hours=2)
    building.run(minutes=2)
    building.edge.shut()
    building.stop_edge()
    return directory


def test_the_book_of_a_cut_is_true(book: Path) -> None:
    """As it was written nothing is wrong with it."""
    report = verify(book)
    assert report.good, report.lie


def put(name: str, value: Any) -> Change:
    def change(fields: dict[str, Any]) -> None:
        fields[name] = value

    return change


FORGED: tuple[tuple[str, str, int, Change, str, int, str], ...] = (
    # a test's name; kind and number of the entry that is forged; how; kind and number that is named; its words
    ("r3_a_warning", "protection/1", 0, put("until", "2026-11-21T00:00:00+00:00"), "final/1", 1, "protects the tenant"),
    ("r3_a_cut", "protection/1", 1, put("account", ACCOUNT), "trip/1", 0, "protects the tenant"),
    ("r4_the_brake", "brake/1", 0, put("set", True), "trip/1", 0, "the brake on mass cuts was on"),
    ("r1_the_lead", "trip/1", 0, put("warned_s", 1799), "trip/1", 0, "its warned_s is 1799"),
    ("r1_no_number", "trip/1", 0, put("warned_s", "1800"), "trip/1", 0, "its warned_s is '1800'"),
    ("r1_no_person", "delivered/1", 0, put("channel", "lamp"), "delivered/1", 0, "its channel is 'lamp'"),
    ("r3_for_ever", "protection/1", 1, put("until", "2027-11-20T00:00:00+00:00"), "protection/1", 1, "its until is"),
    ("r3_no_kind", "protection/1", 1, put("protection", "friend"), "protection/1", 1, "a protection 'friend'"),
)  # fmt: skip


@pytest.mark.parametrize(("kind", "nth", "change", "named", "nth_named", "words"), [each[1:] for each in FORGED],
                         ids=[each[0] for each in FORGED])  # fmt: skip
def test_r3_a_cut_that_was_not_right_is_named(
    book: Path, tmp_path: Path, kind: str, nth: int, change: Change, named: str, nth_named: int, words: str
) -> None:
    """One word changed and every hash made anew: the entry that contradicts it is the one that lies."""
    touched = Path(shutil.copytree(book, tmp_path / "book"))
    seqs = {each: [row[0] for row in forged.rows(book) if row[6] == each] for each in (kind, named)}
    forged.rechained(touched, seqs[kind][nth], change)
    report = verify(touched)
    assert report.lie is not None and report.lie.seq == seqs[named][nth_named] and words in report.lie.wrong, report.lie


def test_r1_a_warning_is_delivered_once(tmp_path: Path) -> None:
    """A second delivery in the book would let the time begin when somebody likes."""
    building = Building(tmp_path, meters={ROOM}, poll_s=30, idle_s=2)
    building.connect()
    building.run_until(lambda: building.of("delivered/1"), hours=4)
    fields = building.of("delivered/1")[0].fields | {"channel": "person", "who": "x", "role": "manager", "request": {}}
    (entry,) = building.edge.core.append(("delivered/1", "shell:once-more", fields))
    building.stop_edge()
    report = verify(tmp_path)
    assert report.lie is not None and report.lie.seq == entry.seq and "was delivered by entry" in report.lie.wrong
