"""The readings gate: a reading is accepted, read again, or set aside; never thrown away, never guessed (R19-R21).

A checksum alone never makes a reading accepted: one in 29 doubly damaged DL/T 645 frames passes its sum. What
looks impossible is read again first, and only two readings that agree are taken seriously.
"""

from __future__ import annotations

from dataclasses import dataclass

from edge.billing.spans import NEAR_TOP_TENTHS
from edge.live import Sample
from edge.model import Model
from edge.state import Registers

RATES_APART_STEPS = 2
"""Rates and total may differ by so many register steps per rate: each register rounds by itself (R28)."""

SHORTEST_SPAN_S = 60
"""Two reads that are nearly simultaneous still allow the energy of a minute, or a register step would be too much."""


AT_ONCE_S = 10.0
"""Line seconds within which a reading is a second look at the one before, and not a later register."""

LEAP_S = 900.0
"""A single frame with a right sum may still be wrong; nobody is cut on one that leaps (failure 5)."""


@dataclass(frozen=True)
class Verdict:
    """What to do with a reading: `accept`, `again`, `set-aside`; with the rule and a sentence where it matters."""

    action: str
    rule: str | None = None
    why: str | None = None


ACCEPT = Verdict("accept")


def ceiling_wh(model: Model, span_s: float) -> int:
    """R21: 1.2 x Imax x U x phases x hours, at the meter (before its CT); for water, litres: 1.2 x Q4 x hours."""
    return _carried_wh(model, max(int(span_s), SHORTEST_SPAN_S))


def _carried_wh(model: Model, span: int) -> int:
    if model.max_l_per_h:
        return model.max_l_per_h * span * 12 // 36_000 + model.step_wh
    return model.max_amps * model.volts * model.phases * span * 12 // 36_000 + model.step_wh


def span_s(before: Sample, sample: Sample) -> float | None:
    """Seconds between two readings, or None when nobody can tell: by the machine's own count within one run, by the
    calendar where it was believed both times. The longer counts: a machine asleep does not count, a clock set back
    does not either, and the meter went on."""
    told = []
    if before.elapsed_s is not None and sample.elapsed_s is not None:
        told.append(sample.elapsed_s - before.elapsed_s)
    if before.believed and sample.believed:
        told.append((sample.read_at - before.read_at).total_seconds())
    return max(told, default=None)


def check(
    model: Model,
    before: Sample | None,
    suspect: Sample | None,
    sample: Sample,
    offset_wh: int | None,
    earlier: Sample | None = None,
) -> Verdict:
    """Judge `sample` against the newest accepted reading and, if there is one, the reading that was doubted just now.

    `offset_wh` is how far the rates and the total of the billed register are apart, None while nothing is billed.
    `earlier` is the accepted reading before the newest: two that agree and fit to it outvote a newest one that they
    contradict, for that may have been the damaged frame, and nobody is set aside for it.
    """
    doubt = _doubt(model, before, sample, offset_wh)
    if doubt is None and before is not None and _leaps(model, before, sample) and not agrees(model, suspect, sample):
        return Verdict("again", "R21", "a large step after a silence is read twice")
    if doubt is None:
        return (
            ACCEPT if before is not None or agrees(model, suspect, sample) else Verdict("again", "R19", "opening read")
        )
    if suspect is None or not agrees(model, suspect, sample):
        return Verdict("again", *doubt)
    if earlier is not None and fits(model, earlier, sample, offset_wh):
        return ACCEPT
    return Verdict("set-aside", *doubt)


def _leaps(model: Model, before: Sample, sample: Sample) -> bool:
    """More energy than a quarter of an hour at full load: possible after a silence, and worth a second look."""
    used = sample.registers_wh["total"] - before.registers_wh["total"]
    return used % model.full_scale_wh > ceiling_wh(model, LEAP_S)


def fits(model: Model, before: Sample, sample: Sample, offset_wh: int | None) -> bool:
    """True when nothing speaks against `sample` following on `before`."""
    return _doubt(model, before, sample, offset_wh) is None


def agrees(model: Model, first: Sample | None, second: Sample) -> bool:
    """Two readings tell the same story: the second is not below the first and within what the load allows."""
    if first is None:
        return False
    used = second.registers_wh["total"] - first.registers_wh["total"]
    return 0 <= used <= ceiling_wh(model, second.mono - first.mono)


def at_once(model: Model, first: Sample, second: Sample, speed: float = 1.0) -> bool:
    """The second reading, seconds after the first, says the same but for what was used meanwhile, register by
    register. `speed` is the calendar's: meters count by it, also in the demo."""
    passed_s = second.mono - first.mono
    most = _carried_wh(model, int((passed_s + 1) * speed))
    return 0 <= passed_s <= AT_ONCE_S and all(
        0 <= second.registers_wh.get(name, -1) - was <= most for name, was in first.registers_wh.items()
    )


def _doubt(model: Model, before: Sample | None, sample: Sample, offset_wh: int | None) -> tuple[str, str] | None:
    total = sample.registers_wh["total"]
    if not 0 <= total < model.full_scale_wh:
        return "R21", f"{total} {_unit(model)} is beyond the register's scale"
    if (moved := rates_moved(model, sample.registers_wh, offset_wh)) is not None:
        return "R28", moved
    if before is None:
        return None
    passed_s = span_s(before, sample)
    for name, was in before.registers_wh.items():
        now = sample.registers_wh.get(name)
        if now is None:
            return "R20", f"the register {name} is missing"
        used = now - was
        if used < 0 and was * 10 >= model.full_scale_wh * NEAR_TOP_TENTHS:
            used += model.full_scale_wh
        if used < 0:
            return "R20", f"the register {name} fell from {was} to {now} {_unit(model)} and had not been near its top"
        if passed_s is not None and used > ceiling_wh(model, passed_s):
            rose = (
                f"the register {name} rose by {used} {_unit(model)} in {int(passed_s)} s, more than the meter can carry"
            )
            return "R21", rose
    return None


def _unit(model: Model) -> str:
    return "L" if model.max_l_per_h else "Wh"


def rates_moved(model: Model, registers: Registers, offset_wh: int | None) -> str | None:
    """What is wrong between rates and total, by what they were apart before; None where nothing is or can be said."""
    if offset_wh is None or (apart := rates_apart_wh(model, registers)) is None:
        return None
    allowed = RATES_APART_STEPS * model.step_wh * len(model.rates)
    # The total rolls over before its rates do, so what they are apart is known but for whole scales (R20).
    half = model.full_scale_wh // 2
    moved = (apart - offset_wh + half) % model.full_scale_wh - half
    return f"rates and total moved {moved} Wh apart; at most {allowed} Wh is rounding" if abs(moved) > allowed else None


def rates_apart_wh(model: Model, registers: Registers) -> int | None:
    """Total minus the sum of the rates, or None for a meter without them."""
    if not model.rates or any(rate not in registers for rate in model.rates):
        return None
    return registers["total"] - sum(registers[rate] for rate in model.rates)
