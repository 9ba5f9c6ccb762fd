"""What a DL/T 645-2007 meter answers to a read, identifier by identifier: one row each, in the words of annex A.

    DATA of the reply = DI0 DI1 DI2 DI3, then the value: BCD, low byte first

An identifier without a row is one this meter does not have; it says so (error byte 02). A phase that a
single-phase meter lacks is FF bytes, never a zero.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ..dlt645_frame import bcd, date_time_bytes, text_field
from . import freezes, profile, values, zones
from .values import Moment

if TYPE_CHECKING:
    from .device import Device

Answer = Callable[["Device"], bytes]
SPEED_BYTES = {600: 0x02, 1200: 0x04, 2400: 0x08, 4800: 0x10, 9600: 0x20, 19200: 0x40}
SETTLED = 12


def own_time(order: str) -> Answer:
    return lambda meter: date_time_bytes(meter.metrology.own_wall(), order)


def text(text_of: Callable[[Device], str], size: int) -> Answer:
    return lambda meter: text_field(text_of(meter), size)


def status_word(number: int) -> Answer:
    return lambda meter: meter.status_word(number).to_bytes(2, "little")


def momentary(row: Callable[[Moment, values.Phase], bytes], phase: values.Phase) -> Answer:
    return lambda meter: row(Moment.now(meter), phase)


def fixed(value: bytes) -> Answer:
    return lambda meter: value


def table() -> dict[int, Answer]:
    """Rows that stand for one identifier."""
    rows: dict[int, Answer] = {
        0x04000101: own_time("%y%m%d0%w"),
        0x04000102: own_time("%H%M%S"),
        0x0400010C: own_time("%y%m%d0%w%H%M%S"),
        0x04000401: lambda meter: meter.wire,
        0x04000402: lambda meter: bytes.fromhex(meter.serial)[::-1],
        0x04000404: text(lambda meter: "220V" if meter.mains.phases == 1 else "3X220V", 6),
        0x04000405: text(lambda meter: "5A", 6),
        0x04000406: text(lambda meter: "60A", 6),
        0x04000407: text(lambda meter: "1.0", 4),
        0x04000408: text(lambda meter: "2.0", 4),
        0x04000409: lambda meter: bcd(1200, 3),  # pulses per kWh
        0x0400040A: lambda meter: bcd(1200, 3),  # pulses per kvarh
        0x0400040B: text(lambda meter: meter.model, 10),
        0x0400040C: text(lambda meter: "2026-01-01", 10),
        0x0400040D: text(lambda meter: "DLT645-2007", 16),
        0x04000703: lambda meter: bytes((SPEED_BYTES.get(meter.speed or 2400, 0x08),)),
        0x04800001: text(lambda meter: "SIM-SW-2", 32),
        0x04800002: text(lambda meter: "SIM-HW-1", 32),
        0x04800003: text(lambda meter: meter.serial, 32),
        0x02800001: momentary(values.amps, 0),  # the neutral of a single-phase meter carries what its phase carries
        0x02800002: lambda meter: values.hertz(Moment.now(meter)),
        0x02800007: fixed(bcd(263, 2)),  # 26.3 degrees inside
        0x02800008: lambda meter: bcd(201 if meter.battery_low else 360, 2),
        0x0280000A: fixed(bcd(43_200, 4)),  # minutes of battery life used
        0x1D000001: lambda meter: bcd(meter.relay.trips, 3),
        0x1E000001: lambda meter: bcd(meter.relay.closings, 3),
        0x040005FF: lambda meter: b"".join(meter.status_word(number).to_bytes(2, "little") for number in range(1, 8)),
    }
    for above, row in ((0x0201, values.volts), (0x0202, values.amps)):
        rows[above << 16 | 0xFF00] = momentary(row, None)
        for phase in range(3):
            rows[above << 16 | phase + 1 << 8] = momentary(row, phase)
    for above, row in ((0x0203, values.power), (0x0204, values.reactive_power), (0x0205, values.apparent_power),
                       (0x0206, values.factor)):  # fmt: skip
        rows[above << 16], rows[above << 16 | 0xFF00] = momentary(row, "total"), momentary(row, "all")
        for phase in range(3):
            rows[above << 16 | phase + 1 << 8] = momentary(row, phase)
    for number in range(1, 8):
        rows[0x04000500 | number] = status_word(number)
    return rows


ROWS = table()
LOST = {0x03010000, 0x03020000, 0x03030000, 0x03040000}
"""Voltage lost, under, over, phase broken: per phase count 3 and minutes 3; a meter with three phases has them."""


def answer(meter: Device, di: int, asked: bytes = b"") -> bytes:
    """The value of an identifier. Raises LookupError, or Refusal, where this meter has none."""
    own = meter.own_value(di)
    if own is not None:
        return own
    row = ROWS.get(di)
    if row is not None:
        return row(meter)
    if di in meter.parameters:
        return meter.settings.get(di) or meter.parameters[di].default(meter)
    group = di >> 24
    if group == 0x00:
        return _energy(meter, di)
    if group == 0x01 and di >> 16 in (0x0101, 0x0102):
        return _demand(meter, di)
    if zones.is_table(di):
        return zones.answer(meter.metrology, di)
    if group == 0x05:
        return freezes.freeze(meter, di)
    if profile.is_profile(di):
        return profile.answer(meter, di, asked)
    if di in LOST and meter.mains.phases == 3:
        return bytes(18)
    return meter.events.answer(di)


def _energy(meter: Device, di: int) -> bytes:
    """00 KK RR nn: kind, rate (FF: total and rates), settlement period back (FF: now and all that are kept)."""
    kind, rate, back = di >> 16 & 0xFF, di >> 8 & 0xFF, di & 0xFF
    if back == 0xFF:
        kept = range(len(meter.metrology.settlements) + 1)
        return b"".join(_energy(meter, di & 0xFFFFFF00 | each) for each in kept)
    if kind == 0xFE and not rate and back:  # 00FE00nn: the settlement's time YYMMDDhh
        wall = freezes.settled(meter, back).wall
        return bytes.fromhex(wall[2:4] + wall[5:7] + wall[8:10] + wall[11:13])[::-1]
    steps = _steps(meter, kind, freezes.settled(meter, back).steps)
    if rate == 0xFF:
        return freezes.energies(steps)
    if rate > 4:
        raise LookupError(f"no rate {rate}")
    return bcd(steps[rate], 4)


def _steps(meter: Device, kind: int, forward: tuple[int, ...]) -> tuple[int, ...]:
    """The registers of a kind of energy, from the forward ones. Combined is forward plus reverse, which is zero."""
    if kind in (0x00, 0x01):
        return forward
    if kind in (0x03, 0x05):
        return tuple(values.kvarh(each) for each in forward)
    if kind in (0x02, 0x04, 0x06, 0x07, 0x08, 0x0A):
        return (0,) * 5
    phases = {0x15: 0, 0x29: 1, 0x3D: 2}
    if kind in phases and phases[kind] < meter.mains.phases:
        return tuple(meter.mains.phase_watts(each, phases[kind]) for each in forward)
    raise LookupError(f"no energy {kind:02X}")


def _demand(meter: Device, di: int) -> bytes:
    """0101RRnn forward, 0102RRnn reverse: XX.XXXX kW and YYMMDDhhmm."""
    rate, back = di >> 8 & 0xFF, di & 0xFF
    if back > SETTLED or (rate > 4 and rate != 0xFF):
        raise LookupError(f"no demand {di:08X}")
    found = freezes.peaks(meter, back)
    if di >> 16 == 0x0102:
        found = ((0, 0),) * 5
    return freezes.demand(meter, found if rate == 0xFF else found[rate : rate + 1])
