"""Registers at borders within a day: proven readings become `border/1` entries, which divide a charge (R27, R28).

A reading counts once the next one has followed on it. What was not read, or was contradicted, is interpolated when the
day is charged, and the charge says so; nothing is asked for later, for no meter remembers it.
"""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Any

from bridge.contract.units import instant_exact, instant_text, micros_of, wall_time
from edge import gate
from edge.core import Core
from edge.live import Sample
from edge.state import MeterState

log = logging.getLogger("riser.closing")


class Hours:
    """Readings that wait for the one that follows on them."""

    def __init__(self, core: Core):
        self._core = core
        self._waiting: dict[tuple[str, datetime], tuple[Sample, Sample]] = {}

    def bordered(self, meter: MeterState, border: datetime, read: Sample, confirmed_by: Sample) -> None:
        """A meter was read at a border, and read again."""
        self._waiting[meter.id, border] = read, confirmed_by

    def changed(self, meter: str) -> None:
        """What waits of this meter is not of the one that stands there now."""
        self._waiting = {key: kept for key, kept in self._waiting.items() if key[0] != meter}

    def work(self) -> None:
        """Write down those that a later reading follows on."""
        for (id, border), (read, confirmed_by) in list(self._waiting.items()):
            live, meter = self._core.lives[id], self._core.state.meters[id]
            if meter.billed is not None and meter.billed.at >= micros_of(read.read_at):
                del self._waiting[id, border]  # The day was charged without it.
            elif live.sample is not None and live.sample.mono > confirmed_by.mono:
                del self._waiting[id, border]
                if gate.fits(live.model, confirmed_by, live.sample, None):
                    self._write(meter, border, read, confirmed_by)
                else:
                    at = wall_time(border, self._core.terms.zone)
                    log.warning("meter %s: its reading at %s was contradicted by the next", id, at)

    def _write(self, meter: MeterState, border: datetime, read: Sample, confirmed_by: Sample) -> None:
        id = f"border:{meter.id}:{instant_exact(border)}"
        if self._core.book.find(id) is not None:
            return  # A clock set back brings the same border again; the first reading stands.
        fields: dict[str, Any] = {
            "meter": meter.id,
            "registers_wh": read.registers_wh,
            "at": instant_exact(read.read_at),
            "read_at": instant_text(read.read_at),
            "border": instant_exact(border),
            "source": "border",
            "frames": [list(each) for each in (*confirmed_by.frames, *read.frames)],
        }
        self._core.append(("border/1", id, fields))
