"""A fact is believed when every field is what its name says; a page or a table then need not ask again.

The contract's classes say which fields there are and of which type. Here is what a type does not say: a field named
`at`, `since`, `..._at` and the like holds an instant, a wall time is HH:MM, an id can stand in an address, a number
has at most 64 bits and is a number.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from pydantic import BaseModel

from bridge.contract.cutting import OpenSpan
from bridge.contract.site import wall_minutes
from bridge.contract.units import instant_of, is_id

INSTANTS = ("at", "since", "until", "next")
"""Last words of the names of fields that hold an instant."""

IDS = {"id", "account", "meter", "tariff"}
WALL_TIMES = {"from_", "to"}
TOO_LONG, NOT_MEASURED = "more than 64 bits", "is no measured value"
LARGEST = 2**63 - 1
LARGEST_FLOAT = 1e12
"""Volts, days and yuan beyond this are a broken sender's, and no page has room for them."""


def unsound(message: BaseModel) -> str | None:
    """What is wrong with a fact, as `field: why`; None for a sound one."""
    return next(_wrong(message, ""), None)


def odd_number(message: BaseModel) -> str | None:
    """The same about numbers alone, for a receiver that keeps texts as they come."""
    return next((why for why in _wrong(message, "") if why.endswith((TOO_LONG, NOT_MEASURED))), None)


def _wrong(part: BaseModel, path: str) -> Iterator[str]:
    for name, value in part:
        # Hours of a price are wall times; a window against a cut lies on one day and has instants.
        meant = "at" if isinstance(part, OpenSpan) else name
        yield from _wrong_value(meant, value, path + name)


def _wrong_value(name: str, value: object, path: str) -> Iterator[str]:
    if isinstance(value, BaseModel):
        yield from _wrong(value, f"{path}.")
    elif isinstance(value, list):
        for number, each in enumerate(value):
            # The ids of an account's meters stand in a list of texts.
            inner = "meter" if name == "meters" else name
            yield from _wrong_value(inner, each, f"{path}[{number}]")
    elif isinstance(value, int) and abs(value) > LARGEST:
        yield f"{path}: {TOO_LONG}"
    elif isinstance(value, float) and not (math.isfinite(value) and abs(value) <= LARGEST_FLOAT):
        yield f"{path}: {value} {NOT_MEASURED}"
    elif isinstance(value, str):
        yield from _wrong_text(name, value, path)


def _wrong_text(name: str, text: str, path: str) -> Iterator[str]:
    try:
        if name.rsplit("_", 1)[-1] in INSTANTS:
            instant_of(text)
        elif name in WALL_TIMES:
            wall_minutes(text)
        elif name in IDS and not is_id(text):
            yield f"{path}: {text[:40]!r} is no id"
    except ValueError as error:
        yield f"{path}: {error}"
