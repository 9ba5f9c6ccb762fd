"""Days that may be statutory rest days in a year whose official calendar is not known: there nobody is cut (R2).

In doubt, do not cut: a festival has every day that the State Council has ever given it since 2008, whatever weekday it
falls on. Weekends need no word here: without known make-up days none of them is worked.
"""

from __future__ import annotations

from datetime import date, timedelta

MonthDay = tuple[int, int]

EVERY_YEAR: tuple[tuple[MonthDay, MonthDay], ...] = (
    ((12, 30), (12, 31)), ((1, 1), (1, 3)),  # New Year: on a Tuesday the Monday before it is off too (2018).
    ((4, 2), (4, 7)),  # Qingming is the 4th or 5th; 2012 began on the 2nd, 2014 ended on the 7th.
    ((4, 29), (5, 5)),  # Labour Day: 2013 began on 29 April.
    ((9, 29), (10, 8)),  # National Day: 2008 began on 29 September, with Mid-Autumn it lasts to the 8th.
)  # fmt: skip

LUNAR: dict[int, tuple[MonthDay, MonthDay, MonthDay]] = {
    2027: ((2, 6), (6, 9), (9, 15)),
    2028: ((1, 26), (5, 28), (10, 3)),
    2029: ((2, 13), (6, 16), (9, 22)),
    2030: ((2, 3), (6, 5), (9, 12)),
    2031: ((1, 23), (6, 24), (10, 1)),
    2032: ((2, 11), (6, 12), (9, 19)),
    2033: ((1, 31), (6, 1), (9, 8)),
    2034: ((2, 19), (6, 20), (9, 27)),
    2035: ((2, 8), (6, 10), (9, 16)),
    2036: ((1, 28), (5, 30), (10, 4)),
    2037: ((2, 15), (6, 18), (9, 24)),
    2038: ((2, 4), (6, 7), (9, 13)),
    2039: ((1, 24), (5, 27), (10, 2)),
    2040: ((2, 12), (6, 14), (9, 20)),
    2041: ((2, 1), (6, 3), (9, 10)),
    2042: ((1, 22), (6, 22), (9, 28)),
    2043: ((2, 10), (6, 11), (9, 17)),
    2044: ((1, 30), (5, 31), (10, 5)),
    2045: ((2, 17), (6, 19), (9, 25)),
}
"""Spring Festival, Dragon Boat, Mid-Autumn: the first day of the first lunar month, the fifth of the fifth, the
fifteenth of the eighth, by lunar_python 1.4.8 and lunardate, which agree."""

EARLIEST, LATEST = ((1, 21), (5, 27), (9, 7)), ((2, 20), (6, 26), (10, 7))
"""Where they fall in any year from 2000 to 2199, for years that `LUNAR` does not have."""

AROUND = ((3, 8), (2, 2), (2, 2))
"""Days before and after: the new year from two days before its eve to the ninth day."""


def may_rest(day: date) -> bool:
    """True on a day that lies in a festival's span."""
    if any(first <= (day.month, day.day) <= last for first, last in EVERY_YEAR):
        return True
    firsts, lasts = LUNAR.get(day.year, EARLIEST), LUNAR.get(day.year, LATEST)
    return any(
        date(day.year, *first) - timedelta(days=before) <= day <= date(day.year, *last) + timedelta(days=after)
        for first, last, (before, after) in zip(firsts, lasts, AROUND, strict=True)
    )
