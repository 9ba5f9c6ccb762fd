"""`python -m edge --check-site FILE`: every mistake of a site file, as the edge itself would find it at its start.

One line of JSON for programs that may not import the edge: {"mistakes": [...], "models": {id: {"lamp", "relay"}}}.
Nothing is opened but the file.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bridge.contract.site_file import BadSite
from edge import install, model


def looked_at(path: Path) -> dict[str, Any]:
    """What is wrong with the file, and what each known model can do."""
    try:
        sheet = install.look(path)
        mistakes = sheet.refuse().lines
    except BadSite as bad:
        mistakes = bad.lines
    kinds = {id: model.load(id) for id in model.known()}
    return {
        "mistakes": mistakes,
        "models": {id: {"lamp": kind.lamp, "relay": kind.relay is not None} for id, kind in kinds.items()},
    }
