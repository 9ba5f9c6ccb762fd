"""A `[[tariffs]]` table as TOML text, for whoever would rather write than click; `toml_text.read` is the way back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

KEY_LINES = ("windows", "tables", "surcharges", "bounds")
"""Lists that stand one row to a line."""


def text_of_table(table: Mapping[str, Any]) -> str:
    """The table, ready to be changed."""
    lines = ["[[tariffs]]"]
    for key, value in table.items():
        if key == "tables":
            continue
        if key in KEY_LINES and value:
            lines += [f"{key} = [", *(f"  {_value(row)}," for row in value), "]"]
        elif value not in ({}, []):
            lines.append(f"{key} = {_value(value)}")
    for each in table.get("tables") or ():
        lines += ["", "[[tariffs.tables]]"]
        lines += [f"{key} = {_value(each[key])}" for key in ("seasons", "days") if each.get(key)]
        lines += ["windows = [", *(f"  {_value(row)}," for row in each["windows"]), "]"]
    return "\n".join(lines) + "\n"


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {_value(each)}" for key, each in value.items() if each is not None) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(_value(each) for each in value) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    # A text of JSON is one of TOML: the same quotes and the same escapes.
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else str(value)
