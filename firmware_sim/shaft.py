"""A shaft described in one TOML file: its lines, its meters, what is plugged in behind them, and their memory on disk.

Meters do not forget because a simulator was restarted. Registers, relay, alarm, freeze memory and clock are kept
in one file, replaced atomically; when they are taken back, the load has run on meanwhile, as it would have.
"""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from .faults import EITHER, KINDS, LINE, METER, NO_FAULTS, Faults, gather, lines_of
from .instants import us_of
from .kinds import built, wire_together
from .line import Line, Meter
from .loads import Load
from .metrology import ALL_FLAT, DayTable

RATES = {"sharp": 1, "peak": 2, "flat": 3, "valley": 4}
STATE_VERSION = 1


@dataclass(frozen=True)
class Wiring:
    """How one line is wired: id, protocol, bit/s, parity E or N."""

    line_id: str
    protocol: str
    baud: int
    parity: str
    think_ms: float | None = None
    """How long its meters think before each answer; None is 20 to 100 ms, as meters do."""


class Shaft:
    """Lines by id, meters by id. Built by `load`; the same file and the same `now` give the same shaft."""

    def __init__(self, name: str, wirings: list[Wiring], lines: dict[str, Line], faults: Sequence[str] = ()):
        self.name, self.wirings, self.lines = name, wirings, lines
        self.faults_at_start = tuple(faults)
        """Faults that the shaft file brings, as lines."""
        self.faults = gather(faults)
        self.meters: dict[str, Meter] = {meter.meter_id: meter for line in lines.values() for meter in line.meters}

    def set_faults(self, faults: Faults) -> None:
        """Put these faults in the place of those before, on every line."""
        self.faults = faults
        for line in self.lines.values():
            line.set_faults(faults)

    def unknown_places(self, faults: Faults) -> list[str]:
        """Places the faults name that are not here, or not of the kind that such a fault can be at."""
        here = {METER: self.meters.keys(), LINE: self.lines.keys(), EITHER: self.meters.keys() | self.lines.keys()}
        return sorted({place for kind, place in faults.named() if place not in here[KINDS[kind].where]})

    def state(self) -> dict[str, Any]:
        """The memory of every meter as JSON values."""
        return {"version": STATE_VERSION, "meters": {name: meter.state() for name, meter in self.meters.items()}}

    def restore(self, kept: dict[str, Any]) -> list[str]:
        """Take back what `state` gave; returns the ids that start anew because they were not in it."""
        if kept.get("version") != STATE_VERSION:
            raise ValueError(f"the meters' memory has version {kept.get('version')!r}, this simulator reads 1")
        new = []
        for name, meter in self.meters.items():
            memory = kept["meters"].get(name)
            if memory is None or memory["address"] != meter.address:
                new.append(name)
            else:
                meter.restore(memory)
        return new

    def ahead_s(self, now: datetime) -> float:
        """Seconds by which the farthest meter's memory lies in the future of `now`; 0 where none does."""
        ahead_us = max(meter.metrology.at_us for meter in self.meters.values()) - us_of(now)
        return max(0, ahead_us) / 1e6


def load(
    path: Path, now: datetime, faults: Faults = NO_FAULTS, tables: Callable[[dict[str, Any]], dict[str, Any]] = dict
) -> Shaft:
    """Build the shaft of a TOML file whose meters have been running for `history_days` before `now`.

    `tables` makes a shaft's tables of what the file holds, where that is something else: a site file.
    Raises ValueError with one sentence that names what is wrong, OSError where the file cannot be read.
    """
    try:
        described = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{path} is not TOML: {error}") from None
    try:
        return _build(tables(described), now, faults)
    except KeyError as error:
        raise ValueError(f"{path}: {error.args[0]!r} is missing") from None
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def _build(described: dict[str, Any], now: datetime, faults: Faults) -> Shaft:
    head = described["shaft"]
    zone = ZoneInfo(head.get("zone", "Asia/Shanghai"))
    start = now - timedelta(days=head.get("history_days", 0))
    tables = {row["name"]: day_table_of(row["windows"]) for row in described.get("day_tables", [])}
    wirings = [
        Wiring(row["id"], row["protocol"], row["baud"], row.get("parity", "N"), row.get("think_ms"))
        for row in described["lines"]]  # fmt: skip
    on_line: dict[str, list[Meter]] = {wiring.line_id: [] for wiring in wirings}
    protocols = {wiring.line_id: wiring.protocol for wiring in wirings}
    seen: set[str] = set()
    for row in described["meters"]:
        if row["id"] in seen or row["line"] not in on_line:
            raise ValueError(f"meter {row['id']!r} stands twice or on a line that is not there")
        seen.add(row["id"])
        meter = _meter(row, tables, zone, start)
        if meter.protocol != protocols[row["line"]]:
            raise ValueError(f"meter {row['id']!r} does not speak {protocols[row['line']]}, the language of its line")
        meter.advance(now)
        on_line[row["line"]].append(meter)
    for meters in on_line.values():
        wire_together(meters)
    seed, brought = head.get("seed", 1), head.get("faults", [])
    together = gather([*brought, *lines_of(faults)])
    lines = {
        wiring.line_id: Line(
            on_line[wiring.line_id], seed, together, wiring.line_id, baud=wiring.baud, think_s=_think_s(wiring)
        )
        for wiring in wirings
    }
    shaft = Shaft(head["name"], wirings, lines, [*brought, *lines_of(faults)])
    if unknown := shaft.unknown_places(together):
        raise ValueError(f"faults name what is not here: {', '.join(unknown)}")
    return shaft


def _think_s(wiring: Wiring) -> tuple[float, float] | None:
    if wiring.think_ms is None:
        return None
    if not 0 <= wiring.think_ms <= 5000:
        raise ValueError(f"line {wiring.line_id!r}: think_ms is 0 to 5000, not {wiring.think_ms}")
    return (wiring.think_ms / 1000,) * 2


def day_table_of(windows: list[dict[str, str]]) -> DayTable:
    """[{from="07:00", rate="peak"}, …] as minutes and rate numbers."""
    return tuple((int(row["from"][:2]) * 60 + int(row["from"][3:]), RATES[row["rate"]]) for row in windows)


def steps_of(kwh: str) -> int:
    """A register text such as "18492.88" in steps of 0.01 kWh, exactly."""
    steps = Decimal(kwh) * 100
    if steps != int(steps) or steps < 0:
        raise ValueError(f"a register shows two decimals; {kwh!r} does not")
    return int(steps)


def _meter(row: dict[str, Any], tables: dict[str, DayTable], zone: ZoneInfo, start: datetime) -> Meter:
    registers = [steps_of(text) for text in row.get("registers", ["0.00"] * 5)]
    if len(registers) != 5:
        raise ValueError(f"meter {row['id']!r}: registers are total, sharp, peak, flat, valley")
    name = row.get("day_table", "")
    if name and name not in tables:
        raise ValueError(f"meter {row['id']!r}: there is no day table {name!r}")
    common: dict[str, Any] = {
        "meter_id": row["id"],
        "zone": zone,
        "registers": tuple(registers),
        "day_table": tables[name] if name else ALL_FLAT,
        "offset_s": row.get("offset_s", 0),
        "drift_ppm": row.get("drift_ppm", 0),
    }
    given, serial = row["load"], row.get("serial", "")
    load = Load(given["kind"], given["litres_h"] if "litres_h" in given else given["watts"], given.get("seed", 1), zone)
    return built(row, serial, load, start, common)


def save(shaft_state: dict[str, Any], path: Path) -> None:
    """Replace the file at `path` so that a crash leaves either the old memory or the new, never a part."""
    beside = path.with_name(path.name + ".new")
    with beside.open("w", encoding="ascii") as file:
        json.dump(shaft_state, file)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def recall(shaft: Shaft, path: Path) -> list[str] | None:
    """Give the meters their memory back; None where there is no file yet, else the ids that were not in it.

    Raises ValueError where the file is damaged: it is never overwritten silently.
    """
    try:
        kept = json.loads(path.read_text(encoding="ascii"))
        return shaft.restore(kept)
    except FileNotFoundError:
        return None
    except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path} is not a memory of meters ({error}); move it away to begin anew") from None
