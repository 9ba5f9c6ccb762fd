"""The edge alone, reading 24 meters: resident memory after two rounds, against 60 MB."""

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
        resident = resident_mb(made.children["edge"].pid)
    return {
        "meters": len(METERS),
        "resident_mb": round(resident, 1),
        "limit_mb": LIMIT_MB,
        "within": resident < LIMIT_MB,
    }
