"""Worked examples, as a book-keeper writes them, come out to the last decimal: tests/edge/ledgers/NN-name.txt."""

from __future__ import annotations

import re
from fractions import Fraction
from math import floor
from pathlib import Path

import pytest

from bridge.contract.units import fen_floor
from edge.billing import rating
from edge.billing.rating import Charge, NotRatable, Payer
from edge.billing.spans import INTERPOLATED
from edge.state import Counter
from tests.edge import ledger_text
from tests.edge.ledger_building import close
from tests.edge.ledger_sheet import ChargeSheet, Ledger, LineSheet

FILES = sorted((Path(__file__).parent / "ledgers").glob("*.txt"))
EXAMPLE = next(path for path in FILES if path.name.startswith("04-"))


def named(path: Path) -> str:
    return path.stem


@pytest.mark.parametrize("path", FILES, ids=named)
def test_a_worked_example_comes_out_to_the_last_decimal(path: Path) -> None:
    """Each line, each sum, each mark and each step counter of a bill is what the book-keeper wrote down."""
    ledger = ledger_text.load(path)
    counter, total = ledger.counter, 0
    for told in ledger.charges:
        meter = ledger.meters[told.meter]
        marks = meter.between(told.first, told.last)
        payer = Payer(ledger.since, ledger.category, shares=len(ledger.meters) > 1)  # type: ignore[arg-type]
        args = (marks, meter.multiplier, meter.full_scale_wh, ledger.rules(meter), payer, counter)
        if told.refused is not None:
            with pytest.raises(NotRatable, match=told.refused):
                rating.charge(*args)
            continue
        charge = rating.charge(*args)
        agree(charge, told)
        assert [mark for mark in charge.marks if mark.source != INTERPOLATED] == marks, "every reading was used"
        counter, total = charge.counter, total + rating.amount_nano(charge.lines)
    if ledger.all_nano is not None:
        assert (total, fen_floor(total)) == (ledger.all_nano, ledger.all_fen)


def agree(charge: Charge, told: ChargeSheet) -> None:
    """What was priced is what was told."""
    made = [
        LineSheet(each.version, each.kind, each.rate, each.wh, each.price_micro, each.amount_nano)
        for each in charge.lines
    ]
    assert sorted(made, key=str) == sorted(told.lines, key=str)
    assert [mark for mark in charge.marks if mark.source == INTERPOLATED] == told.between
    assert list(charge.guessed) == told.guessed
    amount = rating.amount_nano(charge.lines)
    assert (amount, fen_floor(amount)) == (told.sum_nano, told.sum_fen)
    assert (charge.counter.period, charge.counter.used_wh) == counted(told.counter)


def counted(counter: Counter | None) -> tuple[object, int]:
    return (None, 0) if counter is None else (counter.period, counter.used_wh)


@pytest.mark.parametrize("path", FILES, ids=named)
def test_the_book_keepers_own_sums_are_right(path: Path) -> None:
    """Worked by fractions from the words of the file alone: kWh times yuan, added, and the fen below."""
    text = path.read_text(encoding="utf-8")
    total = Fraction(0)
    for block in re.split(r"\n(?=Charge )", text)[1:]:
        products = re.findall(r"(-?[\d.]+) (?:kWh|m3) x (-?[\d.]+) = (-?[\d.]+)", block)
        amount = sum((Fraction(quantity) * Fraction(price) for quantity, price, _ in products), Fraction(0))
        assert all(Fraction(quantity) * Fraction(price) == Fraction(product) for quantity, price, product in products)
        sums = re.findall(r"  sum (-?[\d.]+), in full (-?[\d.]+)", block)
        assert sums or "refused by" in block
        assert all(Fraction(full) == amount and Fraction(fen) * 100 == floor(amount * 100) for fen, full in sums)
        total += amount
    for fen, full in re.findall(r"^In all (-?[\d.]+), in full (-?[\d.]+)", text, re.MULTILINE):
        assert Fraction(full) == total and Fraction(fen) * 100 == floor(total * 100)


@pytest.mark.parametrize("path", [path for path in FILES if ledger_text.load(path).gateway], ids=named)
def test_a_worked_example_through_a_whole_gateway(path: Path, tmp_path: Path) -> None:
    """The same days through readings, freezes, closings and the book: charges, daily fees and balances as written."""
    ledger = ledger_text.load(path)
    building = close(ledger, tmp_path)
    charges = building.of("charge/2", meter="a101")
    assert len(charges) == len(ledger.charges) and len(ledger.closings) > 0
    for entry, told in zip(charges, ledger.charges, strict=True):
        marks = ledger.meters["a101"].between(told.first, told.last)
        for end, mark in (("start", marks[0]), ("end", marks[-1])):
            assert (entry.fields[end]["registers_wh"], entry.fields[end]["source"]) == (mark.registers_wh, mark.source)
        made = [
            LineSheet(each["version"], each["kind"], each["rate"], each["wh"], each["price_micro"], each["amount_nano"])
            for each in entry.fields["lines"]
        ]
        assert sorted(made, key=str) == sorted(told.lines, key=str)
        assert entry.fields["amount_nano"] == told.sum_nano
        if told.counter is not None:
            counter = entry.fields["counter"]
            assert (counter["period"], counter["used_wh"]) == (str(told.counter.period), told.counter.used_wh)
    closings = building.of("closing/1", account="t101")
    assert [entry.fields["date"] for entry in closings] == [day.day.isoformat() for day in ledger.closings]
    for entry, day in zip(closings, ledger.closings, strict=True):
        fees = [each.fields["amount_nano"] for each in building.of("fee/1", date=day.day.isoformat())]
        assert fees == day.fees_nano and len(entry.fields["fees"]) == len(fees)
        assert (entry.fields["opening_nano"], entry.fields["closing_nano"]) == (day.opening_nano, day.closing_nano)


def test_there_are_enough_worked_examples() -> None:
    """At least forty, numbered without a gap, each with a title of its own and a charge."""
    assert len(FILES) >= 40
    assert [path.name[:3] for path in FILES] == [f"{number:02d}-" for number in range(1, len(FILES) + 1)]
    ledgers: list[Ledger] = [ledger_text.load(path) for path in FILES]
    assert len({ledger.title for ledger in ledgers}) == len(FILES) and all(ledger.charges for ledger in ledgers)


@pytest.mark.parametrize(
    ("was", "becomes", "why"),
    [
        ("all hours 0.5380", "all hours 0,5380", "this is no row of 'price'"),
        ("all hours 0.5380", "all hours 0.5380 yuan", "this is no row of 'price'"),
        ("Counts kWh", "Counts MWh", "this is no heading"),
        ("step 3 above", "step 4 above", "steps are told in order"),
        ("total 3112.000  freeze", "total 3112.000  heard", "no way to obtain a reading"),
        ("12.000 kWh x 0.5380 = 6.456", "12.000 kWh x 0.5380 = 6.457", "is not the amount"),
        ("12.000 kWh x", "12.000 m3 x", "is not the amount"),
        ("b501 from 2026-11-20 00:00", "b501 from 2026-11-19 00:00", "must begin and end with a reading"),
        ("2026-11-21 00:00  total", "2026-11-19 00:00  total", "in the order of time"),
        ("moved in 2026-01-01", "moved in 2026-02-30", "day"),
    ],
)
def test_what_a_ledger_says_is_understood_or_refused(was: str, becomes: str, why: str) -> None:
    """A slip of the pen in a worked example is refused with its line, never passed over."""
    text = EXAMPLE.read_text(encoding="utf-8")
    assert was in text
    wrong = text.replace(was, becomes, 1)
    line = next(n for n, (a, b) in enumerate(zip(text.splitlines(), wrong.splitlines(), strict=True), 1) if a != b)
    with pytest.raises(ledger_text.Unreadable, match=rf"line {line}: .*{why}"):
        ledger_text.read(wrong)
