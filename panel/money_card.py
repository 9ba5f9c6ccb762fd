"""The place *Money* on an account's page: which acts this person may ask for, and what waits for approval there."""

from __future__ import annotations

from typing import Any

from bridge.contract.messages import Account
from panel.guard import i_may
from panel.links import link
from panel.money_acts import ACTS, Act
from panel.parts import Parts
from panel.proposals import waiting_of
from panel.slip_bodies import KINDS, paid_of
from panel.words import later, t

SLIPS_SHOWN = 3
TITLES = {"refund/1": later("Refund slip"), "exit/1": later("Settlement of a tenancy")}


def card_of(stand: Parts, id: str, account: Account | None) -> dict[str, Any]:
    """{acts with the way to each form, waiting, slips}; a settled account has no acts any more."""
    ended = account is not None and account.ended_at is not None
    papers = stand.history.of_kinds(id, (), KINDS, SLIPS_SHOWN)[::-1] if i_may("approve-money") else []
    return {
        "slips": [(line, t(TITLES[line.kind]), paid) for line in papers if (paid := paid_of(line))],
        "acts": [(act, _way(act, id)) for act in ACTS.values() if i_may(act.operation) and not ended],
        "waiting": waiting_of(stand.mirror.view(), id) if i_may("approve-money") else [],
    }


def _way(act: Act, id: str) -> str:
    return link("money.form", operation=act.operation, id=id) if act.form else link("right_reading.meters", id=id)
