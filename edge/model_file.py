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
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from bridge.contract import mistakes, toml_text
from bridge.contract.messages import MeterFacts
from bridge.contract.os_words import in_words
from edge import model
from edge.codec import PROTOCOLS
from edge.codec.errors import CodecError
from edge.model_form import Circuits, Electric, File, Read, Relay, WaterFile

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


def proven(path: Path) -> list[str]:
    """What the proofs of a file without mistakes contradict: sentences, none where every row gives its values."""
    tables = _plain(toml_text.read(path.read_text(encoding="utf-8"))[0])
    kind, found = model.of_tables(tables), []
    for row in (WaterFile if kind.quantity == "volume" else File).model_validate(tables).read:
        trouble = _contradicts(kind, row)
        if trouble is not None:
            found.append(f'row "{row.name}": {trouble}')
    return found


def _address(kind: model.Model, raw: bytes) -> str:
    """The address in a reply."""
    if kind.protocol == "modbus-rtu":
        return str(raw[0])
    return raw[8:1:-1].hex() if kind.protocol == "cjt188" else raw[6:0:-1].hex()


def _contradicts(kind: model.Model, row: Read) -> str | None:
    raw = bytes.fromhex(row.proof.reply)
    raw = raw if kind.protocol == "modbus-rtu" else raw.lstrip(b"\xfe")
    request = kind.ask(row.name, _address(kind, raw), slot=1)
    if row.proof.request is not None and bytes.fromhex(row.proof.request).lstrip(b"\xfe") != request.lstrip(b"\xfe"):
        return f"it asks {request.hex()}, and the proof's request is {row.proof.request}"
    if PROTOCOLS[kind.protocol].find_reply(request, bytearray(raw), True) != raw:
        return "the proof's reply does not answer this question: another identifier, count or function, or damaged"
    zone = next((each.tzinfo for each in row.proof.values.values() if isinstance(each, datetime)), None) or UTC
    parts = [raw, *(bytes.fromhex(part).lstrip(b"\xfe") for part in row.proof.more)]
    try:
        values = kind.values(row.name, parts, zone)
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
    except RecursionError:
        found = ["line 1: its tables stand too deep in one another; a model has three levels"]
    except (OSError, UnicodeDecodeError) as error:
        print(f"riser: {options.file} cannot be read: {in_words(error)}", file=sys.stderr)
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
