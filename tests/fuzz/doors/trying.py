"""Tries inputs at the doors, counts, and tells of the first that breaks a promise how to see it again."""

from __future__ import annotations

import logging
import os
import tempfile
import time
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path
from random import Random
from typing import Any, TextIO

from tests.fuzz.doors.archives import Archives
from tests.fuzz.doors.door import Door
from tests.fuzz.doors.facts import FactDoor
from tests.fuzz.doors.files import ModelFiles, SiteFiles
from tests.fuzz.doors.pages import PageDoor
from tests.fuzz.doors.requests import RequestDoor

DOORS: dict[str, Callable[[Path], Door]] = {
    each.name: each for each in (RequestDoor, PageDoor, FactDoor, SiteFiles, ModelFiles, Archives)
}
HANG_S = 1.0
"""Processor time of one input after which it counts as a hang."""


def tried(names: Iterable[str], runs: int, seed: int, told: TextIO) -> dict[str, Any]:
    """So many inputs at each door: seed, inputs, doors as {name: [tried, taken]}, crashes, hangs, forbidden, broken."""
    found: dict[str, Any] = {"seed": seed, "doors": {}, "crashes": 0, "hangs": 0, "forbidden": 0, "broken": []}
    slowest_s = 0.0
    logging.disable(logging.CRITICAL)
    try:
        for name in names:
            with tempfile.TemporaryDirectory(prefix="riser-doors-", dir=_in_memory()) as scratch:
                slowest_s = max(slowest_s, _at(name, Path(scratch), runs, seed, found, told))
    finally:
        logging.disable(logging.NOTSET)
    return {**found, "inputs": sum(each[0] for each in found["doors"].values()), "slowest_s": round(slowest_s, 3)}


def _at(name: str, scratch: Path, runs: int, seed: int, found: dict[str, Any], told: TextIO) -> float:
    door, slowest_s = DOORS[name](scratch), 0.0
    count = found["doors"][name] = [0, 0]
    for number in range(runs):
        given = door.make(Random(f"{seed}/{name}/{number}"))
        count[0] += 1
        began = time.thread_time()
        try:
            count[1] += door.try_(given)
            took_s = time.thread_time() - began
            slowest_s = max(slowest_s, took_s)
            broken = "hangs" if took_s > HANG_S else None
        except AssertionError as wrong:
            broken = "forbidden"
            print(f"{name}: {wrong}", file=told)
        except Exception:
            broken = "crashes"
            traceback.print_exc(file=told)
        if broken:
            found[broken] += 1
            found["broken"].append(f"{name} {number}")
            print(f"{given.about or given.raw[:300]!r}\n{broken}: input {number} of {name}. Again: python -m "
                  f"tests.fuzz.doors {name} --seed {seed} --runs {number + 1}", file=told)  # fmt: skip
            return slowest_s
    try:
        door.close()
    except AssertionError as wrong:
        found["forbidden"] += 1
        found["broken"].append(f"{name} at the end")
        print(f"{name}, after all: {wrong}", file=told)
    return slowest_s


def _in_memory() -> str | None:
    """Books and files of made-up input need no disk."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
