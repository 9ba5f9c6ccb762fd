"""A version of a price as labelled rows: prices and their hours, steps, surcharges, fee, who proposed and approved."""

from __future__ import annotations

from typing import Any

from panel.bill import in_order
from panel.bill_words import quantity, rate_word, unit_word
from panel.edge_words import person
from panel.formats import Wall, yuan_all
from panel.formats import price as price_text
from panel.words import later, t

DAYS = {"workday": later("workdays|days"), "weekend": later("weekends|days"), "holiday": later("holidays|days")}

Row = tuple[str, str]


def price_rows(body: dict[str, Any], wall: Wall) -> list[Row]:
    """(label, words)."""
    unit = unit_word(body.get("unit", "kWh"))
    per = t("yuan/{unit}", unit=unit)
    rows = [(rate_word(rate), f"{price_text(body['prices_micro'][rate])} {per}") for rate in in_order(
        body["prices_micro"])]  # fmt: skip
    if body.get("windows"):
        rows.append((t("Hours|price"), hours(body["windows"])))
    rows += [(_which_days(table), hours(table["windows"])) for table in body.get("tables", ())]
    rows += _steps(body, per)
    for each in body.get("surcharges", ()):
        amount = f"{price_text(each['micro'])} {per}"
        of = each.get("category")
        rows.append(
            (str(each["name"]), t("{amount}, category {category}", amount=amount, category=of) if of else amount)
        )
    if body.get("daily_fee_nano"):
        rows.append((t("Daily fee|entry"), t("{amount} yuan a day", amount=yuan_all(body["daily_fee_nano"]))))
    rows.append((t("In force since|price"), wall.full(body["effective_at"])))
    return rows + price_people(body)


def price_people(body: dict[str, Any]) -> list[Row]:
    """Who proposed a version and who approved it; one that came with the site file has nobody else behind it."""
    if body.get("proposed_by"):
        return [(t("Proposed by|price"), person(body["proposed_by"])), (t("Approved by|act"), person(body.get("by")))]
    return [(t("Set by|price"), person(body.get("by")))]


def hours(windows: list[dict[str, Any]]) -> str:
    """valley 00:00–07:00, 23:00–24:00; peak ..."""
    spans: dict[str, list[str]] = {}
    for each in windows:
        spans.setdefault(each["rate"], []).append(f"{_clock(each['from'])}–{_clock(each['to'])}")
    return t("; |between words").join(f"{rate_word(rate)} {', '.join(spans[rate])}" for rate in in_order(spans))


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def _which_days(table: dict[str, Any]) -> str:
    seasons = [f"{_month_day(first)}–{_month_day(last)}" for first, last in table.get("seasons", ())]
    days = [t(DAYS[day]) if day in DAYS else day for day in table.get("days", ())]
    return " · ".join([*seasons, *days]) or t("Hours|price")


def _month_day(number: int) -> str:
    return f"{number // 100:02d}-{number % 100:02d}"


def _steps(body: dict[str, Any], per: str) -> list[Row]:
    steps, unit = body.get("steps"), body.get("unit", "kWh")
    if not steps:
        return []
    above = (
        later("Above {n} {unit} a year|step") if steps["period"] == "year" else later("Above {n} {unit} a month|step")
    )
    return [
        (
            t(above, n=quantity(each["above_wh"], unit), unit=unit_word(unit)),
            t("{amount} more", amount=f"{price_text(each['add_micro'])} {per}"),
        )
        for each in steps["steps"]
    ]
