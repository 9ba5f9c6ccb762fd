"""A midnight that no daily freeze and no border read gave: the next best, in this order, each saying what it is (R24).

1. the meter's load record of that midnight;  2. readings within two hours on both sides of it, interpolated;
3. an estimate by its last seven whole days, for at most three days in a row;  4. nothing: the day closes deferred,
and the next charge spans it. Whatever was guessed is settled by the next real register.
"""

from __future__ import annotations

import logging
from datetime import date, datetime, timedelta
from typing import Any

from bridge.contract.units import instant_exact, instant_of_micros, instant_text, micros_of
from edge.billing.spans import GUESSED, NEAR_US, Rules
from edge.billing.tariff import SINGLE, local_midnight
from edge.core import Core
from edge.guesses import estimated, interpolated
from edge.load_record import LoadRecord
from edge.nearby import SETTLED_US, WITHIN, Nearby
from edge.pricing import mark_body
from edge.state import AccountState, Mark, MeterState

log = logging.getLogger("riser.closing")

ESTIMATED_AT_MOST = 3
"""Days in a row that are estimated; a tenant's bill does not rest on guesses for longer (R24)."""


class Fallbacks:
    """Finds what stands for a midnight that is lost."""

    def __init__(self, core: Core):
        self._core = core
        self._records = LoadRecord(core)
        self._nearby: dict[date, Nearby] = {}

    def searching(self, account: AccountState, meter: MeterState, midnight: date, now: datetime) -> bool:
        """Look for what is better than an estimate. True while that may still come."""
        if meter.billed is None or meter.quarantined is not None:
            return False
        if self._total_will_do(account, meter, midnight) and self._records.want(meter, midnight):
            return True
        if self._records.mark(meter.id, midnight) is not None:
            return False
        instant = local_midnight(midnight, self._core.terms.zone)
        if (near := self._nearby.get(midnight)) is None:
            near = self._nearby[midnight] = Nearby(self._core.book, instant)
        if not near.look():
            return True
        if meter.id in near.after or not self._before(near, meter, instant):
            return False
        return not near.whole and now < instant + WITHIN + timedelta(microseconds=SETTLED_US)

    def mark(self, account: AccountState, meter: MeterState, midnight: date) -> dict[str, Any] | None:
        """The end of a charge that stands for this midnight, or None where even an estimate has no ground."""
        if meter.billed is None or meter.quarantined is not None:
            return None
        if (record := self._records.mark(meter.id, midnight)) is not None:
            return record
        instant = local_midnight(midnight, self._core.terms.zone)
        return self._interpolated(account, meter, midnight, instant) or self._estimated(meter, midnight, instant)

    def forget(self, meters: list[str], midnight: date) -> None:
        """The day is closed for these meters."""
        for meter in meters:
            self._records.forget(meter, midnight)
        for day in [day for day in self._nearby if (midnight - day).days > ESTIMATED_AT_MOST]:
            del self._nearby[day]

    def changed(self, meter: str) -> None:
        """The meter's records and readings of before are another's."""
        self._records.changed(meter)
        for near in self._nearby.values():
            near.before.pop(meter, None)
            near.after.pop(meter, None)

    def _total_will_do(self, account: AccountState, meter: MeterState, midnight: date) -> bool:
        """Whether the total alone can be charged: a load record holds no more."""
        core, billed = self._core, meter.billed
        assert billed is not None
        unit, at = core.balances.unit(meter), micros_of(local_midnight(midnight, core.terms.zone))
        if core.pricing.told_by_borders(account, meter, unit, billed.at, at):
            return True
        return not any(version.by_hours for version in core.pricing.versions(account, unit))

    def _before(self, near: Nearby, meter: MeterState, instant: datetime) -> list[Mark]:
        """Real readings in the two hours before midnight, the register that was charged last among them."""
        assert meter.billed is not None
        found = [mark for mark in near.before.get(meter.id, []) if mark.at > meter.billed.at]
        if meter.billed.source not in GUESSED and meter.billed.at >= micros_of(instant - WITHIN):
            found.insert(0, meter.billed)
        return found[-2:]

    def _interpolated(
        self, account: AccountState, meter: MeterState, midnight: date, instant: datetime
    ) -> dict[str, Any] | None:
        near = self._nearby.get(midnight)
        if near is None or meter.id not in near.after or not (before := self._before(near, meter, instant)):
            return None
        assert meter.billed is not None
        core, at, unit = self._core, micros_of(instant), self._core.balances.unit(meter)
        borders = core.pricing.told_by_borders(account, meter, unit, meter.billed.at, at)
        rules = Rules(core.pricing.versions(account, unit), core.terms.zone, core.state.days, borders)
        full = core.lives[meter.id].model.full_scale_wh
        mark = interpolated([*before, *near.after[meter.id]], at, rules, full)
        return None if mark is None else _body(mark, [before[-1], near.after[meter.id][0]])

    def _estimated(self, meter: MeterState, midnight: date, instant: datetime) -> dict[str, Any] | None:
        billed = meter.billed
        assert billed is not None
        zone, at = self._core.terms.zone, micros_of(instant)
        days = (midnight - instant_of_micros(billed.at + NEAR_US).astimezone(zone).date()).days
        if meter.estimated_days + days > ESTIMATED_AT_MOST:
            return None
        base, later = self._around(meter, billed, at)
        full = self._core.lives[meter.id].model.full_scale_wh
        mark = estimated(base, later, meter.days, at, full, flows=meter.known != "open")
        if mark is None:
            return None
        log.warning("meter %s: its register at midnight of %s is estimated", meter.id, midnight)
        return _body(mark, [base, *([later] if later else [])]) | {"days": meter.days}

    def _around(self, meter: MeterState, billed: Mark, at: int) -> tuple[Mark, Mark | None]:
        """The last that is known of a meter before an instant, and the first after it."""
        live, base, later = self._core.lives[meter.id], billed, None
        for sample in (live.floor, live.before, live.sample):
            if sample is None or not sample.believed or SINGLE not in sample.registers_wh:
                continue
            mark = Mark(sample.registers_wh, micros_of(sample.read_at), "read")
            if base.at < mark.at <= at:
                base = mark
            elif mark.at > at and (later is None or mark.at < later.at):
                later = mark
        return base, later


def _body(mark: Mark, rests_on: list[Mark]) -> dict[str, Any]:
    """A guess as the end of a charge: what it rests on instead of frames."""
    read_at = instant_text(instant_of_micros(max(each.at for each in rests_on)))
    return {
        **mark_body(mark),
        "at": instant_exact(instant_of_micros(mark.at)),
        "read_at": read_at,
        "frames": [],
        "rests_on": [mark_body(each) for each in rests_on],
    }
