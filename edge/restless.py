"""Meters for which time alone may bring something are looked at in every tick; the others when something comes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from edge.core import Core
from edge.relays import Relays
from edge.state import MeterState

FAR = timedelta(days=1)


class Restless:
    """Those meters. Found anew when the book has grown, a status was otherwise than before, the site's terms are others
    or the hours for cuts begin or end: nothing else decides it."""

    def __init__(self, core: Core, relays: Relays):
        self._core, self._relays = core, relays
        self._meters: list[MeterState] = []
        self._found_by: tuple[Any, ...] = ()
        self._since = self._until = datetime.min.replace(tzinfo=UTC)

    def look(self) -> None:
        """Begin what has become due, and tell of who sits in the dark for too long."""
        core, now = self._core, self._core.now()
        found_by = core.state.seq, self._relays.looking.moves, core.terms
        if found_by != self._found_by or not self._since <= now < self._until:
            self._found_by, self._since = found_by, now
            self._until = core.terms.window.changes(now) or now + FAR
            self._find(core.terms.window.is_open(now))
        for meter in self._meters:
            self._relays.consider(meter)
            self._relays.looking.watch(meter)

    def _find(self, open_hours: bool) -> None:
        self._meters = []
        for meter in self._core.state.meters.values():
            if self._relays.restless(meter) and not self._settled(meter, open_hours):
                self._meters.append(meter)

    def _settled(self, meter: MeterState, open_hours: bool) -> bool:
        """True when time alone brings nothing: it is off and held off, or on and only a cut for arrears could come, out
        of hours; nothing is under way, and its lamp has done what it was to do."""
        relays = self._relays
        if meter.restore is not None or not relays.commands.idle(meter) or not relays.lamps.settled(meter):
            return False
        return relays.surely_off(meter) if meter.held_off else not (meter.holds or open_hours)
