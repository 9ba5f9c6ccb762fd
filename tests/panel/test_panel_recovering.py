"""After a restore the panel says what came back, what people must do again, and takes the word of one person."""

from __future__ import annotations

import re
from typing import Any

import pytest
from panel_stage import Stage
from test_panel_edge_words import english_in

PAGE = "/lines/recovery"
WHY = "restored from the backup of 2026-11-20 10:30, which ends at entry 20: payments made since then may be"
RESTORED: dict[str, Any] = {
    "open": True, "first": "e", "before": "e", "seq": 0, "hash": "0" * 64, "made_at": "2026-11-20T02:30:00+00:00",
    "heard": 9, "holes": 0, "brought": 4, "missed": 1,
}  # fmt: skip


def recovering(shop: Stage, **more: Any) -> None:
    shop.online(mode="recovery", mode_why=f"{WHY} missing", restored=RESTORED | more)


def missed(shop: Stage, **more: Any) -> None:
    former = {"epoch": "e", "seq": 7, "mark": "ab", "at": "2026-11-20T04:00:00+00:00", "id": "p-7", "kind": "refund/1",
              "account": "100206", "meter": None, "amount_fen": 1234, "by": "王敏", **more}  # fmt: skip
    shop.entry(
        "missed/1", {"account": "100206", "former": former, "why": "two people, or readings of then, belong to it"}
    )


@pytest.mark.parametrize("language", ["en", "zh"])
def test_what_came_back_and_what_did_not(shop: Stage, language: str) -> None:
    """The page of the wires leads to it; it tells the backup, the archive's last word, and each act of the lost time
    that people must do again, in the reader's language."""
    recovering(shop, through=42, holes=3)
    missed(shop)
    visitor = shop.visitor("finance", language=language)
    assert 'href="../lines/recovery"' in visitor.see("/lines/ports")
    page = visitor.see(PAGE)
    for words in ("12.34", "王敏", "100206", "42"):
        assert words in page
    assert 'name="why"' not in page, "only a manager gives the word"
    if language == "en":
        assert "3 entries before that never reached it" in page and "Refund" in page
    else:
        assert english_in(page) == set() and "须由人重做的" in page


def test_the_word_is_a_managers_and_asks_for_a_reason(shop: Stage) -> None:
    """One signed request with name and reason; without an archive's last word it must be said that there is none."""
    recovering(shop)
    boss = shop.visitor("manager")
    page = boss.see(PAGE)
    assert "has not told everything yet" in page and "without_archive" in page
    number = re.search(r'name="transaction" value="([^"]+)"', page)
    assert number is not None
    assert boss.post(PAGE, PAGE, why="", transaction=number[1]).status_code == 422
    assert shop.visitor("finance").post("/lines/ports", PAGE, why="x", transaction="f" * 12).status_code == 403
    assert shop.requests("recovered") == []
    boss.post(PAGE, PAGE, why="till and receipts compared", transaction=number[1], without_archive="yes")
    (asked,) = shop.requests("recovered")
    assert (asked["who"], asked["why"], asked["without_archive"]) == (
        "manager-1", "till and receipts compared", True,
    )  # fmt: skip
    recovering(shop, through=42)
    assert "without_archive" not in boss.see(PAGE)


def test_a_book_that_waits_for_nothing_says_so(shop: Stage) -> None:
    """Once a person has said it, the page asks for nothing more, and the page of the wires leads nowhere."""
    shop.online(restored=RESTORED | {"open": False})
    boss = shop.visitor("manager")
    assert "waits for nothing" in boss.see(PAGE) and 'href="../lines/recovery"' not in boss.see("/lines/ports")
