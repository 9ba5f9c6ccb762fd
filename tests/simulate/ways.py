"""Who says how a tenant's supply comes back (R6), and who presses the button of a meter that only permits it.

They have a stream of chance of their own. Now and then somebody asks who may not, two ask for both ways at once, or
somebody asks of a tenant who is gone or of a meter without a button: what may not be is refused.
"""

from __future__ import annotations

import random
from functools import partial
from typing import Any

from tests.bench.policy_seen import Seen
from tests.simulate.chances import AT_LEAST_ONCE_METER_DAYS, WAYS_A_TENANT_DAY
from tests.simulate.counter import CHECKER, MAKER, THIRD, Counter
from tests.simulate.house import House
from tests.simulate.memory import Press

MAY, MAY_NOT = ("manager", "finance", "engineer"), ("operations", "payment")
SOON_S, LATE_S = (120.0, 2400.0), (2400.0, 30_000.0)
"""After what time somebody comes to the meter."""


class Ways:
    """Of one house."""

    def __init__(self, house: House, counter: Counter):
        self.house, self.counter, self.chance = house, counter, random.Random(f"ways:{house.plan.seed}")
        self._seens = list(house.judge.by_id.values())
        self._coming: set[str] = set()
        house.judge.permitted.append(self._permitted)
        house.judge.lit.append(self._warned)

    def begin(self) -> None:
        """Draw when people will ask."""
        days, tenants = self.house.plan.days, len(self._seens)
        times = WAYS_A_TENANT_DAY * tenants * days
        least = 1 if tenants * days >= AT_LEAST_ONCE_METER_DAYS else 0
        for _ in range(max(least, int(times) + (self.chance.random() < times % 1))):
            self.house.at(self.chance.random() * 86_400 * days, lambda: self._somebody(self.chance.choice(self._seens)))

    # --- at the counter ---

    def _warned(self, seen: Seen) -> None:
        """Whoever has to fear a cut thinks of how light comes back from it."""
        if self.chance.random() < 0.5:
            self.house.at(self.chance.uniform(60, 9000), partial(self._somebody, seen))

    def _somebody(self, seen: Seen) -> None:
        account, may = seen.room.account, self.chance.random() < 0.8
        close, other = self.chance.sample(("direct", "permit"), 2)
        self._asks(account, close, MAKER, may)
        if self.chance.random() < 0.15:
            self._asks(account, other, self.chance.choice((CHECKER, THIRD)), True)

    def _asks(self, account: str, close: str, who: str, may: bool) -> None:
        words, role = (
            {"account": account, "close": close, "why": "an oven"},
            self.chance.choice(MAY if may else MAY_NOT),
        )

        def heard(answer: dict[str, Any]) -> None:
            if may and answer.get("rule") == "R32":
                self.house.broken.append(f"R32: {role} may not say how supply comes back: {answer.get('error')}")

        self.counter.wants("set-close", words, heard, who, kind="close-way/1", role=role,
                           posted=partial(self._stands, account, close, role))  # fmt: skip

    def _stands(self, account: str, close: str, role: str) -> None:
        self.house.people["set-close"] += 1
        if role not in MAY:
            self.house.broken.append(f"R32: {role} has said how the supply of {account} comes back: {close}")

    # --- at the meter ---

    def _permitted(self, seen: Seen) -> None:
        """Light waits for the button: somebody will come, or says that it shall come by itself."""
        if seen.meter.id not in self._coming:
            if self.chance.random() < 0.2:
                by_itself = partial(self._asks, seen.room.account, "direct", MAKER, True)
                self.house.at(self.chance.uniform(1, 600), by_itself)
            self._coming.add(seen.meter.id)
            after = SOON_S if self.chance.random() < 0.8 else LATE_S
            self.house.at(self.chance.uniform(*after), partial(self._presses, seen))

    def _presses(self, seen: Seen) -> None:
        house, now = self.house, self.house.clock.true.now()
        self._coming.discard(seen.meter.id)
        if not seen.device.press_button(now, house.mono):  # type: ignore[attr-defined]
            return  # It was closed, or taken back, meanwhile.
        house.judge.moved(seen, now)
        house.people["pressed"] += 1
        house.say(f"somebody presses the button of {seen.meter.id}")
        if not seen.device.relay.open:  # type: ignore[attr-defined]
            house.memory.presses.append(Press(house.mono, house.edge.core.book.boot, seen.meter.id))
