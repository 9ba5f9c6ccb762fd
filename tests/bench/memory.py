"""The edge and its ports' process, reading 24 meters: resident memory of the one and what
the other adds, after two rounds, against 60 MB."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from tests.bench.shaft24 import METERS, rig

LIMIT_MB = 60.0
ROUNDS = 2


def resident_mb(pid: int) -> float:
    """VmRSS of a process in MB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise AssertionError(f"process {pid} has no memory")


def own_mb(pid: int) -> float:
    """Memory that nobody shares with a process: what it costs beside another one of the same program."""
    rows = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(row.split()[1]) for row in rows if row.startswith("Private_")) / 1024


def children(pid: int) -> list[int]:
    """Processes that a process has started."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def run(quiet: bool) -> dict[str, Any]:
    """Start the edge, let it read, look."""
    with tempfile.TemporaryDirectory(prefix="riser-bench-") as scratch, rig(Path(scratch) / "run", cut=False) as made:
        seen: set[str] = set()

        def rounds_done(_: object) -> bool:
            info = made.retained.get("info", {})
            if info.get("meters_read") == len(METERS):
                seen.add(info["ports"][0]["round_at"])
            return len(seen) >= ROUNDS

        made.hear(rounds_done, 240)
        edge = made.children["edge"].pid
        resident = resident_mb(edge) + sum(own_mb(pid) for pid in children(edge))
    return {
        "meters": len(METERS),
        "resident_mb": round(resident, 1),
        "limit_mb": LIMIT_MB,
        "within": resident < LIMIT_MB,
    }
