"""Reads the YAML that compose.yaml is written in, and refuses any other: mappings, lists, plain and quoted words.

Docker reads far more; a file that keeps to this can be checked without a further package.
"""

from __future__ import annotations

import json
from typing import Any


def load(text: str) -> Any:
    """The tables of a file. Raises ValueError with the line that goes beyond the subset."""
    lines = [line.split(" #")[0].rstrip() for line in text.splitlines()]
    found, rest = _block([line for line in lines if line.strip() and not line.lstrip().startswith("#")], 0)
    if rest:
        raise ValueError(f"not understood: {rest[0]!r}")
    return found


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _block(lines: list[str], indent: int) -> tuple[Any, list[str]]:
    if lines and lines[0].lstrip().startswith("- "):
        items = []
        while lines and _indent(lines[0]) == indent and lines[0].lstrip().startswith("- "):
            items.append(_value(lines[0].strip()[2:]))
            lines = lines[1:]
        return items, lines
    table: dict[str, Any] = {}
    while lines and _indent(lines[0]) == indent:
        key, colon, words = lines[0].strip().partition(":")
        if not colon or (words and not words.startswith(" ")) or key in table:
            raise ValueError(f"not understood: {lines[0]!r}")
        lines = lines[1:]
        if words:
            table[key] = _value(words.strip())
        elif lines and _indent(lines[0]) > indent:
            table[key], lines = _block(lines, _indent(lines[0]))
        else:
            table[key] = None
    return table, lines


def _value(words: str) -> Any:
    if words[0] in '["':
        return json.loads(words)
    if words[0] in "{&*|>!'%@`" or ": " in words:
        raise ValueError(f"beyond the subset: {words!r}")
    return int(words) if words.isdecimal() else {"true": True, "false": False}.get(words, words)
