"""A settled account: no act that moves money takes or gives any more, whichever it is (R33)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from edge.billing import money
from edge.billing.money import Forbidden, Limits, Standing

LIMITS = Limits(least_nano=1, most_nano=10**12, overdraft_nano=10**10, emergency_nano=10**10)
FULL: dict[str, Any] = {"posted_nano": 10**11, "available_nano": 10**11}
ENDED, OTHER = Standing("101", **FULL, ended=True), Standing("102", **FULL)
TOPUP = {"moves": [{"from": "till:cash", "to": "account:101", "amount_nano": 10**10}]}

ACTS: dict[str, Callable[[Standing], object]] = {
    "topup": lambda of: money.topup(of, "cash", 10**10, LIMITS),
    "reversal": lambda of: money.reversal(
        of, TOPUP, receipt="20261120-000012", reversed=False, lent_since=False, limits=LIMITS
    ),
    "opening": lambda of: money.opening(of, 10**10, False),
    "refund": lambda of: money.refund(of, "cash", 10**10),
    "compensation": lambda of: money.compensation(of, 10**10),
    "deduction": lambda of: money.deduction(of, 10**10, "signed 11-20", LIMITS),
    "correction, giving": lambda of: money.correction(of, OTHER, 10**10, LIMITS),
    "correction, taking": lambda of: money.correction(OTHER, of, 10**10, LIMITS),
    "lend": lambda of: money.lend(of, LIMITS),
    "defer": lambda of: money.defer(of, 10**9),
    "settle": lambda of: money.settle(of, 10**11, "cash"),
}
OF_A_DEBTOR = {"lend", "defer"}


@pytest.mark.parametrize("act", ACTS)
def test_a_settled_account_takes_part_in_no_act(act: str) -> None:
    """Refused by R33 while the same act of an account that is open is none of R33's business."""
    with pytest.raises(Forbidden) as refused:
        ACTS[act](ENDED)
    assert refused.value.rule == "R33"
    if act not in OF_A_DEBTOR:
        ACTS[act](Standing("101", **FULL))
