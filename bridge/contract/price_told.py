"""A price of the book in the words of people: the fields of a `tariff/2` entry, or of a proposal of one, as a version.

The reverse of `site_prices.booked`: integers become the texts that facts, forms and pages show.
"""

from __future__ import annotations

from typing import Any

from bridge.contract import markup
from bridge.contract import price_facts as p
from bridge.contract.units import kwh_text, price_text, yuan_text


def version_told(fields: dict[str, Any], limit_percent: int | None) -> p.TariffVersion:
    """A version from the fields of its `tariff/2` entry. Raises KeyError and the like where they are no such fields."""
    steps, purchase, fee = fields.get("steps"), fields.get("purchase_micro"), fields.get("daily_fee_nano", 0)
    return p.TariffVersion(
        version=fields["version"],
        effective_at=fields["effective_at"],
        kind=fields["price_kind"],
        prices={rate: price_text(micro) for rate, micro in fields["prices_micro"].items()},
        windows=_windows(fields["windows"]),
        approved_by=fields["by"],
        proposed_by=fields.get("proposed_by"),
        unit=fields.get("unit", "kWh"),
        tables=[
            p.TariffTable(
                seasons=[f"{_day(first)}..{_day(last)}" for first, last in table["seasons"]],
                days=table["days"],
                windows=_windows(table["windows"]),
            )
            for table in fields.get("tables", ())
        ],
        steps=None if steps is None else p.TariffSteps(
            period=steps["period"], month=steps["month"], day=steps["day"], moving_in=steps["moving_in"],
            steps=[
                p.TariffStep(above=kwh_text(step["above_wh"]), add=price_text(step["add_micro"]))
                for step in steps["steps"]
            ],
        ),
        surcharges=[
            p.TariffSurcharge(name=each["name"], price=price_text(each["micro"]), category=each["category"])
            for each in fields.get("surcharges", ())
        ],
        daily_fee=yuan_text(fee) if fee else None,
        purchase={rate: price_text(micro) for rate, micro in purchase.items()} if purchase else None,
        markup_percent=markup.percent(fields),
        markup_warns=markup.beyond(fields, limit_percent),
    )  # fmt: skip


def _windows(rows: list[dict[str, Any]]) -> list[p.Window]:
    return [
        p.Window.model_validate({"from": wall_text(row["from"]), "to": wall_text(row["to"]), "rate": row["rate"]})
        for row in rows
    ]


def _day(of_year: int) -> str:
    return f"{of_year // 100:02d}-{of_year % 100:02d}"


def wall_text(minutes: int) -> str:
    """Minutes after midnight as HH:MM."""
    return f"{minutes // 60:02d}:{minutes % 60:02d}"
