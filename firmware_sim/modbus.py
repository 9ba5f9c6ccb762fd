"""Modbus RTU meters, written by hand: one whole request frame in, one reply or None out. They only measure.

    request  slave 03|04 start(2) count(2) CRC(2, low byte first)
    reply    slave 03|04 bytes(1) registers… CRC       refused: slave function+80H exception CRC

Two makers: an Acrel DDSY1352 (function 03, integers, manual §8.1) and an Eastron SDM630 (function 04, float32
high word first, manual "Input Registers").
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from datetime import datetime
from math import isqrt
from typing import Any
from zoneinfo import ZoneInfo

from .electrics import Mains
from .instants import us_of
from .loads import WUS_PER_WH, Load
from .metrology import ALL_FLAT, DayTable, Metrology

ILLEGAL_FUNCTION, ILLEGAL_ADDRESS, ILLEGAL_VALUE = 1, 2, 3


def _crc_table() -> tuple[int, ...]:
    rows = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ 0xA001 if value & 1 else value >> 1
        rows.append(value)
    return tuple(rows)


CRC_TABLE = _crc_table()


def crc(raw: bytes) -> bytes:
    """CRC-16 of Modbus (A001H, start FFFFH) as it travels: low byte first."""
    value = 0xFFFF
    for byte in raw:
        value = value >> 8 ^ CRC_TABLE[(value ^ byte) & 0xFF]
    return value.to_bytes(2, "little")


class Exceptional(Exception):
    """The slave answers with a Modbus exception code. Asking the same again gives the same."""

    def __init__(self, code: int):
        super().__init__(f"Modbus exception {code:02d}")
        self.code = code


class ModbusMeter:
    """What both makers share: slave number, line discipline, and the registers behind.

    slave: 1 to 247; serial: 12 digits or ""; registers: total and rates at `start`, in steps of 0.01 kWh.
    """

    protocol = "modbus-rtu"
    function = 0x03
    most_registers = 125
    speed = 0

    def __init__(
        self,
        slave: int,
        serial: str,
        load: Load,
        start: datetime,
        *,
        meter_id: str = "",
        phases: int = 1,
        zone: ZoneInfo | None = None,
        registers: tuple[int, int, int, int, int] = (0, 0, 0, 0, 0),
        day_table: DayTable = ALL_FLAT,
        offset_s: int = 0,
        drift_ppm: int = 0,
    ):
        if not 1 <= slave <= 247:
            raise ValueError(f"a Modbus slave is numbered 1 to 247, not {slave}")
        self.slave, self.address, self.serial = slave, str(slave), serial
        self.meter_id = meter_id or f"slave-{slave}"
        self.mains = Mains(zlib.crc32(f"{self.meter_id}:{slave}".encode()), phases)
        self.metrology = Metrology(load, us_of(start), zone or load.zone, registers, day_table, offset_s, drift_ppm)
        self.settings_seq = 0

    def answer(self, frame: bytes, now: datetime, mono: float | None = None) -> bytes | None:
        """The reply to one whole request frame at `now`; None for another slave, a broadcast or a wrong CRC."""
        if len(frame) < 4 or frame[0] != self.slave or crc(frame[:-2]) != frame[-2:]:
            return None
        self.advance(now, mono)
        try:
            if frame[1] != self.function:
                raise Exceptional(ILLEGAL_FUNCTION)
            if len(frame) != 8:
                raise Exceptional(ILLEGAL_VALUE)
            start, count = struct.unpack(">HH", frame[2:6])
            if not 1 <= count <= self.most_registers:
                raise Exceptional(ILLEGAL_VALUE)
            words = self.read(start, count)
            body = bytes((self.slave, frame[1], 2 * count)) + words
        except Exceptional as exceptional:
            body = bytes((self.slave, frame[1] | 0x80, exceptional.code))
        return body + crc(body)

    def read(self, start: int, count: int) -> bytes:
        """`count` registers from `start`, two bytes each; raises Exceptional where one of them does not exist."""
        raise NotImplementedError

    def advance(self, now: datetime, mono: float | None = None) -> None:
        """Bring the meter forward to `now`."""
        self.metrology.advance(us_of(now))

    def suffer(self, kind: str, present: bool) -> None:
        """A fault of the shaft; these meters keep no record of their covers."""
        if kind == "power":
            self.metrology.powered = not present

    def state(self) -> dict[str, Any]:
        """Everything a restart must not lose, as JSON values."""
        return {"address": self.address, "metrology": self.metrology.state()}

    def restore(self, kept: dict[str, Any]) -> None:
        """Take back what `state` gave; raises KeyError where something is missing."""
        self.metrology.restore(kept["metrology"])


class AcrelDdsy1352(ModbusMeter):
    """Acrel DDSY1352, read-only: U32 energies high word first, scaled 16-bit values (manual T1.0, §8.1)."""

    def read(self, start: int, count: int) -> bytes:
        words = self._words()
        try:
            return struct.pack(f">{count}H", *[words[register] for register in range(start, start + count)])
        except KeyError:
            raise Exceptional(ILLEGAL_ADDRESS) from None

    def _words(self) -> dict[int, int]:
        at_us, watts, mains = self.metrology.at_us, self.metrology.watts(), self.mains
        words: dict[int, int] = {}
        for index, steps in enumerate(self.metrology.registers()):  # 0000 total, 0002 sharp, 0004 peak, 0006, 0008
            words[2 * index], words[2 * index + 1] = divmod(steps, 65536)
        factor_m = mains.factor_m(at_us, watts)
        apparent_va = watts * 1000 // factor_m
        reactive_var = isqrt(max(0, apparent_va**2 - watts**2))
        words[0x000A] = self.slave << 8 | 0x03  # address, speed code 9600
        words[0x000B] = mains.volts_d(at_us, 0)
        words[0x000C] = min(mains.milliamps(at_us, watts, 0) // 10, 0xFFFF)
        words[0x000D] = min(watts, 0x7FFF)  # I16 of 0.001 kW ends at 32.767 kW
        words[0x000E] = min(reactive_var, 0x7FFF)
        words[0x000F] = min(apparent_va, 0xFFFF)
        words[0x0010] = factor_m
        words[0x0011] = mains.hertz_c(at_us)
        words[0x0022] = 0x0001  # several tariffs; the wallet in the meter is off
        words[0x0037] = words[0x0038] = 1
        words[0x0043], words[0x0044], words[0x0045] = struct.unpack(">3H", bytes.fromhex(self.serial))
        return words


class EastronSdm630(ModbusMeter):
    """Eastron SDM630: input registers, a float32 every two; parameters it does not use read 0.0 up to 017FH."""

    function = 0x04
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
