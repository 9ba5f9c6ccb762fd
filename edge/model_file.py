"""A meter model's file, checked before it is believed: every mistake with its line, every row against its own frame.

`python -m edge.model_file FILE` is `riser model check`. A row without a proof is a mistake: a frame that stood on a
line, or that the manual prints, and the exact values it must give. No capture, no model.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from bridge.contract import mistakes, toml_text
from bridge.contract.escapes import sentence
from bridge.contract.messages import MeterFacts
from edge import model
from edge.model_form import Circuits, Electric, File, Read, Relay, WaterFile
from edge.model_proof import contradictions
from edge.model_text import Unreadable, text_of

Path_ = tuple[Any, ...]
Mistake = tuple[Path_, str]

FACTS = frozenset(MeterFacts.model_fields) - {"read_at", "quality", "quality_why"}

IDENTIFIER = {
    "dlt645-2007": (re.compile(r"[0-9A-F]{8}|[0-9A-F]{6}\{slot:02X\}"), "DL/T 645-2007 identifier, eight hex digits"),
    "dlt645-1997": (re.compile(r"[0-9A-F]{4}"), "DL/T 645-1997 identifier, four hex digits"),
    "cjt188": (re.compile(r"[0-9A-F]{4}"), "CJ/T 188 identifier, four hex digits"),
}

MOVED_BY = {"dlt645": "dlt645-2007", "modbus": "modbus-rtu", "valve": "cjt188"}
"""The protocol of each kind of relay."""


def check(path: Path) -> list[str]:
    """Every mistake of a model file, each with its line and path; none where it can be used. Raises Unreadable."""
    return looked_at(path).mistakes


def proven(path: Path) -> list[str]:
    """What the proofs of a file without mistakes contradict: sentences, none where every row gives its values."""
    return looked_at(path).contradictions


@dataclass(frozen=True)
class Look:
    """What a file is like. A wrong id is a mistake and hides no proof: those are looked at all the same."""

    mistakes: list[str]
    contradictions: list[str] = field(default_factory=list)
    holding: int = 0
    """How many rows give the values of their proof."""


def looked_at(path: Path) -> Look:
    """The whole look. Raises Unreadable."""
    text = text_of(path)
    tables, unread = toml_text.read(text)
    told = [(line, words) for line, words in unread]
    plain = _plain(tables)
    found = list(_mistakes(plain)) if tables else []
    told += [(toml_text.line_of(text, where) or 1, f"{_shown(where)}: {words}") for where, words in found]
    whole = bool(tables) and not told
    if whole and path.stem != plain["model"]["id"]:
        told.append((1, f"model.id is {plain['model']['id']!r} and the file is called {path.name}; make them one"))
    mistakes = [sentence(f"line {line}: {words}") for line, words in sorted(told)]
    if not whole:
        return Look(mistakes)
    holding, against = contradictions(plain)
    return Look(mistakes, [sentence(each) for each in against], holding)


def _plain(value: Any) -> Any:
    """Decimals of the reader as floats: a model's numbers never touch money."""
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return float(value) if type(value).__name__ == "Decimal" else value


def _mistakes(tables: dict[str, Any]) -> Iterator[Mistake]:
    head = tables.get("model")
    form = WaterFile if isinstance(head, dict) and head.get("quantity") == "volume" else File
    try:
        file = form.model_validate(tables)
    except ValidationError as error:
        yield from ((each["loc"], mistakes.words(each)) for each in error.errors())
        return
    names = [row.name for row in file.read]
    for number, row in enumerate(file.read):
        if names.index(row.name) != number:
            yield ("read", number, "name"), f"{row.name!r} stands already in row {names.index(row.name) + 1}"
        yield from _question(file, number, row)
        yield from _values(number, row)
    for wanted in {file.model.quantity} | ({"serial"} if file.relay else set()):
        if wanted not in names:
            yield ("model",), f'a row named "{wanted}" is needed'
    if isinstance(file.model, Electric) and file.model.freeze and not {"freeze-time", "freeze-energy"} <= set(names):
        yield ("model", "freeze"), 'rows named "freeze-time" and "freeze-energy" are needed'
    if file.circuits is not None and file.model.protocol != "modbus-rtu":
        yield ("circuits",), "only registers of a Modbus box can be shifted to another circuit"
    if file.circuits is not None:
        yield from _circuits(file, file.circuits)
    if file.relay is not None:
        yield from _relay(file, file.relay)


def _circuits(file: File, box: Circuits) -> Iterator[Mistake]:
    """No circuit's registers or orders may reach into the next one's, nor the last one's beyond FFFF."""
    spans = [(row.start, row.count) for row in file.read if row.start is not None and row.count is not None]
    relay = file.relay
    orders = [relay.trip, relay.close, relay.release] if relay is not None else []
    spans += [(order.start, len(order.values)) for order in orders if order is not None]
    if not spans:
        return
    first, end = min(start for start, _ in spans), max(start + count for start, count in spans)
    if end - first > box.stride:
        yield ("circuits", "stride"), f"circuit 1 takes {end - first} registers, so circuit 2 would stand in them"
    if end + (box.most - 1) * box.stride > 0x10000:
        yield ("circuits", "most"), f"circuit {box.most} would stand beyond register FFFF"


def _question(file: File, number: int, row: Read) -> Iterator[Mistake]:
    here, registers = ("read", number), (row.function, row.start, row.count)
    if file.model.protocol == "modbus-rtu":
        if row.di is not None or None in registers:
            yield here, "a Modbus row has `function`, `start` and `count`, and no `di`"
        elif row.count is not None and row.function in (3, 4) and row.count > file.line.most_registers:
            yield (*here, "count"), f"it is more than the {file.line.most_registers} registers of line.most_registers"
        return
    form, told = IDENTIFIER[file.model.protocol]
    if row.di is None or registers != (None, None, None):
        yield here, "a DL/T 645 or CJ/T 188 row has `di`, and no `function`, `start` and `count`"
    elif not form.fullmatch(row.di):
        yield (*here, "di"), f"{row.di!r} is no {told}"


def _values(number: int, row: Read) -> Iterator[Mistake]:
    bits = row.function in (1, 2)
    end = row.bytes or 200 if row.count is None else row.count if bits else 2 * row.count
    for place, value in enumerate(row.values):
        here = ("read", number, "values", place)
        if value.key not in FACTS | model.UNSHOWN:
            yield here, f"there is no quantity {value.key!r}; docs/mqtt.md has the keys of `meter/<id>`"
        if value.type not in model.TYPES:
            yield here, f"there is no type {value.type!r}; there are {', '.join(model.TYPES)}"
        elif bits != (value.type == "bit"):
            yield here, "functions 1 and 2 give values of the type `bit`, and no other does"
        elif value.at + model.TYPES[value.type][0] > end:
            yield here, f"it ends after byte {value.at + model.TYPES[value.type][0]}, and {end} bytes are asked for"


def _relay(file: File, relay: Relay) -> Iterator[Mistake]:
    if MOVED_BY[relay.kind] != file.model.protocol:
        yield ("relay", "kind"), f"a {relay.kind!r} relay speaks {MOVED_BY[relay.kind]}, not {file.model.protocol}"
    if relay.kind != "valve" and relay.moves_s is not None:
        yield ("relay", "moves_s"), "only a valve has `moves_s`; a relay has `settle_s`"
    orders = {"trip": relay.trip, "close": relay.close, "release": relay.release}
    for name, order in orders.items():
        if relay.kind == "modbus" and order is None and name != "release":
            yield ("relay",), f"a Modbus relay has `{name}`: the function, the register and the values to write"
        if relay.kind != "modbus" and order is not None:
            yield ("relay", name), f"only a Modbus relay has `{name}`; this one is moved as its protocol says"
        if order is not None and order.function in (5, 6) and len(order.values) != 1:
            yield ("relay", name, "values"), f"function {order.function} writes one value"
    status = next((row for row in file.read if row.name == relay.row), None)
    if status is None:
        yield ("relay",), f'a row named "{relay.row}" is needed'
        return
    if status.every != "round":
        yield ("relay", "row"), f'the row "{relay.row}" is read every round: a relay that moved must be seen'
    for state in ("on", "off", "fault", "lamp", "keep"):
        for place, condition in enumerate(getattr(relay, state)):
            if condition.key not in {value.key for value in status.values}:
                yield ("relay", state, place), f'the row "{relay.row}" has no value {condition.key!r}'
            if condition.is_ & ~condition.mask:
                yield ("relay", state, place), "it can never hold: `is` has bits that `mask` takes away"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="riser model check",
        description="Check a meter model's file: every mistake with its line, and each row against its own frame.",
        epilog="exit codes: 0 it is good, 2 it has mistakes or cannot be read",
    )
    parser.add_argument("file", type=Path, help="such as edge/models/eastron-sdm120.toml; named as its model.id")
    parser.add_argument("--json", action="store_true", help="one object for programs")
    options = parser.parse_args(arguments)
    try:
        look = looked_at(options.file)
    except RecursionError:
        look = Look(["line 1: its tables stand too deep in one another; a model has three levels"])
    except Unreadable as trouble:
        print(f"riser: {options.file} cannot be read: {trouble}", file=sys.stderr)
        return 2
    found = look.mistakes + look.contradictions
    if options.json:
        told = {"file": str(options.file), "mistakes": found, "proofs_that_hold": look.holding}
        print(json.dumps(told, ensure_ascii=False))
        return 2 if found else 0
    print("\n".join(found) or f"{options.file} is good: every row gives the values of its proof")
    if found and look.holding:
        print(f"{look.holding} of {look.holding + len(look.contradictions)} rows give the values of their proof")
    return 2 if found else 0


def _shown(where: Path_) -> str:
    return ".".join(str(step + 1) if isinstance(step, int) else str(step) for step in where)


if __name__ == "__main__":
    sys.exit(main())
