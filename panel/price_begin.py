"""From when on a new price is to count, and what would be refused of it: judged here before the gateway judges it (R27,
R30), so that the sentence stands beside its field.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from bridge.contract import markup
from bridge.contract.messages import TariffVersion
from bridge.contract.price_told import version_told
from bridge.contract.site_prices import Tariff, booked
from bridge.contract.units import instant_exact, instant_of
from panel.price_reading import Reading
from panel.price_typed import Typed
from panel.price_versions import Price
from panel.words import t

LEAD_AT_MOST = timedelta(days=400)
"""As the gateway has it: a price that begins later is a slip of the pen in the year."""


NOT_BEGUN = "2000-01-01T00:00:00+00:00"
"""Stands for the beginning of a price without versions; what is proposed is told without it."""


@dataclass(frozen=True)
class Begin:
    """`at` is an instant on the wire, None where a version counts from its approval on."""

    at: str | None
    mistakes: dict[str, str]

    @classmethod
    def of(cls, typed: Typed, price: Price, now: datetime, zone: ZoneInfo) -> Begin:
        """Read the moment that was typed, as the site's wall shows it."""
        if typed.when != "moment":
            newest = price.newest
            late = newest is not None and instant_of(newest.effective_at) > now
            return cls(None, {"when": _after(newest, zone)} if late and newest else {})
        reading = Reading(price.id, price.unit)
        wall = reading.moment("time", typed.time or "00:00")
        try:
            day = date.fromisoformat(typed.date.strip())
            if not 2000 < day.year < 9999:
                raise ValueError(day)
        except ValueError:
            reading.mistakes["date"] = t("Choose the day from which on it counts.")
        if reading.mistakes:
            return cls(None, reading.mistakes)
        local = datetime(day.year, day.month, day.day, int(wall[:2]), int(wall[3:]), tzinfo=zone)
        at = local.astimezone(UTC)
        if at.astimezone(zone).replace(tzinfo=None) != local.replace(tzinfo=None):
            return cls(None, {"time": t("On that day the clock leaves this time out; take another one.")})
        if at < now:
            return cls(None, {"date": t("That has passed, and what was used keeps its price; take a later moment.")})
        if at > now + LEAD_AT_MOST:
            return cls(None, {"date": t("At most {n} days ahead.", n=LEAD_AT_MOST.days)})
        if price.newest is not None and at <= instant_of(price.newest.effective_at):
            return cls(None, {"date": _after(price.newest, zone)})
        return cls(instant_exact(at), {})


def _after(newest: TariffVersion, zone: ZoneInfo) -> str:
    time = f"{instant_of(newest.effective_at).astimezone(zone):%Y-%m-%d %H:%M}"
    return t("Version {n} begins on {time}; a newer one begins after it.", n=newest.version, time=time)


def begins(at: str | None, zone: ZoneInfo) -> dict[str, str]:
    """An instant on the wire as it would have been typed."""
    if at is None:
        return {"when": "approved"}
    local = instant_of(at).astimezone(zone)
    return {"when": "moment", "date": f"{local:%Y-%m-%d}", "time": f"{local:%H:%M}"}


def same_as(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """True where two tables say the same, however they are written."""
    try:
        return booked(Tariff.model_validate(one)) == booked(Tariff.model_validate(other))
    except ValueError:
        return False  # The price in force is not one that may still be set; whatever comes is another one.


def markup_mistake(table: Mapping[str, Any], limit_percent: int | None, accepted: bool) -> str | None:
    """R30: a mark-up above the limit must be meant."""
    fields = booked(Tariff.model_validate(table))
    if accepted or not markup.beyond(fields, limit_percent):
        return None
    return t("The mean price lies {n} % above what is paid upstream, and the limit is {m} %. Tick it if it is meant.",
             n=markup.percent(fields), m=limit_percent)  # fmt: skip


def version_of_table(table: Mapping[str, Any], price: Price, limit_percent: int | None) -> TariffVersion:
    """What is to be proposed, in the words in which versions are told."""
    at = price.newest.effective_at if price.newest else NOT_BEGUN
    kept = {"version": price.next_version, "effective_at": at, "by": ""}
    return version_told({**booked(Tariff.model_validate(table)), **kept}, limit_percent)
