"""A whole book of the edge, brought into a panel's archive as the bridge would: by message and row."""

from __future__ import annotations

from collections.abc import Iterable

from panel_stage import Stage
from sqlalchemy import insert

from bridge.archive.rows import entry_row
from bridge.archive.tables import ENTRY
from bridge.contract.messages import Entry
from bridge.contract.units import instant_exact, instant_of_micros
from edge.book import Entry as Booked


def archive(stage: Stage, entries: Iterable[Booked]) -> list[Booked]:
    """Put entries into the archive of a stage; returns them."""
    kept = list(entries)
    rows = [
        entry_row("jx-a", Entry(
            seq=each.seq, id=each.id, at=instant_exact(instant_of_micros(each.at)), boot=each.boot,
            mono_ns=each.mono_ns, trusted=each.trusted, kind=each.kind, body=each.body, prev_hash=each.prev_hash,
            hash=each.hash,
        ))
        for each in kept
    ]  # fmt: skip
    with stage.engine.begin() as connection:
        connection.execute(insert(ENTRY), rows)
    stage.seq = max(each.seq for each in kept)
    return kept
