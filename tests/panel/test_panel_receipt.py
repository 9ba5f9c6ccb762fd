"""Receipts on paper: what the book says, once as the receipt and from then on marked as a reprint."""

from __future__ import annotations

import re

import pytest
from panel_facts import YUAN, charge
from panel_stage import Stage

from panel.capitals import capitals


def paid(stage: Stage, **more: object) -> int:
    """A top-up of 200 yuan in the archive. Return its seq."""
    body = {
        "account": "100206", "amount_fen": 20_000, "method": "cash", "receipt": "20261120-000134", "who": "王敏",
        "reference": "", "balance_after_nano": 235_490_000_000,
    }  # fmt: skip
    return stage.entry("topup/1", body | more, amount_nano=200 * YUAN)


def paper_of(page: str) -> str:
    found = re.search(r'<article class="paper.*?</article>', page, re.S)
    assert found, page[:400]
    return found[0]


def test_a_receipt_says_what_stands_in_the_book(shop: Stage) -> None:
    """Number, time with its year, room, tenant, meter, method, amount in figures and capitals, balance, cashier."""
    seq = paid(shop, reference="4200-7716")
    paper = paper_of(shop.visitor("finance", language="zh").see(f"/receipt/{seq}"))
    for words in ("20261120-000134", "2026-11-20 14:50:12", "A206", "味之源麻辣烫", "100206", "2026031", "现金",
                  "¥200.00", "人民币贰佰元整", "235.49", "王敏", "4200-7716", "非发票"):  # fmt: skip
        assert words in paper, words


def test_the_first_paper_is_the_receipt_and_each_further_one_is_marked(shop: Stage) -> None:
    """Looking prints only a preview; the button counts: the second paper says 补打, how often, when and by whom."""
    seq = paid(shop)
    visitor = shop.visitor("finance", language="zh")
    preview = visitor.see(f"/receipt/{seq}")
    assert "预览，不作收据" in paper_of(preview) and "补打" not in paper_of(preview) and "data-print" not in preview
    first = visitor.post(f"/receipt/{seq}").text
    assert "data-print" in first and "补打" not in paper_of(first) and "预览" not in paper_of(first)
    shop.clock.advance(60)
    second = paper_of(visitor.post(f"/receipt/{seq}").text)
    assert "补打 第 1 次" in second and "补打时间 2026-11-20 14:51:12 · finance-1" in second
    assert "补打 第 2 次" in visitor.post(f"/receipt/{seq}").text
    assert "已打印 3 次" in visitor.see(f"/receipt/{seq}")
    other = paid(shop)
    assert "补打" not in paper_of(visitor.post(f"/receipt/{other}").text), "each receipt counts for itself"


def test_papers_are_counted_over_a_restart(shop: Stage) -> None:
    """A new start of the panel does not make a second first paper."""
    from panel.receipts import Receipts

    seq = paid(shop)
    shop.parts.receipts.print(seq, "王敏")
    again = Receipts(shop.database, shop.clock)
    assert again.print(seq, "李强").copy == 1
    assert [(each.copy, each.who) for each in again.printed(seq)] == [(0, "王敏"), (1, "李强")]


def test_only_who_takes_money_prints(shop: Stage) -> None:
    """An engineer may look at a receipt and not print one, whatever the browser shows."""
    seq = paid(shop)
    visitor = shop.visitor("engineer")
    assert "<button" not in paper_of(visitor.see(f"/receipt/{seq}"))
    assert visitor.post(f"/receipt/{seq}").status_code == 403
    assert shop.parts.receipts.printed(seq) == []


def test_what_is_no_receipt_is_not_found(shop: Stage) -> None:
    """A charge, a number that cannot be one, and an entry that never was have no receipt."""
    paid(shop)
    seq = shop.entry("charge/1", charge("100206", "a206"), amount_nano=-51_826_116_000)
    visitor = shop.visitor("finance")
    for address in (str(seq), "1" * 30, "-1", "x", "٣", "0"):
        assert visitor.get(f"/receipt/{address}").status_code == 404, address


def test_an_entry_on_its_way_is_told_and_not_counted(shop: Stage) -> None:
    """Printing a moment too early prints nothing, and the paper that follows is the receipt itself."""
    visitor = shop.visitor("finance")
    early = visitor.post("/receipt/1").text
    assert "on its way to the archive" in early and "data-print" not in early
    assert paid(shop) == 1
    assert "Reprint" not in paper_of(visitor.post("/receipt/1").text)


@pytest.mark.parametrize(("asked", "width"), [("58", "w-58"), ("80", "w-80"), ("a4", "w-a4"), ("a0", "w-80")])
def test_the_paper_is_chosen_once(shop: Stage, asked: str, width: str) -> None:
    """58 mm, 80 mm or A4; the browser remembers it, and 80 mm is used until somebody has chosen."""
    seq = paid(shop)
    visitor = shop.visitor("finance")
    assert f"paper {width}" in visitor.see(f"/receipt/{seq}?paper={asked}")
    assert f"paper {width}" in visitor.see(f"/receipt/{seq}")


def test_the_answer_and_the_entries_lead_to_the_receipt(shop: Stage) -> None:
    """After taking money one click prints; later the entry's receipt number leads there."""
    visitor = shop.visitor("finance")
    visitor.post("/account/100206", "/account/100206", amount="200", method="cash", transaction="t" * 12)
    assert "../receipt/" not in visitor.see("/answer/" + "t" * 12)
    shop.answer("topup", "t" * 12, "done", data={"seq": 77, "receipt": "20261120-000134", "balance_nano": 1})
    assert 'action="../receipt/77"' in visitor.see("/answer/" + "t" * 12)
    seq = paid(shop)
    assert f'<a href="../receipt/{seq}">Cash · receipt 20261120-000134' in visitor.see("/account/100206")


@pytest.mark.parametrize(
    ("fen", "words"),
    [
        (20_000, "贰佰元整"), (1_050, "壹拾元伍角整"), (10_005, "壹佰元零伍分"), (10_010, "壹佰元壹角整"),
        (5, "伍分"), (50, "伍角整"), (0, "零元整"), (100_050_000, "壹佰万零伍佰元整"), (109_000_000, "壹佰零玖万元整"),
        (1_000_000_001, "壹仟万元零壹分"), (10_000_000_000, "壹亿元整"), (10_100, "壹佰零壹元整"),
        (160_000, "壹仟陆佰元整"), (10_010_001_012, "壹亿零壹拾万零壹拾元壹角贰分"),
    ],
)  # fmt: skip
def test_capitals_are_those_of_a_bank_form(fen: int, words: str) -> None:
    """Zeros between digits are said once, an amount without fen ends in 整."""
    assert capitals(fen) == words
