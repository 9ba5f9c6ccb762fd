"""The text of a model's file, or one sentence why it is none: looked at by kind and size before a byte is parsed."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

MOST_BYTES = 256 * 1024
"""The longest model here has 12 000 bytes; what is so much longer is no model, and would take minutes to read."""

WHY = {
    errno.ENOENT: "there is no such file",
    errno.ENOTDIR: "there is no such file: a part of its path is no directory",
    errno.EACCES: "this user may not read it",
    errno.EPERM: "this user may not read it",
    errno.ENAMETOOLONG: "its name is too long",
    errno.ELOOP: "it is a link that leads to itself",
}


class Unreadable(ValueError):
    """It cannot be read, and reading it again will not help; the text says why."""


def text_of(path: Path) -> str:
    """The text. Raises Unreadable."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)  # A pipe nobody writes to must not wait.
    except OSError as error:
        raise Unreadable(_why(error)) from None
    except ValueError:
        raise Unreadable("its name holds a character that no name may") from None
    try:
        raw = _contents(descriptor)
    except OSError as error:
        raise Unreadable(_why(error)) from None
    finally:
        os.close(descriptor)
    if b"\0" in raw:
        raise Unreadable("it holds bytes that no text has: it is no model's file but a binary one")
    try:
        return raw.decode("utf-8").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise Unreadable(f"line {line} is not UTF-8 text; save it as UTF-8") from None


def _contents(descriptor: int) -> bytes:
    found = os.fstat(descriptor)
    if stat.S_ISDIR(found.st_mode):
        raise Unreadable("it is a directory; name the file in it")
    if not stat.S_ISREG(found.st_mode):
        raise Unreadable("it is a device or a pipe, and no file")
    if found.st_size > MOST_BYTES:
        raise Unreadable(f"it has {found.st_size} bytes, and a model's file at most {MOST_BYTES}: it is another file")
    with open(descriptor, "rb", closefd=False) as file:
        return file.read(MOST_BYTES)


def _why(error: OSError) -> str:
    return WHY.get(error.errno or 0, os.strerror(error.errno or 0).lower())
