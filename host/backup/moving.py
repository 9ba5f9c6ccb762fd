"""The moves of a restore: what is here goes aside, what comes takes its place, and no gateway starts on half of it.

From before the first move until all of it is safe on the disk a file says that the restore is not finished. `riser up`
and the edge refuse to start meanwhile, and the same command given again goes on, with the same folder aside.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from bridge.contract.clock import Clock
from host.exits import USAGE, Trouble

UNFINISHED = "restore.unfinished"
"""Holds the name of the folder aside. The edge knows this file too (edge/book.py)."""

ASIDE = "before-restore"

GO_WITH_BOOK = ("book.db", "registry.json")
"""What cannot stay beside another book, with its journals. The archive stays: it may know what the book has lost."""

JOURNALS = ("wal", "shm", "journal")
"""What SQLite would play into a database of that name."""


def refuse_unfinished(data: Path) -> None:
    """Raises Trouble where a restore was begun and has not come to its end."""
    if (data / UNFINISHED).exists():
        raise Trouble(
            USAGE, f"a restore into {data} was not finished; give the same `riser restore` again. What was there "
            f"before is kept in a folder {ASIDE}-... of it"
        )  # fmt: skip


def exchange(scratch: Path, data: Path, coming: list[str], clock: Clock) -> Path | None:
    """Move aside what is in the way, and in what lies in `scratch`; the folder aside, None where nothing was here."""
    marker = data / UNFINISHED
    told = marker.read_text(encoding="utf-8") if marker.exists() else ""
    aside = data / told if told.startswith(f"{ASIDE}-") and "/" not in told else _new(data, clock)
    going = _going(data, aside, coming, clock)
    if told != aside.name:
        with marker.open("w", encoding="utf-8") as out:
            out.write(aside.name)
            out.flush()
            os.fsync(out.fileno())
    (data / "book.begun").touch()
    moves = [*going, *((scratch / name, data / name) for name in coming)]
    folders = _made(data, [target.parent for _, target in moves])
    _sync(folders)  # Before this nothing was moved, after it nothing starts.
    for source, target in moves:
        source.rename(target)
    _as_owner(data, [*coming, "secrets", *{target.relative_to(data).parts[0] for _, target in going}])
    _sync([*folders, *{source.parent for source, _ in going}, data])
    marker.unlink()
    _sync([data])
    return aside if aside.exists() else None


def _going(data: Path, aside: Path, coming: list[str], clock: Clock) -> list[tuple[Path, Path]]:
    """What goes where, the book first. What came since another restore was ended in the middle goes into a folder of
    its own: in the first one lies what was here before."""
    names = [each for name in (*GO_WITH_BOOK, *coming) for each in (name, *(f"{name}-{more}" for more in JOURNALS))]
    there = [name for name in dict.fromkeys(names) if (data / name).exists()]
    second = _new(data, clock) if any((aside / name).exists() for name in there) else aside
    return [(data / name, (second if (aside / name).exists() else aside) / name) for name in there]


def _new(data: Path, clock: Clock) -> Path:
    """A folder that is not there yet. A machine without a clock of its own may say the same time twice."""
    stamp, number = f"{clock.now():%Y%m%dT%H%M%SZ}", 1
    while (aside := data / f"{ASIDE}-{stamp}-{number}").exists():
        number += 1
    return aside


def _made(data: Path, folders: Iterable[Path]) -> list[Path]:
    """Make them; they, and what is above them down from the data directory."""
    found = sorted({each for folder in folders for each in (folder, *folder.parents) if each.is_relative_to(data)})
    for each in found:
        each.mkdir(mode=0o700, exist_ok=True)
    return found


def _as_owner(data: Path, names: list[str]) -> None:
    """Started by root, the files belong to whoever the data directory belongs to."""
    if os.geteuid() != 0:
        return
    owner = data.stat()
    for name in [*names, "book.begun", "book.lock"]:
        for path in [data / name, *((data / name).rglob("*") if (data / name).is_dir() else ())]:
            if path.exists():
                os.chown(path, owner.st_uid, owner.st_gid)


def _sync(directories: Iterable[Path]) -> None:
    for directory in dict.fromkeys(directories):
        handle = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
