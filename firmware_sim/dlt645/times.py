"""When a DL/T 645-2007 meter lets its clock be set, and when it calls a command too late: questions about wall times.

A wall time travels as BCD, seconds first: ss mm hh DD MM YY. All times here are the meter's own local time.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from ..dlt645_frame import digits_of

DATE_TIME, DATE, TIME = 0x0400010C, 0x04000101, 0x04000102
WRITABLE = (DATE_TIME, DATE, TIME)

BROADCAST_REACH = timedelta(minutes=5)


def wall_from(raw: bytes) -> datetime:
    """Six BCD bytes ss mm hh DD MM YY as a naive wall time of 20YY; raises ValueError where there is no such time."""
    return datetime.strptime("20" + digits_of(raw), "%Y%m%d%H%M%S")  # noqa: DTZ007 - the zone is the meter's


def written_wall(di: int, value: bytes, own: datetime) -> datetime:
    """The wall time a 14H write means: 0400010C whole, 04000101 the date, 04000102 the time, the rest from `own`.

    Raises ValueError where the value has another size or is no time.
    """
    if di == DATE_TIME and len(value) == 7:  # ss mm hh WW DD MM YY
        return wall_from(value[:3] + value[4:])
    if di == DATE and len(value) == 4:  # WW DD MM YY
        return wall_from(bytes.fromhex(own.strftime("%S%M%H")) + value[1:])
    if di == TIME and len(value) == 3:
        return wall_from(value + bytes.fromhex(own.strftime("%d%m%y")))
    raise ValueError(f"{len(value)} bytes are not the size of {di:08X}")


def broadcast_wall(raw: bytes, own: datetime) -> datetime | None:
    """The wall time of 08H where the meter takes it: at most 5 minutes off and 5 minutes away from midnight (§7)."""
    try:
        wall = wall_from(raw)
    except ValueError:
        return None
    shown = own.replace(tzinfo=None)
    near_midnight = any(not 5 <= at.hour * 60 + at.minute < 1435 for at in (wall, shown))
    return None if near_midnight or abs(wall - shown) > BROADCAST_REACH else wall


def expired(raw: bytes, own: datetime) -> bool:
    """Whether a command valid until `raw` comes too late by the own clock. All zero never does; no time always has."""
    if not any(raw):
        return False
    try:
        return wall_from(raw) < own.replace(tzinfo=None)
    except ValueError:
        return True
