"""From what was typed to a `[[tariffs]]` table, or to a sentence for each field that is not understood.

What a field may hold is the contract's; the sentences are for whoever typed. `table` is None where one is wrong.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from pydantic import ValidationError

from bridge.contract.site_prices import SINGLE, Tariff, amount_wh, season_of
from bridge.contract.site_words import wall_minutes
from bridge.contract.toml_text import read as read_toml
from bridge.contract.units import RATES, is_plain, micro_of_change, micro_of_price, nano_of_yuan
from panel.price_mistakes import said_mistake, told_mistake
from panel.price_typed import Hours, Rows, Typed
from panel.price_words import rate_name, unit_word
from panel.words import t


@dataclass
class Reading:
    """`mistakes` by the name of their field."""

    id: str
    unit: str
    table: dict[str, Any] | None = None
    mistakes: dict[str, str] = field(default_factory=dict)

    def price(self, name: str, text: str) -> str:
        words = t("“{text}” is no price: yuan with at most six decimals, such as 0.8512.", text=text[:24])
        return self._checked(name, text, micro_of_price, words)

    def change(self, name: str, text: str) -> str:
        words = t("“{text}” is no surcharge: yuan a unit, with a minus to take it off, such as -0.01.", text=text[:24])
        return self._checked(name, text, micro_of_change, words)

    def amount(self, name: str, text: str) -> str:
        words = t("“{text}” is no amount: {unit} with at most three decimals, such as 180.",
                  text=text[:24], unit=unit_word(self.unit))  # fmt: skip
        return self._checked(name, text, amount_wh, words)

    def yuan(self, name: str, text: str) -> str:
        words = t("“{text}” is not an amount: digits with at most two decimals, such as 200 or 200.50.", text=text[:24])
        return self._checked(name, text, _fee, words)

    def moment(self, name: str, text: str) -> str:
        """A time of day, however it is written: 7:30, 0730, 7."""
        plain = as_typed(text).replace(".", ":")
        if not plain:
            return self._checked(name, "", _before_midnight, "")
        hours, colon, minutes = plain.partition(":")
        if not colon and len(plain) > 2:
            hours, minutes = plain[:-2], plain[-2:]
        words = t("“{text}” is no time of day; write it as 07:30.", text=text[:24])
        return self._checked(name, f"{hours:0>2}:{minutes:0>2}", _before_midnight, words)

    def whole(self, name: str, text: str, low: int, high: int) -> int:
        plain = as_typed(text)
        if plain.isascii() and plain.isdigit() and low <= int(plain[:4]) <= high:
            return int(plain[:4])
        self.mistakes[name] = t("A whole number from {low} to {high}.", low=low, high=high)
        return low

    def _checked(self, name: str, text: str, check: Callable[[str], Any], words: str) -> str:
        plain = as_typed(text)
        words = words if plain else t("Something is missing here.")
        try:
            check(plain)
        except ValueError:
            self.mistakes[name] = words
        return plain


def as_typed(text: str) -> str:
    """Full-width digits and signs of a Chinese keyboard are digits and signs."""
    return unicodedata.normalize("NFKC", text).replace("−", "-").strip()


def reading_of(typed: Typed, id: str, unit: str) -> Reading:
    """Read the form of the price `id`, which is one per `unit`."""
    reading = Reading(id, unit)
    table = _from_text(reading, typed.text) if typed.text is not None else _from_fields(reading, typed)
    if table is None or reading.mistakes:
        return reading
    try:
        reading.table = Tariff.model_validate(table).model_dump(mode="json", by_alias=True, exclude_defaults=True)
    except ValidationError as error:
        reading.mistakes["form"] = " ".join(told_mistake(each) for each in error.errors()[:5])
    return reading


def _from_text(reading: Reading, text: str) -> dict[str, Any] | None:
    tables, wrong = read_toml(text)
    rows = tables.get("tariffs")
    if wrong:
        line, words = wrong[0]
        reading.mistakes["text"] = t("Line {n}: {words}", n=line, words=said_mistake(words))
    elif not isinstance(rows, list) or len(rows) != 1 or not isinstance(rows[0], dict) or len(tables) != 1:
        reading.mistakes["text"] = t("Write one [[tariffs]] table and nothing else.")
    elif rows[0].get("id") != reading.id or rows[0].get("unit", "kWh") != reading.unit:
        reading.mistakes["text"] = t(
            'This is the price {id}: write id = "{id}" and unit = "{unit}".', id=reading.id, unit=reading.unit
        )
    else:
        return rows[0]
    return None


def _from_fields(reading: Reading, typed: Typed) -> dict[str, Any]:
    name = typed.name.strip()
    if not name or len(name) > 64 or not is_plain(name):
        reading.mistakes["name"] = t("A price has a name of 1 to 64 characters.")
    table: dict[str, Any] = {"id": reading.id, "name": name, "unit": reading.unit, "kind": typed.kind}
    if typed.kind == "tou" and reading.unit != "m3":
        table |= _by_hours(reading, typed)
    else:
        table |= {"kind": "single", "price": reading.price("price-total", typed.prices.get(SINGLE, ""))}
    table["purchase"] = _bought(reading, typed, table.get("prices", {}))
    if typed.period:
        table["steps"] = _steps(reading, typed)
    table["surcharges"] = [_surcharge(reading, number, *row) for number, row in enumerate(typed.surcharges)]
    if typed.fee.strip():
        table["daily_fee"] = reading.yuan("fee", typed.fee)
    return table


# --- by the hours of the day ---


def _by_hours(reading: Reading, typed: Typed) -> dict[str, Any]:
    prices = {
        rate: reading.price(f"price-{rate}", text) for rate in RATES if (text := typed.prices.get(rate, "")).strip()
    }
    tables = []
    for number, hours in enumerate(typed.tables):
        if hours != Hours():
            tables.append(_table(reading, f"t{number}-", hours, prices))
    windows = _windows(reading, "", typed.hours.starts, prices)
    return {"kind": "tou", "prices": prices, "windows": windows, "tables": tables}


def _table(reading: Reading, head: str, hours: Hours, prices: Mapping[str, str]) -> dict[str, Any]:
    seasons = []
    for number, row in enumerate(hours.seasons):
        text = "..".join(as_typed(day).replace("/", "-") for day in row)
        try:
            season_of(text)
        except ValueError:
            reading.mistakes[f"{head}season-{number}"] = t(
                "A season has a first and a last day, both as month-day, such as 07-01 and 08-31."
            )
        seasons.append(text)
    if not seasons and not hours.days:
        reading.mistakes[f"{head}season-0"] = t("Say in which season or on which days these hours count.")
    return {"seasons": seasons, "days": list(hours.days), "windows": _windows(reading, head, hours.starts, prices)}


def _windows(reading: Reading, head: str, starts: Rows, prices: Mapping[str, str]) -> list[dict[str, str]]:
    """Each rate counts until the next one begins, the last until midnight, so there is no gap and no overlap."""
    rows: dict[str, str] = {}
    for number, (start, rate) in enumerate(starts):
        name = f"{head}from-{number}"
        at = reading.moment(name, start)
        if name in reading.mistakes:
            continue
        if at in rows:
            reading.mistakes[name] = t("Two rates begin at {time}; leave one.", time=at)
        elif rate not in RATES:
            reading.mistakes[name] = t("Choose which rate begins at {time}.", time=at)
        elif rate not in prices:
            reading.mistakes[f"price-{rate}"] = t("{rate} has hours and no price.", rate=rate_name(rate))
        rows[at] = rate
    if "00:00" not in rows:
        reading.mistakes.setdefault(f"{head}from-0", t("The day begins at 00:00: say which rate counts from then on."))
    edges = [*sorted(rows), "24:00"]
    return [{"from": start, "to": end, "rate": rows[start]} for start, end in pairwise(edges)]


# --- the rest ---


def _bought(reading: Reading, typed: Typed, prices: Mapping[str, str]) -> dict[str, str]:
    total = typed.bought.get(SINGLE, "").strip()
    by_rate = {rate: text for rate in RATES if (text := typed.bought.get(rate, "")).strip()} if prices else {}
    if total and by_rate:
        reading.mistakes["bought-total"] = t("Write one price paid at all hours, or one for each rate, not both.")
    elif by_rate and set(by_rate) != set(prices):
        for rate in set(by_rate) ^ set(prices):
            reading.mistakes[f"bought-{rate}"] = t("What is paid upstream is told for each rate that has a price.")
    chosen = {SINGLE: total} if total else by_rate
    return {rate: reading.price(f"bought-{rate}", text) for rate, text in chosen.items()}


def _steps(reading: Reading, typed: Typed) -> dict[str, Any]:
    steps: dict[str, Any] = {"period": typed.period, "moving_in": typed.moving_in}
    steps["day"] = reading.whole("day", typed.day, 1, 28)
    if typed.period == "year":
        steps["month"] = reading.whole("month", typed.month, 1, 12)
    bounds = [
        {"above": reading.amount(f"above-{number}", above), "add": reading.price(f"more-{number}", more)}
        for number, (above, more) in enumerate(typed.steps)
    ]
    if not bounds:
        reading.mistakes["above-0"] = t("Write above how much the first step begins and what it costs more.")
    elif not any(name.startswith("above-") for name in reading.mistakes):
        heights = [0, *(amount_wh(each["above"]) for each in bounds)]
        for number, (low, high) in enumerate(pairwise(heights)):
            if low >= high:
                reading.mistakes[f"above-{number}"] = t("Each step begins above the one before, the first above 0.")
    return steps | {"bounds": bounds}


def _surcharge(reading: Reading, number: int, name: str, price: str, category: str) -> dict[str, Any]:
    named = name.strip()
    if not named or len(named) > 64 or not is_plain(named):
        reading.mistakes[f"surcharge-{number}"] = t("A surcharge has a name of 1 to 64 characters; the bill shows it.")
    row = {"name": named, "price": reading.change(f"surcharge-price-{number}", price)}
    return row | ({"category": category} if category else {})


def _fee(text: str) -> None:
    if nano_of_yuan(text) < 0:
        raise ValueError(text)


def _before_midnight(text: str) -> None:
    if wall_minutes(text) == 1440:
        raise ValueError(text)
