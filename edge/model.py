"""A meter model is a data file: rows, not code. This turns a row into a question and a reply into values.

Values come out under the keys of `meter/<id>`: integers for Wh and W, floats for the other quantities, which
never touch money. A quantity the meter marks as not available is absent.
"""

from __future__ import annotations

import math
import struct
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, tzinfo
from functools import cache
from pathlib import Path
from typing import Any

from edge.codec import bcd, dlt645, dlt645_orders, modbus
from edge.codec.errors import BadValue
from edge.line.request import USUAL, Manner

DIRECTORY = Path(__file__).parent / "models"

Values = dict[str, Any]


class UnknownModel(LookupError):
    """There is no such model file; `riser up` names the ones there are."""


@dataclass(frozen=True)
class Row:
    """One question of a model: how often, what to send, where the values stand in the reply."""

    name: str
    every: str
    di: str | None
    function: int
    start: int
    count: int
    values: tuple[dict[str, Any], ...]
    optional: bool = False
    """Not every meter of this model has it; one that refuses is asked again after an hour."""


@dataclass(frozen=True)
class Model:
    """One kind of meter."""

    id: str
    name: str
    protocol: str
    phases: int
    volts: int
    max_amps: int
    full_scale_wh: int
    step_wh: int
    rates: tuple[str, ...]
    relay: bool
    lamp: bool
    freeze: bool
    rows: dict[str, Row]
    preamble: int = 0
    manner: Manner = USUAL

    def names(self, every: str) -> list[str]:
        """Names of the questions that are asked `every` round, slow, minutes, hourly or only when asked for."""
        return [row.name for row in self.rows.values() if row.every == every]

    def ask(self, name: str, address: str, slot: int = 0, *, preamble: int = 0) -> bytes:
        """The bytes that ask a meter at `address` the question `name`."""
        row = self.rows[name]
        if row.di is not None:
            return dlt645.read(address, row.di.format(slot=slot), preamble)
        return modbus.read(int(address), row.function, row.start, row.count)

    def values(self, name: str, reply: bytes, zone: tzinfo) -> Values:
        """What a reply says. Raises Refused and BadValue."""
        row = self.rows[name]
        raw = dlt645.value_of(reply) if self.protocol == "dlt645-2007" else modbus.registers_of(reply)
        found: Values = {}
        for value in row.values:
            number = _read(value, raw, zone)
            if number is not None:
                found[value["key"]] = number
        return found

    def masked(self, raw: bytes) -> bytes:
        """A frame fit to be stored or shown."""
        return dlt645_orders.masked(raw) if self.protocol == "dlt645-2007" else raw

    def quantities(self) -> dict[str, str]:
        """Each key of `meter/<id>` that this model fills, with its unit."""
        keys = [v["key"] for row in self.rows.values() if row.every in ("round", "slow") for v in row.values]
        return {key: unit_of(key) for key in keys if key != "status_word_3"}


def unit_of(key: str) -> str:
    """The unit that stands in a key."""
    if key.startswith("amps"):
        return "A"
    return {"wh": "Wh", "w": "W", "v": "V", "hz": "Hz", "factor": ""}[key.rsplit("_", 1)[1]]


def _decimal(text: str) -> str | None:
    """A meter number; None where the meter was never given one (FF bytes)."""
    return text if text.isdigit() else None


TYPES: dict[str, tuple[int, Callable[[bytes, tzinfo], Any]]] = {
    "bcd2": (2, lambda raw, _: bcd.digits(raw)),
    "bcd3": (3, lambda raw, _: bcd.digits(raw)),
    "bcd4": (4, lambda raw, _: bcd.digits(raw)),
    "sbcd2": (2, lambda raw, _: bcd.signed(raw)),
    "sbcd3": (3, lambda raw, _: bcd.signed(raw)),
    "word": (2, lambda raw, _: None if raw == b"\xff\xff" else raw[::-1].hex().upper()),
    "digits6": (6, lambda raw, _: _decimal(raw[::-1].hex())),
    "hex6": (6, lambda raw, _: _decimal(raw.hex())),
    "instant6": (6, lambda raw, zone: bcd.instant_or_none(raw, zone)),
    "instant5": (5, bcd.local_instant),
    "instant7": (7, bcd.local_instant),
    "u16": (2, lambda raw, _: int.from_bytes(raw, "big")),
    "i16": (2, lambda raw, _: int.from_bytes(raw, "big", signed=True)),
    "u32": (4, lambda raw, _: int.from_bytes(raw, "big")),
    "f32": (4, lambda raw, _: _finite(raw)),
    "f32-whole": (4, lambda raw, _: int(_finite(raw))),
    "f32-kw": (4, lambda raw, _: int(_finite(raw) * 1000)),
    "f32-kwh": (4, lambda raw, _: modbus.whole_wh_of_float_kwh(raw)),
}
"""How many bytes a type takes, and how it is read."""


def _finite(raw: bytes) -> float:
    """A float32 that is a number: NaN and infinity have no place in a message. Raises ValueError."""
    (number,) = struct.unpack(">f", raw)
    if not math.isfinite(number):
        raise ValueError(f"{number} is not a measured value")
    return number


def _read(value: dict[str, Any], raw: bytes, zone: tzinfo) -> Any:
    size, reader = TYPES[value["type"]]
    piece = raw[value["at"] : value["at"] + size]
    if len(piece) != size:
        if value["key"].startswith("energy_") and value["at"]:
            return None  # A meter with fewer tariffs sends fewer registers.
        raise BadValue(f"the reply is too short for {value['key']}: {len(raw)} bytes")
    try:
        number = reader(piece, zone)
    except (OverflowError, ValueError) as error:
        raise BadValue(f"{value['key']}: {error}") from None
    if number is None or isinstance(number, str | datetime):
        return number
    if isinstance(number, float):
        return round(number / value.get("over", 1), value.get("decimals", 0))
    if "decimals" in value:
        return round(number / 10 ** value["decimals"], value["decimals"])
    return number * value.get("times", 1) // value.get("over", 1)


@cache
def load(model_id: str) -> Model:
    """The model `model_id`. Raises UnknownModel, naming the models there are."""
    # Looked up, never built from what somebody wrote: a name such as `../x` leads nowhere.
    path = next((each for each in DIRECTORY.glob("*.toml") if each.stem == model_id), None)
    if path is None:
        raise UnknownModel(f"there is no model {model_id!r}; there are {', '.join(known())}")
    return of_tables(tomllib.loads(path.read_text(encoding="utf-8")))


def of_tables(tables: dict[str, Any]) -> Model:
    """The model that a model file describes; `model_file.py` has checked that it describes one."""
    rows = [
        Row(
            row["name"],
            row["every"],
            row.get("di"),
            row.get("function", 0),
            row.get("start", 0),
            row.get("count", 0),
            tuple(row["values"]),
            row.get("optional", False),
        )
        for row in tables["read"]
    ]
    head = tables["model"]
    return Model(**{**head, "rates": tuple(head["rates"]), "rows": {row.name: row for row in rows}})


def known() -> list[str]:
    """Ids of all models."""
    return sorted(path.stem for path in DIRECTORY.glob("*.toml"))
