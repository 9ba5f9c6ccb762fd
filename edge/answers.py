"""An answer's values, row by row: passed on, or noted as refused or unusable; and a meter that spoke is on line."""

from __future__ import annotations

import logging
from collections.abc import Callable

from edge.codec.errors import CodecError, Refused
from edge.core import Core
from edge.line.request import Reply
from edge.live import Live
from edge.model import Values
from edge.state import MeterState

log = logging.getLogger("riser.polling")

REFUSED_S = 3600.0
"""A question that not every meter knows, and this one refused, rests so long."""

Heard = Callable[[MeterState, str, Values, Reply], None]


class Answers:
    """Reads answers and tells `heard` of each row that has values."""

    def __init__(self, core: Core, heard: Heard, returned: Callable[[MeterState], None]):
        self._core, self._heard, self._returned = core, heard, returned

    def take(self, meter: MeterState, name: str, reply: Reply) -> bool:
        """Read one row's values and pass them on. False when the meter refused or the contents are unusable."""
        found: Values | CodecError
        try:
            found = self._core.lives[meter.id].model.values(name, reply.parts, self._core.terms.zone)
        except CodecError as trouble:
            found = trouble
        return self.row(meter, name, found, reply)

    def row(self, meter: MeterState, name: str, found: Values | CodecError, reply: Reply) -> bool:
        """Pass one row of an answer on. False when it has no values."""
        live = self._core.lives[meter.id]
        if isinstance(found, CodecError):
            if name not in live.lacks:
                log.info("meter %s, %s: %s", meter.id, name, found)
            if isinstance(found, Refused) and self._may_lack(meter, live, name):
                live.lacks.add(name)
                live.asked_mono[name] = reply.ended + REFUSED_S
            return False
        self._seen(meter, live)
        self._heard(meter, name, found, reply)
        return True

    def _may_lack(self, meter: MeterState, live: Live, name: str) -> bool:
        """Not every meter without a relay has a status that tells of one."""
        relay = live.model.relay
        bare = meter.row["relay"] == "none" and relay is not None and name == relay.row
        return live.model.rows[name].optional or bare

    def _seen(self, meter: MeterState, live: Live) -> None:
        live.missed = live.probes = 0
        if live.online is not True:
            live.unnamed, live.unnamed_mono = True, self._core.clock.monotonic()
            live.online, live.online_since = True, self._core.now()
            self._returned(meter)
            self._core.changed("availability", meter.id)
