"""One row of a model: what to send, and where the values stand in the reply. What it reads is decided by its file."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import tzinfo
from typing import Any

from edge.model_values import Coding, Values, read

UNSHOWN = frozenset({"clock", "serial", "freeze", "opened_at", "closed_at", "status_word_3", "cover_openings",
                     "terminal_cover_openings", "valve_word", "forced", "forced_trip", "switch"})  # fmt: skip
"""Keys that the edge itself understands, or a model's own relay; all others are fields of `meter/<id>`."""


@dataclass(frozen=True)
class Row:
    """One question of a model: how often, what to send, where the values stand in the reply."""

    name: str
    every: str
    di: str | None
    function: int
    start: int
    count: int
    values: tuple[dict[str, Any], ...]
    optional: bool = False
    """Not every meter of this model has it; one that refuses is asked again after an hour."""
    length: int | None = None
    """The reply's values take exactly so many bytes; another length is another meter's layout."""
    manual: str = ""
    page: str = ""

    def read(self, raw: bytes, zone: tzinfo, coding: Coding) -> Values:
        """The values of this row in the bytes of its reply. Raises BadValue."""
        found: Values = {}
        for value in self.values:
            number = read(value, raw, zone, coding)
            if number is not None:
                found[value["key"]] = number
        return found


@dataclass(frozen=True)
class Circuits:
    """A box with many circuits behind one address: circuit n stands at start + (n - 1) x stride."""

    most: int
    stride: int


def row_of(table: dict[str, Any]) -> Row:
    """The row that a checked `[[read]]` describes."""
    return Row(
        table["name"],
        table["every"],
        table.get("di"),
        table.get("function", 0),
        table.get("start", 0),
        table.get("count", 0),
        tuple(table["values"]),
        table.get("optional", False),
        table.get("bytes"),
        table["manual"],
        table["page"],
    )
