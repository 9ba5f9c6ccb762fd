"""Acts with money worked out again from the ledger before them: what is moved, repaid, written off (R12, R16, R33).

What an act may leave available hangs on readings of that moment, which no entry holds; so limits are not looked at,
only what was moved.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bridge.contract.entries import CREDIT, DEBT
from bridge.contract.units import NANO_PER_FEN
from edge.audit.lie import Wrong, must
from edge.audit.opened import Reader
from edge.billing import money
from edge.billing.money import Forbidden, Limits, Moves, Standing
from edge.fold_money import week_of
from edge.state import AccountState, State

Fields = dict[str, Any]

FAR = 1 << 62

NONE = Limits(least_nano=1, most_nano=FAR, overdraft_nano=FAR)


class Acts:
    """The money acts of one book, against its state before them."""

    def __init__(self, state: State, reader: Reader):
        self._state, self._reader = state, reader

    def check(self, seq: int, kind: str, fields: Fields) -> None:
        """Raises Wrong, or KeyError for a field that is not there."""
        account = self._state.accounts.get(fields["account"])
        if account is None:
            raise Wrong(f"there is no account {fields['account']!r}", "an account/1 before it")
        try:
            _MOVED[kind](self, self._standing(account, fields), account, fields)
        except Forbidden as why:
            raise Wrong(f"it is forbidden by {why.rule}: {why.sentence}", "no such act") from None
        if answer := fields.get("request", {}).get("answer"):
            told = {**fields, "seq": seq, "balance_nano": fields["balance_after_nano"]}
            must(answer["status"], "done", "what was answered")
            must(answer["data"], {key: told.get(key) for key in answer["data"]}, "what was answered")

    def _standing(self, account: AccountState, fields: Fields) -> Standing:
        """As `edge/standing.py`; the posted balance stands for the available one, which nobody knows any more."""
        state, agreement, left = self._state, account.purse.agreement, None
        if agreement is not None and agreement.weekly_cap_nano:
            this_week = agreement.week == week_of(fields["receipt"])
            left = agreement.weekly_cap_nano - (agreement.repaid_nano if this_week else 0)
        posted = state.posted_nano(account.id)
        return Standing(
            account.id, posted, posted, state.owed_nano(CREDIT, account.id), state.owed_nano(DEBT, account.id),
            0 if agreement is None else agreement.share_percent, left, account.ended,
        )  # fmt: skip

    # --- by one person ---

    def _topup(self, standing: Standing, account: AccountState, fields: Fields) -> None:
        moves, repaid = money.topup(standing, fields["method"], _nano(fields), NONE)
        _moved(fields, moves)
        must(fields.get("repaid", {}), repaid, "what it repays")

    def _reversal(self, standing: Standing, account: AccountState, fields: Fields) -> None:
        seq, receipt = fields["original"], fields["original_receipt"]
        found = self._reader.entry(seq) if type(seq) is int and 0 < seq <= self._state.seq else None
        original = found.fields if found is not None and found.kind == "topup/1" else {}
        if original.get("account") != account.id or original.get("receipt") != receipt:
            raise Wrong(f"entry {seq} is no top-up of account {account.id} with the receipt {receipt}", "such a top-up")
        used = seq in account.purse.reversed
        again = account.purse.lent_seq > seq
        _moved(
            fields, money.reversal(standing, original, receipt=receipt, reversed=used, lent_since=again, limits=NONE)
        )
        must(fields["repaid"], original.get("repaid", {}), "what it had repaid")
        for key in ("amount_fen", "method"):
            must(fields[key], original[key], f"its {key}")

    def _credit(self, standing: Standing, account: AccountState, fields: Fields) -> None:
        _moved(fields, money.lend(standing, Limits(1, FAR, emergency_nano=_nano(fields))))

    # --- agreed by two ---

    def _refund(self, standing: Standing, account: AccountState, fields: Fields) -> None:
        money.open_to_money(standing)
        _moved(fields, money.move(standing.wallet, money.TILL + fields["method"], _nano(fields)))

    def _compensation(self, standing: Standing, account: AccountState, fields: Fields) -> None:
        _moved(fields, money.compensation(standing, _nano(fields)))

    def _deduction(self, standing: Standing, account: AccountState, fields: Fields) -> None:
        _moved(fields, money.deduction(standing, _nano(fields), fields["consent"], NONE))

    def _correction(self, standing: Standing, account: AccountState, fields: Fields) -> None:
        if (other := self._state.accounts.get(fields["to_account"])) is None:
            raise Wrong(f"there is no account {fields['to_account']!r}", "an account/1 before it")
        _moved(fields, money.correction(standing, self._standing(other, fields), _nano(fields), NONE))

    def _opening(self, standing: Standing, account: AccountState, fields: Fields) -> None:
        """One of the site file says its amount in its moves alone."""
        nano = _nano(fields) if "amount_fen" in fields else money.net_nano(standing.wallet, fields["moves"])
        _moved(fields, money.opening(standing, nano, account.purse.brought_in))

    def _debt(self, standing: Standing, account: AccountState, fields: Fields) -> None:
        money.open_to_money(standing)
        _moved(fields, money.move(DEBT + account.id, standing.wallet, _nano(fields)))

    def _exit(self, standing: Standing, account: AccountState, fields: Fields) -> None:
        """Its last charges stand before it, so the posted balance is that with them."""
        moves = money.settle(standing, standing.posted_nano, fields["method"])
        _moved(fields, moves)
        must(fields["meters"], list(account.meters), "its meters")
        refunded = sum(each["amount_nano"] for each in moves if each["to"] == money.TILL + fields["method"])
        left = refunded // NANO_PER_FEN, money.net_nano(money.RESIDUE, moves)
        must((fields["amount_fen"], fields["residue_nano"]), left, "what it pays and writes off")


def _nano(fields: Fields) -> int:
    fen = fields["amount_fen"]
    if type(fen) is not int:
        raise Wrong(f"its amount_fen is {fen!r}", "an integer (I6)")
    return fen * NANO_PER_FEN


def _moved(fields: Fields, moves: Moves) -> None:
    if not moves and fields["moves"]:
        raise Wrong(f"it moves {len(fields['moves'])} times", "no move")
    must(fields["moves"], moves, "what it moves")


_MOVED: dict[str, Callable[[Acts, Standing, AccountState, Fields], None]] = {
    "topup/1": Acts._topup,
    "reversal/1": Acts._reversal,
    "credit/1": Acts._credit,
    "refund/1": Acts._refund,
    "compensation/1": Acts._compensation,
    "deduction/1": Acts._deduction,
    "correction/1": Acts._correction,
    "opening-balance/1": Acts._opening,
    "debt/1": Acts._debt,
    "exit/1": Acts._exit,
}

MONEY = frozenset(_MOVED)
