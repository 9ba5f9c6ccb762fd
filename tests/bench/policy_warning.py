"""How far the final warning is from half an hour before zero, on steady loads under single prices and by the hour.

Under a manual clock at the line's real pace, because it takes hours of the calendar and none of the figures is about
computing: what is measured is the instant at which a meter's lamp was read back lit. Zero is the judge's own: the load
times the prices ahead, from what the tenant then truly had left.
"""

from __future__ import annotations

import logging
import os
import random
import tempfile
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from tests.bench.policy_seen import Seen
from tests.bench.policy_site import SINGLE, TOU, Plan, Room, RoomMeter
from tests.bench.policy_truth import Prices, micros
from tests.bench.policy_world import World, in_memory

ROOMS, BUILDINGS, HOURS = 24, 4, 4.0
LEAD_S, POLL_S = 1800, 60
FAR_S = 6 * 3600


def warned(seed: int, rooms: int) -> list[float]:
    """Seconds by which each warning came early (or late, below zero)."""
    logging.disable(logging.CRITICAL)
    errors: dict[str, float] = {}
    with tempfile.TemporaryDirectory(prefix="riser-bench-", dir=in_memory()) as scratch:
        world = World(Path(scratch), _plan(seed, rooms), stride_s=20.0)

        def lit(seen: Seen) -> None:
            if seen.room.account not in errors:
                errors[seen.room.account] = _zero_in_s(world, seen) - LEAD_S

        world.judge.lit.append(lit)
        world.connect()
        world.live(HOURS + 1)
        world.stop_edge()
    if missing := {room.account for room in world.plan.rooms} - errors.keys():
        raise AssertionError(f"seed {seed}: nobody warned {', '.join(sorted(missing))}")
    return list(errors.values())


def _plan(seed: int, rooms: int) -> Plan:
    """Steady loads whose money lasts for one to four hours, at any time of the day."""
    chance = random.Random(f"steady:{seed}")
    start = datetime(2026, 11, 18, chance.randrange(24), chance.randrange(60), tzinfo=UTC)
    empty = Plan(seed, "Asia/Shanghai", start, 1, (), {}, lines=2, poll_s=POLL_S, trust="always")
    prices, made = Prices(empty), []
    for n in range(1, rooms + 1):
        tariff = chance.choice(("single", "tou"))
        meter = RoomMeter(f"m{n:03d}", n % 2, f"{n:012d}", "constant", int(10 ** chance.uniform(2.7, 4.3)), n)
        begin, end = micros(start), micros(start) + int(chance.uniform(1, HOURS) * 3600e6)
        nano = sum((b - a) * micro * meter.watts for a, b, micro in prices.pieces(tariff, begin, end)) // 3_600_000_000
        made.append(Room(f"a{n:03d}", tariff, max(nano // 10**7, 1), (meter,)))
    return replace(empty, rooms=tuple(made))


def _zero_in_s(world: World, seen: Seen) -> float:
    """When the money is truly used up, from now; found by halving."""
    now = world.clock.true.now()
    left, now_us = world.judge.left_nano(seen.room.account, now), micros(now)
    soonest, latest = 0, FAR_S * 10**6
    while latest - soonest > 10**5:
        middle = (soonest + latest) // 2
        if seen.used.ahead(now_us, now_us + middle) >= left:
            latest = middle
        else:
            soonest = middle
    return latest / 1e6


def run(say: Callable[[str], None], quick: bool = False) -> dict[str, Any]:
    """All steady buildings."""
    assert min(min(SINGLE.values()), min(TOU.values())) > 0
    rooms, buildings = (8, 2) if quick else (ROOMS, BUILDINGS)
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        early_s = [each for part in pool.map(partial(warned, rooms=rooms), range(buildings)) for each in part]
    apart = sorted(map(abs, early_s))
    p95 = apart[-(-95 * len(apart) // 100) - 1]
    say(f"final warnings: {len(apart)}, {p95:.0f} s from half an hour before zero (p95), worst {apart[-1]:.0f} s")
    return {
        "final_warning_error_s_p95": round(p95, 1),
        "details": {"warnings": {"count": len(apart), "median_s": round(apart[len(apart) // 2], 1),
                                 "earliest_s": round(max(early_s), 1), "latest_s": round(min(early_s), 1)}},
    }  # fmt: skip
