"""A tenant's money as the acts of `billing/money.py` must see it, taken from the state and the newest readings."""

from __future__ import annotations

from bridge.contract.entries import CREDIT, DEBT
from edge.billing.money import Standing
from edge.core import Core
from edge.fold_money import week_of
from edge.state import AccountState


def receipt_of(core: Core, seq: int) -> str:
    """The number of an act that will stand at `seq`: its local day, and the seq by which it is found again."""
    return f"{core.now().astimezone(core.terms.zone):%Y%m%d}-{seq:06d}"


def standing_of(core: Core, account: AccountState, available_nano: int | None = None) -> Standing:
    """Where a tenant's money stands now. `available_nano` where it was worked out already."""
    state, agreement = core.state, account.purse.agreement
    left = None
    if agreement is not None and agreement.weekly_cap_nano:
        this_week = agreement.week == week_of(receipt_of(core, 0))
        left = agreement.weekly_cap_nano - (agreement.repaid_nano if this_week else 0)
    doubted = (id for id in account.meters if state.meters[id].quarantined is not None)
    return Standing(
        account=account.id,
        posted_nano=state.posted_nano(account.id),
        available_nano=core.balances.available_nano(account) if available_nano is None else available_nano,
        credit_nano=state.owed_nano(CREDIT, account.id),
        debt_nano=state.owed_nano(DEBT, account.id),
        share_percent=0 if agreement is None else agreement.share_percent,
        left_this_week_nano=left,
        ended=account.ended,
        in_doubt=next(doubted, None),
    )
