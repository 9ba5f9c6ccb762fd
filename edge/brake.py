"""The brake on a mass cut (R4): how many were cut within the hour, and whether one more is too many."""

from __future__ import annotations

from edge.billing import policy
from edge.core import Core
from edge.state import MeterState

BRAKE_S = 3600 + 60
"""The hour of R4, in which the gateway had power, from the order's first byte: that leaves within a minute of its
evidence (`evidence.FRESH_S`), and the evidence counts whole seconds."""


def due(core: Core, meter: MeterState) -> str | None:
    """Why this cut would be one too many within the hour, or None."""
    since_s = core.powered_s() - BRAKE_S
    cut = {id for id, at_s in core.state.cuts.items() if at_s and at_s[-1] > since_s} - {meter.id}
    if not policy.brake_due(len(cut), len(core.state.meters), core.terms):
        return None
    return f"{len(cut)} meters were cut within an hour; a named person must release the brake"
