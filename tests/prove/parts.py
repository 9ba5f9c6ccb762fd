"""The proofs: how each is run, a piece at a time, how much of it is wanted, and what counts as a broken promise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.planted.bugs import bugs

Found = dict[str, Any]
Amounts = dict[str, float]

DAYS, METERS, GATEWAYS = 10, 32, 2
"""One town of the simulator: 320 meter-days."""

FAULTS = ("hostile", "some", "none")
"""Of one town after the other. The second, the new one of a short run (`running.py`), is of the milder kind: what a
change broke is to be told from bad luck that nobody has met yet."""

EARLY = 12
"""Pieces of a short run, of whose seeds the second alone is new (`running.py`)."""

YEAR = 365

LISTS = sorted({bug.list for bug in bugs()})
"""Of planted bugs; in the full run each is a piece."""


@dataclass(frozen=True)
class Part:
    """One proof. A piece is one run of its command; `command` is given the piece's number and its seed."""

    name: str
    wanted: dict[str, tuple[float, float]]
    """Amount by name: (of a short run, of the full one)."""
    command: Callable[[int, int], list[str]]
    amounts: Callable[[Found], Amounts]
    broken: Callable[[Found], list[str]]
    figures: Callable[[Found], Amounts] = lambda found: {}
    """What is told beside the amounts: the worst over all pieces."""
    first_s: float = 60.0
    """A guess at how long a piece takes, until one was run."""
    fresh: bool = False
    """Every piece has a new seed: how real programs interleave is another thing each time, whatever the seed."""
    width: int = 9
    """So many pieces of it may run at the same time."""
    alone: bool = False
    """Its times are measured: nothing else runs beside it."""
    full_command: Callable[[int, int], list[str]] | None = None
    """Of the full run, where that asks otherwise."""
    remark: Callable[[Found], str] = lambda found: ""
    """What a person should know of a piece, and is no breach: such as what this machine did not allow."""
    limit_s: float = 1_800.0
    """A piece that has not ended by then hangs."""


def _many(found: Found, *names: str) -> list[str]:
    """The keys that should be 0 and are not."""
    return [f"{name} {found[name]}" for name in names if found.get(name)]


def _simulate(number: int, seed: int) -> list[str]:
    faults = ["--faults", FAULTS[number % len(FAULTS)]]
    words = ["--days", DAYS, "--meters", METERS, "--gateways", GATEWAYS, "--seed", seed, *faults]
    return ["-m", "tests.simulate", "--json", *map(str, words)]


def _lived(found: Found) -> Amounts:
    return {"meter_years": found["days"] * found["meters"] / YEAR, "faults": found["faults"]}


def _doors_tried(found: Found) -> Amounts:
    return {"inputs": found["inputs"]}


def _late(found: Found) -> str:
    """No breach: other proofs run beside it, so that the time is not the test's alone."""
    late = ", ".join(map(repr, found["late"]))
    return f"noticed after more than a minute, beside other proofs: {late}" if late else ""


PARTS: tuple[Part, ...] = (
    Part(
        "kills", {"kills": (60, 1_000), "topups": (3_000, 50_000)},
        lambda number, seed: ["-m", "tests.proof", "kills", "--kills", "60", "--topups", "3000", "--seed", str(seed),
                              "--json"],
        lambda found: {"kills": found["kills"], "topups": found["booked"]},
        lambda found: [*_many(found, "lost", "doubled", "unasked", "violations"),
                       *[f"late: {found['slowest']}"][: not found["within"]]],
        lambda found: {"settled_s": found["settled_s"] or 99.0, "start_s": found["slowest_start_s"]},
        first_s=210, width=1, fresh=True,
        remark=lambda found: "" if found["own_network"] else "without partitions, which this machine does not allow",
    ),
    Part(
        "simulate", {"meter_years": (10, 100), "faults": (1_000, 10_000)}, _simulate, _lived,
        lambda found: [*_many(found, "violations", "lost", "doubled"), *map(str, found["breaches"][:3])],
        lambda found: {"slowest_meter_days_per_s": found["meter_days_per_s"]}, first_s=90,
    ),
    Part(
        "cuts", {"images": (2_000, 20_000)},
        lambda number, seed: ["-m", "tests.proof", "cuts", "--images", "1000", "--seed", str(seed), "--json"],
        lambda found: {"images": found["images"]},
        lambda found: _many(found, "answered_lost", "unreadable", "half_done", "orders_wrong"), first_s=45, width=1,
    ),
    Part(
        "doors", {"inputs": (15_000, 500_000)},
        lambda number, seed: ["-m", "tests.fuzz.doors", "--runs", "1500", "--seed", str(seed)],
        _doors_tried, lambda found: _many(found, "crashes", "hangs", "forbidden"),
        lambda found: {"slowest_s": found["slowest_s"]}, first_s=30,
        full_command=lambda number, seed: ["-m", "tests.fuzz.doors", "--runs", "6000", "--seed", str(seed)],
    ),
    Part(
        "frames", {"inputs": (300_000, 10_000_000)},
        lambda number, seed: ["-m", "tests.fuzz", "--runs", "150000", "--seed", str(seed)],
        lambda found: {"inputs": found["runs"]}, lambda found: [],
        lambda found: {"slowest_s": found["slowest_s"], "rss_mb": found["rss_mb"]}, first_s=30,
    ),
    Part(
        "planted", {"planted": (4, len(bugs()))},
        lambda number, seed: ["-m", "tests.planted", "--sample", "2", "--seed", str(seed), "--json"],
        lambda found: {"planted": found["planted"]}, lambda found: [*map(str, found["survivors"])], first_s=45, width=1,
        remark=_late, limit_s=4 * 3600.0,
        full_command=lambda number, seed: ["-m", "tests.planted", LISTS[number % len(LISTS)], "--json"],
    ),
    Part(
        "failing", {"places": (0, 400)},
        lambda number, seed: ["-m", "tests.proof", "failing", "--calls", "50", "--seed", str(seed), "--json"],
        lambda found: {"places": found["failed_calls"]}, lambda found: _many(found, "violations"), first_s=400, width=1,
    ),
    Part(
        "dying", {"places": (0, 400)},
        lambda number, seed: ["-m", "tests.proof", "dying", "--places", "50", "--seed", str(seed), "--json"],
        lambda found: {"places": found["places"]}, lambda found: _many(found, "violations"), first_s=400, width=1,
    ),
    Part(
        "restoring", {"places": (20, 600), "images": (60, 400)},
        lambda number, seed: ["-m", "tests.proof", "restoring", "--places", "10", "--images", "30", "--seed", str(seed),
                              "--json"],
        lambda found: {"places": found["places"], "images": found["images"]},
        lambda found: _many(found, "broken"), first_s=20, width=1,
        full_command=lambda number, seed: ["-m", "tests.proof", "restoring", "--places", "0", "--images", "400",
                                           "--seed", str(seed), "--json"],
    ),
    Part(
        "restart", {"entries": (0, 1_000_000)},
        lambda number, seed: ["-m", "tests.prove.restart", "--entries", "1000000", "--json"],
        lambda found: {"entries": found["entries"]},
        lambda found: [] if found["within"] else [f"polling after {found['polling_s']} s"],
        lambda found: {"polling_s": found["polling_s"]}, first_s=400, width=1, alone=True,
    ),
)  # fmt: skip
