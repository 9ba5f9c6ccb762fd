"""What a top-up repays (R16): the emergency credit first, then the agreed share of a debt; the rest is the tenant's.

The edge books by it, and the panel tells the tenant by it before the money is taken.
"""

from __future__ import annotations

from bridge.contract.units import NANO_PER_FEN, fen_floor


def repaid_nano(
    amount_nano: int, credit_nano: int, debt_nano: int, share_percent: int, left_this_week_nano: int | None
) -> tuple[int, int]:
    """(of the credit, of the debt). The share is of the whole top-up, in whole fen, and at most what the weekly cap
    still allows; None is no cap."""
    credit = min(credit_nano, amount_nano)
    share = fen_floor(amount_nano) * share_percent // 100 * NANO_PER_FEN
    debt = min(debt_nano, share, amount_nano - credit)
    if left_this_week_nano is not None:
        debt = min(debt, max(left_this_week_nano, 0))
    return credit, debt
