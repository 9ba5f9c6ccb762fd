"""What is left in a tenant's wallet: posted, provisional, available; by the state, the newest readings and the prices.

Nothing here is stored: provisional use is worked out anew whenever somebody asks.
"""

from __future__ import annotations

import logging
from datetime import datetime
from typing import TYPE_CHECKING, Any

from bridge.contract.units import instant_of_micros, micros_of
from edge.billing import rating
from edge.billing.rating import Charge, NotRatable
from edge.billing.spans import GUESSED, behind
from edge.billing.tariff import Version
from edge.pricing import ENERGY, WATER, Counters
from edge.state import AccountState, Mark, MeterState

if TYPE_CHECKING:
    from edge.core import Core

log = logging.getLogger("riser.edge")

FREEZE_SETTLES_US = 15 * 60 * 1_000_000
"""Around a midnight a reading may be older than the frozen register, by as much as the meter's clock is off."""


class Balances:
    """The money of one core, as of now."""

    def __init__(self, core: Core):
        self._core = core
        self._worked_out: dict[str, list[tuple[tuple[Any, ...], Charge]]] = {}  # by meter, the newest two

    def unit(self, meter: MeterState) -> str:
        """What a meter counts, as bills name it."""
        return WATER if self._core.lives[meter.id].model.quantity == "volume" else ENERGY

    def version_now(self, account: AccountState, unit: str = ENERGY) -> Version:
        """The price version of this moment; while the calendar is not believed, that of the newest believed entry. An
        account that has water only is judged by the price of water."""
        unit = unit if self._core.pricing.versions(account, unit) else WATER
        return self._core.pricing.version_at(account, self.believed_at(), unit)

    def believed_at(self) -> datetime:
        """Now; while the calendar is not believed, the instant of the newest believed entry."""
        known = self._core.book.trusted or not self._core.state.newest_at
        return self._core.now() if known else instant_of_micros(self._core.state.newest_at)

    def provisional(
        self, account: AccountState, meter: MeterState, counters: Counters, twice: bool = False
    ) -> Charge | None:
        """What a meter used since its last billed register, priced; recomputed, never stored.

        `twice` takes the reading before the newest, which the newest one has confirmed. None while there is nothing
        to compare. Raises NotRatable.
        """
        live, billed = self._core.lives[meter.id], meter.billed
        sample = (live.before if twice else live.sample) or live.floor
        if billed is None or sample is None:
            return None
        at = micros_of(sample.read_at)
        if sample.told and at <= billed.at and billed.source in GUESSED:
            return None  # It was guessed from that very reading on.
        was_wh, is_wh = billed.registers_wh["total"], sample.registers_wh["total"]
        full_wh, old = live.model.full_scale_wh, not sample.told or at < billed.at + FREEZE_SETTLES_US
        if old and behind(was_wh, is_wh, full_wh):
            return None
        if not (known := self._core.book.trusted) or not sample.told:
            at = micros_of(self.believed_at())
        end = Mark(sample.registers_wh, max(at, billed.at + 1), "read")
        unit = self.unit(meter)
        # All that a charge follows from: an account is looked at far more often than any of it changes.
        basis = (
            account.id, len(account.meters), sample, billed, len(meter.borders), meter.multiplier, meter.table_found,
            meter.table_differs, counters.get(unit), self._core.pricing.revision, self._core.state.days,
        )  # fmt: skip
        kept = self._worked_out.setdefault(meter.id, [])
        for before, charge in kept:
            if known and before == basis:
                return charge
        borders = [mark for mark in meter.borders if mark.at < end.at]
        if not sample.told:  # It may be older than some of them.
            borders = [mark for mark in borders if not behind(mark.registers_wh["total"], is_wh, full_wh)]
        version = self.version_now(account, unit)
        charge = self._core.pricing.charge(
            account, [billed, *borders, end], meter.multiplier, full_wh,
            unit=unit, borders=self._core.pricing.told_by_borders(account, meter, unit, billed.at, end.at),
            counters=counters,
            only=None if known else version,  # Where a change of price lies is not known while the day is not.
        )  # fmt: skip
        if known:
            kept[:] = [(basis, charge), *kept[:1]]
        return charge

    def provisional_nano(self, account: AccountState, twice: bool = False) -> tuple[int, int]:
        """(nano-yuan, Wh) used by all meters of an account and not yet posted."""
        nano, used, _ = self.unposted(account, twice)
        return nano, used[ENERGY]

    def unposted(self, account: AccountState, twice: bool = False) -> tuple[int, dict[str, int], Counters]:
        """(nano-yuan, Wh or litres by unit, step counters by unit) with what all meters used and is not yet posted."""
        counters, nano, used = dict(account.counters), 0, {ENERGY: 0, WATER: 0}
        for id in account.meters:
            meter = self._core.state.meters[id]
            try:
                charge = self.provisional(account, meter, counters, twice)
            except NotRatable as trouble:
                log.warning("account %s, meter %s: %s", account.id, id, trouble)
                continue
            if charge is not None:
                counters[unit := self.unit(meter)] = charge.counter
                nano += rating.amount_nano(charge.lines)
                used[unit] += rating.energy_wh(charge.lines)
        return nano, used, counters

    def guessed(self, account: AccountState) -> bool:
        """True where what is not billed yet is priced by a guess: a change of price that no reading marks, or hours
        by registers that follow other hours, until the next charge tells them by readings (R27, R28); or rests on a
        reading that nobody could judge, for it was taken while the time was not known."""
        return any(self._guessed(account, self._core.state.meters[id]) for id in account.meters)

    def _guessed(self, account: AccountState, meter: MeterState) -> bool:
        if self._core.lives[meter.id].unproven:
            return True
        if meter.table_found and not meter.table_differs and self.version_now(account, self.unit(meter)).by_hours:
            return True
        try:
            charge = self.provisional(account, meter, account.counters)
        except NotRatable:
            return True
        return charge is not None and bool(charge.guessed)

    def available_nano(self, account: AccountState) -> int:
        """Posted minus provisional, by the newest reading of each meter: what people see."""
        return self._core.state.posted_nano(account.id) - self.provisional_nano(account)[0]

    def surely_nano(self, account: AccountState, available_nano: int) -> int:
        """What is left by the newest readings and by the ones before them, whichever leaves more: nobody is warned or
        cut on a single frame whose sum was right by chance (failure 5)."""
        return max(
            available_nano, self._core.state.posted_nano(account.id) - self.provisional_nano(account, twice=True)[0]
        )
