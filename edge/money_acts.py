"""Acts with money that one person may do: a top-up, its reversal, the emergency credit (R12, R15, R16).

Decided in `billing/money.py`; here an act is written with its answer in it, told, and its account looked at afresh.
What needs a second person stands in `agreed_money.py`. An act is of now: a closed day takes no entry.
"""

from __future__ import annotations

import logging
from typing import Any

from bridge.contract import money_messages as m
from bridge.contract.people import folded
from bridge.contract.units import NANO_PER_FEN, yuan_text
from edge.accounts import Accounts
from edge.asked import Answer, Asked, account_of
from edge.billing import money
from edge.billing.money import Moves, Standing
from edge.core import Core
from edge.standing import receipt_of, standing_of
from edge.state import AccountState

log = logging.getLogger("riser.requests")

ALONE = ("topup", "reverse", "lend")
"""The operations here."""

NOBODY = ("payment", "system")
"""Roles that are no person at a counter: what comes through a payment channel is not counted as somebody's day."""


class MoneyActs:
    """One method for each operation."""

    def __init__(self, core: Core, accounts: Accounts, answer: Answer):
        self.core, self._accounts, self.answer = core, accounts, answer

    def account(self, id: str) -> AccountState:
        """Raises Refusal where there is none."""
        return account_of(self.core, id)

    def topup(self, asked: Asked, body: m.TopUp) -> None:
        core, limits, nano = self.core, self.core.terms.limits, body.amount_fen * NANO_PER_FEN
        account = self.account(body.account)
        standing = standing_of(core, account)
        moves, repaid = money.topup(standing, body.method, nano, limits)
        if body.role not in NOBODY:
            today = receipt_of(core, 0)[:8]
            day, taken = core.state.takings.get(folded(body.who), (today, 0))
            money.operator_may_take(body.who, taken * NANO_PER_FEN if day == today else 0, nano, limits)
        words: dict[str, Any] = {"method": body.method, "reference": body.reference}
        if repaid:
            words["repaid"] = repaid
        self._post(asked, "topup/1", account, standing, moves, {"amount_fen": body.amount_fen, **words})

    def reverse(self, asked: Asked, body: m.Reverse) -> None:
        core, account = self.core, self.account(body.account)
        seq, original = self._topup_named(body.receipt, account)
        standing, purse = standing_of(core, account), account.purse
        moves = money.reversal(
            standing, original, receipt=body.receipt, reversed=seq in purse.reversed,
            lent_since=purse.lent_seq > seq, limits=core.terms.limits,
        )  # fmt: skip
        assert original is not None
        fields = {
            "original": seq,
            "original_receipt": body.receipt,
            "repaid": original.get("repaid", {}),
            "amount_fen": original["amount_fen"],
            "method": original["method"],
            "why": body.why,
        }
        self._post(asked, "reversal/1", account, standing, moves, fields)

    def _topup_named(self, receipt: str, account: AccountState) -> tuple[int, dict[str, Any] | None]:
        """The seq and body of a top-up of this account by its receipt, which ends in that seq."""
        digits = receipt[9:]
        if not (digits.isascii() and digits.isdigit() and len(digits) < 19):
            return 0, None
        entry = next(self.core.book.entries(int(digits), 1), None)
        if entry is None or entry.kind != "topup/1":
            return 0, None
        fields = entry.fields
        mine = fields["account"] == account.id and fields["receipt"] == receipt
        return (entry.seq, fields) if mine else (0, None)

    def lend(self, asked: Asked, body: m.Lend) -> None:
        account, limits = self.account(body.account), self.core.terms.limits
        standing = standing_of(self.core, account)
        fields = {"amount_fen": limits.emergency_nano // NANO_PER_FEN, "why": body.why}
        self._post(asked, "credit/1", account, standing, money.lend(standing, limits), fields)

    def _post(
        self, asked: Asked, kind: str, account: AccountState, standing: Standing, moves: Moves, fields: dict[str, Any]
    ) -> None:
        core, seq, after = self.core, self.core.book.seq + 1, standing.after(moves)
        receipt = receipt_of(core, seq)
        figures = {"seq": seq, "receipt": receipt, "balance_nano": after}
        data = {**figures, "account": account.id, "amount_fen": fields["amount_fen"]}
        answer: dict[str, Any] = {"status": "done", "data": data}
        posted = {"receipt": receipt, "moves": moves, "balance_after_nano": after, **asked.written(answer)}
        core.append((kind, asked.id, {"account": account.id, **fields, **posted}))
        self.answer(asked, **answer)
        text = yuan_text(fields["amount_fen"] * NANO_PER_FEN)
        log.info("account %s: %s of %s yuan (%s)", account.id, kind.partition("/")[0], text, receipt)
        self.look(account)

    def look(self, account: AccountState) -> None:
        """What follows for an account from an act: warnings taken back, supply restored, or a new level."""
        self._accounts.evaluate(account)
