"""A price as it stands in the form: every field a text, exactly as typed, so that nothing is lost to a mistake in it.

typed_of(form)       what a browser sent
typed_from(table)    what a price in force, or one that was sent before, would look like if somebody had typed it
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from typing import Any

from werkzeug.datastructures import MultiDict

from bridge.contract.site_prices import SINGLE
from bridge.contract.units import RATES

SHOWN = 200
"""Characters of a typed text that stand in the form again."""

ROWS_AT_MOST, TABLES_AT_MOST = 60, 24
"""More than any price has; what is beyond is a forged form's."""

Rows = tuple[tuple[str, ...], ...]
Form = MultiDict[str, str]


@dataclass(frozen=True)
class Hours:
    """Which rate counts from when on: rows (from, rate). `seasons` are rows (first, last day); `days` kinds of days."""

    starts: Rows = ()
    seasons: Rows = ()
    days: tuple[str, ...] = ()


@dataclass(frozen=True)
class Typed:
    """The form."""

    name: str = ""
    kind: str = "single"
    prices: Mapping[str, str] = field(default_factory=dict)
    bought: Mapping[str, str] = field(default_factory=dict)
    """What is paid upstream; both by rate, `total` for one price at all hours."""
    hours: Hours = Hours()
    tables: tuple[Hours, ...] = ()
    period: str = ""
    month: str = "1"
    day: str = "1"
    moving_in: str = "full"
    steps: Rows = ()
    """(above, more)."""
    surcharges: Rows = ()
    """(name, price, category)."""
    fee: str = ""
    when: str = "approved"
    date: str = ""
    time: str = ""
    accept: bool = False
    why: str = ""
    text: str | None = None
    """The table as TOML, where somebody prefers that."""


def typed_of(form: Form) -> Typed:
    """Read a form; whatever is missing is empty. `do` may ask for one more table, or for one fewer."""

    def one(name: str, default: str = "") -> str:
        return form.get(name, default)[:SHOWN]

    tables = [_hours(form, f"t{number}-") for number in range(TABLES_AT_MOST) if f"t{number}-from" in form]
    do = form.get("do", "")
    if do == "add-table" and len(tables) < TABLES_AT_MOST:
        tables.append(Hours())
    elif do.startswith("drop-") and do[5:].isascii() and do[5:].isdigit() and int(do[5:8]) < len(tables):
        del tables[int(do[5:8])]
    return Typed(
        one("name"), one("kind", "single"),
        {rate: one(f"price-{rate}") for rate in (SINGLE, *RATES)},
        {rate: one(f"bought-{rate}") for rate in (SINGLE, *RATES)},
        _hours(form, ""), tuple(tables),
        one("period"), one("month", "1"), one("day", "1"), one("moving_in", "full"),
        _rows(form, "above", "more"), _rows(form, "surcharge", "surcharge-price", "surcharge-category"), one("fee"),
        one("when", "approved"), one("date"), one("time"), "accept" in form, form.get("why", "")[: 2 * SHOWN],
        form.get("text", "") if "text" in form else None,
    )  # fmt: skip


def _hours(form: Form, head: str) -> Hours:
    days = tuple(each[:SHOWN] for each in form.getlist(f"{head}day"))[:ROWS_AT_MOST]
    return Hours(
        _rows(form, f"{head}from", f"{head}rate"), _rows(form, f"{head}first", f"{head}last"), days if head else ()
    )


def _rows(form: Form, *names: str) -> Rows:
    """Lists of the same length, row by row; rows in which nothing was typed are left out."""
    columns = [[text[:SHOWN] for text in form.getlist(name)[:ROWS_AT_MOST]] for name in names]
    return tuple(row for row in zip_longest(*columns, fillvalue="") if row[0].strip() or row[1].strip())


def typed_from(table: Mapping[str, Any], **more: Any) -> Typed:
    """A `[[tariffs]]` table as the form would show it."""
    steps = table.get("steps") or {}
    prices = table.get("prices") or {SINGLE: table.get("price") or ""}
    typed = Typed(
        table["name"], table["kind"], prices, table.get("purchase") or {}, _typed_hours(table),
        tuple(_typed_hours(each) for each in table.get("tables") or ()),
        steps.get("period", ""), str(steps.get("month") or 1), str(steps.get("day", 1)), steps.get("moving_in", "full"),
        tuple((each["above"], each["add"]) for each in steps.get("bounds") or ()),
        tuple((each["name"], each["price"], each.get("category") or "") for each in table.get("surcharges") or ()),
        table.get("daily_fee") or "",
    )  # fmt: skip
    return replace(typed, **more)


def _typed_hours(table: Mapping[str, Any]) -> Hours:
    starts = sorted((each["from"], each["rate"]) for each in table.get("windows") or ())
    seasons = (text.partition("..")[::2] for text in table.get("seasons") or ())
    return Hours(tuple(starts), tuple(seasons), tuple(table.get("days") or ()))
