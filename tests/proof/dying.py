"""The process is killed with -9 at its n-th change of the disk, and the next one goes on with the day (33-37).

dying(places=20, seed=1)      places of a day with a cut, payments, a close, a migration, a midnight; 0: all

`python -m tests.proof.dying SCRATCH`, under the shim, does it in forks of one process that has everything loaded.
"""

from __future__ import annotations

import json
import os
import pickle
import random
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from bridge.contract.clock import ManualClock
from tests.proof import ailing, shim, story, tape
from tests.proof.ailing import PACE, Ailing, Broken, Eve
from tests.proof.tape import Kind

Say = Callable[[str], None]


class Dying(Ailing):
    """The day, whose meters' memory outlives the process."""

    memory: Path

    def answer_of(self, line: str) -> Any:
        inner = super().answer_of(line)

        def answer(frame: bytes, now: datetime, mono: float) -> tuple[bytes, float]:
            found = inner(frame, now, mono)
            self.keep()
            return found

        return answer

    def keep(self) -> None:
        """What the meters know now, and what time it is."""
        scratch = self.memory.with_suffix(".new")
        scratch.write_bytes(pickle.dumps((self.shaft.state(), self.clock.now(), self.clock.monotonic())))
        scratch.replace(self.memory)


def lived(scratch: Path, begun: Eve, dies_at: int) -> dict[str, Any]:
    """One day with one kill; what became of it."""
    directory, meters, now = begun
    day, memory, written, report = (scratch / name for name in ("day", "memory", "tape", "report"))
    shutil.rmtree(day, ignore_errors=True)
    shutil.copytree(directory, day)
    written.unlink(missing_ok=True)
    memory.write_bytes(pickle.dumps((meters, now, 1000.0)))
    Dying.memory = memory
    code = forked(lambda: process(day, written, report, 100, dies_at))
    if code == 0:
        return {"place": dies_at, "killed": False, **json.loads(report.read_text())}
    if code != -signal.SIGKILL:
        return {"place": dies_at, "broken": f"the process ended with {code} before it was killed"}
    report.unlink(missing_ok=True)
    code = forked(lambda: process(day, written, report, 200, None))
    found = json.loads(report.read_text()) if code == 0 else {"broken": f"the second process ended with {code}"}
    return {"place": dies_at, "killed": True, **found}


def process(day: Path, written: Path, report: Path, first_boot: int, dies_at: int | None) -> None:
    """One process of the edge: it begins with what the one before left, and lives the day to its end."""
    watch = story.MarkedBook.shim
    told = (
        {c.words["told"]: c.words["hash"] for c in tape.read(written) if "hash" in words(c)} if written.exists() else {}
    )
    watch.watch(day, written)
    meters, now, monotonic = pickle.loads(Dying.memory.read_bytes())
    Dying.first_boot = first_boot
    before = watch.calls()
    if dies_at is not None:
        watch.die(dies_at)
    found: dict[str, Any] = {}
    try:
        made = Dying(day, (1 << 30, "", "once"), clock=ManualClock(now, monotonic), **PACE)
        made.shaft.restore(meters)
        made.told |= told
        made.live()
        found["calls"] = watch.calls() - before
        made.judge()
    except Broken as broken:
        found["broken"] = str(broken)
    except Exception:
        found["broken"] = traceback.format_exc(limit=-6)
    report.write_text(json.dumps(found))


def words(change: tape.Change) -> dict[str, Any]:
    return change.words if change.kind is Kind.MARK else {}


def forked(act: Callable[[], None]) -> int:
    """Do something in a process of its own; its exit code, negative for the signal that ended it."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            act()
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status)


def dying(places: int = 20, seed: int = 1, *, say: Say = lambda words: None) -> dict[str, Any]:
    """Kill at `places` changes of the day, evenly spread; JSON-able."""
    began, chance = time.monotonic(), random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="riser-dying-", dir=shim.MEMORY) as scratch:
        (whole,) = _run(scratch, [1 << 30])
        if "broken" in whole:
            raise RuntimeError(f"the day is broken without any kill: {whole['broken']}")
        changes = whole["calls"]
        say(f"a day makes {changes} changes of the disk")
        many = places or changes
        plan = [
            1 + n * changes // many + (chance.randrange(max(1, changes // many)) if places else 0) for n in range(many)
        ]
        found = _run(scratch, plan)
    broken = [{"seed": seed, "place": each["place"], "what": each["broken"]} for each in found if "broken" in each]
    return {
        "places": len(found), "seed": seed, "changes_of_the_day": changes,
        "killed": sum(each.get("killed", False) for each in found),
        "broken": len(broken), "violations": broken[:20], "seconds": round(time.monotonic() - began, 1),
        "within": not broken,
    }  # fmt: skip


def _run(scratch: str, plan: list[int]) -> list[dict[str, Any]]:
    (Path(scratch) / "plan").write_text(json.dumps(plan))
    return shim.seen("tests.proof.dying", [scratch], 120 + 20 * len(plan))


def main(scratch: Path) -> None:
    story.begin()
    plan = json.loads((scratch / "plan").read_text())
    shutil.rmtree(scratch / "eve", ignore_errors=True)
    begun = ailing.eve(scratch / "eve")
    print(json.dumps([lived(scratch, begun, place) for place in plan]))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
