"""A disk that takes no entries: nothing is promised, nobody is cut; reading and restoring go on, in memory (38-40).

A failed write or sync is never just repeated: the process ends, and the next one reads the book anew. While the disk
is still full or read-only, that one runs in mode `disk`, and ends when it takes entries again. A disk that is
nearly full is treated like a full one, so that the book always has room to be opened and closed in.
"""

from __future__ import annotations

import logging
import shutil

from edge.book import WriteError
from edge.core import Core

log = logging.getLogger("riser.edge")

FULL_BYTES, ROOM_BYTES = 8_000_000, 16_000_000
"""Less free space than this is a full disk; so much must be free until it counts as having room again. The book's
write-ahead log takes 4 MB, and as much again when it is put into the book."""

LOOK_S, RETRY_S = 5.0, 15.0
"""Line seconds between two looks at the free space, and between two tries to write."""


DAMAGED = ("SQLITE_CORRUPT", "SQLITE_NOTADB")
"""What SQLite says of a file whose contents are wrong: no room and no right would help (42)."""


def is_damaged(error: Exception) -> bool:
    """True where what stands in the book is to blame for an error, and not the disk under it."""
    return getattr(error, "sqlite_errorname", "").startswith(DAMAGED)


class Disk:
    """Watches the disk under the book and stops all writing while it takes none."""

    def __init__(self, core: Core):
        self._core = core
        self._looked = self._tried = core.clock.monotonic() - LOOK_S
        self.well_again = False

    def failed(self, error: Exception) -> None:
        """The first write of this run failed: nothing is written from now on."""
        self._stop(f"the disk takes no entries ({error})")

    def look(self) -> None:
        """Is there room? `well_again` becomes true when writing works again after it did not."""
        core, now = self._core, self._core.clock.monotonic()
        if now - self._looked < LOOK_S:
            return
        self._looked = now
        free = self.free_bytes()
        if core.cannot_write is None and free < FULL_BYTES:
            self._stop(f"the disk is full ({free // 1_000_000} MB left)")
        elif core.cannot_write is not None and free >= ROOM_BYTES and now - self._tried >= RETRY_S:
            self._tried = now
            self._try()

    def free_bytes(self) -> int:
        """Room on the disk under the book."""
        return shutil.disk_usage(self._core.book.directory).free

    def _stop(self, why: str) -> None:
        self._core.cannot_write, self._tried = why, self._core.clock.monotonic()
        log.error("%s: nothing is booked and nobody is cut until there is room", why)

    def _try(self) -> None:
        try:
            self._core.book.save_notes({"disk_tried": 1, "line_s": int(self._core.line_s())})
        except WriteError as error:
            log.info("the disk still takes no entries: %s", error)
        else:
            self.well_again = True
