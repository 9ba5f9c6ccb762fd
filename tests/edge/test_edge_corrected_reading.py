"""A register that was charged and turns out wrong is put right by two people and one entry (R12, R32)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from bridge.contract.units import instant_exact
from edge.audit import explain
from edge.audit.verify import verify
from edge.billing.tariff import local_midnight
from edge.fold import apply
from edge.live import Sample
from edge.state import State
from tests.bench.grown_book import Grown
from tests.edge import forged
from tests.edge.money_desk import CHECKER, MAKER, MoneyDesk

CHARGE = "charge:m1:2026-11-20"
WORDS: dict[str, Any] = {
    "account": "101", "meter": "m1", "entry": CHARGE, "why": "the display was misread", "papers": "photo 7",
}  # fmt: skip


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[MoneyDesk]:
    """100 yuan, and one day closed on a register of 130 kWh that began at 100: 25.536 yuan."""
    made = MoneyDesk(tmp_path)
    made.topup("101", 100)
    made.opened("m1", 100_000)
    made.charged("m1", 130_000, date(2026, 11, 20))
    assert made.yuan("account:101") == pytest.approx(100 - 25.536)
    yield made
    made.book.close()


def test_one_entry_gives_back_what_was_charged_too_much(desk: MoneyDesk) -> None:
    """113.5 kWh instead of 130: 16.5 kWh go back at the day's price, exactly, and the next charge begins at 113.5."""
    before = len(list(desk.book.entries()))
    data = desk.agreed("correct-reading", **WORDS, total="113.5")
    (entry,) = desk.of("reading-correction/1")
    assert [each.kind for each in desk.book.entries(before + 1)] == ["proposal/1", "decision/1", "reading-correction/1"]
    assert entry.fields["amount_nano"] == data["amount_nano"] == -16_500 * 851_200
    assert (entry.fields["who"], entry.fields["approved_by"], entry.fields["papers"]) == (MAKER, CHECKER, "photo 7")
    assert desk.core.state.posted_nano("101") == 100 * 10**9 - 13_500 * 851_200
    billed = desk.core.state.meters["m1"].billed
    assert billed is not None and (billed.registers_wh, billed.source) == ({"total": 113_500}, "corrected")
    desk.charged("m1", 120_000, date(2026, 11, 21))
    assert desk.core.state.posted_nano("101") == 100 * 10**9 - 20_000 * 851_200, "as if nobody had ever erred"


def test_too_little_is_charged_and_right_again_is_nothing(desk: MoneyDesk) -> None:
    """It may go up as well, and a second correction of the same register ends where the first one began."""
    desk.agreed("correct-reading", **WORDS, total="131")
    assert desk.core.state.posted_nano("101") == 100 * 10**9 - 31_000 * 851_200
    desk.agreed("correct-reading", **WORDS, total="130")
    assert desk.core.state.posted_nano("101") == 100 * 10**9 - 30_000 * 851_200


def test_only_the_day_that_was_wrong_is_no_ground_for_an_estimate_any_more(desk: MoneyDesk) -> None:
    """Of three days counted, the one that is put right goes, once, also where it is put right twice; where the wrong
    register was an estimate, none goes (R24)."""
    meter = desk.core.state.meters["m1"]
    for day in (21, 22, 23):
        desk.charged("m1", 130_000 + (day - 20) * 5_000, date(2026, 11, day))
    assert meter.days == [{"total": 5_000}] * 3
    words = {**WORDS, "entry": "charge:m1:2026-11-23"}
    for text in ("144", "143"):
        desk.agreed("correct-reading", **words, total=text)
        assert meter.days == [{"total": 5_000}] * 2
    desk.charged("m1", 150_000, date(2026, 11, 24), source="estimate")
    desk.agreed("correct-reading", **{**WORDS, "entry": "charge:m1:2026-11-24"}, total="149")
    assert meter.days == [{"total": 5_000}] * 2 and meter.estimated_days == 0


def test_an_opening_that_was_wrong_costs_nothing(desk: MoneyDesk) -> None:
    """Before any charge only the place from which the first one starts moves, however often it is put right."""
    desk.opened("m2", 50_000)
    desk.topup("102", 10)
    words = {**WORDS, "account": "102", "meter": "m2", "entry": "opening:m2"}
    for text in ("48.25", "49"):
        desk.agreed("correct-reading", **words, total=text)
        assert desk.yuan("account:102") == 10
    desk.charged("m2", 50_000, date(2026, 11, 20))
    assert desk.core.state.posted_nano("102") == 10 * 10**9 - 1_000 * 851_200


@pytest.mark.parametrize(
    ("changed", "rule", "words"),
    [
        ({"total": "130"}, "R12", "says that already"),
        ({"total": "99.999"}, "R20", "fell from 100000 to 99999"),
        ({"total": "190000"}, "R21", "more than the meter can carry"),
        ({"total": "1000000"}, "R20", "counts to"),
        ({"total": "1e5"}, "R7", "no amount"),
        ({"total": "-5"}, "R7", "no amount"),
        ({}, "R12", "give each register"),
        ({"total": "120", "peak": "3"}, "R12", "give each register"),
        ({"total": "120", "meter": "m2"}, "R12", "none of account 101"),
        ({"total": "120", "account": "102"}, "R12", "none of account 102"),
        ({"total": "120", "entry": "charge:m1:2026-11-19"}, "R12", "there is no charge or opening"),
        ({"total": "120", "entry": "opening:m1"}, "R12", "not the newest register"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(desk: MoneyDesk, changed: dict[str, str], rule: str, words: str) -> None:
    """Each by its rule, when it is proposed, and nothing has changed."""
    asked = {**WORDS, **changed}
    assert desk.refused("correct-reading", **asked) == rule
    assert words in (desk.heard[-1].error or "")


def test_the_meter_itself_says_less_now(desk: MoneyDesk) -> None:
    """A register above what the meter has said since is no correction (R20)."""
    desk.clock.advance(3 * 86400)
    desk.reads("m1", 125_000)
    assert desk.refused("correct-reading", **WORDS, total="126") == "R20"
    desk.agreed("correct-reading", **WORDS, total="125")


def test_the_entry_of_another_meter_is_not_this_ones(desk: MoneyDesk) -> None:
    """Two meters were charged to the same midnight: the charge that is named must be of the meter that is (R12)."""
    desk.topup("102", 100)
    desk.opened("m2", 50_000)
    desk.charged("m2", 60_000, date(2026, 11, 20))
    assert desk.refused("correct-reading", **{**WORDS, "entry": "charge:m2:2026-11-20"}, total="120") == "R12"
    assert "there is no charge or opening" in (desk.heard[-1].error or "")


def test_a_newer_charge_ends_the_proposal(desk: MoneyDesk) -> None:
    """What was right to propose is looked at again when it is approved: the next day was charged meanwhile (R12)."""
    proposal = desk.propose("correct-reading", **WORDS, total="113.5")
    assert desk.refused("approve-money", proposal=proposal, who=MAKER) == "R32"
    desk.charged("m1", 140_000, date(2026, 11, 21))
    assert desk.refused("approve-money", proposal=proposal, who=CHECKER) == "R12"


BY_HOURS: dict[str, Any] = {**WORDS, "account": "tm000", "meter": "m000", "entry": "charge:m000:2016-01-03"}


@pytest.fixture
def grown(tmp_path: Path) -> Iterator[MoneyDesk]:
    made = Grown(tmp_path, 1)
    made.grow(3)
    made.book.close()
    desk = MoneyDesk(tmp_path, begin=False)
    yield desk
    desk.book.close()


def right_of(desk: MoneyDesk, **less: int) -> dict[str, str]:
    """The register the meter was charged to, less so many Wh of some rates and of the total, as people type it."""
    billed = desk.core.state.meters["m000"].billed
    assert billed is not None
    took = {**less, "total": sum(less.values())}
    right = {name: wh - took.get(name, 0) for name, wh in billed.registers_wh.items()}
    return {name: f"{wh // 1000}.{wh % 1000:03d}" for name, wh in right.items()}


def test_each_rate_and_the_step_go_back_at_their_price(grown: MoneyDesk) -> None:
    """With hours, yearly steps and a surcharge: each line goes back by itself, and so does the step counter."""
    account = grown.core.state.accounts["tm000"]
    used = account.counters["kWh"].used_wh
    data = grown.agreed("correct-reading", **BY_HOURS, **right_of(grown, peak=1_000, flat=50))
    lines = {(line["kind"], line["rate"]): line for line in grown.of("reading-correction/1")[0].fields["lines"]}
    assert lines["rate", "peak"]["wh"] == -1_000 and lines["rate", "flat"]["wh"] == -50
    assert lines["rate", "valley"]["wh"] == 0 and account.counters["kWh"].used_wh == used - 1_050
    assert data["amount_nano"] == sum(line["amount_nano"] for line in lines.values()) < 0


def test_rates_and_total_go_together(grown: MoneyDesk) -> None:
    """A correction of the total alone would tear the rates from it (R28)."""
    alone = right_of(grown) | {"total": right_of(grown, peak=1_000)["total"]}
    assert grown.refused("correct-reading", **BY_HOURS, **alone) == "R28"


def test_it_is_derived_again_and_a_lie_in_it_is_named(grown: MoneyDesk, tmp_path: Path) -> None:
    """`riser verify` works the entry out again, replaying gives the same state (I25), and no field of it can lie."""
    grown.agreed("correct-reading", **BY_HOURS, **right_of(grown, peak=1_000))
    state = State()
    for entry in grown.book.entries():
        apply(state, entry)
    assert state.meters == grown.core.state.meters and state.ledger == grown.core.state.ledger
    grown.book.close()
    report = verify(tmp_path)
    assert report.good and report.checked["readings put right"] == 1, report.lie
    seq = next(row[0] for row in forged.rows(tmp_path) if row[6] == "reading-correction/1")

    def dearer(fields: dict[str, Any]) -> None:
        fields["lines"][0]["price_micro"] += 1

    def of_later(fields: dict[str, Any]) -> None:
        fields["lines"][0]["price_micro"] -= 1
        fields["end"]["at"] = "2016-01-04T09:00:00.000000+00:00"

    for lie, wrong in ((dearer, "price_micro"), (of_later, "when its right register is of")):
        forged.rechained(tmp_path, seq, lie)
        report = verify(tmp_path)
        assert report.lie is not None and report.lie.seq == seq and wrong in report.lie.wrong


def test_it_is_explained(grown: MoneyDesk, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Both registers, the difference below zero, the lines, who and on which papers."""
    grown.agreed("correct-reading", **BY_HOURS, **right_of(grown, peak=1_000))
    (entry,) = grown.of("reading-correction/1")
    grown.book.close()
    assert explain.main([entry.id, "--data", str(tmp_path)]) == 0
    text = capsys.readouterr().out
    for words in ("Reading put right", "-1.00 kWh", "put right by two people", "photo 7", MAKER, CHECKER):
        assert words in text, text


def test_the_days_before_stay_what_they_were(desk: MoneyDesk) -> None:
    """Estimates rest on the last whole days: a wrong day is taken out of them, once, and an estimate was none (R24)."""
    meter = desk.core.state.meters["m1"]
    for n in range(1, 4):
        desk.charged("m1", 130_000 + n * 1000, date(2026, 11, 20 + n))
    desk.charged("m1", 134_000, date(2026, 11, 24), source="freeze")
    assert len(meter.days) == 4
    for total in ("133.5", "133.6"):
        desk.agreed("correct-reading", **{**WORDS, "entry": "charge:m1:2026-11-24"}, total=total)
        assert meter.days == [{"total": 1000}] * 3
    desk.charged("m1", 135_000, date(2026, 11, 25), source="estimate")
    desk.agreed("correct-reading", **{**WORDS, "entry": "charge:m1:2026-11-25"}, total="134.9")
    assert meter.days == [{"total": 1000}] * 3 and meter.estimated_days == 0


def test_a_reading_at_a_border_since_is_what_the_meter_said_too(desk: MoneyDesk) -> None:
    """A register above one that was read at an hour's border since then could never be charged on from (R20)."""
    at = instant_exact(local_midnight(date(2026, 11, 21), desk.core.terms.zone) + timedelta(hours=8))
    border = {"meter": "m1", "registers_wh": {"total": 130_400}, "at": at, "source": "border", "frames": []}
    desk.core.append(("border/1", "border:m1:1", border))
    desk.clock.advance(3 * 86400)
    desk.reads("m1", 135_000)
    assert desk.refused("correct-reading", **WORDS, total="130.5") == "R20"
    desk.agreed("correct-reading", **WORDS, total="130.4")


def test_a_restart_forgets_nothing_that_the_meter_said_since(desk: MoneyDesk) -> None:
    """The newest saved readings count as well, until the meter is read again (R20)."""
    desk.clock.advance(3 * 86400)
    live = desk.core.lives["m1"]
    live.sample, live.floor = None, Sample({"total": 125_000}, desk.clock.now(), 0.0, ())
    assert desk.refused("correct-reading", **WORDS, total="126") == "R20"
    desk.agreed("correct-reading", **WORDS, total="125")
