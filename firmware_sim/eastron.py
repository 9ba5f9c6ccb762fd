"""Eastron's SDM meters: input registers, a float32 (high word first) every two. Manual SDM630, "Input Registers"."""

from __future__ import annotations

import struct
from collections.abc import Callable

from .loads import WUS_PER_WH
from .modbus import ILLEGAL_ADDRESS, ILLEGAL_VALUE, Exceptional, ModbusMeter


class EastronSdm630(ModbusMeter):
    """Eastron SDM630: input registers, a float32 every two; parameters it does not use read 0.0 up to 017FH."""

    functions = frozenset({0x04})
    most_registers = 80
    last_parameter = 0x017E

    def read(self, start: int, count: int) -> bytes:
        if start % 2 or start + count - 2 > self.last_parameter:
            raise Exceptional(ILLEGAL_ADDRESS)
        if count % 2:
            raise Exceptional(ILLEGAL_VALUE)
        nothing: Callable[[], float] = float
        values = [self._parameters().get(register, nothing)() for register in range(start, start + count, 2)]
        return struct.pack(f">{len(values)}f", *values)

    def _parameters(self) -> dict[int, Callable[[], float]]:
        mains, meters = self.mains, self.metrology
        at_us, watts = meters.at_us, meters.watts()
        rows: dict[int, Callable[[], float]] = {
            0x0034: lambda: float(watts),
            0x003E: lambda: mains.factor_m(at_us, watts) / 1000,
            0x0046: lambda: mains.hertz_c(at_us) / 100,
            0x0048: lambda: meters.total_wus // WUS_PER_WH / 1000,  # import kWh
            0x0156: lambda: meters.total_wus // WUS_PER_WH / 1000,  # total kWh
        }
        for phase in range(mains.phases):
            rows[2 * phase] = lambda phase=phase: mains.volts_d(at_us, phase) / 10  # type: ignore[misc]
            rows[6 + 2 * phase] = lambda phase=phase: mains.milliamps(at_us, watts, phase) / 1000  # type: ignore[misc]
            rows[0x0C + 2 * phase] = lambda phase=phase: float(mains.phase_watts(watts, phase))  # type: ignore[misc]
            rows[0x1E + 2 * phase] = lambda: mains.factor_m(at_us, watts) / 1000
        return rows
