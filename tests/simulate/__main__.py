"""`riser simulate`: live some gateways' years in minutes, with everything going wrong that may, and check all of it.

The same seed gives the same bytes. Exit 1 when something was found that must never be, with the command that shows it.
"""

from __future__ import annotations

import argparse
import json
import sys

from tests.simulate import unspared
from tests.simulate.town import FACTORS, simulate


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="riser simulate", description=__doc__)
    parser.add_argument("--days", type=int, default=90, metavar="N", help="days that each gateway lives [90]")
    parser.add_argument("--meters", type=int, default=32, metavar="M", help="meters in all [32]")
    parser.add_argument("--gateways", type=int, default=2, metavar="G", help="gateways that share them [2]")
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="draws everything [1]")
    parser.add_argument("--faults", choices=sorted(FACTORS), default="some", help="how much goes wrong [some]")
    parser.add_argument("--unspared", action="store_true", help="nothing is skipped as calm: the same digest, slowly")
    parser.add_argument("--json", action="store_true", help="one object for programs")
    options = parser.parse_args(arguments)
    if min(options.days, options.meters, options.gateways) < 1 or options.meters < options.gateways:
        parser.error("days, meters and gateways are 1 or more, and each gateway has a meter")
    if options.unspared:
        unspared.begin()
    wish = {name: getattr(options, name) for name in ("days", "meters", "gateways", "seed", "faults")}
    found = simulate(**wish, say=lambda text: None if options.json else print(text, flush=True))
    if options.json:
        print(json.dumps(found, ensure_ascii=False))
    else:
        for key, value in found.items():
            if key not in ("breaches", "last_events"):
                print(f"{key:24} {value}")
    broken = found["violations"] or found["lost"] or found["doubled"]
    if broken:
        command = " ".join(f"--{name} {value}" for name, value in wish.items())
        told = [f"BREACH {each}" for each in found["breaches"]]
        told += [f"BREACH {found[each]} payments {each}" for each in ("lost", "doubled") if found[each]]
        told += ["last events:", *(f"  {each}" for each in found["last_events"])]
        print("\n".join([*told, f"replay: riser simulate {command}"]), file=sys.stderr)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
