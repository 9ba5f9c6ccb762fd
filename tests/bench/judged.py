"""What the judge saw: exchanges, sweeps, and how much of a line's time was used for what a meter needs."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bench.line_wire import BITS, GAP_CHARACTERS, TURNAROUND_S
from tests.bench.shaft24 import ROOT

ORDER_AROUND_S = 10.0
"""Around an order to a relay its evidence is read and what became of it; that is nobody's routine reading."""

BORDER_S = 10.0
"""A line's border reads are over in this time."""


@dataclass(frozen=True)
class Exchange:
    """One question on a line and what became of it; instants are CLOCK_MONOTONIC."""

    line: str
    meter: str
    item: str
    arrived: float
    begin: float
    end: float
    asked: int
    shortest: int
    answer: bytes
    damaged: bool
    early: bool
    late_s: float

    @property
    def good(self) -> bool:
        return bool(self.answer) and not self.damaged

    @property
    def total(self) -> int | None:
        """The register of total energy as the answer has it, in Wh; None where it is not in there."""
        if not self.answer:
            return None
        if self.item == "0001ff00":
            at = self.answer.index(b"\x68") + 14
            return 10 * int(bytes((b - 0x33) % 256 for b in self.answer[at : at + 4])[::-1].hex())
        return 10 * int.from_bytes(self.answer[3:7], "big") if self.item.startswith("3:0:") else None


def _item(frame: bytes) -> str:
    """What is asked: the identifier of a DL/T 645 read, `order` of anything else there, function:start:count."""
    if frame[0] == 0x68 and len(frame) >= 12:
        if frame[8] not in (0x11, 0x12):
            return f"order {frame[8]:02x}"
        return bytes((b - 0x33) % 256 for b in frame[10:14])[::-1].hex()
    return f"{frame[1]}:{int.from_bytes(frame[2:4], 'big')}:{int.from_bytes(frame[4:6], 'big')}"


def _exchange(row: dict[str, Any]) -> Exchange:
    return Exchange(
        row["line"], row["meter"], _item(bytes.fromhex(row["frame"])), row["arrived"], row["begin"], row["end"],
        row["asked"], row["shortest"], bytes.fromhex(row["answer"]), row["damaged"], row["early"], row["late_s"],
    )  # fmt: skip


class Judge:
    """The judge's process and its log."""

    def __init__(self, shaft: Path, directory: Path, environment: dict[str, str] | None = None):
        directory.mkdir(exist_ok=True)
        self.directory, self._log = directory, directory / "log"
        self._log.touch()
        self._read, self._rest, self.seen = 0, b"", []  # type: int, bytes, list[Exchange]
        self._child = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.line_judge", str(shaft), str(directory)],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment,
        )  # fmt: skip
        self._told()

    def do(self, what: str, **words: Any) -> float:
        """Give an order; returns the instant at which it was done."""
        assert self._child.stdin is not None
        self._child.stdin.write(json.dumps({"do": what, **words}).encode() + b"\n")
        self._child.stdin.flush()
        return self._told()

    def _told(self) -> float:
        assert self._child.stdout is not None
        text = self._child.stdout.readline()
        if not text:
            raise AssertionError(f"the judge has died, code {self._child.wait()}")
        return float(json.loads(text)["at"])

    def exchanges(self) -> list[Exchange]:
        """Everything that was seen until now."""
        with self._log.open("rb") as file:
            file.seek(self._read)
            fresh = file.read()
        self._read += len(fresh)
        *whole, self._rest = (self._rest + fresh).split(b"\n")
        self.seen += [_exchange(json.loads(each)) for each in whole]
        return self.seen

    def between(self, begin: float, end: float = float("inf")) -> list[Exchange]:
        return [each for each in self.exchanges() if begin <= each.begin and each.end <= end]

    def until(self, condition: Any, limit_s: float, what: str, every_s: float = 0.25) -> None:
        """Wait for something in the log, and look seldom: looking takes time from those who are measured."""
        until = time.monotonic() + limit_s
        while not condition(self.exchanges()):
            if time.monotonic() > until:
                raise AssertionError(f"{what}: not seen on the line within {limit_s:.0f} s")
            time.sleep(every_s)

    def stop(self) -> None:
        with suppress(BrokenPipeError):
            self.do("end")
        self._child.wait(10)


@dataclass(frozen=True)
class Wire:
    """What a line's bytes cost."""

    protocol: str
    baud: int

    @property
    def gap_s(self) -> float:
        return GAP_CHARACTERS * BITS / self.baud if self.protocol == "modbus-rtu" else 0.0

    def needed_s(self, each: Exchange) -> float:
        """The shortest form of an exchange, with the gap before it; what the judge itself was late by is nobody's."""
        byte_s = BITS / self.baud
        return (each.shortest + len(each.answer)) * byte_s + TURNAROUND_S[self.protocol] + self.gap_s + each.late_s


def unneeded(seen: Sequence[Exchange], midnight: float | None = None) -> set[int]:
    """Places of answers that nobody needed: the same question answered well less than half a sweep before.

    Frozen registers are read twice, for they go on a bill, a meter that keeps none is read at `midnight` whoever's turn
    it is, and around an order its evidence and outcome are read.
    """
    sweep = statistics.median(lengths) if (lengths := [b - a for a, b in sweeps(seen)]) else 0.0
    orders = [(each.meter, each.begin) for each in seen if each.item.startswith("order")]
    newest: dict[tuple[str, str], float] = {}
    found = set()
    for place, each in enumerate(seen):
        if any(meter == each.meter and abs(at - each.begin) < ORDER_AROUND_S for meter, at in orders):
            continue
        if midnight is not None and each.total is not None and 0 <= each.begin - midnight < BORDER_S:
            continue
        key = each.meter, each.item
        if each.begin - newest.get(key, -1e9) < sweep / 2 and not each.item.startswith("0506"):
            found.add(place)
        if each.good:
            newest[key] = each.begin
    return found


def sweeps(seen: Sequence[Exchange], without: Sequence[str] = ()) -> list[tuple[float, float]]:
    """(begin, end) of whole sweeps: each meter but `without` has answered for its energy; the next begins at once."""
    healthy = {each.meter for each in seen if each.total is not None and each.good} - set(without)
    found, missing, begin = [], set(healthy), None
    for each in seen:
        if each.total is None or not each.good or each.meter not in healthy:
            continue
        if not missing:
            assert begin is not None
            found.append((begin, each.begin))
            missing, begin = set(healthy), None
        begin = each.begin if begin is None else begin
        missing.discard(each.meter)
    return found


def efficiency(
    wire: Wire, seen: Sequence[Exchange], without: Sequence[str] = (), midnight: float | None = None
) -> dict[str, Any]:
    """The share of the time, over whole sweeps, that the needed answers must take; and each sweep's own."""
    whole = sweeps(seen, without)
    if not whole:
        return {"efficiency": 0.0, "sweeps": 0}
    spoilt = unneeded(seen, midnight)
    parts, used_s = [], 0.0
    for begin, end in whole:
        mine = [each for n, each in enumerate(seen) if begin <= each.begin < end and each.good and n not in spoilt]
        needed = sum(wire.needed_s(each) for each in mine)
        used_s += needed
        parts.append(needed / (end - begin))
    inside = [each for each in seen if whole[0][0] <= each.begin < whole[-1][1]]
    return {
        "efficiency": round(used_s / (whole[-1][1] - whole[0][0]), 4),
        "median_sweep": round(statistics.median(parts), 4),
        "worst_sweep": round(min(parts), 4),
        "sweeps": len(whole),
        "sweep_s": round(statistics.median(end - begin for begin, end in whole), 3),
        "exchanges": len(inside),
        "extra_bytes": sum(each.asked - each.shortest for each in inside),
        "unneeded": sum(whole[0][0] <= seen[n].begin < whole[-1][1] for n in spoilt),
        "unanswered": sum(not each.answer for each in inside),
        "gap_violations": sum(each.early for each in inside),
        "judge_late": round(sum(each.late_s for each in inside) / (whole[-1][1] - whole[0][0]), 5),
    }
