"""What the statements of shell and panel share: a month's days, the order of its entries, sums of equal lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Protocol, TypeVar


class Dated(Protocol):
    """An entry: when it was written, and whether the clock was believed then."""

    @property
    def at(self) -> Any: ...
    @property
    def trusted(self) -> bool: ...


E = TypeVar("E", bound=Dated)


@dataclass
class Sum:
    """All of one kind of line at one price: Wh (or litres, or days for a fee) and nano-yuan."""

    kind: str
    rate: str
    unit: str
    tariff: str
    version: int
    price_micro: int
    name: str = field(default="", compare=False)
    quantity: int = 0
    amount_nano: int = 0


SumKey = tuple[str, str, str, str, int, int]
"""Kind, rate, unit, tariff, version, micro-yuan: lines that have all of it in common are one sum."""


def add(sums: list[Sum], key: SumKey, quantity: int, amount_nano: int, name: str = "") -> None:
    """Count a line, in the sum of its like or in one of its own."""
    for each in sums:
        if (each.kind, each.rate, each.unit, each.tariff, each.version, each.price_micro) == key:
            break
    else:
        each = Sum(*key, name=name)
        sums.append(each)
    each.quantity += quantity
    each.amount_nano += amount_nano


def month_of(text: str) -> tuple[date, date]:
    """The first and the last day of `YYYY-MM`. Raises ValueError."""
    first = date.fromisoformat(f"{text}-01")
    after = date(first.year + first.month // 12, first.month % 12 + 1, 1)
    return first, after - timedelta(days=1)


def dated(entries: Iterable[E]) -> Iterator[tuple[E, Any]]:
    """Entries in order, each with the instant it counts for, in the units of its `at`. One whose clock was doubted was
    written between its believed neighbours, whatever its clock said: money taken in 1970 counts when it was taken."""
    newest: Any = None
    doubted: list[E] = []
    for entry in entries:
        if not entry.trusted:
            doubted.append(entry)
            continue
        for each in doubted:
            yield each, min(each.at if newest is None else max(each.at, newest), entry.at)
        doubted, newest = [], entry.at
        yield entry, entry.at
    for each in doubted:
        yield each, each.at if newest is None else max(each.at, newest)
