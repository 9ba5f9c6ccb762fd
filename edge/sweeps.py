"""A round's accepted readings become one numbered sweep: telemetry, committed together, trimmed by count."""

from __future__ import annotations

from edge.core import Core
from edge.polling import Polling
from edge.readings import Readings

SAVED_AT, SAVED_S = 8, 60
"""Telemetry is committed every 8 sweeps or 60 calendar seconds; what waits is lost with the power, and that is all."""

KEPT = 50_000
"""Sweeps kept at the edge, some weeks of them; the archive keeps more."""


class Sweeps:
    """Collects and saves."""

    def __init__(self, core: Core, readings: Readings):
        self._core, self._readings = core, readings
        self._saved = core.clock.elapsed()

    def swept(self, poll: Polling) -> None:
        """A round is over."""
        fresh = self._readings.fresh
        rows = [fresh.pop(meter.id) for meter in poll.meters() if meter.id in fresh]
        if rows and self._core.cannot_write is None:
            self._core.book.add_sweep(rows)
        self._core.changed("info")

    def save(self, force: bool = False) -> None:
        """Commit what waits, when it is time."""
        book, waited = self._core.book, self._core.clock.elapsed() - self._saved
        if book.unsaved_sweeps >= SAVED_AT or (book.unsaved_sweeps and (force or waited >= SAVED_S)):
            book.save_sweeps(KEPT)
            self._saved = self._core.clock.elapsed()
