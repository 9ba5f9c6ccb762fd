"""What a load uses while no register tells it: one stands still, was reset, or hangs there and nobody has said so yet.

The gateway cannot know of it and nobody is charged for it, so a tenant who has paid for the rest has paid (R5).
"""

from __future__ import annotations

from tests.bench.policy_seen import Seen
from tests.simulate.house import House


def begins(seen: Seen, told_nano: int) -> None:
    """From now on nothing that this meter says is more than what had been told."""
    if seen.used.stands is None:
        seen.used.stands = told_nano


def ends(seen: Seen, from_nano: int) -> None:
    """What is used from there on is told again; what came before it never will be."""
    if seen.used.stands is not None:
        seen.unsaid_nano += max(from_nano - seen.used.stands, 0)
        seen.used.stands = None


def surely_told(house: House, seen: Seen) -> int:
    """What the gateway knows at least: after a restart the lesser of two saved rounds counts."""
    hours = 2 * house.plan.poll_s / 3600
    dearest = house.judge.prices.dearest(seen.room.tariff)
    return max(seen.used.told() - int(seen.meter.watts * 1.3 * hours * seen.meter.multiplier * dearest), 0)
