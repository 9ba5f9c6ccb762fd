"""What an account pays for what its meters used: the versions of its tariff, its step counters, its category.

Reads a state and nothing else, so the loop and whoever checks its book afterwards price alike.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from bridge.contract.units import exact_of_micros, instant_of
from edge.billing import rating, steps, tariff
from edge.billing.rating import Charge, ChargeLine, Payer
from edge.billing.spans import Rules
from edge.billing.tariff import Version
from edge.state import AccountState, Counter, Mark, MeterState, State

ENERGY, WATER = "kWh", "m3"
"""What is counted, as bills name it. A price of m3 is charged on litres, one of kWh on Wh."""

Counters = dict[str, Counter]
"""By unit, what an account has used of its step period."""


class Pricing:
    """The prices of one state. Call `refresh` when a tariff was added."""

    def __init__(self, state: State, zone: ZoneInfo):
        self._state, self._zone = state, zone
        self._versions: dict[str, list[Version]] = {}
        self.refresh()

    def refresh(self) -> None:
        self._versions = {id: [tariff.version_of(each) for each in all] for id, all in self._state.tariffs.items()}

    def versions(self, account: AccountState, unit: str = ENERGY) -> list[Version]:
        """All versions of the account's tariff for a unit; none where it has no price of that."""
        return self._versions.get(tariff_id(account, unit) or "", [])

    def version_at(self, account: AccountState, at: datetime, unit: str = ENERGY) -> Version:
        """The price version in force for an account at an instant."""
        return tariff.in_force(self.versions(account, unit), at)

    def payer(self, account: AccountState) -> Payer:
        return Payer(_local_day(account.row["since"], self._zone), account.row.get("category"))

    def charge(
        self,
        account: AccountState,
        marks: Sequence[Mark],
        multiplier: int,
        full_scale_wh: int,
        *,
        unit: str,
        borders: bool,
        counters: Mapping[str, Counter],
        only: Version | None = None,
    ) -> Charge:
        """Price a meter's use from the first mark to the last; all of it by `only` where that is given. Raises
        NotRatable."""
        rules = Rules([only] if only else self.versions(account, unit), self._zone, self._state.days, borders)
        counter = counters.get(unit, Counter())
        return rating.charge(marks, multiplier, full_scale_wh, rules, self.payer(account), counter)

    def more_micro(self, account: AccountState, version: Version, at: datetime) -> int:
        """What steps and surcharges add to the price of the next unit."""
        more = sum(each.micro for each in version.surcharges_of(account.row.get("category")))
        if version.steps is None:
            return more
        period = version.steps.begins(at.astimezone(self._zone).date())
        counter = account.counters.get(version.unit, Counter())
        used = counter.used_wh if counter.period == period else 0
        return more + steps.addition_at(used, version.steps.for_period(period, self.payer(account).since))


@lru_cache(maxsize=8192)
def _local_day(instant: str, zone: ZoneInfo) -> date:
    return instant_of(instant).astimezone(zone).date()


def tariff_id(account: AccountState, unit: str) -> str | None:
    """The tariff by which an account pays for a unit."""
    found: str | None = account.row.get("water_tariff") if unit == WATER else account.row["tariff"]
    return found


def by_borders(meter: MeterState, version: Version) -> bool:
    """R28: hours are told apart by readings at their borders where the meter has no register per rate of the price, or
    its own time table is another."""
    return version.by_hours and (meter.table_differs or not meter.row.get("rates", False))


def mark_body(mark: Mark) -> dict[str, Any]:
    """A mark as an entry holds it."""
    return {
        "registers_wh": mark.registers_wh, "at": exact_of_micros(mark.at), "source": mark.source,
    }  # fmt: skip


def line_body(line: ChargeLine) -> dict[str, Any]:
    """A line as an entry holds it."""
    return dict(vars(line))


def counter_body(counter: Counter) -> dict[str, Any]:
    """A step counter as an entry holds it."""
    return {"period": None if counter.period is None else counter.period.isoformat(), "used_wh": counter.used_wh}
