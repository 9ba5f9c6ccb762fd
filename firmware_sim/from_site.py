"""A shaft after a site file: ports become lines, meters stand there as written, so that a site can be practised.

Only the tables `site`, `ports` and `meters` are read; what a meter has behind it is invented, the same each time.
"""

from __future__ import annotations

import random
from typing import Any

KINDS = (("shop", 2400), ("dwelling", 1800), ("restaurant", 4200), ("office", 2000), ("night", 1500))
"""Loads that a 60 A meter carries, handed out in turn."""

LITRES_H = 60
"""What a shop draws at its busiest."""

SHARES = (8, 40, 35, 17)
"""Percent of an invented register that fell into sharp, peak, flat, valley."""

HISTORY_DAYS = 3
"""So many midnights are in the meters' memory when the simulator first starts."""


def described(site: dict[str, Any]) -> dict[str, Any]:
    """The shaft file's tables for a site file's. Raises KeyError where one of the three tables lacks something."""
    return {
        "shaft": {
            "name": site["site"]["name"],
            "zone": site["site"].get("zone", "Asia/Shanghai"),
            "history_days": HISTORY_DAYS,
        },
        "lines": [
            {"id": port["id"], "protocol": port["protocol"], "baud": port.get("baud", 2400), "parity": port["parity"]}
            for port in ({"parity": "E", **each} for each in site["ports"])
        ],
        "meters": [_meter(row, number) for number, row in enumerate(site["meters"])],
    }


def _meter(row: dict[str, Any], number: int) -> dict[str, Any]:
    chance = random.Random(f"{row['id']} {row['address']}")
    total = chance.randrange(50_000, 3_000_000)  # steps of 0.01 kWh: 500 to 30,000 kWh on the display
    shares = [total * percent // 100 for percent in SHARES[:-1]]
    steps = [total, *shares, total - sum(shares)]
    kind, watts = KINDS[number % len(KINDS)]
    load = {"kind": kind, "watts": watts, "seed": number + 1}
    if row["model"].startswith("cjt188"):
        load = {"kind": "water", "litres_h": LITRES_H, "seed": number + 1}
    return {
        "id": row["id"],
        "line": row["port"],
        "model": row["model"],
        "address": row["address"],
        "serial": row.get("serial", row["address"].rjust(12, "0")),
        "registers": [f"{each // 100}.{each % 100:02d}" for each in steps],
        "load": load,
        **({"circuit": row["circuit"]} if "circuit" in row else {}),
        **({"purse": row["purse"]} if "purse" in row and row["model"].endswith("-purse") else {}),
    }
