"""From a payment to the relay read back closed, with 32 meters on one line at 2400 bit/s that is read without a pause.

Under a manual clock, and honest: every byte, think time, time-out and pause passes at the line's real pace, all rows
are asked as shipped, and the seconds that the edge computes are measured and added (in the shipped programs they pass
beside the line). A payment counts from its own instant, in the middle of an exchange as it may be, to the last byte of
the status that says closed. The same in real time, with real processes and fewer meters: `riser bench topup`.
"""

from __future__ import annotations

import logging
import os
import random
import statistics
import tempfile
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from bridge.contract.entries import BROUGHT_IN
from edge import install
from edge.book import Book
from edge.core import Core
from edge.line.inline import Answer
from edge.settings import terms_of
from tests.bench.policy_judge import OPEN, READ, STATUS
from tests.bench.policy_site import Plan, Room, RoomMeter
from tests.bench.policy_truth import opened
from tests.bench.policy_world import World, in_memory

METERS, DEAD, DAMAGED = 32, 3, 0.2
BAUD, BITS = 2400, 11
HEALTHY_ROUNDS, NOISY_ROUNDS = 12, 8
APART_S, BURST = 12.0, 3
"""Payments come so far apart in the mean, and now and then so many at once."""

WAITED_S = 3600.0


class Dark(World):
    """A building in which everybody was cut for arrears. `noisy`: so many questions and answers are damaged."""

    def __init__(self, directory: Path, seed: int, noisy: float = 0.0):
        meters = [RoomMeter(f"m{n:03d}", 0, f"{n:012d}", "constant", 800, n) for n in range(1, METERS + 1)]
        rooms = tuple(Room(f"a{meter.id}", "single", -500, (meter,)) for meter in meters)
        start = datetime(2026, 11, 18, 1, 30, tzinfo=UTC)
        plan = Plan(seed, "Asia/Shanghai", start, 1, rooms, {}, lines=1, baud=BAUD, poll_s=0, trust="always", told=True)
        self._chance, self._noisy = random.Random(f"light:{seed}"), noisy
        self.lit_at: dict[str, float] = {}
        super().__init__(directory, plan, seldom=False, counted=True)

    def start_edge(self, recovered_by: str | None = None, doubt: str | None = None) -> None:
        book = Book(self.directory, self.clock, "install")
        core = Core(book, terms_of(self.site, (frozenset(), frozenset())), self.clock)
        install.fill(core, self.site)
        for room in self.plan.rooms:
            (meter,) = room.meters
            fields = {"meter": meter.id, "account": room.account, "hold": "arrears", "set": True, "why": BROUGHT_IN}
            core.append(("hold/1", f"cut:{meter.id}", {**fields, "who": "bench", "role": "system"}))
            relay = self.shaft.meters[meter.id].relay  # type: ignore[attr-defined]
            relay.open = relay.commanded_open = True
        book.close()
        super().start_edge(recovered_by, doubt)

    def damaged(self, frame: bytes) -> bytes:
        if self._chance.random() >= self._noisy:
            return frame
        spot = self._chance.randrange(len(frame))
        return frame[:spot] + bytes((frame[spot] ^ self._chance.randrange(1, 256),)) + frame[spot + 1 :]

    def answer_of(self, line: str) -> Answer:
        inner = super().answer_of(line)

        def answer(frame: bytes, now: datetime, mono: float) -> tuple[bytes, float]:
            reply, think_s = inner(frame, now, mono)
            asked, told = opened(frame), opened(reply)
            if asked and told and asked[1] == READ and told[2][:4][::-1].hex() == STATUS:
                seen = self.judge.meters[asked[0]]
                if not (told[2][4] & OPEN or seen.device.relay.open):  # type: ignore[attr-defined]
                    self.lit_at.setdefault(seen.meter.id, mono + think_s + (len(frame) + len(reply)) * BITS / BAUD)
            return reply, think_s

        return answer


def paid_to_light(seed: int, noisy: bool) -> list[float]:
    """One start: everybody whose meter answers pays once; the seconds each of them waited for light."""
    logging.disable(logging.CRITICAL)
    with tempfile.TemporaryDirectory(prefix="riser-bench-", dir=in_memory()) as scratch:
        world = Dark(Path(scratch), seed, DAMAGED if noisy else 0.0)
        chance = random.Random(f"payers:{seed}")
        payers = list(world.judge.by_id.values())
        chance.shuffle(payers)
        if noisy:
            world.fault("noise", "line-0", DAMAGED)
            for seen in payers[:DEAD]:
                world.fault("silent", seen.meter.id)
            payers = payers[DEAD:]
        world.connect()
        world.live(0.05)
        while any(STATUS not in seen.read_s for seen in payers):  # Everybody was looked at since the start.
            world.live(0.01)
        paid_at: dict[str, float] = {}
        in_s = 0.0
        for number, seen in enumerate(payers):
            in_s += chance.expovariate(1 / APART_S) if number % 8 >= BURST else 0.0
            paid_at[seen.meter.id] = world.mono + in_s
            world.at(in_s, partial(_pays, world, seen.room.account))
        begun = world.mono
        while world.mono - begun < in_s + WAITED_S and len(world.lit_at) < len(payers):
            world.live(0.01)
        world.stop_edge()
    return [world.lit_at.get(id, at + WAITED_S) - at for id, at in paid_at.items()]


def _pays(world: World, account: str) -> None:
    assert world.pay(account, 100_00), "the payment was not booked"


def run(say: Callable[[str], None], quick: bool = False) -> dict[str, Any]:
    """Healthy and noisy lines."""
    healthy, noisy = (2, 1) if quick else (HEALTHY_ROUNDS, NOISY_ROUNDS)
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        well = [each for part in pool.map(partial(paid_to_light, noisy=False), range(healthy)) for each in part]
        ill = [each for part in pool.map(partial(paid_to_light, noisy=True), range(noisy)) for each in part]
    p99 = sorted(well)[-(-99 * len(well) // 100) - 1]
    say(
        f"pay to light: {len(well)} on a healthy line, p99 {p99:.2f} s; {len(ill)} on a bad one, worst {max(ill):.1f} s"
    )
    return {
        "pay_to_light_p99_s": round(p99, 2),
        "pay_to_light_noisy_max_s": round(max(ill), 1),
        "details": {"light": {"payments": len(well), "median_s": round(statistics.median(well), 2),
                              "max_s": round(max(well), 2), "noisy_payments": len(ill),
                              "noisy_median_s": round(statistics.median(ill), 2)}},
    }  # fmt: skip
