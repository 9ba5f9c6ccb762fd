"""A meter model is a data file: rows, not code. This turns rows into questions and replies into values.

Values come out under the keys of `meter/<id>`: integers for Wh, litres and W, floats for the other quantities, which
never touch money. A quantity the meter marks as not available is absent.
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, tzinfo
from functools import cache
from pathlib import Path
from typing import Any

from edge.codec import cjt188, dlt645, dlt645_orders, dlt1997, modbus
from edge.codec.dlt645_orders import Password
from edge.codec.errors import CodecError
from edge.line.request import USUAL, Manner
from edge.model_plan import Question, planned
from edge.model_relay import Relay, Seen, relay_of
from edge.model_row import UNSHOWN, Circuits, Row, row_of
from edge.model_values import PLAIN, TYPES, Coding, Values

__all__ = [
    "TYPES", "UNSHOWN", "Model", "Question", "Row", "Seen", "UnknownModel", "Values", "known", "load", "of_row",
]  # fmt: skip

DIRECTORY = Path(__file__).parent / "models"

PLANS_KEPT = 256
"""A round asks one of a few sets of rows; in a year their fall-due makes many, and nobody asks the rare ones again."""


class UnknownModel(LookupError):
    """There is no such model file; `riser up` names the ones there are."""


@dataclass(frozen=True)
class Model:
    """One kind of meter. Where it counts water, `full_scale_wh` and `step_wh` are litres."""

    id: str
    name: str
    protocol: str
    phases: int
    volts: int
    max_amps: int
    full_scale_wh: int
    step_wh: int
    rates: tuple[str, ...]
    freeze: bool
    rows: dict[str, Row]
    relay: Relay | None = None
    purse: bool = False
    """The meter keeps a balance of its own and cuts by it (R14)."""
    max_l_per_h: int = 0
    """What a water meter can let through; 0 for electricity (R21)."""
    preamble: int = 0
    manner: Manner = USUAL
    most_registers: int = 125
    hole: int = 0
    coding: Coding = PLAIN
    di_order: str = "high-first"
    kind: int = 0x10
    circuits: Circuits | None = None
    _plans: dict[tuple[tuple[str, ...], int], list[Question]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    _names: dict[str, list[str]] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def lamp(self) -> bool:
        """It has an alarm lamp that can be lit and seen (R1)."""
        return self.relay is not None and bool(self.relay.lamp)

    @property
    def relay_is_valve(self) -> bool:
        """What switches its supply is a valve, which is closed where a relay is open."""
        return self.relay is not None and self.relay.is_valve

    @property
    def registers(self) -> str:
        """The row that holds the registers."""
        return "volume" if self.max_l_per_h else "energy"

    @property
    def quantity(self) -> str:
        return "volume" if self.max_l_per_h else "energy"

    @property
    def load_rows(self) -> set[str]:
        """The questions whose answer says how many W go through it."""
        return {row.name for row in self.rows.values() if any(value["key"] == "power_w" for value in row.values)}

    def names(self, every: str) -> list[str]:
        """Names of the questions that are asked `every` round, slow, minutes, hourly or only when asked for."""
        if every not in self._names:
            self._names[every] = [row.name for row in self.rows.values() if row.every == every]
        return self._names[every]

    # --- asking ---

    def plan(self, names: Iterable[str], baud: int = 9600) -> list[Question]:
        """The fewest bytes that ask for these rows: rows whose registers lie near each other share one request, rows of
        one identifier too. A joint question that the meter refuses is asked row by row: `plan([name])`."""
        key = (tuple(names), baud)
        if key not in self._plans:
            if len(self._plans) >= PLANS_KEPT:
                self._plans.clear()
            self._plans[key] = planned(self, [self.rows[name] for name in key[0]], baud)
        return self._plans[key]

    def ask(self, name: str, address: str, slot: int = 0, preamble: int | None = None) -> bytes:
        """The bytes that ask a meter at `address` the question `name`, after the wake-up bytes this model needs, or
        `preamble` of them."""
        row = self.rows[name]
        return self.request(row, row.start, row.count, address, slot, preamble)

    def request(self, row: Row, start: int, count: int, address: str, slot: int, preamble: int | None) -> bytes:
        """The frame of a row; on Modbus of the `count` registers from `start`."""
        wake_up = self.preamble if preamble is None else preamble
        if row.di is None:
            return modbus.read(int(address), row.function, start, count)
        identifier = row.di.format(slot=slot)
        if self.protocol == "cjt188":
            travels = identifier if self.di_order == "high-first" else identifier[2:] + identifier[:2]
            return cjt188.read(self.kind, address, travels, preamble=wake_up)
        return (dlt645 if self.protocol == "dlt645-2007" else dlt1997).read(address, identifier, wake_up)

    def contents(self, parts: Sequence[bytes]) -> bytes:
        """The value bytes of a whole answer, all parts in order. Raises Refused and CodecError."""
        if self.protocol == "dlt645-2007":
            return dlt645.value_of(*parts)
        if len(parts) != 1:
            raise CodecError(f"an answer on {self.protocol} has one part, not {len(parts)}")
        if self.protocol == "dlt645-1997":
            return dlt1997.value_of(parts[0])
        if self.protocol == "cjt188":
            return cjt188.value_of(parts[0])
        return bytes(modbus.bits_of(parts[0])) if parts[0][1] in (1, 2) else modbus.registers_of(parts[0])

    def values(self, name: str, parts: bytes | Sequence[bytes], zone: tzinfo) -> Values:
        """What an answer says; a long one has several parts. Raises Refused and BadValue."""
        raw = self.contents([parts] if isinstance(parts, bytes) else parts)
        return self.read(self.rows[name], raw, zone)

    def read(self, row: Row, raw: bytes, zone: tzinfo) -> Values:
        """A row's values in its value bytes. Raises BadValue."""
        if row.length is not None and len(raw) != row.length:
            raise CodecError(f"{len(raw)} bytes are not the {row.length} that {row.name} has on a {self.id}")
        return row.read(raw, zone, self.coding)

    # --- moving its relay ---

    def order(
        self,
        command: str,
        address: str,
        registered: Collection[str],
        password: Password,
        until: datetime | None,
        preamble: int | None = None,
    ) -> bytes:
        """The frame of `trip`, `direct`, `permit`, `alarm` or `alarm-off`. Raises Forbidden (I13) and CodecError."""
        if self.relay is None:
            raise CodecError(f"a {self.id} has no relay")
        wake_up = self.preamble if preamble is None else preamble
        return self.relay.frame(command, address, registered, password, until, wake_up)

    # --- showing ---

    def masked(self, raw: bytes) -> bytes:
        """A frame fit to be stored or shown."""
        return dlt645_orders.masked(raw) if self.protocol == "dlt645-2007" else raw

    def kept(self, question: bytes, parts: Sequence[bytes]) -> tuple[str, ...]:
        """An exchange as the book keeps it, in hex: the question, then every part of the answer. With a row's registers
        or identifier that is enough to read it again; how rows were joined in a question that day, it says itself."""
        return (self.masked(question).hex(), *(part.hex() for part in parts))

    def quantities(self) -> dict[str, str]:
        """Each key of `meter/<id>` that this model fills, with its unit."""
        keys = [v["key"] for row in self.rows.values() if row.every != "asked" for v in row.values]
        return {key: unit_of(key) for key in keys if key not in UNSHOWN}

    def at_circuit(self, number: int | None) -> Model:
        """This model bound to one circuit of a box: its rows and orders are shifted to it."""
        if self.circuits is None or number is None:
            return self
        by = (number - 1) * self.circuits.stride
        rows = {name: replace(row, start=row.start + by) for name, row in self.rows.items()}
        return replace(self, rows=rows, relay=self.relay and self.relay.shifted(by))


def unit_of(key: str) -> str:
    """The unit that stands in a key; empty where it has none."""
    if key.startswith("amps"):
        return "A"
    units = {"wh": "Wh", "w": "W", "v": "V", "hz": "Hz", "l": "L", "fen": "fen", "kwh": "micro-yuan/kWh"}
    return units.get(key.rsplit("_", 1)[1], "")


@cache
def load(model_id: str) -> Model:
    """The model `model_id`. Raises UnknownModel, naming the models there are."""
    # Looked up, never built from what somebody wrote: a name such as `../x` leads nowhere.
    path = next((each for each in DIRECTORY.glob("*.toml") if each.stem == model_id), None)
    if path is None:
        raise UnknownModel(f"there is no model {model_id!r}; there are {', '.join(known())}")
    return of_tables(tomllib.loads(path.read_text(encoding="utf-8")))


@cache
def _at_circuit(model_id: str, circuit: int | None) -> Model:
    return load(model_id).at_circuit(circuit)


def of_row(row: dict[str, Any]) -> Model:
    """The model of an installed meter, bound to its circuit where its box has many. Raises UnknownModel."""
    return _at_circuit(row["model"], row.get("circuit"))


def of_tables(tables: dict[str, Any]) -> Model:
    """The model that a model file describes; `model_file.py` has checked that it describes one."""
    head, line, coding = tables["model"], tables.get("line", {}), tables.get("coding", {})
    water = head.get("quantity") == "volume"
    manner = {"first_byte_s": "first_byte_ms", "rest_s": "rest_ms", "quiet_s": "quiet_ms"}
    return Model(
        **{key: head[key] for key in ("id", "name", "protocol")},
        **{key: head.get(key, 0) for key in ("phases", "volts", "max_amps", "max_l_per_h")},
        full_scale_wh=head["full_scale_l" if water else "full_scale_wh"],
        step_wh=head["step_l" if water else "step_wh"],
        rates=tuple(head.get("rates", ())),
        freeze=head.get("freeze", False),
        purse=head.get("purse", False),
        rows={row["name"]: row_of(row) for row in tables["read"]},
        relay=relay_of(tables["relay"], coding) if "relay" in tables else None,
        manner=Manner(**{name: line[key] / 1000 for name, key in manner.items() if key in line}),
        **{key: line[key] for key in ("preamble", "most_registers", "hole") if key in line},
        coding=Coding(**{key: coding[key] for key in Coding.__annotations__ if key in coding}),
        di_order=coding.get("di_order", "high-first"),
        kind=int(coding.get("kind", "10"), 16),
        circuits=Circuits(**tables["circuits"]) if "circuits" in tables else None,
    )


def known() -> list[str]:
    """Ids of all models."""
    return sorted(path.stem for path in DIRECTORY.glob("*.toml"))
