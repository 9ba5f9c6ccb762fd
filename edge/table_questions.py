"""Which identifiers tell a meter's time table, one after the other, and the table that their values make (R28).

    04000503 sets in use   04000801/02 rest days   04000205, 0403.... holidays   04010000 zones   04010001 ... tables

Values stand by identifier, None where the meter has no such thing: one without zones has its first day table always.
"""

from __future__ import annotations

from collections.abc import Iterator

from edge.codec.errors import CodecError
from edge.time_table import ALL_WORK, OwnTable, day_table_of, holiday_of, number_of, zones_of

Told = dict[str, bytes | None]

STATUS, WORK_BITS, REST_TABLE, HOLIDAYS = "04000503", "04000801", "04000802", "04000205"
MOST_HOLIDAYS = 254
MOST_TABLES = 8

SETS = 0x21
"""Status word 3: bit 0 the set of day tables in use, bit 5 the set of zones."""


def wanted(told: Told) -> Iterator[str]:
    """The identifiers that are still to be asked for, by what was told so far; in order."""
    yield from (each for each in (STATUS, WORK_BITS, REST_TABLE, HOLIDAYS) if each not in told)
    if told.keys() >= {STATUS, WORK_BITS, REST_TABLE, HOLIDAYS}:
        days, zones = sets(told)
        yield from (each for each in (zones, *_holidays(told)) if each not in told)
        if zones in told:
            yield from (each for number in sorted(_tables(told)) if (each := f"{days}{number:04X}") not in told)


def sets(told: Told) -> tuple[str, str]:
    """Where the day tables and the year zones in use stand: the first set or the second."""
    word = told.get(STATUS) or b"\0"
    return ("0402" if word[0] & 0x01 else "0401"), ("04020000" if word[0] & 0x20 else "04010000")


def _holidays(told: Told) -> list[str]:
    raw = told.get(HOLIDAYS)
    try:
        count = 0 if raw is None else number_of(raw)
    except CodecError:
        count = 0
    return [f"0403{number:04X}" for number in range(1, min(count, MOST_HOLIDAYS) + 1)]


def _tables(told: Told) -> set[int]:
    """Numbers of the day tables that any day needs."""
    _, zones = sets(told)
    raw, rest = told.get(zones), told.get(REST_TABLE)
    numbers = {table for _, table in zones_of(raw)} if raw is not None else {1}
    numbers |= {number_of(rest)} if rest is not None else set()
    for each in _holidays(told):
        if (holiday := told.get(each)) is not None and (found := holiday_of(holiday)) is not None:
            numbers.add(found[1])
    return {number for number in numbers if 1 <= number <= MOST_TABLES}


def table_of(told: Told) -> OwnTable | None:
    """The table that was told, None where the meter tells none. Raises CodecError where it cannot be read."""
    days, zones = sets(told)
    tables = {
        number: day_table_of(raw) for number in _tables(told) if (raw := told.get(f"{days}{number:04X}")) is not None
    }
    if not tables:
        return None
    raw_zones, bits, rest = told.get(zones), told.get(WORK_BITS), told.get(REST_TABLE)
    holidays = [holiday_of(raw) for each in _holidays(told) if (raw := told.get(each)) is not None]
    return OwnTable(
        zones_of(raw_zones) if raw_zones is not None else ((101, 1),),
        tables,
        bits[0] if bits else ALL_WORK,
        number_of(rest) if rest is not None else 0,
        dict(each for each in holidays if each is not None),
    )
