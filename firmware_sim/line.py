"""One RS-485 line: what its meters make of a request, how long the answer takes to think of, and what noise does to it.

Two meters that answer at once are heard as neither: the line carries the AND of what both drive.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from random import Random
from typing import Any, Protocol

from .accidents import disturb, flip
from .faults import NO_FAULTS, SUFFERED, Faults
from .metrology import Metrology

BITS_PER_BYTE = 11
"""Start, 8 data, parity or second stop, stop. (8N1 has 10; the difference is not worth two cases.)"""


class Meter(Protocol):
    """What a line asks of a meter."""

    meter_id: str
    address: str
    protocol: str
    settings_seq: int
    speed: int
    metrology: Metrology

    def answer(self, frame: bytes, now: datetime, mono: float | None = None) -> bytes | None: ...
    def advance(self, now: datetime, mono: float | None = None) -> None: ...
    def suffer(self, kind: str, present: bool) -> None: ...
    def state(self) -> dict[str, Any]: ...
    def restore(self, kept: dict[str, Any]) -> None: ...


class Line:
    """The meters of one line. The same seed and the same requests give the same replies, noise and think times."""

    think_s = (0.020, 0.100)
    # DL/T 645-2007 §5.3 allows 20 to 500 ms; meters in the field answer within 100.

    def __init__(
        self,
        meters: Sequence[Meter],
        seed: int,
        faults: Faults = NO_FAULTS,
        line_id: str = "line",
        *,
        baud: int = 9600,
        think_s: tuple[float, float] | None = None,
    ):
        self.meters, self.line_id, self.baud = list(meters), line_id, baud
        self.think_s = think_s or self.think_s
        self._dice = Random(f"{line_id}:{seed}")
        self.set_faults(faults)

    def set_faults(self, faults: Faults) -> None:
        """Put these faults in the place of those before."""
        self.faults = faults
        for meter in self.meters:
            for kind in SUFFERED:
                meter.suffer(kind, meter.meter_id in getattr(faults, kind))

    @property
    def settings_seq(self) -> int:
        """Grows whenever a meter of this line changed something that a restart must not lose."""
        return sum(meter.settings_seq for meter in self.meters)

    @property
    def speeds(self) -> set[int]:
        """Bit/s at which some meter of this line listens."""
        return {meter.speed or self.baud for meter in self.meters}

    def answer(self, frame: bytes, now: datetime, mono: float | None = None, speed: int = 0) -> tuple[bytes, float]:
        """What comes back over the line for one request frame, b"" for nothing, and the seconds until it begins.

        speed: bit/s at which it is asked; a meter that listens at another hears nothing. 0 is each meter's own.
        """
        replies, noise, flips, late_s = [], 0.0, "", 0.0
        babble_s = 0.0
        for meter in self._addressed(frame):
            if meter.meter_id in self.faults.silent or meter.meter_id in self.faults.power:
                continue
            if speed and speed != (meter.speed or self.baud):
                continue
            reply = meter.answer(frame, now, mono)
            if reply:
                replies.append(reply)
                noise = max(noise, self.faults.noise_of(self.line_id, meter.meter_id))
                flips = self.faults.flips_of(self.line_id, meter.meter_id)
                late_s = max(late_s, self.faults.late.get(meter.meter_id, 0.0))
                babble_s = max(babble_s, self.faults.babble.get(meter.meter_id, 0.0))
        think_s = self.think_s[0] + self._dice.random() * (self.think_s[1] - self.think_s[0])
        if not replies:
            return b"", think_s
        heard = replies[0] if len(replies) == 1 else collide(replies)
        if babble_s:
            return self._dice.randbytes(max(1, int(babble_s * (speed or self.baud) / BITS_PER_BYTE))), late_s or think_s
        if noise and self._dice.random() < noise:
            heard = disturb(heard, self._dice)
        if flips:
            heard = flip(heard, flips, self._dice)
        return heard, late_s or think_s


    def _addressed(self, frame: bytes) -> Sequence[Meter]:
        """Those who have to look at a frame: a meter of DL/T 645 passes over what names another one."""
        asked = frame.lstrip(b"\xfe")[1:7]
        if asked[5:] in (b"\xaa", b"\x99", b""):
            return self.meters
        return [each for each in self.meters if each.protocol != "dlt645-2007" or getattr(each, "wire", asked) == asked]


def collide(replies: Sequence[bytes]) -> bytes:
    """What a line carries while several meters drive it: a dominant 0 wins, so the AND, byte by byte."""
    heard = bytearray(max(replies, key=len))
    for reply in replies:
        for spot, byte in enumerate(reply):
            heard[spot] &= byte
    # No two meters start in the same bit: what follows the first byte slips by a bit for the slower one.
    return bytes(byte & (heard[spot - 1] << 1 | 1) if spot else byte for spot, byte in enumerate(heard))
