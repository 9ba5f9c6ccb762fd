"""A building whose card dies: a backup, a life after it that the backup does not know, and the building restored."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path
from typing import Any

from bridge.archive.returning import fields_of
from bridge.archive.rows import entry_row
from bridge.contract.recovering import BROUGHT_BACK, SHOWN
from bridge.contract.units import instant_text
from edge import new_epoch
from edge.book import Entry
from edge.outbox import entry_message
from tests.edge.building import Building

ACCOUNT, METER, OTHER, OTHER_METER = "100206", "a206", "100102", "a102"


def backed_up(building: Building, to: Path) -> str:
    """The database's own backup call, while the edge runs. Returns when."""
    to.mkdir()
    reading = sqlite3.connect(f"file:{building.directory / 'book.db'}?mode=ro", uri=True)
    with sqlite3.connect(to / "book.db") as writing:
        reading.backup(writing)
    writing.close()
    reading.close()
    return instant_text(building.clock.now())


def restored(building: Building, made_at: str, copy: Path) -> list[Entry]:
    """The card died: the same building goes on from the copy. Returns what was written after the backup was made."""
    lost = building.entries()[:]
    building.stop_edge()
    building.directory = Path(shutil.copytree(copy, copy.with_name(f"{copy.name}-put-back")))
    told = new_epoch.begin(building.directory, building.clock, "restore-1", made_at, "0.1.0", "李强")
    building._seen = []
    building.broker.retained.clear()
    building.start_edge()
    building.connect()
    assert building.edge.core.book.seq > told["seq"]
    return lost[told["seq"] :]


class Archive:
    """What an archive saw of the former epoch, and how it gives that back."""

    def __init__(self, building: Building, lost: list[Entry]):
        self.building, self.epoch = building, building.edge.core.state.restored.before  # type: ignore[union-attr]
        rows = [entry_row("x", entry_message(entry)) for entry in lost]
        self.rows = [row for row in rows if row["kind"] in (*BROUGHT_BACK, *SHOWN)]
        self.through = lost[-1].seq

    def bring(self, row: dict[str, Any], **changed: Any) -> dict[str, Any]:
        """Bring one entry back; the newest answer."""
        fields = fields_of(self.epoch, row) | changed
        name = f"former-{self.epoch}-{row['seq']}-{row['hash'][:8]}"
        asked = self.building.request("bring-back", "bridge", "archive", "archive", transaction=name, **fields)
        return self.building.answers(asked)[-1]

    def all(self, through: int | None = None, holes: int = 0) -> dict[str, Any]:
        """The last word."""
        through = self.through if through is None else through
        asked = self.building.request(
            "all-brought", "bridge", "archive", "archive", epoch=self.epoch, through=through, holes=holes
        )
        return self.building.answers(asked)[-1]
