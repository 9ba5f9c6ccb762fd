"""The life of a made-up building: what people, meters, the line and the gateway's clock do to it, as the seed draws it.

Payments too small, enough and in the last second, holds, keep-power set at the meter, registers that leap, numbers that
change, contacts that stick or are moved by hand, silent meters (whose days are estimated), noise, power cuts of the
gateway, wrong calendars, a kernel that is unsure, a machine that sleeps, new prices, requests that are old or retained.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from bridge.contract.asking import ask
from bridge.contract.units import instant_text
from firmware_sim.loads import WUS_PER_WH
from tests.bench.policy_seen import Seen
from tests.bench.policy_site import price_of
from tests.bench.policy_world import World
from tests.edge.building import KEYS

A_DAY = {
    "pay": 0.25, "hold": 0.05, "keep": 0.03, "silent": 0.12, "noise": 0.03, "sly": 0.02, "stuck": 0.03, "by_hand": 0.04,
    "leapt_register": 0.02, "another_number": 0.02, "stale_request": 0.03,
}  # fmt: skip
"""How often each thing happens to a tenant in a day."""

A_BUILDING_DAY = {"dark": 0.5, "calendar": 0.25, "unsure": 0.15, "sleep": 0.1, "price": 0.3, "brake": 1.5}
"""And to the whole building."""


class Life:
    """What happens to one building."""

    def __init__(self, world: World):
        self.world, self.plan = world, world.plan
        self.chance = random.Random(f"life:{self.plan.seed}")
        self.happened: Counter[str] = Counter()
        self._seens = list(world.judge.by_id.values())
        world.judge.lit.append(self._warned)

    def live(self) -> None:
        """All its days."""
        self.world.connect()
        self.world.live(0.1)
        for what, often in (*A_DAY.items(), *A_BUILDING_DAY.items()):
            times = often * self.plan.days * (len(self.plan.rooms) if what in A_DAY else 1)
            for _ in range(int(times) + (self.chance.random() < times % 1)):
                self.world.at(self.chance.random() * 86_400 * self.plan.days, self._doing(what))
        self.world.live(24 * self.plan.days)

    def _doing(self, what: str) -> Callable[[], None]:
        def done() -> None:
            self.happened[what] += 1
            if what in A_DAY:
                getattr(self, f"_{what}")(self.chance.choice(self._seens))
            else:
                getattr(self, f"_{what}")()

        return done

    def _in_a_while(self, shortest_s: float, longest_s: float, act: Callable[[], None]) -> None:
        self.world.at(self.chance.uniform(shortest_s, longest_s), act)

    def _warned(self, seen: Seen) -> None:
        """The half hour that everything turns on has begun: much happens just now."""
        lead_s = self.world.judge.lead_s
        if self.chance.random() < 0.4:
            self._in_a_while(1, lead_s + 120, lambda: self._pay(seen))
        for what, likely in (("dark", 0.1), ("silent", 0.1), ("keep", 0.05), ("hold", 0.05), ("by_hand", 0.03),
                             ("sleep", 0.03), ("calendar", 0.05), ("unsure", 0.03), ("stuck", 0.05)):  # fmt: skip
            if self.chance.random() < likely:
                act = getattr(self, f"_{what}")
                self._in_a_while(1, lead_s + 60, (lambda act=act: act(seen)) if what in A_DAY else act)

    # --- people ---

    def _pay(self, seen: Seen) -> None:
        hourly = max(seen.meter.watts * seen.meter.multiplier / 1000 * 0.85, 0.05)
        fen = int(hourly * self.chance.choice((0.2, 1, 4, 24)) * self.chance.uniform(0.5, 1.5) * 100)
        self.happened["paid"] += self.world.pay(seen.room.account, min(max(fen, 100), 4_000_000))

    def _hold(self, seen: Seen) -> None:
        self.world.hold(seen, True)
        self._in_a_while(30, 40_000, lambda: self.world.hold(seen, False))

    def _brake(self) -> None:
        if self.world.asks("brake", why="looked at it").get("status") == "done":
            self.happened["brake released"] += 1
            self.world.judge.brake_released()

    def _price(self) -> None:
        """A new price, from now or from a coming hour on."""
        world, prices = self.world, self.world.judge.prices
        id = self.chance.choice(sorted(self.plan.prices))
        factor = self.chance.choice((50, 90, 110, 130, 200))
        new = {rate: micro * factor // 100 for rate, micro in prices.newest(id).items()}
        if not 100_000 < min(new.values()) <= max(new.values()) < 5_000_000:
            return
        at = world.clock.true.now() + timedelta(minutes=self.chance.randrange(2, 600))
        at = at.replace(second=0, microsecond=0)
        asked = world.asks(
            "propose-price",
            price=price_of(id, new, self.plan.steps.get(id)),
            effective_at=instant_text(at),
            why="bench",
        )
        if asked.get("status") in ("accepted", "done"):
            proposal = asked["data"]["proposal"]
            if world.asks("approve-price", who="陈楠", proposal=proposal).get("status") == "done":
                self.happened["price set"] += 1
                prices.agreed(id, int(at.timestamp()) * 10**6, new)

    def _stale_request(self, seen: Seen) -> None:
        """An order to cut that is retained, or lay about for ten minutes."""
        world = self.world
        topic, payload, _ = ask(world.edge.topics, world.clock.true, ("shell", KEYS["shell"]), "trip", who="王敏",
                                role="manager", meter=seen.meter.id, why="bench")  # fmt: skip
        if self.chance.random() < 0.5:
            world.deliver(topic, payload, retained=True)
        elif not world.clock.off_s and world.unsynchronised_since is None:
            world.at(600, lambda: world.clock.off_s == 0 and world.deliver(topic, payload))

    # --- meters ---

    def _keep(self, seen: Seen) -> None:
        self._set_keep(seen, True)
        self._in_a_while(60, 90_000, lambda: self._set_keep(seen, False))

    def _set_keep(self, seen: Seen, on: bool) -> None:
        seen.device.relay.keep_power = on  # type: ignore[attr-defined]
        seen.kept &= on

    def _silent(self, seen: Seen) -> None:
        self._for_a_while("silent", seen.meter.id, True, (60, self.chance.choice((900, 7200, 200_000))))

    def _noise(self, seen: Seen) -> None:
        self._for_a_while("noise", f"line-{seen.meter.line}", self.chance.uniform(0.05, 0.4), (600, 20_000))

    def _sly(self, seen: Seen) -> None:
        """Damage that a sum does not show, for minutes."""
        self._for_a_while("flips", seen.meter.id, "sly", (5, 60))

    def _stuck(self, seen: Seen) -> None:
        self._for_a_while("stuck", seen.meter.id, True, (600, 60_000))

    def _for_a_while(self, kind: str, place: str, value: Any, between_s: tuple[float, float]) -> None:
        self.world.fault(kind, place, value)
        self._in_a_while(*between_s, lambda: self.world.fault(kind, place, None))

    def _by_hand(self, seen: Seen) -> None:
        """Somebody moves the contact at the meter."""
        world, device = self.world, seen.device
        device.advance(world.clock.true.now(), world.mono)  # type: ignore[attr-defined]
        relay = device.relay  # type: ignore[attr-defined]
        relay.open, relay.order = not relay.open, None
        relay.commanded_open = relay.open
        device.settle_relay()  # type: ignore[attr-defined]
        world.judge.moved(seen, world.clock.true.now())

    def _leapt_register(self, seen: Seen) -> None:
        """The register shows what no load can have used, and later does not any more."""
        leap_wus = self.chance.choice((10_000, -1000)) * 1000 * WUS_PER_WH
        metrology = seen.device.metrology  # type: ignore[attr-defined]

        def leap(wus: int) -> None:
            metrology.total_wus += wus
            metrology.rates_wus[2] += wus

        leap(leap_wus)
        self._in_a_while(300, 40_000, lambda: leap(-leap_wus))

    def _another_number(self, seen: Seen) -> None:
        """Another meter hangs at this address, unannounced."""
        device = seen.device
        device.serial = "909090909090"  # type: ignore[attr-defined]
        self._in_a_while(600, 80_000, lambda: setattr(device, "serial", seen.meter.serial))

    # --- the gateway ---

    def _dark(self) -> None:
        world = self.world
        calendar = None
        if self.chance.random() < 0.2:  # No battery behind the clock: it goes on where it stood, or begins in 1970.
            calendar = self.chance.choice((world.clock.now(), world.clock.now().replace(year=1970)))
            world.unsynchronised_since = world.mono
            self._in_a_while(60, 20_000, self._heard_again)
        world.dark(self.chance.choice((0.5, 45, 700, 4000, 30_000)) * self.chance.random(), calendar)

    def _calendar(self) -> None:
        self.world.leap(self.chance.choice((-1, 1)) * self.chance.choice((240, 2400, 9000, 86_400, 40 * 86_400)))
        self._in_a_while(60, 20_000, self._right)

    def _right(self) -> None:
        self.world.leap(0)

    def _heard_again(self) -> None:
        """A good time server."""
        self._right()
        self._sure()

    def _unsure(self) -> None:
        self.world.unsynchronised_since = self.world.mono
        self._in_a_while(60, 20_000, self._sure)

    def _sure(self) -> None:
        self.world.unsynchronised_since = None

    def _sleep(self) -> None:
        self.world.clock.sleep(self.chance.choice((20, 600, 3600)) * self.chance.random())
