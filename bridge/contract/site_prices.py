"""A price as people write it: one `[[tariffs]]` table, the same in the site file, in a proposal and in a preview.

`booked` turns it into the integers of a `tariff/2` entry; nobody else converts prices.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, Field, model_validator

from bridge.contract.site_words import STRICT, Change, Fee, Id, Label, Price, Wall, Word, wall_minutes
from bridge.contract.units import RATES, WH_PER_KWH, micro_of_change, micro_of_price, nano_of_yuan, price_text

DAYS = ("workday", "weekend", "holiday")
SINGLE = "total"

HOUSEHOLD, SHOP = "home", "shop"
"""Categories that an account may have although no surcharge names them."""

_SEASON = re.compile(r"(\d\d)-(\d\d)\.\.(\d\d)-(\d\d)", re.ASCII)
_AMOUNT = re.compile(r"(\d{1,7})(?:\.(\d{1,3}))?", re.ASCII)


def season_of(text: str) -> tuple[int, int]:
    """`07-01..08-31` as (701, 831), both days included. Raises ValueError."""
    told = f"{text[:24]!r} is no season; write month-day..month-day, such as 07-01..08-31"
    if (found := _SEASON.fullmatch(text)) is None:
        raise ValueError(told)
    first_month, first, last_month, last = map(int, found.groups())
    try:
        date(2028, first_month, first), date(2028, last_month, last)  # A leap year: the 29th of February is a day.
    except ValueError:
        raise ValueError(told) from None
    return first_month * 100 + first, last_month * 100 + last


def amount_wh(text: str) -> int:
    """An amount in kWh (or m3), at most three decimals, in Wh (or litres). Raises ValueError."""
    if (found := _AMOUNT.fullmatch(text.strip())) is None:
        raise ValueError(f"{text[:24]!r} is no amount; write kWh (or m3) with at most three decimals, such as 180")
    whole, decimals = found.groups()
    return int(whole) * WH_PER_KWH + int((decimals or "").ljust(3, "0"))


def _season(text: str) -> str:
    season_of(text)
    return text


def _amount(text: str) -> str:
    amount_wh(text)
    return text


Season = Annotated[str, AfterValidator(_season)]
Amount = Annotated[str, AfterValidator(_amount)]
Rate = Literal["sharp", "peak", "flat", "valley", "deep"]
Day = Literal["workday", "weekend", "holiday"]


class Strict(BaseModel):
    model_config = STRICT


class TariffWindow(Strict):
    from_: Wall = Field(alias="from")
    to: Wall
    rate: Rate


class TariffTable(Strict):
    """Other windows on some days: those of its seasons and, where it names kinds of day, of these kinds."""

    seasons: list[Season] = []
    days: list[Day] = []
    windows: list[TariffWindow]

    @model_validator(mode="after")
    def _whole(self) -> TariffTable:
        if not self.seasons and not self.days:
            raise ValueError("says neither `seasons` nor `days`, so it would count on every day; name some")
        _gapless(self.windows)
        return self


class TariffBound(Strict):
    """What each unit `above` so many costs more than the price."""

    above: Amount
    add: Price


class TariffSteps(Strict):
    """Steps by month or year. `day` and `month` say when the counter begins anew."""

    period: Literal["month", "year"]
    day: Annotated[int, Field(strict=True, ge=1, le=28)] = 1
    month: Annotated[int, Field(strict=True, ge=1, le=12)] | None = None
    moving_in: Literal["full", "pro-rated"] = "full"
    bounds: Annotated[list[TariffBound], Field(min_length=1, max_length=9)]

    @model_validator(mode="after")
    def _rising(self) -> TariffSteps:
        if self.month is not None and self.period == "month":
            raise ValueError('`month` is for period = "year"; leave it out')
        above = [amount_wh(bound.above) for bound in self.bounds]
        if above[0] == 0 or any(low >= high for low, high in pairwise(above)):
            raise ValueError("bounds rise from one to the next, the first above 0")
        return self


class TariffSurcharge(Strict):
    """So much on each unit, or with a minus off it; for one category of accounts, or for all."""

    name: Label
    price: Change
    category: Word | None = None


class Tariff(Strict):
    id: Id
    name: Label
    unit: Literal["kWh", "m3"] = "kWh"
    kind: Literal["single", "tou"]
    price: Price | None = None
    prices: dict[str, Price] = {}
    windows: list[TariffWindow] = []
    tables: Annotated[list[TariffTable], Field(max_length=24)] = []
    steps: TariffSteps | None = None
    surcharges: Annotated[list[TariffSurcharge], Field(max_length=16)] = []
    daily_fee: Fee = "0.00"
    purchase: dict[str, Price] = {}

    @model_validator(mode="after")
    def _whole(self) -> Tariff:
        if self.kind == "single":
            if self.price is None or self.prices or self.windows:
                raise ValueError("a single price has `price` and neither `prices` nor `windows`")
            if self.tables:
                raise ValueError('tables by season or day are for kind = "tou"; a single price is one at all hours')
        else:
            self._by_hours()
        if names := _twice(each.name for each in self.surcharges):
            raise ValueError(f"the surcharge {names[0]!r} stands there twice; a bill names each once")
        self._above_zero()
        self._bought()
        return self

    def _by_hours(self) -> None:
        if self.price is not None or not self.windows:
            raise ValueError("a time-of-use price has `prices` and `windows`, no `price`")
        if self.unit == "m3":
            raise ValueError('no water meter tells hours apart; write kind = "single"')
        if unknown := set(self.prices) - set(RATES):
            raise ValueError(f"unknown rates {sorted(unknown)}; rates are {', '.join(RATES)}")
        named = {window.rate for windows in (self.windows, *(t.windows for t in self.tables)) for window in windows}
        if missing := named - set(self.prices):
            raise ValueError(f"windows name rates without a price: {sorted(missing)}")
        _gapless(self.windows)

    def _above_zero(self) -> None:
        """A unit that costs less than nothing is a slip of the pen."""
        least = min(micro_of_price(text) for text in self._prices().values())
        off: dict[str | None, int] = {}
        for each in self.surcharges:
            off[each.category] = off.get(each.category, 0) + min(micro_of_change(each.price), 0)
        for category, micro in off.items():
            micro += off.get(None, 0) if category is not None else 0
            if least + micro < 0:
                who = "all" if category is None else f"category {category}"
                raise ValueError(f"with its surcharges a {self.unit} would cost {price_text(least + micro)} for {who}")

    def _bought(self) -> None:
        if self.purchase and set(self.purchase) not in ({SINGLE}, set(self._prices())):
            rates = f", or a price for each of {', '.join(self.prices)}" if self.prices else ""
            raise ValueError(f"`purchase` is {{ total = ... }}{rates}")

    def _prices(self) -> dict[str, str]:
        return {SINGLE: self.price or "0"} if self.kind == "single" else self.prices


def _twice(names: Iterable[str]) -> list[str]:
    seen: set[str] = set()
    return [name for name in names if name in seen or seen.add(name)]  # type: ignore[func-returns-value]


def _gapless(windows: list[TariffWindow]) -> None:
    edge = 0
    for window in sorted(windows, key=lambda each: wall_minutes(each.from_)):
        if wall_minutes(window.from_) != edge or wall_minutes(window.to) <= edge:
            raise ValueError(f"windows leave a gap or overlap at {edge // 60:02d}:{edge % 60:02d}")
        edge = wall_minutes(window.to)
    if edge != 1440:
        raise ValueError("windows do not reach 24:00")


def booked(tariff: Tariff) -> dict[str, Any]:
    """What a `tariff/2` entry says of a price; its version, instant and approver are added by whoever writes it."""
    steps = tariff.steps
    return {
        "tariff": tariff.id,
        "name": tariff.name,
        "unit": tariff.unit,
        "price_kind": tariff.kind,
        "prices_micro": {rate: micro_of_price(text) for rate, text in tariff._prices().items()},
        "windows": _booked_windows(tariff.windows),
        "tables": [
            {
                "windows": _booked_windows(table.windows),
                "seasons": [list(season_of(text)) for text in table.seasons],
                "days": [day for day in DAYS if day in table.days],
            }
            for table in tariff.tables
        ],
        "steps": None if steps is None else {
            "period": steps.period,
            "month": steps.month or 1,
            "day": steps.day,
            "moving_in": steps.moving_in,
            "steps": [{"above_wh": amount_wh(b.above), "add_micro": micro_of_price(b.add)} for b in steps.bounds],
        },
        "surcharges": [
            {"name": each.name, "micro": micro_of_change(each.price), "category": each.category}
            for each in tariff.surcharges
        ],
        "daily_fee_nano": nano_of_yuan(tariff.daily_fee),
        "purchase_micro": {rate: micro_of_price(text) for rate, text in tariff.purchase.items()},
    }  # fmt: skip


def _booked_windows(windows: list[TariffWindow]) -> list[dict[str, Any]]:
    return [{"from": wall_minutes(w.from_), "to": wall_minutes(w.to), "rate": w.rate} for w in windows]


def is_household(row: dict[str, Any]) -> bool:
    """Whether an account, as a table or as its entry, is a household: what it says, else by its category."""
    said = row.get("household")
    return row.get("category") == HOUSEHOLD if said is None else bool(said)
