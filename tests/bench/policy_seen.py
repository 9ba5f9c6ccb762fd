"""What the judge of `riser bench policy` keeps of one meter, and what it says when something was wrong."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime

from tests.bench.policy_site import Room, RoomMeter
from tests.bench.policy_truth import Used


@dataclass
class Seen:
    """One meter as its own side of the wire saw it."""

    room: Room
    meter: RoomMeter
    used: Used
    device: object = None
    ordered: bool = False
    """Its lamp was ordered in this episode, and it said yes."""
    ordered_mono: float = -1e9
    """When it said so last."""
    lit_s: float | None = None
    """Powered second at which the lamp was then read back as lit."""
    held: bool = False
    cut: bool = False
    again: bool = False
    """It was cut for arrears and not closed since: another attempt at a contact that did not open is the same cut."""
    cause: bool = False
    kept: bool = False
    """Keep-power was set at the meter, and a status that was read said so."""
    read_s: dict[str, float] = field(default_factory=dict)
    round_mono: float = 0.0
    """When it told its registers before the newest look at them, which may be two readings at once."""
    border_us: int | None = None
    """A change of price that was read once in time and waits for the second look."""
    slack_nano: int = 0
    guessed_days: set[date] = field(default_factory=set)
    """Local days on which a change of price was not read."""
    unsaid_nano: int = 0
    """What its load has cost and no register will ever tell: one stood still, or was gone before it was read again."""
    unsure_until: datetime | None = None
    """Until then a change of price is split by a guess, for its reading was not had: nobody is cut on that, and whether
    a small payment ended the episode is not judged."""
    vacant: bool = False
    """Nobody lives there: what it counts is nobody's."""
    unopened: bool = False
    """Somebody has moved in, and the first register does not stand yet."""


@dataclass(frozen=True)
class Violation:
    """What must never be."""

    rule: str
    at: str
    meter: str
    why: str
