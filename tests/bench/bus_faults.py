"""`dead_*`, `revived_s`, `damaged_*`, `replug_s`: what trouble on a line costs those that are well."""

from __future__ import annotations

import statistics
import time
from typing import Any

from tests.bench.bus_reading import told_against_answered
from tests.bench.bus_rig import BusRig
from tests.bench.judged import Wire, efficiency, sweeps

SETTLED_SWEEPS = 4
"""A meter is off line after three missed rounds; from here on it is steady."""

REVIVED_WITHIN_S = 120.0
SHARE, SEED = 0.03, 645
PULLED_S = 3.0


def dead(rig: BusRig, wire: Wire, alone: dict[str, Any], count: int, rounds: int) -> dict[str, Any]:
    """Kill meters; how much longer is a sweep of the healthy, against one in which all are alive?

    What is asked once a minute or an hour comes into some sweeps and not into others, so a sweep's length is what it
    had to read over its efficiency: `ratio` = healthy sweep to all-alive sweep, both of round questions only;
    `stretch` is against the healthy ones' own share of the sweep, as if the dead were not installed.
    """
    ids = [id for id, _, _ in rig.building.meters()]
    gone = ids[3 :: len(ids) // count][:count]
    killed = time.monotonic()
    rig.judge.do("kill", line="line", meters=gone)
    _sweeps_since(rig, killed, gone, SETTLED_SWEEPS)
    begin = time.monotonic()
    _sweeps_since(rig, begin, gone, rounds)
    got = efficiency(wire, rig.judge.between(begin), gone)
    share = (len(ids) - count) / len(ids)
    stretch, worst = (alone["efficiency"] / got[key] for key in ("efficiency", "worst_sweep"))
    return {
        "ratio": round(stretch * share, 4),
        "worst_ratio": round(worst * share, 4),
        "stretch": round(stretch, 4),
        "worst_stretch": round(worst, 4),
        "sweeps": got["sweeps"],
        "sweep_s": got["sweep_s"],
        "probes": got["unanswered"],
        "revived_s": _revive(rig, gone),
    }


def _sweeps_since(rig: BusRig, begin: float, gone: list[str], count: int) -> None:
    rig.judge.until(
        lambda _: len(sweeps(rig.judge.between(begin), gone)) >= count, 60.0 * count, f"{count} sweeps of the healthy"
    )


def _revive(rig: BusRig, gone: list[str]) -> float:
    """Seconds until the last of the dead has answered for its energy again."""
    alive = rig.judge.do("revive", line="line", meters=gone)

    def read(_: Any) -> bool:
        return set(gone) <= {e.meter for e in rig.judge.between(alive) if e.good and e.total is not None}

    rig.judge.until(read, REVIVED_WITHIN_S, "the revived meters")
    firsts = [
        min(e.end for e in rig.judge.between(alive) if e.good and e.total is not None and e.meter == id) for id in gone
    ]
    return round(max(firsts) - alive, 2)


def damaged(rig: BusRig, wire: Wire, alone: dict[str, Any], seconds: float) -> dict[str, Any]:
    """Spoil 3 % of the answers: what the good ones take, and whether a reading was lost or a wrong one told."""
    begin = rig.judge.do("damage", line="line", share=SHARE, seed=SEED)
    rig.rest(begin + seconds)
    end = rig.judge.do("damage", line="line", share=0.0, seed=0)
    rig.all_read(2, 120, end)
    seen = rig.judge.between(begin, end)
    got = efficiency(wire, seen)
    return {
        "elapsed_ratio": round(alone["efficiency"] / got["efficiency"], 4),
        "damaged": sum(each.damaged for each in seen),
        "exchanges": len(seen),
        "unneeded": got["unneeded"],
        "sweeps": got["sweeps"],
        **told_against_answered(rig, begin, end),
    }


def replug(rig: BusRig, times: int) -> dict[str, Any]:
    """Pull the adapter, put it back: until the first question was answered."""
    took = []
    for _ in range(times):
        rig.judge.do("pull", line="line")
        rig.rest(time.monotonic() + PULLED_S)
        back = rig.judge.do("plug", line="line")
        rig.judge.until(lambda _, back=back: any(e.good for e in rig.judge.between(back)), 60, "the first answer")
        took.append(next(e.end for e in rig.judge.between(back) if e.good) - back)
        rig.all_read(1, 60, back)
    return {"worst_s": round(max(took), 2), "median_s": round(statistics.median(took), 2), "times": times}
