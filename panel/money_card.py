"""The place *Money* on an account's page: which acts this person may ask for, and what waits for approval there."""

from __future__ import annotations

from typing import Any

from bridge.contract.messages import Account
from panel.guard import i_may
from panel.money_acts import ACTS
from panel.parts import Parts
from panel.proposals import waiting_of


def card_of(stand: Parts, id: str, account: Account | None) -> dict[str, Any]:
    """{acts, waiting}; a settled account has no acts any more."""
    ended = account is not None and account.ended_at is not None
    return {
        "acts": [act for act in ACTS.values() if i_may(act.operation) and not ended],
        "waiting": waiting_of(stand.mirror.view(), id) if i_may("approve-money") else [],
    }
