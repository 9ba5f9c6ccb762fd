"""Which changes of price the judge is sure of: one that the gateway did not read, or read and lost, is guessed (R27).

The gateway reads a meter within a minute of a border, looks a second time at once, and writes both down when a later
reading has followed on them.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from firmware_sim.loads import WUS_PER_WH
from tests.bench.policy_seen import Seen
from tests.bench.policy_truth import Prices, at_wall, load_of, micros

BORDER_S = 55.0
"""A reading that comes later than a minute tells nothing of a change of price, and it is several exchanges long."""

AT_ONCE_S = 10.0
"""So soon comes the second look."""


class Borders:
    """Adds to what the judge allows for (`slack_nano`), meter by meter."""

    def __init__(self, prices: Prices):
        self._prices = prices

    def read(self, seen: Seen, before: float | None, at: datetime, mono: float, off_s: float, doubted: bool) -> None:
        """Registers were told at `at`, and at `before` the last time, in monotonic seconds; the gateway's calendar is
        `off_s` wrong, or it does not believe it, and what it reads then is of no certain moment."""
        at_once = before is not None and mono - before <= AT_ONCE_S
        if seen.border_us is not None and (at_once or self._late_s(seen.border_us, at, off_s) > BORDER_S):
            if not at_once:
                self._guessed(seen, at, mono - seen.round_mono)
            seen.border_us = None
        if not at_once:
            seen.round_mono = mono if before is None else before
        if before is None:
            return
        for border_us in self._prices.borders(seen.room.tariff, micros(at) - int((mono - before) * 1e6), micros(at)):
            if self._late_s(border_us, at, off_s) > BORDER_S or doubted:
                self._guessed(seen, at, mono - before)
            else:
                seen.border_us = border_us
                self._unsure(seen, (micros(at) - border_us) / 1e6 + 15)

    def lost(self, seens: Iterable[Seen], at: datetime, mono: float, copied_us: int | None = None) -> None:
        """The gateway has gone: what it read at a change of price and has not written down is lost; where a copy is
        put back, also what was written since that was made."""
        for seen in seens:
            gap_s = mono - seen.round_mono
            since_us = micros(at) - int(gap_s * 1e6)
            if self._prices.borders(seen.room.tariff, min(since_us, copied_us or since_us), micros(at)):
                self._guessed(seen, at, gap_s)
            seen.border_us = None

    @staticmethod
    def _late_s(border_us: int, at: datetime, off_s: float) -> float:
        return (micros(at) - border_us) / 1e6 + abs(off_s)

    def _guessed(self, seen: Seen, at: datetime, gap_s: float) -> None:
        """A change of price without a reading is laid on the straight line from the last bill to the next: what was
        used on those days may be at another price, each day once however often it was guessed."""
        zone, load = self._prices.zone, load_of(seen.meter, self._prices.zone)
        day, last = (at - timedelta(seconds=gap_s)).astimezone(zone).date(), at.astimezone(zone).date()
        while day <= last:
            if day not in seen.guessed_days:
                seen.guessed_days.add(day)
                begins, ends = (micros(at_wall(each, 0, zone)) for each in (day, day + timedelta(days=1)))
                wh = load.energy_wus(begins, ends) * seen.meter.multiplier // WUS_PER_WH
                seen.slack_nano += wh * self._prices.spread(seen.room.tariff)
            day += timedelta(days=1)
        seen.unsure_until = at + timedelta(hours=26)

    def _unsure(self, seen: Seen, seconds: float) -> None:
        wh = seen.meter.watts * seen.meter.multiplier * 1.3 * seconds / 3600
        seen.slack_nano += int(wh * self._prices.spread(seen.room.tariff))
