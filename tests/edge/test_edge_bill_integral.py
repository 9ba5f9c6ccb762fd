"""Whatever was used, at whatever prices, however it was read: bills are the load times the price, exactly (R11)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from fractions import Fraction
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.contract.units import micros_of
from edge.billing import rating
from edge.billing.days import Days
from edge.billing.rating import Charge, Payer
from edge.billing.spans import ESTIMATED, INTERPOLATED, Rules
from edge.billing.steps import Step, Steps
from edge.billing.tariff import Surcharge, Table, Version, Windows
from edge.pricing import counter_body, counter_of
from edge.state import Counter, Mark
from tests.edge.load_worlds import Price, World, worlds


def windows_of(hours: list[str]) -> Windows:
    return tuple((hour * 60, hour * 60 + 60, rate) for hour, rate in enumerate(hours))


def version_of(world: World, number: int, price: Price) -> Version:
    """The version in the gateway's terms."""
    every, month, day = world.period
    steps = tuple(Step(bound, micro) for bound, micro in price.steps)
    return Version(
        "t", "T", number, price.since, "single" if "total" in price.micro else "tou", price.micro,
        windows_of(price.hours),
        tuple(Table(windows_of(hours), ((first, last),), frozenset(days)) for first, last, days, hours in price.tables),
        Steps(every, steps, month, day, "pro-rated" if world.pro_rated else "full") if steps else None,
        tuple(Surcharge(*each) for each in price.surcharges),
    )  # fmt: skip


def rules_of(world: World, borders: bool) -> Rules:
    versions = [version_of(world, number, price) for number, price in enumerate(world.prices, 1)]
    return Rules(versions, world.zone, Days(frozenset(world.rest), frozenset(world.work)), borders)


def counter_at_start(world: World) -> Counter:
    return Counter(world.keys[0][2], world.used_before)


def marks_of(world: World, cells: Sequence[int], borders: bool) -> list[Mark]:
    """Readings; a meter that is read at the borders has no register per rate."""
    shown = world.readings()
    return [
        Mark({"total": shown[cell]["total"]} if borders else shown[cell], micros_of(world.at(cell)), "read")
        for cell in cells
    ]


def bill(
    world: World, marks: list[Mark], ends: Sequence[int], borders: bool, counter: Counter, shares: bool = False
) -> list[Charge]:
    """Charge span by span; after each the gateway loses its memory but for what the book holds."""
    charges: list[Charge] = []
    rules, payer = rules_of(world, borders), Payer(world.since, world.category, shares)
    for first, last in pairwise(ends):
        span = marks[first : last + 1]
        charges.append(rating.charge(span, world.multiplier, world.full, rules, payer, counter))
        counter = counter_of(json.loads(json.dumps(counter_body(charges[-1].counter))))
    return charges


def yuan(charges: list[Charge]) -> Fraction:
    return Fraction(sum(rating.amount_nano(each.lines) for each in charges), 10**9)


def some(draw: Any, last: int, most: int = 12) -> set[int]:
    return draw(st.sets(st.integers(1, last - 1), max_size=most)) if last > 1 else set()


@settings(max_examples=150, deadline=None)
@given(worlds(), st.booleans(), st.data())
def test_read_at_its_borders_a_bill_is_the_load_times_the_price(world: World, borders: bool, data: Any) -> None:
    """With a reading wherever the money changes, and others, charged in any spans: exact to the billionth of a yuan."""
    cells = len(world.wh)
    read = sorted({0, cells} | world.turns(borders) | some(data.draw, cells))
    ends = sorted({0, len(read) - 1} | some(data.draw, len(read) - 1))
    charges = bill(world, marks_of(world, read, borders), ends, borders, counter_at_start(world))
    assert all(each.guessed == () for each in charges)
    assert sum(rating.energy_wh(each.lines) for each in charges) == sum(world.wh) * world.multiplier
    assert yuan(charges) == world.integral()
    for before, after in pairwise(charges):
        assert before.marks[-1] == after.marks[0], "each begins where the last ended"


@settings(max_examples=150, deadline=None)
@given(worlds(), st.booleans(), st.data())
def test_with_gaps_no_energy_is_lost_or_charged_twice(world: World, borders: bool, data: Any) -> None:
    """With readings missing, also where the money changes: each Wh once, at prices that there were, and marked."""
    cells = len(world.wh)
    turns = world.turns(borders)
    read = sorted({0, cells} | some(data.draw, cells, 5))
    ends = sorted({0, len(read) - 1} | some(data.draw, len(read) - 1))
    charges = bill(world, marks_of(world, read, borders), ends, borders, counter_at_start(world))
    assert sum(rating.energy_wh(each.lines) for each in charges) == sum(world.wh) * world.multiplier
    guessed = {mark.at for each in charges for mark in each.marks if mark.source == INTERPOLATED}
    assert {micros_of(world.at(cell)) for cell in turns - set(read) if worth_a_cut(world, cell, borders)} <= guessed
    assert all((INTERPOLATED in each.guessed) == any(m.at in guessed for m in each.marks) for each in charges)
    assert all(line.wh >= 0 and line.amount_nano == line.wh * line.price_micro for c in charges for line in c.lines)
    for before, after in pairwise(charges):
        assert before.marks[-1] == after.marks[0], "each begins where the last ended"
    dear = [sum(m for _, m, whom in price.surcharges if whom in (None, world.category)) for price in world.prices]
    low = min(min(price.micro.values()) + more for price, more in zip(world.prices, dear, strict=True))
    high = max(
        max(price.micro.values()) + more + max((micro for _, micro in price.steps), default=0)
        for price, more in zip(world.prices, dear, strict=True)
    )
    kwh = Fraction(sum(world.wh) * world.multiplier, 1000)
    assert kwh * low <= yuan(charges) * 10**6 <= kwh * high


def worth_a_cut(world: World, cell: int, borders: bool) -> bool:
    """The turn of a step period counts only under a price with steps."""
    (old, rate, begins), (new, other, anew) = world.keys[cell - 1], world.keys[cell]
    return old != new or (borders and rate != other) or (begins != anew and bool(world.prices[new].steps))


@settings(max_examples=150, deadline=None)
@given(worlds(), st.booleans(), st.data())
def test_estimates_are_trued_up_to_what_the_meter_counted(world: World, borders: bool, data: Any) -> None:
    """R24: estimates too low or too high, also beyond a roll-over: after the next reading the energy is the meter's."""
    cells = len(world.wh)
    read = sorted({0, cells} | some(data.draw, cells, 6))
    marks = marks_of(world, read, borders)
    for place in range(1, len(marks) - 1):
        if data.draw(st.booleans()):
            more = data.draw(st.integers(0, 300_000))
            registers = {name: (wh + more) % world.full for name, wh in marks[place - 1].registers_wh.items()}
            if not borders:
                rises = len(registers) - 1  # The total rises by what its rates do.
                registers["total"] = (marks[place - 1].registers_wh["total"] + more * rises) % world.full
            marks[place] = Mark(registers, marks[place].at, ESTIMATED)
    ends = sorted({0, len(read) - 1} | some(data.draw, len(read) - 1))
    charges = bill(world, marks, ends, borders, counter_at_start(world))
    assert sum(rating.energy_wh(each.lines) for each in charges) == sum(world.wh) * world.multiplier
    for charge, (first, last) in zip(charges, pairwise(ends), strict=True):
        assert (ESTIMATED in charge.guessed) == any(each.source == ESTIMATED for each in marks[first : last + 1])


@settings(max_examples=100, deadline=None)
@given(worlds(versions=1), st.integers(1, 500), st.data())
def test_two_meters_share_one_counter_whichever_is_charged_first(world: World, sibling_wh: int, data: Any) -> None:
    """R29: one of two meters is charged late, over turns of the step period: the sum is as if one meter had counted."""
    cells = len(world.wh)
    sibling = replace(world, wh=[sibling_wh] * cells, multiplier=1)
    counter, charges = counter_at_start(world), list[Charge]()
    plans = []
    for each in (world, sibling):
        read = sorted({0, cells} | each.turns(True) | some(data.draw, cells, 4))
        ends = sorted({0, len(read) - 1} | some(data.draw, len(read) - 1))
        marks = marks_of(each, read, True)
        plans.append([(each, marks[first : last + 1]) for first, last in pairwise(ends)])
    while any(plans):
        turn = data.draw(st.sampled_from([plan for plan in plans if plan]))
        whose, span = turn.pop(0)
        charges += bill(whose, span, [0, len(span) - 1], True, counter, shares=True)
        counter = charges[-1].counter
    assert yuan(charges) == world.integral(sibling)


def test_the_integral_knows_the_wall() -> None:
    """The measure itself, once by hand: a Wh each quarter of a day of 25 hours, 7 of valley and 18 of flat."""
    berlin = ZoneInfo("Europe/Berlin")
    start = datetime(2026, 10, 25, tzinfo=berlin).astimezone(UTC)
    price = Price(
        start, {"flat": 2_000_000, "valley": 1_000_000}, ["valley"] * 6 + ["flat"] * 18, [], [(10, 500_000)], []
    )
    world = World(
        berlin, start, [1] * 100, [price], set(), set(), ("month", 1, 1), False, date(2026, 1, 1), None, 10, 10**9,
        dict.fromkeys(("total", "sharp", "peak", "flat", "valley", "deep"), 0), 0,
    )  # fmt: skip
    kwh = Fraction(10, 1000)
    assert world.integral() == 28 * kwh * 1 + 72 * kwh * 2 + 99 * kwh * Fraction(1, 2)
