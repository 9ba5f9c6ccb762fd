"""Frames that others published, with where they stand; `tests/captures/*.json`, one frame a line.

A source that begins with "synthesized from" or "simulated, from" was made from that rule and published by nobody.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CAPTURES = Path(__file__).parents[1] / "captures"


@dataclass(frozen=True)
class Sample:
    """One frame as it stood on a line, and what it says."""

    id: str
    direction: str
    raw: bytes
    expect: dict[str, Any]
    request: bytes | None

    def __str__(self) -> str:
        return self.id


def samples(name: str) -> list[Sample]:
    """All samples of one file."""
    rows = json.loads((CAPTURES / f"{name}.json").read_text(encoding="utf-8"))
    return [
        Sample(
            row["id"],
            row["direction"],
            bytes.fromhex(row["hex"]),
            row.get("expect", {}),
            bytes.fromhex(row["request"]) if "request" in row else None,
        )
        for row in rows
    ]


def sample(id: str) -> Sample:
    """One sample by its id, from whichever file."""
    for path in sorted(CAPTURES.glob("*.json")):
        for each in samples(path.stem):
            if each.id == id:
                return each
    raise LookupError(f"no capture {id}")
