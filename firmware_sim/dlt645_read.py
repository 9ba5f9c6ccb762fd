"""What a DL/T 645-2007 meter answers to a read, identifier by identifier: one row each, in the words of annex A.

    DATA of the reply = DI0 DI1 DI2 DI3, then the value: BCD, low byte first

An identifier without a row is one this meter does not have; it says so (error byte 02). A phase that a
single-phase meter lacks is FF bytes, never a zero.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from .covers import KEPT
from .dlt645_frame import bcd, date_time_bytes, text_field

if TYPE_CHECKING:
    from .dlt645 import Dlt645Meter

Answer = Callable[["Dlt645Meter"], bytes]


def energies(registers: tuple[int, ...]) -> bytes:
    """Total and rates sharp, peak, flat, valley, XXXXXX.XX kWh each."""
    return b"".join([bcd(steps, 4) for steps in registers])


def one_energy(index: int) -> Answer:
    return lambda meter: bcd(meter.metrology.registers()[index], 4)


def volts(phase: int) -> Answer:
    """XXX.X V."""

    def answer(meter: Dlt645Meter) -> bytes:
        if phase >= meter.mains.phases:
            return b"\xff\xff"
        return bcd(meter.mains.volts_d(meter.metrology.at_us, phase), 2)

    return answer


def amps(phase: int) -> Answer:
    """XXX.XXX A."""

    def answer(meter: Dlt645Meter) -> bytes:
        if phase >= meter.mains.phases:
            return b"\xff\xff\xff"
        return bcd(meter.mains.milliamps(meter.metrology.at_us, meter.metrology.watts(), phase), 3)

    return answer


def kilowatts(phase: int | None) -> Answer:
    """XX.XXXX kW, total where no phase is named. The top bit is the sign, so 79.9999 is the largest."""

    def answer(meter: Dlt645Meter) -> bytes:
        if phase is not None and phase >= meter.mains.phases:
            return b"\xff\xff\xff"
        watts = meter.metrology.watts()
        return bcd(min(watts if phase is None else meter.mains.phase_watts(watts, phase), 79_999) * 10, 3)

    return answer


def factor(phase: int | None) -> Answer:
    """X.XXX."""

    def answer(meter: Dlt645Meter) -> bytes:
        if phase is not None and phase >= meter.mains.phases:
            return b"\xff\xff"
        return bcd(meter.mains.factor_m(meter.metrology.at_us, meter.metrology.watts()), 2)

    return answer


def block(*answers: Answer) -> Answer:
    return lambda meter: b"".join([answer(meter) for answer in answers])


def own_time(order: str) -> Answer:
    return lambda meter: date_time_bytes(meter.metrology.own_wall(), order)


def text(text_of: Callable[[Dlt645Meter], str], size: int) -> Answer:
    return lambda meter: text_field(text_of(meter), size)


def status_word(number: int) -> Answer:
    return lambda meter: meter.status_word(number).to_bytes(2, "little")


def day_table(meter: Dlt645Meter) -> bytes:
    """14 × hhmmNN: on the line NN mm hh. Entries that are not used repeat the last one."""
    rows = [bytes((rate,)) + bcd(start % 60, 1) + bcd(start // 60, 1) for start, rate in meter.metrology.day_table]
    return b"".join(rows + rows[-1:] * (14 - len(rows)))


def opening(which: str, back: int) -> Answer:
    return lambda meter: meter.covers[which].record(back)


def freeze(kind: int, slot: int) -> Answer | None:
    """Daily freeze 0506: DI1 00 its time YYMMDDhhmm, 01 forward active, 02 reverse active, total and rates."""

    def answer(meter: Dlt645Meter) -> bytes:
        kept = meter.metrology.freeze_back(slot)
        if kept is None:
            raise LookupError(f"no midnight in slot {slot}")
        day, registers = kept
        if kind == 0:
            return date_time_bytes(datetime(day.year, day.month, day.day), "%y%m%d%H%M")  # noqa: DTZ001 - a wall
        return energies(registers if kind == 1 else (0,) * 5)

    return answer if kind in (0, 1, 2) else None


def table() -> dict[int, Answer]:
    """All rows but the freezes."""
    rows: dict[int, Answer] = {
        0x04000101: own_time("%y%m%d0%w"),
        0x04000102: own_time("%H%M%S"),
        0x0400010C: own_time("%y%m%d0%w%H%M%S"),
        0x04000103: lambda meter: bcd(15, 1),  # minutes of the demand period
        0x04000201: lambda meter: bcd(1, 1),  # year zones
        0x04000202: lambda meter: bcd(1, 1),  # day tables
        0x04000203: lambda meter: bcd(len(meter.metrology.day_table), 1),
        0x04000204: lambda meter: bcd(4, 1),  # rates
        0x04000306: lambda meter: bcd(1, 3),  # CT ratio
        0x04000307: lambda meter: bcd(1, 3),  # PT ratio
        0x04000401: lambda meter: meter.wire,
        0x04000402: lambda meter: bytes.fromhex(meter.serial)[::-1],
        0x04000403: text(lambda meter: meter.asset, 32),
        0x04000404: text(lambda meter: "220V" if meter.mains.phases == 1 else "3X220V", 6),
        0x04000409: lambda meter: bcd(1200, 3),  # pulses per kWh
        0x0400040B: text(lambda meter: meter.model, 10),
        0x0400040D: text(lambda meter: "DLT645-2007", 16),
        0x04010000: lambda meter: bytes((1, 0x01, 0x01)) * 14,  # one year zone: table 1 from 1 January
        0x04010001: day_table,
        0x02010000 | 0xFF00: block(volts(0), volts(1), volts(2)),
        0x02020000 | 0xFF00: block(amps(0), amps(1), amps(2)),
        0x02030000: kilowatts(None),
        0x0203FF00: block(kilowatts(None), kilowatts(0), kilowatts(1), kilowatts(2)),
        0x02060000: factor(None),
        0x0206FF00: block(factor(None), factor(0), factor(1), factor(2)),
        0x02800002: lambda meter: bcd(meter.mains.hertz_c(meter.metrology.at_us), 2),
        0x03300D00: lambda meter: bcd(meter.covers["cover"].count, 3),
        0x03300E00: lambda meter: bcd(meter.covers["terminal"].count, 3),
        0x1D000001: lambda meter: bcd(meter.relay.trips, 3),
        0x1E000001: lambda meter: bcd(meter.relay.closings, 3),
        0x040005FF: block(*(status_word(number) for number in range(1, 8))),
    }
    for index in range(5):  # Combined active (here: forward), forward, and reverse, which stays at zero.
        rows[0x00000000 | index << 8] = rows[0x00010000 | index << 8] = one_energy(index)
        rows[0x00020000 | index << 8] = lambda meter: bcd(0, 4)
    rows[0x0000FF00] = rows[0x0001FF00] = lambda meter: energies(meter.metrology.registers())
    rows[0x0002FF00] = lambda meter: energies((0,) * 5)
    for phase in range(3):
        rows[0x02010000 | phase + 1 << 8] = volts(phase)
        rows[0x02020000 | phase + 1 << 8] = amps(phase)
        rows[0x02030000 | phase + 1 << 8] = kilowatts(phase)
        rows[0x02060000 | phase + 1 << 8] = factor(phase)
    for back in range(1, KEPT + 1):
        rows[0x03300D00 | back], rows[0x03300E00 | back] = opening("cover", back), opening("terminal", back)
    for number in range(1, 8):
        rows[0x04000500 | number] = status_word(number)
    return rows


ROWS = table()


def answer_for(di: int) -> Answer | None:
    """The row of an identifier, or None where this meter has none."""
    if di >> 16 == 0x0506:
        return freeze(di >> 8 & 0xFF, di & 0xFF)
    return ROWS.get(di)
