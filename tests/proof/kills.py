"""Real programs killed at random moments while people pay: nothing lost, nothing doubled, all settled soon after.

kills(kills=60, topups=3_000, seed=1)      what was done, what was lost or doubled, and how long it took to settle
"""

from __future__ import annotations

import random
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.proof import network, shim
from tests.proof.afterwards import behind, settled
from tests.proof.machine import PEOPLE, Machine, gaps, until
from tests.proof.payers import Clerk, Ledger, Mqtt, Shell

SETTLES_WITHIN_S = 10.0
READY_WITHIN_S = 90.0
ARCHIVED_WITHIN_S = 60.0

MEAN_GAP_S = 1.4
"""Between two harms; a program takes one to two seconds to start, so that many meet it while it starts."""

HALF_OPEN_S, STOPPED_S, PARTED_S = 2.5, 1.5, 2.0

WRITES = 400
"""An edge that dies at a change of its disk dies at one of so many: its start, or the payments after it."""

WINDOW = 24

Say = Callable[[str], None]


class Harm:
    """What is done to the machine, one thing after another, by one seed."""

    def __init__(self, machine: Machine, payer: Mqtt, chance: random.Random, at_writes: dict[str, str], alone: bool):
        self._machine, self._payer, self._chance = machine, payer, chance
        self._at_writes, self._own_network = at_writes, ["partition"] * alone
        self.done, self.wrong = Counter[str](), list[str]()
        self._undo: list[tuple[float, Callable[[], None]]] = []

    def one(self) -> None:
        """Do one harm."""
        kinds = ["edge"] * 4 + ["broker"] * 2 + ["panel", "bridge", "two", "edge at a write", "edge at a write"]
        kinds += ["half open", "reset", "stopped", "flood", *self._own_network]
        kind = self._chance.choice(kinds)
        self.done[kind] += 1
        if kind in ("edge", "broker", "panel", "bridge"):
            self._kill(kind)
        else:
            getattr(self, f"_{kind.replace(' ', '_')}")()

    def undo(self, now: bool = False) -> None:
        """Carry again what was frozen, when its time is over."""
        for at, back in list(self._undo):
            if now or time.monotonic() >= at:
                back()
                self._undo.remove((at, back))

    def _kill(self, name: str) -> None:
        self._machine.signal(name, signal.SIGKILL)

    def _two(self) -> None:
        self._kill("edge")
        self._kill("broker")

    def _edge_at_a_write(self) -> None:
        """The edge is killed, and the one that follows dies at some change of its disk, at the latest at the 400th."""
        self._machine.more["edge"] = {**self._at_writes, "PROOF_DIES_AT": str(self._chance.randint(1, WRITES))}
        self._kill("edge")

    def _half_open(self) -> None:
        """A wire carries nothing, and nobody is told; then it ends, or goes on."""
        relay = self._machine.relays[self._chance.choice(sorted(self._machine.relays))]
        relay.freeze()
        ends = self._chance.random() < 0.5
        self._later(HALF_OPEN_S, lambda: (relay.thaw(), relay.cut() if ends else None))

    def _reset(self) -> None:
        self._machine.relays[self._chance.choice(sorted(self._machine.relays))].cut()

    def _partition(self) -> None:
        """The kernel takes down the only network there is: nobody reaches anybody."""
        network.loopback(False)
        self._later(PARTED_S, lambda: network.loopback(True))

    def _stopped(self) -> None:
        """A program stands still, as on a machine without memory, and goes on."""
        name = self._chance.choice(["broker", "edge", "panel"])
        pid = self._machine.pid(name)
        if pid is not None and self._machine.signal(name, signal.SIGSTOP):
            self._later(STOPPED_S, lambda: self._machine.signal(name, signal.SIGCONT))

    def _flood(self) -> None:
        self._payer.flood(150)

    def _later(self, seconds: float, back: Callable[[], object]) -> None:
        self._undo.append((time.monotonic() + seconds, lambda: (back(), None)[1]))

    def second_edge(self) -> None:
        """Another edge on the same book ends at once and says why; the first one goes on."""
        self.done["second edge"] += 1
        code, words = self._machine.second_edge()
        if code != 2 or "another edge has this book open" not in words:
            self.wrong.append(f"a second edge on the same book ended with {code}: {words}")


def kills(
    kills: int = 60,
    topups: int = 3_000,
    seed: int = 1,
    *,
    mean_gap_s: float = MEAN_GAP_S,
    own_network: bool = False,
    say: Say = lambda words: None,
) -> dict[str, Any]:
    """Kill until `kills` programs were killed and `topups` payments were asked for; JSON-able.

    With `own_network` this process enters a network of its own, where that is allowed, and does not leave it.
    """
    began, alone = time.monotonic(), own_network and network.enter()
    with tempfile.TemporaryDirectory(prefix="riser-kills-") as scratch:
        machine = Machine(Path(scratch))
        ledger = Ledger()
        try:
            machine.start()
            found = _harmed(machine, ledger, kills, topups, random.Random(seed), mean_gap_s, alone, say)
        finally:
            machine.stop()
        books = settled(machine, ledger)
        found |= {**books, "violations": found["violations"] + books["violations"]}
    found["violations"] = [{"seed": seed, "what": each} for each in found["violations"]]
    good = (
        not found["violations"]
        and found["archive_complete"]
        and found["settled_s"] is not None
        and found["settled_s"] <= SETTLES_WITHIN_S
    )
    return {"kills_wanted": kills, "topups_wanted": topups, "seed": seed, **found,
            "seconds": round(time.monotonic() - began, 1), "within": good}  # fmt: skip


def _harmed(
    machine: Machine, ledger: Ledger, kills: int, topups: int, chance: random.Random, mean_gap_s: float,
    alone: bool, say: Say,
) -> dict[str, Any]:  # fmt: skip
    environment = shim.surroundings({})
    at_writes = {"LD_PRELOAD": environment["LD_PRELOAD"], "PROOF_WATCH": str(machine.data)}
    payer, shell = Mqtt(machine, ledger, WINDOW), Shell(machine, ledger)
    clerks = [Clerk(machine, ledger, name) for name in PEOPLE]
    harm, due = Harm(machine, payer, chance, at_writes, alone), 0.0

    def paid() -> int:
        payer.step(pay=True)
        return ledger.many()[1]

    try:
        for clerk in clerks:
            clerk.start()
        if not until(lambda: paid() >= 20 and all(clerk.pages for clerk in clerks), READY_WITHIN_S):
            raise RuntimeError(f"nobody can pay at the beginning; the edge says: {machine.tail('edge')}")
        shell.start()
        harm.second_edge()
        told = time.monotonic()
        while machine.killed < kills or ledger.many()[0] < topups:
            payer.step(pay=True)
            harm.undo()
            if machine.killed < kills and time.monotonic() >= due:
                harm.one()
                due = time.monotonic() + gaps(chance, mean_gap_s)
            if time.monotonic() - told > 10:
                told = time.monotonic()
                asked, answered = ledger.many()
                say(f"{machine.killed} kills, {answered} of {asked} payments answered")
        harm.undo(now=True)
        for person in (shell, *clerks):
            person.stopping.set()
        settled_s = _settled(payer, ledger)
        if settled_s is None:
            harm.wrong += [f"{clerk.name} saw last: {clerk.saw}" for clerk in clerks]
            harm.wrong.append(f"the panel's newest words: {machine.tail('panel')[-600:]}")
        copied = until(lambda: behind(machine) <= 1, ARCHIVED_WITHIN_S)
    finally:
        harm.undo(now=True)
        for person in (shell, *clerks):
            person.stopping.set()
        payer.link.stop()
    asked, answered = ledger.many()
    return {
        "kills": machine.killed, "ends": dict(sorted(machine.ends.items())), "harm": dict(sorted(harm.done.items())),
        "own_network": alone, "asked": asked, "answered": answered, "at_the_shell": shell.done,
        "at_the_panel": sum(clerk.pages for clerk in clerks), "settled_s": settled_s, "archive_complete": copied,
        "violations": harm.wrong,
    }  # fmt: skip


def _settled(payer: Mqtt, ledger: Ledger) -> float | None:
    """Real seconds until whoever asked is answered; None where somebody is not within a minute."""
    began = time.monotonic()

    def all_answered() -> bool:
        payer.step(pay=False)
        return not ledger.open

    return round(time.monotonic() - began, 1) if until(all_answered, 60) else None
