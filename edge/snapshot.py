"""The fold as text and back: every field of State, by its declared type, or a loud refusal.

A line of JSON for each member of each of State's tables, `["meters", "a101", {...}]`, and for each other field,
`["seq", 4711]`; so a large state is written and read in slices. `VERSION` is derived from the fields and from the
text of the fold: a snapshot by another program is nobody's snapshot.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields, is_dataclass
from datetime import date
from functools import cache
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, NamedTuple, get_args, get_origin, get_type_hints

from bridge.contract import entries, units
from edge import (
    charged,
    entry,
    fold,
    fold_meters,
    fold_money,
    fold_proposals,
    fold_relays,
    fold_restored,
    fold_warned,
    pricing,
    purse,
    restored,
    state,
    waiting,
)  # fmt: skip
from edge.billing import days
from edge.state import State


class Codec(NamedTuple):
    """How values of one type become JSON and are read again. Both raise TypeError for what is not of that type."""

    encode: Callable[[Any], Any]
    decode: Callable[[Any], Any]


@cache
def codec(kind: Any) -> Codec:
    """The codec of a declared type. TypeError for a type that has none: give it one here before State may hold it."""
    origin, args = get_origin(kind), get_args(kind)
    if kind is Any:
        return Codec(_json, _json)
    if kind in (int, str, bool, NoneType):
        same = _only(kind)
        return Codec(same, same)
    if kind is date:
        return Codec(lambda day: _only(date)(day).isoformat(), lambda text: date.fromisoformat(_only(str)(text)))
    if origin is UnionType and len(args) == 2 and NoneType in args:
        inner = codec(args[0] if args[1] is NoneType else args[1])
        return Codec(
            lambda value: None if value is None else inner.encode(value),
            lambda value: None if value is None else inner.decode(value),
        )
    if origin in (list, set, frozenset):
        return _many(origin, codec(args[0]))
    if origin is tuple and args[1:] == (Ellipsis,):
        return _many(tuple, codec(args[0]))
    if origin is tuple and args and Ellipsis not in args:
        return _tuple([codec(each) for each in args])
    if origin is dict and args[0] is str:
        key, inner = _only(str), codec(args[1])
        return Codec(
            lambda table: {key(name): inner.encode(value) for name, value in _only(dict)(table).items()},
            lambda table: {name: inner.decode(value) for name, value in _only(dict)(table).items()},
        )
    if isinstance(kind, type) and is_dataclass(kind):
        return _record(kind)
    raise TypeError(f"a snapshot has no codec for {kind!r}")


def _only(kind: Any) -> Callable[[Any], Any]:
    def checked(value: Any) -> Any:
        if type(value) is not kind:
            raise TypeError(f"{value!r} is no {kind.__name__}")
        return value

    return checked


def _many(kind: Any, inner: Codec) -> Codec:
    """A list or tuple in its order; a set sorted, so that one state has one text."""

    def encode(values: Any) -> list[Any]:
        told = [inner.encode(each) for each in _only(kind)(values)]
        return told if kind in (list, tuple) else sorted(told)

    return Codec(encode, lambda values: kind(inner.decode(each) for each in _only(list)(values)))


def _tuple(inner: list[Codec]) -> Codec:
    return Codec(
        lambda values: [each.encode(value) for each, value in zip(inner, _only(tuple)(values), strict=True)],
        lambda values: tuple(each.decode(value) for each, value in zip(inner, _only(list)(values), strict=True)),
    )


def _record(kind: Any) -> Codec:
    """A dataclass: all its fields, and no others."""
    hints = get_type_hints(kind)
    inner = {each.name: codec(hints[each.name]) for each in fields(kind)}

    def encode(value: Any) -> dict[str, Any]:
        found = vars(_only(kind)(value))
        return {name: each.encode(found[name]) for name, each in inner.items()}

    def decode(told: Any) -> Any:
        if _only(dict)(told).keys() != inner.keys():
            raise TypeError(f"{kind.__name__} has the fields {', '.join(inner)}, not {', '.join(told)}")
        return kind(**{name: each.decode(told[name]) for name, each in inner.items()})

    return Codec(encode, decode)


def _json(value: Any) -> Any:
    """A part of an entry's body, as it was read."""
    if type(value) is dict:
        return {_only(str)(name): _json(inner) for name, inner in value.items()}
    if type(value) is list:
        return [_json(inner) for inner in value]
    if value is None or type(value) in (str, int, bool):
        return value
    raise TypeError(f"{value!r} is no part of an entry's body")


# --- the whole state ---


@cache
def _columns() -> dict[str, tuple[bool, Codec]]:
    """State's fields: whether it is a table, and the codec of its members, or of itself."""
    hints, found = get_type_hints(State), {}
    for each in fields(State):
        table = get_origin(hints[each.name]) is dict
        found[each.name] = table, codec(get_args(hints[each.name])[1] if table else hints[each.name])
    return found


def lines(state: State) -> Iterator[str]:
    """The state's text, line by line."""
    for name, (table, inner) in _columns().items():
        value = getattr(state, name)
        members = [(key, each) for key, each in value.items()] if table else [(None, value)]
        for key, each in members:
            told = [name, inner.encode(each)] if key is None else [name, key, inner.encode(each)]
            yield json.dumps(told, ensure_ascii=False, separators=(",", ":")) + "\n"


def of_lines(text: Iterable[str]) -> Iterator[State | None]:
    """The state again: None after each line, and at last the state. Raises ValueError or TypeError for what is none."""
    columns = _columns()
    found: dict[str, Any] = {name: {} for name, (table, _) in columns.items() if table}
    for line in text:
        name, *told = json.loads(line)
        table, inner = columns[name]
        if table:
            found[name][told[0]] = inner.decode(told[1])
        else:
            found[name] = inner.decode(told[0])
        yield None
    if found.keys() != columns.keys():
        raise ValueError("the snapshot lacks a part")
    yield State(**found)


def version_of(root: Any) -> str:
    """What a snapshot by this program is marked with: the fields it holds, and the text that gives them meaning."""
    told = [_shape(root)]
    folding = (
        fold, fold_meters, fold_money, fold_proposals, fold_relays, fold_restored, fold_warned, charged, pricing, purse,
        restored, state, waiting, entry, days, entries, units,
    )  # fmt: skip
    told += [Path(str(module.__file__)).read_text("utf-8") for module in folding]
    return hashlib.sha256("\n".join(told).encode()).hexdigest()[:16]


def _shape(kind: Any) -> str:
    if isinstance(kind, type) and is_dataclass(kind):
        hints = get_type_hints(kind)
        return f"{kind.__name__}({', '.join(f'{each.name}: {_shape(hints[each.name])}' for each in fields(kind))})"
    return f"{kind}[{', '.join(map(_shape, get_args(kind)))}]"


VERSION = version_of(State)
_columns()  # A field that has no codec stops the program here, and not a snapshot some day.
