"""A validator's complaint in words for whoever wrote the value: what to write instead, not which type was expected.

The same words serve a site file in TOML and a request in JSON: in both, a number in quotes is a text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

PATTERNS = {
    r"^mqtts?://[^/\s@]+(:\d+)?$": "write mqtt://host:port or mqtts://host:port; `user` and `password_file` are "
    "settings of their own",
    r"^(\d{12}|\d{14})$": "a meter's number has 12 digits, that of a CJ/T 188 meter 14",
    r"^[0-9+ -]{0,20}$": "a phone number has digits, spaces, + and -, at most 20 of them",
    r"^\d{4}-(0[1-9]|1[0-2])$": "write a month such as 2026-10",
    r"^[a-z0-9][a-z0-9_-]{0,31}$": "1 to 32 of a-z, 0-9, - and _, and begins with a letter or digit",
}
"""What a text must look like, in words, by the pattern of its field."""


def words(error: Mapping[str, Any]) -> str:
    """What to do about one of pydantic's errors (docs.pydantic.dev/latest/errors/validation_errors)."""
    kind, found, told = str(error["type"]), error.get("input"), error.get("ctx") or {}
    match kind:
        case "missing":
            return "is missing"
        case "extra_forbidden":
            return "there is no such setting; is it misspelt?"
        case "string_type":
            return _as_text(found)
        case "int_type" | "int_parsing" | "int_from_float" | "int_parsing_size":
            return _as_number(found)
        case "literal_error":
            choices = str(told.get("expected", "")).replace("'", "")
            if isinstance(found, str) and re.search(rf"(^|\W){re.escape(found)}($|\W)", choices):
                return f"write {found} without quotes"
            return f"is {shown(found)}; write {choices}"
        case "greater_than_equal":
            return f"is {shown(found)}; at least {told.get('ge')}"
        case "less_than_equal":
            return f"is {shown(found)}; at most {told.get('le')}"
        case "string_too_long":
            return f"at most {told.get('max_length')} characters"
        case "string_too_short":
            return "may not be empty"
        case "too_long":
            return f"at most {told.get('max_length')} of them"
        case "too_short":
            return f"name at least {told.get('min_length')}"
        case "string_pattern_mismatch":
            remedy = PATTERNS.get(str(told.get("pattern")), "is not written as it should be")
            # An address with a password in it must not stand in a log (I24).
            return remedy if "@" in str(found) else f"is {shown(found)}; {remedy}"
        case "bool_type" | "bool_parsing":
            return "write true or false, without quotes"
        case "list_type":
            return "is a list; write it in [ ]" if not isinstance(found, dict) else "stands in [[ ]], one for each row"
        case "dict_type" | "model_type" | "model_attributes_type":
            return f"is a table of its own, not {shown(found)}"
        case _ if kind.startswith(("date_", "datetime_")):
            return "write a date such as 2026-10-01, without quotes"
    return str(error["msg"]).removeprefix("Value error, ")


def shown(value: object) -> str:
    """A value as it was written, shortened."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return repr(value) if len(value) <= 40 else f"{value[:40]!r}..."
    if isinstance(value, dict | list):
        return "a table" if isinstance(value, dict) else "a list"
    return "nothing" if value is None else str(value)[:40]


def _as_text(found: object) -> str:
    if isinstance(found, bool) or not isinstance(found, int | float | Decimal | date):
        return f"is a text in quotes, not {shown(found)}"
    return f'write it in quotes: "{shown(found)}"'


def _as_number(found: object) -> str:
    if isinstance(found, str) and re.fullmatch(r"\s*-?[0-9]+\s*", found, re.ASCII):
        return f"write it without quotes: {found.strip()[:24]}"
    return f"is a whole number, not {shown(found)}"
