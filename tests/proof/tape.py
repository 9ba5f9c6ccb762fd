"""What the shim wrote down, read back: changes of the disk, and marks of what the outside got to know.

kind u32 | bytes of path u32 | bytes of data u32 | 0 u32 | inode u64 | offset i64 | path | data
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from enum import IntEnum
from pathlib import Path
from typing import Any, NamedTuple

HEAD = struct.Struct("<IIIIQq")


class Kind(IntEnum):
    """As in shim.c."""

    CREATE = 1
    WRITE = 2
    LENGTH = 3
    SYNC = 4
    RENAME = 5
    REMOVE = 6
    MAKE_DIRECTORY = 7
    MARK = 8


class Change(NamedTuple):
    """One record. `data` is what was written, the new name of a rename, or the words of a mark."""

    kind: Kind
    inode: int
    offset: int
    path: str
    data: bytes

    @property
    def words(self) -> dict[str, Any]:
        """What a mark says."""
        return json.loads(self.data)


def read(tape: Path) -> Iterator[Change]:
    """Every record of a tape, in order."""
    content, at = tape.read_bytes(), 0
    while at < len(content):
        kind, path_bytes, data_bytes, _, inode, offset = HEAD.unpack_from(content, at)
        at += HEAD.size
        path = content[at : at + path_bytes].decode()
        at += path_bytes
        yield Change(Kind(kind), inode, offset, path, content[at : at + data_bytes])
        at += data_bytes
