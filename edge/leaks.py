"""Energy that flows while the relay is read back open: a contact that stuck, or supply led past it (R6).

No order helps there, so none is given: a person is told, once for each time the relay opened.
"""

from __future__ import annotations

import logging

from edge.core import Core
from edge.state import MeterState
from edge.switch_words import flows_past

log = logging.getLogger("riser.relays")

LEAST = {"energy": 100, "volume": 50}
"""Of a meter's own register, Wh or litres: more than the last step of a register that was read late."""


class Leaks:
    """Remembers where the register of each open relay stood when it was first read."""

    def __init__(self, core: Core):
        self._core = core
        self._from: dict[str, tuple[int | None, int]] = {}  # since when it is open, and the register then

    def look(self, meter: MeterState) -> None:
        """Called after each accepted reading."""
        core, live = self._core, self._core.lives[meter.id]
        if live.relay_open is not True or meter.observed != "open" or live.sample is None:
            self._from.pop(meter.id, None)
            return
        since, total = meter.observed_since, live.sample.registers_wh["total"]
        known, full = self._from.get(meter.id), live.model.full_scale_wh
        if known is None or known[0] != since or (total - known[1]) % full > full // 2:
            known = self._from[meter.id] = since, total  # Also where the reading it began with was found to be wrong.
        used = (total - known[1]) % full
        id = f"alarm:leak:{meter.id}:{since}"
        if used < LEAST[live.model.quantity] or core.cannot_write is not None or core.book.find(id) is not None:
            return
        text = flows_past(live.model.relay_is_valve, used)
        core.append(
            ("alarm/1", id, {"meter": meter.id, "account": meter.account, "alarm": "energy-while-off", "text": text})
        )
        log.warning("meter %s: %s", meter.id, text)
