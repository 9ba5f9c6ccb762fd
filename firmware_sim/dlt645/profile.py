"""Load records of a DL/T 645-2007 meter, worked out when they are read. One each 15 minutes of the own clock.

06000000  the oldest records    06000001  from a time on    06000002  the newest     all six classes
06010000 to 06060002            one class: 1 U, I, Hz  2 power  3 factor  4 energy  5 reactive  6 demand
061001nn U  061002nn I  061003nn P  061004nn Q  061005nn factor  061006nn energy     one quantity (FIL)

request  DI 4, N blocks 1, mm hh DD MM YY           (the time may be left out where none is needed)
record   A0 A0 length mm hh DD MM YY, class 1 AA … class 6 AA, CS E5        another class stands there empty
         17, 24, 8, 16, 16 and 6 bytes; length from mm to the last AA, CS the sum from the first A0 to there
quantity mm hh DD MM YY of the first, then N values
"""

from __future__ import annotations

from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING

from ..dlt645_frame import bcd, date_time_bytes, digits_of
from ..instants import wall_of
from . import values
from .errors import NO_DATA, Refusal

if TYPE_CHECKING:
    from .device import Device

EVERY_MIN = 15
KEPT = 40 * 96
"""Forty days."""
MOST = 30
"""Records in one answer; more would need more than 255 follow-up frames on a meter with a small frame."""
OLDEST, FROM, NEWEST = 0, 1, 2


def is_profile(di: int) -> bool:
    """Whether an identifier belongs here."""
    return di >> 24 == 0x06


def answer(meter: Device, di: int, asked: bytes) -> bytes:
    """The value of the answer. Raises Refusal where there is no such record."""
    quantity = di >> 16 == 0x0610
    if quantity:
        which, how = (di >> 8 & 0xFF, di & 0xFF), FROM
        if which not in values.PROFILE:
            raise Refusal(NO_DATA)
    else:
        which, how = (di >> 16 & 0xFF, 0), di & 0xFFFF
        if how > NEWEST or not 0 <= which[0] <= 6:
            raise Refusal(NO_DATA)
    count = min(MOST, int(digits_of(asked[:1]))) if asked else 1
    marks = _marks(meter, how, count, asked[1:6])
    if not marks:
        raise Refusal(NO_DATA)
    if quantity:
        row = values.PROFILE[which]
        return _time(meter, marks[0][1]) + b"".join(row(values.Moment.at(meter, at_us)) for at_us, _ in marks)
    return b"".join(_record(meter, at_us, mark, which[0]) for at_us, mark in marks)


def _marks(meter: Device, how: int, count: int, from_time: bytes) -> list[tuple[int, int]]:
    """(true instant, instant shown) of the records asked for, oldest first."""
    metrology = meter.metrology
    found = metrology.history.marks(metrology.at_us, EVERY_MIN, metrology.zone)
    if how == NEWEST or (how == FROM and not any(from_time)):
        return list(islice(found, count))[::-1]
    all_marks = list(islice(found, KEPT))[::-1]
    if how == OLDEST:
        return all_marks[:count]
    try:
        begin = datetime.strptime("20" + digits_of(from_time), "%Y%m%d%H%M")  # noqa: DTZ007 - the meter's own wall
    except ValueError:
        raise Refusal(NO_DATA) from None
    return [each for each in all_marks if wall_of(each[1], metrology.zone).replace(tzinfo=None) >= begin][:count]


def _time(meter: Device, mark: int) -> bytes:
    return date_time_bytes(wall_of(mark, meter.metrology.zone), "%y%m%d%H%M")


def _record(meter: Device, at_us: int, mark: int, only: int) -> bytes:
    moment = values.Moment.at(meter, at_us)
    classes = [row(moment) if only in (0, number) else b"" for number, row in enumerate(CLASSES, 1)]
    body = _time(meter, mark) + b"".join(each + b"\xaa" for each in classes)
    record = b"\xa0\xa0" + bytes((len(body),)) + body
    return record + bytes((sum(record) & 0xFF, 0xE5))


CLASSES = (
    lambda now: values.volts(now, None) + values.amps(now, None) + values.hertz(now),
    lambda now: values.power(now, "all") + values.reactive_power(now, "all"),
    lambda now: values.factor(now, None),
    lambda now: bcd(now.steps, 4) + bcd(0, 4) + bcd(values.kvarh(now.steps), 4) + bcd(0, 4),
    lambda now: bcd(values.kvarh(now.steps), 4) + bcd(0, 12),
    lambda now: values.power(now, "total") + values.reactive_power(now, "total"),
)  # fmt: skip
