"""Some gateways under one clock: whichever is furthest behind goes on; after each day all of it is checked."""

from __future__ import annotations

import gc
import hashlib
import itertools
import logging
import random
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from bridge.contract import asking, kernel_clock
from edge import install, new_epoch
from tests.bench.policy_world import in_memory
from tests.simulate.checker import Breach, Checker
from tests.simulate.draw import drawn
from tests.simulate.fate import Fate
from tests.simulate.house import House
from tests.simulate.till import Till
from tests.simulate.witnesses_clock import clock_waits

FACTORS = {"none": 0.0, "some": 1.0, "hostile": 3.0}
"""How often what can go wrong does."""

BADNESS = {"none": 0.0, "some": 0.03, "hostile": 0.15}
"""How many of the messages suffer."""

SETTLED_S, TOLD_WITHIN = 240.0, 40
TOLD_AT_MOST = 20
DEATHS_AT_MOST = 20
"""A program that dies so often in a day is not waited for."""

LAST_EVENTS = 20


@dataclass
class Lived:
    """One gateway and everybody around it."""

    house: House
    till: Till
    fate: Fate
    checker: Checker


class Town:
    """All gateways of a run."""

    def __init__(self, scratch: Path, *, days: int, meters: int, gateways: int, seed: int, faults: str):
        self.days, self.meters, self.gateways, self.seed, self.faults = days, meters, gateways, seed, faults
        self.meter_days = 0
        self._known_ids(seed)
        self.lives = [self._life(scratch, number) for number in range(gateways)]

    def _known_ids(self, seed: int) -> None:
        """What an edge and those who ask it draw by themselves, epochs and transactions, comes from the seed too."""
        drawn = _Drawn(random.Random(f"ids:{seed}"))
        for module in (install, new_epoch, asking):
            module.secrets = drawn  # type: ignore[attr-defined]

    def _life(self, scratch: Path, number: int) -> Lived:
        count = self.meters // self.gateways + (number < self.meters % self.gateways)
        plan = drawn(self.seed, number, count, self.days, self.faults != "none")
        house = House(scratch / plan.gateway, plan, BADNESS[self.faults])
        till = Till(house)
        fate = Fate(house, till, FACTORS[self.faults])
        checker = Checker(house, till, fate)
        house.before_restoring = checker.look
        house.restored += [checker.restored, fate.counter.forgets, fate.desk.begins_anew]
        house.connect()
        fate.begin()
        return Lived(house, till, fate, checker)

    # --- time ---

    def live(self, say: Callable[[str], None]) -> None:
        """All days, or to the end of the first on which there was a breach: the rest would be its consequences."""
        for day in range(1, self.days + 1):
            self._until(timedelta(days=day))
            for life in self.lives:
                life.checker.look()
                life.house.counts()
            self.meter_days += self.meters
            if self.breaches:
                return
            if day % 30 == 0:
                say(f"day {day}: {sum(self.happened.values())} faults, no breach")
        self._settle()

    def _until(self, since_start: timedelta, longer: dict[str, timedelta] | None = None) -> None:
        """`longer`: by gateway, how much later."""
        waiting, longer = list(self.lives), longer or {}
        while waiting:
            life = min(waiting, key=lambda each: each.house.clock.true.now() - each.house.plan.start)
            house = life.house
            ends = house.plan.start + since_start + longer.get(house.plan.gateway, timedelta())
            left_s = (ends - house.clock.true.now()).total_seconds()
            if left_s <= 0 or len(house.broken) >= DEATHS_AT_MOST or house.stands_still():
                waiting.remove(life)
                continue
            kernel_clock.is_synchronised = house.is_synchronised
            house._until = house.mono + left_s
            for _ in range(50):  # A few turns before the next is looked for.
                if house.mono >= house._until:
                    break
                house.turn()

    def _settle(self) -> None:
        """Everything that is wrong ends; then nothing may be missing anywhere. Who was without power beyond the last
        day has the same time for it."""
        over = {}
        for life in self.lives:
            life.house.heals()
            house, days = life.house, timedelta(days=self.days)
            over[house.plan.gateway] = max(house.clock.true.now() - house.plan.start - days, timedelta())
        for part in itertools.count(1):
            for life in self.lives:
                life.house.shown.look = True  # The newest number is told, by which a listener knows what it missed.
            self._until(timedelta(days=self.days, seconds=part * SETTLED_S), over)
            missing = [life.house.ear.misses(now=True) for life in self.lives]
            waiting = any(life.house.memory.recovering or clock_waits(life.house) for life in self.lives)
            if (part >= 3 and not any(missing) and not waiting) or part > 20:
                break
        for life in self.lives:
            for _ in range(TOLD_WITHIN):  # What was written in the very last turn is still on its way.
                if life.house.ear.seq < life.house.edge.core.book.seq:
                    life.house.pump()
            life.checker.look(whole=True)
            life.checker.end()

    # --- what came of it ---

    @property
    def breaches(self) -> list[Breach]:
        return [each for life in self.lives for each in life.checker.breaches]

    @property
    def happened(self) -> Counter[str]:
        return sum((life.house.happened for life in self.lives), Counter[str]())

    @property
    def people(self) -> Counter[str]:
        return sum((life.house.people for life in self.lives), Counter[str]())

    def digest(self) -> str:
        """One hash over every book and every frame."""
        whole = hashlib.sha256()
        for life in self.lives:
            whole.update(life.house.digest.digest() + life.house.edge.core.book.hash.encode())
        return whole.hexdigest()

    def last_events(self) -> list[str]:
        """What happened last where something went wrong."""
        first = self.breaches[0].gateway
        life = next(each for each in self.lives if each.house.plan.gateway == first)
        return list(life.house.log)[-LAST_EVENTS:]


class _Drawn:
    """`secrets` with a seed."""

    def __init__(self, chance: random.Random):
        self._chance = chance

    def token_hex(self, count: int) -> str:
        return self._chance.randbytes(count).hex()

    def token_urlsafe(self, count: int) -> str:
        return self.token_hex(count)


def simulate(
    *, days: int, meters: int, gateways: int, seed: int, faults: str, say: Callable[[str], None] = lambda text: None
) -> dict[str, Any]:
    """Live it, and tell what was found."""
    logging.disable(logging.CRITICAL)  # Much is told to people here, and nobody reads it.
    gc.freeze()
    began, cpu = time.perf_counter(), time.process_time()
    with tempfile.TemporaryDirectory(prefix="riser-simulate-", dir=in_memory()) as scratch:
        town = Town(Path(scratch), days=days, meters=meters, gateways=gateways, seed=seed, faults=faults)
        town.live(say)
        wall_s = time.perf_counter() - began
        found = figures(town, wall_s, time.process_time() - cpu)
        for life in town.lives:
            life.house.edge.core.book.close()
    return found


def figures(town: Town, wall_s: float, cpu_s: float) -> dict[str, Any]:
    """The keys that are promised, and some more."""
    gaps = [life.house.judge.smallest_gap_s for life in town.lives]
    money: Counter[str] = Counter()
    for life in town.lives:
        money.update(life.checker.money())
    breaches = town.breaches
    return {
        "days": town.days, "meters": town.meters, "gateways": town.gateways, "seed": town.seed,
        "faults": sum(town.happened.values()) - town.happened["power-cut-inside"],  # Counted when it was armed.
        "events": sum(life.house.events for life in town.lives),
        "violations": len(breaches), "wall_s": round(wall_s, 1),
        "meter_days_per_s": round(town.meter_days / wall_s, 1), "cpu_s": round(cpu_s, 1),
        "smallest_warning_gap_s": min((round(gap, 1) for gap in gaps if gap is not None), default=None),
        "topups": money["topups"], "lost": money["lost"], "doubled": money["doubled"],
        "by_kind": dict(sorted(town.happened.items())), "people": dict(sorted(town.people.items())),
        "cuts": sum(life.house.judge.trips for life in town.lives),
        "closes": sum(life.house.judge.closes for life in town.lives),
        "entries": sum(life.checker.known.seq for life in town.lives),
        "breaches": [each.sentence for each in breaches[:TOLD_AT_MOST]],
        "last_events": town.last_events() if breaches else [],
        "digest": town.digest(),
    }  # fmt: skip
