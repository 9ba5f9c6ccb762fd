"""Where a statement or vouchers are written: whole or not at all, and never in the place of something else.

A file is made beside the wanted name and renamed, so that nobody finds half of one. What stands there already is
replaced only where it is a file of the same kind by its ending: not the book, a device, or a neighbour's letter.
"""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PAGES, TABLES = (".html", ".htm"), (".csv", ".xlsx")


@contextmanager
def written(path: Path, book: Path, endings: tuple[str, ...]) -> Iterator[Path]:
    """The file to write into, which gets its name when all is written. Raises OSError, and nothing is there then."""
    target = path.resolve()
    _may_be_written(target, book.resolve(), endings)
    scratch = target.with_name(f"{target.name[:100]}.{secrets.token_hex(4)}.new")
    os.close(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))
    try:
        yield scratch
        scratch.replace(target)
    finally:
        scratch.unlink(missing_ok=True)


def _may_be_written(target: Path, book: Path, endings: tuple[str, ...]) -> None:
    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if target.parent == book.parent and target.name.startswith(book.name):
        raise FileExistsError(errno.EEXIST, "this is the book, or belongs to it; name another file")
    if target.exists() and (target.suffix.lower() not in endings or not target.is_file()):
        raise FileExistsError(
            errno.EEXIST, f"it is there, and its name does not end in {' or '.join(endings)}; name another file"
        )
