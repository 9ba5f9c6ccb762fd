"""From two register readings and a price to lines and an amount: Wh x micro-yuan/kWh = nano-yuan, exactly (R11).

Provisional use and daily charges are the same function; only the second reading differs.
"""

from __future__ import annotations

from dataclasses import dataclass

from edge.billing.tariff import Version
from edge.state import Registers

NEAR_TOP_TENTHS = 9
"""A register may have rolled over only when it stood in the last tenth of its scale (R20)."""


class NotRatable(Exception):
    """These two readings cannot be charged under this price; nothing is charged and a person must look (R20, R28)."""


@dataclass(frozen=True)
class ChargeLine:
    """One line of a charge: a rate, its energy after the multiplier, its price, its amount."""

    rate: str
    wh: int
    price_micro: int
    amount_nano: int


def span_wh(start_wh: int, end_wh: int, full_scale_wh: int) -> int:
    """Energy between two readings of one register. Raises NotRatable for a step back that is no roll-over (R20)."""
    if end_wh >= start_wh:
        return end_wh - start_wh
    if start_wh * 10 >= full_scale_wh * NEAR_TOP_TENTHS:
        return end_wh + full_scale_wh - start_wh
    raise NotRatable(f"R20: the register fell from {start_wh} to {end_wh} Wh and had not been near its top")


def rate(
    start: Registers, end: Registers, multiplier: int, full_scale_wh: int, version: Version
) -> tuple[ChargeLine, ...]:
    """Lines for the use between two readings. Raises NotRatable when a register that the price needs is missing."""
    lines = []
    for name in version.rates:
        if name not in start or name not in end:
            raise NotRatable(
                f"R28: {version.tariff} is charged on the register {name!r}, which the meter does not give"
            )
        wh = span_wh(start[name], end[name], full_scale_wh) * multiplier
        lines.append(ChargeLine(name, wh, version.prices_micro[name], wh * version.prices_micro[name]))
    return tuple(lines)


def amount_nano(lines: tuple[ChargeLine, ...]) -> int:
    """What the lines come to."""
    return sum(line.amount_nano for line in lines)


def energy_wh(lines: tuple[ChargeLine, ...]) -> int:
    """The energy that the lines charge."""
    return sum(line.wh for line in lines)
