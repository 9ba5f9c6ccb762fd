"""What a meter can still tell of the past, worked out when it is asked: nothing is written down each hour.

The load is a function of time, so any register of the last weeks follows from the newest checkpoint before it and
from when the contact let the load run. Kept are checkpoints (one a midnight), switchings, dark hours and clock
settings; hourly freezes, load records and demand cost nothing until somebody reads them.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

from .instants import MINUTE_US, us_of, wall_of
from .loads import Load

CHECKPOINTS = 63
SWITCHINGS = 400
"""More than a relay of a shop sees in two months. What lies before the oldest counts as it stood then."""
CLOCKS = 32
DARK = 32
KEPT = ("checkpoints", "flows", "dark", "clocks")


class OwnClock:
    """A meter's clock: set once, then off by `ppm` for ever. All integers, so that it can be asked backwards."""

    def __init__(self, at_us: int, offset_s: int = 0, ppm: int = 0):
        self.set_at_us, self.set_to_us, self.ppm = at_us, at_us + offset_s * 1_000_000, ppm

    def shown_us(self, at_us: int) -> int:
        """What this clock shows at the true instant `at_us`."""
        passed = at_us - self.set_at_us
        return self.set_to_us + passed + passed * self.ppm // 1_000_000

    def true_us(self, shown_us: int) -> int:
        """The first true instant at which this clock shows `shown_us` or later."""
        ahead = shown_us - self.set_to_us
        return self.set_at_us - (-ahead * 1_000_000 // (1_000_000 + self.ppm))  # rounded up

    def adjust(self, at_us: int, to_us: int) -> None:
        """Set the clock: at the true instant `at_us` it shows `to_us`."""
        self.set_at_us, self.set_to_us = at_us, to_us


class History:
    """The past of one meter from `start_us` on, when its total was `total_wus` and its clock stood as given."""

    def __init__(self, load: Load, start_us: int, total_wus: int, clock: OwnClock):
        self.load, self.ppm = load, clock.ppm
        self.checkpoints = [(start_us, total_wus)]
        self.flows = [(start_us, True)]
        """(from, whether the load ran from then on)."""
        self.dark: list[list[int]] = []
        """[from, to] without supply; no `to` while it lasts."""
        self.clocks = [(start_us, clock.set_at_us, clock.set_to_us)]
        """(from, clock set at, clock set to)."""

    # -- what happens ------------------------------------------------------------------------------------------

    def checkpoint(self, at_us: int, total_wus: int) -> None:
        self.checkpoints.append((at_us, total_wus))
        del self.checkpoints[:-CHECKPOINTS]

    def flow(self, at_us: int, flowing: bool) -> None:
        self.flows.append((at_us, flowing))
        del self.flows[:-SWITCHINGS]

    def darken(self, at_us: int, dark: bool) -> None:
        if dark:
            self.dark.append([at_us])
            del self.dark[:-DARK]
        elif self.dark and len(self.dark[-1]) == 1:
            self.dark[-1].append(at_us)

    def clock_set(self, at_us: int, clock: OwnClock) -> None:
        self.clocks.append((at_us, clock.set_at_us, clock.set_to_us))
        del self.clocks[:-CLOCKS]

    # -- what was ----------------------------------------------------------------------------------------------

    def total_wus_at(self, at_us: int) -> int:
        """The total register at a past instant, exactly. Raises LookupError where memory does not reach."""
        spot = bisect_right(self.checkpoints, at_us, key=lambda each: each[0]) - 1
        if spot < 0:
            raise LookupError("before the oldest checkpoint")
        from_us, total = self.checkpoints[spot]
        return total + self.energy_wus(from_us, at_us)

    def energy_wus(self, from_us: int, to_us: int) -> int:
        """Energy that went through between two past instants."""
        return sum(self.load.energy_wus(begin, end) for begin, end in self.spans(from_us, to_us))

    def spans(self, from_us: int, to_us: int) -> Iterator[tuple[int, int]]:
        """The parts of [from_us, to_us) in which the load ran."""
        spot = max(0, bisect_right(self.flows, from_us, key=lambda each: each[0]) - 1)
        begin = from_us
        while begin < to_us:
            end = min(to_us, self.flows[spot + 1][0]) if spot + 1 < len(self.flows) else to_us
            if self.flows[spot][1] and end > begin:
                yield begin, end
            begin, spot = max(begin, end), spot + 1

    def flowing_at(self, at_us: int) -> bool:
        spot = max(0, bisect_right(self.flows, at_us, key=lambda each: each[0]) - 1)
        return self.flows[spot][1]

    def dark_at(self, at_us: int) -> bool:
        return any(gap[0] <= at_us and (len(gap) == 1 or at_us < gap[1]) for gap in self.dark)

    def marks(self, now_us: int, minutes: int, zone: ZoneInfo) -> Iterator[tuple[int, int]]:
        """(true instant, instant shown) whenever the own clock showed a multiple of `minutes` after the full hour or
        midnight, newest first, back to where memory ends. Without supply there is none."""
        oldest, step = self.checkpoints[0][0], minutes * MINUTE_US
        until_us = now_us
        for from_us, set_at_us, set_to_us in reversed(self.clocks):
            clock = OwnClock(0, 0, self.ppm)
            clock.adjust(set_at_us, set_to_us)
            shown = clock.shown_us(until_us)
            wall = wall_of(shown, zone)
            midnight_us = us_of(wall.replace(hour=0, minute=0, second=0, microsecond=0))
            mark = midnight_us + (shown - midnight_us) // step * step
            while (at_us := clock.true_us(mark)) > max(from_us, oldest - 1):
                if at_us <= until_us and not self.dark_at(at_us):
                    yield at_us, mark
                mark -= step
            until_us = from_us
            if until_us <= oldest:
                return

    # -- memory ------------------------------------------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        """JSON values."""
        return {name: [list(each) for each in getattr(self, name)] for name in KEPT}

    def restore(self, kept: dict[str, Any]) -> None:
        """Take back what `state` gave."""
        self.checkpoints = [(at, total) for at, total in kept["checkpoints"]]
        self.flows = [(at, flowing) for at, flowing in kept["flows"]]
        self.dark = [list(gap) for gap in kept["dark"]]
        self.clocks = [(at, set_at, set_to) for at, set_at, set_to in kept["clocks"]]
