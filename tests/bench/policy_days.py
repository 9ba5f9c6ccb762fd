"""Ten thousand tenant-days in which everything goes wrong that may, and nobody may be cut against R1 to R5.

A seed draws a building (`policy_site.py`) and its life (`policy_life.py`), lived under a manual clock by the real edge
(`policy_world.py`). The judge (`policy_judge.py`) looks at the wire alone. As many at once as the machine has cores.
"""

from __future__ import annotations

import gc
import logging
import os
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.bench.policy_life import Life
from tests.bench.policy_site import drawn
from tests.bench.policy_world import World, in_memory

ROOMS, DAYS = 10, 7
TENANT_DAYS, QUICK_TENANT_DAYS = 10_000, 250


def lived(seed: int, rooms: int = ROOMS, days: int = DAYS) -> dict[str, Any]:
    """One building's life and what the judge says of it."""
    logging.disable(logging.CRITICAL)  # Much is told to people here, and nobody reads it.
    gc.freeze()  # As the edge does once it has begun.
    with tempfile.TemporaryDirectory(prefix="riser-bench-", dir=in_memory()) as scratch:
        world = World(Path(scratch), drawn(seed, rooms, days))
        life = Life(world)
        life.live()
        world.stop_edge()
    judge = world.judge
    return {
        "seed": seed, "tenant_days": rooms * days, "trips": judge.trips, "closes": judge.closes,
        "smallest_gap_s": judge.smallest_gap_s, "happened": dict(life.happened),
        "violations": [{"seed": seed, **asdict(each)} for each in judge.violations],
    }  # fmt: skip


def run(say: Callable[[str], None], quick: bool = False, seed: int | None = None) -> dict[str, Any]:
    """All buildings, or the one of a seed. Every violation is said with the seed that replays it."""
    wanted = QUICK_TENANT_DAYS if quick else TENANT_DAYS
    seeds: Sequence[int] = [seed] if seed is not None else range(-(-wanted // (ROOMS * DAYS)))
    total: Counter[str] = Counter()
    happened: Counter[str] = Counter()
    violations: list[dict[str, Any]] = []
    gaps: list[float] = []
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for found in pool.map(lived, seeds):
            total += Counter({key: found[key] for key in ("tenant_days", "trips", "closes")})
            happened += Counter(found["happened"])
            violations += found["violations"]
            gaps += [found["smallest_gap_s"]] if found["smallest_gap_s"] is not None else []
            for each in found["violations"]:
                say("VIOLATION {rule} at {at}, meter {meter}: {why} (replay: --seed {seed})".format(**each))
            say(f"seed {found['seed']}: {total['tenant_days']} tenant-days, {total['trips']} cuts")
    return {
        "tenant_days": total["tenant_days"],
        "violations": len(violations),
        "smallest_warning_gap_s": round(min(gaps), 1) if gaps else None,
        "details": {"cuts": total["trips"], "closes": total["closes"], "happened": dict(happened),
                    "violations": violations[:50]},
    }  # fmt: skip
