"""A clock is believed when the kernel says so, and never when it stands before what already happened."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from bridge.contract.clock import ManualClock, ScaledClock, SystemClock
from bridge.contract.units import micros_of
from edge import trust

NEWEST = datetime(2026, 11, 20, 2, 30, tzinfo=UTC)


class WallClock(SystemClock):
    """The machine's clock, standing where the test says."""

    def __init__(self, now: datetime):
        self._now = now

    def now(self) -> datetime:
        return self._now


def believed(now: datetime, setting: str = "auto", synchronised: bool = True, newest: datetime | None = NEWEST) -> bool:
    verdict, why = trust.judge(WallClock(now), micros_of(newest) if newest else 0, setting, synchronised)
    assert why, "it is always said why"
    return verdict


def test_an_unsynchronised_clock_is_not_believed() -> None:
    """No sync since start: not believed (R25), unless the site file says that this clock is right as it is."""
    later = NEWEST + timedelta(minutes=1)
    assert believed(later)
    assert not believed(later, synchronised=False)
    assert believed(later, "always", synchronised=False)


def test_a_clock_before_the_newest_entry_is_never_believed() -> None:
    """1970, or a step back over what stands in the book: not believed, whatever the site file says (56, 58)."""
    for setting in ("auto", "always"):
        assert not believed(datetime(1970, 1, 1, tzinfo=UTC), setting)
        assert not believed(NEWEST - timedelta(minutes=5, microseconds=1), setting)
        assert believed(NEWEST - timedelta(minutes=5), setting), "a correction of minutes is no step"
        assert believed(datetime(1970, 1, 1, tzinfo=UTC), setting, newest=None), "an empty book has nothing to say"


def test_the_demos_calendar_is_believed_but_not_backwards() -> None:
    """The demo and the simulation keep their own calendar; it too may not stand before the book."""
    for clock in (ManualClock(NEWEST), ScaledClock(NEWEST, 0, 60)):
        assert trust.judge(clock, 0, "auto", False)[0]
    assert not trust.judge(ManualClock(NEWEST - timedelta(hours=1)), micros_of(NEWEST), "auto", True)[0]
