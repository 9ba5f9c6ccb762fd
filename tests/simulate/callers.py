"""Somebody at the office who hears of a final warning and tells the tenant: where a meter has no lamp nothing else
counts as delivered (R1).
"""

from __future__ import annotations

import random
from functools import partial

from tests.simulate.counter import Counter, nothing
from tests.simulate.house import House

PAGE = 0.4
"""So many of these tenants look at their page before the office rings."""


class Callers:
    """Of one house."""

    def __init__(self, house: House, counter: Counter, chance: random.Random):
        self.house, self.counter, self.chance = house, counter, chance
        self._heard: set[tuple[str, int]] = set()
        house.ear.warned = self.warned

    def warned(self, account: str, episode: int) -> None:
        """A warning was published; the office hears it once, however often it is told."""
        seens = self.house.judge.rooms.get(account, [])
        if (account, episode) in self._heard or not seens:
            return
        self._heard.add((account, episode))
        if self.chance.random() < (0.9 if seens[0].meter.slave else 0.05):
            self.house.at(self.chance.uniform(20, 3000), partial(self._tells, account, episode))

    def _tells(self, account: str, episode: int) -> None:
        """By phone, or the tenant has seen their own page first."""
        seen = random.Random(f"page:{self.house.plan.seed}:{account}:{episode}").random() < PAGE
        how, role = ("page", "tenant") if seen else ("phone", "manager")
        words = {"account": account, "how": how, "episode": episode}
        wish = self.counter.wants("told", words, nothing, kind="delivered/1", role=role,
                                  posted=lambda: self._told(account, wish.sent))  # fmt: skip

    def _told(self, account: str, sent_mono: float) -> None:
        self.house.people["told"] += 1
        self.house.judge.was_told(account, sent_mono)
