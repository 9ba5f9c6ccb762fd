"""What is done to the real programs while people pay, one thing after another, by one seed."""

from __future__ import annotations

import random
import signal
import time
from collections import Counter
from collections.abc import Callable

from host.programs import BROKER
from tests.proof import network
from tests.proof.flood import MESSAGES, Flood
from tests.proof.machine import Machine, until
from tests.proof.payers import Ledger
from tests.proof.retained import Eye

HALF_OPEN_S, STOPPED_S, PARTED_S = 2.5, 1.5, 2.0

WRITES = 400
"""An edge that dies at a change of its disk dies at one of so many: its start, or the payments after it."""

ENDS_WITHIN_S, POURS_WITHIN_S, ANSWERED_WITHIN_S = 60.0, 60.0, 60.0

IN_ORDER = f"{BROKER}: ended with code 0"
REFUSED = "another edge has this book open"

KINDS = (
    *["edge"] * 4, *["broker"] * 2, "panel", "bridge", "two", "edge at a write", "edge at a write", "half open",
    "reset", "stopped", "flood", "second edge", "broker in order",
)  # fmt: skip
"""Each of them once, in another order every time, then again."""

TRIES = 5

BREATH = 8
"""After one harm in so many nothing more is done until whoever had no answer has one: how long that took is told."""


class Harm:
    """What is done to the machine, and what goes on meanwhile: `paid` is called whenever something is waited for."""

    def __init__(
        self, machine: Machine, ledger: Ledger, paid: Callable[[], object], chance: random.Random,
        at_writes: dict[str, str], alone: bool,
    ):  # fmt: skip
        self._machine, self._ledger, self._paid, self._chance = machine, ledger, paid, chance
        self._at_writes, self._kinds, self._bag = at_writes, [*KINDS, *["partition"] * alone], list[str]()
        self.done, self.wrong = Counter[str](), list[str]()
        self.waited_for = 0
        """Payments that were open at a harm after which nothing was done until they were answered."""
        self._undo: list[tuple[float, Callable[[], object]]] = []

    def one(self) -> None:
        """Do one harm; after some of them, see how long it takes until all is well."""
        if not self._bag:
            self._bag = self._chance.sample(self._kinds, len(self._kinds))
        self.do(self._bag.pop(), self._chance.randrange(BREATH) == 0)

    def do(self, kind: str, breath: bool) -> None:
        """Do this harm. With `breath` whoever was without an answer then is waited for."""
        self.done[kind] += 1
        before = self._ledger.open
        if kind in ("edge", "broker", "panel", "bridge"):
            self._kill(kind)
        else:
            getattr(self, f"_{kind.replace(' ', '_')}")()
        if breath:
            self.waited_for += len(before)
            if not self._wait(lambda: not set(before) & set(self._ledger.open), ANSWERED_WITHIN_S):
                self.wrong.append(f"no answer {ANSWERED_WITHIN_S:.0f} s after {kind!r}")

    def undo(self, now: bool = False) -> None:
        """Carry again what was frozen, when its time is over."""
        for at, back in list(self._undo):
            if now or time.monotonic() >= at:
                back()
                self._machine.disturb("something frozen went on")
                self._undo.remove((at, back))

    def _wait(self, condition: Callable[[], object], limit_s: float) -> bool:
        """People go on paying until something is so. False when it does not come."""

        def meanwhile() -> object:
            self._paid()
            self.undo()
            return condition()

        return until(meanwhile, limit_s)

    def _kill(self, name: str) -> None:
        self._machine.signal(name, signal.SIGKILL)

    def _two(self) -> None:
        self._kill("edge")
        self._kill(BROKER)

    def _edge_at_a_write(self) -> None:
        """The edge is killed, and the one that follows dies at some change of its disk, at the latest at the 400th."""
        self._machine.more["edge"] = {**self._at_writes, "PROOF_DIES_AT": str(self._chance.randint(1, WRITES))}
        self._kill("edge")

    def _broker_in_order(self) -> None:
        """Told to end, waited for, started again. While the edge's wire is dead nobody tells it the facts anew: what it
        retains then it has kept."""
        self.undo(now=True)
        if self._retained() is None:
            self.wrong.append("the gateway's facts were not on the broker")
            return
        wire, started = self._machine.relays["edge"], self._machine.starts[BROKER]
        in_order = self._machine.ends[IN_ORDER]
        wire.freeze()
        try:
            before = self._retained()
            self._machine.signal(BROKER, signal.SIGTERM)
            if not self._wait(lambda: self._machine.starts[BROKER] > started, ENDS_WITHIN_S):
                self.wrong.append("the broker did not end when it was told to")
            if self._machine.ends[IN_ORDER] != in_order + 1:
                self.wrong.append(f"the broker did not end with code 0: {self._machine.ends}")
            after = self._retained()
        finally:
            wire.thaw()
            self._machine.disturb("the broker ended in order")
        self.wrong += kept(before, after)

    def _retained(self) -> dict[str, bytes] | None:
        eye = Eye(self._machine)
        try:
            return eye.facts() if self._wait(eye.whole, ENDS_WITHIN_S) else None
        finally:
            eye.link.stop()

    def _half_open(self) -> None:
        """A wire carries nothing, and nobody is told; then it ends, or goes on."""
        relay = self._machine.relays[self._chance.choice(sorted(self._machine.relays))]
        relay.freeze()
        ends = self._chance.random() < 0.5
        self._later(HALF_OPEN_S, lambda: (relay.thaw(), relay.cut() if ends else None))

    def _reset(self) -> None:
        self._machine.relays[self._chance.choice(sorted(self._machine.relays))].cut()
        self._machine.disturb("a wire was cut")

    def _partition(self) -> None:
        """The kernel takes down the only network there is: nobody reaches anybody."""
        network.loopback(False)
        self._later(PARTED_S, lambda: network.loopback(True))

    def _stopped(self) -> None:
        """A program stands still, as on a machine without memory, and goes on."""
        name = self._chance.choice(["broker", "edge", "panel"])
        if self._machine.signal(name, signal.SIGSTOP):
            self._later(STOPPED_S, lambda: self._machine.signal(name, signal.SIGCONT))

    def _flood(self) -> None:
        """Thousands of messages that ask for nothing, in one burst; people go on paying."""
        self.undo(now=True)  # paho cannot begin where there is no network, and would wait for it for ever.
        flood = Flood(self._machine)
        try:
            if not self._wait(flood.poured, POURS_WITHIN_S):
                self.wrong.append(f"a flood of {MESSAGES} messages was not taken in {POURS_WITHIN_S:.0f} s")
        finally:
            flood.link.stop()
            self._machine.disturb("the flood was poured")

    def _later(self, seconds: float, back: Callable[[], object]) -> None:
        self._undo.append((time.monotonic() + seconds, back))

    def _second_edge(self) -> None:
        """Another edge on the same book ends at once and says why; the first one goes on, and answers. Where that dies
        meanwhile, at a write of its own, the second one may have the book; it is ended, and another one is started."""
        if not any(self._refused() for _ in range(TRIES)):
            self.wrong.append(f"{TRIES} second edges were started, and the first one died each time")

    def _refused(self) -> bool:
        """False where the first edge died meanwhile."""
        machine = self._machine
        if not self._wait(machine.book_holder, ENDS_WITHIN_S):
            self.wrong.append("no edge had the book open")
            return True
        first, second = machine.pid("edge"), machine.second_edge()
        try:
            self._wait(lambda: second.poll() is not None or machine.pid("edge") != first, ENDS_WITHIN_S)
            went_on = machine.pid("edge") == first
        finally:
            second.kill()
            words = second.communicate()[0].decode(errors="replace")[-2000:]
        if went_on and (second.returncode != 2 or REFUSED not in words):
            self.wrong.append(f"a second edge on the same book ended with {second.returncode}: {words}")
        answered = self._ledger.many()[1]
        if not self._wait(lambda: self._ledger.many()[1] > answered, ANSWERED_WITHIN_S):
            self.wrong.append("the edge answers nobody since a second one was started")
        return went_on


def kept(before: dict[str, bytes] | None, after: dict[str, bytes] | None) -> list[str]:
    """What a broker retains no more, or otherwise, that ended in order."""
    if before is None:
        return ["the broker could not be asked what it retains"]
    if after is None:
        return ["the broker ended in order and retains the facts no more"]
    return [
        f"the broker ended in order and does not retain {topic} as before"
        for topic in sorted(before.keys() | after.keys())
        if before.get(topic) != after.get(topic)
    ]
