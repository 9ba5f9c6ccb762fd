"""The newest restore as `info` tells it: receivers must know in which epoch they are, whenever they come."""

from __future__ import annotations

from bridge.contract.recovering import RestoredFacts
from edge.state import State


def restored_fact(state: State) -> RestoredFacts | None:
    """None for a book that was never restored."""
    restored = state.restored
    if restored is None:
        return None
    return RestoredFacts(
        open=state.recovering is not None,
        first=state.genesis["epoch"],
        before=restored.before,
        seq=restored.seq,
        hash=restored.hash,
        made_at=restored.made_at,
        heard=restored.heard,
        through=restored.through,
        holes=restored.holes,
        brought=len(restored.brought),
        missed=len(restored.missed),
    )
