"""`riser bench NAME [--json]`: run one bench and print its figures beside their limits. Exit 1 when one is missed."""

from __future__ import annotations

import argparse
import json
import sys

from tests.bench import bus, memory, topup

BENCHES = {"bus": bus.run, "topup": topup.run, "memory": memory.run}


def main() -> int:
    parser = argparse.ArgumentParser(prog="riser bench")
    parser.add_argument("name", choices=sorted(BENCHES))
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--only", default="", metavar="KEY,...", help=f"bus: these figures only: {', '.join(bus.KEYS)}")
    parser.add_argument("--quick", action="store_true", help="bus: a third of the time, to try it out")
    options = parser.parse_args()
    only = [key for key in options.only.split(",") if key]
    if unknown := set(only) - set(bus.KEYS):
        parser.error(f"--only: there is no figure {', '.join(sorted(unknown))}")
    if (only or options.quick) and options.name != "bus":
        parser.error("--only and --quick belong to the bench `bus`")
    more = {"only": only, "quick": options.quick} if options.name == "bus" else {}
    figures = BENCHES[options.name](quiet=options.json, **more)
    if options.json:
        print(json.dumps(figures))
    else:
        for key, value in figures.items():
            print(f"{key:28} {value}")
    return 0 if figures["within"] else 1


if __name__ == "__main__":
    sys.exit(main())
