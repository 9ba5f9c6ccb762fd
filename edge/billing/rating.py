"""From register readings and prices to lines and an amount: Wh x micro-yuan/kWh = nano-yuan, exactly (R11).

Provisional use and daily charges are the same function; only the last reading differs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from edge.billing import steps
from edge.billing.spans import ESTIMATED, INTERPOLATED, NotRatable, Piece, Rules, pieces, used_wh
from edge.billing.tariff import SINGLE, Version
from edge.state import Counter, Mark, Registers

__all__ = ["Charge", "ChargeLine", "Counter", "NotRatable", "Payer", "amount_nano", "charge", "energy_wh", "rate"]

RATE, STEP, SURCHARGE = "rate", "step", "surcharge"
"""Kinds of lines. Those of `rate` charge each Wh once; the others add to the price of some, or of all."""


PERIODS_KEPT = 3
"""A meter that is charged later than its siblings by more than so many periods begins the older ones at nothing: a step
is then reached too late, never too early."""


@dataclass(frozen=True)
class ChargeLine:
    """One line of a charge: its energy after the multiplier, a price, an amount.

    `rate` names what it is for: the rate, the step's number, or the surcharge.
    """

    rate: str
    wh: int
    price_micro: int
    amount_nano: int
    kind: str = RATE
    version: int = 0


@dataclass(frozen=True)
class Payer:
    """What of an account its price depends on: since when it is there (local day), its category, and whether several
    meters share its step counter."""

    since: date
    category: str | None = None
    shares: bool = False


@dataclass(frozen=True)
class Charge:
    """A priced span: `marks` as they were used, with what was interpolated; the step counter after it."""

    marks: tuple[Mark, ...]
    lines: tuple[ChargeLine, ...]
    counter: Counter

    @property
    def guessed(self) -> tuple[str, ...]:
        """Which of its marks no meter has said: `estimate`, `interpolated`."""
        return tuple(sorted({mark.source for mark in self.marks} & {ESTIMATED, INTERPOLATED}))


def rate(
    start: Registers, end: Registers, multiplier: int, full_scale_wh: int, version: Version
) -> tuple[ChargeLine, ...]:
    """Lines for the use between two readings by the registers that a price names. Raises NotRatable when the meter
    does not give one of them."""
    marks = Mark(start, 0, ""), Mark(end, 0, "")
    return tuple(
        ChargeLine(name, wh, version.prices_micro[name], wh * version.prices_micro[name])
        for name, wh in _by_registers(*marks, version, multiplier, full_scale_wh)
    )


def charge(
    marks: Sequence[Mark], multiplier: int, full_scale_wh: int, rules: Rules, payer: Payer, counter: Counter
) -> Charge:
    """Price what one meter used from the first mark to the last; marks between are readings at borders.

    Raises NotRatable.
    """
    sums: dict[tuple[int, str, str, int], int] = {}
    cut = pieces(marks, rules, full_scale_wh)
    for piece in cut:
        version, used = piece.version, 0
        for name, wh in _by_rate(piece, rules, multiplier, full_scale_wh):
            _add(sums, RATE, name, version.prices_micro[name], version.version, wh)
            used += wh
        if version.steps is not None:
            period = version.steps.begins(piece.middle.astimezone(rules.zone).date())
            if counter.period != period:
                counter = _turned(counter, period, payer.shares)
            for number, wh, micro in steps.split(counter.used_wh, used, version.steps.for_period(period, payer.since)):
                _add(sums, STEP, str(number), micro, version.version, wh)
            counter = replace(counter, used_wh=counter.used_wh + used)
        for each in version.surcharges_of(payer.category):
            _add(sums, SURCHARGE, each.name, each.micro, version.version, used)
    lines = tuple(
        ChargeLine(name, wh, micro, wh * micro, kind, version)
        for (version, kind, name, micro), wh in sums.items()
        if wh or kind == RATE
    )
    return Charge((cut[0].start, *(piece.end for piece in cut)), lines, counter)


def _turned(counter: Counter, period: date, shares: bool) -> Counter:
    """The counter at a period that it does not stand at: a new one, or one that a sibling meter has left already."""
    known = dict(counter.others)
    if counter.period is not None:
        known[counter.period] = counter.used_wh
    used = known.pop(period, 0)
    return Counter(period, used, tuple(sorted(known.items())[-PERIODS_KEPT:]) if shares else ())


def _add(sums: dict[tuple[int, str, str, int], int], kind: str, name: str, micro: int, version: int, wh: int) -> None:
    key = (version, kind, name, micro)
    sums[key] = sums.get(key, 0) + wh


def _by_rate(piece: Piece, rules: Rules, multiplier: int, full_scale_wh: int) -> list[tuple[str, int]]:
    """(rate, Wh after the multiplier) of a piece."""
    if piece.version.by_hours and rules.borders:
        name = piece.version.rate_at(piece.middle, rules.zone, rules.days)
        return [(name, used_wh(piece.start, piece.end, SINGLE, full_scale_wh) * multiplier)]
    return _by_registers(piece.start, piece.end, piece.version, multiplier, full_scale_wh)


def _by_registers(
    start: Mark, end: Mark, version: Version, multiplier: int, full_scale_wh: int
) -> list[tuple[str, int]]:
    for name in version.rates:
        if name not in start.registers_wh or name not in end.registers_wh:
            raise NotRatable(
                f"R28: {version.tariff} is charged on the register {name!r}, which the meter does not give"
            )
    return [(name, used_wh(start, end, name, full_scale_wh) * multiplier) for name in version.rates]


def amount_nano(lines: Sequence[ChargeLine]) -> int:
    """What the lines come to."""
    return sum(line.amount_nano for line in lines)


def energy_wh(lines: Sequence[ChargeLine]) -> int:
    """The energy that the lines charge."""
    return sum(line.wh for line in lines if line.kind == RATE)
