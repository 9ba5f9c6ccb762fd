"""Meters whose own time table is not that of their price: how they are billed meanwhile, and what to do (R28)."""

from __future__ import annotations

from collections.abc import Iterator

from bridge.contract.messages import MeterRow
from host.doctor.findings import Finding, know
from host.doctor.seen import Snapshot


def findings(snapshot: Snapshot, row: MeterRow) -> Iterator[Finding]:
    """What the gateway found when it compared one meter's table last."""
    values, room = snapshot.facts.values.get(row.id), f" ({row.room})" if row.room else ""
    if values is not None and values.time_table == "differs" and row.account is not None:
        yield know(
            "meters",
            row.id,
            f"Meter {row.id}{room}: its own time table is not that of its price, so its hours are told apart by "
            "readings at their borders; a border at which it does not answer is interpolated (R28).",
            "Set the meter's time table with its maker's tool, or correct the price; the finding goes within a day.",
        )
