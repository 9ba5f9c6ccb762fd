"""Why a serial port cannot be opened, in words for the person who goes and looks; pyserial speaks to programmers.

Pure but for one look at what the name leads to.
"""

from __future__ import annotations

import errno
import stat
from pathlib import Path

from bridge.contract.os_words import in_words

NOT_THERE = "is not there: is the adapter plugged in, and is this its name?"
NO_RIGHT = "may not be opened by this user; add it to the group of the device, mostly dialout, and sign in again"
IN_USE = "is used by another program; end that one"
A_DIRECTORY = "is a directory, not a serial port"
NO_SERIAL_PORT = "is no serial port"
FAILS = "fails (input/output error): pull it out and plug it in again, or try another adapter"
GONE = "the adapter was pulled, or has failed"
NO_SUCH_SPEED = "does not take this speed or parity"


def why_closed(device: Path, error: Exception) -> str:
    """What to do about an OSError or ValueError of opening `device`."""
    number = error.errno if isinstance(error, OSError) else None
    words = str(error)
    kind = _kind(device)
    if kind == "directory":
        return A_DIRECTORY
    if number in (errno.ENOENT, errno.ENXIO, errno.ENODEV):
        return NOT_THERE
    if number in (errno.EACCES, errno.EPERM):
        return NO_RIGHT
    if number == errno.EBUSY or "exclusively" in words:
        return IN_USE
    if kind == "other" or number == errno.ENOTTY or f"({errno.ENOTTY}," in words:  # So pyserial wraps it.
        return NO_SERIAL_PORT
    if isinstance(error, ValueError) or "configure" in words:
        return NO_SUCH_SPEED
    return FAILS if number == errno.EIO else in_words(error)


def _kind(device: Path) -> str:
    try:
        mode = device.stat().st_mode
    except OSError:
        return "unknown"
    return "directory" if stat.S_ISDIR(mode) else "device" if stat.S_ISCHR(mode) else "other"
