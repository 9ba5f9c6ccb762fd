"""What may stand in a model's file: every table and field, with its default and what it is for.

A field is there because some maker's meter needs it. What is left out is the protocol's usual way.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Hex = Annotated[str, Field(pattern=r"^([0-9a-fA-F]{2})+$")]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,31}$")]
Register = Annotated[int, Field(ge=0, le=0xFFFF)]
Words = Annotated[str, Field(min_length=1, max_length=160)]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Head(Strict):
    """What kind of meter it is."""

    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")]
    """The file's own name."""
    name: Annotated[str, Field(min_length=1, max_length=64)]
    """As people know it."""
    protocol: Literal["dlt645-2007", "dlt645-1997", "cjt188", "modbus-rtu"]


class Electric(Head):
    """An electricity meter; it has a row named "energy"."""

    quantity: Literal["energy"] = "energy"
    phases: Literal[1, 3]
    volts: Annotated[int, Field(ge=57, le=400)]
    """Phase voltage, for the ceiling of a step (R21)."""
    max_amps: Annotated[int, Field(ge=1, le=1000)]
    """Imax of the plate, for the ceiling of a step (R21)."""
    full_scale_wh: Annotated[int, Field(ge=1_000_000)]
    """Where the register begins again at zero (R20)."""
    step_wh: Annotated[int, Field(ge=1, le=1000)]
    """The register's last digit."""
    rates: list[Literal["sharp", "peak", "flat", "valley", "deep"]] = []
    """Rate registers that its row "energy" reads beside the total."""
    freeze: bool = False
    """It keeps midnights: rows named "freeze-time" and "freeze-energy"."""
    purse: bool = False
    """It keeps a balance of its own and cuts by it: the gateway must not bill it too (R14)."""


class Water(Head):
    """A water meter; it has a row named "volume"."""

    protocol: Literal["cjt188", "modbus-rtu"]
    quantity: Literal["volume"]
    max_l_per_h: Annotated[int, Field(ge=1, le=10_000_000)]
    """Litres that can pass in an hour (Q4 of the plate), for the ceiling of a step (R21)."""
    full_scale_l: Annotated[int, Field(ge=1000)]
    """Where the register begins again at zero (R20)."""
    step_l: Annotated[int, Field(ge=1, le=1000)]
    """The register's last digit."""


class Line(Strict):
    """How it wants to be spoken to."""

    preamble: Annotated[int, Field(ge=0, le=8)] = 0
    """Bytes FE that it needs before a question; most need none."""
    first_byte_ms: Annotated[int, Field(ge=50, le=10_000)] = 550
    """Longest time from the end of a question to the first byte of its answer."""
    rest_ms: Annotated[int, Field(ge=100, le=2000)] = 150
    """Silence after which a begun answer is over."""
    quiet_ms: Annotated[int, Field(ge=0, le=5000)] = 0
    """Quiet line before a question, where it needs more than its protocol asks for."""
    most_registers: Annotated[int, Field(ge=1, le=125)] = 125
    """Registers that it gives in one answer."""
    hole: Annotated[int, Field(ge=0, le=124)] = 0
    """Registers nobody asked for that may be read along between two rows; 0 where it refuses those it does not have."""


class Coding(Strict):
    """How it writes what it says."""

    word_order: Literal["big", "little"] = "big"
    """Which word of a 32- or 64-bit Modbus value comes first."""
    byte_order: Literal["big", "little"] = "big"
    """Which byte of a Modbus register comes first."""
    di_order: Literal["high-first", "low-first"] = "high-first"
    """Whether a CJ/T 188 question for 901F sends 90 1F or 1F 90; answers may have either."""
    kind: Annotated[str, Field(pattern=r"^[0-9A-F]{2}$")] = "10"
    """The T of a CJ/T 188 frame: 10 cold water, 11 hot water, 12 drinking water, 13 reclaimed water."""
    flow_decimals: Annotated[int, Field(ge=0, le=6)] = 2
    """Decimals of a CJ/T 188 volume before its unit byte is applied."""
    error_bytes: Literal[1, 2] = 2
    """Bytes of the error that answers a DL/T 645 relay order; with one it is the error byte of all other functions."""


class Circuits(Strict):
    """A box: one address, many meters. Registers stand for circuit 1; circuit n is (n - 1) x `stride` further on."""

    most: Annotated[int, Field(ge=2, le=64)]
    stride: Annotated[int, Field(ge=1, le=0x4000)]


class Condition(Strict):
    """A value of the status row that is, under `mask`, the number `is`."""

    key: str
    is_: Annotated[int, Field(alias="is", ge=0, le=0xFFFF)]
    mask: Register = 0xFFFF


class Order(Strict):
    """One Modbus write: bits by function 5 or 15, registers by 6 or 16."""

    function: Literal[5, 6, 15, 16]
    start: Register
    values: Annotated[list[Register], Field(min_length=1, max_length=16)]


class Relay(Strict):
    """How its relay or valve is moved, and what its status says. The conditions of a state hold all together."""

    kind: Literal["dlt645", "modbus", "valve"]
    row: Name = "status"
    """The row that tells its state."""
    on: Annotated[list[Condition], Field(min_length=1)]
    """Supply is on: relay closed, valve open."""
    off: Annotated[list[Condition], Field(min_length=1)]
    """Supply is off: relay open, valve closed. Where neither holds nobody knows."""
    fault: list[Condition] = []
    """It says itself that it does not work (R35)."""
    lamp: list[Condition] = []
    """Its alarm lamp is lit; a model without this has no lamp that can be lit."""
    keep: list[Condition] = []
    """It is set to keep power on, whatever it is told (R3)."""
    closing_code: Literal[0x1B, 0x1C] = 0x1C
    """What closes it at once: 1C on most DL/T 645 meters; some makers' close on 1B."""
    trip: Order | None = None
    close: Order | None = None
    release: Order | None = None
    """Modbus: give the decision back to the meter. Riser never sends it by itself."""
    settle_s: Annotated[int, Field(ge=1, le=120)] = 10
    """Seconds that it may need to move; its status is read until then."""
    moves_s: Annotated[int, Field(ge=1, le=600)] | None = None
    """A valve: seconds from one end to the other, 60 where nothing is known. Only later is it called stuck."""


class Value(Strict):
    """Where a value stands in the reply, behind the identifier."""

    key: str
    at: Annotated[int, Field(ge=0, le=250)]
    type: str
    times: Annotated[int, Field(ge=1)] = 1
    over: Annotated[int, Field(ge=1)] = 1
    decimals: Annotated[int, Field(ge=0, le=6)] = 0
    bit: Annotated[int, Field(ge=0, le=7)] = 0
    """Which bit of the byte, for the type `flag`."""


class Proof(Strict):
    """A frame and the exact values it gives. `request` is the question it answered, where that was captured too."""

    source: Annotated[str, Field(min_length=8)]
    request: Hex | None = None
    reply: Hex
    more: list[Hex] = []
    """Further parts of a long answer."""
    values: dict[str, int | float | str | bool | datetime]


class Read(Strict):
    """One question."""

    name: Name
    manual: Words
    """Where the row comes from: the manual or standard by its name ..."""
    page: Words
    """... and the page, chapter, annex or table in it."""
    every: Literal["round", "slow", "minutes", "hourly", "asked"]
    optional: bool = False
    """Not every meter of this model has it."""
    di: str | None = None
    """DL/T 645-2007: eight hex digits, `{slot:02X}` for a numbered record; 1997 and CJ/T 188: four."""
    bytes: Annotated[int, Field(ge=1, le=200)] | None = None
    """How many bytes its values take; answers of another length are refused."""
    function: Literal[1, 2, 3, 4] | None = None
    start: Register | None = None
    count: Annotated[int, Field(ge=1, le=125)] | None = None
    """Bits for functions 1 and 2, registers for 3 and 4."""
    values: Annotated[list[Value], Field(min_length=1)]
    proof: Proof


class File(Strict):
    model: Electric
    line: Line = Line()
    coding: Coding = Coding()
    circuits: Circuits | None = None
    relay: Relay | None = None
    read: Annotated[list[Read], Field(min_length=1)]


class WaterFile(File):
    model: Water  # type: ignore[assignment]
