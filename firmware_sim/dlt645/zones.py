"""Year zones and day tables on the line: MMDDNN and hhmmNN, sent NN first (DL/T 645-2007 annex A, 0401 and 0402).

    04010000  year zones of the first set, up to 14      04010001 to 08  its day tables, up to 14 periods each
    0402....  the same for the second set                04000106 / 07   when the other zones / day tables take over
    04000801  weekdays that are worked, bit 0 Sunday     04000802  day table of the others, 00 for none of their own

Unused entries repeat the last one. A day table that nobody wrote is one that the meter does not have.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..dlt645_frame import bcd, digits_of
from ..tables import MOST_PERIODS, MOST_RATES, MOST_TABLES, MOST_ZONES, DayTable, Tables, check_day_table
from .errors import OTHER, PERIODS, RATES, ZONES, Refusal

if TYPE_CHECKING:
    from ..metrology import Metrology

ZONE_CHANGE, DAY_CHANGE = 0x04000106, 0x04000107
WORK_BITS, REST_TABLE = 0x04000801, 0x04000802
SINGLE = (ZONE_CHANGE, DAY_CHANGE, WORK_BITS, REST_TABLE)
SWITCH_TIME_SIZE = 5


def is_table(di: int) -> bool:
    """Whether an identifier belongs here."""
    return di in SINGLE or (di >> 16 in (0x0401, 0x0402) and di & 0xFFFF <= MOST_TABLES)


def answer(metrology: Metrology, di: int) -> bytes:
    """The value of a table's identifier. Raises LookupError where nobody wrote it."""
    tables = metrology.tables or Tables(metrology.day_table)
    if di in (ZONE_CHANGE, DAY_CHANGE):
        text = tables.zone_change if di == ZONE_CHANGE else tables.day_change
        return bytes.fromhex(text or "0" * 10)[::-1]
    if di in SINGLE:
        return bytes((tables.work_bits,)) if di == WORK_BITS else bcd(tables.rest_table, 1)
    which, table = (di >> 16) - 0x0401, di & 0xFFFF
    if not table:
        rows = [bcd(name, 1) + bcd(day, 1) + bcd(month, 1) for month, day, name in tables.zones[which]]
        return b"".join(rows + rows[-1:] * (MOST_ZONES - len(rows)))
    rows = [bcd(rate, 1) + bcd(start % 60, 1) + bcd(start // 60, 1) for start, rate in tables.days[which][table]]
    return b"".join(rows + rows[-1:] * (MOST_PERIODS - len(rows)))


def write(metrology: Metrology, di: int, value: bytes) -> None:
    """Take a table over; it counts from now on where its set is in use. Raises Refusal, and nothing is changed then."""
    tables = metrology.tables or Tables(metrology.day_table)
    if di in (ZONE_CHANGE, DAY_CHANGE):
        text = _digits(value, SWITCH_TIME_SIZE)
        setattr(tables, "zone_change" if di == ZONE_CHANGE else "day_change", text if int(text) else "")
    elif di == WORK_BITS:
        tables.work_bits = _one(value, 0x7F)
    elif di == REST_TABLE:
        tables.rest_table = _one(value, MOST_TABLES)
    elif di & 0xFFFF:
        tables.days[(di >> 16) - 0x0401][di & 0xFFFF] = _day_table(value)
    else:
        tables.zones[(di >> 16) - 0x0401] = _zones(value)
    metrology.tables = tables
    metrology.plan()


def _one(value: bytes, most: int) -> int:
    """A single byte, at most so much; day tables are at most 8, so BCD and binary are the same."""
    if len(value) != 1 or value[0] > most:
        raise Refusal(OTHER)
    return value[0]


def _digits(value: bytes, size: int) -> str:
    try:
        if len(value) == size:
            return digits_of(value)
    except ValueError:
        pass
    raise Refusal(OTHER)


def _triples(value: bytes, most: int, error: int) -> list[tuple[int, int, int]]:
    """Written order of each entry: the two that say when, then the number. Repeats of the last one are left out."""
    if not value or len(value) % 3:
        raise Refusal(OTHER)
    if len(value) > 3 * most:
        raise Refusal(error)
    rows: list[tuple[int, int, int]] = []
    for spot in range(0, len(value), 3):
        text = _digits(value[spot : spot + 3], 3)
        row = (int(text[:2]), int(text[2:4]), int(text[4:]))
        if not rows or rows[-1] != row:
            rows.append(row)
    return rows


def _day_table(value: bytes) -> DayTable:
    rows = _triples(value, MOST_PERIODS, PERIODS)
    if any(rate > MOST_RATES for _, _, rate in rows):
        raise Refusal(RATES)
    if any(minute > 59 for _, minute, _ in rows):
        raise Refusal(OTHER)
    table = tuple((hour * 60 + minute, rate) for hour, minute, rate in rows)
    try:
        check_day_table(table)
    except ValueError:
        raise Refusal(OTHER) from None
    return table


def _zones(value: bytes) -> tuple[tuple[int, int, int], ...]:
    rows = _triples(value, MOST_ZONES, ZONES)
    right = all(1 <= month <= 12 and 1 <= day <= 31 for month, day, _ in rows)
    if not right or rows != sorted(rows) or any(not 1 <= table <= MOST_TABLES for _, _, table in rows):
        raise Refusal(OTHER)
    return tuple(rows)
