"""A meter was replaced, its multiplier changed, a tenant moved in: whoever remembers what was before forgets it.

The meter is read at once, for what is used from now on counts from that reading.
"""

from __future__ import annotations

from bridge.contract.entries import REPLACED
from edge.book import Entry
from edge.closing import Closing
from edge.core import Core
from edge.meter_plans import MeterPlans
from edge.readings import Readings
from edge.relays import Relays
from edge.requests import Requests
from edge.table_reads import TableReads


class Swaps:
    """An ear of the core."""

    def __init__(
        self, core: Core, closing: Closing, readings: Readings, tables: TableReads, relays: Relays, requests: Requests
    ):
        self._core, self._readings, self._relays = core, readings, relays
        self._forgetful = (closing, readings, tables)
        requests.meters.plans = MeterPlans(core, closing)

    def entry(self, entry: Entry) -> None:
        """It stands in the book, and the state is that of afterwards."""
        meters = self._core.state.meters
        if entry.kind in REPLACED:
            meter = meters[entry.fields["meter"]]
            for part in self._forgetful:
                part.changed(meter.id)
            if entry.kind == "replacement/1":
                self._relays.replaced(meter)
            self._readings.read_again(meter)
        elif entry.kind == "account/1":
            for id in entry.fields["meters"]:
                self._readings.read_again(meters[id])

    def changed(self, what: str, id: str) -> None:
        """Facts are no business of this ear."""
