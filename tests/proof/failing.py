"""The disk is full or fails at one change after another: nothing answered is lost, nobody is cut (38-40).

failing(calls=60, seed=1)      so many places, spread over all changes of a day; 0 takes every one
"""

from __future__ import annotations

import json
import random
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tests.proof import shim

TROUBLES = (
    ("full", "stays"), ("io", "once"), ("full", "half"), ("io", "stays"), ("read-only", "stays"), ("full", "once"),
)  # fmt: skip
"""What goes wrong, and whether only this once, with half of a write taken, or from then on for some minutes."""

Say = Callable[[str], None]


def failing(
    calls: int = 60,
    seed: int = 1,
    *,
    troubles: Sequence[tuple[str, str]] = TROUBLES,
    plant: str = "",
    say: Say = lambda words: None,
) -> dict[str, Any]:
    """Let the disk fail at `calls` places; JSON-able."""
    began, chance = time.monotonic(), random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="riser-failing-", dir=shim.MEMORY) as scratch:
        (whole,) = _lived(scratch, [(1, "", "once")], plant)
        if "broken" in whole:
            raise RuntimeError(f"the day is broken without any trouble: {whole['broken']}")
        changes = whole["calls"]
        say(f"a day makes {changes} changes of the disk")
        plan = planned(changes, calls, chance, troubles)
        found = _lived(scratch, plan, plant)
    broken = [
        {"seed": seed, "call": each["trouble"][0], "trouble": " ".join(each["trouble"][1:]), "what": each["broken"]}
        for each in found
        if "broken" in each
    ]
    return {
        "failed_calls": len(found), "seed": seed, "changes_of_the_day": changes,
        "reached": sum(each.get("reached", False) for each in found),
        "process_ended": sum(each.get("ends", 0) > 0 for each in found), "broken": len(broken),
        "troubles": dict(Counter(" ".join(each["trouble"][1:]) for each in found)),
        "violations": broken[:20], "seconds": round(time.monotonic() - began, 1), "within": not broken,
    }  # fmt: skip


def planned(
    changes: int, calls: int, chance: random.Random, troubles: Sequence[tuple[str, str]] = TROUBLES
) -> list[tuple[int, str, str]]:
    """Every change with each trouble, or `calls` of them evenly spread."""
    if calls == 0:
        return [(n, *trouble) for n in range(1, changes + 1) for trouble in troubles]
    spread = [1 + number * changes // calls + chance.randrange(max(1, changes // calls)) for number in range(calls)]
    return [(min(n, changes), *troubles[number % len(troubles)]) for number, n in enumerate(spread)]


def _lived(scratch: str, plan: list[tuple[int, str, str]], plant: str) -> list[dict[str, Any]]:
    (Path(scratch) / "plan").write_text(json.dumps(plan))
    return shim.seen("tests.proof.ailing", [scratch, plant], 120 + 20 * len(plan))
