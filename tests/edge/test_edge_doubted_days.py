"""Money that was taken while the gateway's clock was doubted stands in the month in which it was taken (R25)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from edge.audit.opened import Reader
from edge.audit.posting import vouchers
from edge.audit.statement import statement
from tests.edge.money_desk import START, MoneyDesk

ZONE = ZoneInfo("Asia/Shanghai")


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[MoneyDesk]:
    made = MoneyDesk(tmp_path)
    made.topup("101", 100)
    yield made
    made.book.close()


def doubted(desk: MoneyDesk, says: datetime, yuan: int) -> None:
    """A top-up while the clock says something that nobody believes."""
    now = desk.clock.now()
    desk.clock.step_calendar((says - now).total_seconds())
    desk.book.trusted = False
    desk.topup("101", yuan)
    desk.book.trusted = True
    desk.clock.step_calendar((now - says).total_seconds())


def posted(tmp_path: Path, month: str) -> list[tuple[int, str]]:
    found = statement(tmp_path, "101", month)
    assert found is not None
    return [(each.amount_nano // 10**9, each.day.isoformat()) for each in found.postings]


@pytest.mark.parametrize("says", [datetime(1970, 1, 1, 0, 5, tzinfo=UTC), datetime(2099, 5, 5, tzinfo=UTC)])
@pytest.mark.parametrize("more", [True, False])
def test_a_doubted_clock_hides_no_payment(desk: MoneyDesk, tmp_path: Path, says: datetime, more: bool) -> None:
    """The statement of the month and its vouchers show it, between what was written before and after it; while nothing
    came after it, a clock that is ahead is all there is to go by."""
    doubted(desk, says, 7)
    if more:
        desk.clock.advance(60)
        desk.topup("101", 5)
    elif says.year > 2000:
        assert posted(tmp_path, "2026-11") == [(100, "2026-11-20")]
        assert posted(tmp_path, "2099-05") == [(7, "2099-05-05")]
        return
    expected = [(100, "2026-11-20"), (7, "2026-11-20"), *([(5, "2026-11-20")] if more else [])]
    assert posted(tmp_path, "2026-11") == expected and posted(tmp_path, "2026-10") == []
    reader = Reader(tmp_path)
    days = [each.day for each in vouchers(reader.with_money(), ZONE, "en")]
    reader.close()
    assert days == [date(2026, 11, 20)] * len(expected)


def test_a_doubted_clock_that_may_be_right_is_taken_as_it_is(desk: MoneyDesk, tmp_path: Path) -> None:
    """A clock that was only not synchronised yet lies between its neighbours: its own day counts."""
    doubted(desk, START.replace(day=22), 7)
    desk.clock.advance(4 * 86_400)
    desk.topup("101", 5)
    assert posted(tmp_path, "2026-11") == [(100, "2026-11-20"), (7, "2026-11-22"), (5, "2026-11-24")]
