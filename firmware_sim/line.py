"""One RS-485 line: what its meters make of a request, how long the answer takes to think of, and what noise does to it.

Two meters that answer at once are heard as neither: the line carries the AND of what both drive.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from random import Random
from typing import Any, Protocol

from .accidents import disturb, flip
from .faults import NO_FAULTS, Faults
from .metrology import Metrology


class Meter(Protocol):
    """What a line asks of a meter."""

    meter_id: str
    address: str
    protocol: str
    settings_seq: int
    metrology: Metrology

    def answer(self, frame: bytes, now: datetime, mono: float | None = None) -> bytes | None: ...
    def advance(self, now: datetime, mono: float | None = None) -> None: ...
    def set_stuck(self, stuck: bool) -> None: ...
    def set_cover(self, which: str, opened: bool) -> None: ...
    def state(self) -> dict[str, Any]: ...
    def restore(self, kept: dict[str, Any]) -> None: ...


class Line:
    """The meters of one line. The same seed and the same requests give the same replies, noise and think times."""

    think_s = (0.020, 0.100)
    # DL/T 645-2007 §5.3 allows 20 to 500 ms; meters in the field answer within 100.

    def __init__(self, meters: Sequence[Meter], seed: int, faults: Faults = NO_FAULTS, line_id: str = "line"):
        self.meters, self.line_id = list(meters), line_id
        self._dice = Random(f"{line_id}:{seed}")
        self.set_faults(faults)

    def set_faults(self, faults: Faults) -> None:
        """Put these faults in the place of those before."""
        self.faults = faults
        for meter in self.meters:
            meter.set_stuck(meter.meter_id in faults.stuck)
            meter.set_cover("cover", meter.meter_id in faults.cover)
            meter.set_cover("terminal", meter.meter_id in faults.terminal)

    @property
    def settings_seq(self) -> int:
        """Grows whenever a meter of this line changed something that a restart must not lose."""
        return sum(meter.settings_seq for meter in self.meters)

    def answer(self, frame: bytes, now: datetime, mono: float | None = None) -> tuple[bytes, float]:
        """What comes back over the line for one request frame, b"" for nothing, and the seconds until it begins."""
        replies, noise, flips, late_s = [], 0.0, "", 0.0
        for meter in self.meters:
            if meter.meter_id in self.faults.silent:
                continue
            reply = meter.answer(frame, now, mono)
            if reply:
                replies.append(reply)
                noise = max(noise, self.faults.noise_of(self.line_id, meter.meter_id))
                flips = self.faults.flips_of(self.line_id, meter.meter_id)
                late_s = max(late_s, self.faults.late.get(meter.meter_id, 0.0))
        think_s = self.think_s[0] + self._dice.random() * (self.think_s[1] - self.think_s[0])
        if not replies:
            return b"", think_s
        heard = replies[0] if len(replies) == 1 else collide(replies)
        if noise and self._dice.random() < noise:
            heard = disturb(heard, self._dice)
        if flips:
            heard = flip(heard, flips, self._dice)
        return heard, late_s or think_s


def collide(replies: Sequence[bytes]) -> bytes:
    """What a line carries while several meters drive it: a dominant 0 wins, so the AND, byte by byte."""
    heard = bytearray(max(replies, key=len))
    for reply in replies:
        for spot, byte in enumerate(reply):
            heard[spot] &= byte
    # No two meters start in the same bit: what follows the first byte slips by a bit for the slower one.
    return bytes(byte & (heard[spot - 1] << 1 | 1) if spot else byte for spot, byte in enumerate(heard))
