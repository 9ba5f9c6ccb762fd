"""What happens to one gateway: the bench's life (`policy_life.py`), and all that a book, a broker and a line suffer.

Each kind has a rate by the day, of a meter or of the gateway, and happens at least once in a life that is long enough.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from tests.bench.policy_life import Life
from tests.bench.policy_seen import Seen
from tests.simulate.callers import Callers
from tests.simulate.chances import (
    A_GATEWAY_DAY,
    A_METER_DAY,
    A_TENANT_DAY,
    AT_LEAST_ONCE_METER_DAYS,
    DLT645_ONLY,
    IN_THE_LEAD,
    NAMED,
    NOT_FAULTS,
)  # fmt: skip
from tests.simulate.counter import Counter
from tests.simulate.desk import Desk
from tests.simulate.exchanges import Exchanges
from tests.simulate.forger import Forger
from tests.simulate.house import House
from tests.simulate.movers import Movers
from tests.simulate.recovery import Recovery
from tests.simulate.till import Till
from tests.simulate.ways import Ways


class Fate(Life):
    """Everything that happens to one house."""

    world: House

    def __init__(self, house: House, till: Till, factor: float):
        super().__init__(house)
        self.chance = random.Random(f"fate:{self.plan.seed}")
        self.till, self.factor = till, factor
        self.exchanges, self.recovery = Exchanges(house, self.chance), Recovery(house, till, self.chance)
        self.forger = Forger(house, self.chance)
        self.counter = Counter(house)
        self.movers = Movers(house, till, self.counter, self.chance)
        self.desk = Desk(house, till, self.counter, self.chance)
        self.callers = Callers(house, self.counter, self.chance)
        self.ways = Ways(house, self.counter)

    def begin(self) -> None:
        """Draw when everything will happen."""
        meters, days = len(self._seens), self.plan.days
        table = {what: often * meters * self.factor for what, often in A_METER_DAY.items()}
        table |= {what: often * self.factor for what, often in A_GATEWAY_DAY.items()}
        table |= NOT_FAULTS | {what: often * meters for what, often in A_TENANT_DAY.items()}
        for what, often in table.items():
            if not often:
                continue
            times = often * days
            least = 1 if meters * days >= AT_LEAST_ONCE_METER_DAYS else 0
            for _ in range(max(least, int(times) + (self.chance.random() < times % 1))):
                self.world.at(self.chance.random() * 86_400 * days, self._doing(what))
        self.ways.begin()

    def _doing(self, what: str) -> Callable[[], None]:
        of_a_meter = what in A_METER_DAY or what in A_TENANT_DAY

        act = getattr(self.desk, what, None) or getattr(self, f"_{what}")

        def done() -> None:
            seen = self.chance.choice(self._seens) if of_a_meter else None
            if seen is not None and seen.meter.slave and what in DLT645_ONLY:
                return
            if act(*([seen] if seen else [])) is False:
                return  # It could not happen now.
            if name := NAMED.get(what):
                self.world.happened[name] += 1
                self.world.say(name + (f" at {seen.meter.id}" if seen else ""))

        return done

    def _warned(self, seen: Seen) -> None:
        """Where things may go wrong at all, much does in the half hour that everything turns on."""
        if not self.factor or self.chance.random() > 0.6:
            return
        lead_s = self.world.judge.lead_s
        what = self.chance.choice(IN_THE_LEAD)
        if what == "pay":
            self._in_a_while(1, lead_s + 120, lambda: self._pay(seen))
            return
        of_a_meter = what in A_METER_DAY
        if seen.meter.slave and what in DLT645_ONLY:
            return
        act, name = getattr(self, f"_{what}"), NAMED.get(what)

        def done() -> None:
            if act(*([seen] if of_a_meter else [])) is not False and name:
                self.world.happened[name] += 1
                self.world.say(f"{name} in the lead of {seen.meter.id}")

        self._in_a_while(1, lead_s + 60, done)

    # --- people ---

    def _pay(self, seen: Seen) -> None:
        self.till.pays(seen.room.account, int(self.till.daily_fen(seen.room) * self.chance.choice((0.1, 0.5, 2))))

    def _payment_doubled(self, seen: Seen) -> None:
        self.till.doubled(seen.room.account, int(self.till.daily_fen(seen.room) * self.chance.uniform(0.2, 1.0)))

    def _payment_raced(self, seen: Seen) -> bool:
        return self.till.raced()

    def _forged(self, seen: Seen) -> None:
        self.forger.forges(seen)

    def _price(self) -> bool | None:  # type: ignore[override]
        before = self.happened["price set"]
        if self.world.judge.prices.pending(self.world.clock.true.now()):
            return False
        super()._price()
        if self.happened["price set"] == before:
            return False
        self.world.memory.agreed += 1
        return None

    def _moves(self, seen: Seen) -> bool:
        return self.movers.moves(seen)

    # --- meters and lines ---

    def _late(self, seen: Seen) -> None:
        self._for_a_while("late", seen.meter.id, self.chance.uniform(0.6, 2.5), (60, 4000))

    def _babble(self, seen: Seen) -> None:
        self._for_a_while("babble", seen.meter.id, self.chance.uniform(0.5, 3.0), (30, 1500))

    def _leapt_register(self, seen: Seen) -> None:
        self.exchanges.bend(seen)
        super()._leapt_register(seen)

    def _stuck_register(self, seen: Seen) -> None:
        self.exchanges.stuck_register(seen)

    def _reset_register(self, seen: Seen) -> None:
        self.exchanges.reset_register(seen)

    def _another_number(self, seen: Seen) -> bool | None:  # type: ignore[override]
        if seen.device.serial != seen.meter.serial:  # type: ignore[attr-defined]
            return False
        super()._another_number(seen)
        return None

    def _same_address(self, seen: Seen) -> bool:
        return self.exchanges.same_address(seen)

    def _replaced(self, seen: Seen) -> bool:
        return self.exchanges.replaced(seen)

    def _ratio(self, seen: Seen) -> bool:
        return self.exchanges.ratio(seen)

    def _echo(self) -> None:
        line = self.chance.choice(sorted(self.world.ports))
        self.world.echoing.add(line)
        self._in_a_while(60, 20_000, lambda: self.world.echoing.discard(line))

    def _unplug(self) -> None:
        line = self.chance.choice(sorted(self.world.ports))
        self.world.ports[line].wire.pulled = True
        self._in_a_while(10, 1500, lambda: self.world.ports[line].put_back())

    # --- the gateway ---

    def _cut_at_write(self) -> None:
        self.world.weather.cut_at_write = self.chance.randrange(6)

    def _cut_at_frame(self) -> None:
        self.world.weather.cut_at_frame = self.chance.randrange(200)

    def _cut_at_start(self) -> None:
        """The power comes back, and goes again while the gateway starts."""
        self.world.say("power cut while starting")
        self.world.fall(20.0, cut_again=self.chance.randrange(3))

    def _disk(self, kind: str, shortest_s: float, longest_s: float) -> None:
        self.world.weather.disk = kind
        if kind == "full" and self.chance.random() < 0.5:  # Seen before it is felt.
            self.world.edge.disk.free_bytes = lambda: 0  # type: ignore[method-assign]
        self._in_a_while(shortest_s, longest_s, self.world.disk_well)

    def _disk_full(self) -> None:
        self._disk("full", 60, 20_000)

    def _disk_read_only(self) -> None:
        self._disk("read-only", 60, 10_000)

    def _disk_io(self) -> None:
        self._disk("io", 1, 600)

    def _year_1970(self) -> None:
        world = self.world
        world.unsynchronised_since = world.mono
        self._in_a_while(60, 20_000, self._heard_again)
        world.dark(self.chance.choice((5, 700, 4000)), world.clock.now().replace(year=1970))

    def _drift(self) -> None:
        self.world.clock.drift = self.chance.choice((-1, 1)) * self.chance.uniform(2e-5, 2e-4)
        self._in_a_while(20_000, 170_000, self._steady)

    def _steady(self) -> None:
        self.world.clock.drift = 0.0
        self._right()

    def _broker(self) -> bool | None:
        if self.world.memory.broker_gone:
            return False
        self.world.disconnects()
        self._in_a_while(1, self.chance.choice((20, 600, 20_000)), self.world.connects)
        return None

    def _restored(self) -> bool:
        return self.recovery.restored()

    def _copied(self) -> None:
        self.recovery.copied()
