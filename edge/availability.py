"""Renders `meter/<id>/availability`: is a meter heard, since when not, and what came instead of its answers."""

from __future__ import annotations

from bridge.contract.messages import Availability
from bridge.contract.units import instant_text
from edge.live import Live


def availability_of(live: Live, port_closed: bool) -> Availability | None:
    """The message; None while nothing is known."""
    if live.online is None or live.online_since is None:
        return None
    since, how = instant_text(live.online_since), live.missed_how or "silent"
    if live.online:
        return Availability(state="online", since=since)
    if port_closed:
        return Availability(state="offline", since=since, why="closed", how="closed")
    why = f"silent in {live.missed} rounds"
    if how == "babble":
        why = "it does not stop talking when it is asked"
    elif how in ("noise", "unfinished"):
        why = f"what it says comes damaged, in {live.missed} rounds"
    return Availability(state="offline", since=since, why=why, how=how)
