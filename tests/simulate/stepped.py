"""What a load costs more where a price has steps (R29): its energy by periods of the counter, beside its plain cost.

The counter is the account's, over all its meters; a step adds to the price of the hour.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime

from firmware_sim.loads import WUS_PER_WH
from tests.bench.policy_seen import Seen
from tests.bench.policy_site import RoomMeter
from tests.bench.policy_truth import Prices, Used, micros

NEAR_BORDER_US = 4 * 86_400 * 10**6
"""A charge that spans the border of two periods counts in that of its middle; days that were closed late span more."""


class SteppedUsed(Used):
    """One meter's, with its energy in W·µs by period."""

    def __init__(self, meter: RoomMeter, tariff: str, prices: Prices):
        super().__init__(meter, tariff, prices)
        self.energy: Counter[int] = Counter()
        self.told_energy: list[Counter[int]] = []

    def until(self, at: datetime) -> int:
        if self.since_us is not None and self.flowing and micros(at) > self.since_us:
            begins, ends = self.since_us, micros(at)
            period = self._prices.period(self._tariff, ends)
            for a, b in ((begins, min(period, ends)), (max(begins, period), ends)):
                if b > a:
                    used = self._load.energy_wus(a, b) * self._meter.multiplier
                    self.energy[self._prices.period(self._tariff, a)] += used
        return super().until(at)

    def tell(self, at: datetime) -> None:
        super().tell(at)
        if self.stands is None:
            self.told_energy = [*self.told_energy[-1:], Counter(self.energy)]


def used_of(meter: RoomMeter, tariff: str, prices: Prices) -> Used:
    """By the kind of the price."""
    return (SteppedUsed if tariff in prices.steps else Used)(meter, tariff, prices)


def added_nano(prices: Prices, tariff: str, energies: Iterable[Counter[int]]) -> int:
    """What an account's meters cost more in all periods."""
    if tariff not in prices.steps:
        return 0
    whole = sum(energies, Counter[int]())
    return sum(prices.steps[tariff].added_nano(wus // WUS_PER_WH) for wus in whole.values())


def slack_nano(prices: Prices, seens: list[Seen], at_us: int) -> int:
    """Near the border of two periods it may honestly be counted in either."""
    tariff = seens[0].room.tariff
    if tariff not in prices.steps or at_us - prices.period(tariff, at_us) > NEAR_BORDER_US:
        return 0
    wh = sum(seen.meter.watts * seen.meter.multiplier for seen in seens) * 13 // 10 * NEAR_BORDER_US // (3600 * 10**6)
    return 2 * wh * max(micro for _, micro in prices.steps[tariff].bounds)
