"""A year of days through the real closing, against one integer product per rate and meter; the difference, in nano."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.bench.billing_rig import PRICES, Rig

METERS = 6
MISSING = 0.05
"""So many midnights cannot be had; the next charge spans the day."""


def run(scratch: Path, quick: bool) -> dict[str, Any]:
    """Registers at random, roll-overs, transformers, days that are deferred; the last midnight is there."""
    rig = Rig(scratch / "drift", METERS, seed=2026)
    days = 60 if quick else 365
    for day in range(days):
        rig.give(MISSING if day < days - 1 else 0.0)
        rig.close_day()
    kinds = [entry.kind for entry in rig.book.entries()]
    charges, closings = kinds.count("charge/2"), kinds.count("closing/1")
    assert closings == days * METERS and charges < closings, "days closed, some of them deferred"
    drift = 0
    for id, used in rig.used_wh.items():
        account = rig.core.state.meters[id].account
        paid = 900_000 * 10**9 - rig.core.state.posted_nano(str(account))
        multiplier = rig.core.state.meters[id].multiplier
        drift += abs(paid - sum(multiplier * wh * micro(PRICES[rate]) for rate, wh in used.items()))
    rig.book.close()
    return {"drift_nano": drift, "drift_charges": charges, "drift_deferred": closings - charges}


def micro(price: str) -> int:
    """A price's digits as an integer, by nobody's code but this."""
    yuan, decimals = price.split(".")
    return int(yuan + decimals)
