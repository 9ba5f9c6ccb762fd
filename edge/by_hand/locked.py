"""A maintenance lock holds at the tool too (R5): what the gateway has locked for work is not switched on by hand.

The gateway does not run then, but what it knew stands in `registry.json` of its data directory.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from zoneinfo import ZoneInfo

from bridge.contract.units import instant_of, wall_time
from edge.by_hand.desk import Stopped

CLOSING = ("on", "close", "permit", "release")
"""Commands after which supply may come back."""


def look(command: str, address: str, circuit: int | None, data: Path | None, zone: ZoneInfo) -> None:
    """Raises Stopped where this meter is locked. `data` is the directory that was named."""
    if command not in CLOSING:
        return
    for lock in _locks(data or Path(os.environ.get("RISER_DATA", "") or "var")):
        if (lock.get("address"), lock.get("circuit")) == (address, circuit):
            since = _on_the_wall(lock.get("since"), zone)
            raise Stopped(
                f"nothing was sent: meter {lock.get('meter')} at this address is locked for work by {lock.get('by')} "
                f"since {since}: {lock.get('why')}; start the gateway and unlock it first (R5)"
            )


def _on_the_wall(since: object, zone: ZoneInfo) -> object:
    """As the site's clock showed it; what is no instant stands as it is kept."""
    try:
        return wall_time(instant_of(str(since)), zone)
    except ValueError:
        return since


def _locks(data: Path) -> list[dict[str, object]]:
    """None where nothing is kept, or by a gateway that kept no locks yet."""
    try:
        rows = list(json.loads((data / "registry.json").read_text(encoding="utf-8")).get("locks", {}).values())
    except (OSError, ValueError, AttributeError):
        return []
    return [row for row in rows if isinstance(row, dict)]
