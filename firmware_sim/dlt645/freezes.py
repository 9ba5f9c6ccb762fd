"""Registers of the past: settlement periods (DI0 01 to 0C), maximum demand, and the freezes of group 05.

05 KK CC nn   KK 00 by timer, 01 at once, 04 hourly, 06 daily; nn = 01 the newest
              CC 00 time YYMMDDhhmm, 01 forward, 02 reverse, 03 … 08 reactive, 09 / 0A demand, 10 powers, FF all
hourly        CC 00 time, 01 forward total, 02 reverse total, FF all
"""

from __future__ import annotations

from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING

from ..dlt645_frame import bcd, date_time_bytes
from ..instants import us_of_wall, wall_of
from ..metrology import MINUTE, STEP_WUS, Frozen
from . import values
from .demand import Peaks

if TYPE_CHECKING:
    from .device import Device

HOURS = 254
"""Hourly freezes that a meter keeps."""
TIMER, AT_ONCE, HOURLY, DAILY = 0x00, 0x01, 0x04, 0x06
CONTENTS = (0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0A, 0x10)
NO_TIME = b"\x00" * 5


def energies(steps: tuple[int, ...]) -> bytes:
    """Total and rates sharp, peak, flat, valley, XXXXXX.XX kWh each."""
    return b"".join([bcd(each, 4) for each in steps])


def settled(meter: Device, back: int) -> Frozen:
    """Registers at the end of the `back`-th last settlement period, now for 0. Raises LookupError for none."""
    metrology = meter.metrology
    if not back:
        return Frozen(metrology.at_us, "", metrology.registers())
    if back > len(metrology.settlements):
        raise LookupError(f"no settlement in slot {back}")
    return metrology.settlements[-back]


def peaks(meter: Device, back: int) -> Peaks:
    """Maximum demand of the period that ended so; since the last clearing where that was later."""
    metrology = meter.metrology
    to_us = settled(meter, back).at_us
    begun = metrology.settlements[-back - 1].at_us if back < len(metrology.settlements) else meter.start_us
    day, tables = wall_of(to_us, metrology.zone).date(), metrology.tables
    table = metrology.day_table if tables is None else tables.table_of(day)
    return meter.demand.highest(max(begun, meter.demand_since_us), to_us, table)


def demand(meter: Device, found: Peaks, size: int = 5) -> bytes:
    """Total and rates: XX.XXXX kW and YYMMDDhhmm each."""
    rows = []
    for wus, at_us in found[:size]:
        shown = wall_of(meter.metrology.clock.shown_us(at_us), meter.metrology.zone)
        rows.append(bcd(min(meter.demand.watts(wus), 79_999) * 10, 3))
        rows.append(date_time_bytes(shown, "%y%m%d%H%M") if at_us else NO_TIME)
    return b"".join(rows)


def freeze(meter: Device, di: int) -> bytes:
    """An identifier of group 05. Raises LookupError where memory has none."""
    kind, content, slot = di >> 16 & 0xFF, di >> 8 & 0xFF, di & 0xFF
    if kind == HOURLY:
        return _hour(meter, content, slot)
    frozen = _slot(meter, kind, slot)
    if content == 0xFF:
        return b"".join(_content(meter, frozen, each) for each in CONTENTS)
    return _content(meter, frozen, content)


def _slot(meter: Device, kind: int, slot: int) -> Frozen:
    metrology = meter.metrology
    if kind == DAILY:
        kept = metrology.freeze_back(slot)
        if kept is None:
            raise LookupError(f"no midnight in slot {slot}")
        day, steps = kept
        at_us = metrology.clock.true_us(us_of_wall(day, 0, metrology.zone))
        return Frozen(at_us, f"{day} 00:00", steps)
    ring = {TIMER: metrology.timed, AT_ONCE: metrology.instant}.get(kind)
    if ring is None or not 1 <= slot <= len(ring):
        raise LookupError(f"no freeze in slot {slot}")
    return ring[-slot]


def _content(meter: Device, frozen: Frozen, content: int) -> bytes:
    if content == 0x00:
        return date_time_bytes(datetime.strptime(frozen.wall, MINUTE), "%y%m%d%H%M")  # noqa: DTZ007 - a wall
    if content == 0x01:
        return energies(frozen.steps)
    if content in (0x03, 0x05):  # combined reactive 1, quadrant 1: all that these meters count
        return energies(tuple(values.kvarh(each) for each in frozen.steps))
    if content in (0x02, 0x04, 0x06, 0x07, 0x08):
        return energies((0,) * 5)
    if content == 0x09:
        ended = [each.at_us for each in meter.metrology.settlements if each.at_us < frozen.at_us]
        since_us = max([meter.demand_since_us, meter.start_us, *ended])
        return demand(meter, meter.demand.highest(since_us, frozen.at_us, meter.metrology.day_table))
    if content == 0x0A:
        return bytes(8 * 5)
    if content == 0x10:
        then = values.Moment.at(meter, frozen.at_us)
        return values.power(then, "all") + values.reactive_power(then, "all")
    raise LookupError(f"freeze content {content:02X}")


def _hour(meter: Device, content: int, slot: int) -> bytes:
    metrology = meter.metrology
    found = list(islice(metrology.history.marks(metrology.at_us, 60, metrology.zone), slot)) if slot <= HOURS else []
    if not slot or len(found) < slot or content not in (0x00, 0x01, 0x02, 0xFF):
        raise LookupError(f"no hour in slot {slot}")
    at_us, mark = found[-1]
    time = date_time_bytes(wall_of(mark, metrology.zone), "%y%m%d%H%M")
    forward = bcd(metrology.history.total_wus_at(at_us) // STEP_WUS % 100_000_000, 4)
    return {0x00: time, 0x01: forward, 0x02: bcd(0, 4), 0xFF: time + forward + bcd(0, 4)}[content]
