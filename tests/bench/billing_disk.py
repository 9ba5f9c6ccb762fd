"""What a reading and a payment cost the card: bytes written, and times that it is made to write them down.

Bytes to disk are `wchar` of /proc/self/io: what this very process hands to the kernel, log, book and checkpoints
included (the log's index is memory). Bytes of WAL are the growth of the log with checkpoints held back. Syncs are
SQLite's own rule for WAL with synchronous=FULL, counted where they come about: one for each COMMIT that added to the
log, and two for each checkpoint, seen by the book's own file, which only checkpoints change. That rule itself is held
to the system calls by tests/edge/test_edge_book.py with strace.
"""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from bridge.contract.units import micros_of
from edge.sweeps import Sweeps
from tests.bench.billing_rig import RATES, START, Rig
from tests.edge.building import Building

METERS = 32
SWEEP_S = 15
PAYMENTS = 200


class Disk:
    """Counts what one book's connection does."""

    def __init__(self, book: Any):
        self._book, self._log = Path(book._path), Path(f"{book._path}-wal")
        self.commits = self.checkpoints = 0
        self._stamp, self._began = self._marks(), written()
        book._db.set_trace_callback(self._traced)

    def _marks(self) -> tuple[int, int, int]:
        log, book = os.stat(self._log), os.stat(self._book)
        return log.st_mtime_ns, log.st_size, book.st_mtime_ns

    def _traced(self, sql: str) -> None:
        if sql.startswith("BEGIN"):
            self.look()

    def look(self) -> None:
        """What the transaction before this moment has done."""
        now = self._marks()
        self.commits += now[:2] != self._stamp[:2]
        self.checkpoints += now[2] != self._stamp[2]
        self._stamp = now

    @property
    def syncs(self) -> int:
        return self.commits + 2 * self.checkpoints

    @property
    def bytes(self) -> int:
        return written() - self._began


def written() -> int:
    """Bytes that this process has handed over to be written."""
    rows = dict(line.split(": ") for line in Path("/proc/self/io").read_text().splitlines())
    return int(rows["wchar"])


def readings(scratch: Path, quick: bool) -> dict[str, Any]:
    """Sweeps of 32 meters through the edge's own collecting, packing, saving and trimming."""
    rig = Rig(scratch / "readings", METERS)
    fresh: dict[str, Any] = {}
    sweeps = Sweeps(rig.core, SimpleNamespace(fresh=fresh))  # type: ignore[arg-type]
    poll: Any = SimpleNamespace(meters=lambda: rig.core.state.meters.values())
    disk, count = Disk(rig.book), 400 if quick else 2000
    for _ in range(count):
        rig.clock.advance(SWEEP_S)
        for number, (id, used) in enumerate(rig.used_wh.items()):
            power = rig.chance.randrange(12_000)
            used[rig.chance.choice(RATES)] += 10 * rig.chance.randrange(2 + power * SWEEP_S // 36_000)
            registers = rig.mark(id, START, "")["registers_wh"]
            began = micros_of(rig.clock.now()) - SWEEP_S * 10**6  # One after the other, as a line is read.
            read_at = began + number * SWEEP_S * 10**6 // METERS + rig.chance.randrange(60_000)
            fresh[id] = {
                "meter": id, "read_at": read_at,
                "energy_wh": registers["total"], "registers_wh": registers, "power_w": power, "relay": "closed",
            }  # fmt: skip
        sweeps.swept(poll)
        sweeps.save()
    sweeps.save(force=True)
    assert len(list(rig.book.newest_sweeps(count))) == count
    disk.look()
    rig.book._db.execute("PRAGMA wal_checkpoint(PASSIVE)")  # What waits in the log will be written twice, as all is.
    disk.look()
    found = {
        "bytes_per_reading": round(disk.bytes / (count * METERS), 1),
        "fsyncs_per_sweep": round(disk.syncs / count, 3),
        "readings": count * METERS,
        "readings_checkpoints": disk.checkpoints,
    }
    rig.book.close()
    return found


def payments(scratch: Path, quick: bool) -> dict[str, Any]:
    """Signed top-ups through the whole edge, on a book that has seen some years: pages are full, the index is deep."""
    building = Building(scratch / "payments", poll_s=3600, idle_s=5)
    building.connect()
    core, count = building.edge.core, PAYMENTS // 4 if quick else PAYMENTS
    for _ in range(5 if quick else 40):
        old = ({"alarm": "earlier", "account": "100101", "text": f"of an earlier year {'x' * 300}"} for _ in range(500))
        core.append(*(("alarm/1", f"shell:{os.urandom(9).hex()}", fields) for fields in old))
    core.book._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    core.book._db.execute("PRAGMA wal_autocheckpoint=0")
    log, wal, syncs = Path(f"{core.book._path}-wal"), 0, 0
    append = core.book.append
    seen: list[int] = []

    def counted(*drafts: Any) -> Any:
        """One act of the edge, with what it added to the log."""
        before, disk = log.stat().st_size, Disk(core.book)
        entries = append(*drafts)
        disk.look()
        core.book._db.set_trace_callback(None)
        if any(entry.kind == "topup/1" for entry in entries):
            nonlocal wal, syncs
            wal, syncs = wal + log.stat().st_size - before, syncs + disk.syncs
            seen.append(len(entries))
        return entries

    core.book.append = counted  # type: ignore[method-assign]
    accounts = list(core.state.accounts)
    for number in range(count):
        building.topup(accounts[number % len(accounts)], 1000 + number)
    assert len(seen) == count
    building.stop_edge()
    return {
        "bytes_per_money_event": round(wal / count),
        "fsyncs_per_money_event": round(syncs / count, 2),
        "money_events": count,
    }
