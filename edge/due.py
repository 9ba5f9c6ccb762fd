"""What a meter is asked in a round: what changes fast every time, what changes slowly when it is due, few requests."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from edge.live import Live
from edge.model import Question

EVERY_S = {"round": 0.0, "slow": 60.0, "minutes": 300.0, "hourly": 600.0}
"""Line seconds between two askings of the same question."""

APART_S = 3600.0
"""A meter that refused rows asked together is asked for each alone for so long."""


@dataclass(frozen=True)
class Planned:
    """A question to a meter, for one row or several, and how often it was tried."""

    meter: str
    question: Question
    tries: int = 0


def due(meter: str, live: Live, baud: int, now: float) -> list[Planned]:
    """The requests of this round, at the monotonic second `now`."""
    names = [
        name
        for every, seconds in EVERY_S.items()
        for name in live.model.names(every)
        if now - live.asked_mono.get(name, -1e9) >= seconds
    ]
    return apart(meter, live, names) if now < live.apart_until else _planned(meter, live.model.plan(names, baud))


def apart(meter: str, live: Live, names: Iterable[str]) -> list[Planned]:
    """A request for each row alone."""
    return _planned(meter, [question for name in names for question in live.model.plan([name])])


def _planned(meter: str, questions: Iterable[Question]) -> list[Planned]:
    return [Planned(meter, question) for question in questions]
