"""One gateway of the simulation: the bench's world (`policy_world.py`) with a supply, a disk, a broker and a listener
that can fail, and with a memory of all that a checker wants to know.

A power cut leaves the files of the book as they lay on the disk at that instant; the process and all it knew are gone.
"""

from __future__ import annotations

import hashlib
import random
import sqlite3
from collections import Counter, deque
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from bridge.contract.site import Site
from edge.book import Book
from edge.line.inline import Answer
from firmware_sim.metrology import FULL_SCALE_STEPS, STEP_WUS
from tests.bench.policy_seen import Seen
from tests.bench.policy_site import WINDOWS, Plan
from tests.bench.policy_truth import micros
from tests.bench.policy_world import FINE_S
from tests.simulate import heard
from tests.simulate.clocks import HouseClock, KernelWord
from tests.simulate.draw import NEAR_TOP, near_top
from tests.simulate.ear import Ear
from tests.simulate.judge import HouseJudge
from tests.simulate.memory import Memory
from tests.simulate.online import Online, Shown
from tests.simulate.post import BadLine, Post
from tests.simulate.rows import opened_since
from tests.simulate.weather import WORDS, Disk, PowerCut, Weather

BORDERS = tuple(int(text[:2]) * 60 + int(text[3:]) for text, _ in WINDOWS)
STILL_LOOKS = 2_000
SHOWN_EVERY_S = 3600.0
"""Facts are rendered this often; entries, readings and answers are told at once."""

DISK_TROUBLES = {name for name, _ in WORDS.values()}
"""What a bad disk says; any other word of the database is a fault of the program."""

DISK_IS_WELL = "the disk takes entries again"
"""Why an edge ends by itself and is started anew; for any other reason it must not."""


class House(KernelWord, Online):
    """A gateway, its meters and its people."""

    clock: HouseClock
    judge: HouseJudge

    def __init__(self, directory: Path, plan: Plan, badness: float):
        directory.mkdir()
        self.number = int(plan.gateway[1:])
        self.happened: Counter[str] = Counter()
        self.people: Counter[str] = Counter()
        """What people did that is no fault."""
        self.log: deque[str] = deque(maxlen=400)
        self.memory = Memory()
        self.weather = Weather(random.Random(f"weather:{plan.seed}"))
        self.digest = hashlib.sha256()
        self.echoing: set[str] = set()
        self.broken: list[str] = []
        """What was found wrong while it lived."""
        self.restarts = self.events = 0
        self.noticing: list[Callable[[], None]] = []
        self.before_restoring: Callable[[], None] = lambda: None
        self.restored: list[Callable[[], None]] = []
        self.healed: list[Callable[[], None]] = []
        """Who goes on with something when all that is wrong has ended."""
        self._still = (0.0, 0)
        self.noticing.append(self._opened)
        self._opening: dict[str, Seen] = {}
        self.fair = not badness
        """Nothing goes wrong here."""
        self._deaf = False
        self.modbus_lines = {f"line-{line}" for line in plan.modbus}
        self._line_of = {meter.id: f"line-{meter.line}" for room in plan.rooms for meter in room.meters}
        super().__init__(directory, plan, stride_s=1e9)
        self.judge.doubts = lambda: not (self.fair or self.edge.core.book.trusted) and self.may_doubt
        root = self.edge.topics.root
        self.net = BadLine(random.Random(f"net:{plan.seed}"), badness, self.happened, self.at)
        self.ear = Ear(root, lambda: self.mono, self.send)
        self.broker = Post(root, self.net, self.ear.hears, self.ear.told)
        self.edge.outbox._link = self.broker
        self.memory.began(self, micros(plan.start))
        self.at(SHOWN_EVERY_S, self._show)

    # --- instead of the bench's ---

    def _site(self, poll_s: int, policy: dict[str, Any], meters: set[str] | None) -> Site:
        chance = random.Random(f"top:{self.plan.seed}")
        for meter in (each for room in self.plan.rooms for each in room.meters if each.registers == NEAR_TOP):
            near_top(self.shaft.meters[meter.id].metrology, chance.uniform(2, 60), meter.watts)
        return super()._site(poll_s, policy, meters)

    def _clock(self) -> HouseClock:
        return HouseClock(self.plan.start)

    def _judge(self) -> HouseJudge:
        return HouseJudge(self.plan, lambda: self.unsynchronised_since)

    def _book(self, boot: str) -> Book:
        book = super()._book(boot)
        book._db = Disk(book._db, self.weather)  # type: ignore[assignment]
        return book

    def start_edge(self, recovered_by: str | None = None, doubt: str | None = None) -> None:
        self.odd_mono = self.started_mono = self.mono
        super().start_edge(recovered_by, doubt)
        self.shown = Shown(self)
        self.edge._link = self.shown  # type: ignore[assignment]
        if self.weather.disk == "full":
            self.edge.disk.free_bytes = lambda: 0  # type: ignore[method-assign]

    def answer_of(self, line: str) -> Answer:
        judged = super().answer_of(line)

        def answer(frame: bytes, now: datetime, mono: float) -> tuple[bytes, float]:
            cut = self.weather.at_the_line()
            if cut == "before":
                raise PowerCut
            self._deaf = cut == "after"
            reply, think_s = judged(frame, now, mono)
            heard.passed(self, line, frame, reply, mono)
            if cut:
                raise PowerCut
            return (frame + reply if line in self.echoing else reply), think_s

        return answer

    def heard(self, reply: bytes) -> bytes:
        return b"" if self._deaf else reply

    def opens(self, seens: list[Seen]) -> None:
        """Somebody has moved in there: it is looked for their first registers."""
        self._opening |= {seen.meter.id: seen for seen in seens}

    def _opened(self) -> None:
        for id, seen in list(self._opening.items()):
            if seen.vacant or opened_since(self.directory / "book.db", id, seen.room.account):
                del self._opening[id]
                self.judge.opened(seen, self.clock.true.now())

    # --- time ---

    def say(self, text: str) -> None:
        """Something worth telling where a check fails."""
        self.log.append(f"{self.clock.true.now().isoformat(timespec='seconds')} {self.plan.gateway} {text}")

    def day(self) -> int:
        return int((self.clock.true.now() - self.plan.start).total_seconds() // 86_400)

    def turn(self) -> None:
        """One turn; a power cut, a disk that fails and a program that ends are part of life."""
        self.judge.calendar_off_s = self.clock.off_s
        self.clock.looked_at()
        self.kernel_asked(self.clock)
        acts = bool(self._due) and self._due[0][0] <= self.mono
        try:
            super().turn()
            if self.edge.failed is not None:
                if self.edge.failed != DISK_IS_WELL:
                    self.broken.append(f"crash: the edge ended: {self.edge.failed}")
                self._ended(self.edge.failed)
        except PowerCut:
            self.happened["power-cut-inside"] += 1
            self.say("power cut in the middle of it")
            self.fall(self.weather_off_s())
        except sqlite3.Error as trouble:
            if getattr(trouble, "sqlite_errorname", "") not in DISK_TROUBLES:
                self.broken.append(f"crash: the edge died of {type(trouble).__name__}: {trouble}")
            self._ended(f"{trouble}")
        except Exception as trouble:
            self.broken.append(f"crash: the edge died of {type(trouble).__name__}: {trouble}")
            self._ended(f"{type(trouble).__name__}: {trouble}")
        if (self._money_turns or self._opening) and not acts:
            self._money_turns = max(self._money_turns - 1, 0)
            for notices in self.noticing:
                notices()

    def weather_off_s(self) -> float:
        return random.Random(f"off:{self.plan.seed}:{self.restarts}").choice((0.5, 30, 700, 5000))

    def _ended(self, why: str) -> None:
        """The process ends by itself and is started again in a few seconds, as a supervisor does."""
        self.say(f"the edge ended: {why}")
        self.fall(5.0)

    def _stride_s(self) -> float:
        """To the next round, border, lead, act or window, whichever is first."""
        left, mono = super()._stride_s(), self.mono
        for poll in self.edge.polls.values():
            if self.ports[poll.port].state == "closed":
                left = min(left, 5.0)
            elif poll._started is not None:
                left = min(left, max(poll._started + self.plan.poll_s - mono + 1e-3, FINE_S))
        for task in self.edge.relays.commands._tasks.values():
            if task.busy or task.not_before > mono:
                left = min(left, max(task.not_before - mono, 2.0))
        relays = [seen.device.relay for seen in self.judge.by_id.values() if seen.cause]  # type: ignore[attr-defined]
        waits = any(meter.restore is not None for meter in self.edge.core.state.meters.values())
        if waits or any(relay.open and not relay.permitted for relay in relays):
            left = min(left, 60.0)  # The real loop looks each second whether somebody is dark for too long (I9).
        now = self.clock.true.now()
        wall = now.astimezone(self.judge.hours.zone)
        minute = wall.hour * 60 + wall.minute + wall.second / 60
        border = next((each for each in BORDERS if each > minute), 1440)
        # A moment before it, so that border reads leave in time; and then in small steps.
        to_border = (border - minute) * 60 - 2
        return min(left, to_border if to_border > 0 else FINE_S, 900.0)

    def counts(self) -> None:
        """After a day: what happened by itself."""
        zone, now = self.judge.hours.zone, self.clock.true.now()
        if now.astimezone(zone).utcoffset() != (now - timedelta(days=1)).astimezone(zone).utcoffset():
            self.happened["clock-dst"] += 1
        for id, hung in self.memory.hung.items():
            total = hung[-1].device.metrology.total_wus
            if total >= FULL_SCALE_STEPS * STEP_WUS and id not in self.memory.rolled:
                self.memory.rolled.add(id)
                self.happened["register-rolled-over"] += 1

    def heals(self) -> None:
        """Everything that is wrong ends now. One gateway is started anew then, another finds out by itself."""
        for kind, places in self.wrong.items():
            for place in sorted(places):
                self.fault(kind, place, None)
        self.net.heals()
        self.unsynchronised_since = None
        self.disk_well()
        self.weather.calm()
        self.clock.drift = 0.0
        self.clock.set_right()
        self.echoing.clear()
        for port in self.ports.values():
            port.put_back()
        self._due.clear()
        self.at(1.0, self._show)
        if self.memory.broker_gone:
            self.connects()
        if random.Random(f"heals:{self.plan.seed}").random() < 0.5:
            self.fall(1.0)
        for goes_on in self.healed:
            goes_on()

    def stands_still(self) -> bool:
        """True when so many looks have found the very same instant: the program is busy with itself."""
        since, looks = self._still
        self._still = (self.mono, looks + 1 if since == self.mono else 0)
        if self._still[1] == STILL_LOOKS:
            self.broken.append("crash: time stands still: the loop is busy with itself")
        return self._still[1] >= STILL_LOOKS

    def _show(self) -> None:
        self.shown.look = True
        self.at(SHOWN_EVERY_S, self._show)
