"""`python -m tests.proof cuts|failing|kills|dying|restoring [--seed N] [--json]`: the power, the disk, the programs.

Exit code 0 when every promise was kept, 1 when one was broken, 2 when there is nothing to record with.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from tests.proof.cuts import cuts
from tests.proof.dying import dying
from tests.proof.failing import failing
from tests.proof.kills import kills
from tests.proof.restoring import restoring
from tests.proof.shim import CannotBuild
from tests.proof.story import PLANTS


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.proof", description=__doc__)
    kinds = parser.add_subparsers(dest="kind", required=True)
    cut = kinds.add_parser("cuts", help="the power is cut: every disk that this can leave is opened and compared")
    cut.add_argument("--images", type=int, default=2_000)
    cut.add_argument("--plant", default="", choices=sorted(PLANTS), help="a fault that must be found")
    cut.add_argument("--keep", type=Path, help="lay disks that break a promise here")
    fail = kinds.add_parser("failing", help="the disk is full or fails at one call after another")
    fail.add_argument("--calls", type=int, default=60, help="so many places; 0 for every one")
    kill = kinds.add_parser("kills", help="real programs are killed at random moments while people pay")
    kill.add_argument("--kills", type=int, default=60)
    kill.add_argument("--topups", type=int, default=3_000)
    die = kinds.add_parser("dying", help="the edge is killed at one change of its disk after another")
    die.add_argument("--places", type=int, default=20, help="so many places; 0 for every one")
    back = kinds.add_parser("restoring", help="`riser restore` is killed, its disk fails, its power is cut")
    back.add_argument("--places", type=int, default=60, help="so many places; 0 for every one")
    back.add_argument("--images", type=int, default=200, help="so many power cuts")
    for each in (cut, fail, kill, die, back):
        each.add_argument("--seed", type=int, default=1)
        each.add_argument("--json", action="store_true")
    options = parser.parse_args()
    say = (lambda words: None) if options.json else (lambda words: print(words, flush=True))
    try:
        if options.kind == "cuts":
            found = cuts(options.images, options.seed, plant=options.plant, keep=options.keep, say=say)
        elif options.kind == "kills":
            found = kills(options.kills, options.topups, options.seed, own_network=True, say=say)
        elif options.kind == "dying":
            found = dying(options.places, options.seed, say=say)
        elif options.kind == "restoring":
            found = restoring(options.places, options.images, options.seed, say=say)
        else:
            found = failing(options.calls, options.seed, say=say)
    except CannotBuild as trouble:
        print(trouble, file=sys.stderr)
        return 2
    print(json.dumps(found, ensure_ascii=False) if options.json else told(found))
    return 0 if found["within"] else 1


def told(found: dict[str, Any]) -> str:
    """For people."""
    return "\n".join(f"{key:24} {value}" for key, value in found.items())


if __name__ == "__main__":
    sys.exit(main())
