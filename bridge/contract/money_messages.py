"""Requests that move money, apart from the plain top-up: each act has its own words and its own rules (R12, R16, R33).

Amounts are whole fen. What needs a second person (R32) is answered with the id of a proposal; `approve-money`
carries it out and `reject-money` ends it. Everything else is answered `done` when it stands in the book.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from bridge.contract.fields import Plain
from bridge.contract.request import Request

Channel = Literal["cash", "transfer", "card", "online"]
"""How money comes or leaves."""

Reason = Literal["wrong-meter", "system-duplicate", "price-reform", "other"]
"""Why a tenant gets something back or is asked for more (R12); `other` says it in words."""

Words = Annotated[Plain, Field(min_length=1, max_length=200)]
Papers = Annotated[
    Plain, Field(min_length=1, max_length=200, description="the papers behind it: their numbers, or where they lie")
]
Number = Annotated[Plain, Field(min_length=1, max_length=64)]


class TopUp(Request):
    """Money in. Answered `done` when it stands in the book. Limits: R15."""

    operation = "topup"
    account: str
    amount_fen: int
    method: Channel
    reference: Plain = Field(default="", max_length=64, description="the payer's or channel's own number")


class Reverse(Request):
    """Take one top-up back as if it had never been (冲正): its full amount, once, while unspent (R12)."""

    operation = "reverse"
    account: str
    receipt: Number = Field(description="the receipt number of the top-up")
    why: Words


class Refund(Request):
    """Give money back to the tenant, at most the refundable balance. Another person approves (R12, R32)."""

    operation = "refund"
    account: str
    amount_fen: int
    method: Channel = Field(description="by which way the money leaves")
    reference: Number = Field(description="the channel's own number, or that of the signed slip")
    why: Words


class Compensate(Request):
    """Credit a tenant for a mistake. Another person approves (R12, R32)."""

    operation = "compensate"
    account: str
    amount_fen: int
    reason: Reason
    why: Plain = Field(default="", max_length=200, description="in words; needed with `other`")
    papers: Papers


class Deduct(Request):
    """Take from a tenant what a mistake left uncharged, with the tenant's consent. Another person approves (R12)."""

    operation = "deduct"
    account: str
    amount_fen: int
    reason: Reason
    why: Plain = Field(default="", max_length=200, description="in words; needed with `other`")
    papers: Papers
    consent: Plain = Field(default="", max_length=200, description="how and when the tenant agreed; never empty (R12)")


class Correct(Request):
    """Move an amount that was booked on the wrong meter's account to the right one, in one entry. Another approves."""

    operation = "correct"
    account: str = Field(description="who had it and should not have")
    to_account: str = Field(description="whose it is")
    amount_fen: int
    why: Words
    papers: Papers


class Bring(Request):
    """Bring in a balance from before this book, once per account; below zero is a debt. Another person approves."""

    operation = "bring"
    account: str
    amount_fen: int
    papers: Papers


class Lend(Request):
    """Lend the site's fixed emergency credit, once until it is repaid; top-ups repay it first (R16)."""

    operation = "lend"
    account: str
    why: Words


class Defer(Request):
    """Agree that arrears are paid off as a share of each top-up, with a weekly cap (R16). Another person approves."""

    operation = "defer"
    account: str
    amount_fen: int = Field(description="what is taken out of the balance and owed apart from it")
    share_percent: int = Field(ge=1, le=100, description="of each top-up, after the emergency credit")
    weekly_cap_fen: int = Field(default=0, ge=0, description="at most so much in a week from Monday on; 0: no cap")
    papers: Papers


Counted = Annotated[
    Plain | None,
    Field(default=None, max_length=20, description="kWh (or m3) as the meter shows it, before the multiplier"),
]


class CorrectReading(Request):
    """Put right the register that a meter's newest charge ends at (or its opening, before any charge): it was read off
    or released wrongly. One entry charges the difference, or gives it back. Another person approves (R12, R32)."""

    operation = "correct-reading"
    account: str
    meter: str
    entry: Number = Field(description="the id of that charge or opening")
    total: Counted
    sharp: Counted
    peak: Counted
    flat: Counted
    valley: Counted
    deep: Counted
    why: Words
    papers: Papers


class Settle(Request):
    """End a tenancy: final readings charged, the rest refunded, its meters free (R33). Another person approves."""

    operation = "settle"
    account: str
    method: Channel = Field(description="by which way what is left leaves")
    reference: Plain = Field(default="", max_length=64)
    papers: Papers
    why: Words


class ApproveMoney(Request):
    """Carry out what somebody else has proposed (R32); every rule is looked at again at that moment."""

    operation = "approve-money"
    proposal: Number
    why: Plain = Field(default="", max_length=200)


class RejectMoney(Request):
    """Say no to a proposal, with a reason; it keeps its papers (R32). The maker may take it back so."""

    operation = "reject-money"
    proposal: Number
    why: Words


MONEY_REQUESTS: tuple[type[Request], ...] = (
    TopUp, Reverse, Refund, Compensate, Deduct, Correct, CorrectReading, Bring, Lend, Defer, Settle, ApproveMoney,
    RejectMoney,
)  # fmt: skip
