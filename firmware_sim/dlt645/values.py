"""Momentary values of a DL/T 645-2007 meter, BCD with the low byte first; a phase that is not there is FF bytes.

phase: 0 to 2 one phase, "total", "all" total and phases; None the three phases.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import isqrt
from typing import TYPE_CHECKING

from ..dlt645_frame import bcd
from ..electrics import Mains
from ..metrology import STEP_WUS

if TYPE_CHECKING:
    from .device import Device

Phase = int | str | None
SEVERAL: dict[str | None, tuple[int | None, ...]] = {"total": (None,), "all": (None, 0, 1, 2), None: (0, 1, 2)}


@dataclass(frozen=True)
class Moment:
    """What flows at one instant, now or in the past."""

    mains: Mains
    at_us: int
    watts: int
    steps: int

    @classmethod
    def at(cls, meter: Device, at_us: int) -> Moment:
        """A past instant. Raises LookupError where memory does not reach."""
        history = meter.metrology.history
        watts = meter.metrology.load.watts_at(at_us) if history.flowing_at(at_us) else 0
        return cls(meter.mains, at_us, watts, history.total_wus_at(at_us) // STEP_WUS % 100_000_000)

    @classmethod
    def now(cls, meter: Device) -> Moment:
        metrology = meter.metrology
        return cls(meter.mains, metrology.at_us, metrology.watts(), 0)


def _each(now: Moment, phase: Phase, size: int, of: Callable[[int | None], int]) -> bytes:
    wanted: list[int | None] = [phase] if isinstance(phase, int) else list(SEVERAL[phase])
    return b"".join(
        b"\xff" * size if one is not None and one >= now.mains.phases else bcd(of(one), size) for one in wanted
    )


def volts(now: Moment, phase: Phase) -> bytes:
    """XXX.X V."""
    return _each(now, phase, 2, lambda one: now.mains.volts_d(now.at_us, one or 0))


def amps(now: Moment, phase: Phase) -> bytes:
    """XXX.XXX A."""
    return _each(now, phase, 3, lambda one: now.mains.milliamps(now.at_us, now.watts, one or 0))


def _watts(now: Moment, one: int | None) -> int:
    return now.watts if one is None else now.mains.phase_watts(now.watts, one)


def power(now: Moment, phase: Phase) -> bytes:
    """XX.XXXX kW. The top bit is the sign, so 79.9999 is the largest."""
    return _each(now, phase, 3, lambda one: min(_watts(now, one), 79_999) * 10)


def _apparent(now: Moment, one: int | None) -> int:
    return _watts(now, one) * 1000 // now.mains.factor_m(now.at_us, now.watts)


def apparent_power(now: Moment, phase: Phase) -> bytes:
    """XX.XXXX kVA."""
    return _each(now, phase, 3, lambda one: min(_apparent(now, one), 79_999) * 10)


def reactive_power(now: Moment, phase: Phase) -> bytes:
    """XX.XXXX kvar."""

    def of(one: int | None) -> int:
        return min(isqrt(max(0, _apparent(now, one) ** 2 - _watts(now, one) ** 2)), 79_999) * 10

    return _each(now, phase, 3, of)


def factor(now: Moment, phase: Phase) -> bytes:
    """X.XXX."""
    return _each(now, "all" if phase is None else phase, 2, lambda one: now.mains.factor_m(now.at_us, now.watts))


def hertz(now: Moment) -> bytes:
    """XX.XX Hz."""
    return bcd(now.mains.hertz_c(now.at_us), 2)


def kvarh(steps: int) -> int:
    """Reactive steps that go with active ones at the mean power factor of 0.95. These meters count no more of it."""
    return steps * 329 // 1000


PROFILE: dict[tuple[int, int], Callable[[Moment], bytes]] = {
    (6, 1): lambda now: bcd(now.steps, 4),
    (6, 2): lambda now: bcd(0, 4),
}
"""Quantities of the load records 0610, by their last two bytes."""


def _profiled(row: Callable[[Moment, Phase], bytes], phase: Phase) -> Callable[[Moment], bytes]:
    return lambda now: row(now, phase)


for _number, _row in ((1, volts), (2, amps), (3, power), (4, reactive_power), (5, factor)):
    PROFILE |= {(_number, _phase + 1): _profiled(_row, _phase) for _phase in range(3)}
    PROFILE[(_number, 0xFF)] = _profiled(_row, None if _number < 3 else "all")
    if _number >= 3:
        PROFILE[(_number, 0)] = _profiled(_row, "total")
