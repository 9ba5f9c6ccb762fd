"""The newest backup as it was seen, as plain values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class BackupSeen:
    """What the newest backup noted; `at` is None where none is known. `there`: its file is where it was put."""

    at: datetime | None = None
    file: str = ""
    seq: int = 0
    same_disk: bool = False
    there: bool = True
    trouble: str | None = None
