"""A preview is asked for without a seal, so nothing that anybody writes as its month may stop the loop (R7)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.edge.money_desk import MoneyDesk

PRICE = {"id": "shop", "name": "商铺", "kind": "single", "price": "0.9"}


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[MoneyDesk]:
    made = MoneyDesk(tmp_path)
    made.requests.prices.begin = lambda name, work: [None for _ in work()] and None
    yield made
    made.book.close()


def previewed(desk: MoneyDesk, month: str) -> tuple[str, str | None]:
    words = {"transaction": "preview-01", "price": PRICE, "month": month}
    desk.requests.receive("preview-price", json.dumps(words, ensure_ascii=False).encode(), False)
    return desk.heard[-1].status, desk.heard[-1].rule


@pytest.mark.parametrize(
    "month",
    ["0000-01", "0001-01", "9999-12", "２０２６-10", "٢٠٢٦-10", "2026-13", "2026-00", "2026-1", "2026-10\n", ""],
)
def test_a_month_that_is_none_is_refused(desk: MoneyDesk, month: str) -> None:
    """Outside of the calendar, in another script's digits, or no month: an answer, and the loop goes on (R7)."""
    assert previewed(desk, month) == ("refused", "R7")


@pytest.mark.parametrize("month", ["2000-01", "2026-10", "2099-12"])
def test_any_other_month_is_previewed(desk: MoneyDesk, month: str) -> None:
    """Also one in which nothing was charged."""
    assert previewed(desk, month) == ("done", None)


def test_a_name_that_an_asker_made_up_is_not_shown_as_it_is(desk: MoneyDesk) -> None:
    """A refusal names where the mistake is, and carries neither line breaks nor marks that turn the text (R7)."""
    answer = desk.ask("propose-price", role="manager", price={**PRICE, "pri\nce\u202e<b>": "1"})
    assert answer.rule == "R7" and "pri?ce??b?: there is no such setting" in (answer.error or "")
