"""`riser restore` is killed at its n-th change of the disk, its disk fails there, or the power is cut (I5).

restoring(places=60, images=200, seed=1)      places with a trouble, 0: each; and disks that a power cut could leave

`python -m tests.proof.restoring SCRATCH PLACES IMAGES SEED`, under the shim, does it in forks of one process.
"""

from __future__ import annotations

import importlib
import io
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from subprocess import CompletedProcess
from types import SimpleNamespace
from typing import Any

from host.backup import proof, restore, sealed
from host.exits import Trouble
from tests.proof import shim, tape
from tests.proof.disk import MANNERS, Disk, Image
from tests.proof.dying import forked
from tests.proof.opened import key_of, laid
from tests.proof.restored import Broken, Judge, lived, put_back
from tests.proof.tape import Kind

Say = Callable[[str], None]

TROUBLES = ("killed", "full", "io")
"""Ended with -9; no room from there on; one call refused."""

REFUSED = 3
"""Exit code of a restore that ended in a sentence."""

NEVER = 1 << 40


def edge_in_this_process(command: list[str], **options: Any) -> CompletedProcess[str]:
    """The edge's program that is asked, where its changes of the disk are seen."""
    said, complained = io.StringIO(), io.StringIO()
    with redirect_stdout(said), redirect_stderr(complained):
        try:
            code = importlib.import_module(command[2]).main(command[3:])
        except Exception:
            code = 1
            traceback.print_exc()
    return CompletedProcess(command, code, said.getvalue(), complained.getvalue())


class Machine:
    """One kind of machine (`here` with a gateway on it, or `new`), and restores of it that go wrong."""

    def __init__(self, scratch: Path, kind: str, usb: Path, watch: shim.Shim):
        self.kind, self._usb, self._watch = kind, usb, watch
        self._before, self.data, self.tape = scratch / kind, scratch / "data", scratch / f"tape-{kind}"
        self.calls = self._whole(scratch / f"whole-{kind}")
        self.judge = Judge(usb, self._before, scratch / "place", scratch / f"whole-{kind}")

    def _lay(self) -> None:
        shutil.rmtree(self.data, ignore_errors=True)
        shutil.copytree(self._before, self.data)

    def _whole(self, kept: Path) -> int:
        """Undisturbed, on the tape; how many changes that takes."""
        self._lay()
        self.laid = {path.relative_to(self.data).as_posix() + "/" * path.is_dir(): (path.stat().st_ino, b"" if
                     path.is_dir() else path.read_bytes()) for path in sorted(self.data.rglob("*"))}  # fmt: skip
        count = kept.with_suffix(".calls")

        def act() -> None:
            self._watch.watch(self.data, self.tape)
            put_back(self._usb, self.data)
            self._watch.mark(done=True)
            count.write_text(str(self._watch.calls()))

        if forked(act) != 0:
            raise RuntimeError("a restore is broken without any trouble")
        shutil.copytree(self.data, kept)
        return int(count.read_text())

    def _run(self, trouble: str, at: int) -> int:
        def act() -> None:
            self._watch.watch(self.data)
            if trouble == "killed":
                self._watch.die(at)
            else:
                self._watch.fail(at, NEVER if trouble == "full" else 1, trouble)
            try:
                put_back(self._usb, self.data)
            except Trouble:
                os._exit(REFUSED)

        return forked(act)

    def tried(self, trouble: str, at: int, again_at: int) -> dict[str, Any]:
        """One restore with a trouble; `again_at` is where the next one is killed too, 0 for not at all."""
        self._lay()
        found: dict[str, Any] = {"machine": self.kind, "trouble": trouble, "place": at, "again": again_at}
        try:
            code = self._run(trouble, at)
            found["state"] = state = self.judge.state(self.data)
            if code not in (0, REFUSED, -signal.SIGKILL):
                raise Broken(f"the command ended with {code}")
            if code == 0 and state != "restored":
                raise Broken(f"the command said that all is well, and left: {state}")
            if again_at and state != "restored":
                self._run("killed", again_at)
                found["state"] = state = self.judge.state(self.data)
            if state != "restored":
                self.judge.made_good(self.data)
        except Broken as broken:
            found["broken"] = str(broken)
        return found

    def disks(self, images: int, chance: random.Random) -> Iterator[tuple[int, str, Image, bool]]:
        """(place, manner, disk, whether the command had said that all is well): half of them anywhere, half where
        more than the scratch directory was changed."""
        changes = list(tape.read(self.tape))
        scratch = f"{self.data}/{restore.SCRATCH}/"
        near = [at for at, change in enumerate(changes, 1)
                if not change.path.startswith(scratch) or change.kind is Kind.RENAME]  # fmt: skip
        wanted = Counter(
            [1 + number * len(changes) // max(1, images // 2) for number in range(images // 2)]
            + [near[number * len(near) // (images - images // 2)] for number in range(images - images // 2)]
        )
        disk, done, turn = Disk(str(self.data), self.laid), False, chance.randrange(len(MANNERS))
        for at, change in enumerate(changes, 1):
            if change.kind is Kind.MARK:
                done = True
            else:
                disk.take(change)
            for _ in range(wanted.get(at, 0)):
                manner = MANNERS[turn % len(MANNERS)]
                turn += 1
                yield at, manner, disk.image(manner, chance), done

    def cut(self, images: int, chance: random.Random) -> Iterator[dict[str, Any]]:
        """The power is cut `images` times; what became of each disk that is different."""
        looked = set[tuple[bytes, bool]]()
        for at, manner, image, done in self.disks(images, chance):
            if (key := (key_of(image), done)) in looked:
                continue
            looked.add(key)
            self.data.mkdir(exist_ok=True)
            laid(image, self.data)
            found: dict[str, Any] = {"machine": self.kind, "trouble": "cut", "place": at, "manner": manner}
            try:
                found["state"] = state = self.judge.state(self.data)
                if done and state != "restored":
                    raise Broken(f"the command had said that all is well, and the disk holds: {state}")
                if state != "restored":
                    self.judge.made_good(self.data)
            except Broken as broken:
                found["broken"] = str(broken)
            yield found


def planned(machines: list[Machine], places: int, chance: random.Random) -> list[tuple[Machine, str, int, int]]:
    """Which trouble comes where; every second restore after a kill is killed too."""
    each = [
        (machine, trouble, at) for machine in machines for trouble in TROUBLES for at in range(1, machine.calls + 1)
    ]
    many = places or len(each)
    chosen = [each[(n * len(each) + (chance.randrange(len(each)) if places else 0)) // many] for n in range(many)]
    return [
        (machine, trouble, at, chance.randint(1, machine.calls) if n % 2 else 0)
        for n, (machine, trouble, at) in enumerate(chosen)
    ]


def restoring(places: int = 60, images: int = 200, seed: int = 1, *, say: Say = lambda words: None) -> dict[str, Any]:
    """Disturb `places` restores and cut the power of `images`; JSON-able."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="riser-restoring-", dir=shim.MEMORY) as scratch:
        words = [scratch, str(places), str(images), str(seed)]
        told = shim.seen("tests.proof.restoring", words, 600 + places + images + 3600 * (places == 0))
    say(f"a restore makes {told['calls']} changes of the disk")
    found, cut = told["places"], told["images"]
    broken = [{"seed": seed, **each} for each in found + cut if "broken" in each]
    return {
        "places": len(found), "images": images, "different_images": len(cut), "seed": seed,
        "changes_of_a_restore": told["calls"],
        "left": dict(sorted(Counter(each["state"] for each in found + cut if "state" in each).items())),
        "broken": len(broken), "violations": broken[:20], "seconds": round(time.monotonic() - began, 1),
        "within": not broken,
    }  # fmt: skip


def main(scratch: Path, places: int, images: int, seed: int) -> None:
    proof.subprocess = SimpleNamespace(run=edge_in_this_process)  # type: ignore[attr-defined]
    sealed.WORK = 2**4  # The real one takes some tenths of a second, which is its sense and not ours here.
    chance, watch, usb = random.Random(seed), shim.Shim(), lived(scratch)
    machines = [Machine(scratch, kind, usb, watch) for kind in ("here", "new")]
    found = [machine.tried(*rest) for machine, *rest in planned(machines, places, chance)]
    cut = [each for machine, many in zip(machines, (images - images // 4, images // 4), strict=True)
           for each in machine.cut(many, chance)]  # fmt: skip
    print(json.dumps({"places": found, "images": cut, "calls": machines[0].calls}, ensure_ascii=False))


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(int, sys.argv[2:]))
