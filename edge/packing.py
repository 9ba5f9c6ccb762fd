"""Readings of a sweep as few bytes: a column for each quantity, so that alike stands beside alike, then deflated.

    deflate(JSON [[[row numbers], {"meter": [...], "read_at": [first, step, ...], "registers_wh": {"total": [...]}}]])

The total is nearly the sum of the rates, and the energy told is the total: they are kept as what they differ by.
Rows that have the same quantities share a table. A book of an older Riser holds lists of rows; they are read as well.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import Any

Row = dict[str, Any]


def pack(rows: Sequence[Row]) -> bytes:
    """A sweep's rows, packed. `read_at` of a row is an integer."""
    tables: dict[str, list[int]] = {}
    rows = [_short(row) for row in rows]
    for number, row in enumerate(rows):
        tables.setdefault(json.dumps(_shape(row)), []).append(number)
    told = [[numbers, _columns([rows[number] for number in numbers])] for numbers in tables.values()]
    packer = zlib.compressobj(9, zdict=_USUAL)
    return packer.compress(json.dumps(told, separators=(",", ":")).encode()) + packer.flush()


_USUAL = (
    '"volume_l":["open","deep":[],' + ",".join(map(str, range(64))) + '],{"meter":["","read_at":[1790000000000000,'
    '"energy_wh":["total","total","total"],"registers_wh":{"total beside rates":[0,0,0],"sharp":[],"peak":[],"flat":[],'
    '"valley":[]},"power_w":[0,0],"relay":["closed","closed","closed","closed",null,null]}]]'
).encode()
"""What every sweep's text has: deflate refers to it. It never changes, for what is stored was packed with it."""

TOTAL, BESIDE_RATES = "total", "total beside rates"


def _short(row: Row) -> Row:
    registers = row.get("registers_wh")
    if not registers or TOTAL not in registers:
        return row
    total = registers[TOTAL]
    beside = total - sum(value for rate, value in registers.items() if rate != TOTAL)
    found = {key: TOTAL if key in ("energy_wh", "volume_l") and value == total else value for key, value in row.items()}
    found["registers_wh"] = {
        BESIDE_RATES if rate == TOTAL else rate: beside if rate == TOTAL else value for rate, value in registers.items()
    }
    return found


def _long(row: Row) -> Row:
    short = row.get("registers_wh")
    if not short or BESIDE_RATES not in short:
        return row
    total = sum(short.values())
    row["registers_wh"] = {TOTAL if rate == BESIDE_RATES else rate: value for rate, value in short.items()}
    row["registers_wh"][TOTAL] = total
    return {key: total if value == TOTAL and key in ("energy_wh", "volume_l") else value for key, value in row.items()}


def _shape(row: Row) -> Any:
    return {key: _shape(value) if isinstance(value, dict) else None for key, value in row.items()}


def _columns(rows: list[Row]) -> dict[str, Any]:
    """Rows of one shape, turned."""
    found: dict[str, Any] = {}
    for key, first in rows[0].items():
        column = [row[key] for row in rows]
        if isinstance(first, dict):
            found[key] = _columns(column)
        elif key == "read_at":
            found[key] = [column[0], *(after - before for before, after in pairwise(column))]
        else:
            found[key] = column
    return found


def unpack(packed: bytes) -> list[Row]:
    """The rows again, in their order."""
    told = json.loads(zlib.decompressobj(zdict=_USUAL).decompress(packed))
    if not told or isinstance(told[0], dict):
        return list(told)
    rows: dict[int, Row] = {}
    for numbers, columns in told:
        rows.update(zip(numbers, _rows(columns, len(numbers)), strict=True))
    return [_long(rows[number]) for number in range(len(rows))]


def _rows(columns: dict[str, Any], count: int) -> list[Row]:
    rows: list[Row] = [{} for _ in range(count)]
    for key, column in columns.items():
        values = column
        if isinstance(column, dict):
            values = _rows(column, count)
        elif key == "read_at":
            values = accumulate(column)
        for row, value in zip(rows, values, strict=True):
            row[key] = value
    return rows
