"""The edge looks at every account and relay at every turn, as if it had never learnt what may be skipped as calm.

What it then writes and sends must be the same to the byte: skipping saves time and decides nothing.
"""

from __future__ import annotations

from edge.calm import Calm
from edge.relays import Relays
from edge.restless import Restless


def begin() -> None:
    """From now on, in this process."""
    for owner, name, says in (
        (Calm, "holds", False), (Calm, "well_off", False), (Restless, "_settled", False), (Relays, "restless", True),
    ):  # fmt: skip
        if not callable(getattr(owner, name, None)):
            raise AttributeError(f"{owner.__name__} has no {name} any more: see what is skipped now")
        setattr(owner, name, lambda *_, says=says: says)
