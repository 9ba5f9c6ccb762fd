"""What a page relies on in the versions of a price; see `bodies.py`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from bridge.contract.fields import Instant, Whole
from panel.body_parts import Body


class Window(Body):
    from_: Whole = Field(alias="from")
    to: Whole
    rate: str


class Table(Body):
    windows: list[Window]
    seasons: list[list[Whole]] = Field(default_factory=list)
    days: list[str] = Field(default_factory=list)


class Step(Body):
    above_wh: Whole
    add_micro: Whole


class Steps(Body):
    period: Literal["month", "year"]
    moving_in: str = "full"
    month: Whole = 1
    day: Whole = 1
    steps: list[Step]


class Surcharge(Body):
    name: str
    micro: Whole
    category: str | None = None


class Tariff(Body):
    """A version of a price."""

    tariff: str
    name: str
    version: Whole
    effective_at: Instant
    prices_micro: dict[str, Whole]
    windows: list[Window] = Field(default_factory=list)
    tables: list[Table] = Field(default_factory=list)
    steps: Steps | None = None
    surcharges: list[Surcharge] = Field(default_factory=list)
    daily_fee_nano: Whole = 0
    unit: str = "kWh"
    by: str | None = None
    proposed_by: str | None = None
    why: str | None = None
