"""The statement on the panel says what `riser statement` says of the same book, and prints on A4."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from booked import archive
from panel_facts import tenant
from panel_stage import Stage

from bridge.contract.clock import ManualClock
from bridge.contract.entries import INCOME, TENANT
from bridge.contract.messages import Accounts
from bridge.contract.month import month_of
from bridge.contract.units import NANO_PER_YUAN, yuan_exact
from edge.audit.month import Month
from edge.audit.month import gathered as edge_month
from edge.audit.statement import statement as at_the_edge
from panel.bill_history import reach, tenancy_entry
from panel.formats import grouped
from panel.pages.statement import gathered
from panel.statement import Statement
from tests.bench.grown_book import Grown
from tests.edge.money_desk import MoneyDesk

ACCOUNT = "tm001"
AFTER = datetime(2016, 4, 3, 4, tzinfo=UTC)
REASONS: dict[str, Any] = {"papers": "p-1", "reason": "system-duplicate"}


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Stage]:
    """Two tenants from new year to the third of April, with steps, surcharges, fees and raw frames."""
    directory = tmp_path_factory.mktemp("grown")
    book = Grown(directory, 2)
    book.grow(93)
    stage = Stage(tmp_path_factory.mktemp("panel"), ManualClock(AFTER))
    archive(stage, book.book.entries())
    book.book.close()
    stage.online(seq=stage.seq)
    return directory, stage


def told(stage: Stage, month: str, account: str = ACCOUNT) -> Statement:
    return gathered(stage.parts, account, month, tenancy_entry(stage.parts.history, account), [])


def compare(ours: Statement, theirs: Month | None) -> None:
    """Every number of the two."""
    assert theirs is not None
    assert (ours.first, ours.last, ours.closed_through) == (theirs.first, theirs.last, theirs.closed_through)
    assert (ours.opening_nano, ours.closing_nano) == (theirs.opening_nano, theirs.closing_nano)
    assert (ours.in_nano, ours.out_nano) == (theirs.in_nano, theirs.out_nano)
    assert [(each.day, each.line.seq, each.amount_nano, each.balance_nano, each.guessed) for each in ours.postings] == [
        (each.day, each.seq, each.amount_nano, each.balance_nano, each.guessed) for each in theirs.postings
    ]
    assert [
        (each.kind, each.rate, each.unit, each.tariff, each.version, each.price_micro, each.quantity, each.amount_nano)
        for each in ours.sums
    ] == [
        (each.kind, each.rate, each.unit, each.tariff, each.version, each.price_micro, each.quantity, each.amount_nano)
        for each in theirs.sums
    ]
    assert [(each.meter, each.unit, each.multiplier, each.wh, each.opening, each.closing) for each in ours.spans] == [
        (each.meter, each.unit, each.multiplier, each.wh, each.opening, each.closing) for each in theirs.meters
    ]


@pytest.mark.parametrize("month", ["2016-01", "2016-02", "2016-03", "2016-04"])
def test_a_month_is_that_of_the_edge(grown: tuple[Path, Stage], month: str) -> None:
    """Money, registers, every posting and every sum are the same on the panel and at the gateway."""
    directory, stage = grown
    ours = told(stage, month)
    compare(ours, at_the_edge(directory, ACCOUNT, month))
    assert ours.postings and ours.adds_up


def test_the_page_shows_what_it_says(grown: tuple[Path, Stage]) -> None:
    """Every posting with its entry, opening and closing, the newest hash as an anchor, the months to choose from."""
    directory, stage = grown
    page, month = stage.visitor("finance").see(f"/statement/{ACCOUNT}?month=2016-02"), told(stage, "2016-02")
    text = re.sub(r"<[^>]*>", " ", page)
    for nano in (month.opening_nano, month.out_nano, month.in_nano, month.closing_nano):
        assert grouped(yuan_exact(nano)) in text
    for posting in month.postings:
        assert f'entry/{posting.line.seq}"' in page and grouped(yuan_exact(posting.balance_nano)) in text
    theirs = at_the_edge(directory, ACCOUNT, "2016-02")
    assert theirs is not None
    assert f"riser verify --anchor {theirs.newest_seq}:{theirs.newest_hash}" in text
    assert re.findall(r"<option[^>]*>([^<]+)<", page) == ["2016-04", "2016-03", "2016-02", "2016-01"]
    assert "Step 3, on top" in text and "Surcharge: fund" in text and "Not complete yet" not in page


def test_a_month_that_is_none_is_the_one_that_runs(grown: tuple[Path, Stage]) -> None:
    """A month typed wrongly, or before the account, shows the running one; an unknown account is not found."""
    visitor = grown[1].visitor("finance")
    for asked in ("2016-13", "1999-01", "<b>", "2016-4", ""):
        assert "Statement 2016-04" in visitor.see(f"/statement/{ACCOUNT}?month={asked}")
    assert visitor.get("/statement/nobody").status_code == 404


def test_a_month_that_is_not_over_says_so(grown: tuple[Path, Stage]) -> None:
    """Days that are not closed yet are no zeroes."""
    visitor = grown[1].visitor("finance")
    assert "closed through 2016-04-02" in visitor.see(f"/statement/{ACCOUNT}?month=2016-04")
    assert "closed through" not in visitor.see(f"/statement/{ACCOUNT}?month=2016-03")


@pytest.fixture
def desk(tmp_path: Path) -> MoneyDesk:
    """A counter at which every act was done once, over the end of a month."""
    desk = MoneyDesk(tmp_path / "desk", emergency_credit="5.00", overdraft="50.00")
    receipt = desk.topup("101", 100)
    desk.done("reverse", account="101", receipt=receipt, why="typed twice")
    desk.topup("101", 200, method="transfer")
    desk.done("lend", account="102", why="at night")
    desk.agreed("bring", account="102", amount_fen=-300, papers="old book")
    desk.clock.advance(11 * 86_400)
    desk.agreed("correct", account="101", to_account="102", amount_fen=3000, why="wrong meter", papers="p-2")
    desk.agreed("refund", account="101", amount_fen=1000, method="cash", reference="s-1", why="asked")
    desk.agreed("compensate", account="101", amount_fen=500, **REASONS)
    desk.agreed("deduct", account="101", amount_fen=200, consent="signed", **REASONS)
    desk.topup("102", 100)
    return desk


def charged(desk: MoneyDesk, meter: str, account: str, first_wh: int, last_wh: int, day: str) -> None:
    """A charge between two registers at the desk's one price."""
    used = last_wh - first_wh
    amount = used * 851_200
    moves = [{"from": TENANT + account, "to": INCOME, "amount_nano": amount}]
    mark = {"at": desk.clock.now().isoformat(), "source": "read", "frames": []}
    counter = {"period": None, "used_wh": 0, "others": []}
    line = {"kind": "rate", "rate": "total", "wh": used, "price_micro": 851_200, "amount_nano": amount, "version": 1}
    desk.core.append(("charge/2", f"charge:{meter}:{day}", {
        "account": account, "meter": meter, "unit": "kWh", "multiplier": 1, "full_scale_wh": 10**9, "by": "registers",
        "start": {"registers_wh": {"total": first_wh}, **mark}, "end": {"registers_wh": {"total": last_wh}, **mark},
        "between": [], "guessed": [], "tariff": "shop", "tariff_name": "商铺", "version": 1, "wh": used, "days": 1,
        "lines": [line], "counter_before": counter, "counter": counter, "amount_nano": amount, "date": day,
        "moves": moves, "balance_after_nano": desk.core.state.posted_nano(account) - amount,
    }))  # fmt: skip


@pytest.mark.parametrize("account", ["101", "102"])
@pytest.mark.parametrize("month", ["2026-11", "2026-12", "2027-01"])
def test_every_act_stands_where_the_edge_puts_it(tmp_path: Path, desk: MoneyDesk, account: str, month: str) -> None:
    """Reversal, refund, compensation, deduction, credit, and what was moved from another account, before and after
    the end of a month."""
    stage = Stage(tmp_path, desk.clock)
    archive(stage, desk.book.entries())
    ours = told(stage, month, account)
    compare(ours, at_the_edge(tmp_path / "desk", account, month))
    assert ours.adds_up


def test_the_next_tenants_register_is_not_this_ones(tmp_path: Path, desk: MoneyDesk) -> None:
    """After a tenancy ended its statement goes on telling its own registers, though the meter was opened anew."""

    def opening(wh: int) -> None:
        at = desk.clock.now().isoformat()
        body = {"meter": "m1", "registers_wh": {"total": wh}, "at": at, "source": "opening", "serial": "1" * 12}
        desk.core.append(("opening/1", desk.core.own_id("opening"), {**body, "frames": []}))

    opening(5_000)
    charged(desk, "m1", "101", 5_000, 15_000, "2026-12-01")
    desk.core.append(("exit/1", "exit:101", {
        "account": "101", "charges": [], "meters": ["m1"], "amount_fen": 0, "residue_nano": 0, "method": "cash",
        "receipt": "r", "moves": [], "balance_after_nano": desk.core.state.posted_nano("101"), "who": "a", "role": "",
        "approved_by": "b", "proposal": "p-9", "why": "", "papers": "", "reference": "",
    }))  # fmt: skip
    opening(99_000)
    stage = Stage(tmp_path, desk.clock)
    archive(stage, desk.book.entries())
    for month in ("2026-11", "2026-12"):
        compare(told(stage, month, "101"), at_the_edge(tmp_path / "desk", "101", month))
    (meter,) = told(stage, "2026-12", "101").spans
    assert meter.closing is not None and meter.closing["registers_wh"] == {"total": 15_000}


def test_a_meter_that_was_replaced_stands_twice(tmp_path: Path, desk: MoneyDesk) -> None:
    """Each meter of the month with its own registers and multiplier, in the month of the change and in the next."""
    charged(desk, "m1", "101", 5_000, 15_000, "2026-12-01")
    at = desk.clock.now().isoformat()
    new: dict[str, Any] = {
        "meter": "m1", "account": "101", "was": {"address": "1", "registers_wh": {"total": 15_000}}, "charge": None,
        "row": {"multiplier": 40}, "serial": "2" * 12, "registers_wh": {"total": 70}, "at": at, "source": "opening",
        "frames": [], "who": "a", "approved_by": "b", "unit": "Wh",
    }  # fmt: skip
    stage = Stage(tmp_path, desk.clock)
    entries = list(desk.book.entries())
    number = entries[-1].seq
    replaced = replace(entries[-1], seq=number + 1, id="replacement:m1", kind="replacement/1", body=json.dumps(new))
    charge = next(each for each in entries[::-1] if each.kind == "charge/2")
    body = charge.fields | {"start": {"registers_wh": {"total": 70}, "at": at, "source": "opening"}}
    body |= {"end": {"registers_wh": {"total": 90}, "at": at, "source": "read"}, "date": "2026-12-02", "multiplier": 40}
    after = replace(charge, seq=number + 2, id="charge:m1:2026-12-02", body=json.dumps(body), at=replaced.at)
    book = [*entries, replaced, after]
    archive(stage, book)
    for month in ("2026-11", "2026-12", "2027-01"):
        theirs = edge_month(book, "101", ZoneInfo("Asia/Shanghai"), *month_of(month))
        compare(told(stage, month, "101"), theirs)
    old, other = told(stage, "2026-12", "101").spans
    assert (old.multiplier, other.multiplier) == (1, 40)
    stage.say(Accounts(accounts=[tenant("101", "味之源", "A101", ["m1"])]))
    text = re.sub(r"<[^>]*>", " ", stage.visitor("finance").see("/statement/101?month=2026-12"))
    assert "0.07" in text and "15.00" in text


@pytest.mark.parametrize("at", [0, 10**15, 4 * 10**15])
def test_money_taken_while_the_clock_was_doubted_stands_between_its_neighbours(
    tmp_path: Path, desk: MoneyDesk, at: int
) -> None:
    """Money that was taken in 1970, says the clock, stands in the month in which it was taken."""
    book = list(desk.book.entries())
    place = next(n for n, each in enumerate(book) if each.kind == "refund/1")
    book[place] = replace(book[place], at=at, trusted=False)
    last = max(n for n, each in enumerate(book) if each.kind == "opening-balance/1")
    book[last] = replace(book[last], at=at, trusted=False)
    stage = Stage(tmp_path, desk.clock)
    archive(stage, book)
    for account in ("101", "102"):
        for month in ("2026-11", "2026-12", "2027-01"):
            theirs = edge_month(book, account, ZoneInfo("Asia/Shanghai"), *month_of(month))
            compare(told(stage, month, account), theirs)


def test_an_archive_with_a_hole_says_so(tmp_path: Path, desk: MoneyDesk) -> None:
    """Where an entry is missing, or the newest have not come, the page does not pass for whole."""
    stage = Stage(tmp_path, desk.clock)
    entries = archive(stage, [each for each in desk.book.entries() if each.kind != "refund/1"])
    assert not told(stage, "2026-12", "101").adds_up
    assert reach(stage.parts.history)[0] < entries[-1].seq
    stage.say(Accounts(accounts=[tenant("101", "味之源", "A101", ["m1"])]))
    assert "Not complete yet" in stage.visitor("finance").see("/statement/101")


def test_money_in_full_is_never_rounded(grown: tuple[Path, Stage]) -> None:
    """The balance of each posting follows from the one before it, to the billionth of a yuan."""
    month = told(grown[1], "2016-03")
    balance = month.opening_nano
    for posting in month.postings:
        balance += posting.amount_nano
        assert posting.balance_nano == balance
    assert month.closing_nano % NANO_PER_YUAN  # The fee of a third of a yuan leaves a part of a fen.
