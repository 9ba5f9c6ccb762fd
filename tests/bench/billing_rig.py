"""A core with many meters, its calendar by hand and its monotonic time real, and midnights for it."""

from __future__ import annotations

import random
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from bridge.contract.clock import ManualClock
from bridge.contract.site_file import load
from bridge.contract.units import instant_exact, instant_text
from edge import install, process
from edge.accounts import Accounts
from edge.billing.tariff import local_midnight
from edge.book import Book
from edge.chores import Chores
from edge.closing import Closing
from edge.core import Core
from edge.settings import terms_of

START = datetime(2026, 1, 1, 2, 30, tzinfo=UTC)
RATES = ("sharp", "peak", "flat", "valley")
PRICES = {"sharp": "1.234567", "peak": "1.037919", "flat": "0.661703", "valley": "0.313337"}
"""Six decimals each, and no two with a common divisor that would hide a rounding."""

WINDOWS = (
    ("00:00", "08:00", "valley"), ("08:00", "10:00", "flat"), ("10:00", "12:00", "sharp"), ("12:00", "18:00", "flat"),
    ("18:00", "22:00", "peak"), ("22:00", "24:00", "valley"),
)  # fmt: skip

FULL_SCALE_WH = 10**9
FRAMES = (
    ("fefefefe68010203040506681104343339384816", "fefefefe6801020304050668910934333938333333333333b116"),
    ("fefefefe68010203040506681104343439384916", f"fefefefe68010203040506689118343439386{'7' * 39}5616"),
)
"""A question and an answer for the time and the registers of a midnight, as long as a DL/T 645 meter's are."""


class Wheel(ManualClock):
    """The calendar is turned by hand; slices are measured in real time."""

    def monotonic(self) -> float:
        return time.monotonic()


def site_text(meters: int) -> str:
    """One price by hours, a meter and an account for each room, every third meter behind a transformer."""
    windows = ", ".join(f'{{ from = "{since}", to = "{to}", rate = "{rate}" }}' for since, to, rate in WINDOWS)
    prices = ", ".join(f'{rate} = "{price}"' for rate, price in PRICES.items())
    rows = [
        '[site]\nname = "bench"\ngateway = "bench"\n[clock]\ntrust = "always"\n',
        f'[[tariffs]]\nid = "price"\nname = "price"\nkind = "tou"\nprices = {{ {prices} }}\nwindows = [{windows}]\n',
    ]
    for n in range(meters):
        if n % 32 == 0:
            rows.append(f'[[ports]]\nid = "line-{n // 32}"\ndevice = "sim/{n // 32}"\nprotocol = "dlt645-2007"\n')
        rows.append(
            f'[[meters]]\nid = "m{n:04d}"\nmodel = "dlt645-3p"\nport = "line-{n // 32}"\naddress = "{n + 1:012d}"\n'
            f'serial = "{n + 1:012d}"\nroom = "{n:04d}"\nmultiplier = {1 if n % 3 else 30}\n'
            f'[[accounts]]\nid = "a{n:04d}"\nname = "room {n:04d}"\nroom = "{n:04d}"\ntariff = "price"\n'
            f'meters = ["m{n:04d}"]\nopening = "900000.00"\n'
        )
    return "\n".join(rows)


class Rig:
    """Core and closing of a new book; `close_day` gives every midnight that is due and closes."""

    def __init__(self, directory: Path, meters: int, seed: int = 5):
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "site.toml").write_text(site_text(meters))
        site = load(directory / "site.toml")
        self.chance, self.clock = random.Random(seed), Wheel(START)
        self.book = Book(directory, self.clock, "bench")
        self.book.trusted = True
        self.core = core = Core(self.book, terms_of(site, (frozenset(), frozenset())), self.clock)
        install.fill(core, site)
        self.closing = Closing(core, Accounts(core, lambda meter: None), lambda *_: False)
        self.chores, self.slices_s = Chores(self.clock), [0.0]
        self.used_wh = {id: dict.fromkeys(RATES, 0) for id in core.state.meters}
        """What each meter has counted since it was opened, without a scale's end."""
        self.first_wh = {id: {r: self.chance.randrange(2_000_000) * 10 for r in RATES} for id in self.used_wh}
        """Registers as after some years; of every fifth meter the flat one is about to roll over."""
        for id in list(self.first_wh)[::5]:
            self.first_wh[id]["flat"] = FULL_SCALE_WH - 10 * self.chance.randrange(1, 10_000)
        drafts = []
        for id, meter in core.state.meters.items():
            fields = {"meter": id, "serial": meter.serial, **self.mark(id, START, "opening")}
            drafts.append(("opening/1", f"opening:{id}", fields))
        core.append(*drafts)
        process.settled()  # As the edge's main module does when it has begun.
        self.day = START.astimezone(core.terms.zone).date()

    def mark(self, id: str, at: datetime, source: str) -> dict[str, Any]:
        """A meter's registers, as its midnight gives them."""
        rates = {rate: (self.first_wh[id][rate] + used) % FULL_SCALE_WH for rate, used in self.used_wh[id].items()}
        total = sum(self.first_wh[id].values()) + sum(self.used_wh[id].values())
        return {
            "registers_wh": {"total": total % FULL_SCALE_WH, **rates},
            "at": instant_exact(at),
            "read_at": instant_text(at + timedelta(seconds=70)),
            "source": source,
            "frames": [list(pair) for pair in FRAMES],
        }

    def use(self) -> None:
        """A day's energy, in steps of the register; some are not at home."""
        for used in self.used_wh.values():
            for rate in RATES:
                used[rate] += self.chance.choice((0, self.chance.randrange(600), self.chance.randrange(3000))) * 10

    def give(self, missing: float = 0.0) -> None:
        """The day ends: its energy, and the midnight of every meter but those that have none."""
        self.use()
        midnight_day: date = self.day + timedelta(days=1)
        midnight = local_midnight(midnight_day, self.core.terms.zone)
        self.clock.advance((midnight - self.clock.now()).total_seconds() + 120)
        marks = self.closing._midnights._marks
        for id in self.core.state.meters:
            marks[id, midnight_day] = None if self.chance.random() < missing else self.mark(id, midnight, "freeze")
        self.day = midnight_day

    def close_day(self) -> float:
        """Close what was given; seconds it took, slice by slice as the loop does it."""
        began = time.perf_counter()
        self.chores.begin("closing", self.closing.work)
        while self.chores.waiting:
            slice_began = time.perf_counter()
            self.chores.work()
            self.slices_s.append(time.perf_counter() - slice_began)
        return time.perf_counter() - began
