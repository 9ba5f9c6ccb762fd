"""Prices and proposals as facts: what stands in the book, in the words of people."""

from __future__ import annotations

from heapq import nlargest
from typing import Any

from bridge.contract import markup
from bridge.contract import messages as m
from bridge.contract import price_facts as p
from bridge.contract.units import kwh_text, price_text, text_of, yuan_text
from edge.core import Core
from edge.state import Proposal


def tariff_fact(core: Core, id: str) -> m.Tariff:
    """A price with all its versions."""
    versions = core.state.tariffs[id]
    limit = core.terms.markup_limit_percent
    return m.Tariff(name=versions[-1]["name"], versions=[_version(fields, limit) for fields in versions])


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


def _version(fields: dict[str, Any], limit_percent: int | None) -> m.TariffVersion:
    steps, purchase, fee = fields.get("steps"), fields.get("purchase_micro"), fields.get("daily_fee_nano", 0)
    return m.TariffVersion(
        version=fields["version"],
        effective_at=fields["effective_at"],
        kind=fields["price_kind"],
        prices={rate: price_text(micro) for rate, micro in fields["prices_micro"].items()},
        windows=_windows(fields["windows"]),
        approved_by=fields["by"],
        proposed_by=fields.get("proposed_by"),
        unit=fields.get("unit", "kWh"),
        tables=[
            p.TariffTable(
                seasons=[f"{_day(first)}..{_day(last)}" for first, last in table["seasons"]],
                days=table["days"],
                windows=_windows(table["windows"]),
            )
            for table in fields.get("tables", ())
        ],
        steps=None if steps is None else p.TariffSteps(
            period=steps["period"], month=steps["month"], day=steps["day"], moving_in=steps["moving_in"],
            steps=[
                p.TariffStep(above=kwh_text(step["above_wh"]), add=price_text(step["add_micro"]))
                for step in steps["steps"]
            ],
        ),
        surcharges=[
            p.TariffSurcharge(name=each["name"], price=price_text(each["micro"]), category=each["category"])
            for each in fields.get("surcharges", ())
        ],
        daily_fee=yuan_text(fee) if fee else None,
        purchase={rate: price_text(micro) for rate, micro in purchase.items()} if purchase else None,
        markup_percent=markup.percent(fields),
        markup_warns=markup.beyond(fields, limit_percent),
    )  # fmt: skip


def _windows(rows: list[dict[str, Any]]) -> list[m.Window]:
    return [
        m.Window.model_validate({"from": wall_text(row["from"]), "to": wall_text(row["to"]), "rate": row["rate"]})
        for row in rows
    ]


def _day(of_year: int) -> str:
    return f"{of_year // 100:02d}-{of_year % 100:02d}"


def wall_text(minutes: int) -> str:
    """Minutes after midnight as HH:MM."""
    return f"{minutes // 60:02d}:{minutes % 60:02d}"
