"""What accounts and prices of a site file say of each other: units, households, categories.

Like `site_references` it looks at tables in which other things may be wrong.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bridge.contract.site_prices import HOUSEHOLD, SHOP, is_household

Mistake = tuple[tuple[Any, ...], str]
Rows = list[tuple[int, dict[str, Any]]]

FIELDS = {"tariff": "kWh", "water_tariff": "m3"}
"""What an account pays by, and per which unit that price must be."""

HOUSEHOLDS_ONLY = "steps are for households only (R29)"


def payers_of(accounts: Rows, tariffs: Rows) -> Iterator[Mistake]:
    """Every mistake between accounts and prices."""
    prices = {row["id"]: row for _, row in tariffs if isinstance(row.get("id"), str)}
    known = {HOUSEHOLD, SHOP} | categories_of(prices.values())
    for number, account in accounts:
        for field, unit in FIELDS.items():
            if not isinstance(id := account.get(field), str):
                continue
            if id not in prices:
                yield ("accounts", number, field), f"there is no tariff {id!r}"
                continue
            price = prices[id]
            if price.get("unit", "kWh") != unit:
                yield ("accounts", number, field), f'{id} is not a price per {unit}; write unit = "{unit}" there'
            elif price.get("steps") and not is_household(account):
                told = (
                    f'tariff {id} has steps, and {HOUSEHOLDS_ONLY}; write category = "{HOUSEHOLD}" or household = true'
                )
                yield ("accounts", number, field), f"{told} if it is one, or give it a price without steps"
        if all(account.get(field) is None for field in FIELDS):
            yield ("accounts", number, "tariff"), "it has no price; give it a tariff, for water only a water_tariff"
        category = account.get("category")
        if isinstance(category, str) and category not in known:
            told = f"no surcharge is for category {category!r}; there are {', '.join(sorted(known))}"
            yield ("accounts", number, "category"), told


def categories_of(prices: Any) -> set[str]:
    """The categories that surcharges are for."""
    found = set()
    for price in prices:
        rows = price.get("surcharges")
        for each in rows if isinstance(rows, list) else ():
            if isinstance(each, dict) and isinstance(each.get("category"), str):
                found.add(each["category"])
    return found
