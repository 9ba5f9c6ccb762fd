"""Copies of the program to plant into: a mistake stands in one copy while the tests run there, never in the tree."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

from tests.planted.bugs import ROOT

ENDLESS = "they do not end"


@dataclass(frozen=True)
class Found:
    """What the tests said to a mistake: the first that failed, None when all passed; and after how long."""

    test: str | None
    seconds: float


def copy_of_the_program(into: Path) -> Path:
    """All that git knows, as it stands in the working tree."""
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True).stdout.split(b"\0")
    for name in (Path(os.fsdecode(each)) for each in names if each):
        if (ROOT / name).is_file():
            (into / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, into / name)
    return into


def fails(tree: Path, tests: tuple[str, ...], timeout_s: float) -> str | None:
    """The test that fails first, None when none does. Tests that hang fail: nobody would land what makes them."""
    command = [sys.executable, "-m", "pytest", "-q", "-x", "--no-header", "-p", "no:cacheprovider", "-n", "0", *tests]
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": ""}
    try:
        ran = subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True, timeout=timeout_s)
    except subprocess.TimeoutExpired:
        return ENDLESS
    if ran.returncode == 0:
        return None
    told = re.search(r"^(?:FAILED|ERROR) (\S.*?)(?: - |$)", ran.stdout, re.MULTILINE)  # A log line has more spaces.
    said = told[1] if told else (ran.stdout + ran.stderr).strip().splitlines()[-1]
    return said


class Trees:
    """As many copies as run at once; who needs one waits for it."""

    def __init__(self, scratch: Path, count: int):
        self._free: SimpleQueue[Path] = SimpleQueue()
        for number in range(count):
            self._free.put(copy_of_the_program(scratch / str(number)))

    @contextmanager
    def one(self) -> Iterator[Path]:
        tree = self._free.get()
        try:
            yield tree
        finally:
            self._free.put(tree)

    def sound(self, tests: tuple[str, ...], timeout_s: float) -> str | None:
        """The test that fails though nothing is planted, None when all pass."""
        with self.one() as tree:
            return fails(tree, tests, timeout_s)

    def said_to(self, file: str, text: str, tests: tuple[str, ...], timeout_s: float) -> Found:
        """What the tests say when a file reads otherwise; afterwards it reads as before."""
        with self.one() as tree:
            place, began = tree / file, time.monotonic()
            whole = place.read_text(encoding="utf-8")
            try:
                place.write_text(text, encoding="utf-8")
                test = fails(tree, tests, timeout_s)
            finally:
                place.write_text(whole, encoding="utf-8")
            return Found(test, round(time.monotonic() - began, 1))


@contextmanager
def trees(count: int | None = None) -> Iterator[Trees]:
    """Copies for a while: one per processor, unless told otherwise."""
    with tempfile.TemporaryDirectory(prefix="riser-planted-") as scratch:
        yield Trees(Path(scratch), count or os.cpu_count() or 1)
