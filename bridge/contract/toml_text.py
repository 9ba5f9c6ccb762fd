"""A TOML text as a person wrote it: what is wrong with its writing, line by line, and on which line a setting stands.

The standard reader stops at the first mistake and knows no lines afterwards. What it stumbles over most is a value
without its quotes; such a line is told, read as it was meant, and the reading goes on, so that the rest is told too.
"""

from __future__ import annotations

import re
import tomllib
from decimal import Decimal
from typing import Any

MENDED_AT_MOST = 50

_AT = re.compile(r" \(at line (\d+), column \d+\)$| \(at end of document\)$")
_HEADER = re.compile(r"\s*(\[\[?)\s*([A-Za-z0-9_.\"' -]+?)\s*\]\]?\s*(#.*)?$")
_KEY = re.compile(r"\s*([A-Za-z0-9_-]+|\"[^\"]*\")\s*(?:\.[A-Za-z0-9_.-]+\s*)?=")
_BARE = re.compile(r"(\s*[A-Za-z0-9_-]+\s*=\s*)([^\s\"'\[{#][^\"'\[\]{}#=]*?)(\s*(?:#.*)?)$")


def read(text: str) -> tuple[dict[str, Any], list[tuple[int, str]]]:
    """(the tables, [(line, what is wrong there)]). Where the reading had to stop, the tables are empty."""
    lines = text.splitlines()
    found: list[tuple[int, str]] = []
    for _ in range(MENDED_AT_MOST):
        try:
            return tomllib.loads("\n".join(lines) + "\n", parse_float=Decimal), found
        except (ValueError, RecursionError) as error:
            number, mended = _look(lines, str(error))
            found.append((number, _told(lines, number, str(error), mended)))
            if mended is None:
                break
            lines[number - 1] = mended
    return {}, found


def _look(lines: list[str], error: str) -> tuple[int, str | None]:
    """The line a mistake is on, and that line with its value in quotes where that can be what was meant."""
    at = _AT.search(error)
    number = int(at[1]) if at and at[1] else len(lines)
    number = min(max(number, 1), max(len(lines), 1))
    # An end of line where something was to come is reported at the next line's first column.
    bare = _BARE.fullmatch(lines[number - 1]) if lines else None
    return number, f'{bare[1]}"{bare[2]}"{bare[3]}' if bare else None


def _told(lines: list[str], number: int, error: str, mended: str | None) -> str:
    line = lines[number - 1].strip() if lines else ""
    if mended is not None:
        value = _BARE.fullmatch(lines[number - 1])
        assert value is not None
        return f'write it in quotes: "{value[2]}"'
    words = _AT.sub("", error)
    remedy = "look at its quotes and brackets"
    if "overwrite" in words or "twice" in words or "Cannot declare" in words:
        remedy = f"write {line} wherever it stands" if line.startswith("[[") else "it stands twice; leave one"
    elif words.startswith("Illegal character") or "Unbalanced quotes" in words:
        remedy = "a quote is missing, or a character that no text may hold"
    elif line.startswith("[") and not line.rstrip("# ").endswith("]"):
        remedy = "a heading ends with ]"
    return f"is not TOML ({words}): {line[:60]}; {remedy}. What follows this line was not looked at"


def path_at(text: str, line: int) -> tuple[Any, ...]:
    """The path of the setting that stands on a line, counted as `line_of` does; empty where there is none."""
    path: list[Any] = []
    counts: dict[str, int] = {}
    for each in text.splitlines()[:line]:
        if header := _HEADER.match(each):
            first, *others = (name.strip("\"' ") for name in header[2].split("."))
            if header[1] == "[[" and not others:
                counts[first] = counts.get(first, -1) + 1
            path = [first, *([counts[first]] if first in counts else []), *others]
    key = _KEY.match(text.splitlines()[line - 1]) if text else None
    return (*path, key[1].strip('"')) if key else ()


def line_of(text: str, path: tuple[Any, ...]) -> int | None:
    """The line on which the setting at `path` stands: ("meters", 2, "address") is `address` under the third
    [[meters]], ("tariffs", 0, "tables", 1, "days") is `days` under its second [[tariffs.tables]]. Where the setting is
    missing or inside a value of several lines, the line of what it belongs to.
    """
    table, row = str(path[0]), path[1] if len(path) > 1 and isinstance(path[1], int) else None
    rest = [str(step) for step in path[(2 if row is not None else 1) :] if isinstance(step, str)]
    steps = path[2 if row is not None else 1 :]
    nth = steps[1] if len(steps) > 1 and isinstance(steps[1], int) else None
    best, seen, within, inside, depth = None, -1, -1, False, 0
    for number, line in enumerate(text.splitlines(), 1):
        if header := _HEADER.match(line):
            names = [name.strip("\"' ") for name in header[2].split(".")]
            if names[0] != table:
                inside = False
                continue
            if len(names) == 1 and header[1] == "[[":
                seen, within = seen + 1, -1
            inside = row is None or seen == row
            if header[1] == "[[" and names[1:] == rest[:1] and inside:
                within += 1
                inside = nth is None or within == nth
            depth = len(names) - 1
            if inside and names[1:] == rest[: len(names) - 1]:
                best = number if best is None or len(names) > 1 else best
        elif key := _KEY.match(line):
            name = key[1].strip('"')
            if inside and depth < len(rest) and name == rest[depth]:
                return number
            if best is None and not inside and name == table and row is None:
                return number
    return best
