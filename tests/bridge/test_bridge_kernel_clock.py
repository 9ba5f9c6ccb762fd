"""The kernel's word on its clock is read where it stands, whatever it answers."""

from __future__ import annotations

import ctypes
from pathlib import Path

import pytest

from bridge.contract import kernel_clock


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
    monkeypatch.setattr(kernel_clock, "SYNCHRONIZED", tmp_path / "synchronized")
    timex = Timex()
    state = ctypes.CDLL(None).adjtimex(ctypes.byref(timex))
    assert kernel_clock.is_synchronised() is (state >= 0 and not timex.status & kernel_clock.STA_UNSYNC)
    (tmp_path / "synchronized").touch()
    assert kernel_clock.is_synchronised() is True


@pytest.mark.parametrize(
    ("status", "state", "synchronised"), [(0x0001, 0, True), (0x0041, 5, False), (0x0001, -1, False)]
)
def test_each_answer_of_the_kernel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: int, state: int, synchronised: bool
) -> None:
    """Locked, unlocked, and a kernel that refuses the question, as in a container: only the first is synchronised."""
    monkeypatch.setattr(kernel_clock, "SYNCHRONIZED", tmp_path / "synchronized")

    class Kernel:
        @staticmethod
        def adjtimex(pointer: object) -> int:
            ctypes.cast(pointer, ctypes.POINTER(Timex))[0].status = status  # type: ignore[arg-type]
            return state

    monkeypatch.setattr(kernel_clock.ctypes, "CDLL", lambda *_, **__: Kernel())
    assert kernel_clock.is_synchronised() is synchronised
