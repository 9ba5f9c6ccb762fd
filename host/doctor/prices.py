"""Prices in the book beside those of the site file, and beside what is paid upstream (R30). The book wins, always."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bridge.contract import markup
from bridge.contract.site import Site, Tariff
from bridge.contract.site_prices import booked
from bridge.contract.units import price_text, yuan_text
from host.doctor.findings import Finding, know, of
from host.doctor.seen import RegistrySeen

WORDS = {
    "price_kind": "kind", "prices_micro": "prices", "daily_fee_nano": "daily_fee", "purchase_micro": "purchase",
}  # fmt: skip
"""Fields that have another name in the site file than in the book."""

UNSAID: dict[str, Any] = {
    "unit": "kWh", "tables": [], "steps": None, "surcharges": [], "daily_fee_nano": 0, "purchase_micro": {},
}  # fmt: skip
"""What an entry of before these fields means by not having them."""

LISTS = {"windows": "window", "tables": "table", "surcharges": "surcharge"}


def differences(group: str, book: dict[str, Any], tariff: Tariff) -> Iterator[Finding]:
    """Where the newest version in the book says something else than the file."""
    for field, value in booked(tariff).items():
        if field == "tariff" or (field not in book and field not in UNSAID):
            continue
        if (there := book.get(field, UNSAID.get(field))) == value:
            continue
        sentence = f"Tariff {tariff.id}: {WORDS.get(field, field)} in the book is {_shown(field, there)}, in the site "
        yield know(
            group,
            tariff.id,
            f"{sentence}file {_shown(field, value)}.",
            "The book wins; a price changes by a new version, which a second person approves. Write into the site file "
            "what the book says, or propose what the file says.",
            f"./riser price propose FILE --tariff {tariff.id}",
        )


def markups(site: Site, registry: RegistrySeen) -> Iterator[Finding]:
    """R30: prices whose mean lies further above what is paid than the site's limit."""
    limit = site.policy.markup_limit_percent
    for id, fields in registry.tariffs.items():
        if markup.beyond(fields, limit):
            yield know(
                "accounts",
                id,
                f"Tariff {id}: a {fields.get('unit', 'kWh')} is sold {markup.percent(fields)} % above what is paid for "
                f"it, in the mean over a day; the limit of the site file is {limit} % (R30).",
                "Whoever sells energy on may be bound to its price. Lower the price, or raise markup_limit_percent "
                "under [policy] where that is allowed.",
                f"./riser price preview FILE --tariff {id}",
            )


def _shown(field: str, value: Any) -> str:
    if value in ("", None, [], {}, 0):
        return "empty"
    if field in ("prices_micro", "purchase_micro") and isinstance(value, dict):
        return ", ".join(f"{rate} {price_text(micro)}" for rate, micro in value.items() if isinstance(micro, int))
    if field in LISTS and isinstance(value, list):
        return f"another list of {of(len(value), LISTS[field])}"
    if field == "steps" and isinstance(value, dict):
        return f"{of(len(value.get('steps', ())), 'step')} by {value.get('period')}"
    return yuan_text(value) if field == "daily_fee_nano" and isinstance(value, int) else str(value)
