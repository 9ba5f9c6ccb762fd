"""`python -m tests.planted [LIST ...] [--only WORDS] [--sample N --seed S] [--within S] [--json]`: plant each bug in
a copy and see it caught.

A bug that is found after more than a minute is told as late; where `--within` gives the seconds, late is a failure.
Exit codes: 0 every bug was caught, 1 one was not (or the tests fail without any), 2 a list does not fit the program.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.planted.bugs import ROOT, Bug, bugs, planted
from tests.planted.trees import Found, trees

TIMEOUT_S = 300.0
"""A bug that makes the tests hang is caught too: nobody would land that."""

WITHIN_S = 60.0
"""A test that needs longer to notice is one that nobody waits for."""


def drawn(found: Sequence[Bug], sample: int | None, seed: int) -> list[Bug]:
    """So many of them as the seed draws, in the order of the lists; all without a number."""
    if sample is None or sample >= len(found):
        return list(found)
    return [found[at] for at in sorted(random.Random(seed).sample(range(len(found)), sample))]


def word(found: Found, within_s: float) -> str:
    """What became of a bug."""
    if found.test is None:
        return "SURVIVES"
    return "caught" if found.seconds <= within_s else "LATE"


def told(chosen: Sequence[Bug], found: Sequence[Found], within_s: float) -> dict[str, Any]:
    """What a program gets to know of it. A bug found late is caught, and told as late."""
    words = [word(each, within_s) for each in found]
    named = [(bug.name, said) for bug, said in zip(chosen, words, strict=True)]
    return {
        "planted": len(chosen),
        "caught": sum(said != "SURVIVES" for said in words),
        "survivors": [name for name, said in named if said == "SURVIVES"],
        "late": [name for name, said in named if said == "LATE"],
        "seconds": {bug.name: each.seconds for bug, each in zip(chosen, found, strict=True)},
    }


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.planted", description=__doc__)
    parser.add_argument("lists", nargs="*", metavar="LIST", help="such as policy; all without one")
    parser.add_argument("--only", default="", metavar="WORDS", help="bugs whose name has these words")
    parser.add_argument("--sample", type=int, metavar="N", help="so many of them, drawn by the seed")
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="which are drawn; the same ones each time")
    parser.add_argument("--within", type=float, metavar="S", help="later is a failure, not only told")
    parser.add_argument("--json", action="store_true", help="one object for programs")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    options = _options(arguments)
    try:
        chosen = drawn([bug for bug in bugs(*options.lists) if options.only in bug.name], options.sample, options.seed)
        texts = [planted(bug, ROOT) for bug in chosen]
    except (ValueError, KeyError, OSError) as trouble:
        print(f"planted: {trouble}", file=sys.stderr)
        return 2
    if not chosen:
        print("planted: no bug was chosen", file=sys.stderr)
        return 1
    within_s = WITHIN_S if options.within is None else options.within
    began, found = time.monotonic(), []
    with trees() as copies, ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        every = tuple(sorted({test for bug in chosen for test in bug.tests}))
        if (broken := copies.sound(every, TIMEOUT_S * 6)) is not None:  # All of them, on a small machine.
            print(f"planted: the tests fail without any bug: {broken}", file=sys.stderr)
            return 1
        said = pool.map(lambda bug, text: copies.said_to(bug.file, text, bug.tests, TIMEOUT_S), chosen, texts)
        for bug, each in zip(chosen, said, strict=True):
            found.append(each)
            if not options.json:
                line = f"{word(each, within_s):8} {each.seconds:5.1f} s {bug.list}: {bug.rule:4} {bug.name}"
                print(f"{line}: {each.test or bug.file}", flush=True)
    report = told(chosen, found, within_s)
    print(json.dumps({**report, "took_s": round(time.monotonic() - began)}, ensure_ascii=False))
    return 1 if report["survivors"] or (options.within is not None and report["late"]) else 0


if __name__ == "__main__":
    sys.exit(main())
