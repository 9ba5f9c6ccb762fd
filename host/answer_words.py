"""An answer's figures as people say them: money in yuan, instants by the site's wall. `--json` has them as they are."""

from __future__ import annotations

from contextlib import suppress
from datetime import tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo

from bridge.contract.site_file import BadSite, load
from bridge.contract.units import NANO_PER_FEN, instant_of, wall_time, yuan_exact
from host.runfile import Run

ZONE = ZoneInfo("Asia/Shanghai")
"""Where no site file can be read that says another."""

NANO = {"_nano": 1, "_fen": NANO_PER_FEN}


def zone_of(run: Run) -> tzinfo:
    """The zone of the site that runs."""
    try:
        return load(Path(run.site)).zone
    except (BadSite, OSError):
        return ZONE


def told(data: dict[str, object], zone: tzinfo) -> str:
    """`balance 123.45 yuan, until 2026-11-21 09:00`."""
    return ", ".join(_field(name, value, zone) for name, value in data.items())


def _field(name: str, value: object, zone: tzinfo) -> str:
    for ending, nano in NANO.items():
        if name.endswith(ending) and type(value) is int:
            return f"{name.removesuffix(ending)} {yuan_exact(value * nano)} yuan"
    if isinstance(value, str) and "T" in value:
        with suppress(ValueError):  # Another word with a T in it stands as it is.
            return f"{name} {wall_time(instant_of(value), zone)}"
    return f"{name} {value}"
