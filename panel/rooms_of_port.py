"""The meters of a port, those in trouble first, for the person who goes and looks."""

from __future__ import annotations

from dataclasses import dataclass

from bridge.contract.messages import Availability, MeterFacts, MeterRow
from panel.parts import Parts


@dataclass(frozen=True)
class OnPort:
    """A meter on its wire: `silent_since` while it is off line, `why` in the gateway's words."""

    meter: MeterRow
    read_at: str | None
    silent_since: str | None
    why: str | None


def meters_by_port(stand: Parts) -> dict[str, list[OnPort]]:
    """Port id to its meters: the silent first, the longest silent on top, then the oldest reading."""
    view = stand.mirror.view()
    found: dict[str, list[OnPort]] = {}
    for meter in view.meters.values():
        facts, seen = view.get(MeterFacts, meter.id), view.get(Availability, meter.id)
        silent = seen if seen is not None and seen.state == "offline" else None
        one = OnPort(
            meter, facts.read_at if facts else None, silent.since if silent else None, silent.why if silent else None
        )
        found.setdefault(meter.port, []).append(one)
    for some in found.values():
        some.sort(key=lambda one: (one.silent_since is None, one.silent_since or "", one.read_at or "", one.meter.room))
    return found
