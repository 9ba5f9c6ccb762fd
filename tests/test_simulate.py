"""`riser simulate`: the same seed gives the same bytes, a life is lived without a breach, and the checker is its own.

Each run is a process of its own, because a simulation takes over the machine's clock and the kernel's word.
"""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
LIVES = {6: (14, 1), 49: (14, 1), 56: (14, 1)}
"""Seeds in whose few days most of what can happen does: meters, gateways."""

ACTS = {
    6: {"lend", "told", "deduct"}, 49: {"moved-out", "refund"}, 56: {"lend", "moved-out", "moved-in"},
}  # fmt: skip
"""What people did in these days, and in all of them R6: `set-close` and `pressed`."""

OWN = (
    *(f"simulate/{name}" for name in (
        "rows", "points", "known", "invariants", "invariants_money", "invariants_people", "witnesses",
        "witnesses_clock", "witnesses_owed", "witnesses_people", "witnesses_ways", "truth", "judge", "heard", "stepped",
        "modbus_wire", "checker", "ear", "clocks", "memory", "untold",
    )),
    *(f"bench/{name}" for name in (
        "policy_judge", "policy_borders", "policy_truth", "policy_seen", "policy_site",
    )),
)  # fmt: skip
"""Files of the checker that may know nothing of what they check; `witnesses_inside.py` alone does."""


def lived(hash_seed: str = "0", **wish: Any) -> dict[str, Any]:
    """One run's figures."""
    words = [part for name, value in wish.items() for part in (f"--{name}", str(value)) if part]
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": ""}
    command = [sys.executable, "-m", "tests.simulate", "--json", *words]
    ran = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300)
    assert ran.stdout, ran.stderr
    return json.loads(ran.stdout)


def test_the_same_seed_gives_the_same_bytes() -> None:
    """Two processes, two orders of sets: every entry, every frame and every fault is the same."""
    wish = {"days": 1, "meters": 4, "gateways": 2, "seed": 11, "faults": "hostile"}
    first, second = lived("1", **wish), lived("2", **wish)
    for found in (first, second):
        for name in ("wall_s", "cpu_s", "meter_days_per_s"):
            del found[name]
    assert first == second and first["faults"] > 10 and first["events"] > 500


def test_what_is_skipped_as_calm_changes_nothing() -> None:
    """Every account and relay looked at in every turn, or only those with something to come: the same entries and
    frames, with payments, cuts and bad luck."""
    wish = {"days": 2, "meters": 10, "gateways": 1, "seed": 71, "faults": "some"}
    spared, unspared = lived(**wish), lived(**wish, unspared="")
    assert spared["digest"] == unspared["digest"] and spared["cuts"] > 0 and spared["topups"] > 3
    assert not spared["violations"]


def test_in_calm_days_who_owes_is_cut() -> None:
    """No bad luck, no breach; and nobody who has paid nothing for a day keeps supply."""
    found = lived(days=4, meters=8, gateways=1, seed=76, faults="none")
    assert not found["breaches"] and found["cuts"] >= 2


def test_another_seed_is_another_life() -> None:
    """The seed draws everything."""
    wish = {"days": 1, "meters": 2, "gateways": 1, "faults": "none"}
    assert lived(seed=1, **wish)["digest"] != lived(seed=2, **wish)["digest"]


@pytest.mark.parametrize("seed", [6, 49, 56])
def test_some_days_of_bad_luck_break_no_invariant(seed: int) -> None:
    """Some days of shafts with everything that can go wrong: no breach, no payment lost or doubled."""
    meters, gateways = LIVES[seed]
    found = lived(days=4, meters=meters, gateways=gateways, seed=seed, faults="hostile")
    assert found["breaches"] == []
    assert found["topups"] > 10 and (found["lost"], found["doubled"]) == (0, 0)
    assert found["cuts"] >= 3 and found["smallest_warning_gap_s"] >= 1800 and found["faults"] > 300
    assert ACTS[seed] | {"set-close", "pressed"} <= found["people"].keys()
    assert {"register-rolled-over", "power-cut-inside", "message-forged"} <= found["by_kind"].keys()


@pytest.mark.parametrize("name", OWN)
def test_the_checker_imports_nothing_that_it_checks(name: str) -> None:
    """A second account of the book, by its documented meaning, from sqlite3 and json."""
    tree = ast.parse((ROOT / "tests" / f"{name}.py").read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        modules += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        assert not any(module.split(".")[0] in ("edge", "bridge", "panel") for module in modules), modules


def test_bad_words_are_refused_in_a_sentence() -> None:
    """No day, no meter, fewer meters than gateways: told, exit 2."""
    for words in (["--days", "0"], ["--meters", "1", "--gateways", "2"], ["--faults", "rude"]):
        ran = subprocess.run(
            [sys.executable, "-m", "tests.simulate", *words], cwd=ROOT, capture_output=True, text=True, timeout=60
        )
        assert ran.returncode == 2 and "usage:" in ran.stderr
