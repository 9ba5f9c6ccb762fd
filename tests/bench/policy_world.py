"""A made-up building that lives under a manual clock: the real edge with its book, loop, codecs and line code.

What is doubled is the copper alone: simulated meters answer in the same process, every byte takes its time on the
clock, and the judge stands between. The meters keep the true time, the gateway the one it was given; the kernel's word
on it is the world's. Nothing to do: the clock moves on in strides, and in half seconds around the instants that matter.
"""

from __future__ import annotations

import heapq
import itertools
import json
import os
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from bridge.contract import kernel_clock
from bridge.contract.asking import ask
from bridge.contract.clock import SystemClock
from bridge.contract.site import Site
from bridge.contract.site_file import load
from bridge.mqtt import Acknowledged
from edge import due
from edge.line.inline import Answer
from firmware_sim.faults import Faults
from tests.bench.policy_judge import Judge
from tests.bench.policy_seen import Seen
from tests.bench.policy_site import Plan, shaft_text, site_text
from tests.edge.building import KEYS
from tests.edge.calendars import Elsewhen, WrongCalendar

STRIDE_S, WARNED_STRIDE_S, FINE_S = 1800.0, 600.0, 0.5
USUAL_S = dict(due.EVERY_S)
SELDOM_S = {"round": 0.0, "slow": 43_200.0, "minutes": 10_800.0, "hourly": 10_800.0}
"""What decides nothing (volts, amperes, covers) is asked seldom: the days of many tenants have to pass."""


def in_memory() -> str | None:
    """Where the books of a bench lie: what a disk takes is measured elsewhere."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


class Kernel(WrongCalendar, SystemClock):
    """The machine's clock, believed on the kernel's word like the real one."""


class Deaf:
    """Nobody shows facts: the loop need not render them."""

    connected = False


class World(Elsewhen):
    """One building, its judge, and what happens to it at which second."""

    def __init__(
        self, directory: Path, plan: Plan, *, stride_s: float = STRIDE_S, seldom: bool = True, counted: bool = False
    ):
        """`seldom`: see there. `counted`: the time that the edge computes passes on the manual clock too."""
        self.plan, self.counted, self.stride_s = plan, counted, stride_s
        self.unsynchronised_since: float | None = None
        self.judge = self._judge()
        self.wrong: dict[str, Any] = {kind: {} for kind in ("noise", "flips", "late", "babble")}
        self.wrong |= {"silent": set(), "stuck": set()}
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers, self._until = itertools.count(), 0.0
        kernel_clock.is_synchronised = self.is_synchronised
        due.EVERY_S.update(SELDOM_S if seldom else USUAL_S)
        (directory / "site.toml").write_text(site_text(plan), encoding="utf-8")
        (directory / "shaft.toml").write_text(shaft_text(plan), encoding="utf-8")
        super().__init__(directory, clock=self._clock(), start=plan.start, poll_s=plan.poll_s)
        for seen in self.judge.by_id.values():
            seen.device = self.shaft.meters[seen.meter.id]

    def is_synchronised(self) -> bool:
        """The kernel's word."""
        return self.unsynchronised_since is None

    # --- instead of the demo's ---

    def _clock(self) -> Kernel:
        return Kernel(self.plan.start)

    def _judge(self) -> Judge:
        return Judge(self.plan, lambda: self.unsynchronised_since)

    def _described(self) -> Path:
        return self.directory / "shaft.toml"

    def _site(self, poll_s: int, policy: dict[str, Any], meters: set[str] | None) -> Site:
        return load(self.directory / "site.toml")

    def answer_of(self, line: str) -> Answer:
        real = self.shaft.lines[line]

        def answer(frame: bytes, _: datetime, mono: float) -> tuple[bytes, float]:
            at = self.clock.true.now()
            self.judge.asks(frame, at, mono)
            reply, think_s = real.answer(self.damaged(frame), at, mono)
            reply = self.heard(reply)
            self.judge.answers(frame, reply, at, mono)
            return reply, think_s

        return answer

    def damaged(self, frame: bytes) -> bytes:
        """What of a question arrives at the meters."""
        return frame

    def heard(self, reply: bytes) -> bytes:
        """What of an answer arrives at the gateway."""
        return reply

    def start_edge(self, recovered_by: str | None = None, doubt: str | None = None) -> None:
        super().start_edge(recovered_by, doubt)
        if not self.plan.told:
            self.edge._link = Deaf()  # type: ignore[assignment]
        if self.counted:
            step = self.edge.step

            def counted(event: Any) -> None:
                began = time.perf_counter()
                step(event)
                self.clock.advance(time.perf_counter() - began)

            self.edge.step = counted  # type: ignore[method-assign]

    # --- time ---

    @property
    def mono(self) -> float:
        return self.clock.monotonic()

    def at(self, in_s: float, act: Callable[[], None]) -> None:
        """Let something happen in so many seconds."""
        heapq.heappush(self._due, (self.mono + in_s, next(self._numbers), act))

    def live(self, hours: float) -> None:
        """Let the building live on."""
        self._until = self.mono + 3600 * hours
        while self.mono < self._until:
            self.turn()

    def turn(self) -> None:
        """What is next: something that was to happen, an exchange on each line, or a stride of time."""
        if self._due and self._due[0][0] <= self.mono:
            heapq.heappop(self._due)[2]()
        elif not self.pump():
            self.clock.advance(max(self._stride_s(), 1e-3))
        self.broker.heard.clear()

    def _stride_s(self) -> float:
        """A long stride, but none past what happens next, and small ones around leads and hours that end."""
        left = min(self.stride_s, self._until - self.mono)
        if self._due:
            left = min(left, self._due[0][0] - self.mono)
        lit = {seen.lit_s for seen in self.judge.by_id.values() if seen.lit_s is not None and not seen.cut}
        if not lit:
            return left
        left = min(left, WARNED_STRIDE_S)
        powered, now = self.judge.powered_s(self.mono), self.clock.true.now()
        turns = [since + self.judge.lead_s - powered for since in lit]
        turns += [(each - now).total_seconds() for each in self.judge.hours.near(now)]
        for in_s in turns:
            if -4 < in_s <= 3:
                return min(left, FINE_S)
            if in_s > 3:
                left = min(left, in_s - 3)
        return left

    def dark(self, seconds: float, calendar: datetime | None = None) -> None:
        """The gateway has no power for so long; it comes up with a calendar of its own, or the true one."""
        self.judge.lost(self.clock.true.now(), self.mono)
        self.judge.off_s += seconds
        self.restart(calendar, off_s=seconds)
        self.judge.calendar_off_s = self.clock.off_s

    def leap(self, seconds: float) -> None:
        """Somebody sets the gateway's calendar wrong; 0 sets it right."""
        self.clock.off_s = seconds
        self.judge.calendar_off_s = seconds

    # --- people ---

    def asks(self, operation: str, role: str = "manager", who: str = "王敏", **fields: Any) -> dict[str, Any]:
        """A person's request and its first answer, {} where there is none."""
        heard = len(self.broker.heard)
        transaction = fields.pop("transaction", None) or f"bench-{self.plan.seed}-{next(self._numbers):06d}"
        key = ("shell", KEYS["shell"])
        words = {"who": who, "role": role, "transaction": transaction, **fields}
        topic, payload, _ = ask(self.edge.topics, self.clock.true, key, operation, **words)
        self._frees_the_way()
        self.deliver(topic, payload)
        while True:
            for topic, payload, _ in self.broker.heard[heard:]:
                if "/response/" in topic and (answer := json.loads(payload))["transaction"] == transaction:
                    return answer
            heard = len(self.broker.heard)
            if not self._frees_the_way():
                break
            self.pump()
        return {}

    def _frees_the_way(self) -> bool:
        """The broker has taken all that is on its way to it, so an answer comes at once and not after a backlog."""
        mids, self.broker.unacknowledged = self.broker.unacknowledged, []
        for mid in mids:
            self.edge.enqueue(Acknowledged(mid))
        return bool(mids)

    def pay(self, account: str, fen: int) -> bool:
        answer = self.asks("topup", account=account, amount_fen=fen, method="cash")
        if answer.get("status") == "done":
            self.judge.payment(account, fen, self.clock.true.now())
            return True
        return False

    def hold(self, seen: Seen, on: bool) -> None:
        answer = self.asks("trip" if on else "close", meter=seen.meter.id, why="bench")
        if answer.get("status") in ("accepted", "done"):
            seen.held, seen.cause = on, seen.cause or not on

    # --- the line ---

    def fault(self, kind: str, place: str, value: Any = True) -> None:
        """Begin (or, with None or False, end) a fault."""
        places = self.wrong[kind]
        if isinstance(places, set):
            (places.add if value else places.discard)(place)
        elif value:
            places[place] = value
        else:
            places.pop(place, None)
        now = {name: frozenset(each) if isinstance(each, set) else dict(each) for name, each in self.wrong.items()}
        faults = Faults(**now)
        for line in self.shaft.lines.values():
            line.set_faults(faults)
