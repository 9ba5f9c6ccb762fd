"""A water meter's battery and valve: what is wrong is told once, and once more when it is right again (R35).

Both stand in the status bits of every reading. A bit that changed is believed when the next reading says so too; what
was told stands in the book, so that a restart tells nobody again.
"""

from __future__ import annotations

import logging
from typing import Any

from bridge.contract.switching import VALVE_IS
from edge.core import Core
from edge.live import Live
from edge.model import Values
from edge.state import AILMENTS, MeterState

log = logging.getLogger("riser.valves")

TEXTS = {
    "battery-low": "the meter's battery is low: change it soon, with an empty one its valve may not move",
    "battery-good": "the meter's battery is good again",
    "valve-fault": "the meter says that its valve is out of order: somebody has to look at it",
    "valve-good": "the meter says that its valve is in order again",
}


def stands_in_sweep(live: Live) -> dict[str, Any]:
    """How its relay or valve stands, as a row of `reading` tells it; empty while nobody knows."""
    if live.relay_open is None or live.model.relay is None:
        return {}
    if live.model.relay.is_valve:
        return {"valve": VALVE_IS[live.stands]}
    return {"relay": live.stands}


class Valves:
    """Takes the status of meters that have a valve or a battery."""

    def __init__(self, core: Core):
        self._core = core

    def heard(self, meter: MeterState, values: Values, moving: bool) -> None:
        """A status was read. A valve on its way may call itself out of order until it has arrived."""
        live = self._core.lives[meter.id]
        if "battery_low" in values:
            live.values["battery_low"] = values["battery_low"]
            self._compare(meter, "battery-low", values["battery_low"])
        relay = live.model.relay
        if relay is not None and relay.is_valve and not moving and (seen := relay.seen(values)) is not None:
            self._compare(meter, "valve-fault", seen.supply == "fault")

    def _compare(self, meter: MeterState, ailment: str, is_so: bool) -> None:
        core, doubts = self._core, self._core.lives[meter.id].well_doubt
        if is_so is (ailment in meter.ailing):
            doubts.pop(ailment, None)
            return
        if doubts.get(ailment) is not is_so:
            doubts[ailment] = is_so
            return
        if core.cannot_write is not None:
            return  # It is told when the disk takes entries again.
        del doubts[ailment]
        alarm = ailment if is_so else AILMENTS[ailment]
        fields = {"meter": meter.id, "account": meter.account, "alarm": alarm, "text": TEXTS[alarm]}
        core.append(("alarm/1", core.own_id("alarm"), fields))
        log.warning("meter %s: %s", meter.id, TEXTS[alarm])
