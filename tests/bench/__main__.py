"""`riser bench NAME [--json]`: run one bench and print its figures beside their limits. Exit 1 when one is missed."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from tests.bench import billing, bus, memory, policy, topup

BENCHES = {"billing": billing.run, "bus": bus.run, "topup": topup.run, "memory": memory.run, "policy": policy.run}

PICKED = {"bus": bus.KEYS, "billing": billing.KEYS, "policy": policy.KEYS}
"""Benches of which single figures can be asked for, and a quick try."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="riser bench")
    parser.add_argument("name", choices=sorted(BENCHES))
    parser.add_argument("--json", action="store_true")
    known = "; ".join(f"{name}: {', '.join(keys)}" for name, keys in PICKED.items())
    parser.add_argument("--only", default="", metavar="KEY,...", help=f"these figures only; {known}")
    parser.add_argument("--quick", action="store_true", help="bus, billing, policy: a part of the work, to try it out")
    parser.add_argument("--seed", type=int, metavar="N", help="policy: live the building of this seed alone")
    options = parser.parse_args()
    only = [key for key in options.only.split(",") if key]
    if (only or options.quick) and options.name not in PICKED:
        parser.error(f"--only and --quick belong to the benches {' and '.join(f'`{name}`' for name in PICKED)}")
    if unknown := set(only) - set(PICKED.get(options.name, ())):
        parser.error(f"--only: there is no figure {', '.join(sorted(unknown))}")
    more: dict[str, Any] = {"only": only, "quick": options.quick} if options.name in PICKED else {}
    if options.seed is not None:
        if options.name != "policy":
            parser.error("--seed belongs to the bench `policy`")
        more["seed"] = options.seed
    figures = BENCHES[options.name](quiet=options.json, **more)
    if options.json:
        print(json.dumps(figures))
    else:
        for key, value in figures.items():
            print(f"{key:28} {value}")
    return 0 if figures["within"] else 1


if __name__ == "__main__":
    sys.exit(main())
