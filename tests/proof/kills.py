"""Real programs killed at random moments while people pay: nothing lost, nothing doubled, all settled soon after.

kills(kills=60, topups=3_000, seed=1)      what was done, what was lost or doubled, and how long it took to settle
"""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.proof import network, shim
from tests.proof.afterwards import TOLD, behind, settled
from tests.proof.clerk import Clerk, TwoWindows
from tests.proof.harm import ANSWERED_WITHIN_S, Harm
from tests.proof.machine import PEOPLE, Machine, until
from tests.proof.payers import Ledger, Mqtt, Shell
from tests.proof.race import Race

SETTLES_WITHIN_S = 10.0
READY_WITHIN_S = 90.0
ARCHIVED_WITHIN_S = 60.0

MEAN_GAP_S = 1.0
"""Between two harms; a program takes one to two seconds to start, so that many meet it while it starts."""

WINDOW = 24

Say = Callable[[str], None]


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
        ledger = Ledger(machine.disturbed)
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
    payer, race, shell = Mqtt(machine, ledger, WINDOW), Race(machine, ledger), Shell(machine, ledger)
    *names, last = PEOPLE
    windows = TwoWindows(machine, ledger, last)
    clerks = [*(Clerk(machine, ledger, name) for name in names), windows]

    def pay(pay: bool = True) -> int:
        payer.step(pay)
        race.step(pay)
        return ledger.many()[1]

    harm, due = Harm(machine, ledger, pay, chance, at_writes, alone), 0.0
    try:
        for clerk in clerks:
            clerk.start()
        if not until(lambda: pay() >= 20 and all(clerk.pages for clerk in clerks), READY_WITHIN_S):
            raise RuntimeError(f"nobody can pay at the beginning; the edge says: {machine.tail('edge')}")
        shell.start()
        harm.do("second edge", breath=False)
        told = time.monotonic()
        while machine.killed < kills or ledger.many()[0] < topups:
            pay()
            harm.undo()
            if time.monotonic() >= due:
                harm.one()
                due = time.monotonic() + gaps(chance, mean_gap_s)
            if time.monotonic() - told > 10:
                told = time.monotonic()
                asked, answered = ledger.many()
                say(f"{machine.killed} kills, {answered} of {asked} payments answered")
        harm.undo(now=True)
        pay()
        open_at_the_last = len(ledger.open)
        harm.do("two", breath=False)
        for person in (shell, *clerks):
            person.stopping.set()
        if not until(lambda: (pay(False), not ledger.open)[1], ANSWERED_WITHIN_S):
            harm.wrong += [f"{clerk.name} saw last: {clerk.saw}" for clerk in clerks]
            harm.wrong.append(f"the panel's newest words: {machine.tail('panel')[-600:]}")
        copied = until(lambda: not behind(machine), ARCHIVED_WITHIN_S)
        harm.wrong += [] if copied else [f"the archive lacks entries or tells them otherwise: {behind(machine)[:TOLD]}"]
    finally:
        harm.undo(now=True)
        for person in (shell, *clerks):
            person.stopping.set()
        for link in (payer.link, *race.links):
            link.stop()
    asked, answered = ledger.many()
    took, whose, after = ledger.slowest
    return {
        "kills": machine.killed, "ends": dict(sorted(machine.ends.items())), "harm": dict(sorted(harm.done.items())),
        "own_network": alone, "asked": asked, "answered": answered, "at_the_shell": shell.done,
        "at_the_panel": sum(clerk.pages for clerk in clerks), "raced": len(ledger.raced),
        "refused_by_the_panel": windows.refused, "waited_for": harm.waited_for, "open_at_the_last": open_at_the_last,
        "settled_s": None if ledger.open else round(took, 1), "slowest": f"{whose} after {after}",
        "slowest_start_s": round(machine.slowest_start_s, 1),
        "archive_complete": copied, "violations": [*harm.wrong, *windows.wrong],
    }  # fmt: skip


def gaps(chance: random.Random, mean_s: float) -> float:
    """Seconds until the next harm: never regular, at times in the middle of a start."""
    return min(4 * mean_s, chance.expovariate(1 / mean_s))
