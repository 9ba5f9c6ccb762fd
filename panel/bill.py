"""A charge opened so that a person can follow it with a pocket calculator: differences, products, sums. Pure.

    (later register - earlier register) x multiplier = used;   used x price = amount;   all amounts = what was taken

The amounts are the book's. The products and sums are made again here only to say aloud when they do not agree.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from math import comb
from typing import Any
from zoneinfo import ZoneInfo

from bridge.contract.units import RATES, instant_of
from panel.bill_words import GUESSES

Fields = dict[str, Any]

KNOWN = ("total", *RATES)

DIVISIONS = 5_000
"""So many ways are looked at in which a price's versions may divide a charge; a real one has a handful."""


@dataclass(frozen=True)
class Used:
    """One register between two readings; all in Wh, of water in litres."""

    register: str
    start: int
    end: int
    used: int
    """What the register moved by, over its top where it rolled over."""
    rolled: bool
    all: int
    """Times the multiplier."""


@dataclass(frozen=True)
class Span:
    """A part of a charge, between two of its readings. `rate` is the rate of its hours, where that is certain."""

    start: Fields
    end: Fields
    rows: list[Used]
    rate: str | None


@dataclass(frozen=True)
class StepCount:
    """What an account had used of its step period before a charge and after it; `bounds` are (step, above)."""

    period: str
    before: int
    after: int
    bounds: list[tuple[int, int]]


def in_order(names: Sequence[str] | Fields) -> list[str]:
    """Registers as a bill names them: the total first, then the rates as meters number them."""
    return sorted(names, key=lambda name: (KNOWN.index(name) if name in KNOWN else len(KNOWN), name))


def used(body: Fields) -> list[Used]:
    """Each register that both readings have."""
    return _between(body["start"], body["end"], body)


def spans(body: Fields, prices: Sequence[Fields] = (), zone: ZoneInfo | None = None) -> list[Span]:
    """The parts of a charge that has readings between its first and its last; none where it has not."""
    if not body.get("between"):
        return []
    parts, borders = _parts(body), _by_borders(body)
    priced = None if borders else _priced_by(body, parts)
    all_names = {"total"} if borders else {line["rate"] for line in _rates(body)}
    found = []
    for place, (start, end) in enumerate(parts):
        names = all_names if priced is None else priced[place]
        found.append((start, end, [row for row in _between(start, end, body) if row.register in names]))
    told = _rates_of(found, body, prices, zone) if borders else None
    return [Span(*each, told[n] if told else None) for n, each in enumerate(found)]


def ordered_lines(body: Fields) -> list[Fields]:
    """Rates first, then what comes on top of them."""
    kinds = ("rate", "step", "surcharge")
    lines = [{"kind": "rate", **line} for line in body["lines"]]
    rank = {name: number for number, name in enumerate(KNOWN)}
    place = [(kinds.index(line["kind"]) if line["kind"] in kinds else 9, rank.get(line["rate"], 99)) for line in lines]
    return [lines[n] for n in sorted(range(len(lines)), key=lambda n: place[n])]


def agrees(body: Fields) -> bool:
    """True where all of it adds up: registers to quantities, quantities and prices to amounts, amounts to the sum."""
    lines, rates = body["lines"], _rates(body)
    if any(line["wh"] * line["price_micro"] != line["amount_nano"] for line in lines):
        return False
    if sum(line["amount_nano"] for line in lines) != body["amount_nano"] or sum(x["wh"] for x in rates) != body["wh"]:
        return False
    if not lines:
        return bool(body["amount_nano"] == 0)
    if _by_borders(body):
        return any(row.register == "total" and row.all == body["wh"] for row in used(body))
    return _priced_by(body, _parts(body)) is not None


def step_count(body: Fields, prices: Sequence[Fields] = ()) -> StepCount | None:
    """Where the steps stood; None where the price has none."""
    counter, before = body.get("counter"), body.get("counter_before") or {}
    if not counter or not counter.get("period"):
        return None
    kept = {before.get("period"): before.get("used_wh", 0), **dict(before.get("others") or ())}
    steps = next((each["steps"] for each in prices if each.get("steps")), None)
    full = steps is not None and steps.get("moving_in", "full") == "full"
    bounds = [(n, step["above_wh"]) for n, step in enumerate(steps["steps"], 2)] if steps is not None and full else []
    return StepCount(counter["period"], kept.get(counter["period"], 0), counter.get("used_wh", 0), bounds)


def _parts(body: Fields) -> list[tuple[Fields, Fields]]:
    return list(pairwise([body["start"], *(body.get("between") or ()), body["end"]]))


def _priced_by(body: Fields, parts: list[tuple[Fields, Fields]]) -> list[set[str]] | None:
    """The registers by which each part was priced: versions follow each other, each over parts of its own, and what
    the registers moved by in those is what its lines say. None where no division of the parts does that."""
    wanted: dict[int, Counter[str]] = {}
    for line in _rates(body):
        wanted.setdefault(line.get("version") or 0, Counter())[line["rate"]] += line["wh"]
    order = sorted(wanted)
    if not order or comb(len(parts) - 1, len(order) - 1) > DIVISIONS:
        return None
    for cuts in combinations(range(1, len(parts)), len(order) - 1):
        names: list[set[str]] = []
        for version, (first, last) in zip(order, pairwise((0, *cuts, len(parts))), strict=True):
            moved: Counter[str] = Counter()
            for start, end in parts[first:last]:
                for row in _between(start, end, body):
                    moved[row.register] += row.all
            if any(name not in moved or moved[name] != wh for name, wh in wanted[version].items()):
                break
            names += [set(wanted[version])] * (last - first)
        else:
            return names
    return None


def _rates(body: Fields) -> list[Fields]:
    return [line for line in body["lines"] if line.get("kind", "rate") == "rate"]


def _by_borders(body: Fields) -> bool:
    return bool(body.get("by") == "borders")


def _between(start: Fields, end: Fields, body: Fields) -> list[Used]:
    full, times = body.get("full_scale_wh", 0), body.get("multiplier", 1)
    before, after = start["registers_wh"], end["registers_wh"]
    back = start.get("source") in GUESSES or end.get("source") == "corrected"
    found = []
    for name in in_order(before):
        if name in after:
            moved = _moved(before[name], after[name], full, back)
            rolled = moved != after[name] - before[name]
            found.append(Used(name, before[name], after[name], moved, rolled, moved * times))
    return found


def _moved(before: int, after: int, full: int, back: bool) -> int:
    """By what a register moved. It falls only where it was guessed, or put right; else it went over its top."""
    if full <= 0 or (after >= before and not back):
        return after - before
    forward = (after - before) % full
    return forward - full if back and forward * 2 > full else forward


def _rates_of(
    parts: list[tuple[Fields, Fields, list[Used]]], body: Fields, prices: Sequence[Fields], zone: ZoneInfo | None
) -> list[str] | None:
    """The rate of each part by the hours of a price: those hours, of all it has, by which the parts add up to its
    lines; None where no hours do."""
    wanted: Counter[str] = Counter()
    for line in _rates(body):
        wanted[line["rate"]] += line["wh"]
    for windows in [each for price in prices for each in _all_windows(price)] if zone else []:
        told = [_rate_at(windows, start["at"], end["at"], zone) for start, end, _ in parts]
        sums: Counter[str] = Counter()
        for rate, (_, _, rows) in zip(told, parts, strict=True):
            sums[rate] += sum(row.all for row in rows)
        if None not in told and +sums == +wanted:
            return told
    return None


def _all_windows(price: Fields) -> list[list[Fields]]:
    return [windows for windows in (price.get("windows"), *(each["windows"] for each in price.get("tables") or ()))
            if windows]  # fmt: skip


def _rate_at(windows: list[Fields], start: str, end: str, zone: ZoneInfo | None) -> Any:
    """The rate of the hours between two readings: that of their middle, for a border read may be a minute off."""
    begins = instant_of(start)
    middle = (begins + (instant_of(end) - begins) / 2).astimezone(zone)
    minute = middle.hour * 60 + middle.minute
    return next((each["rate"] for each in windows if each["from"] <= minute < each["to"]), None)
