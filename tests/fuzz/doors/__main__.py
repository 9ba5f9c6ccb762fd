"""`python -m tests.fuzz.doors [DOOR ...] --runs N --seed S`: hostile input at every door but the line's.

First those that are kept in `kept.jsonl`, then new ones. One JSON object at the end: inputs by door, how many were
taken, crashes, hangs, forbidden changes. Exit code 1 where a promise broke; what was tried is printed, with the command
that tries it again and the line that keeps it.
"""

from __future__ import annotations

import argparse
import json
import os
import sys

from tests.fuzz.doors.trying import DOORS, tried


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.doors", description=__doc__)
    parser.add_argument("doors", nargs="*", metavar="DOOR", help=f"of {', '.join(DOORS)}; all without one")
    parser.add_argument("--runs", type=int, default=10_000, metavar="N", help="inputs at each door [10000]")
    parser.add_argument("--seed", type=int, metavar="S", help="[a new one each time]")
    options = parser.parse_args(arguments)
    if unknown := set(options.doors) - set(DOORS):
        parser.error(f"there is no door {', '.join(sorted(unknown))}")
    seed = int.from_bytes(os.urandom(4), "big") if options.seed is None else options.seed
    found = tried(options.doors or list(DOORS), options.runs, seed, sys.stderr)
    print(json.dumps(found, ensure_ascii=False))
    return 1 if found["broken"] else 0


if __name__ == "__main__":
    sys.exit(main())
