"""When an entry may say that its time is believed (I16), by what the kernel and the book said then (R25)."""

from __future__ import annotations

from collections.abc import Iterator

from tests.simulate.house import House
from tests.simulate.known import Known
from tests.simulate.rows import Entry

HEARD_S = 12.0
"""So long after the kernel's word the edge must have heard it."""
INSTALLING = ("genesis/1", "tariff/2", "meter/1", "account/1", "opening-balance/1", "mode/1")
"""What a gateway writes before it looks at its clock for the first time."""
NOTICED_S = 3 * 900.0
"""Rounds after which the meters' clocks have told a calendar that it is wrong."""
WELL_S = 700.0
"""A little less than what a town is given after its last day."""
READ_AGAIN_S = 900.0 + 300.0
"""A round and some minutes: where the calendar has moved by more than R25 grants, the meters' clocks are read first."""
LONG_US = 6 * 3600 * 10**6
"""After so long a gateway reads the meters' clocks first."""
BACK_US = 300 * 10**6
"""A clock so far behind an entry that was believed has stepped back."""


def clock_waits(house: House) -> bool:
    """The calendar came right moments ago, and not every meter was asked for the time since."""
    return house.mono - house.clock.wrong_until < READ_AGAIN_S


def r25(house: House, whole: bool) -> Iterator[str]:
    """Once the clock has been right and the kernel sure of it for some hours it is believed; when nothing at all is
    wrong any more (`whole`), after some minutes, or after a round of readings."""
    core = house.edge.core
    well = house.mono - house.kernel_said_at >= WELL_S and not clock_waits(house) and (whole or not house.may_doubt)
    if core.mode == "time" and well:
        yield f"its clock is right and the kernel says so, and the gateway does not believe it: {core.mode_why}"


def i16(house: House, known: Known, entry: Entry) -> Iterator[str]:
    """Believed is nothing of a kernel that is unsure, nothing that lies before what was believed, and no calendar for
    long that is wrong. Where nothing is wrong, all is, once the gateway was installed."""
    if not entry.trusted:
        new = entry.kind in INSTALLING if not known.trusted_us else entry.at - known.trusted_us > LONG_US
        if house.fair and not new:
            yield "its time is not believed, and nothing is wrong with it"
        return
    unsure_s = house.unsure_s(entry.mono_ns / 1e9)
    if house.plan.trust == "auto" and unsure_s > HEARD_S:
        yield f"its time is believed, and the kernel has been unsure of it for {unsure_s:.0f} s"
    wrong_s = house.clock.wrong_s(entry.mono_ns / 1e9)
    if wrong_s > NOTICED_S:
        yield f"its time is believed, and has been wrong for {wrong_s:.0f} s"
    if entry.at < known.trusted_us - BACK_US:
        yield f"its time is believed, and lies {(known.trusted_us - entry.at) / 1e6:.0f} s before one that was believed"
