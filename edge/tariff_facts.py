"""Prices and proposals as facts: what stands in the book, in the words of people."""

from __future__ import annotations

from bridge.contract import messages as m
from bridge.contract.price_told import version_told
from bridge.contract.units import text_of
from edge.core import Core


def tariff_fact(core: Core, id: str) -> m.Tariff:
    """A price with all its versions."""
    versions = core.state.tariffs[id]
    limit = core.terms.markup_limit_percent
    return m.Tariff(name=versions[-1]["name"], versions=[version_told(fields, limit) for fields in versions])


def proposals_fact(core: Core) -> m.Proposals:
    """What waits for a second person, the oldest first."""
    waiting = [each for each in core.state.proposals.values() if each.decision is None]
    return m.Proposals(
        proposals=[
            m.ProposalRow(
                id=each.id, what=each.what, body=each.body, who=each.who, role=each.role,
                at=text_of(each.at) or "", until=text_of(each.until) or "",
            )
            for each in waiting
        ]
    )  # fmt: skip
