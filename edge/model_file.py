"""A meter model's file, checked before it is believed: every mistake with its line, every row against its own frame.

`python -m edge.model_file FILE` is `riser model check`. A row without a proof is a mistake: a frame that stood on a
line, or that the manual prints, and the exact values it must give. No capture, no model.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bridge.contract import mistakes, toml_text
from bridge.contract.messages import MeterFacts
from edge import model
from edge.codec import PROTOCOLS
from edge.codec.errors import CodecError

Path_ = tuple[Any, ...]
Mistake = tuple[Path_, str]

UNSHOWN = {"clock", "serial", "freeze", "opened_at", "closed_at", "status_word_3", "cover_openings",
           "terminal_cover_openings"}  # fmt: skip
"""Keys that the edge itself understands; all others are fields of `meter/<id>`."""

FACTS = frozenset(MeterFacts.model_fields) - {"read_at", "quality", "quality_why"}

Hex = Annotated[str, Field(pattern=r"^([0-9a-fA-F]{2})+$")]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Head(Strict):
    """What kind of meter it is."""

    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")]
    name: Annotated[str, Field(min_length=1, max_length=64)]
    protocol: Literal["dlt645-2007", "modbus-rtu"]
    phases: Literal[1, 3]
    volts: Annotated[int, Field(ge=57, le=400)]
    max_amps: Annotated[int, Field(ge=1, le=1000)]
    full_scale_wh: Annotated[int, Field(ge=1_000_000)]
    step_wh: Annotated[int, Field(ge=1, le=1000)]
    rates: list[Literal["sharp", "peak", "flat", "valley", "deep"]]
    relay: bool
    lamp: bool
    freeze: bool


class Value(Strict):
    """Where a value stands in the reply, behind the identifier."""

    key: str
    at: Annotated[int, Field(ge=0, le=250)]
    type: str
    times: Annotated[int, Field(ge=1)] = 1
    over: Annotated[int, Field(ge=1)] = 1
    decimals: Annotated[int, Field(ge=0, le=6)] = 0


class Proof(Strict):
    """A frame and the exact values it gives. `request` is the question it answered, where that was captured too."""

    source: Annotated[str, Field(min_length=8)]
    request: Hex | None = None
    reply: Hex
    values: dict[str, int | float | str | datetime]


class Read(Strict):
    """One question."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,31}$")]
    every: Literal["round", "slow", "minutes", "hourly", "asked"]
    optional: bool = False
    di: Annotated[str, Field(pattern=r"^([0-9A-F]{8}|[0-9A-F]{6}\{slot:02X\})$")] | None = None
    function: Literal[3, 4] | None = None
    start: Annotated[int, Field(ge=0, le=0xFFFF)] | None = None
    count: Annotated[int, Field(ge=1, le=125)] | None = None
    values: Annotated[list[Value], Field(min_length=1)]
    proof: Proof


class File(Strict):
    model: Head
    read: Annotated[list[Read], Field(min_length=1)]


def check(path: Path) -> list[str]:
    """Every mistake of a model file, each with its line and path; none where it can be used. Raises OSError."""
    text = path.read_text(encoding="utf-8")
    tables, unread = toml_text.read(text)
    told = [(line, words) for line, words in unread]
    if tables:
        found = list(_mistakes(_plain(tables)))
        told += [(toml_text.line_of(text, where) or 1, f"{_shown(where)}: {words}") for where, words in found]
        if not found and path.stem != tables["model"]["id"]:
            told.append((1, f"model.id is {tables['model']['id']!r} and the file is called {path.name}; make them one"))
    return [f"line {line}: {words}" for line, words in sorted(told)]


def _plain(value: Any) -> Any:
    """Decimals of the reader as floats: a model's numbers never touch money."""
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return float(value) if type(value).__name__ == "Decimal" else value


def _mistakes(tables: dict[str, Any]) -> Iterator[Mistake]:
    try:
        file = File.model_validate(tables)
    except ValidationError as error:
        yield from ((each["loc"], mistakes.words(each)) for each in error.errors())
        return
    names = [row.name for row in file.read]
    for number, row in enumerate(file.read):
        if names.index(row.name) != number:
            yield ("read", number, "name"), f"{row.name!r} stands already in row {names.index(row.name) + 1}"
        yield from _question(file.model, number, row)
        yield from _values(number, row)
    for wanted in {"energy"} | ({"status", "serial"} if file.model.relay else set()):
        if wanted not in names:
            yield ("model",), f'a row named "{wanted}" is needed'
    if file.model.freeze and not {"freeze-time", "freeze-energy"} <= set(names):
        yield ("model", "freeze"), 'rows named "freeze-time" and "freeze-energy" are needed'


def _question(head: Head, number: int, row: Read) -> Iterator[Mistake]:
    here = ("read", number)
    if head.protocol == "dlt645-2007" and (row.di is None or row.function is not None):
        yield here, "a DL/T 645 row has `di`, and no `function`, `start` and `count`"
    if head.protocol == "modbus-rtu" and (row.di is not None or None in (row.function, row.start, row.count)):
        yield here, "a Modbus row has `function`, `start` and `count`, and no `di`"


def _values(number: int, row: Read) -> Iterator[Mistake]:
    end = 2 * row.count if row.count is not None else 200
    for place, value in enumerate(row.values):
        here = ("read", number, "values", place)
        if value.key not in FACTS | UNSHOWN:
            yield here, f"there is no quantity {value.key!r}; docs/mqtt.md has the keys of `meter/<id>`"
        if value.type not in model.TYPES:
            yield here, f"there is no type {value.type!r}; there are {', '.join(model.TYPES)}"
        elif value.at + model.TYPES[value.type][0] > end:
            yield here, f"it ends after byte {value.at + model.TYPES[value.type][0]}, and {end} bytes are asked for"


def proven(path: Path) -> list[str]:
    """What the proofs of a file without mistakes contradict: sentences, none where every row gives its values."""
    tables = _plain(toml_text.read(path.read_text(encoding="utf-8"))[0])
    kind, found = model.of_tables(tables), []
    for row in File.model_validate(tables).read:
        trouble = _contradicts(kind, row)
        if trouble is not None:
            found.append(f'row "{row.name}": {trouble}')
    return found


def _contradicts(kind: model.Model, row: Read) -> str | None:
    raw = bytes.fromhex(row.proof.reply).lstrip(b"\xfe")
    address = raw[6:0:-1].hex() if kind.protocol == "dlt645-2007" else str(raw[0])
    request = kind.ask(row.name, address, slot=1)
    if row.proof.request is not None and bytes.fromhex(row.proof.request).lstrip(b"\xfe") != request.lstrip(b"\xfe"):
        return f"it asks {request.hex()}, and the proof's request is {row.proof.request}"
    if PROTOCOLS[kind.protocol].find_reply(request, bytearray(raw), True) != raw:
        return "the proof's reply does not answer this question: another identifier, count or function, or damaged"
    zone = next((each.tzinfo for each in row.proof.values.values() if isinstance(each, datetime)), None) or UTC
    try:
        values = kind.values(row.name, raw, zone)
    except CodecError as error:
        return f"the proof's reply cannot be read: {error}"
    if values != row.proof.values:
        wrong = {key: values.get(key) for key in values.keys() | row.proof.values.keys()
                 if values.get(key) != row.proof.values.get(key)}  # fmt: skip
        return f"the reply gives {wrong}, and the proof says { ({key: row.proof.values.get(key) for key in wrong}) }"
    return None


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="riser model check", description="Check a meter model's file.")
    parser.add_argument("file", type=Path)
    parser.add_argument("--json", action="store_true", help="one object for programs")
    options = parser.parse_args(arguments)
    try:
        found = check(options.file) or proven(options.file)
    except (OSError, UnicodeDecodeError) as error:
        print(f"riser: {options.file} cannot be read: {error}", file=sys.stderr)
        return 2
    if options.json:
        print(json.dumps({"file": str(options.file), "mistakes": found}, ensure_ascii=False))
    else:
        rows = "" if found else "every row gives the values of its proof"
        print("\n".join(found) or f"{options.file} is good: {rows}")
    return 2 if found else 0


def _shown(where: Path_) -> str:
    return ".".join(str(step + 1) if isinstance(step, int) else str(step) for step in where)


if __name__ == "__main__":
    sys.exit(main())
