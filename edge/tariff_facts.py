"""Prices and proposals as facts: what stands in the book, in the words of people."""

from __future__ import annotations

from heapq import nlargest

from bridge.contract import messages as m
from bridge.contract.price_told import version_told
from bridge.contract.units import text_of
from edge.core import Core
from edge.state import Proposal


def tariff_fact(core: Core, id: str) -> m.Tariff:
    """A price with all its versions."""
    versions = core.state.tariffs[id]
    limit = core.terms.markup_limit_percent
    return m.Tariff(name=versions[-1]["name"], versions=[version_told(fields, limit) for fields in versions])


DECIDED_TOLD = 30
"""A busy day of decisions: their makers see what became of them."""


def proposals_fact(core: Core) -> m.Proposals:
    """What waits for a second person, the oldest first, and the newest decisions."""
    every = core.state.proposals.values()
    waiting = [each for each in every if each.decision is None]
    decided = nlargest(DECIDED_TOLD, ((each.decision.seq, each) for each in every if each.decision is not None))
    return m.Proposals(
        proposals=[
            m.ProposalRow(
                id=each.id, what=each.what, body=each.body, who=each.who, role=each.role,
                at=text_of(each.at) or "", until=text_of(each.until) or "",
            )
            for each in waiting
        ],
        decided=[_decided(each) for _, each in decided],
    )  # fmt: skip


def _decided(each: Proposal) -> m.DecisionRow:
    assert each.decision is not None
    account = each.body.get("account")
    return m.DecisionRow(
        id=each.id, what=each.what, account=account if isinstance(account, str) else None, who=each.who,
        approved=each.decision.approved, decided_by=each.decision.who, decided_at=text_of(each.decision.at) or "",
        why=each.decision.why,
    )  # fmt: skip
