"""The day's drawer: what was taken and what was paid out again, by method and person, so that it can be counted."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

import pytest
from booked import archive
from panel_stage import Stage, one_shop

from tests.edge.money_desk import CHECKER, MAKER, MoneyDesk

ELSE = "赵强"


@pytest.fixture
def day(tmp_path: Path) -> tuple[Stage, MoneyDesk]:
    """A day at the counter: money in by two people, one top-up that repays a credit, one taken back, a refund, and a
    tenancy settled in cash."""
    desk = MoneyDesk(tmp_path / "desk", emergency_credit="20.00")
    desk.done("lend", account="101", why="at night")
    desk.topup("101", 100)
    wrong = desk.topup("101", 60, who=ELSE)
    desk.topup("102", 80, method="transfer", reference="T-1")
    desk.done("reverse", account="101", receipt=wrong, why="wrong room", who=ELSE)
    desk.agreed("refund", account="101", method="cash", reference="slip 12", why="moves out", amount_fen=1550)
    desk.opened("m2", 1_000)
    desk.clock.advance(60)
    desk.reads("m2", 1_000)
    desk.agreed("settle", account="102", method="cash", reference="slip 13", why="contract ended", papers="A 8")
    stage = Stage(tmp_path)
    archive(stage, desk.book.entries())
    stage.online()
    return stage, desk


def cells(page: str, head: str = 'id="out"') -> list[list[str]]:
    part = page[page.index(head) :]
    rows = re.findall(r"<tr[^>]*>(.*?)</tr>", part[part.index("<table>") : part.index("</table>")], re.S)
    return [[unescape(re.sub(r"<[^>]*>", "", each)).strip() for each in re.findall(r"<t[dh].*?</t[dh]>", row)]
            for row in rows]  # fmt: skip


def test_what_stays_in_the_drawer_is_what_the_ledger_says(day: tuple[Stage, MoneyDesk]) -> None:
    """By method what was taken, reversed, refunded and settled, and what stays: the ledger's own tills; a top-up that
    repaid a credit lies in the drawer whole."""
    stage, desk = day
    page = stage.visitor("finance").see("/takings")
    assert cells(page) == [
        ["Method", "Top-ups", "Reversals", "Refunds", "Settlements", "Stays"],
        ["Cash", "160.00", "−60.00", "−15.50", "−80.00", "4.50"],
        ["Transfer", "80.00", "", "", "", "80.00"],
        ["Total", "240.00", "−60.00", "−15.50", "−80.00", "84.50"],
    ]
    assert (-desk.yuan("till:cash"), -desk.yuan("till:transfer")) == (4.5, 80)
    assert "84.50 <small>" in page and "3 top-ups" in page and "3 paid out" in page


def test_the_head_of_the_rooms_counts_what_was_paid(day: tuple[Stage, MoneyDesk]) -> None:
    """Three top-ups, 240 yuan into the till: of one that repaid a credit all was paid, though less of it is left."""
    stage, _ = day
    page = stage.visitor("finance").see("/rooms")
    assert re.search(r"Top-ups today: 3</dt><dd>240\.00 ", page)


def test_each_person_sees_what_they_took_and_paid(day: tuple[Stage, MoneyDesk]) -> None:
    """The chip of a person is what is left of theirs; chosen, only their lines stand there."""
    stage, _ = day
    visitor = stage.visitor("finance")
    page = visitor.see("/takings")
    assert f"{MAKER} <b>84.50</b>" in page and f"{ELSE} <b>0.00</b>" in page
    own = visitor.see(f"/takings?day=2026-11-20&who={ELSE}")
    assert cells(own)[1:-1] == [["Cash", "60.00", "−60.00", "0.00"]]
    assert "slip 12" not in own and "Reversal" in own


def test_each_line_leads_to_its_paper_and_names_both_people(day: tuple[Stage, MoneyDesk]) -> None:
    """A refund and a settlement to the slip that is signed, a reversal to its entry, a top-up to its receipt; who paid
    and who approved."""
    stage, desk = day
    page = stage.visitor("finance").see("/takings")
    for kind, path in (("refund/1", "slip"), ("exit/1", "slip"), ("reversal/1", "entry"), ("topup/1", "receipt")):
        (first, *_) = desk.of(kind)
        assert f'href="{path}/{first.seq}"' in page, kind
    assert f"{MAKER} · {CHECKER}" in page and 'class="n neg">−15.50' in page
    zh = stage.visitor("manager", "zh").see("/takings")
    for words in ("收款与支出", "冲正", "退费", "退租结算", "应存", "支出 3 笔"):
        assert words in zh, words


def test_a_day_without_payments_is_as_short_as_before(shop: Stage) -> None:
    """Only money in: no table of what was paid out. A settlement that paid nothing out is no line either."""
    body = {"account": "100206", "amount_fen": 20_000, "method": "cash", "who": "王敏", "receipt": "r-1",
            "balance_after_nano": 0}  # fmt: skip
    shop.entry("topup/1", body, amount_nano=200 * 10**9)
    moves = [{"from": "account:100206", "to": "income:residue", "amount_nano": 5}]
    shop.entry("exit/1", {**body, "amount_fen": 0, "moves": moves}, amount_nano=-5)
    page = shop.visitor("finance").see("/takings")
    assert 'id="out"' not in page and "1 top-up" in page and "200.00 <small>" in page
    assert page.count('<tr class="row">') == 1


def test_what_cannot_be_read_still_counts(stage: Stage) -> None:
    """A refund of which a field is damaged is not missing in the drawer: its amount stands in the archive's column."""
    one_shop(stage)
    stage.entry("refund/1", {"account": "100206", "method": {}, "amount_fen": 500}, amount_nano=-5 * 10**9)
    page = stage.visitor("finance").see("/takings")
    assert cells(page)[-1] == ["Total", "−5.00", "−5.00"]
