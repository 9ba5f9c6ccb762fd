"""The money acts decided: each is a function of a tenant's standing that gives moves, or is forbidden by a rule.

A move takes a positive amount from one ledger account to another, so every act sums to zero (R10). Emergency
credit and agreed debts are owed in ledger accounts of their own beside the wallet: what is lent is in the wallet and
therefore in the available balance, and what is owed of it is told beside it (R16).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from bridge.contract.entries import BROUGHT_IN, COMPENSATIONS, CREDIT, DEBT, DEDUCTIONS, RESIDUE, TENANT, TILL
from bridge.contract.repaying import repaid_nano
from bridge.contract.units import BALANCE_LIMIT_NANO, NANO_PER_FEN, fen_floor, yuan_text

Moves = list[dict[str, Any]]


class Forbidden(Exception):
    """An act that a rule forbids as things stand; nothing has changed."""

    def __init__(self, rule: str, sentence: str):
        self.rule, self.sentence = rule, sentence
        super().__init__(sentence)


@dataclass(frozen=True)
class Limits:
    """What a site allows (R15, R16), in nano-yuan; None is no limit."""

    least_nano: int
    most_nano: int
    hoard_nano: int | None = None
    operator_day_nano: int | None = None
    overdraft_nano: int = 0
    emergency_nano: int = 0


@dataclass(frozen=True)
class Standing:
    """A tenant's money at one moment, in nano-yuan. `left_this_week_nano` is what the weekly cap still allows."""

    account: str
    posted_nano: int
    available_nano: int
    credit_nano: int = 0
    debt_nano: int = 0
    share_percent: int = 0
    left_this_week_nano: int | None = None
    ended: bool = False
    in_doubt: str | None = None
    """A meter whose use is not known, because a reading of it is set aside (I15)."""

    @property
    def wallet(self) -> str:
        return TENANT + self.account

    @property
    def refundable_nano(self) -> int:
        """Whole fen of the tenant's own money: what is lent or owed is not (R12)."""
        own = self.available_nano - self.credit_nano - self.debt_nano
        return max(fen_floor(own), 0) * NANO_PER_FEN

    def after(self, moves: Moves) -> int:
        """The posted balance after an act. Forbidden beyond the limits of the book (R15)."""
        after = self.posted_nano + net_nano(self.wallet, moves)
        if abs(after) > BALANCE_LIMIT_NANO:
            raise Forbidden("R15", "the balance would leave the limits of the book")
        return after


def move(giver: str, taker: str, amount_nano: int) -> Moves:
    """One move, or none of nothing."""
    return [{"from": giver, "to": taker, "amount_nano": amount_nano}] if amount_nano else []


def net_nano(wallet: str, moves: Iterable[dict[str, Any]]) -> int:
    """What moves add to a wallet."""
    return sum(each["amount_nano"] * ((each["to"] == wallet) - (each["from"] == wallet)) for each in moves)


def open_to_money(standing: Standing) -> None:
    """R33: after its settlement an account takes and gives no money."""
    if standing.ended:
        raise Forbidden("R33", f"account {standing.account} is settled; it takes and gives no money any more")


def _positive(amount_nano: int) -> None:
    if amount_nano <= 0:
        raise Forbidden("R10", "an amount is at least 0.01 yuan")


def _not_lent(standing: Standing, amount_nano: int, limits: Limits) -> None:
    """What is lent is for energy and is moved nowhere else (R16); below it the overdraft is the limit (R15)."""
    least = standing.credit_nano - limits.overdraft_nano
    if (left := standing.available_nano - amount_nano) >= least:
        return
    if standing.credit_nano:
        lent, most = yuan_text(standing.credit_nano), yuan_text(max(left + amount_nano - least, 0))
        raise Forbidden("R16", f"{lent} yuan are lent for energy only and stay; at most {most} can be taken here")
    raise Forbidden("R15", f"{yuan_text(left)} yuan would be left, and no act may leave less than {yuan_text(least)}")


# --- money in ---


def topup(standing: Standing, method: str, amount_nano: int, limits: Limits) -> tuple[Moves, dict[str, int]]:
    """Money in: emergency credit is repaid first, then the agreed share of debt, the rest is the tenant's (R16).

    Returns the moves and what is repaid, {credit_nano, debt_nano}, empty where nothing is.
    """
    open_to_money(standing)
    if not limits.least_nano <= amount_nano <= limits.most_nano:
        low, high = yuan_text(limits.least_nano), yuan_text(limits.most_nano)
        raise Forbidden("R15", f"a top-up is {low} to {high} yuan, not {yuan_text(amount_nano)}")
    owed = (standing.credit_nano, standing.debt_nano, standing.share_percent, standing.left_this_week_nano)
    credit, debt = repaid_nano(amount_nano, *owed)
    left = standing.available_nano + amount_nano - credit - debt
    if limits.hoard_nano is not None and left > limits.hoard_nano:
        most = yuan_text(limits.hoard_nano)
        raise Forbidden("R15", f"the balance would be {yuan_text(left)} yuan, and at most {most} may be held")
    moves = move(TILL + method, standing.wallet, amount_nano)
    moves += move(standing.wallet, CREDIT + standing.account, credit)
    moves += move(standing.wallet, DEBT + standing.account, debt)
    return moves, {"credit_nano": credit, "debt_nano": debt} if credit or debt else {}


def operator_may_take(who: str, taken_nano: int, amount_nano: int, limits: Limits) -> None:
    """R15: what one person may take in a day."""
    most = limits.operator_day_nano
    if most is not None and taken_nano + amount_nano > most:
        raise Forbidden(
            "R15", f"{who} has taken {yuan_text(taken_nano)} yuan today, and may take {yuan_text(most)} in a day"
        )


def reversal(
    standing: Standing, original: dict[str, Any] | None, *, receipt: str, reversed: bool, lent_since: bool,
    limits: Limits,
) -> Moves:  # fmt: skip
    """The full amount of one named top-up, once, while unspent: what is available afterwards is not below the site's
    overdraft (R12). `original` is the body of the top-up of this account, None where there is none."""
    open_to_money(standing)
    if original is None:
        raise Forbidden("R12", f"there is no top-up {receipt} of account {standing.account}; name its receipt number")
    if reversed:
        raise Forbidden("R12", f"top-up {receipt} was reversed already, and is reversed once only")
    if lent_since and original.get("repaid", {}).get("credit_nano"):
        raise Forbidden("R12", f"top-up {receipt} repaid an emergency credit, and another one was lent since")
    moves = [
        {"from": each["to"], "to": each["from"], "amount_nano": each["amount_nano"]} for each in original["moves"][::-1]
    ]
    lent = standing.credit_nano if lent_since else 0  # It fills the wallet, and is no part of the top-up.
    left = standing.available_nano - lent + net_nano(standing.wallet, moves)
    if left < -limits.overdraft_nano:
        raise Forbidden("R12", f"top-up {receipt} is spent: {yuan_text(left)} yuan would be left without it")
    return moves


def opening(standing: Standing, amount_nano: int, brought_in: bool) -> Moves:
    """A balance from before this book, once per account; below zero the tenant owes it."""
    open_to_money(standing)
    if brought_in:
        raise Forbidden("R10", f"account {standing.account} has its opening balance already; it is brought in once")
    if not amount_nano:
        raise Forbidden("R10", "an opening balance of zero needs no entry")
    sides = (BROUGHT_IN, standing.wallet)
    return move(*(sides if amount_nano > 0 else sides[::-1]), abs(amount_nano))


# --- money out, and between ---


def refund(standing: Standing, method: str, amount_nano: int) -> Moves:
    """Money leaves, at most the refundable balance: nothing lent or owed, and nothing while use is in doubt (R12)."""
    open_to_money(standing)
    _positive(amount_nano)
    if standing.in_doubt is not None:
        raise Forbidden("I15", f"a reading of meter {standing.in_doubt} is set aside; release it first")
    if amount_nano > (most := standing.refundable_nano):
        raise Forbidden("R12", f"at most {yuan_text(most)} yuan can be refunded, not {yuan_text(amount_nano)}")
    return move(standing.wallet, TILL + method, amount_nano)


def explained(reason: str, why: str) -> None:
    """R12: a reason outside the list is told in words."""
    if reason == "other" and not why.strip():
        raise Forbidden("R12", "the reason `other` is told in words as well; write why")


def compensation(standing: Standing, amount_nano: int) -> Moves:
    open_to_money(standing)
    _positive(amount_nano)
    return move(COMPENSATIONS, standing.wallet, amount_nano)


def deduction(standing: Standing, amount_nano: int, consent: str, limits: Limits) -> Moves:
    """Taken with the tenant's consent only, not below the overdraft, and nothing of what is lent (R12, R15, R16)."""
    open_to_money(standing)
    _positive(amount_nano)
    if not consent.strip():
        raise Forbidden("R12", "a deduction needs the tenant's consent; write how and when it was given")
    _not_lent(standing, amount_nano, limits)
    return move(standing.wallet, DEDUCTIONS, amount_nano)


def correction(giver: Standing, taker: Standing, amount_nano: int, limits: Limits) -> Moves:
    """From the account of the wrong meter to that of the right one: one pair, which sums to zero, and takes nothing
    that is lent (R12, R16)."""
    open_to_money(giver)
    open_to_money(taker)
    _positive(amount_nano)
    if giver.account == taker.account:
        raise Forbidden("R12", "a correction is between two accounts, not from one to itself")
    _not_lent(giver, amount_nano, limits)
    return move(giver.wallet, taker.wallet, amount_nano)


# --- credit and debt ---


def lend(standing: Standing, limits: Limits) -> Moves:
    """The fixed emergency credit, once until it is repaid (R16)."""
    open_to_money(standing)
    if not limits.emergency_nano:
        raise Forbidden("R16", "this site lends no emergency credit; see emergency_credit in its site file")
    if standing.credit_nano:
        owed = yuan_text(standing.credit_nano)
        raise Forbidden("R16", f"{owed} yuan of emergency credit are not repaid yet; it is lent once until then")
    return move(CREDIT + standing.account, standing.wallet, limits.emergency_nano)


def defer(standing: Standing, amount_nano: int) -> Moves:
    """Arrears become a debt beside the balance: at most what is missing to zero (R16)."""
    open_to_money(standing)
    _positive(amount_nano)
    owed = max(-fen_floor(standing.available_nano), 0) * NANO_PER_FEN
    if amount_nano > owed:
        raise Forbidden("R16", f"{yuan_text(owed)} yuan are owed; no debt of {yuan_text(amount_nano)} is agreed on")
    return move(DEBT + standing.account, standing.wallet, amount_nano)


def settle(standing: Standing, posted_nano: int, method: str) -> Moves:
    """The end (R33), `posted_nano` being the balance with the final charge: what was lent and deferred is taken, whole
    fen are refunded, and a part of a fen, left or lacking, is written off (R11)."""
    open_to_money(standing)
    own = posted_nano - standing.credit_nano - standing.debt_nano
    if own <= -NANO_PER_FEN:
        raise Forbidden(
            "R33", f"{yuan_text(-own)} yuan are owed with the final charge; they are paid before the account is settled"
        )
    moves = move(standing.wallet, CREDIT + standing.account, standing.credit_nano)
    moves += move(standing.wallet, DEBT + standing.account, standing.debt_nano)
    if own < 0:
        return moves + move(RESIDUE, standing.wallet, -own)
    whole = fen_floor(own) * NANO_PER_FEN
    return moves + move(standing.wallet, TILL + method, whole) + move(standing.wallet, RESIDUE, own - whole)
