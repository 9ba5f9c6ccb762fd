"""How much is owed and repaid, at the borders: part of a fen, a lowered cap, the ceiling (R11, R15, R16)."""

from __future__ import annotations

import pytest

from bridge.contract.units import BALANCE_LIMIT_NANO
from edge.billing.money import Forbidden, Standing, move
from tests.edge.money_desk import Made


def test_a_share_is_whole_fen_and_never_more_than_is_left_after_the_credit(desks: Made) -> None:
    """30 % of 1.01 yuan is 0.30, not 0.303; of a top-up that the credit takes whole no share is left (R11, R16)."""
    desk = desks(emergency_credit="20.00")
    desk.use("101", 10_000)
    desk.agreed("defer", account="101", amount_fen=10_000, share_percent=30, papers="agreement 7")
    desk.done("topup", account="101", amount_fen=101, method="cash")
    assert desk.core.state.ledger["debt:101"] == -9_970 * 10**7
    desk.done("lend", account="101", why="at night")
    desk.topup(yuan=20)
    assert (desk.yuan("credit:101"), desk.core.state.ledger["debt:101"]) == (0, -9_970 * 10**7)


def test_a_new_agreement_may_lower_the_weeks_cap_below_what_is_paid(desks: Made) -> None:
    """30 yuan of the debt are paid this week when a cap of 10 is agreed on: nothing more is taken, and nothing is given
    back, until Monday (R16)."""
    desk = desks()
    words = {"account": "101", "share_percent": 50, "papers": "agreement 7"}
    desk.use("101", 10_000)
    desk.agreed("defer", amount_fen=10_000, weekly_cap_fen=3000, **words)
    desk.topup(yuan=80)
    desk.use("101", 10_000)
    desk.agreed("defer", amount_fen=1_000, weekly_cap_fen=1000, **words)
    desk.topup(yuan=80)
    assert desk.yuan("debt:101") == -80
    desk.clock.advance(3 * 24 * 3600)
    desk.topup(yuan=80)
    assert desk.yuan("debt:101") == -70


def test_a_reversal_of_last_weeks_top_up_makes_no_room_in_this_weeks_cap(desks: Made) -> None:
    """What it had repaid is owed again; this week's 30 yuan are paid all the same (R12, R16)."""
    desk = desks()
    desk.use("101", 10_000)
    desk.agreed("defer", account="101", amount_fen=10_000, share_percent=50, weekly_cap_fen=3000, papers="agreement 7")
    receipt = desk.topup(yuan=80)
    desk.clock.advance(3 * 24 * 3600)
    desk.topup(yuan=80)
    assert desk.yuan("debt:101") == -40
    desk.done("reverse", account="101", receipt=receipt, why="wrong room")
    assert (desk.yuan("account:101"), desk.yuan("debt:101")) == (50, -70)
    desk.topup(yuan=80)
    assert desk.yuan("debt:101") == -70


def test_what_repays_a_credit_is_not_hoarded(desks: Made) -> None:
    """Of 110 yuan 20 go back to the credit: what is held is within the ceiling, and one fen more is not (R15, R16)."""
    desk = desks(emergency_credit="20.00", balance_max="100.00")
    desk.done("lend", account="101", why="at night")
    desk.use("101", 1000)
    assert desk.refused("topup", account="101", amount_fen=11_001, method="cash") == "R15"
    desk.topup(yuan=110)
    assert (desk.yuan("account:101"), desk.yuan("credit:101")) == (100, 0)


def test_a_part_of_a_fen_that_is_missing_is_deferred_as_a_whole_one(desks: Made) -> None:
    """12.345 fen below zero: 13 are deferred, so that the balance is not below zero, and never 14 (R11, R16)."""
    desk = desks()
    desk.use("101", 12, milli_fen=345)
    words = {"account": "101", "share_percent": 50, "papers": "agreement 7"}
    assert desk.refused("defer", amount_fen=14, **words) == "R16"
    desk.agreed("defer", amount_fen=13, **words)
    assert desk.core.state.posted_nano("101") == 655 * 10**4


def test_nothing_of_what_is_lent_is_refundable() -> None:
    """Who has less than was lent, or a part of a fen of their own, is given nothing back, and no less (R12)."""
    assert Standing("101", 0, 5 * 10**9, credit_nano=6 * 10**9).refundable_nano == 0
    assert Standing("101", 0, 10**7 - 1).refundable_nano == 0 and Standing("101", 0, 10**7).refundable_nano == 10**7


@pytest.mark.parametrize("sign", [1, -1])
def test_no_act_leaves_the_limits_of_the_book(sign: int) -> None:
    """A balance at the limit stands, above it and below its mirror none does (R15)."""
    sides = ("till:cash", "account:101")[::sign]
    standing = Standing("101", sign * (BALANCE_LIMIT_NANO - 1), 0)
    assert abs(standing.after(move(*sides, 1))) == BALANCE_LIMIT_NANO
    with pytest.raises(Forbidden, match="limits of the book") as refused:
        standing.after(move(*sides, 2))
    assert (refused.value.rule, str(refused.value)) == ("R15", refused.value.sentence)
