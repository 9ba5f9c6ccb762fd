"""`python -m tests.planted [LIST ...] [--only WORDS] [--json]`: plant each bug in a copy and see it caught.

Exit codes: 0 every bug was caught, 1 one was not (or the tests fail without any), 2 a list does not fit the program.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue

from tests.planted.bugs import ROOT, Bug, bugs, planted

TIMEOUT_S = 300.0
"""A bug that makes the tests hang is caught too: nobody would land that."""


def copy_of_the_program(into: Path) -> Path:
    """All that git knows, as it stands in the working tree."""
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True).stdout.split(b"\0")
    for name in (Path(os.fsdecode(each)) for each in names if each):
        if (ROOT / name).is_file():
            (into / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, into / name)
    return into


def fails(tree: Path, tests: tuple[str, ...], timeout_s: float = TIMEOUT_S) -> str | None:
    """The test that fails first, None when none does."""
    command = [sys.executable, "-m", "pytest", "-q", "-x", "--no-header", "-p", "no:cacheprovider", "-n", "0", *tests]
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": ""}
    try:
        ran = subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True, timeout=timeout_s)
    except subprocess.TimeoutExpired:
        return "they do not end"
    if ran.returncode == 0:
        return None
    told = [line for line in ran.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
    said = told[0].split(" - ")[0].partition(" ")[2] if told else (ran.stdout + ran.stderr).strip().splitlines()[-1]
    return said


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.planted", description=__doc__)
    parser.add_argument("lists", nargs="*", metavar="LIST", help="such as policy; all without one")
    parser.add_argument("--only", default="", metavar="WORDS", help="bugs whose name has these words")
    parser.add_argument("--json", action="store_true", help="one object for programs")
    options = parser.parse_args(arguments)
    try:
        chosen = [bug for bug in bugs(*options.lists) if options.only in bug.name]
        for bug in chosen:
            planted(bug, ROOT)
    except (ValueError, KeyError, OSError) as trouble:
        print(f"planted: {trouble}", file=sys.stderr)
        return 2
    began, workers = time.monotonic(), os.cpu_count() or 1
    with tempfile.TemporaryDirectory(prefix="riser-planted-") as scratch:
        trees: SimpleQueue[Path] = SimpleQueue()
        for number in range(workers):
            trees.put(copy_of_the_program(Path(scratch) / str(number)))
        sound = trees.get()
        every = tuple(sorted({test for bug in chosen for test in bug.tests}))
        if (broken := fails(sound, every, TIMEOUT_S * 6)) is not None:  # All of them, on a small machine.
            print(f"planted: the tests fail without any bug: {broken}", file=sys.stderr)
            return 1
        trees.put(sound)

        def caught_by(bug: Bug) -> str | None:
            tree = trees.get()
            place = tree / bug.file
            whole = place.read_text(encoding="utf-8")
            try:
                place.write_text(planted(bug, tree), encoding="utf-8")
                return fails(tree, bug.tests)
            finally:
                place.write_text(whole, encoding="utf-8")
                trees.put(tree)

        with ThreadPoolExecutor(workers) as pool:
            by = []
            for bug, found in zip(chosen, pool.map(caught_by, chosen), strict=True):
                by.append(found)
                if not options.json:
                    print(
                        f"{'caught' if found else 'SURVIVES':8} {bug.rule:4} {bug.name}: {found or bug.file}",
                        flush=True,
                    )
    survivors = [bug.name for bug, found in zip(chosen, by, strict=True) if found is None]
    told = {"planted": len(chosen), "caught": len(chosen) - len(survivors), "survivors": survivors}
    print(json.dumps({**told, "took_s": round(time.monotonic() - began)}, ensure_ascii=False))
    return 1 if survivors or not chosen else 0


if __name__ == "__main__":
    sys.exit(main())
