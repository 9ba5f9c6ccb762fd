"""The proofs of a model's file against its rows: a captured frame, and the exact values it must give.

A proof that is of another identifier, count or function than its row asks is told with what it is of.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from edge import model
from edge.codec import PROTOCOLS, cjt188, dlt645, dlt1997
from edge.codec.errors import CodecError
from edge.model_form import File, Read, WaterFile


def contradictions(tables: dict[str, Any]) -> tuple[int, list[str]]:
    """(how many rows have a proof that holds, what the others contradict), of tables that are no mistakes."""
    kind, found = model.of_tables(tables), []
    rows = (WaterFile if kind.quantity == "volume" else File).model_validate(tables).read
    for row in rows:
        trouble = _contradicts(kind, row, rows)
        if trouble is not None:
            found.append(f'row "{row.name}": {trouble}')
    return len(rows) - len(found), found


def _address(kind: model.Model, raw: bytes) -> str:
    """The address in a reply."""
    if kind.protocol == "modbus-rtu":
        return str(raw[0])
    return raw[8:1:-1].hex() if kind.protocol == "cjt188" else raw[6:0:-1].hex()


def _contradicts(kind: model.Model, row: Read, rows: Sequence[Read]) -> str | None:
    raw = bytes.fromhex(row.proof.reply)
    raw = raw if kind.protocol == "modbus-rtu" else raw.lstrip(b"\xfe")
    request = kind.ask(row.name, _address(kind, raw), slot=1)
    if row.proof.request is not None and bytes.fromhex(row.proof.request).lstrip(b"\xfe") != request.lstrip(b"\xfe"):
        return f"it asks {request.hex()}, and the proof's request is {row.proof.request}"
    if PROTOCOLS[kind.protocol].find_reply(request, bytearray(raw), True) != raw:
        return _other(kind, raw, row, rows)
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


def _other(kind: model.Model, raw: bytes, row: Read, rows: Sequence[Read]) -> str:
    """Why a reply is no answer to a row: of what it is, and which row asks that, as far as it tells."""
    of = _identifier(kind, raw)
    if of is None or row.di is None or of in _spellings(kind, row):
        return "the proof's reply does not answer this question: another identifier, count or function, or damaged"
    others = [f'"{each.name}"' for each in rows if each.di is not None and of in _spellings(kind, each)]
    asked = f", which row {' and '.join(others)} asks" if others else ""
    return f"the proof's reply does not answer this question: it is of {of}{asked}, and this row asks {row.di}"


def _identifier(kind: model.Model, raw: bytes) -> str | None:
    try:
        if kind.protocol == "dlt645-2007":
            return dlt645.decode(raw).identifier
        if kind.protocol == "dlt645-1997":
            return dlt1997.identifier_of(dlt645.decode(raw))
        return cjt188.decode(raw).identifier if kind.protocol == "cjt188" else None
    except CodecError:
        return None


def _spellings(kind: model.Model, row: Read) -> set[str]:
    """How a row's identifier may stand in a reply: CJ/T 188 makers differ in which byte comes first."""
    asked = (row.di or "").format(slot=1)
    return {asked, asked[2:] + asked[:2]} if kind.protocol == "cjt188" else {asked}
