"""`four_ports` and `scan_12_s`: four lines at once beside one alone, and a line of which nobody knows the speed."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.bench.bus_rig import bus_rig
from tests.bench.bus_site import Building
from tests.bench.judged import Judge, Wire, efficiency
from tests.bench.shaft24 import ROOT

PORTS, METERS_EACH = 4, 8
WARM_S = 90.0
SCANNED = 12
SCAN_ENDS_S = 400.0


def four(wire: Wire, seconds: float) -> dict[str, Any]:
    """Eight meters on a line alone, then four such lines on one edge: the slowest of them to the one alone."""
    alone = _lines(wire, ("line",), seconds)["line"]
    together = _lines(wire, tuple(f"line{n}" for n in range(1, PORTS + 1)), seconds)
    slowest = min(each["efficiency"] for each in together.values())
    return {
        "ratio": round(slowest / alone["efficiency"], 4),
        "alone": alone["efficiency"],
        "together": {id: each["efficiency"] for id, each in together.items()},
        "judge_late": max(each["judge_late"] for each in together.values()),
    }


def _lines(wire: Wire, ids: tuple[str, ...], seconds: float) -> dict[str, dict[str, Any]]:
    with bus_rig(Building(wire, ids, METERS_EACH)) as rig:
        rig.all_read(3, WARM_S)
        begin = time.monotonic()
        rig.rest(begin + seconds)
        seen = rig.judge.between(begin)
    return {id: efficiency(wire, [each for each in seen if each.line == id]) for id in ids}


def scan(wire: Wire) -> dict[str, Any]:
    """`riser scan` as shipped, told only that these are DL/T 645 meters; whoever speaks another speed is not heard."""
    building = Building(wire, meters_each=SCANNED)
    with tempfile.TemporaryDirectory(prefix="riser-bench-") as scratch:
        shaft = Path(scratch) / "shaft.toml"
        shaft.write_text(building.shaft())
        judge = Judge(shaft, Path(scratch) / "sim")
        try:
            words = ["-m", "edge.scan", str(judge.directory / "line"), "--protocol", "dlt645-2007", "--json"]
            began = time.monotonic()
            done = subprocess.run(
                [sys.executable, *words], cwd=ROOT, capture_output=True, text=True, timeout=SCAN_ENDS_S
            )
            took = time.monotonic() - began
        finally:
            judge.stop()
    if done.returncode not in (0, 1):
        raise AssertionError(f"scan: {done.stderr}")
    lines = json.loads(done.stdout)["lines"]
    found = sorted(each["address"] for line in lines for each in line["meters"] if line["baud"] == wire.baud)
    there = sorted(address for _, _, address in building.meters())
    return {"seconds": round(took, 1), "baud": wire.baud, "found": len(found), "all_found": found == there}
