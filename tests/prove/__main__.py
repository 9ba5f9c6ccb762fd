"""Prove what Riser promises: simulated years of bad luck, kills, power cuts, hostile input, planted bugs.

In a short run most proofs are done as far as the budget allows; `--full` does all of it and takes hours, or as much
as fits into a budget that is given with it or is longer than five minutes. With `--kept FILE` it may be ended at any
moment, and goes on when it is started again with the same file and the same program.

The seeds are the same at every run, but for all of `kills` and the second piece of each other proof, in a full run for
every second one: those follow from a new seed, which is printed first. Each piece is told with its command.

Exit codes: 0 every promise was kept in what was tried, 1 one was broken, 3 of a proof nothing at all was tried.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import sys
from pathlib import Path

from tests.prove.kept import Kept, NightError, program
from tests.prove.parts import PARTS
from tests.prove.running import ROOT, Run

NAMES = tuple(part.name for part in PARTS)
SHORT_S = 300.0
"""A budget beyond this is that of a full run."""
ENDED = 128 + signal.SIGTERM


def seconds(text: str) -> float:
    """`5m`, `90s`, `2h` or plain seconds."""
    if not (found := re.fullmatch(r"(\d+)([smh]?)", text)):
        raise argparse.ArgumentTypeError(f"{text!r} is no time; write it like 5m, 90s or 2h")
    return int(found[1]) * {"": 1, "s": 1, "m": 60, "h": 3600}[found[2]]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="riser prove", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--budget",
        type=seconds,
        metavar="TIME",
        help="such as 5m; a longer one is for as much of --full as fits [5m; with --full none]",
    )
    parser.add_argument("--full", action="store_true", help="everything, however long it takes, or within the budget")
    parser.add_argument(
        "--only", action="append", metavar="PROOF", choices=NAMES, help=f"of {', '.join(NAMES)}; may be given again"
    )
    parser.add_argument("--seed", type=int, metavar="S", help="[a new one each time]")
    parser.add_argument(
        "--kept", type=Path, metavar="FILE", help="what was done is kept there, and counted when started again with it"
    )
    parser.add_argument("--json", action="store_true", help="one object for programs, at the end")
    options = parser.parse_args(arguments)

    def say(text: str) -> None:
        print(text, file=sys.stderr if options.json else sys.stdout, flush=True)

    seed = int.from_bytes(os.urandom(3), "big") if options.seed is None else options.seed
    parts = tuple(part for part in PARTS if part.name in (options.only or NAMES))
    full = options.full or (options.budget or 0) > SHORT_S
    budget_s = options.budget if full or options.budget is not None else SHORT_S
    kept = None
    if options.kept:
        try:
            kept = Kept(options.kept, options.seed, seed, full, lambda: program(ROOT))
        except (OSError, NightError) as reason:
            parser.error(str(reason))
        seed = kept.seed
    say(f"riser prove: seed {seed}" + (f", {len(kept.pieces)} pieces done before" if kept and kept.pieces else ""))
    for each in (signal.SIGTERM, signal.SIGHUP):  # The pieces are ended, too.
        signal.signal(each, lambda *_: sys.exit(ENDED))
    try:
        found = Run(seed, full, budget_s, say, parts, options.only is not None, kept).run(len(os.sched_getaffinity(0)))
    except NightError as reason:
        parser.error(str(reason))
    if options.json:
        print(json.dumps(found, ensure_ascii=False))
    else:
        for name, told in found["parts"].items():
            amounts = ", ".join(
                f"{told['done'].get(key, 0):g} of {most:g} {key}" for key, most in told["wanted"].items()
            )
            print(f"{name:9} {amounts or 'broken'}")
        for breach in found["breaches"]:
            print(f"\nBROKEN in {breach['part']}: {'; '.join(breach['what'])}\nagain: {breach['again']}")
        for remark in found["remarks"]:
            print(f"not all could be tried: {remark}")
        if found["left_out"]:
            print(f"only of the full run, or with --only: {', '.join(found['left_out'])}")
        if found["short"] and not found["breaches"]:
            print(f"within the budget not all was done of: {', '.join(found['short'])}; what was done held")
        if found["not_begun"]:
            print(f"NOTHING IS KNOWN of {', '.join(found['not_begun'])}: give it more time with --budget")
    return 1 if found["breaches"] else 3 if found["not_begun"] else 0


if __name__ == "__main__":
    sys.exit(main())
