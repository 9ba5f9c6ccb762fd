"""What a meter is asked in a round: what changes fast every time, what changes slowly when it is due, few requests."""

from __future__ import annotations

from dataclasses import dataclass

from edge.live import Live

EVERY_S = {"round": 0.0, "slow": 60.0, "minutes": 300.0, "hourly": 600.0}
"""Line seconds between two askings of the same question."""

APART_S = 3600.0
"""A meter that refused rows asked together is asked for each alone for so long."""


@dataclass(frozen=True)
class Planned:
    """Rows of a meter that are asked with one request, and how often that was tried."""

    meter: str
    names: tuple[str, ...]
    tries: int = 0


def due(meter: str, live: Live, baud: int, now: float) -> list[Planned]:
    """The requests of this round, at the monotonic second `now`."""
    names = [
        name
        for every, seconds in EVERY_S.items()
        for name in live.model.names(every)
        if now - live.asked_mono.get(name, -1e9) >= seconds
    ]
    if now < live.apart_until:
        return [Planned(meter, (name,)) for name in names]
    return [Planned(meter, each.names) for each in live.model.plan(names, baud)]
