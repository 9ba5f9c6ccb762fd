"""A clock is believed when the kernel says so, and never when it stands before what already happened."""

from __future__ import annotations

import ctypes
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

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


class Timex(ctypes.Structure):
    """struct timex as in the kernel's headers, as far as `status`."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_char * 256),
    )


def test_the_kernels_word_is_read_where_it_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The unsynchronised bit is read from the right field of the kernel's answer, or timesyncd's own mark is seen."""
    monkeypatch.setattr(trust, "SYNCHRONIZED", tmp_path / "synchronized")
    timex = Timex()
    state = ctypes.CDLL(None).adjtimex(ctypes.byref(timex))
    assert trust.kernel_is_synchronised() is (state >= 0 and not timex.status & trust.STA_UNSYNC)
    (tmp_path / "synchronized").touch()
    assert trust.kernel_is_synchronised() is True


@pytest.mark.parametrize(
    ("status", "state", "synchronised"), [(0x0001, 0, True), (0x0041, 5, False), (0x0001, -1, False)]
)
def test_each_answer_of_the_kernel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: int, state: int, synchronised: bool
) -> None:
    """Locked, unlocked, and a kernel that refuses the question, as in a container: only the first is synchronised."""
    monkeypatch.setattr(trust, "SYNCHRONIZED", tmp_path / "synchronized")

    class Kernel:
        @staticmethod
        def adjtimex(pointer: object) -> int:
            ctypes.cast(pointer, ctypes.POINTER(Timex))[0].status = status  # type: ignore[arg-type]
            return state

    monkeypatch.setattr(trust.ctypes, "CDLL", lambda *_, **__: Kernel())
    assert trust.kernel_is_synchronised() is synchronised
