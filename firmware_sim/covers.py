"""What a DL/T 645-2007 meter notes when its cover or terminal cover is opened (annex A, 03300D and 03300E).

Whatever begins and ends is noted so: a magnet, a relay that does not follow, a supply that is gone.

03300D00   count of openings, XXXXXX
03300Dnn   the nn-th last: begin YYMMDDhhmmss, end YYMMDDhhmmss, 12 energies; the end is zero while it is open
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from .dlt645_frame import bcd, date_time_bytes

KEPT = 10
"""Records that a meter keeps; older ones are overwritten."""

OPEN = b"\x00" * 6
ENERGIES = 6
"""Forward, reverse and four quadrants, at the begin and at the end."""


@dataclass
class Opening:
    """One opening: wall times as on the meter's display, registers in 0.01 kWh; no end while the cover is open."""

    begin: str
    begin_steps: int
    end: str | None = None
    end_steps: int = 0


@dataclass
class Cover:
    """One cover of a meter, with the newest openings first."""

    count: int = 0
    openings: list[Opening] = field(default_factory=list)

    @property
    def is_open(self) -> bool:
        return bool(self.openings) and self.openings[0].end is None

    def set(self, opened: bool, wall: datetime, steps: int) -> bool:
        """The cover is open or shut at the wall time `wall`. Tells whether that was new."""
        if opened == self.is_open:
            return False
        at = wall.replace(tzinfo=None).isoformat(timespec="seconds")
        if opened:
            self.count = (self.count + 1) % 1_000_000
            self.openings = [Opening(at, steps), *self.openings][:KEPT]
        else:
            self.openings[0].end, self.openings[0].end_steps = at, steps
        return True

    def clear(self) -> None:
        """Forget all openings; one that lasts is noted again when it ends and another begins."""
        self.count, self.openings = 0, []

    def record(self, back: int) -> bytes:
        """The `back`-th last record, 60 bytes. Raises LookupError where there is none."""
        if not 1 <= back <= len(self.openings):
            raise LookupError(f"no opening in slot {back}")
        kept = self.openings[back - 1]
        begin, end = _time(kept.begin), OPEN if kept.end is None else _time(kept.end)
        return begin + end + _energies(kept.begin_steps) + _energies(kept.end_steps)

    def state(self) -> dict[str, Any]:
        """JSON values."""
        return {"count": self.count, "openings": [vars(each) for each in self.openings]}

    def restore(self, kept: dict[str, Any]) -> None:
        self.count, self.openings = kept["count"], [Opening(**each) for each in kept["openings"]]


def _time(text: str) -> bytes:
    return date_time_bytes(datetime.fromisoformat(text), "%y%m%d%H%M%S")


def _energies(forward_steps: int) -> bytes:
    return bcd(forward_steps, 4) + bcd(0, 4) * (ENERGIES - 1)
