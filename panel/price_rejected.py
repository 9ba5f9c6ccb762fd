"""Prices that were proposed and did not come about, with the reason: whoever proposed one must hear why not (R32).

What was decided lately is a fact of the gateway; which price it was about stands in the proposal's own entry.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bridge.contract.messages import DecisionRow, Proposals
from panel.history import History
from panel.mirror import View
from panel.price_versions import PRICE
from panel.proposals import decided_word

SHOWN = 5


@dataclass(frozen=True)
class Rejected:
    """`name` and `version` are absent while the archive does not have the proposal."""

    row: DecisionRow
    word: str
    name: str | None
    version: int | None


def rejected(view: View, history: History) -> list[Rejected]:
    """The newest, the newest first."""
    told = view.get(Proposals)
    rows = [row for row in told.decided if row.what == PRICE and not row.approved] if told else []
    return [_rejected(row, history) for row in rows[:SHOWN]]


def _rejected(row: DecisionRow, history: History) -> Rejected:
    body = _proposed(row.id, history)
    price, version = body.get("price"), body.get("version")
    name = price.get("name") if isinstance(price, dict) else None
    return Rejected(
        row, decided_word(row), name if isinstance(name, str) else None, version if type(version) is int else None
    )


def _proposed(id: str, history: History) -> dict[str, Any]:
    """The body of a proposal, which is named after the number of its entry; empty where the archive has no such."""
    number = id.removeprefix("p-")
    if not (number.isascii() and number.isdigit() and len(number) < 19):
        return {}
    line = history.entry(int(number))
    if line is None or line.kind != "proposal/1" or line.body["proposal"] != id:
        return {}
    found: dict[str, Any] = line.body["body"]
    return found
