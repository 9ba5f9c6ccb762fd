"""May the calendar be believed (R25)? The kernel's word, and never a time before the newest entry of the book."""

from __future__ import annotations

from datetime import timedelta

from bridge.contract.clock import Clock, SystemClock
from bridge.contract.units import instant_of_micros

BACKWARD = timedelta(minutes=5)
"""A clock this far behind the newest entry has stepped back over what already happened."""


def judge(clock: Clock, newest_at: int, setting: str, synchronised: bool) -> tuple[bool, str]:
    """(may it be believed, one sentence). `newest_at` is the newest trusted entry in microseconds, 0 for none."""
    now = clock.now()
    if newest_at and now < instant_of_micros(newest_at) - BACKWARD:
        return False, "the clock stands before the newest entry of the book"
    if not isinstance(clock, SystemClock):
        return True, "the demo's own calendar"
    if setting == "always":
        return True, "believed as it is, by the site file"
    if not synchronised:
        return False, "not synchronised since start; see `timedatectl`, or set clock.trust in the site file"
    return True, "synchronised"
