"""Real programs killed at random moments while people pay: nothing lost, nothing doubled, all settled soon after.

kills(kills=60, topups=3_000, seed=1)      what was done, what was lost or doubled, and how long it took to settle
"""

from __future__ import annotations

import json
import random
import signal
import sqlite3
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from edge.audit.verify import verify
from tests.proof import shim
from tests.proof.machine import Machine, gaps, until
from tests.proof.payers import FEN, Clerk, Ledger, Mqtt, Shell

SETTLES_WITHIN_S = 10.0
READY_WITHIN_S = 90.0

MEAN_GAP_S = 1.4
"""Between two harms; a program takes one to two seconds to start, so that many meet it while it starts."""

HALF_OPEN_S, STOPPED_S = 2.5, 1.5

WRITES = 400
"""An edge that dies at a change of its disk dies at one of so many: its start, or the payments after it."""

WINDOW = 24

Say = Callable[[str], None]


class Harm:
    """What is done to the machine, one thing after another, by one seed."""

    def __init__(self, machine: Machine, payer: Mqtt, chance: random.Random, at_writes: dict[str, str]):
        self._machine, self._payer, self._chance = machine, payer, chance
        self._at_writes = at_writes
        self.done, self.wrong = Counter[str](), list[str]()
        self._undo: list[tuple[float, Callable[[], None]]] = []

    def one(self) -> int:
        """Do one harm; returns how many programs were killed by it."""
        kinds = ["edge"] * 4 + ["broker"] * 3 + ["panel", "bridge", "two", "edge at a write", "edge at a write"]
        kinds += ["half open", "reset", "stopped", "flood"]
        kind = self._chance.choice(kinds)
        self.done[kind] += 1
        if kind in ("edge", "broker", "panel", "bridge"):
            return self._kill(kind)
        if kind == "two":
            return self._kill("edge") + self._kill("broker")
        if kind == "edge at a write":
            return self._at_a_write()
        getattr(self, f"_{kind.replace(' ', '_')}")()
        return 0

    def undo(self, now: bool = False) -> None:
        """Carry again what was frozen, when its time is over."""
        for at, back in list(self._undo):
            if now or time.monotonic() >= at:
                back()
                self._undo.remove((at, back))

    def _kill(self, name: str) -> int:
        return int(self._machine.signal(name, signal.SIGKILL))

    def _at_a_write(self) -> int:
        """The edge is killed, and the one that follows dies at some change of its disk, at the latest at the 400th."""
        self._machine.more["edge"] = {**self._at_writes, "PROOF_DIES_AT": str(self._chance.randint(1, WRITES))}
        return self._kill("edge") * 2

    def _half_open(self) -> None:
        """A wire carries nothing, and nobody is told; then it ends, or goes on."""
        relay = self._machine.relays[self._chance.choice(sorted(self._machine.relays))]
        relay.freeze()
        ends = self._chance.random() < 0.5
        self._later(HALF_OPEN_S, lambda: (relay.thaw(), relay.cut() if ends else None))

    def _reset(self) -> None:
        self._machine.relays[self._chance.choice(sorted(self._machine.relays))].cut()

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
    kills: int = 60, topups: int = 3_000, seed: int = 1, *, mean_gap_s: float = MEAN_GAP_S, say: Say = lambda words: None
) -> dict[str, Any]:
    """Kill until `kills` programs were killed and `topups` payments were asked for; JSON-able."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="riser-kills-") as scratch:
        machine = Machine(Path(scratch))
        ledger = Ledger()
        try:
            machine.start()
            found = _harmed(machine, ledger, kills, topups, random.Random(seed), mean_gap_s, say)
        finally:
            machine.stop()
        books = _books(machine, ledger)
        found |= {**books, "violations": found["violations"] + books["violations"]}
    found["violations"] = [{"seed": seed, "what": each} for each in found["violations"]]
    found["namespaces"] = can_have_namespaces()
    good = not found["violations"] and found["settled_s"] is not None and found["settled_s"] <= SETTLES_WITHIN_S
    return {"kills_wanted": kills, "topups_wanted": topups, "seed": seed, **found,
            "seconds": round(time.monotonic() - began, 1), "within": good}  # fmt: skip


def _harmed(
    machine: Machine, ledger: Ledger, kills: int, topups: int, chance: random.Random, mean_gap_s: float, say: Say
) -> dict[str, Any]:
    environment = shim.surroundings({})
    at_writes = {"LD_PRELOAD": environment["LD_PRELOAD"], "PROOF_WATCH": str(machine.data)}
    payer, clerk, shell = Mqtt(machine, ledger, WINDOW), Clerk(machine, ledger), Shell(machine, ledger)
    harm, killed, due = Harm(machine, payer, chance, at_writes), 0, 0.0

    def paid() -> int:
        payer.step(pay=True)
        clerk.step(pay=True)
        return ledger.many()[1]

    try:
        if not until(lambda: paid() >= 20 and clerk.pages, READY_WITHIN_S):
            raise RuntimeError(f"nobody can pay at the beginning; the edge says: {machine.tail('edge')}")
        shell.start()
        harm.second_edge()
        told = time.monotonic()
        while killed < kills or ledger.many()[0] < topups:
            pay = ledger.many()[0] < topups or killed < kills
            payer.step(pay)
            clerk.step(pay)
            harm.undo()
            if killed < kills and time.monotonic() >= due:
                killed += harm.one()
                due = time.monotonic() + gaps(chance, mean_gap_s)
            if time.monotonic() - told > 10:
                told = time.monotonic()
                asked, answered = ledger.many()
                say(f"{killed} kills, {answered} of {asked} payments answered")
        harm.undo(now=True)
        shell.stopping.set()
        settled_s = _settled(payer, clerk, shell, ledger)
    finally:
        shell.stopping.set()
        payer.link.stop()
    asked, answered = ledger.many()
    return {
        "kills": killed, "harm": dict(sorted(harm.done.items())), "starts": dict(machine.starts), "asked": asked,
        "answered": answered, "at_the_panel": clerk.pages, "at_the_shell": shell.done,
        "settled_s": settled_s, "violations": harm.wrong,
    }  # fmt: skip


def _settled(payer: Mqtt, clerk: Clerk, shell: Shell, ledger: Ledger) -> float | None:
    """Real seconds until whoever asked is answered; None where somebody is not within a minute."""
    began = time.monotonic()

    def all_answered() -> bool:
        payer.step(pay=False)
        clerk.step(pay=False)
        return not ledger.open

    if not until(all_answered, 60):
        return None
    settled_s = time.monotonic() - began
    shell.join(30)
    return round(settled_s, 1)


def _books(machine: Machine, ledger: Ledger) -> dict[str, Any]:
    """The book when all has ended: each answered payment once, none that nobody asked for, every sum right."""
    with closing(sqlite3.connect(machine.data / "book.db")) as book:
        rows = book.execute("SELECT id, body FROM journal WHERE kind = 'topup/1'").fetchall()
        starts = book.execute("SELECT count(*) FROM journal WHERE kind = 'start/1'").fetchone()[0]
        newest = book.execute("SELECT max(seq) FROM journal").fetchone()[0]
    booked = Counter(id for id, _ in rows)
    receipts = Counter(json.loads(body)["receipt"] for _, body in rows)
    done = {id for id, answers in ledger.answers.items() if any(answer["status"] == "done" for answer in answers)}
    lost = sorted(done - set(booked))
    doubled = [id for id, many in booked.items() if many > 1] + [each for each, many in receipts.items() if many > 1]
    unasked = sorted(set(booked) - set(ledger.asked))
    refused = sorted(id for id in ledger.asked if id in ledger.answers and id not in done)
    contrary = [id for id, answers in ledger.answers.items() if len({a["status"] for a in answers}) > 1]
    violations = [f"{id} was answered and is not in the book" for id in lost[:10]]
    violations += [f"{id} stands twice in the book" for id in doubled[:10]]
    violations += [f"{id} is in the book and nobody asked for it" for id in unasked[:10]]
    violations += [f"{id} was refused: {ledger.answers[id][-1]}" for id in refused[:10]]
    violations += [f"{id} was answered in two ways: {ledger.answers[id]}" for id in contrary[:10]]
    violations += [f"{id} was never answered" for id in ledger.open[:10]]
    wrong_sum = sum(json.loads(body)["amount_fen"] for _, body in rows) != FEN * len(rows)
    violations += ["amounts are not what was paid"] * wrong_sum
    if (lie := verify(machine.data).lie) is not None:
        violations.append(f"riser verify: {lie.sentence()}")
    return {
        "booked": len(rows), "lost": len(lost), "doubled": len(doubled), "unasked": len(unasked), "refused": len(refused),
        "edge_starts_booked": starts, "archive_behind": newest - _archived(machine), "violations": violations,
    }  # fmt: skip


def _archived(machine: Machine) -> int:
    """The newest entry of the bridge's copy."""
    path = machine.data / "archive.db"
    if not path.exists():
        return 0
    with closing(sqlite3.connect(path)) as archive:
        return archive.execute("SELECT coalesce(max(seq), 0) FROM entry").fetchone()[0]


def can_have_namespaces() -> bool:
    """Does this machine allow a network of its own? The partitions here are made by the wires of ours either way."""
    try:
        return subprocess.run(["unshare", "-n", "true"], capture_output=True).returncode == 0
    except FileNotFoundError:
        return False
