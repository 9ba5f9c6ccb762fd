"""What a tenant pays for a unit beside what is paid upstream (R30), by the price alone: no meter is looked at.

Both are means over the minutes of an ordinary day, with the surcharges that everybody pays. Seasons, steps and the
surcharges of single categories depend on who uses how much and when: a preview on last month's registers tells those.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MINUTES = 1440


def totals(fields: Mapping[str, Any]) -> tuple[int, int] | None:
    """(sold, bought) in micro-yuan x minutes of an ordinary day, of a `tariff/2` entry's fields; None where what is
    paid upstream is not known, or is nothing."""
    bought = fields.get("purchase_micro") or {}
    if not bought:
        return None
    shares = _shares(fields)
    for_all = sum(each["micro"] for each in fields.get("surcharges", ()) if each["category"] is None)
    sold_total = sum(fields["prices_micro"][rate] * minutes for rate, minutes in shares.items()) + for_all * MINUTES
    bought_total = sum(bought.get(rate, bought.get("total", 0)) * minutes for rate, minutes in shares.items())
    return (sold_total, bought_total) if bought_total > 0 else None


def _shares(fields: Mapping[str, Any]) -> dict[str, int]:
    if fields["price_kind"] == "single":
        return {"total": MINUTES}
    shares: dict[str, int] = {}
    for window in fields["windows"]:
        shares[window["rate"]] = shares.get(window["rate"], 0) + window["to"] - window["from"]
    return shares


def percent(fields: Mapping[str, Any]) -> int | None:
    """How far the price lies above what is paid, in whole percent, rounded down; below zero where it lies below."""
    found = totals(fields)
    return None if found is None else (found[0] - found[1]) * 100 // found[1]


def beyond(fields: Mapping[str, Any], limit_percent: int | None) -> bool:
    """True where the mark-up lies above the site's limit; to the micro-yuan, not by rounded percents."""
    found = totals(fields)
    return found is not None and limit_percent is not None and found[0] * 100 > found[1] * (100 + limit_percent)
