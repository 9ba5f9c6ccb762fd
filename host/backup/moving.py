"""The moves of a restore: what is here goes aside, what comes takes its place, and no gateway starts on half of it.

From before the first move until all of it is safe on the disk a file says that the restore is not finished. `riser up`
and the edge refuse to start meanwhile, and the same command given again goes on, with the same folder aside.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from bridge.contract.clock import Clock
from host.exits import USAGE, Trouble

UNFINISHED = "restore.unfinished"
"""One JSON object, `Begun`. The edge knows this file's name too (edge/book.py)."""

ASIDE = "before-restore"

GO_WITH_BOOK = ("book.db", "registry.json")
"""What cannot stay beside another book, with its journals. The archive stays: it may know what the book has lost."""

JOURNALS = ("wal", "shm", "journal")
"""What SQLite would play into a database of that name."""


@dataclass(frozen=True)
class Begun:
    """A restore that has not come to its end. Nothing was moved before all of this was safe on the disk."""

    aside: str
    """The name of the folder for what was here."""
    coming: tuple[str, ...]
    """What it brings, by its names in the data directory."""
    gateway: str
    """Whose backup it is."""
    again: str
    """The command, without the passphrase's file."""


def begun(data: Path) -> Begun | None:
    """None where no restore waits for its end, or where not even its own file was whole: then nothing was moved."""
    try:
        told = json.loads((data / UNFINISHED).read_bytes())
        found = Begun(told["aside"], tuple(told["coming"]), told["gateway"], told["again"])
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, KeyError):
        return None
    return found if re.fullmatch(rf"{ASIDE}-\d{{8}}T\d{{6}}Z-\d+", found.aside) else None


def what_to_do(data: Path) -> str:
    """Of a restore that was not finished."""
    found = begun(data)
    again = "the same `riser restore`" if found is None else f"`{found.again}`"
    moved = found is not None and (data / found.aside).is_dir()
    if found is None or not moved:
        return f"give {again} again; nothing of what was there before was moved"
    return f"give {again} again; what was there before is in {data / found.aside}, or still in its place"


def refuse_unfinished(data: Path) -> None:
    """Raises Trouble where a restore was begun and has not come to its end."""
    if (data / UNFINISHED).exists():
        raise Trouble(USAGE, f"a restore into {data} was not finished; {what_to_do(data)}")


def exchange(
    scratch: Path, data: Path, coming: list[str], gateway: str, again: str, clock: Clock
) -> Path | None:  # fmt: skip
    """Move aside what is in the way, and in what lies in `scratch`; the folder aside, None where nothing was here.
    `finish` ends it; `gateway` and `again` are kept until then. Raises Trouble; then nothing was changed."""
    former = begun(data)
    if former is not None and (missing := [name for name in former.coming if name not in coming]):
        raise Trouble(
            USAGE, f"a restore into {data} was not finished, and brings {', '.join(missing)} as well, which this one "
            f"does not; {what_to_do(data)}"
        )  # fmt: skip
    aside = _new(data, clock) if former is None else data / former.aside
    going = _going(data, aside, coming, clock)
    moves = [*going, *((scratch / name, data / name) for name in coming)]
    disk = data.stat().st_dev
    if far := [source for source, _ in moves if source.lstat().st_dev != disk]:
        raise Trouble(USAGE, f"{far[0]} lies on another disk than {data}; nothing was changed. Move it there first")
    try:
        if former is None:
            _write(data / UNFINISHED, Begun(aside.name, tuple(coming), gateway, again))
        folders = _made(data, [target.parent for _, target in moves])
        _sync(folders)  # Before this nothing was moved, after it nothing starts.
    except OSError:
        if former is None:  # All is as it was, and starts.
            (data / UNFINISHED).unlink(missing_ok=True)
        raise
    (data / "book.begun").touch()
    for source, target in moves:
        source.rename(target)
    named = [*coming, aside.name, "secrets", *{target.relative_to(data).parts[0] for _, target in going}]
    _as_owner(data, named)
    _sync([*folders, *{source.parent for source, _ in going}, data])
    return aside if aside.exists() else None


def finish(data: Path) -> None:
    """All of it is in its place, and whoever restores has been told what they must know: now it starts."""
    (data / UNFINISHED).unlink()
    _sync([data])


def _write(path: Path, told: Begun) -> None:
    with path.open("w", encoding="utf-8") as out:
        json.dump(asdict(told), out, ensure_ascii=False)
        out.flush()
        os.fsync(out.fileno())


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
