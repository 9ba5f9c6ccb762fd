"""Meters that are taken down, hung up, reset, stuck, or given each other's address, and transformers that are changed.

An electrician does it at the wall and then tells the gateway; another person approves. Whatever is refused or comes to
nothing is asked for again.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

from bridge.contract.asking import ask
from firmware_sim import shaft as sim_shaft
from tests.bench.policy_seen import Seen
from tests.bench.policy_site import WINDOWS
from tests.bench.policy_truth import micros
from tests.edge.building import KEYS
from tests.simulate import untold
from tests.simulate.house import House
from tests.simulate.memory import Hung

AGAIN_S, TRIES = 1800.0, 60
ENGINEER, CHECKER = "电工老周", "陈楠"
PAPERS = {"papers": "photos 12 and 13", "why": "simulated"}
RATES = ("total", "sharp", "peak", "flat", "valley")


class Exchanges:
    """Of one house."""

    def __init__(self, house: House, chance: random.Random):
        self.house, self.chance = house, chance
        self._count = 0
        self._busy: set[str] = set()
        self._displays: dict[str, dict[str, int]] = {}
        """What the display of a meter showed when it was taken down, where that is what its load used."""

    def bend(self, seen: Seen) -> None:
        """From now on this meter's registers tell something else than its load."""
        self.house.memory.bend(seen.meter.id, micros(self.house.clock.true.now()))

    # --- registers ---

    def stuck_register(self, seen: Seen) -> None:
        """The load flows and the register stands."""
        self.bend(seen)
        device = seen.device
        device.advance(self.house.clock.true.now(), self.house.mono)  # type: ignore[attr-defined]
        metrology = device.metrology  # type: ignore[attr-defined]
        stands = metrology.total_wus, list(metrology.rates_wus)
        begun = micros(self.house.clock.true.now())
        told = [seen.used.until(self.house.clock.true.now())]
        untold.begins(seen, told[0])

        def free() -> None:
            metrology.advance(micros(self.house.clock.true.now()))
            metrology.total_wus, metrology.rates_wus = stands[0], list(stands[1])
            told.append(seen.used.until(self.house.clock.true.now()))

        def hold_back() -> None:
            if not self._hangs(seen, device):
                return
            if micros(self.house.clock.true.now()) - begun < hours * 3600e6:
                free()
                self.house.at(600, hold_back)
            elif metrology.total_wus >= stands[0]:  # Not reset meanwhile.
                untold.ends(seen, told[-1])

        hours = self.chance.uniform(1, 30)
        hold_back()

    def reset_register(self, seen: Seen) -> None:
        """It shows nothing all at once; somebody sees the alarm and hangs another meter up."""
        self.bend(seen)
        untold.begins(seen, untold.surely_told(self.house, seen))
        seen.device.advance(self.house.clock.true.now(), self.house.mono)  # type: ignore[attr-defined]
        metrology = seen.device.metrology  # type: ignore[attr-defined]
        metrology.total_wus, metrology.rates_wus = 0, [0, 0, 0, 0]
        self.house.at(self.chance.uniform(3600, 40_000), lambda: self.replaced(seen) or self._later(seen))

    def _later(self, seen: Seen) -> None:
        self.house.at(AGAIN_S, lambda: self.replaced(seen) or self._later(seen))

    def same_address(self, seen: Seen) -> bool:
        """A meter of the same line is given this one's address."""
        others = [each for each in self.house.judge.by_id.values() if each.meter.line == seen.meter.line]
        other = self.chance.choice(others)
        if other is seen or {seen.meter.id, other.meter.id} & self._busy:
            return False
        device, own = other.device, other.device.wire  # type: ignore[attr-defined]
        device.wire = seen.device.wire  # type: ignore[attr-defined]
        self._busy.add(other.meter.id)

        def right() -> None:
            device.wire = own  # type: ignore[attr-defined]
            self._busy.discard(other.meter.id)

        self.house.at(self.chance.uniform(100, 20_000), right)
        return True

    def _hangs(self, seen: Seen, device: Any) -> bool:
        return seen.device is device

    # --- another meter ---

    def replaced(self, seen: Seen) -> bool:
        """Another meter hangs there, and the gateway is told."""
        house, now = self.house, self.house.clock.true.now()
        if seen.cut or seen.held or seen.meter.id in self._busy or house.memory.recovering or seen.meter.slave:
            return False
        if seen.device.serial != seen.meter.address:  # type: ignore[attr-defined]
            return False
        self._busy.add(seen.meter.id)
        self._count += 1
        old = seen.device
        old.advance(now, house.mono)  # type: ignore[attr-defined]
        shown = [steps * 10 for steps in old.metrology.registers()]  # type: ignore[attr-defined]
        straight = house.memory.hung[seen.meter.id][-1].bent_us is None
        read_off = straight and self.chance.random() < 0.5
        display = dict(zip(RATES, shown, strict=True))
        untold.begins(seen, seen.used.until(now) if read_off else untold.surely_told(house, seen))
        address = f"{900_000 + self._count:012d}"
        newcomer = self._hang_up(seen, address)
        house.say(f"{seen.meter.id} is another meter now, {address}")
        words: dict[str, Any] = {"meter": seen.meter.id, "address": address, "serial": address, **PAPERS}
        words |= {"closing": display} if read_off else {}
        house.memory.hung[seen.meter.id].append(Hung(micros(now), newcomer))
        self._displays |= {seen.meter.id: display} if straight else {}

        def agreed() -> None:
            """From what the new one has just said on, all that is used is told again."""
            untold.ends(seen, seen.used.newest())

        self.house.at(self.chance.uniform(10, 3000), lambda: self._propose(seen, "replace-meter", words, agreed))
        return True

    def _hang_up(self, seen: Seen, address: str) -> Any:
        house, meter = self.house, seen.meter
        hours = tuple({"from": begins, "rate": rate} for begins, rate in WINDOWS)
        table = sim_shaft.day_table_of(list(hours)) if seen.room.tariff == "tou" and meter.own_hours else ((0, 3),)
        row = {
            "id": meter.id, "line": f"line-{meter.line}", "model": "dlt645-3p", "address": address, "serial": address,
            "registers": ["0.35", "0.05", "0.10", "0.15", "0.05"], "day_table": "own",
            "load": {"kind": meter.kind, "watts": meter.watts, "seed": meter.seed},
        }  # fmt: skip
        newcomer = sim_shaft._meter(row, {"own": table}, ZoneInfo(house.plan.zone), house.clock.true.now())
        line = house.shaft.lines[f"line-{meter.line}"]
        line.meters = [newcomer if each is seen.device else each for each in line.meters]
        line.set_faults(line.faults)
        house.shaft.meters[meter.id] = newcomer
        del house.judge.meters[bytes.fromhex(meter.address)[::-1]]
        house.memory.addresses.add(address)
        seen.meter, seen.device = replace(meter, address=address), newcomer
        house.judge.meters[bytes.fromhex(address)[::-1]] = seen
        seen.read_s.clear()
        house.judge.moved(seen, house.clock.true.now())
        return newcomer

    # --- another transformer ---

    def ratio(self, seen: Seen) -> bool:
        """From now on a kWh of the register stands for another number of them."""
        if seen.meter.id in self._busy or seen.held or self.house.memory.recovering:
            return False
        multiplier = self.chance.choice([each for each in (1, 20, 30) if each != seen.meter.multiplier])
        self._busy.add(seen.meter.id)

        def agreed() -> None:
            before, seen.meter = seen.meter, replace(seen.meter, multiplier=multiplier)
            seen.used.changed(self.house.clock.true.now(), seen.meter)
            apart = abs(before.multiplier - multiplier)
            dearest = self.house.judge.prices.dearest(seen.room.tariff)
            seen.slack_nano += int(seen.meter.watts * 1.3 * apart * 120 / 3600 * dearest)

        words = {"meter": seen.meter.id, "multiplier": multiplier, **PAPERS}
        self._propose(seen, "change-multiplier", words, agreed)
        return True

    # --- two people ---

    def _propose(
        self, seen: Seen, operation: str, words: dict[str, Any], agreed: Callable[[], None], tries: int = 0
    ) -> None:
        """One proposes; what comes to nothing is proposed anew."""
        house = self.house
        if tries > TRIES:
            house.say(f"{operation} of {seen.meter.id} is given up")
            self._busy.discard(seen.meter.id)
            return
        self._count += 1
        transaction = f"swap-{house.plan.seed}-{self._count:06d}"
        open_now = [True]

        def anew() -> None:
            if open_now[0]:
                open_now[0] = False
                self._propose(seen, operation, words, agreed, tries + 1)

        def answered(answer: dict[str, Any]) -> None:
            if answer["status"] == "accepted" or not open_now[0]:
                return
            if answer["status"] != "done":
                house.say(f"{operation} of {seen.meter.id}: {answer['status']} {answer.get('error')}")
                if "display" in (answer.get("error") or "") and seen.meter.id in self._displays:
                    words["closing"] = self._displays.pop(seen.meter.id)
                return  # Asked again when its time is over.
            open_now[0] = False
            self._approve(seen, answer["data"]["proposal"], agreed, anew_from=(operation, words, tries))

        house.ear.answers[transaction] = answered
        if house.broker.connected:
            key = ("shell", KEYS["shell"])
            topic, payload, _ = ask(house.edge.topics, house.clock.true, key, operation, who=ENGINEER, role="engineer",
                                    transaction=transaction, **words)  # fmt: skip
            house.arrives(topic, payload)
        house.at(AGAIN_S, anew)

    def _approve(self, seen: Seen, proposal: str, agreed: Callable[[], None], anew_from: tuple[Any, ...]) -> None:
        """Another person says yes, at the gateway itself and at once."""

        def now() -> None:
            answer = self.house.asks("approve-meter", who=CHECKER, proposal=proposal)
            if answer.get("status") == "done":
                self.house.memory.agreed += 1
                self._busy.discard(seen.meter.id)
                agreed()
            elif answer.get("status") == "refused":
                operation, words, tries = anew_from
                self.house.say(f"{operation} of {seen.meter.id} not approved: {answer.get('error')}")
                self.house.at(AGAIN_S, lambda: self._propose(seen, operation, words, agreed, tries + 1))
            else:
                self.house.at(60, now)

        self.house.at(0.0, now)
