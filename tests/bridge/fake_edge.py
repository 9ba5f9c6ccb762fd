"""An edge as far as the archive sees one: a book, sweeps of readings, and answers to `replay`. No broker in here."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Engine, select

from bridge.archive.rows import entry_row, reading_rows
from bridge.archive.tables import ENTRY, READING
from bridge.contract.messages import Entry, Info, Message, Reading, ReadingRow, Replay, Response
from bridge.contract.units import instant_text

START = datetime(2026, 11, 20, 2, 30, tzinfo=UTC)
ENTRIES_AT_MOST, READINGS_AT_MOST = 500, 200


@dataclass
class FakeEdge:
    """A gateway's book and readings. `epoch` is part of every hash, so two books never agree."""

    gateway: str = "shaft-a"
    epoch: str = "one"
    entries: list[Entry] = field(default_factory=list)
    sweeps: dict[int, Reading] = field(default_factory=dict)
    newest_sweep: int = 0
    started: datetime = START
    asked: list[Replay] = field(default_factory=list)

    def append(self, kind: str = "alarm/1", **body: Any) -> Entry:
        """The next entry; the first is the genesis."""
        if not self.entries and kind != "genesis/1":
            self.append("genesis/1", gateway=self.gateway, name="x", zone="Asia/Shanghai", epoch=self.epoch)
        seq = len(self.entries) + 1
        text = json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        before = self.entries[-1].hash if self.entries else "0" * 64
        own = hashlib.sha256(f"{before}{self.epoch}{seq}{kind}{text}".encode()).hexdigest()
        entry = Entry(
            seq=seq, id=f"e{seq}", at=instant_text(START + timedelta(seconds=seq)), boot="b", mono_ns=seq,
            trusted=True, kind=kind, body=text, prev_hash=before, hash=own,
        )  # fmt: skip
        self.entries.append(entry)
        return entry

    def grow(self, count: int) -> list[Entry]:
        return [self.append("alarm/1", meter="m1", alarm="x", text=str(number)) for number in range(count)]

    def sweep(self, at: datetime | None = None, meters: tuple[str, ...] = ("m1", "m2")) -> Reading:
        """The next sweep, read a second after the one before unless `at` says otherwise."""
        self.newest_sweep = number = self.newest_sweep + 1
        at_text = instant_text(at or self.started + timedelta(seconds=number))
        rows = [
            ReadingRow(meter=each, read_at=at_text, energy_wh=number * 10, power_w=5, relay="closed") for each in meters
        ]
        self.sweeps[number] = Reading(number=number, at=at_text, readings=rows)
        return self.sweeps[number]

    def info(self) -> Info:
        return Info(
            gateway=self.gateway, name="南楼", version="0.1.0", at=instant_text(START),
            started_at=instant_text(self.started), zone="Asia/Shanghai", clock_trusted=True, clock_why="ntp",
            mode="normal", seq=len(self.entries), hash=self.entries[-1].hash if self.entries else "0" * 64,
            epoch=self.epoch, sweep=self.newest_sweep, meters_installed=2, meters_read=2, cut_window_open=False,
            ports=[],
        )  # fmt: skip

    def replay(self, asked: Replay) -> list[Message]:
        """What the edge publishes for a replay: the messages, and last its response."""
        self.asked.append(asked)
        sent: list[Message] = []
        said: dict[str, int] = {}
        if asked.entries_from is not None:
            found = self.entries[asked.entries_from - 1 :][:ENTRIES_AT_MOST]
            said |= {"entries_from": found[0].seq, "entries_to": found[-1].seq} if found else {}
            sent += found
        if asked.readings_from is not None:
            numbers = sorted(number for number in self.sweeps if number >= asked.readings_from)[:READINGS_AT_MOST]
            said |= {"readings_from": numbers[0], "readings_to": numbers[-1]} if numbers else {}
            sent += [self.sweeps[number].model_copy(update={"replayed": True}) for number in numbers]
        return [*sent, Response(transaction=asked.transaction, status="done", data=said, at=instant_text(START))]

    def differences(self, engine: Engine) -> list[str]:
        """How the archive differs from the book, entries and readings, column by column."""
        with engine.connect() as connection:
            entries = [
                dict(row._mapping)
                for row in connection.execute(
                    select(ENTRY).where(ENTRY.c.gateway == self.gateway).order_by(ENTRY.c.seq)
                )
            ]
            order = (READING.c.number, READING.c.meter)
            readings = [
                dict(row._mapping)
                for row in connection.execute(select(READING).where(READING.c.gateway == self.gateway).order_by(*order))
            ]
        wanted = [entry_row(self.gateway, entry) for entry in self.entries]
        wanted_readings = [
            row for number in sorted(self.sweeps) for row in reading_rows(self.gateway, self.sweeps[number])
        ]
        found = []
        if entries != wanted:
            found.append(f"entries: {len(entries)} stored, {len(wanted)} in the book")
        if readings != wanted_readings:
            found.append(f"readings: {len(readings)} stored, {len(wanted_readings)} at the gateway")
        return found
