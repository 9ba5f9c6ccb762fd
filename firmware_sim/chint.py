"""Chint's Modbus meters: holding registers, a float32 (high word first) at every other one, each with its own scale.

Manuals DDSU666 and DTSU666, chapter Modbus. A parameter that is not there is an illegal address.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

from .loads import WUS_PER_WH
from .modbus import ILLEGAL_ADDRESS, ILLEGAL_VALUE, Exceptional, ModbusMeter


class _Floats(ModbusMeter):
    """Registers are pairs; a read may span several, all of which must exist."""

    def read(self, start: int, count: int) -> bytes:
        if count % 2:
            raise Exceptional(ILLEGAL_VALUE)
        rows = self._parameters()
        try:
            values = [rows[register]() for register in range(start, start + count, 2)]
        except KeyError:
            raise Exceptional(ILLEGAL_ADDRESS) from None
        return struct.pack(f">{len(values)}f", *values)

    def _kwh(self) -> float:
        return self.metrology.total_wus // WUS_PER_WH / 1000

    def _parameters(self) -> dict[int, Callable[[], float]]:
        raise NotImplementedError


class ChintDdsu666(_Floats):
    """Single-phase: V, A, kW as they are, kWh at 4000H."""

    def _parameters(self) -> dict[int, Callable[[], float]]:
        mains, at_us, watts = self.mains, self.metrology.at_us, self.metrology.watts()
        return {
            0x2000: lambda: mains.volts_d(at_us, 0) / 10,
            0x2002: lambda: mains.milliamps(at_us, watts, 0) / 1000,
            0x2004: lambda: watts / 1000,
            0x200A: lambda: mains.factor_m(at_us, watts) / 1000,
            0x200E: lambda: mains.hertz_c(at_us) / 100,
            0x4000: self._kwh,
        }


class ChintDtsu666(_Floats):
    """Three-phase: 0.1 V, 0.001 A, 0.1 W, 0.001, 0.01 Hz, and kWh at 101EH."""

    def _parameters(self) -> dict[int, Callable[[], float]]:
        mains, at_us, watts = self.mains, self.metrology.at_us, self.metrology.watts()
        rows: dict[int, Callable[[], float]] = {
            0x2012: lambda: float(watts * 10),
            0x202A: lambda: float(mains.factor_m(at_us, watts)),
            0x2044: lambda: float(mains.hertz_c(at_us)),
            0x101E: self._kwh,
        }
        for phase in range(3):
            rows[0x2006 + 2 * phase] = lambda phase=phase: float(mains.volts_d(at_us, phase))  # type: ignore[misc]
            rows[0x200C + 2 * phase] = lambda phase=phase: float(mains.milliamps(at_us, watts, phase))  # type: ignore[misc]
        return rows
