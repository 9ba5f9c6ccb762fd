"""Meters for which time alone may bring something are looked at in every tick; the others when something comes."""

from __future__ import annotations

from edge.core import Core
from edge.relays import Relays
from edge.state import MeterState


class Restless:
    """Those meters. Found anew when the book has grown or a lamp was seen otherwise: nothing else decides it."""

    def __init__(self, core: Core, relays: Relays):
        self._core, self._relays = core, relays
        self._meters: list[MeterState] = []
        self._found_by = (-1, -1)

    def look(self) -> None:
        """Begin what has become due, and tell of who sits in the dark for too long."""
        found_by = self._core.state.seq, self._relays.looking.lamps_changed
        if found_by != self._found_by:
            self._found_by, self._meters = found_by, []
            for meter in self._core.state.meters.values():
                if self._relays.restless(meter):
                    self._meters.append(meter)
                else:
                    self._relays.looking.watch(meter)  # It may have been dark a moment ago.
        for meter in self._meters:
            self._relays.consider(meter)
            self._relays.looking.watch(meter)
