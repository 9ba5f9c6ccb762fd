"""Prices as facts: each version whole, with what is paid upstream beside it; and what waits for a second person."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ConfigDict, Field

from bridge.contract.message import Message, Part


class Window(Part):
    from_: str = Field(alias="from", description="local wall time HH:MM")
    to: str = Field(description="local wall time HH:MM, 24:00 at the day's end")
    rate: str
    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)


class TariffTable(Part):
    """The windows of some days; the first table that holds a day wins over the version's own windows."""

    seasons: list[str] = Field(description="month-day..month-day, both included; empty: the whole year")
    days: list[str] = Field(description="workday, weekend, holiday; empty: every day")
    windows: list[Window]


class TariffStep(Part):
    above: str = Field(description="kWh or m3 of the period, as text")
    add: str = Field(description="what a unit above that costs more than its price, yuan as text")


class TariffSteps(Part):
    period: Literal["month", "year"]
    month: int = Field(description="a year's first month")
    day: int = Field(description="the period's first day, from 00:00 local time on")
    moving_in: Literal["full", "pro-rated"] = Field(description="the bounds of a tenant's first period")
    steps: list[TariffStep]


class TariffSurcharge(Part):
    name: str
    price: str = Field(description="yuan per unit as text, below zero for a reduction")
    category: str | None = Field(default=None, description="absent: all accounts pay it")


class TariffVersion(Part):
    version: int
    effective_at: str
    kind: Literal["single", "tou"]
    prices: dict[str, str] = Field(description="yuan per unit as text, by rate; key `total` for a single price")
    windows: list[Window]
    approved_by: str
    proposed_by: str | None = None
    unit: Literal["kWh", "m3"] = "kWh"
    tables: list[TariffTable] = Field(default_factory=list)
    steps: TariffSteps | None = None
    surcharges: list[TariffSurcharge] = Field(default_factory=list)
    daily_fee: str | None = Field(default=None, description="yuan per account and day as text")
    purchase: dict[str, str] | None = Field(default=None, description="what is paid upstream, yuan per unit, by rate")
    markup_percent: int | None = Field(
        default=None, description="how far the mean over a day lies above what is paid, rounded down (R30)"
    )
    markup_warns: bool = Field(default=False, description="that is above the site's limit (R30)")


class Tariff(Message):
    """A price with all its versions; a version never changes (R27)."""

    topic = "tariff/{id}"
    retained = True
    name: str
    versions: list[TariffVersion]


class ProposalRow(Part):
    id: str
    what: str = Field(description="its kind: `price`, ...")
    body: dict[str, Any] = Field(description="what is proposed, as it will be written; its keys belong to the kind")
    who: str = Field(description="the maker, who may take it back and not approve it")
    role: str
    at: str
    until: str = Field(description="nobody has decided it by then: it is over")


class DecisionRow(Part):
    id: str = Field(description="of the proposal")
    what: str
    account: str | None = Field(default=None, description="whose money it is about")
    who: str = Field(description="the maker")
    approved: bool
    decided_by: str = Field(description="`policy`: nobody, and its time was over")
    decided_at: str
    why: str


class Proposals(Message):
    """What waits for a second person (R32), the oldest first, and what became of the newest that do not wait any more;
    only panel and notices may read it."""

    topic = "proposals"
    retained = True
    proposals: list[ProposalRow]
    decided: list[DecisionRow] = Field(default_factory=list, description="the newest first, at most 30")
