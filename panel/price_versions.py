"""Prices as the panel sees them: which version counts now, what waits for a second person, and a price as its table.

Nothing is computed here; facts that cannot be understood are left out, and the page says that they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from bridge.contract.messages import ProposalRow, Proposals, Tariff, TariffVersion
from bridge.contract.people import same_person
from bridge.contract.price_told import version_told
from bridge.contract.site_prices import SINGLE
from bridge.contract.sound import unsound
from bridge.contract.units import instant_of, is_id
from panel.mirror import View

PRICE = "price"
"""The kind of a proposal that is about a price."""


@dataclass(frozen=True)
class Price:
    """A tariff with its id. `now` counts at this moment; `ahead` and `past` are the nearest first."""

    id: str
    name: str
    now: TariffVersion | None
    ahead: list[TariffVersion]
    past: list[TariffVersion]
    begun_in: str = "kWh"
    """The unit of a price that has no version yet."""

    @property
    def newest(self) -> TariffVersion | None:
        """The version after which a new one comes."""
        return self.ahead[-1] if self.ahead else self.now

    @property
    def unit(self) -> str:
        return self.newest.unit if self.newest else self.begun_in

    @property
    def next_version(self) -> int:
        return self.newest.version + 1 if self.newest else 1


@dataclass(frozen=True)
class Proposed:
    """A price that waits for a second person. `begins` is None where that is its approval."""

    row: ProposalRow
    tariff: str
    name: str
    version: TariffVersion
    begins: str | None
    why: str


def prices(view: View, now: datetime) -> list[Price]:
    """Every tariff, by its name."""
    head = view.topics.of(Tariff, "")
    found = [
        price_of(topic.removeprefix(head), fact.message, now)
        for topic, fact in view.facts.items()
        if isinstance(fact.message, Tariff)
    ]
    return sorted(found, key=lambda price: (price.name, price.id))


def price_of(id: str, tariff: Tariff, now: datetime) -> Price:
    """Sort a tariff's versions by when they count."""
    versions = sorted(tariff.versions, key=lambda each: (instant_of(each.effective_at), each.version))
    begun = [each for each in versions if instant_of(each.effective_at) <= now]
    return Price(id, tariff.name, begun[-1] if begun else None, versions[len(begun) :], begun[-2::-1])


def one_price(view: View, id: str, now: datetime) -> Price | None:
    tariff = view.get(Tariff, id) if is_id(id) else None
    return price_of(id, tariff, now) if tariff else None


def waiting(view: View, limit_percent: int | None = None) -> tuple[list[Proposed], int]:
    """(prices that wait, the oldest first; how many more cannot be understood). `limit_percent` is that of R30."""
    told = view.get(Proposals)
    rows = [row for row in told.proposals if row.what == PRICE] if told else []
    found = [proposed for row in rows if (proposed := _proposed(row, limit_percent))]
    return found, len(rows) - len(found)


def one_waiting(view: View, id: str, limit_percent: int | None = None) -> Proposed | None:
    return next((each for each in waiting(view, limit_percent)[0] if each.row.id == id), None)


def for_me(view: View, name: str) -> int:
    """How many wait that this person may decide: another one made them."""
    return sum(not same_person(each.row.who, name) for each in waiting(view)[0])


def _proposed(row: ProposalRow, limit_percent: int | None) -> Proposed | None:
    """A proposal's body is what approving it will write; one of another shape is not guessed at."""
    try:
        fields, begins = row.body["price"], row.body["effective_at"]
        kept = {"version": row.body["version"], "effective_at": begins or row.at, "by": ""}
        version = version_told({**fields, **kept}, limit_percent)
        found = Proposed(row, str(fields["tariff"]), str(fields["name"]), version, begins, str(row.body["why"]))
    except (ArithmeticError, AttributeError, KeyError, TypeError, ValueError, ValidationError):
        return None
    return found if is_id(found.tariff) and unsound(version) is None else None


def plain(text: str) -> str:
    """A quantity or price without the zeros at its end: `180.00` is `180`."""
    return text.rstrip("0").rstrip(".") if "." in text else text


def table_of(id: str, name: str, version: TariffVersion) -> dict[str, Any]:
    """A version as the `[[tariffs]]` table it came from, so that a new one can begin with it."""
    table: dict[str, Any] = {"id": id, "name": name, "unit": version.unit, "kind": version.kind}
    if version.kind == "single":
        table["price"] = version.prices.get(SINGLE, "")
    else:
        table |= {"prices": dict(version.prices), "windows": _windows(version.windows)}
    if version.tables:
        table["tables"] = [
            {"seasons": list(each.seasons), "days": list(each.days), "windows": _windows(each.windows)}
            for each in version.tables
        ]
    if version.steps is not None:
        steps = version.steps
        table["steps"] = {"period": steps.period, "day": steps.day, "moving_in": steps.moving_in}
        if steps.period == "year":
            table["steps"]["month"] = steps.month
        table["steps"]["bounds"] = [{"above": plain(each.above), "add": each.add} for each in steps.steps]
    if version.surcharges:
        table["surcharges"] = [each.model_dump(exclude_none=True) for each in version.surcharges]
    if version.daily_fee:
        table["daily_fee"] = version.daily_fee
    if version.purchase:
        table["purchase"] = dict(version.purchase)
    return table


def _windows(windows: list[Any]) -> list[dict[str, str]]:
    return [{"from": each.from_, "to": each.to, "rate": each.rate} for each in windows]
