"""Water in the archive: litres stand in a table of their own, and a sweep of water alone is no hole."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import select

from bridge.archive.rows import reading_rows
from bridge.archive.store import Store
from bridge.archive.tables import READING, WATER, open_engine
from bridge.contract.messages import Reading, ReadingRow

AT = "2026-11-20T10:30:00.000+08:00"
AT_US = 1_795_141_800_000_000


def sweep(number: int, *rows: ReadingRow) -> Reading:
    return Reading(number=number, at=AT, readings=list(rows))


def test_litres_are_kept_apart_and_their_sweeps_count(tmp_path: Path) -> None:
    """Sweep 1 has both, sweep 2 water alone: after a restart nothing is missing, and a repeat doubles nothing."""
    store = Store(engine := open_engine("sqlite", tmp_path))
    water = ReadingRow(meter="w1", read_at=AT, volume_l=123_450, relay="closed")
    power = ReadingRow(meter="m1", read_at=AT, energy_wh=10, power_w=5)
    both = {1: reading_rows("g", sweep(1, power, water)), 2: reading_rows("g", sweep(2, water))}
    for _ in range(2):
        store.put("g", [], both)
    with engine.connect() as connection:
        litres = connection.execute(select(WATER.c.number, WATER.c.volume_l, WATER.c.relay)).all()
        wh = connection.execute(select(READING.c.number, READING.c.energy_wh, READING.c.power_w)).all()
    assert [tuple(row) for row in litres] == [(1, 123_450, "closed"), (2, 123_450, "closed")]
    assert [tuple(row) for row in wh] == [(1, 10, 5)]
    again = Store(open_engine("sqlite", tmp_path))
    assert again.reading_runs("g") == [(1, 2)] and again.gateways() == ["g"]
    assert again.newest_before("g", AT_US + 10**9) == 2 and again.newest_before("g", AT_US - 10**9) == 0
    assert again.forget_unwritten("g", 1, AT_US + 10**9) == 1 and again.reading_runs("g") == [(1, 1)]
    assert again.forget("g", readings=True) == 2 and again.reading_runs("g") == []
