"""`riser bench NAME [--json]`: run one bench and print its figures beside their limits. Exit 1 when one is missed."""

from __future__ import annotations

import argparse
import json
import sys

from tests.bench import memory, topup

BENCHES = {"topup": topup.run, "memory": memory.run}


def main() -> int:
    parser = argparse.ArgumentParser(prog="riser bench")
    parser.add_argument("name", choices=sorted(BENCHES))
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    figures = BENCHES[options.name](quiet=options.json)
    if options.json:
        print(json.dumps(figures))
    else:
        for key, value in figures.items():
            print(f"{key:28} {value}")
    return 0 if figures["within"] else 1


if __name__ == "__main__":
    sys.exit(main())
