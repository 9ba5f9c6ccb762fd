"""`efficiency_*`, `gap_violations`, `loaded_loss`: 32 meters on one line, read alone and then under load."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.bench.bus_load import CLOSED_WITHIN_S, Load, closings
from tests.bench.bus_rig import BusRig, bus_rig
from tests.bench.bus_site import Building
from tests.bench.judged import Wire, efficiency

ACCOUNTS = 1000
METERS = 32
BEFORE_MIDNIGHT_S = 8.0
"""The loaded window begins so long before the day is closed."""

Say = Callable[[str], None]


@dataclass(frozen=True)
class Plan:
    """One line's measurement: `alone_s` and `loaded_s` are the windows, each of at least so many whole sweeps."""

    key: str
    wire: Wire
    warm_s: float
    alone_s: float
    loaded_s: float
    sweeps: int


def building(wire: Wire, loaded: bool) -> Building:
    return Building(wire, meters_each=METERS, far_accounts=ACCOUNTS - METERS if loaded else 0)


def read(
    plan: Plan,
    say: Say,
    afterwards: Callable[[BusRig, dict[str, Any]], None] | None = None,
    then: Callable[[BusRig, dict[str, Any]], None] | None = None,
    loaded: bool = True,
) -> dict[str, Any]:
    """Read alone; `afterwards` is done while nothing else goes on. Then under load, and `then` while it goes on."""
    found: dict[str, Any] = {"key": plan.key}
    if plan.alone_s:
        _alone(plan, say, found, afterwards)
    if loaded:
        _loaded(plan, say, found, then)
    return found


def _alone(
    plan: Plan, say: Say, found: dict[str, Any], afterwards: Callable[[BusRig, dict[str, Any]], None] | None
) -> None:
    with bus_rig(building(plan.wire, False)) as rig:
        rig.all_read(2, plan.warm_s * 3)
        begin = time.monotonic()
        end = rig.judged(begin, plan.alone_s, plan.sweeps, plan.warm_s * 3)
        found["alone"] = efficiency(plan.wire, rig.judge.between(begin, end))
        found["answered"] = told_against_answered(rig, begin, end - 3.0)
        say(f"{plan.key}: alone {found['alone']['efficiency']}")
        if afterwards is not None:
            afterwards(rig, found)


def _loaded(plan: Plan, say: Say, found: dict[str, Any], then: Callable[[BusRig, dict[str, Any]], None] | None) -> None:
    with bus_rig(building(plan.wire, True), plan.warm_s + BEFORE_MIDNIGHT_S) as rig:
        load = Load(rig)
        load.start()
        rig.all_read(1, plan.warm_s * 3)
        begin = time.monotonic()
        if begin > rig.midnight_s:
            raise AssertionError(f"{plan.key}: the first sweep took until midnight; the bench cannot judge the close")
        rig.rest(rig.midnight_s - BEFORE_MIDNIGHT_S)
        begin = time.monotonic()
        rig.wait(lambda: closings(rig, 0, 0)["closed"] >= ACCOUNTS, CLOSED_WITHIN_S, f"{ACCOUNTS} closings", 0.5)
        end = rig.judged(begin, plan.loaded_s, plan.sweeps, plan.warm_s * 3)
        found["loaded"] = efficiency(plan.wire, rig.judge.between(begin, end), (), rig.midnight_s)
        found["close"] = closings(rig, begin, end)
        if "alone" in found:
            found["loss"] = round(found["alone"]["efficiency"] - found["loaded"]["efficiency"], 4)
        say(f"{plan.key}: loaded {found['loaded']['efficiency']}, {found['close']}")
        if then is not None:
            then(rig, found)
        found["panel"] = load.stop()


def told_against_answered(rig: BusRig, begin: float, end: float) -> dict[str, int]:
    """Good answers of a window whose reading or a later one was not told afterwards, and told ones nobody answered."""
    answers: dict[str, list[tuple[float, int]]] = {}
    for each in rig.judge.exchanges():
        if each.good and each.total is not None:
            answers.setdefault(each.meter, []).append((each.end, each.total))
    told: dict[str, list[tuple[float, int]]] = {}
    for at, where, message in rig.of("meter/"):
        if where.count("/") == 1 and message.get("energy_wh") is not None:
            told.setdefault(where.removeprefix("meter/"), []).append((at, message["energy_wh"]))
    lost = wrong = count = 0
    for meter, values in answers.items():
        heard = told.get(meter, [])
        inside = [(at, wh) for at, wh in values if begin <= at <= end]
        count += len(inside)
        lost += sum(
            not any(at <= when <= at + TOLD_WITHIN_S and wh <= said for when, said in heard)
            and (not heard or not any(when <= at and said == wh for when, said in heard))
            for at, wh in inside
        )
        known = {wh for _, wh in values}
        wrong += sum(said not in known for when, said in heard if begin <= when <= end)
    return {"readings": count, "lost": lost, "wrong": wrong}


TOLD_WITHIN_S = 60.0
"""A damaged or doubted reading may be followed by a better one in the next sweep; later than this it is lost."""
