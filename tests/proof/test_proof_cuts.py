"""The power is cut at every place, the disk fails at every change: nothing answered is lost, nothing is half done."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.proof import shim
from tests.proof.ailing import PAYMENTS
from tests.proof.cuts import cuts
from tests.proof.failing import failing, planned

pytestmark = pytest.mark.timeout(300)

STORY = {
    "topup/1", "closing/1", "charge/2", "trip/1", "close/1", "relay/1", "tariff/2", "proposal/1", "decision/1",
    "hold/1", "compensation/1", "refund/1", "start/1", "genesis/1",
}  # fmt: skip
"""What must have happened in the story that is cut."""


def test_two_thousand_power_cuts() -> None:
    """Payments, refusals, a midnight, a cut and the light again, new prices, refunds, a book of an older version, cut
    at any write: every disk opens, and holds what was answered, whole (33, 37, I5)."""
    found = cuts(2_000, seed=1)
    assert found["violations"] == []
    assert (found["answered_lost"], found["unreadable"], found["half_done"], found["orders_wrong"]) == (0, 0, 0, 0)
    assert set(found["kinds"]) >= STORY
    assert found["different_images"] > 1_000 and found["images_of_a_second_cut"] >= 150 and found["answers_told"] > 15


@pytest.mark.parametrize("plant", ["unsynced", "off"])
def test_a_book_that_answers_too_early_is_found(plant: str, tmp_path: Path) -> None:
    """The same with a book that does not wait for the disk: lost answers are found, named and kept to look at."""
    found = cuts(300, seed=1, plant=plant, keep=tmp_path)
    assert found["answered_lost"] > 20 and not found["within"]
    first = found["violations"][0]
    assert first["seed"] == 1 and (tmp_path / f"{first['place']}-{first['manner']}").is_dir()


def test_a_book_that_writes_by_halves_is_found() -> None:
    """What belongs together written one by one: disks that hold a part of it are found."""
    found = cuts(300, seed=1, plant="halves")
    assert found["half_done"] > 5 and found["answered_lost"] == 0 and not found["within"]


def test_a_book_that_says_written_where_the_disk_refused_is_found() -> None:
    """A failed commit taken for a good one: what was told and is not there is found."""
    assert failing(6, seed=1, troubles=[("io", "stays")], plant="forgives")["broken"] >= 1


def test_the_disk_fails_at_one_change_after_another() -> None:
    """Full, read-only or broken, once or for minutes: whoever is answered stands in the book once, nobody is cut
    meanwhile, the light comes back, days are closed once, and all goes on by itself (38-40)."""
    found = failing(30, seed=1)
    assert found["violations"] == [] and found["within"]
    assert found["reached"] == 30 and found["process_ended"] >= 20
    assert len(PAYMENTS) == 3


def test_every_change_is_planned_where_all_are_asked_for() -> None:
    """0 means each change with each trouble; a number is spread over the whole day."""
    assert len({n for n, _, _ in planned(50, 0, random.Random(1))}) == 50
    spread = [n for n, _, _ in planned(100, 10, random.Random(1))]
    assert all(10 * at < n <= 10 * (at + 1) for at, n in enumerate(spread))


def test_without_a_compiler_a_person_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """The recorder is built from C: where that cannot be, one sentence says what is missing."""
    monkeypatch.setattr(shim, "compiler", lambda: None)
    monkeypatch.setattr(shim, "FLAGS", ("-O3",))
    with pytest.raises(shim.CannotBuild, match="apt-get install -y gcc libc6-dev"):
        shim.built()
