"""The rows of a worked example that tell prices and calendar, as versions and days that edge/billing prices by."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

from edge.billing.days import KINDS, Days
from edge.billing.steps import Step, Steps
from edge.billing.tariff import SINGLE, Surcharge, Table, Version, Windows
from tests.edge.ledger_sheet import Ledger


def scaled(text: str, digits: int) -> int:
    """A decimal as an integer of its last digit."""
    value = Decimal(text).scaleb(digits)
    if value != int(value):
        raise ValueError(f"{text} has more than {digits} decimals")
    return int(value)


class PriceRows:
    """Reads the rows below `Price` and `Calendar` into a ledger."""

    def __init__(self) -> None:
        self.ledger = Ledger()

    def _at(self, text: str) -> datetime:
        wall = datetime.fromisoformat(text.removesuffix(" again")).replace(tzinfo=self.ledger.zone)
        return wall.replace(fold=int(text.endswith("again"))).astimezone(UTC)

    def _price(self, number: str, since: str) -> None:
        version = Version(
            "ledger", "Price", int(number), self._at(since), "single", {}, (), unit=self.ledger.unit
        )  # fmt: skip
        self.ledger.versions.append(version)

    def _change(self, **fields: object) -> None:
        self.ledger.versions[-1] = replace(self.ledger.versions[-1], **fields)  # type: ignore[arg-type]

    def _single(self, price: str) -> None:
        self._change(prices_micro={SINGLE: scaled(price, 6)})

    def _rate(self, name: str, price: str) -> None:
        self._change(kind="tou", prices_micro=self.ledger.versions[-1].prices_micro | {name: scaled(price, 6)})

    def _windows(self, text: str) -> None:
        self._change(windows=self._hours_of(text))

    def _hours_of(self, text: str) -> Windows:
        found, at = [], 0
        for each in text.split(", "):
            hours, rate = each.split(" ")
            first, last = (int(wall[:2]) * 60 + int(wall[3:]) for wall in hours.split("-"))
            if first != at or last <= first or rate not in self.ledger.versions[-1].prices_micro:
                raise ValueError(f"{each!r} does not follow on the hours before it, or has no price")
            found.append((first, last, rate))
            at = last
        if at != 1440:
            raise ValueError("the hours do not cover the day")
        return tuple(found)

    def _table(self, when: str, hours: str) -> None:
        seasons, kinds = [], set[str]()
        for each in when.split(" and "):
            if season := re.fullmatch(r"from (\d\d)-(\d\d) to (\d\d)-(\d\d)", each):
                m1, d1, m2, d2 = map(int, season.groups())
                seasons.append((m1 * 100 + d1, m2 * 100 + d2))
            elif each.removeprefix("on ") in KINDS:
                kinds.add(each.removeprefix("on "))
            else:
                raise ValueError(f"{each!r} is neither a season nor a kind of day")
        table = Table(self._hours_of(hours), tuple(seasons), frozenset(kinds))
        self._change(tables=(*self.ledger.versions[-1].tables, table))

    def _step(self, number: str, above: str, more: str) -> None:
        known = self.ledger.versions[-1].steps or Steps("", ())
        if int(number) != len(known.steps) + 2:
            raise ValueError("steps are told in order, from the second")
        self._change(steps=replace(known, steps=(*known.steps, Step(scaled(above, 3), scaled(more, 6)))))

    def _monthly(self, day: str) -> None:
        self._change(steps=replace(self._steps(), period="month", day=int(day)))

    def _yearly(self, month: str, day: str) -> None:
        self._change(steps=replace(self._steps(), period="year", month=int(month), day=int(day)))

    def _moving_in(self, how: str) -> None:
        self._change(steps=replace(self._steps(), moving_in="full" if how == "in full" else "pro-rated"))

    def _steps(self) -> Steps:
        if (steps := self.ledger.versions[-1].steps) is None:
            raise ValueError("no step was told above")
        return steps

    def _surcharge(self, name: str, price: str, category: str | None) -> None:
        added = Surcharge(name, scaled(price, 6), category)
        self._change(surcharges=(*self.ledger.versions[-1].surcharges, added))

    def _fee(self, yuan: str) -> None:
        self._change(daily_fee_nano=scaled(yuan, 9))

    def _calendar(self) -> None:
        pass

    def _holiday(self, day: str) -> None:
        self.ledger.days = Days(self.ledger.days.rest | {date.fromisoformat(day)}, self.ledger.days.work)

    def _worked(self, day: str) -> None:
        self.ledger.days = Days(self.ledger.days.rest, self.ledger.days.work | {date.fromisoformat(day)})
