"""A meter's ear: bytes as they come in, whole request frames out, rubbish dropped one byte at a time.

Each function takes frames from the front of a buffer and leaves in it what may still become one. `quiet` says
that the line has been silent for longer than a gap inside a frame may last: what has begun will not be finished.
"""

from __future__ import annotations

from collections.abc import Callable

from .modbus import crc

Ear = Callable[[bytearray, bool], bytes | None]


def _take(buffer: bytearray, quiet: bool, second: int, size_at: int) -> bytes | None:
    """The next whole frame behind 68H, with the FEH bytes right before it: some meters want to have heard them.

    second: where a second 68H stands, 0 for none; size_at: where L stands.
    """
    while buffer:
        lead = len(buffer) - len(buffer.lstrip(b"\xfe"))
        body = buffer[lead:]
        if not body:
            if not quiet:
                return None
            buffer.clear()
            return None
        if body[0] != 0x68 or (second and len(body) > second and body[second] != 0x68):
            del buffer[: lead + 1]
            continue
        size = size_at + 3 + body[size_at] if len(body) > size_at else size_at + 3
        if len(body) < size:
            if not quiet:
                return None
            del buffer[: lead + 1]  # A false start; a true one may stand behind it.
            continue
        frame = bytes(body[:size])
        if frame[-1] == 0x16 and sum(frame[:-2]) & 0xFF == frame[-2]:
            heard = bytes(buffer[: lead + size])
            del buffer[: lead + size]
            return heard
        del buffer[: lead + 1]
    return None


def hear_dlt645(buffer: bytearray, quiet: bool) -> bytes | None:
    """The next whole DL/T 645 frame and the FEH bytes before it, or None for "not yet"."""
    return _take(buffer, quiet, 7, 9)


def take_dlt645(buffer: bytearray, quiet: bool) -> bytes | None:
    """The next whole DL/T 645 frame without its FEH bytes, or None for "not yet"."""
    heard = hear_dlt645(buffer, quiet)
    return None if heard is None else heard.lstrip(b"\xfe")


def hear_cjt188(buffer: bytearray, quiet: bool) -> bytes | None:
    """The next whole CJ/T 188 frame and the FEH bytes before it, or None for "not yet"."""
    return _take(buffer, quiet, 0, 10)


def take_modbus(buffer: bytearray, quiet: bool) -> bytes | None:
    """The next whole Modbus RTU request, or None for "not yet".

    Functions of unknown length end at a silence, as the standard has it for all of them.
    """
    while len(buffer) >= 4:
        function = buffer[1]
        if function in (0x0F, 0x10):
            size = 9 + buffer[6] if len(buffer) > 6 else 9
        elif 1 <= function <= 6:
            size = 8
        else:
            size = len(buffer) if quiet else len(buffer) + 1
        if len(buffer) >= size:
            frame = bytes(buffer[:size])
            if crc(frame[:-2]) == frame[-2:]:
                del buffer[:size]
                return frame
        elif not quiet:
            return None
        del buffer[0]
    if quiet:
        buffer.clear()
    return None


EARS: dict[str, tuple[Ear, float]] = {
    # DL/T 645-2007 §5.3 lets 500 ms pass between two bytes. Modbus asks for 1.5 characters, which no
    # operating system keeps; 100 ms is what adapters need.
    "dlt645-2007": (hear_dlt645, 0.5),
    "dlt645-1997": (hear_dlt645, 0.5),
    "cjt188": (hear_cjt188, 0.5),
    "modbus-rtu": (take_modbus, 0.1),
}
"""Per protocol: how frames are heard, and the seconds of silence after which a begun frame is given up."""
