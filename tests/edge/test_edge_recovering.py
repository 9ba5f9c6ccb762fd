"""The card died, and last night's backup is in: what an archive saw since then comes back once, and nobody is cut."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from bridge.archive.returning import fields_of
from bridge.contract.entries import CREDIT
from bridge.contract.units import instant_text
from edge.audit.verify import verify
from edge.book import Entry
from tests.edge.building import Building
from tests.edge.losing import ACCOUNT, METER, OTHER, OTHER_METER, Archive, backed_up, restored
from tests.edge.pricing import request


def yuan(amount: int) -> int:
    return amount * 1_000_000_000


POLICY = {"emergency_credit": "20.00", "overdraft": "500.00"}


@pytest.fixture
def building(tmp_path: Path) -> Building:
    (tmp_path / "first").mkdir()
    building = Building(tmp_path / "first", meters={METER, OTHER_METER}, policy=POLICY, idle_s=5)
    building.connect()
    building.run(minutes=5)
    return building


def a_morning(building: Building) -> None:
    """Money in, taken back, lent; a lock-out by a person; a protection; a refund that two people agreed on."""
    building.topup(ACCOUNT, 300_00)
    slip = building.answers(building.topup(OTHER, 70_00))[-1]["data"]["receipt"]
    building.request("reverse", account=OTHER, receipt=slip, why="the wrong room")
    building.topup(OTHER, 100_00)
    building.request("lend", account=OTHER, why="the shop is open")
    building.request("off", meter=OTHER_METER, why="an electrician works there")
    until = instant_text(building.clock.now()).replace("2026-11-20", "2026-11-25")
    asked = building.request("protect", account=ACCOUNT, protection="dispute", until=until, why="the bill is doubted")
    assert building.answers(asked)[-1]["status"] == "done"
    proposed = request(building, "refund", "王敏", "finance", account=OTHER, amount_fen=5_00, method="cash",
                       reference="slip 3", why="asked for")  # fmt: skip
    answer = request(building, "approve-money", "李强", "finance", proposal=proposed["data"]["proposal"])
    assert answer["status"] == "done"
    building.run(minutes=3)


def money(building: Building) -> dict[str, int]:
    """What each tenant has, less what was lent to them: in another order a payment repays another time."""
    state = building.edge.core.state
    return {id: state.posted_nano(id) - state.owed_nano(CREDIT, id) for id in (ACCOUNT, OTHER)}


def lost_morning(building: Building, tmp_path: Path) -> tuple[dict[str, int], Archive]:
    """What the accounts had when the card died, and the archive that saw it."""
    at = backed_up(building, tmp_path / "copy")
    a_morning(building)
    had = money(building)
    lost = restored(building, at, tmp_path / "copy")
    assert money(building) != had
    return had, Archive(building, lost)


def test_every_payment_since_the_backup_comes_back_once(building: Building, tmp_path: Path) -> None:
    """After the archive has spoken each tenant has what they had, but for what two people must agree on again; the
    lock-out stands, the protection stands, and the book is true."""
    had, archive = lost_morning(building, tmp_path)
    for row in archive.rows:
        assert archive.bring(row)["status"] == "done"
    assert archive.all()["status"] == "done"
    assert money(building) == {ACCOUNT: had[ACCOUNT], OTHER: had[OTHER] + yuan(5)}
    state = building.edge.core.state
    assert state.meters[OTHER_METER].holds["manual"].why == "an electrician works there"
    assert state.accounts[ACCOUNT].protections["dispute"].why == "the bill is doubted"
    assert building.fact("info")["restored"]["missed"] == len(building.of("missed/1")) > 0
    shown = [(entry.fields["former"]["kind"], entry.fields.get("account")) for entry in building.of("missed/1")]
    assert shown == [("proposal/1", OTHER), ("refund/1", OTHER)]
    assert building.of("missed/1")[1].fields["former"]["amount_fen"] == 5_00
    building.stop_edge()
    report = verify(building.directory)
    assert report.good, report.lie


def test_bringing_again_and_in_any_order_changes_nothing(building: Building, tmp_path: Path) -> None:
    """An archive that repeats itself, forgets where it was, or is interrupted by kills on our side, doubles nothing."""
    had, archive = lost_morning(building, tmp_path)
    dice = random.Random(3)
    acts = [row for row in archive.rows if row["kind"] in ("topup/1", "credit/1", "hold/1", "protection/1")]
    shuffled = dice.choices(acts, k=12) + acts
    dice.shuffle(shuffled)
    for row in shuffled:
        assert archive.bring(row)["status"] == "done"
        if dice.random() < 0.4:
            building.stop_edge()
            building.start_edge()
            building.connect()
    again = money(building)
    for row in archive.rows:
        assert archive.bring(row)["status"] == "done"
    assert {ACCOUNT: again[ACCOUNT], OTHER: again[OTHER] - yuan(70)} == money(building)
    assert money(building)[ACCOUNT] == had[ACCOUNT]
    assert len(building.of("topup/1")) == 3 and len(building.of("reversal/1")) == 1
    assert archive.all()["status"] == archive.all()["status"] == "done"
    building.stop_edge()
    assert verify(building.directory).good


def test_the_desk_repeats_its_request_before_the_archive_speaks(building: Building, tmp_path: Path) -> None:
    """A form sent once more after the restore, and the same payment from the archive, are one payment; asked again the
    desk hears the receipt that stands in the book now."""
    at = backed_up(building, tmp_path / "copy")
    sent = building.topup(ACCOUNT, 50_00, transaction="form-12345678")
    second = building.topup(ACCOUNT, 60_00, transaction="form-22345678")
    archive = Archive(building, restored(building, at, tmp_path / "copy"))
    before = money(building)[ACCOUNT]
    building.topup(ACCOUNT, 50_00, transaction=sent)
    for row in archive.rows:
        assert archive.bring(row)["status"] == "done"
    assert money(building)[ACCOUNT] == before + yuan(110)
    answer = building.answers(building.topup(ACCOUNT, 60_00, transaction=second))[-1]
    (entry,) = [each for each in building.of("topup/1") if "former" in each.fields]
    assert answer["data"]["receipt"] == entry.fields["receipt"]
    assert entry.fields["receipt"].endswith(f"-{entry.seq:06d}")
    assert entry.fields["former"]["receipt"] != entry.fields["receipt"]
    other = building.request("topup", account=ACCOUNT, amount_fen=1_00, method="cash", transaction=second)
    assert building.answers(other)[-1]["rule"] == "R7"


def test_who_was_cut_since_the_backup_gets_light_by_paying(building: Building, tmp_path: Path) -> None:
    """A cut that the book has forgotten stands again as its hold; the payment that the archive brings lifts it (I9)."""
    at = backed_up(building, tmp_path / "copy")
    building.run_until(lambda: building.sim_meter(METER).relay.open, hours=8)
    lost = restored(building, at, tmp_path / "copy")
    building.run(minutes=3)
    archive = Archive(building, lost)
    assert building.edge.core.state.meters[METER].holds == {}
    for row in archive.rows:
        assert archive.bring(row)["status"] == "done"
    assert "arrears" in building.edge.core.state.meters[METER].holds
    building.topup(ACCOUNT, 300_00)
    building.run_until(lambda: not building.sim_meter(METER).relay.open, hours=1)
    building.stop_edge()
    assert verify(building.directory).good


def test_a_trip_that_never_left_holds_nobody(building: Building, tmp_path: Path) -> None:
    """Evidence of a cut whose bytes did not leave in time comes back, and so does its withdrawal: no hold is left."""
    at = backed_up(building, tmp_path / "copy")
    building.run_until(lambda: building.of("trip/1"), hours=8)
    (trip,) = building.of("trip/1")
    core = building.edge.core
    core.append(("withdrawn/1", "withdrawn:a206:1", {"meter": METER, "evidence_seq": trip.seq, "why": "late"}))
    archive = Archive(building, restored(building, at, tmp_path / "copy"))
    for row in [*archive.rows, *archive.rows]:
        assert archive.bring(row)["status"] == "done"
    holds = [(entry.fields["hold"], entry.fields["set"]) for entry in building.of("hold/1")]
    assert holds == [("arrears", True), ("arrears", False)]
    assert building.edge.core.state.meters[METER].holds == {}


def test_nobody_is_cut_before_a_named_person_says_so(building: Building, tmp_path: Path) -> None:
    """Hours in which a tenant runs dry and is warned, with and without an archive, over restarts: no trip. The word of
    a person is refused until an archive has spoken, or they say that there is none; then the warned tenant is cut."""
    at = backed_up(building, tmp_path / "copy")
    restored(building, at, tmp_path / "copy")
    building.run_until(lambda: building.of("delivered/1"), hours=8)
    building.stop_edge()
    building.start_edge()
    building.connect()
    building.run(hours=1)
    assert building.edge.core.mode == "recovery" and building.of("trip/1") == []
    assert not building.sim_meter(METER).relay.open
    told = building.fact("info")["restored"]
    assert told["open"] and "through" not in told and told["made_at"] == at
    refused = building.answers(building.request("recovered", why="compared"))[-1]
    assert refused["rule"] == "I5" and "without_archive" in refused["error"]
    nobody = building.answers(building.request("recovered", role="finance", why="compared", without_archive=True))[-1]
    assert nobody["rule"] == "R32"
    agreed = building.request("recovered", why="receipts compared with the till", without_archive=True)
    assert building.answers(agreed)[-1]["status"] == "done"
    building.run_until(lambda: building.sim_meter(METER).relay.open, hours=30)
    assert building.edge.core.mode == "normal" and not building.fact("info")["restored"]["open"]
    building.stop_edge()
    assert verify(building.directory).good


def _spoilt(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "body": row["body"].replace('"amount_fen":30000', '"amount_fen":90000')}


def test_what_is_not_the_former_book_is_refused(building: Building, tmp_path: Path) -> None:
    """A changed amount, another epoch, an entry that the backup has, a book that waits for nothing: refused by rule,
    and nothing is written but the refusal."""
    _, archive = lost_morning(building, tmp_path)
    row = next(row for row in archive.rows if row["kind"] == "topup/1")
    before = money(building)
    spoilt = _spoilt(row)
    assert spoilt != row
    answers = [
        _brought(building, archive, spoilt, "spoilt-0001"),
        _brought(building, archive, row, "other-00001", epoch="ffff"),
        _brought(building, archive, row, "early-00001", seq=3),
    ]
    assert [answer["rule"] for answer in answers] == ["I17", "I5", "I5"]
    assert money(building) == before
    assert archive.bring(row)["status"] == "done"
    assert archive.all(through=1)["rule"] == "I5"
    building.request("recovered", why="compared", without_archive=True)
    building.run(seconds=5)
    late = next(each for each in archive.rows if each["kind"] == "topup/1" and each is not row)
    assert _brought(building, archive, late, "late-000001")["rule"] == "I5"


def _brought(building: Building, archive: Archive, row: dict[str, Any], name: str, **changed: Any) -> dict[str, Any]:
    fields = {**fields_of(archive.epoch, row), **changed}
    asked = building.request("bring-back", "bridge", "archive", "archive", transaction=name, **fields)
    return building.answers(asked)[-1]


def test_a_lift_that_comes_back_late_lifts_no_newer_lock_out(building: Building, tmp_path: Path) -> None:
    """A person locks a meter out after the restore; that somebody lifted an older lock-out before does not undo it."""
    building.request("off", meter=OTHER_METER, why="first work")
    building.run(minutes=2)
    at = backed_up(building, tmp_path / "copy")
    building.request("on", meter=OTHER_METER, why="done")
    building.run(minutes=2)
    archive = Archive(building, restored(building, at, tmp_path / "copy"))
    core = building.edge.core
    assert core.state.meters[OTHER_METER].holds.keys() == {"manual"}
    hold = {"meter": OTHER_METER, "account": OTHER, "hold": "manual", "set": True, "why": "new work", "who": "周",
            "role": "engineer", "request": {}}  # fmt: skip
    core.append(("hold/1", "shell:another-lock", hold))
    (row,) = [row for row in archive.rows if row["kind"] == "hold/1"]
    assert archive.bring(row)["status"] == "done"
    assert core.state.meters[OTHER_METER].holds["manual"].why == "new work"
    assert "after the restore" in building.of("missed/1")[0].fields["why"]


def test_readings_leap_over_what_was_heard_of(building: Building, tmp_path: Path) -> None:
    """No reading of the restored gateway has a number that one of the lost days had; older ones are trimmed by age."""
    book = building.edge.core.book
    at = backed_up(building, tmp_path / "copy")
    building.run(minutes=20)
    heard_of = book.sweep_number
    restored(building, at, tmp_path / "copy")
    building.run(minutes=20)
    book = building.edge.core.book
    numbers = [number for number, _, _ in book.sweeps(1, 10_000)]
    old = [number for number in numbers if number <= heard_of]
    new = [number for number in numbers if number > heard_of]
    assert old and new and min(new) > heard_of + 5_000
    book.save_sweeps(keep=book.sweep_number - min(new) + 1 + 2)
    left = [number for number, _, _ in book.sweeps(1, 10_000)]
    assert left[:3] == [*old[-2:], min(new)] and len(old) > 2
    book.save_sweeps(keep=3)
    assert len(list(book.sweeps(1, 10_000))) == 3


def test_the_first_restored_entry_tells_where_it_comes_from(building: Building, tmp_path: Path) -> None:
    """Who restored, which backup, which epoch: it stands in the book, right behind what the backup ended with."""
    newest: Entry = building.entries()[-1]
    at = backed_up(building, tmp_path / "copy")
    restored(building, at, tmp_path / "copy")
    (entry,) = building.of("restored/1")
    assert (entry.fields["who"], entry.fields["made_at"], entry.fields["seq"]) == ("李强", at, newest.seq)
    assert (entry.seq, entry.prev_hash) == (newest.seq + 1, newest.hash)
    assert building.fact("info")["epoch"] == entry.fields["epoch"] != entry.fields["before"]
