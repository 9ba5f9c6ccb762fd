"""Runs the proofs piece by piece, as many at once as there are cores, until all is done or time is up."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.prove.kept import Kept, Record
from tests.prove.parts import EARLY, PARTS, Amounts, Part

ROOT = Path(__file__).parents[2]
PYTHON = os.path.relpath(sys.executable, ROOT) if Path(sys.executable).is_relative_to(ROOT) else sys.executable
PAUSE_S = 0.1
KNOWN_PIECES = 1000
"""Seeds of the pieces that are the same at every run begin here; new ones are drawn from the run's own seed."""


Say = Callable[[str], None]


@dataclass
class Progress:
    """What one proof has done so far."""

    part: Part
    wanted: Amounts
    done: Amounts = field(default_factory=dict)
    figures: dict[str, tuple[float, float]] = field(default_factory=dict)
    numbers: set[int] = field(default_factory=set)
    """Of the pieces that were begun."""
    took_s: list[float] = field(default_factory=list)

    def share(self) -> float:
        """How much of what is wanted is done, 0 to 1; what runs now not counted."""
        shares = [self.done.get(name, 0) / most for name, most in self.wanted.items() if most]
        return min(shares, default=1.0)

    def guess_s(self) -> float:
        return self.took_s[-1] if self.took_s else self.part.first_s

    def take(self, found: dict[str, Any], took_s: float) -> None:
        self.took_s.append(took_s)
        for name, amount in self.part.amounts(found).items():
            self.done[name] = self.done.get(name, 0) + amount
        for name, figure in self.part.figures(found).items():
            least, most = self.figures.get(name, (figure, figure))
            self.figures[name] = min(least, figure), max(most, figure)

    def told(self) -> dict[str, Any]:
        return {
            "done": {name: round(amount, 1) for name, amount in self.done.items()},
            "wanted": self.wanted,
            "pieces": len(self.took_s),
            "seconds": round(sum(self.took_s)),
            **({"least_and_most": self.figures} if self.figures else {}),
        }


@dataclass
class Piece:
    """A command that runs."""

    progress: Progress
    number: int
    words: list[str]
    process: subprocess.Popen[bytes]
    output: Any
    began: float


class Run:
    """One run of `riser prove`."""

    def __init__(
        self, seed: int, full: bool, budget_s: float | None, say: Say, parts: tuple[Part, ...] = PARTS,
        only: bool = False, kept: Kept | None = None,
    ):  # fmt: skip
        """`only`: these parts were asked for by name, so that each is done, also those that a short run leaves out.
        `kept`: what was done before is counted, what is done is added."""
        self.seed, self.full, self._budget_s, self._say = seed, full, budget_s, say
        self._all = [Progress(part, _wanted(part, full, only)) for part in parts]
        self.breaches: list[dict[str, Any]] = []
        self.remarks: set[str] = set()
        self._running: list[Piece] = []
        self._began, self._kept = time.monotonic(), kept
        named = {each.part.name: each for each in self._all}
        for record in kept.pieces if kept else ():
            if (mine := named.get(record["part"])) is not None and record["number"] not in mine.numbers:
                mine.numbers.add(record["number"])
                self._count(mine, record)
            elif mine is None and record["broken"]:
                self._broke(record)

    def run(self, cores: int) -> dict[str, Any]:
        """All of it. {seed, full, took_s, parts, breaches, short, within}"""
        try:
            while True:
                self._ended()
                chosen = self._next(cores)
                if chosen is None and not self._running:
                    break
                if chosen is None:
                    time.sleep(PAUSE_S)
                else:
                    self._begin(chosen)
        finally:
            for piece in self._running:
                _end(piece.process)
        short = [each.part.name for each in self._all if each.share() < 1]
        return {
            "seed": self.seed, "full": self.full, "took_s": round(time.monotonic() - self._began),
            "parts": {each.part.name: each.told() for each in self._all if each.wanted}, "breaches": self.breaches,
            "short": short, "left_out": [each.part.name for each in self._all if not each.wanted and not each.took_s],
            "not_begun": [each.part.name for each in self._all if each.wanted and not each.took_s],
            "remarks": sorted(self.remarks), "within": not self.breaches and not short,
        }  # fmt: skip

    def _next(self, cores: int) -> Progress | None:
        """The proof that is furthest behind, of those that may begin a piece now; one that runs alone is waited for.

        The first piece of each begins while any time is left, so that of each something is known: the longest, and
        beside it the shortest one after the other. Of later pieces none begins that would not end in time."""
        if len(self._running) >= cores or any(piece.progress.part.alone for piece in self._running):
            return None
        left_s = float("inf") if self._budget_s is None else self._budget_s - (time.monotonic() - self._began)
        open_ = []
        for each in self._all:
            mine = sum(piece.progress is each for piece in self._running)
            if each.share() >= 1 or mine >= each.part.width:
                continue
            first = not each.took_s and not mine
            if (left_s > 0 if first else each.guess_s() <= left_s) and not self._enough_runs(each, mine):
                guess_s = each.guess_s() if first and self._running else -each.guess_s()
                open_.append((not first, each.share(), guess_s, each))
        chosen = min(open_, key=lambda row: row[:3])[3] if open_ else None
        return None if chosen and chosen.part.alone and self._running else chosen

    @staticmethod
    def _enough_runs(progress: Progress, mine: int) -> bool:
        """What runs already will bring the rest."""
        whole = progress.share() / len(progress.took_s) if progress.took_s else 0.0
        return mine > 0 and progress.share() + mine * whole >= 1

    def _begin(self, progress: Progress) -> None:
        number = next(number for number in itertools.count() if number not in progress.numbers)
        progress.numbers.add(number)
        # Of the early ones the second alone is new: what a change broke is told from bad luck that nobody has met yet.
        new = progress.part.fresh or (number % 2 == 1 if self.full or number >= EARLY else number == 1)
        seed = self.seed + number if new else KNOWN_PIECES + number
        command = progress.part.full_command if self.full else None
        words = (command or progress.part.command)(number, seed)
        output = tempfile.TemporaryFile()  # noqa: SIM115  It is closed when the piece has ended.
        environ = {**os.environ, "PYTHONPATH": str(ROOT)}
        process = subprocess.Popen(
            [sys.executable, *words], cwd=ROOT, env=environ, stdout=output, stderr=output, start_new_session=True
        )
        self._running.append(Piece(progress, number, words, process, output, time.monotonic()))

    def _ended(self) -> None:
        for piece in list(self._running):
            took_s, limit_s = time.monotonic() - piece.began, piece.progress.part.limit_s
            hangs = piece.process.poll() is None and took_s > limit_s
            if piece.process.poll() is None and not hangs:
                continue
            if hangs:
                _end(piece.process)
            self._running.remove(piece)
            piece.output.seek(0)
            text = piece.output.read().decode(errors="replace")
            piece.output.close()
            record: Record = {
                "part": piece.progress.part.name, "number": piece.number, "words": piece.words,
                "took_s": round(took_s, 1), **_judged(piece, text, f"had not ended after {limit_s:.0f} s" * hangs),
            }  # fmt: skip
            self._count(piece.progress, record)
            if self._kept:
                self._kept.add(record)
            kept = "BROKEN " if record["broken"] else "kept   "
            self._say(f"{record['part']:9} {kept} {took_s:4.0f} s  {_again(record)}")

    def _count(self, progress: Progress, record: Record) -> None:
        """What a piece that has ended brings."""
        if record["found"] is not None:
            progress.take(record["found"], record["took_s"])
            if remark := progress.part.remark(record["found"]):
                self.remarks.add(f"{progress.part.name}: {remark}")
        if record["broken"]:
            self._broke(record)
            progress.wanted = {}  # What is broken is not tried on.

    def _broke(self, record: Record) -> None:
        self.breaches.append({"part": record["part"], "what": record["broken"], "again": _again(record)})


def _judged(piece: Piece, text: str, hangs: str) -> Record:
    """{broken, found}: what it broke, and what it told, or None where that is not all that is counted."""
    part, code, end = piece.progress.part, piece.process.returncode, text[-2000:]
    if hangs:
        return {"broken": [f"{hangs}: {end}"], "found": None}
    if (found := _found(text)) is None:
        return {"broken": [f"ended with {code} and told nothing: {end}"], "found": None}
    try:
        broken = part.broken(found)
        part.amounts(found), part.figures(found), part.remark(found)
    except KeyError as missing:
        return {"broken": [f"told nothing of {missing}: {end}"], "found": None}
    return {"broken": broken or ([f"ended with {code}: {end}"] if code else []), "found": found}


def _again(record: Record) -> str:
    return f"{PYTHON} {' '.join(record['words'])}"


def _wanted(part: Part, full: bool, only: bool) -> Amounts:
    """By name; of what a short run leaves out a first piece where it was asked for."""
    wanted = {name: both[full] for name, both in part.wanted.items() if both[full]}
    return wanted or (dict.fromkeys(part.wanted, 1.0) if only else {})


def _end(process: subprocess.Popen[bytes]) -> None:
    """With all that it has started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _found(text: str) -> dict[str, Any] | None:
    """The last line that is one JSON object."""
    for line in reversed(text.splitlines()):
        if line.startswith("{"):
            try:
                told = json.loads(line)
            except ValueError:
                continue
            return told if isinstance(told, dict) else None
    return None
