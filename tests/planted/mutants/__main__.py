"""`python -m tests.planted.mutants [LAYER ...] [--only FILE] [--sample N --seed S] [--json]`: change the program in
small ways, a place at a time, and count what its tests notice.

The score of a layer is killed of all that were made, without those of which a person said that they change nothing.
Exit codes: 0 the scores are told, 1 the tests fail without any change, 2 there is no such layer.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.planted.mutants.layers import Layer, all_places, drawn, equivalents, layers
from tests.planted.mutants.mutating import Mutant
from tests.planted.trees import Found, Trees, trees

LIMIT_S, TIMES = 120.0, 3.0
"""A change with which the tests of a layer do not end in this time is noticed; on a slow machine, in so many times what
they take without any."""

SAMPLE = 12


def told(layer: Layer, made: Sequence[Mutant], found: Sequence[Found], alike: Sequence[Mutant]) -> dict[str, Any]:
    """A layer's score, and each change that nobody noticed."""
    survived = [mutant for mutant, said in zip(made, found, strict=True) if said.test is None]
    killed = len(made) - len(survived)
    return {
        "layer": layer.name,
        "killed": killed,
        "survived": len(survived),
        "equivalent": len(alike),
        "score_percent": round(100 * killed / len(made)) if made else None,
        "survivors": [str(mutant) for mutant in survived],
    }


def tried(layer: Layer, options: argparse.Namespace, copies: Trees, limit_s: float) -> dict[str, Any]:
    """Make a layer's changes and ask its tests about each."""
    known = equivalents()
    every = drawn(all_places(layer, options.only), options.sample, options.seed)
    alike = [mutant for mutant, _ in every if any(each.is_meant(mutant) for each in known)]
    made = {mutant: text for mutant, text in every if mutant not in alike}
    found = []
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        said = pool.map(lambda each: copies.said_to(each.file, made[each], layer.tests, limit_s), made)
        for mutant, each in zip(made, said, strict=True):
            found.append(each)
            if not options.json:
                word = "SURVIVED" if each.test is None else "killed"
                print(f"{word:8} {each.seconds:5.1f} s {mutant}{f': {each.test}' if each.test else ''}", flush=True)
    report = told(layer, list(made), found, alike)
    if not options.json:
        print(f"{layer.name}: {report['killed']} of {len(made)} killed, {len(alike)} change nothing", flush=True)
    return report


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.planted.mutants", description=__doc__)
    parser.add_argument("layers", nargs="*", metavar="LAYER", help="codec, billing, policy, book; all without one")
    parser.add_argument("--only", default="", metavar="FILE", help="files whose name has this in it")
    parser.add_argument("--sample", type=int, default=SAMPLE, metavar="N", help="changes in each layer")
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="which places; the same ones each time")
    parser.add_argument("--json", action="store_true", help="one object for programs")
    options = parser.parse_args(arguments)
    try:
        chosen = layers(*options.layers)
    except ValueError as trouble:
        print(f"mutants: {trouble}", file=sys.stderr)
        return 2
    began, reports = time.monotonic(), []
    with trees() as copies:
        for layer in chosen:
            asked = time.monotonic()
            if (broken := copies.sound(layer.tests, LIMIT_S * 5)) is not None:
                print(f"mutants: the tests of {layer.name} fail without any change: {broken}", file=sys.stderr)
                return 1
            limit_s = max(LIMIT_S, TIMES * (time.monotonic() - asked))
            reports.append(tried(layer, options, copies, limit_s))
    took_s = round(time.monotonic() - began)
    print(json.dumps({"seed": options.seed, "layers": reports, "took_s": took_s}, ensure_ascii=False))
    return 0


if __name__ == "__main__":
    sys.exit(main())
