"""What the operating system refused, in words for the person who must do something; `[Errno 2]` is for programmers."""

from __future__ import annotations

import errno
import os
import re

WORDS = {
    errno.ENOENT: "it is not there",
    errno.ENOTDIR: "a part of its path is a file, not a directory",
    errno.EISDIR: "it is a directory, not a file",
    errno.EACCES: "this user has no right to it",
    errno.EPERM: "this user has no right to it",
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "this user's share of the disk is full",
    errno.EROFS: "the disk is read-only",
    errno.EIO: "the device under it fails (input/output error)",
    errno.ENXIO: "the device is gone",
    errno.ENODEV: "the device is gone",
    errno.EMFILE: "too many files are open",
    errno.ECONNREFUSED: "nobody listens there",
    errno.ETIMEDOUT: "nobody answered in time",
}


def in_words(error: Exception) -> str:
    """Why, without numbers and without the file, which the sentence around it names."""
    if isinstance(error, UnicodeDecodeError):
        return "it is no text in UTF-8"
    number = error.errno if isinstance(error, OSError) else None
    said = (error.strerror if isinstance(error, OSError) else None) or str(error)
    if number in WORDS and said in (os.strerror(number), str(error)):  # Else it was said better where it happened.
        return WORDS[number]
    return re.sub(r"\[Errno -?\d+\] ", "", said)
