"""Modbus meters with a relay inside: Acrel's forced control, Hiking's switch, and a box of many circuits.

    Acrel   10H 0057H, 2 registers: 0001 0001 trip, 0001 0000 close, 0000 0000 back to the meter's own decision
    Hiking  10H 001AH: 0 off, 1 on
    box     one address; circuit n has the registers of a DDSY1352 from (n - 1) × STRIDE on

No register list of the ADF300L was found in public; that its circuits repeat the DDSY1352 at a fixed distance is
assumed, and `STRIDE` is the one place where the distance stands.
"""

from __future__ import annotations

import struct
from datetime import datetime
from typing import Any

from .instants import us_of
from .modbus import ILLEGAL_ADDRESS, ILLEGAL_VALUE, AcrelDdsy1352, Exceptional, ModbusMeter
from .relay import Relay

STRIDE, CIRCUITS = 0x0100, 36
FORCED, FORCED_TRIP = 0x0057, 0x0058
SETTINGS = (*range(0x46, 0x4C), *range(0x59, 0x62))
"""Alarm amounts and overdraft, prices, largest power: kept as written."""


class SwitchedMeter(ModbusMeter):
    """A meter whose relay cuts the load, and follows after its delay."""

    functions = frozenset({0x03, 0x10})

    def __init__(self, *given: Any, relay_delay_s: float = 0.15, **more: Any):
        super().__init__(*given, **more)
        self.relay = Relay(delay_s=relay_delay_s)
        self._mono: float | None = None
        self.kept: dict[int, int] = {}
        """Registers that were written."""

    def advance(self, now: datetime, mono: float | None = None) -> None:
        now_us = us_of(now)
        self._mono = mono
        arrived_us = self.relay.arrival_us(now_us, mono)
        if arrived_us is not None:
            self.metrology.advance(arrived_us)
            self.relay.arrive()
            self._settle()
        self.metrology.advance(now_us)

    def switch(self, opens: bool) -> None:
        """The relay is told."""
        move = self.relay.trip if opens else self.relay.close
        move(self.metrology.at_us, self._mono)
        self._settle()

    def suffer(self, kind: str, present: bool) -> None:
        super().suffer(kind, present)
        if kind == "stuck":
            self.relay.stuck = present

    def _settle(self) -> None:
        if self.metrology.closed == self.relay.open:
            self.metrology.closed = not self.relay.open
        self.settings_seq += 1

    def state(self) -> dict[str, Any]:
        return super().state() | {
            "relay": self.relay.state(),
            "kept": {str(at): word for at, word in self.kept.items()},
        }

    def restore(self, kept: dict[str, Any]) -> None:
        super().restore(kept)
        if "relay" in kept:  # Older memories are of meters that only measured.
            self.relay.restore(kept["relay"])
            self.kept = {int(at): word for at, word in kept["kept"].items()}


class AcrelSwitched(SwitchedMeter, AcrelDdsy1352):
    """DDSY1352 / DTSY1352 with its relay. Its purse is off, so its own decision is a closed relay."""

    def words(self) -> dict[int, int]:
        found = super().words()
        found.update(dict.fromkeys(range(0x46, 0x62), 0))
        return found | self.kept

    def write(self, start: int, words: tuple[int, ...]) -> None:
        wanted = dict(enumerate(words, start))
        if any(at not in (FORCED, FORCED_TRIP, *SETTINGS) for at in wanted):
            raise Exceptional(ILLEGAL_ADDRESS)
        if any(wanted.get(at, 0) > 1 for at in (FORCED, FORCED_TRIP)):
            raise Exceptional(ILLEGAL_VALUE)
        self.kept |= wanted
        self.settings_seq += 1
        if FORCED in wanted or FORCED_TRIP in wanted:
            self.switch(bool(self.kept.get(FORCED) and self.kept.get(FORCED_TRIP)))


class AcrelCircuit(AcrelSwitched):
    """One circuit of an ADF300L. `lead` is the one that answers what belongs to no circuit that is there."""

    def __init__(self, *given: Any, circuit: int = 1, **more: Any):
        super().__init__(*given, **more)
        if not 1 <= circuit <= CIRCUITS:
            raise ValueError(f"a box has circuits 1 to {CIRCUITS}, not {circuit}")
        self.circuit, self.siblings = circuit, {circuit}

    def mine(self, frame: bytes) -> bool:
        asked = struct.unpack(">H", frame[2:4])[0] // STRIDE + 1 if len(frame) >= 6 else 0
        return asked == self.circuit or (asked not in self.siblings and self.circuit == min(self.siblings))

    def read(self, start: int, count: int) -> bytes:
        return super().read(self._within(start), count)

    def write(self, start: int, words: tuple[int, ...]) -> None:
        super().write(self._within(start), words)

    def _within(self, start: int) -> int:
        inside = start - (self.circuit - 1) * STRIDE
        if not 0 <= inside < STRIDE:
            raise Exceptional(ILLEGAL_ADDRESS)
        return inside


class HikingDds238(SwitchedMeter):
    """DDS238-2 ZN/SR. Writing zero into 0000H erases the energy of a real one; this one refuses it."""

    def read(self, start: int, count: int) -> bytes:
        mains, metrology = self.mains, self.metrology
        at_us, watts = metrology.at_us, metrology.watts()
        high, low = divmod(metrology.registers()[0], 65536)
        words = dict.fromkeys(range(0x15), 0) | {0x00: high, 0x01: low, 0x0A: high, 0x0B: low}
        words[0x0C], words[0x0D] = mains.volts_d(at_us, 0), min(mains.milliamps(at_us, watts, 0) // 10, 0xFFFF)
        words[0x0E], words[0x10], words[0x11] = min(watts, 0x7FFF), mains.factor_m(at_us, watts), mains.hertz_c(at_us)
        words[0x15] = self.slave << 8 | 1
        words[0x1A] = int(not self.relay.open)
        return self.packed(words, start, count)

    def write(self, start: int, words: tuple[int, ...]) -> None:
        if start != 0x1A or len(words) != 1:
            raise Exceptional(ILLEGAL_ADDRESS)
        if words[0] > 1:
            raise Exceptional(ILLEGAL_VALUE)
        self.switch(not words[0])


class BenchMeter(SwitchedMeter):
    """No maker's: every function from 01H to 06H, 0FH and 10H, to try a master against.

    coil 0 relay closed; input 0 contact closed; holding and input registers 0-1 energy U32 0.01 kWh, 2 volts 0.1 V,
    3 watts; holding 10H to 1FH keep what is written.
    """

    functions = frozenset({1, 2, 3, 4, 5, 6, 15, 16})

    def read(self, start: int, count: int) -> bytes:
        metrology = self.metrology
        high, low = divmod(metrology.registers()[0], 65536)
        words = {0: high, 1: low, 2: self.mains.volts_d(metrology.at_us, 0), 3: min(metrology.watts(), 0xFFFF)}
        return self.packed(words | dict.fromkeys(range(0x10, 0x20), 0) | self.kept, start, count)

    def write(self, start: int, words: tuple[int, ...]) -> None:
        if start < 0x10 or start + len(words) > 0x20:
            raise Exceptional(ILLEGAL_ADDRESS)
        self.kept |= dict(enumerate(words, start))
        self.settings_seq += 1

    def read_bits(self, function: int, start: int, count: int) -> list[bool]:
        if start + count > 1:
            raise Exceptional(ILLEGAL_ADDRESS)
        return [not (self.relay.commanded_open if function == 1 else self.relay.open)]

    def write_bits(self, start: int, bits: list[bool]) -> None:
        if start + len(bits) > 1:
            raise Exceptional(ILLEGAL_ADDRESS)
        self.switch(not bits[0])
