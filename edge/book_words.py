"""What is told of a book that is not what the gateway goes by."""

from __future__ import annotations

MEMORY_DIFFERS = "the state in memory is not what the book says"


def disk_differs(seq: int) -> str:
    """`seq` is the first entry that does not fold."""
    return f"the book on the disk is not what was written: see entry {seq}"


def alarm_text(why: str) -> str:
    return f"{why}; nobody is cut meanwhile. Run `riser verify`, it names the entry, and restore a backup"
