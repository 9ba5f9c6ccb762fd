"""Which meters of a port do not answer, by name, for the person who goes and looks."""

from __future__ import annotations

from bridge.contract.messages import Availability, MeterRow
from panel.parts import Parts


def silent_by_port(stand: Parts) -> dict[str, list[MeterRow]]:
    """Port id to its meters that are off line."""
    view = stand.mirror.view()
    found: dict[str, list[MeterRow]] = {}
    for meter in view.meters.values():
        fact = view.get(Availability, meter.id)
        if fact is not None and fact.state == "offline":
            found.setdefault(meter.port, []).append(meter)
    return found
