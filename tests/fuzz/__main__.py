"""`python -m tests.fuzz --runs N --seed N` runs atheris over all targets here; `--replay HEX` runs one input.

With `--guided` the codec is instrumented and libFuzzer keeps what finds new code: half as many inputs in the same time.
`--keep` adds what it kept to `found.hex`, with which every later run begins.

The last line of a whole run is one JSON object: runs, seconds, reached (share with a whole frame), by target, slowest
input and memory. Exit code 0: every promise held. A failing input is printed in hex, with how to replay it.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

RSS_MB, SLOWEST_S, TIMEOUT_S = 600, 0.25, 10
"""Memory of the whole process; processor time of one input; seconds after which libFuzzer calls it a hang."""

MUTATED = 8
"""One input in so many is libFuzzer's own mutation of an older one; the others grow from published frames."""


def most_mb() -> int:
    """The most memory that this program itself has held, in MB."""
    (row,) = (row for row in Path("/proc/self/status").read_text().splitlines() if row.startswith("VmHWM:"))
    return int(row.split()[1]) // 1024


def run(runs: int, seed: int, guided: bool, keep: bool) -> None:
    """Fuzz; libFuzzer ends the process."""
    import atheris

    # libFuzzer's own limit looks at ru_maxrss, which a process has from the one that started it.
    resource.setrlimit(resource.RLIMIT_DATA, (RSS_MB << 20, RSS_MB << 20))
    from edge.codec import cjt188, dlt645, dlt1997, modbus
    from firmware_sim import wire
    from tests.fuzz import growing, targets

    if guided:
        for decides in (
            dlt645.take_raw, dlt645._length, dlt645.answers, dlt645.value_of, dlt1997.answers, cjt188.take_raw,
            cjt188.answers, modbus.find_reply, wire.take_dlt645, wire.take_modbus,
        ):  # fmt: skip
            atheris.instrument_func(decides)
    reached, tried, slowest_s = Counter[str](), Counter[str](), 0.0
    began, done = time.monotonic(), 0

    def test(data: bytes) -> None:
        nonlocal done, slowest_s
        done += 1
        start = time.thread_time()
        try:
            number, frames = targets.one(data)
            slowest_s = max(slowest_s, took_s := time.thread_time() - start)
            assert took_s < SLOWEST_S, f"{len(data)} bytes took {took_s:.2f} s"
        except BaseException:
            print(f"\nseed {seed}, input {done}: {data.hex()}\nreplay: python -m tests.fuzz --replay {data.hex()}")
            sys.stdout.flush()
            raise
        name = targets.TARGETS[number].__name__
        tried[name] += 1
        reached[name] += frames > 0
        if done == runs:
            if keep:
                growing.keep(each.read_bytes() for each in sorted(folder.iterdir()))
            tell()

    def tell() -> None:
        seconds = time.monotonic() - began
        print(
            json.dumps(
                {
                    "runs": done,
                    "seed": seed,
                    "seconds": round(seconds, 1),
                    "per_s": round(done / seconds),
                    "reached": round(reached.total() / done, 3),
                    "by_target": {name: [tried[name], reached[name]] for name in sorted(tried)},
                    "slowest_s": round(slowest_s, 4),
                    "rss_mb": most_mb(),
                }
            ),
            flush=True,
        )

    def mutated(data: bytes, longest: int, seed: int) -> bytes:
        new = atheris.Mutate(data, len(data)) if seed % MUTATED == 0 and data else growing.grown(data, seed)
        return bytes(new)[:longest]

    folder = Path(tempfile.mkdtemp(prefix="riser-fuzz-"))
    for at, data in enumerate(growing.corpus()):
        (folder / f"{at:04d}").write_bytes(data)
    options = {
        "runs": runs, "seed": seed, "max_len": growing.LONGEST, "len_control": 0, "timeout": TIMEOUT_S,
        "rss_limit_mb": 0, "verbosity": 0, "print_final_stats": 0, "reload": 0, "artifact_prefix": f"{folder}/",
    }  # fmt: skip
    print(f"fuzzing {runs} inputs with seed {seed}; corpus in {folder}", flush=True)
    words = [sys.argv[0], *(f"-{name}={value}" for name, value in options.items()), str(folder)]
    atheris.Setup(words, test, custom_mutator=mutated)
    atheris.Fuzz()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description="Fuzz everything that reads a line.")
    parser.add_argument("--runs", type=int, default=2_000_000)
    parser.add_argument("--seed", type=int, help="[a new one each time]")
    parser.add_argument("--replay", metavar="HEX", help="run one input and show what breaks")
    parser.add_argument("--guided", action="store_true", help="let new code lead the way; slower")
    parser.add_argument("--keep", action="store_true", help="write what was found to found.hex")
    options = parser.parse_args()
    if options.replay is not None:
        from tests.fuzz import targets

        number, frames = targets.one(bytes.fromhex(options.replay))
        print(f"{targets.TARGETS[number].__name__}: every promise holds, {frames} frames")
        return
    seed = int.from_bytes(os.urandom(4), "big") >> 1 if options.seed is None else options.seed
    run(options.runs, seed, options.guided, options.keep)


if __name__ == "__main__":
    main()
