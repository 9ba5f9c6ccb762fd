"""What can be written into a DL/T 645-2007 meter with 14H: size, what it holds until then, and what is refused.

    DATA = DI 4, PA P0 P1 P2, C0 to C3, value

A value goes onto the line as it was written. Clock, tables and settlement days have effects; see `orders` and `zones`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..dlt645_frame import bcd, digits_of, text_field
from ..tables import MOST_PERIODS, MOST_RATES, MOST_TABLES, MOST_ZONES
from .errors import OTHER, PERIODS, RATES, ZONES, Refusal

if TYPE_CHECKING:
    from .device import Device


def any_value(value: bytes) -> None:
    """Whatever has the right size."""


def digits(value: bytes) -> None:
    """BCD only."""
    try:
        digits_of(value)
    except ValueError:
        raise Refusal(OTHER) from None


def at_most(most: int, error: int) -> Callable[[bytes], None]:
    """A BCD count of 1 to `most`; more is refused with `error`."""

    def check(value: bytes) -> None:
        digits(value)
        if int(digits_of(value)) > most:
            raise Refusal(error)
        if not int(digits_of(value)):
            raise Refusal(OTHER)

    return check


def one_of(*allowed: int) -> Callable[[bytes], None]:
    """A BCD number out of these."""

    def check(value: bytes) -> None:
        digits(value)
        if int(digits_of(value)) not in allowed:
            raise Refusal(OTHER)

    return check


def day_and_hour(value: bytes) -> None:
    """DDhh: the 1st to the 28th, 00 to 23; 9999 where the day is not used."""
    digits(value)
    hour, day = value.hex()[:2], value.hex()[2:]
    if value != b"\x99\x99" and not ("01" <= day <= "28" and hour <= "23"):
        raise Refusal(OTHER)


@dataclass(frozen=True)
class Parameter:
    """One identifier that can be written."""

    size: int
    default: Callable[[Device], bytes]
    check: Callable[[bytes], None] = digits


def number(value: int, size: int) -> Callable[[Device], bytes]:
    return lambda meter: bcd(value, size)


def settle_day(index: int) -> Callable[[Device], bytes]:
    def default(meter: Device) -> bytes:
        days = meter.metrology.settle_days
        return bcd(days[index][1], 1) + bcd(days[index][0], 1) if index < len(days) else b"\x99\x99"

    return default


PARAMETERS: dict[int, Parameter] = {
    0x04000103: Parameter(1, number(15, 1), one_of(5, 10, 15, 30, 60)),  # minutes of the demand period
    0x04000104: Parameter(1, number(1, 1), one_of(1)),  # minutes by which it slides
    0x04000201: Parameter(1, number(1, 1), at_most(MOST_ZONES, ZONES)),
    0x04000202: Parameter(1, number(1, 1), at_most(MOST_TABLES, PERIODS)),
    0x04000203: Parameter(1, lambda meter: bcd(len(meter.metrology.day_table), 1), at_most(MOST_PERIODS, PERIODS)),
    0x04000204: Parameter(1, number(4, 1), at_most(MOST_RATES, RATES)),
    0x04000306: Parameter(3, number(1, 3)),  # CT ratio
    0x04000307: Parameter(3, number(1, 3)),  # PT ratio
    0x04000403: Parameter(32, lambda meter: text_field(meter.asset, 32), any_value),
    0x0400040E: Parameter(6, number(0, 6)),  # customer number
    0x04000601: Parameter(1, lambda meter: b"\x05", any_value),  # combined active = forward + reverse
    0x04000B01: Parameter(2, settle_day(0), day_and_hour),
    0x04000B02: Parameter(2, settle_day(1), day_and_hour),
    0x04000B03: Parameter(2, settle_day(2), day_and_hour),
}
"""What every meter of 2007 has."""

YUAN = {
    0x04001001: "alarm amount 1",
    0x04001002: "alarm amount 2",
    0x04001003: "overdraft limit",
    0x04001004: "hoarding limit",
    0x04001005: "amount needed to permit closing",
}
"""XXXXXX.XX yuan; only a meter with a purse has them."""
