"""Tries inputs at the doors, counts, and tells of the first that breaks a promise how to see it again.

First come the inputs that are kept (`door.py` says how one is added), then new ones.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import tempfile
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from types import FrameType
from typing import Any, TextIO

from tests.fuzz.doors.archives import Archives
from tests.fuzz.doors.door import Door, Input
from tests.fuzz.doors.facts import FactDoor
from tests.fuzz.doors.files import ModelFiles, SiteFiles
from tests.fuzz.doors.pages import PageDoor
from tests.fuzz.doors.requests import RequestDoor

DOORS: dict[str, Callable[[Path], Door]] = {
    each.name: each for each in (RequestDoor, PageDoor, FactDoor, SiteFiles, ModelFiles, Archives)
}
HANG_S = 1.0
"""Processor time of one input after which it counts as a hang."""

WAITS_S = 10.0
"""Time on the wall after which an input is stopped and counts as a hang, whatever it does: wait for a lock or a socket,
or go round for ever. It is so long that a machine with much other work does not make a hang of a good input."""

KEPT = Path(__file__).with_name("kept.jsonl")


class Hangs(BaseException):
    """No Exception: nothing that an input reaches may swallow it."""


def kept(name: str) -> list[dict[str, Any]]:
    """The lines of a door: door, why, taken, input."""
    lines = [json.loads(line) for line in KEPT.read_text(encoding="utf-8").splitlines()]
    return [line for line in lines if line["door"] == name]


def tried(names: Iterable[str], runs: int, seed: int, told: TextIO) -> dict[str, Any]:
    """What is kept and so many inputs at each door: seed, inputs, doors and kept as {name: [tried, taken]}, crashes,
    hangs, forbidden, broken."""
    found: dict[str, Any] = {
        "seed": seed, "doors": {}, "kept": {}, "crashes": 0, "hangs": 0, "forbidden": 0, "broken": []
    }  # fmt: skip
    slowest_s = 0.0
    logging.disable(logging.CRITICAL)
    try:
        for name in names:
            with tempfile.TemporaryDirectory(prefix="riser-doors-", dir=_in_memory()) as scratch, _alarm():
                slowest_s = max(slowest_s, _at(name, Path(scratch), runs, seed, found, told))
    finally:
        logging.disable(logging.NOTSET)
    return {**found, "inputs": sum(each[0] for each in found["doors"].values()), "slowest_s": round(slowest_s, 3)}


def _at(name: str, scratch: Path, runs: int, seed: int, found: dict[str, Any], told: TextIO) -> float:
    door, slowest_s = DOORS[name](scratch), 0.0
    again = f"Again: python -m tests.fuzz.doors {name} --seed {seed} --runs"
    count = found["kept"][name] = [0, 0]
    for number, line in enumerate(kept(name), 1):
        for given in (inputs := door.again(line["input"])):
            taken, took_s, broken = _one(name, door, given, told)
            slowest_s = max(slowest_s, took_s)
            if given is inputs[-1] and not broken and taken != line["taken"]:
                print(f"{name}: what is kept is {'taken' if taken else 'refused'} now", file=told)
                broken = "forbidden"
            count[0] += 1
            count[1] += taken
            if broken:
                _count(found, broken, f"{name} kept {number}")
                print(f"{given.about or given.raw[:300]!r}\n{broken}: line {number} of {name} in {KEPT.name}, kept "
                      f"because: {line['why']}. {again} 0", file=told)  # fmt: skip
                return slowest_s
    count = found["doors"][name] = [0, 0]
    for number in range(runs):
        given = door.make(Random(f"{seed}/{name}/{number}"))
        taken, took_s, broken = _one(name, door, given, told)
        slowest_s = max(slowest_s, took_s)
        count[0] += 1
        count[1] += taken
        if broken:
            _count(found, broken, f"{name} {number}")
            print(f"{given.about or given.raw[:300]!r}\n{broken}: input {number} of {name}. {again} {number + 1}\n"
                  f"Once it is mended, a line for {KEPT.name}:\n{line_of(door, given)}", file=told)  # fmt: skip
            return slowest_s
    try:
        door.close()
    except AssertionError as wrong:
        _count(found, "forbidden", f"{name} at the end")
        print(f"{name}, after all: {wrong}", file=told)
    return slowest_s


def _one(name: str, door: Door, given: Input, told: TextIO) -> tuple[bool, float, str | None]:
    """Whether it was taken, its processor time, and the promise it broke."""
    taken, broken = False, None
    began, began_at = time.thread_time(), time.monotonic()
    signal.setitimer(signal.ITIMER_REAL, WAITS_S)
    try:
        taken = door.try_(given)
    except AssertionError as wrong:
        broken = "forbidden"
        print(f"{name}: {wrong}", file=told)
    except Hangs:
        broken = "hangs"
        traceback.print_exc(file=told)
    except Exception:
        broken = "crashes"
        traceback.print_exc(file=told)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    took_s = time.thread_time() - began
    if broken is None and (took_s > HANG_S or time.monotonic() - began_at > WAITS_S):
        broken = "hangs"
    return taken, took_s, broken


def _count(found: dict[str, Any], broken: str, which: str) -> None:
    found[broken] += 1
    found["broken"].append(which)


def line_of(door: Door, given: Input) -> str:
    """The input as a line of what is kept."""
    return json.dumps({"door": door.name, "why": "...", "taken": False, "input": door.kept(given)})


@contextmanager
def _alarm() -> Iterator[None]:
    """The alarm clock is ours meanwhile; whoever had set it before has it again, less the time that went by."""

    def rings(number: int, frame: FrameType | None) -> None:
        raise Hangs(f"it still waits after {WAITS_S:g} s")

    before, began = signal.signal(signal.SIGALRM, rings), time.monotonic()
    left_s, every_s = signal.setitimer(signal.ITIMER_REAL, 0)
    try:
        yield
    finally:
        signal.signal(signal.SIGALRM, before)
        if left_s:
            signal.setitimer(signal.ITIMER_REAL, max(0.001, left_s - (time.monotonic() - began)), every_s)


def _in_memory() -> str | None:
    """Books and files of made-up input need no disk."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
