"""What the acts with money leave in the facts: how a debt is paid off, and what became of a proposal."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.contract.clock import ManualClock
from bridge.contract.messages import Account, DecisionRow
from bridge.contract.site_file import load
from bridge.contract.sound import unsound
from edge import install
from edge.account_facts import account_fact
from edge.accounts import Accounts
from edge.book import Book
from edge.core import Core
from edge.settings import terms_of
from edge.tariff_facts import DECIDED_TOLD, proposals_fact
from tests.edge.money_desk import CHECKER, MAKER, START, MoneyDesk

DEBT = {"account": "101", "share_percent": 20, "papers": "agreement 7"}


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[MoneyDesk]:
    made = MoneyDesk(tmp_path)
    made.topup("101", 100)
    yield made
    made.book.close()


def told(desk: MoneyDesk) -> Account:
    return account_fact(desk.core, desk.requests.money._accounts, desk.core.state.accounts["101"])


def agreed(account: Account) -> tuple[int | None, int | None, int | None]:
    return account.debt_share_percent, account.debt_weekly_cap_nano, account.debt_left_nano


def test_a_debt_is_told_with_its_share_and_what_the_week_still_allows(desk: MoneyDesk) -> None:
    """20 % of each top-up, at most 15 yuan a week: after 50 yuan paid, 5 are left; without a cap none is told; and
    once all is repaid there is no share any more (R16)."""
    assert agreed(told(desk)) == (None, None, None)
    desk.use("101", 15_000)
    desk.agreed("defer", **DEBT, amount_fen=3000, weekly_cap_fen=1500)
    assert agreed(told(desk)) == (20, 15 * 10**9, 15 * 10**9)
    desk.topup("101", 50)
    assert agreed(told(desk)) == (20, 15 * 10**9, 5 * 10**9)
    desk.use("101", 7_000)
    desk.agreed("defer", **DEBT, amount_fen=100)
    assert agreed(told(desk)) == (20, None, None)
    desk.topup("101", 1000)
    assert told(desk).debt_nano == 0 and agreed(told(desk)) == (None, None, None)


def test_the_maker_hears_what_became_of_a_proposal(desk: MoneyDesk) -> None:
    """Approved, rejected with its reason: by whom, whose account; the newest first, and no more than a busy day's."""
    words = {"account": "101", "amount_fen": 100, "method": "cash", "reference": "1", "why": "x"}
    first = desk.propose("refund", **words)
    second = desk.propose("refund", **words)
    assert [row.id for row in proposals_fact(desk.core).proposals] == [first, second]
    assert proposals_fact(desk.core).decided == []
    desk.done("approve-money", proposal=first, who=CHECKER)
    desk.done("reject-money", proposal=second, who=CHECKER, why="the slip is missing")
    fact = proposals_fact(desk.core)
    at = fact.decided[0].decided_at
    more = {"what": "refund", "account": "101", "who": MAKER, "decided_by": CHECKER, "decided_at": at}
    assert fact.proposals == [] and fact.decided == [
        DecisionRow(id=second, approved=False, why="the slip is missing", **more),
        DecisionRow(id=first, approved=True, why="", **more),
    ]
    for _ in range(DECIDED_TOLD):
        newest = desk.propose("refund", **words)
        desk.done("reject-money", proposal=newest, who=MAKER, why="x")
    decided = proposals_fact(desk.core).decided
    assert len(decided) == DECIDED_TOLD and decided[0].id == newest and second not in {row.id for row in decided}


def test_every_account_of_the_example_site_is_believed(tmp_path: Path) -> None:
    """Steps, water, several meters: whoever receives a fact about such an account finds nothing wrong in it."""
    site = load(Path(__file__).parents[2] / "site.example.toml")
    clock = ManualClock(START)
    book = Book(tmp_path, clock, "boot-1")
    book.trusted = True
    core = Core(book, terms_of(site, (frozenset(), frozenset())), clock)
    install.fill(core, site)
    accounts = Accounts(core, lambda meter: None)
    facts = [account_fact(core, accounts, account) for account in core.state.accounts.values()]
    book.close()
    assert any(fact.step_began_on for fact in facts) and any(fact.water_price_now for fact in facts)
    assert [unsound(fact) for fact in facts] == [None] * len(facts)
