"""Prices out of a file: a whole site file, or one that holds `[[tariffs]]` alone, so that a price can be tried before
it stands anywhere. Mistakes in other tables are passed over; those in prices are told by line and path."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import ValidationError

from bridge.contract import mistakes
from bridge.contract.site_file import BadSite, Sheet, text_of
from bridge.contract.site_prices import Tariff
from bridge.contract.toml_text import read
from host.exits import USAGE, Trouble


def prices_of(path: Path) -> dict[str, dict[str, Any]]:
    """The tables of a file's prices by their id, as they are sent. Raises Trouble with every mistake."""
    try:
        sheet = Sheet(text := text_of(path), {})
        sheet.tables, wrongly_written = read(text)
        sheet.found += wrongly_written
        rows = sheet.tables.get("tariffs")
        found: dict[str, dict[str, Any]] = {}
        for number, row in enumerate(rows if isinstance(rows, list) else ()):
            try:
                price = Tariff.model_validate(row)
            except ValidationError as error:
                sheet.note([(("tariffs", number, *each["loc"]), mistakes.words(each)) for each in error.errors()])
            else:
                if price.id in found:
                    sheet.note([(("tariffs", number, "id"), f"another price is {price.id!r} already; leave one out")])
                found[price.id] = price.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        if sheet.found:
            raise sheet.refuse()
    except BadSite as bad:
        raise Trouble(USAGE, f"{path}: {'; '.join(bad.lines)}") from None
    if not found:
        raise Trouble(USAGE, f"{path}: there is no [[tariffs]] table in it")
    return found


def chosen(prices: dict[str, dict[str, Any]], tariff: str | None) -> dict[str, Any]:
    """The one that is meant. Raises Trouble where that is not clear."""
    if tariff is None and len(prices) == 1:
        return next(iter(prices.values()))
    if tariff in prices:
        return prices[tariff]
    told = f"there is no price {tariff!r}" if tariff is not None else "there are several prices; name one with --tariff"
    raise Trouble(USAGE, f"{told}: {', '.join(prices)}")
