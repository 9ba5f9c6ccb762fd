"""What the money acts leave behind besides their moves (R12, R15, R16, R33); `fold.apply` is the only caller."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from bridge.contract.people import folded
from bridge.contract.units import NANO_PER_FEN
from edge.book import Entry
from edge.purse import Agreement
from edge.state import AccountState, State

Fields = dict[str, Any]

DAY = slice(0, 8)
"""A receipt begins with its local day, YYYYMMDD."""


def week_of(receipt: str) -> date:
    """The Monday of a receipt's week."""
    day = date.fromisoformat(receipt[DAY])
    return day - timedelta(days=day.weekday())


def _topup(state: State, entry: Entry, fields: Fields) -> None:
    if "receipt" not in fields:
        return  # Before receipts there were neither limits per day nor debts.
    if "former" not in fields:  # What comes back after a restore was taken on another day.
        day, who = fields["receipt"][DAY], folded(fields["who"])
        known_day, taken = state.takings.get(who, (day, 0))
        state.takings[who] = (day, fields["amount_fen"] + (taken if known_day == day else 0))
    _repaid(state.accounts[fields["account"]], week_of(fields["receipt"]), fields.get("repaid", {}), 1)


def _repaid(account: AccountState, week: date, repaid: dict[str, int], sign: int) -> None:
    """Count what was paid of an agreed debt in its week; a reversal takes back what belongs to the week still open."""
    agreement, nano = account.purse.agreement, repaid.get("debt_nano", 0)
    if agreement is None or not nano:
        return
    if sign > 0:
        known = agreement.repaid_nano if agreement.week == week else 0
        account.purse.agreement = replace(agreement, week=week, repaid_nano=known + nano)
    elif agreement.week == week:
        account.purse.agreement = replace(agreement, repaid_nano=max(agreement.repaid_nano - nano, 0))


def _reversal(state: State, entry: Entry, fields: Fields) -> None:
    account = state.accounts[fields["account"]]
    account.purse.reversed.add(fields["original"])
    _repaid(account, week_of(fields["original_receipt"]), fields["repaid"], -1)


def _opening_balance(state: State, entry: Entry, fields: Fields) -> None:
    state.accounts[fields["account"]].purse.brought_in = True


def _credit(state: State, entry: Entry, fields: Fields) -> None:
    state.accounts[fields["account"]].purse.lent_seq = entry.seq


def _debt(state: State, entry: Entry, fields: Fields) -> None:
    """A new agreement takes the place of the old one; what is owed of both stands in the ledger, and so does what
    was repaid this week."""
    purse = state.accounts[fields["account"]].purse
    before = purse.agreement or Agreement(0, 0)
    cap = fields["weekly_cap_fen"] * NANO_PER_FEN
    purse.agreement = replace(before, share_percent=fields["share_percent"], weekly_cap_nano=cap)


def _exit(state: State, entry: Entry, fields: Fields) -> None:
    account = state.accounts[fields["account"]]
    for id in account.meters:
        meter = state.meters[id]
        meter.account = None
        if meter.waiting is not None:  # What waits for its button goes on to do so: nobody may be there (R6).
            meter.waiting = replace(meter.waiting, way=account.row.get("close") if meter.restore is not None else None)
    account.purse.ended_at, account.final, account.level = entry.at, None, 0
    state.installed_seq = entry.seq


APPLY: dict[str, Callable[[State, Entry, Fields], None]] = {
    "topup/1": _topup,
    "reversal/1": _reversal,
    "opening-balance/1": _opening_balance,
    "credit/1": _credit,
    "debt/1": _debt,
    "exit/1": _exit,
}
