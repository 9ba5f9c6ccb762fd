"""Tenants who move out and others who move in, by the requests of the panel: final reading, settlement, an empty room,
a new account, and money that is still under way to the old one.

What was paid too late is refused; it is never booked to whoever lives there now (R33).
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import partial

from tests.bench.policy_seen import Seen
from tests.bench.policy_site import Room
from tests.bench.policy_truth import micros
from tests.simulate.counter import Counter
from tests.simulate.house import House
from tests.simulate.till import Till

AGAIN_S = (900.0, 4000.0)
TRIES = 60
EMPTY_S = (300.0, 90_000.0)
NANO_PER_FEN = 10**7


@dataclass
class Lease:
    """Who pays for some meters from when to when, as the people know it; the moments are the widest that it can be."""

    meters: frozenset[str]
    from_us: int
    to_us: int | None = None


class Movers:
    """Of one house."""

    def __init__(self, house: House, till: Till, counter: Counter, chance: random.Random):
        self.house, self.till, self.counter, self.chance = house, till, counter, chance
        self._wants = random.Random(f"newcomers:{house.plan.seed}")
        self._busy: set[str] = set()
        self._tenants = 0
        self.leases = {
            room.account: Lease(frozenset(meter.id for meter in room.meters), 0) for room in house.plan.rooms
        }

    # --- out ---

    def moves(self, seen: Seen) -> bool:
        """Whoever lives there gives notice."""
        account = seen.room.account
        if seen.vacant or account in self._busy or self.house.memory.recovering:
            return False
        self._busy.add(account)
        self.house.say(f"{account} moves out")
        self._settles(seen.room, 0)
        return True

    def _settles(self, room: Room, tries: int) -> None:
        """The meters are read, then one proposes and another approves."""
        if tries > TRIES:
            self.house.say(f"{room.account} stays after all")
            self._busy.discard(room.account)
            return
        for seen in self.house.judge.rooms[room.account]:
            self.house.asks("read", meter=seen.meter.id)
        words = {"account": room.account, "method": "transfer", "papers": "photo 88", "why": "contract ended"}

        def over(why: str | None) -> None:
            if why is None:
                return
            if "are owed" in why:
                self._pays_off(room.account)
            self.house.at(self.chance.uniform(*AGAIN_S), lambda: self._settles(room, tries + 1))

        self.house.at(60, lambda: self.counter.agree(
            "settle", "approve-money", words, over, posted=lambda: self._out(room)
        ))  # fmt: skip

    def _pays_off(self, account: str) -> None:
        left = self.house.judge.left_nano(account, self.house.clock.true.now())
        self.till.pays(account, max(-left // NANO_PER_FEN, 0) + self.chance.randrange(100, 500))

    def _out(self, room: Room) -> None:
        """The settlement stands in the book."""
        house, now = self.house, self.house.clock.true.now()
        seens = list(house.judge.rooms[room.account])
        house.judge.moves_out(room.account, now)
        self.till.leaves(room.account)
        self.leases[room.account].to_us = micros(now)
        house.people["moved-out"] += 1
        house.say(f"{room.account} has moved out")
        for _ in range(self.chance.randrange(3)):  # Their bank, a relative: late, and nobody's money now.
            house.at(self.chance.uniform(1, 100_000), lambda: self.till.pays(room.account, 20_00))
        if self.chance.random() < 0.3:
            house.at(self.chance.uniform(60, 3000), lambda: self._painters(seens[0]))
        house.at(self.chance.uniform(*EMPTY_S), partial(self._in, room, seens, 0))

    def _painters(self, seen: Seen) -> None:
        """They need light where nobody lives."""
        if not seen.vacant or seen.held:
            return
        seen.cause = True
        self.house.asks("close", role="engineer", meter=seen.meter.id, why="painters")

    # --- in ---

    def _in(self, room: Room, seens: list[Seen], tries: int) -> None:
        house = self.house
        if tries > TRIES:
            house.say(f"nobody moves in after {room.account}")
            return
        if house.memory.recovering:
            house.at(self.chance.uniform(*AGAIN_S), partial(self._in, room, seens, tries + 1))
            return
        self._tenants += 1
        account = f"{room.account.partition('-')[0]}-{self._tenants}"
        newcomer = Room(account, room.tariff, 0, tuple(seen.meter for seen in seens))
        words = {"account": account, "name": account, "room": account, "tariff": room.tariff, "papers": "lease"}
        words |= {"meters": [seen.meter.id for seen in seens], "household": room.tariff in house.plan.steps}
        close = self._wants.choice((None, None, "direct", "permit"))
        words |= {"close": close} if close and not any(seen.meter.slave for seen in seens) else {}
        asked_us = micros(house.clock.true.now())

        def over(why: str | None) -> None:
            if why is not None:
                house.at(self.chance.uniform(*AGAIN_S), partial(self._in, room, seens, tries + 1))

        def posted() -> None:
            house.judge.moves_in(newcomer, seens)
            self.leases[account] = Lease(frozenset(seen.meter.id for seen in seens), asked_us)
            self.till.joins(newcomer)
            house.opens(seens)
            house.people["moved-in"] += 1
            house.say(f"{account} has moved in")

        self.counter.agree("move-in", "approve-move-in", words, over, posted)
