"""A valve that does not follow, is out of order, or is closed although nobody holds it closed."""

from __future__ import annotations

from collections.abc import Iterator

from bridge.contract.messages import MeterRow
from host.doctor.findings import Finding, know, wrong
from host.doctor.seen import Snapshot


def valve_of(snapshot: Snapshot, row: MeterRow) -> Iterator[Finding]:
    valve = snapshot.facts.valves.get(row.id)
    if valve is None or valve.moving is not None:
        return  # One on its way has time to arrive.
    room = f" ({row.room})" if row.room else ""
    if not valve.following or valve.observed == "fault":
        stands = "says that it is out of order" if valve.observed == "fault" else f"is {valve.observed}"
        yield wrong(
            "meters",
            row.id,
            f"Meter {row.id}{room}: its valve should be {valve.desired} and {stands}.",
            "Go and look: the valve, dirt in it, the meter's battery.",
        )
    elif valve.observed == "closed" and valve.desired == "open" and valve.step is None:
        yield know(
            "meters",
            row.id,
            f"Meter {row.id}{room}: its valve is closed since {snapshot.time(valve.observed_since)} and should be "
            f"open: {valve.why}.",
            "Is no tap and no pipe open there, open it.",
            f'./riser request on meter={row.id} why="..."',
        )
