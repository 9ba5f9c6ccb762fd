"""What an account pays for what its meters used: the versions of its tariff, its step counters, its category.

Reads a state and nothing else, so the loop and whoever checks its book afterwards price alike.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from bridge.contract.units import exact_of_micros, instant_of, instant_of_micros
from edge.billing import rating, steps, tariff
from edge.billing.climbing import climbing, until
from edge.billing.rating import Charge, ChargeLine, Payer
from edge.billing.spans import ESTIMATED, NEAR_US, Rules
from edge.billing.tariff import Version
from edge.state import AccountState, Counter, Mark, MeterState, Registers, State

ENERGY, WATER = "kWh", "m3"
"""What is counted, as bills name it. A price of m3 is charged on litres, one of kWh on Wh."""

CORRECTED = "corrected"
"""The source of a register that two people put right."""

Counters = dict[str, Counter]
"""By unit, what an account has used of its step period."""


@dataclass(frozen=True)
class Standing:
    """Where an account stands in its step period: what it used, the step of the next unit, where the next one begins,
    and what a unit costs more now."""

    period: date
    used_wh: int
    step: int
    next_wh: int | None
    add_micro: int


class Pricing:
    """The prices of one state. Call `refresh` when a tariff was added."""

    def __init__(self, state: State, zone: ZoneInfo):
        self._state, self._zone = state, zone
        self._versions: dict[str, list[Version]] = {}
        self.revision = 0
        """Grows whenever there may be another price."""
        self.refresh()

    def refresh(self) -> None:
        self.revision += 1
        self._versions = {id: [tariff.version_of(each) for each in all] for id, all in self._state.tariffs.items()}

    def versions(self, account: AccountState, unit: str = ENERGY) -> list[Version]:
        """All versions of the account's tariff for a unit; none where it has no price of that."""
        return self._versions.get(tariff_id(account, unit) or "", [])

    def version_at(self, account: AccountState, at: datetime, unit: str = ENERGY) -> Version:
        """The price version in force for an account at an instant."""
        return tariff.in_force(self.versions(account, unit), at)

    def next_change(self, account: AccountState, after: datetime) -> datetime | None:
        """The next instant at which an account has another price; None where none is set."""
        known = [*self.versions(account), *self.versions(account, WATER)]
        return min((each.effective_at for each in known if each.effective_at > after), default=None)

    def payer(self, account: AccountState) -> Payer:
        since = _local_day(account.row["since"], self._zone)
        return Payer(since, account.row.get("category"), shares=len(account.meters) > 1)

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

    def put_right(
        self, account: AccountState, meter: MeterState, right: Registers, full_scale_wh: int, *, unit: str,
        borders: bool, charged: bool,
    ) -> Charge:  # fmt: skip
        """What the right register makes of the one the meter was charged to last, wrongly: as an estimate is trued up,
        at the price of the moment before. An opening, to which nothing was `charged`, costs nothing. Raises
        NotRatable."""
        billed = meter.billed
        assert billed is not None
        end = Mark(right, billed.at, CORRECTED)
        if not charged:
            return Charge((billed, end), (), account.counters.get(unit, Counter()))
        wrong = Mark(billed.registers_wh, 2 * moment_before(billed) - billed.at, ESTIMATED)
        return self.charge(
            account, [wrong, end], meter.multiplier, full_scale_wh,
            unit=unit, borders=borders, counters=account.counters,
        )  # fmt: skip

    def told_by_borders(self, account: AccountState, meter: MeterState, unit: str, first: int, last: int) -> bool:
        """Whether the hours of a span are told apart by readings at borders: all of it, never some of it (R28)."""
        span = within(self.versions(account, unit), instant_of_micros(first), instant_of_micros(last))
        return any(by_borders(meter, each) for each in span)

    def dearest_micro(self, account: AccountState, version: Version) -> int:
        """What a unit can cost at most under a version, in its dearest hour and on its highest step."""
        more = sum(each.micro for each in version.surcharges_of(account.row.get("category")))
        highest = 0 if version.steps is None else max((step.add_micro for step in version.steps.steps), default=0)
        return max(version.prices_micro.values()) + more + max(highest, 0)

    def to_come(self, account: AccountState, version: Version, after: datetime) -> list[Version]:
        """A version, and those of its unit that will count after it, in that order: they are approved, so they are
        known."""
        later = [each for each in self.versions(account, version.unit) if each.effective_at > after]
        return [version, *sorted(later, key=lambda each: (each.effective_at, each.version))]

    def ahead(
        self, account: AccountState, version: Version, at: datetime, days: int, counters: Mapping[str, Counter],
        load_w: int,
    ) -> Iterator[tuple[datetime, datetime, int]]:  # fmt: skip
        """Spans (from, to, micro-yuan per unit) from an instant on, over each price that begins meanwhile, with
        surcharges, and with the steps that a steady load climbs from where the `counters` stand."""
        in_turn, begins = self.to_come(account, version, at), at
        ends: list[datetime | None] = [*(each.effective_at for each in in_turn[1:]), None]
        last = at.astimezone(self._zone).date() + timedelta(days=days)
        for each, end in zip(in_turn, ends, strict=True):
            left = (last - begins.astimezone(self._zone).date()).days
            more = sum(one.micro for one in each.surcharges_of(account.row.get("category")))
            spans = each.ahead(begins, self._zone, left, self._state.days, more)
            spans = spans if end is None else until(spans, end)
            standing = self.standing(account, each, begins, counters)
            if each.steps is None or standing is None or load_w <= 0:
                yield from spans
            else:
                since = self.payer(account).since
                period, used_wh = yield from climbing(spans, load_w, standing.used_wh, each.steps, since, self._zone)
                counters = {**counters, each.unit: Counter(period, used_wh)} if period else counters
            begins = end or begins

    def standing(
        self, account: AccountState, version: Version, at: datetime, counters: Mapping[str, Counter]
    ) -> Standing | None:
        """Where an account stands in its step period; None for a price without steps."""
        if version.steps is None:
            return None
        period = version.steps.begins(at.astimezone(self._zone).date())
        counter = counters.get(version.unit, Counter())
        used = counter.used_wh if counter.period == period else dict(counter.others).get(period, 0)
        bounds = version.steps.for_period(period, self.payer(account).since)
        above = [step.above_wh for step in bounds]
        return Standing(
            period, used, 1 + sum(bound <= used for bound in above), next((b for b in above if b > used), None),
            steps.addition_at(used, bounds),
        )  # fmt: skip


def moment_before(billed: Mark) -> int:
    """A moment that surely belongs to the last piece of the charge which ends at a register: it may stand a little
    behind the border that it was read for, and a price that began in between is not its price."""
    return billed.at - NEAR_US - 1


def within(versions: Sequence[Version], begins: datetime, ends: datetime) -> tuple[Version, ...]:
    """The version in force when a span begins, and those that become effective within it."""
    later = (each for each in versions if begins < each.effective_at < ends)
    return tariff.in_force(versions, begins), *later


@lru_cache(maxsize=8192)
def _local_day(instant: str, zone: ZoneInfo) -> date:
    return instant_of(instant).astimezone(zone).date()


def tariff_id(account: AccountState, unit: str) -> str | None:
    """The tariff by which an account pays for a unit."""
    found: str | None = account.row.get("water_tariff") if unit == WATER else account.row["tariff"]
    return found


def by_borders(meter: MeterState, version: Version) -> bool:
    """R28: hours are told apart by readings at their borders where the meter has no register per rate of the price, its
    own time table is another, or the last charge ended on a total alone, as from a load record."""
    if not version.by_hours or meter.table_differs or not meter.row.get("rates", False):
        return version.by_hours
    return meter.billed is not None and not set(version.rates) <= meter.billed.registers_wh.keys()


def reads_hours(meter: MeterState) -> bool:
    """Whether a meter is read at the borders of hours: also where only the next charge will want that."""
    return meter.table_differs or bool(meter.table_found) or not meter.row.get("rates", False)


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
    body = {"period": None if counter.period is None else counter.period.isoformat(), "used_wh": counter.used_wh}
    return body | ({"others": [[day.isoformat(), wh] for day, wh in counter.others]} if counter.others else {})


def counter_of(body: dict[str, Any]) -> Counter:
    """The counter that `counter_body` wrote."""
    period = None if body["period"] is None else date.fromisoformat(body["period"])
    others = tuple((date.fromisoformat(day), wh) for day, wh in body.get("others", ()))
    return Counter(period, body["used_wh"], others)
