"""What the frames of DL/T 645 and CJ/T 188 have in common: the bits of the control byte, and how a frame ends."""

from __future__ import annotations


class ControlByte:
    """D7 the meter speaks, D6 it refuses, D5 more follows, D4 to D0 the function."""

    control: int

    @property
    def function(self) -> int:
        return self.control & 0x1F

    @property
    def is_reply(self) -> bool:
        return bool(self.control & 0x80)

    @property
    def abnormal(self) -> bool:
        return bool(self.control & 0x40)

    @property
    def follows(self) -> bool:
        return bool(self.control & 0x20)


def whole(buffer: bytes | bytearray, length: int) -> bool:
    """True when a frame of `length` bytes ends with 16H and the sum of all bytes before it, modulo 256."""
    return buffer[length - 1] == 0x16 and sum(buffer[: length - 2]) & 0xFF == buffer[length - 2]
