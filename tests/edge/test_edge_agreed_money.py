"""Money acts of two people: proposed by one, approved by another, every rule looked at twice (R12, R32, R33)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.edge.money_desk import CHECKER, MAKER, Made, MoneyDesk

REFUND: dict[str, Any] = {"account": "101", "method": "cash", "reference": "slip 12", "why": "moves out"}
MISTAKE: dict[str, Any] = {"account": "101", "reason": "wrong-meter", "papers": "inspection 31"}


@pytest.fixture
def desk(desks: Made) -> MoneyDesk:
    made = desks()
    made.topup("101", 100)
    return made


EACH: list[tuple[str, dict[str, Any]]] = [
    ("refund", {**REFUND, "amount_fen": 1000}),
    ("compensate", {**MISTAKE, "amount_fen": 1000}),
    ("deduct", {**MISTAKE, "amount_fen": 1000, "consent": "signed 11-20"}),
    ("correct", {"account": "101", "to_account": "102", "amount_fen": 1000, "why": "room", "papers": "photo 3"}),
    ("bring", {"account": "101", "amount_fen": 1000, "papers": "old book, page 12"}),
]


@pytest.mark.parametrize(("operation", "words"), EACH, ids=lambda each: each if isinstance(each, str) else "")
def test_nobody_approves_their_own(desk: MoneyDesk, operation: str, words: dict[str, Any]) -> None:
    """A proposal moves nothing; its maker cannot approve it, not even as manager; another person can, once (R32)."""
    ledger = dict(desk.core.state.ledger)
    proposal = desk.propose(operation, **words)
    assert desk.core.state.ledger == ledger
    assert desk.refused("approve-money", proposal=proposal, who=MAKER, role="manager") == "R32"
    data = desk.done("approve-money", proposal=proposal, who=CHECKER)
    assert data["amount_fen"] == 1000 and desk.core.state.ledger != ledger
    entry = next(desk.book.entries(data["seq"]))
    assert (entry.fields["who"], entry.fields["approved_by"]) == (MAKER, CHECKER)
    assert data["receipt"].endswith(f"-{entry.seq:06d}")
    assert desk.refused("approve-money", proposal=proposal, who=CHECKER) == "R32"


@pytest.mark.parametrize(("operation", "words"), EACH, ids=lambda each: each if isinstance(each, str) else "")
def test_a_rejected_or_late_proposal_moves_nothing(desk: MoneyDesk, operation: str, words: dict[str, Any]) -> None:
    """Said no to, or not decided in time: it cannot be approved any more (R32)."""
    proposal, late = desk.propose(operation, **words), desk.propose(operation, **words)
    ledger = dict(desk.core.state.ledger)
    desk.done("reject-money", proposal=proposal, who=CHECKER, why="papers are missing")
    assert desk.refused("approve-money", proposal=proposal, who=CHECKER) == "R32"
    desk.clock.advance(80 * 3600)
    assert desk.refused("approve-money", proposal=late, who=CHECKER) == "R32"
    assert desk.core.state.ledger == ledger


def test_an_approval_repeated_gives_the_same_receipt(desk: MoneyDesk) -> None:
    """A double click on `approve-money` carries out once; the same id for another proposal is a conflict (R7)."""
    proposal = desk.propose("refund", **REFUND, amount_fen=1000)
    words = {"who": CHECKER, "transaction": "abcdefgh-2"}
    first = desk.done("approve-money", proposal=proposal, **words)
    assert desk.done("approve-money", proposal=proposal, **words) == first and len(desk.of("refund/1")) == 1
    answer = desk.ask("approve-money", proposal="p-1", **words)
    assert (answer.status, answer.rule) == ("refused", "R7")


# --- refund ---


def test_a_refund_is_at_most_the_refundable_balance(desks: Made) -> None:
    """Refused when proposed, and again when approved, should the money have been used meanwhile (R12)."""
    desk = desks()
    desk.topup("101", 100)
    assert desk.refused("refund", **REFUND, amount_fen=10_001) == "R12"
    proposal = desk.propose("refund", **REFUND, amount_fen=10_000)
    desk.use("101", 0, milli_fen=1)
    assert desk.refused("approve-money", proposal=proposal, who=CHECKER) == "R12"
    desk.agreed("refund", **REFUND, amount_fen=9_999)
    assert 0 < desk.yuan("account:101") < 0.01 and desk.yuan("till:cash") == pytest.approx(-0.01)


def test_what_is_lent_or_owed_is_not_refunded(desks: Made) -> None:
    """Emergency credit and an agreed debt are no money of the tenant's (R12, R16)."""
    desk = desks(emergency_credit="20.00")
    desk.use("101", 5000)
    desk.agreed("defer", account="101", amount_fen=5000, share_percent=10, papers="agreement 7")
    desk.done("lend", account="101", why="at night")
    assert desk.refused("refund", **REFUND, amount_fen=1) == "R12"
    desk.topup("101", 100)  # 20 to the credit, 10 to the debt: 90 are there, and 40 are owed.
    assert desk.refused("refund", **REFUND, amount_fen=5001) == "R12"
    desk.agreed("refund", **REFUND, amount_fen=5000)


def test_nobody_is_paid_out_what_was_lent_for_energy(desks: Made) -> None:
    """A credit taken at night is in the wallet in the morning; as cash it would be the site's loss (R12, R16)."""
    desk = desks(emergency_credit="20.00")
    desk.topup("101", 30)
    desk.use("101", 3000)
    desk.done("lend", account="101", why="at night")
    assert desk.refused("refund", **REFUND, amount_fen=1) == "R12"
    desk.topup("101", 25)
    assert desk.refused("refund", **REFUND, amount_fen=2501) == "R12"
    desk.agreed("refund", **REFUND, amount_fen=2500)


def test_nothing_is_refunded_while_a_reading_is_in_doubt(desk: MoneyDesk) -> None:
    """A reading that is set aside may be use that nobody has charged (I15)."""
    fields = {"meter": "m1", "registers_wh": {"total": 9}, "read_at": "", "rule": "R20", "why": "fell", "frames": []}
    desk.core.append(("quarantine/1", "q-1", fields))
    assert desk.refused("refund", **REFUND, amount_fen=1) == "I15"


@pytest.mark.parametrize("amount_fen", [0, -1])
@pytest.mark.parametrize(("operation", "words"), EACH[:4], ids=lambda each: each if isinstance(each, str) else "")
def test_an_amount_is_a_positive_number(
    desk: MoneyDesk, operation: str, words: dict[str, Any], amount_fen: int
) -> None:
    """Nothing, and less than nothing, turn no act around (R10)."""
    assert desk.refused(operation, **{**words, "amount_fen": amount_fen}) == "R10"


# --- compensation and deduction ---


def test_a_deduction_needs_the_tenants_consent(desk: MoneyDesk) -> None:
    """Without the consent in words it is refused; with it the entry keeps it (R12)."""
    assert desk.refused("deduct", **MISTAKE, amount_fen=1000) == "R12"
    assert desk.refused("deduct", **MISTAKE, amount_fen=1000, consent="  ") == "R12"
    desk.agreed("deduct", **MISTAKE, amount_fen=1000, consent="signed 11-20")
    assert desk.of("deduction/1")[0].fields["consent"] == "signed 11-20"
    assert (desk.yuan("account:101"), desk.yuan("income:deductions")) == (90, 10)


@pytest.mark.parametrize("operation", ["compensate", "deduct"])
def test_another_reason_is_told_in_words(desk: MoneyDesk, operation: str) -> None:
    """`other` alone explains nothing (R12)."""
    words = {**MISTAKE, "reason": "other", "amount_fen": 1000}
    words |= {"consent": "signed"} if operation == "deduct" else {}
    assert desk.refused(operation, **words) == "R12"
    desk.agreed(operation, **words, why="lamp of the corridor was on the tenant's meter")


def test_a_deduction_leaves_no_more_overdraft_than_the_site_allows(desks: Made) -> None:
    """100 yuan and an overdraft of 5: 105 may be taken, a fen more not (R15)."""
    desk = desks(overdraft="5.00")
    desk.topup("101", 100)
    assert desk.refused("deduct", **MISTAKE, amount_fen=10_501, consent="signed") == "R15"
    desk.agreed("deduct", **MISTAKE, amount_fen=10_500, consent="signed")


LEAVING: list[tuple[str, dict[str, Any]]] = [
    ("deduct", {**MISTAKE, "consent": "signed 11-20"}),
    ("correct", {"account": "101", "to_account": "102", "why": "room", "papers": "photo 3"}),
]


@pytest.mark.parametrize(("operation", "words"), LEAVING, ids=["deduct", "correct"])
def test_what_is_lent_for_energy_is_moved_nowhere_else(desks: Made, operation: str, words: dict[str, Any]) -> None:
    """20 yuan lent at a site without overdraft: not a fen of them is deducted or moved to another account, also when
    the money beside them went between proposal and approval; the tenant's own 30 are, and once the credit is repaid
    nothing stays behind (R16)."""
    desk = desks(emergency_credit="20.00")
    desk.done("lend", account="101", why="at night")
    assert desk.refused(operation, **words, amount_fen=1) == "R16"
    desk.agreed("compensate", **MISTAKE, amount_fen=3000)
    assert desk.refused(operation, **words, amount_fen=3001) == "R16"
    proposal = desk.propose(operation, **words, amount_fen=3000)
    desk.use("101", 1000)
    assert desk.refused("approve-money", proposal=proposal, who=CHECKER) == "R16"
    desk.agreed(operation, **words, amount_fen=2000)
    assert (desk.yuan("account:101"), desk.yuan("credit:101")) == (20, -20)
    desk.topup(yuan=20)
    desk.agreed(operation, **words, amount_fen=2000)
    assert (desk.yuan("account:101"), desk.yuan("credit:101")) == (0, 0)


@pytest.mark.parametrize(("operation", "words"), LEAVING, ids=["deduct", "correct"])
def test_the_overdraft_is_there_with_a_credit_and_without(desks: Made, operation: str, words: dict[str, Any]) -> None:
    """An overdraft of 5 yuan: without a credit 5 may be taken from nothing, a fen more is R15; with 20 lent the same 5
    may, the 20 stay, and the sentence says both."""
    desk = desks(emergency_credit="20.00", overdraft="5.00")
    assert desk.refused(operation, **words, amount_fen=501) == "R15"
    desk.done("lend", account="101", why="at night")
    answer = desk.ask(operation, **words, amount_fen=501)
    assert (answer.rule, answer.error) == (
        "R16", "20.00 yuan are lent for energy only and stay; at most 5.00 can be taken here"
    )  # fmt: skip
    desk.agreed(operation, **words, amount_fen=500)
    assert desk.yuan("account:101") == 15


# --- wrong-meter correction ---


def test_a_correction_is_one_entry_that_sums_to_zero(desk: MoneyDesk) -> None:
    """What one account loses the other gets, in one entry that names both balances (R12)."""
    words = {"account": "101", "to_account": "102", "amount_fen": 4000, "why": "wires crossed", "papers": "photo 3"}
    desk.agreed("correct", **words)
    (entry,) = desk.of("correction/1")
    assert (desk.yuan("account:101"), desk.yuan("account:102")) == (60, 40)
    assert (entry.fields["balance_after_nano"], entry.fields["to_balance_after_nano"]) == (60 * 10**9, 40 * 10**9)
    assert len(entry.fields["moves"]) == 1
    assert desk.refused("correct", **{**words, "amount_fen": 6001}) == "R15"
    assert desk.refused("correct", **{**words, "to_account": "101"}) == "R12"
    assert desk.refused("correct", **{**words, "to_account": "999"}) == "R7"


# --- opening balance, debt ---


def test_an_opening_balance_is_brought_in_once(desk: MoneyDesk) -> None:
    """Later than the installation as well, a debt too, but once (R10); two proposals at a time bring in one."""
    words = {"account": "102", "papers": "old book, page 12"}
    assert desk.refused("bring", **words, amount_fen=0) == "R10"
    second = desk.propose("bring", **words, amount_fen=100)
    desk.agreed("bring", **words, amount_fen=-2550)
    assert desk.yuan("account:102") == -25.5
    assert desk.refused("approve-money", proposal=second, who=CHECKER) == "R10"
    assert desk.refused("bring", **words, amount_fen=100) == "R10"


def test_no_more_debt_is_agreed_on_than_is_owed(desk: MoneyDesk) -> None:
    """A debt takes the place of arrears; it is no way to hand out money (R16)."""
    words = {"account": "101", "share_percent": 20, "papers": "agreement 7"}
    assert desk.refused("defer", **words, amount_fen=1) == "R16"
    desk.use("101", 15_000)
    assert desk.refused("defer", **words, amount_fen=5001) == "R16"
    desk.agreed("defer", **words, amount_fen=5000)
    assert (desk.yuan("account:101"), desk.yuan("debt:101")) == (0, -50)


def test_a_proposal_of_another_kind_is_not_decided_here(desk: MoneyDesk) -> None:
    """An id that is no proposal about money is refused by name (R32)."""
    assert desk.refused("approve-money", proposal="p-999", who=CHECKER) == "R32"
    assert desk.refused("reject-money", proposal="p-999", who=CHECKER, why="no") == "R32"
