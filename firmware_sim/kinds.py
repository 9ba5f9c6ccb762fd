"""Which meters can be built, by model, and what a shaft file may say of each beside what all meters have."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from .chint import ChintDdsu666, ChintDtsu666
from .cjt188 import WaterMeter
from .dlt645 import Dlt645Meter, OldMeter, PurseMeter
from .eastron import EastronSdm630
from .line import Meter
from .loads import Load
from .modbus import ModbusMeter
from .switched import AcrelCircuit, AcrelSwitched, BenchMeter, HikingDds238

FRAMES = ("lead", "needs_preamble")
OPTIONS = (*FRAMES, "password", "level", "cover_openings", "serr_bytes", "most_data")
PURSE = (*OPTIONS, "balance", "price", "alarm", "overdraft", "hoarding", "recharge", "trips", "opened", "purchases",
         "customer", "purse")  # fmt: skip
WATER = (*FRAMES, "settled", "unit", "turn_s", "turning", "status_extra", "kind")

DLT645: dict[str, tuple[type[Dlt645Meter] | type[OldMeter], int, str, tuple[str, ...]]] = {
    "dlt645-1p": (Dlt645Meter, 1, "DDZY-SIM", OPTIONS),
    "dlt645-3p": (Dlt645Meter, 3, "DTZY-SIM", OPTIONS),
    "dlt645-1p-purse": (PurseMeter, 1, "DDZY-BD", PURSE),
    "dlt645-3p-purse": (PurseMeter, 3, "DTZY-BD", PURSE),
    "dlt645-1997": (OldMeter, 1, "DDS-97", OPTIONS),
}
"""DL/T 645 meters: how they are built, their phases, what they call themselves, their options."""

MODBUS: dict[str, tuple[type[ModbusMeter], int]] = {
    "acrel-ddsy1352": (AcrelSwitched, 1),
    "acrel-dtsy1352": (AcrelSwitched, 3),
    "acrel-adf300l": (AcrelCircuit, 1),
    "chint-ddsu666": (ChintDdsu666, 1),
    "chint-dtsu666": (ChintDtsu666, 3),
    "eastron-sdm120": (EastronSdm630, 1),
    "eastron-sdm230": (EastronSdm630, 1),
    "eastron-sdm630": (EastronSdm630, 3),
    "hiking-dds238": (HikingDds238, 1),
    "modbus-bench": (BenchMeter, 1),
}
"""Modbus meters by model: how they are built, and how many phases they measure."""

WATER_MODELS = ("cjt188-water-valve", "cjt188-2018-water-valve")


def built(row: dict[str, Any], serial: str, load: Load, start: datetime, common: dict[str, Any]) -> Meter:
    """The meter of one row of a shaft file. Raises ValueError with a sentence where there is none like it."""
    model = row["model"]
    if model in DLT645:
        kind, phases, name, options = DLT645[model]
        chosen = {key: row[key] for key in options if key in row}
        return kind(row["address"], serial, load, start, phases=phases, model=name, **common, **chosen)
    if model in WATER_MODELS:
        return WaterMeter(
            row["address"], serial, load, start, **common, **{key: row[key] for key in WATER if key in row}
        )
    if model in MODBUS:
        slave, phases = MODBUS[model]
        chosen = {"circuit": row["circuit"]} if slave is AcrelCircuit else {}
        return slave(int(row["address"]), serial, load, start, phases=phases, **common, **chosen)
    raise ValueError(f"meter {row['id']!r}: no meter is built like {model!r}")


def wire_together(meters: Sequence[Meter]) -> None:
    """Circuits of one address are one box, of which one answers what belongs to none of them."""
    boxes: dict[int, list[AcrelCircuit]] = {}
    for meter in meters:
        if isinstance(meter, AcrelCircuit):
            boxes.setdefault(meter.slave, []).append(meter)
    for circuits in boxes.values():
        numbers = {each.circuit for each in circuits}
        if len(numbers) != len(circuits):
            raise ValueError(f"two meters are the same circuit of the box at address {circuits[0].slave}")
        for each in circuits:
            each.siblings = numbers
