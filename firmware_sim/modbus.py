"""Modbus RTU meters, written by hand: one whole request frame in, one reply or None out.

    read     slave 01 to 04 start(2) count(2) CRC(2, low byte first)       reply  bytes(1) registers… CRC
    write    slave 05|06 at(2) value(2) CRC                                reply  the same
             slave 0F|10 start(2) count(2) bytes(1) values… CRC            reply  start count CRC
    refused  slave function+80H exception CRC          slave 0 writes to all, and nobody answers

Two makers: an Acrel DDSY1352 (function 03, integers, manual §8.1) and an Eastron SDM630 (function 04, float32
high word first, manual "Input Registers").
"""

from __future__ import annotations

import struct
import zlib
from datetime import datetime
from math import isqrt
from typing import Any
from zoneinfo import ZoneInfo

from .electrics import Mains
from .instants import us_of
from .loads import Load
from .metrology import ALL_FLAT, DayTable, Metrology

ILLEGAL_FUNCTION, ILLEGAL_ADDRESS, ILLEGAL_VALUE = 1, 2, 3


WRITES = (0x05, 0x06, 0x0F, 0x10)
MOST_BITS = 2000
MOST_WRITTEN = {0x0F: 1968, 0x10: 123}


def _within(count: int, most: int) -> None:
    if not 1 <= count <= most:
        raise Exceptional(ILLEGAL_VALUE)


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
    functions = frozenset({0x03})
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
        if len(frame) < 4 or frame[0] not in (self.slave, 0) or crc(frame[:-2]) != frame[-2:] or not self.mine(frame):
            return None
        if frame[0] == 0 and frame[1] not in WRITES:
            return None
        self.advance(now, mono)
        try:
            if frame[1] not in self.functions:
                raise Exceptional(ILLEGAL_FUNCTION)
            body = bytes((self.slave, frame[1])) + self._act(frame[1], frame[2:-2])
        except Exceptional as exceptional:
            body = bytes((self.slave, frame[1] | 0x80, exceptional.code))
        return body + crc(body) if frame[0] else None

    def mine(self, frame: bytes) -> bool:
        """Whether a frame to this slave is for this part of it; a box has several."""
        return True

    def _act(self, function: int, rest: bytes) -> bytes:
        """What follows the function in the reply."""
        if len(rest) < 4 or (function <= 0x06 and len(rest) != 4):
            raise Exceptional(ILLEGAL_VALUE)
        start, count = struct.unpack(">HH", rest[:4])
        if function in (0x03, 0x04):
            _within(count, self.most_registers)
            return bytes((2 * count,)) + self.read(start, count)
        if function in (0x01, 0x02):
            _within(count, MOST_BITS)
            bits = self.read_bits(function, start, count)
            packed = sum(bit << spot for spot, bit in enumerate(bits)).to_bytes((count + 7) // 8, "little")
            return bytes((len(packed),)) + packed
        if function == 0x05:
            if count not in (0x0000, 0xFF00):
                raise Exceptional(ILLEGAL_VALUE)
            self.write_bits(start, [count == 0xFF00])
            return rest
        if function == 0x06:
            self.write(start, (count,))
            return rest
        _within(count, MOST_WRITTEN[function])
        size = 2 * count if function == 0x10 else (count + 7) // 8
        if len(rest) != 5 + size or rest[4] != size:
            raise Exceptional(ILLEGAL_VALUE)
        if function == 0x10:
            self.write(start, struct.unpack(f">{count}H", rest[5:]))
        else:
            coils = int.from_bytes(rest[5:], "little")
            self.write_bits(start, [bool(coils >> spot & 1) for spot in range(count)])
        return rest[:4]

    def read(self, start: int, count: int) -> bytes:
        """`count` registers from `start`, two bytes each; raises Exceptional where one of them does not exist."""
        raise NotImplementedError

    def packed(self, words: dict[int, int], start: int, count: int) -> bytes:
        """Registers out of a table; raises Exceptional where one of them does not exist."""
        try:
            return struct.pack(f">{count}H", *[words[register] for register in range(start, start + count)])
        except KeyError:
            raise Exceptional(ILLEGAL_ADDRESS) from None

    def write(self, start: int, words: tuple[int, ...]) -> None:
        """Take registers over. Raises Exceptional, and then nothing was changed."""
        raise Exceptional(ILLEGAL_ADDRESS)

    def read_bits(self, function: int, start: int, count: int) -> list[bool]:
        """Coils (01H) or inputs (02H)."""
        raise Exceptional(ILLEGAL_ADDRESS)

    def write_bits(self, start: int, bits: list[bool]) -> None:
        """Set coils. Raises Exceptional, and then nothing was changed."""
        raise Exceptional(ILLEGAL_ADDRESS)

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
        return self.packed(self.words(), start, count)

    def words(self) -> dict[int, int]:
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
