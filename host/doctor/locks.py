"""A meter that is locked for work: who has the lock and since when, so that none is forgotten and nobody stays dark."""

from __future__ import annotations

from collections.abc import Iterator

from bridge.contract.messages import MeterRow
from host.doctor.findings import Finding, know
from host.doctor.seen import Snapshot


def of_meter(snapshot: Snapshot, row: MeterRow) -> Iterator[Finding]:
    switch = snapshot.facts.relays.get(row.id) or snapshot.facts.valves.get(row.id)
    lock = next((hold for hold in switch.holds if hold.kind == "lockout"), None) if switch else None
    if lock is None:
        return
    room = f" ({row.room})" if row.room else ""
    yield know(
        "meters",
        row.id,
        f"Meter {row.id}{room} is locked for work by {lock.by} since {snapshot.time(lock.since)}: {lock.why}. Nothing "
        "switches it on, and nobody is cut on it.",
        f"Is the work done, {lock.by} unlocks it; somebody else adds in_place_of with that name.",
        f'./riser request unlock meter={row.id} why="..."',
    )
