"""Money acts of one person: a top-up in its limits, its reversal once and unspent, emergency credit (R12-R16)."""

from __future__ import annotations

import pytest

from tests.edge.money_desk import MAKER, Made, MoneyDesk


@pytest.fixture
def desk(desks: Made) -> MoneyDesk:
    return desks()


# --- limits of a top-up (R15) ---


def test_the_default_limits_hold_nobody_back_who_paid_before(desk: MoneyDesk) -> None:
    """A site that sets nothing takes 1 to 50,000 yuan, again and again, up to the limits of the book."""
    for _ in range(3):
        desk.topup(yuan=50_000)
    assert desk.yuan("account:101") == 150_000
    assert desk.refused("topup", account="101", amount_fen=99, method="cash") == "R15"
    assert desk.refused("topup", account="101", amount_fen=5_000_001, method="cash") == "R15"


def test_nobody_hoards_beyond_the_ceiling(desks: Made) -> None:
    """With a ceiling of 500 yuan a top-up to 500 is taken, and the next fen is refused (R15)."""
    desk = desks(balance_max="500.00", topup_min="0.01")
    desk.topup(yuan=500)
    assert desk.refused("topup", account="101", amount_fen=1, method="cash") == "R15"
    desk.use("101", 100)
    desk.topup(yuan=1)


def test_a_person_takes_only_so_much_in_a_day(desks: Made) -> None:
    """The limit is per person and local day, over all accounts; the payment channel is nobody's day; a restart
    forgets nothing (R15)."""
    desk = desks(operator_day_max="300.00")
    desk.topup("101", 200)
    desk.topup("102", 100)
    desk.restart()
    for name in (MAKER, f" {MAKER}", f"{MAKER}\u200b"):
        assert desk.refused("topup", who=name, account="101", amount_fen=100, method="cash") == "R15"
    desk.topup("101", 300, who="赵云")
    desk.topup("101", 900, who="demo payer", role="payment", key="demo")
    desk.topup("101", 900, who="demo payer", role="payment", key="demo")
    desk.clock.advance(24 * 3600)
    desk.topup("101", 300)


# --- reversal (R12) ---


def test_a_reversal_takes_back_the_whole_top_up_once(desk: MoneyDesk) -> None:
    """The full amount goes back to the till it came from; a second reversal, also after a restart, is refused."""
    receipt = desk.topup(yuan=88, method="transfer")
    desk.done("reverse", account="101", receipt=receipt, why="wrong room")
    assert desk.yuan("account:101") == 0 and desk.yuan("till:transfer") == 0
    (entry,) = desk.of("reversal/1")
    assert entry.fields["original_receipt"] == receipt and entry.fields["amount_fen"] == 8800
    desk.topup(yuan=88)
    assert desk.refused("reverse", account="101", receipt=receipt, why="again") == "R12"
    desk.restart()
    assert desk.refused("reverse", account="101", receipt=receipt, why="again") == "R12"


def test_what_is_spent_is_not_reversed(desks: Made) -> None:
    """Unspent means that the available balance without the top-up is not below zero, or not below the site's
    overdraft (R12)."""
    desk = desks()
    receipt = desk.topup(yuan=100)
    desk.use("101", 1)
    assert desk.refused("reverse", account="101", receipt=receipt, why="wrong room") == "R12"
    desk.topup(yuan=1)
    desk.done("reverse", account="101", receipt=receipt, why="wrong room")
    lenient = desks(overdraft="5.00")
    receipt = lenient.topup(yuan=100)
    lenient.use("101", 500)
    lenient.done("reverse", account="101", receipt=receipt, why="wrong room")
    assert lenient.yuan("account:101") == -5


def test_what_was_lent_since_is_no_part_of_a_top_up(desks: Made) -> None:
    """50 yuan are spent and 60 are lent: the till gives nothing back on the lent money; without a loan since, what an
    older loan left in the wallet counts as before (R12, R16)."""
    desk = desks(emergency_credit="60.00")
    receipt = desk.topup(yuan=50)
    desk.use("101", 5000)
    desk.done("lend", account="101", why="at night")
    assert desk.refused("reverse", account="101", receipt=receipt, why="wrong room") == "R12"
    later = desk.topup(yuan=100)
    desk.use("101", 1000)
    desk.done("reverse", account="101", receipt=later, why="wrong room")
    assert (desk.yuan("account:101"), desk.yuan("credit:101")) == (50, -60)


def test_use_that_is_not_posted_yet_counts_as_spent(desk: MoneyDesk) -> None:
    """10 kWh since the last billed register are gone, though no charge of them stands in the book (R12)."""
    desk.opened("m1", 1000)
    receipt = desk.topup(yuan=100)
    desk.reads("m1", 11_000)
    assert desk.refused("reverse", account="101", receipt=receipt, why="wrong room") == "R12"


@pytest.mark.parametrize(
    "receipt", ["20261120-999999", "20261120-000001", "20261121-000007", "x", "20261120-", "-" * 40]
)
def test_a_reversal_names_its_original(desk: MoneyDesk, receipt: str) -> None:
    """An unknown number, an entry that is no top-up, another day's number, rubbish: refused by R12."""
    assert desk.topup() == "20261120-000007"
    assert desk.refused("reverse", account="101", receipt=receipt, why="wrong room") == "R12"


def test_only_a_top_up_of_this_account_is_reversed(desk: MoneyDesk) -> None:
    """The receipt of a neighbour, and the number of a reversal, are no originals (R12)."""
    receipt = desk.topup("102")
    desk.topup("101")
    assert desk.refused("reverse", account="101", receipt=receipt, why="wrong room") == "R12"
    reversal = desk.done("reverse", account="102", receipt=receipt, why="wrong room")["receipt"]
    assert desk.refused("reverse", account="102", receipt=reversal, why="wrong room") == "R12"


def test_a_repeated_reversal_gives_the_same_receipt_and_other_words_a_conflict(desk: MoneyDesk) -> None:
    """A double click reverses once; the same id with other words is refused by R7."""
    receipt = desk.topup()
    words = {"account": "101", "receipt": receipt, "transaction": "abcdefgh-1"}
    first = desk.done("reverse", why="wrong room", **words)
    assert desk.done("reverse", why="wrong room", **words) == first
    assert len(desk.of("reversal/1")) == 1
    answer = desk.ask("reverse", why="another reason", **words)
    assert (answer.status, answer.rule) == ("refused", "R7")


# --- emergency credit and agreed debt (R16) ---


def test_emergency_credit_is_lent_once_and_repaid_first(desks: Made) -> None:
    """20 yuan are lent and can be used; a second loan waits until top-ups have repaid the first, fen by fen."""
    desk = desks(emergency_credit="20.00")
    desk.done("lend", account="101", why="at night")
    assert (desk.yuan("account:101"), desk.yuan("credit:101")) == (20, -20)
    assert desk.refused("lend", account="101", why="again") == "R16"
    desk.use("101", 1500)
    desk.topup(yuan=15)
    assert (desk.yuan("account:101"), desk.yuan("credit:101")) == (5, -5)
    desk.restart()
    assert desk.refused("lend", account="101", why="again") == "R16"
    desk.topup(yuan=15)
    assert (desk.yuan("account:101"), desk.yuan("credit:101")) == (15, 0)
    assert desk.of("topup/1")[-1].fields["repaid"] == {"credit_nano": 5 * 10**9, "debt_nano": 0}
    desk.done("lend", account="101", why="next winter")


def test_a_site_that_lends_nothing_says_so(desk: MoneyDesk) -> None:
    """No emergency credit unless the site file names an amount (R16)."""
    assert desk.refused("lend", account="101", why="at night") == "R16"


def test_debt_is_repaid_after_credit_as_a_share_with_a_weekly_cap(desks: Made) -> None:
    """Credit first, then 30 % of each top-up, at most 40 yuan a week from Monday on, and the rest is the tenant's."""
    desk = desks(emergency_credit="20.00")
    desk.use("101", 20_000)
    desk.agreed("defer", account="101", amount_fen=20_000, share_percent=30, weekly_cap_fen=4000, papers="agreement 7")
    assert (desk.yuan("account:101"), desk.yuan("debt:101")) == (0, -200)
    desk.done("lend", account="101", why="at night")
    desk.topup(yuan=100)  # 20 to the credit, 30 to the debt, 50 and what was lent stay.
    assert (desk.yuan("account:101"), desk.yuan("credit:101"), desk.yuan("debt:101")) == (70, 0, -170)
    desk.topup(yuan=100)
    assert (desk.yuan("account:101"), desk.yuan("debt:101")) == (160, -160)
    desk.clock.advance(2 * 24 * 3600)
    desk.topup(yuan=100)  # Sunday: the week's 40 are paid.
    assert (desk.yuan("account:101"), desk.yuan("debt:101")) == (260, -160)
    desk.clock.advance(24 * 3600)
    desk.topup(yuan=100)
    assert (desk.yuan("account:101"), desk.yuan("debt:101")) == (330, -130)


def test_a_reversal_takes_back_what_the_top_up_had_repaid(desks: Made) -> None:
    """As if it had never been: the credit is owed again, the debt too, and the week's cap has room again (R12, R16)."""
    desk = desks(emergency_credit="20.00", overdraft="100.00")
    desk.use("101", 10_000)
    desk.agreed("defer", account="101", amount_fen=10_000, share_percent=50, weekly_cap_fen=3000, papers="agreement 7")
    desk.done("lend", account="101", why="at night")
    before = dict(desk.core.state.ledger)
    receipt = desk.topup(yuan=60)
    assert desk.yuan("debt:101") == -70
    desk.done("reverse", account="101", receipt=receipt, why="wrong room")
    assert {name: nano for name, nano in desk.core.state.ledger.items() if nano} == before
    desk.topup(yuan=60)
    assert desk.yuan("debt:101") == -70


def test_a_top_up_whose_repaid_credit_was_lent_again_stays(desks: Made) -> None:
    """Else two credits would be owed at once (R12, R16)."""
    desk = desks(emergency_credit="20.00")
    desk.done("lend", account="101", why="at night")
    receipt = desk.topup(yuan=50)
    desk.done("lend", account="101", why="at night")
    assert desk.refused("reverse", account="101", receipt=receipt, why="wrong room") == "R12"


def test_an_account_that_is_not_there_is_named(desk: MoneyDesk) -> None:
    """A wrong account number moves nothing."""
    assert desk.refused("reverse", account="999", receipt="20261120-000007", why="x") == "R7"
    assert desk.refused("lend", account="999", why="x") == "R7"


def test_roles_without_money_move_none(desk: MoneyDesk) -> None:
    """The electrician, the machine and the payment channel may do none of the acts (R32)."""
    receipt = desk.topup()
    for role, key in (("engineer", "panel"), ("operations", "panel"), ("payment", "demo"), ("system", "shell")):
        assert desk.refused("reverse", account="101", receipt=receipt, why="x", role=role, key=key) == "R32"
        assert desk.refused("approve-money", proposal="p-1", role=role, key=key) == "R32"
