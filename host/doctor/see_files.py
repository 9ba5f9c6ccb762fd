"""Looks at the data directory: whose it is, the disk below it, the copy of the book, the secrets' modes.

The book itself is never opened: the edge owns it. The one thing written is a file without a name (O_TMPFILE), to
measure how long the disk takes; it is gone with its closing.
"""

from __future__ import annotations

import errno
import json
import os
import pwd
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bridge.contract.clock import Clock
from bridge.contract.units import instant_of
from host.backup import moving
from host.doctor.see_ports import user_name
from host.doctor.seen import BackupSeen, DiskSeen, Place, PrivateFile, RegistrySeen, SecretsSeen, User
from host.logins import FACTORY_PASSWORD
from host.runfile import Run

SYNCS, SYNC_BYTES = 5, 4096

FILES = {"book": "book.db", "archive": "archive.db", "panel": "panel.db", "logs": "log", "older demos": "kept"}
PRIVATE = ("secrets/", "panel.db", "panel.key", "first-password.txt")


def me() -> User:
    return User(os.geteuid(), user_name(os.geteuid()), frozenset((*os.getgroups(), os.getegid())))


def user_of(uid: int) -> User:
    """A user with the groups a new session of theirs has."""
    try:
        entry = pwd.getpwuid(uid)
    except KeyError:
        return User(uid, str(uid))
    return User(uid, entry.pw_name, frozenset(os.getgrouplist(entry.pw_name, entry.pw_gid)))


def place(directory: Path, run: Run | None, demo: bool, command: str) -> Place:
    """The data directory, and the user who runs Riser on it: who does so now, else whose directory it is."""
    mine = me()
    try:
        owner = directory.stat().st_uid
    except FileNotFoundError:
        return Place(directory, mine, mine, exists=False, demo=demo, command=command)
    except PermissionError:
        return Place(directory, mine, mine, owner="somebody else", readable=False, demo=demo, command=command)
    uid = owner if run is None else os.stat(f"/proc/{run.pid}").st_uid
    runner = mine if uid == mine.uid else user_of(uid)
    readable = os.access(directory, os.X_OK)
    return Place(directory, mine, runner, owner=user_name(owner), readable=readable, demo=demo, command=command)


def disk(directory: Path, clock: Clock, mountinfo: Path = Path("/proc/self/mountinfo")) -> DiskSeen:
    """The file system of the data directory, or of where it will be. Raises OSError."""
    there = next(each for each in (directory, *directory.parents) if each.exists())
    about = os.statvfs(there)
    mount, kind = mount_of(Path(os.path.realpath(there)), mountinfo.read_text(encoding="utf-8", errors="replace"))
    book = directory / "book.db"
    return DiskSeen(
        mount=mount,
        kind=kind,
        free=about.f_bavail * about.f_frsize,
        size=about.f_blocks * about.f_frsize,
        inodes_free=about.f_favail if about.f_files else None,  # vfat and btrfs count none.
        inodes=about.f_files or None,
        read_only=bool(about.f_flag & os.ST_RDONLY),
        files={name: size_of(directory / file) for name, file in FILES.items()},
        fsync_s=syncs(there, clock) if there == directory else None,
        book_begun=(directory / "book.begun").exists(),
        book_size=book.stat().st_size if book.exists() else None,
        restore_unfinished=moving.what_to_do(directory) if (directory / moving.UNFINISHED).exists() else None,
    )


def mount_of(path: Path, mountinfo: str) -> tuple[str, str]:
    """(mount point, kind) of the file system a path is on; of two mounts in one place the later is on top (proc(5))."""
    best = ("/", "unknown")
    for line in mountinfo.splitlines():
        left, _, right = line.partition(" - ")
        words = left.split()
        if len(words) < 5 or not right:
            continue
        point = words[4].encode().decode("unicode_escape").encode("latin-1").decode("utf-8", "replace")
        if path.is_relative_to(point) and len(point) >= len(best[0]):
            best = (point, right.split()[0])
    return best


def size_of(path: Path) -> int:
    """A file with its -wal beside it, or everything in a directory."""
    if path.is_dir():
        return sum(each.lstat().st_size for each in path.rglob("*") if each.is_file())
    return sum(each.stat().st_size for each in (path, Path(f"{path}-wal")) if each.exists())


def syncs(directory: Path, clock: Clock) -> tuple[float, ...] | None:
    """Seconds that a few small syncs take; None where this user may not write or the file system has no such files."""
    try:
        trial = os.open(directory, os.O_TMPFILE | os.O_WRONLY, 0o600)
    except OSError as error:
        # A full or read-only disk is told by its own numbers.
        if error.errno in (errno.EACCES, errno.EOPNOTSUPP, errno.EISDIR, errno.EROFS, errno.ENOSPC):
            return None
        raise
    taken = []
    try:
        for _ in range(SYNCS):
            began = clock.monotonic()
            os.write(trial, os.urandom(SYNC_BYTES))
            os.fsync(trial)
            taken.append(clock.monotonic() - began)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        return None
    finally:
        os.close(trial)
    return tuple(taken)


def backup(directory: Path) -> BackupSeen:
    """What the newest backup noted here. Damage is told, not raised. Raises OSError."""
    try:
        told = json.loads((directory / "backup.json").read_text(encoding="utf-8"))
        at, file = instant_of(told["at"]), str(told["file"])
        return BackupSeen(at, file, int(told["seq"]), bool(told["same_disk"]), Path(file).exists())
    except FileNotFoundError:
        return BackupSeen()
    except (ValueError, KeyError, TypeError):
        return BackupSeen(trouble="backup.json is damaged")


def registry(directory: Path) -> RegistrySeen:
    """The edge's copy of what is installed. Damage is told, not raised. Raises OSError."""
    try:
        tables = json.loads((directory / "registry.json").read_text(encoding="utf-8"))
        folded = tables["folded"]["1"]
        return RegistrySeen(
            seq=int(folded["seq"]),
            epoch=folded.get("epoch"),
            meters=_rows(tables["meters"], "meter"),
            accounts=_rows(tables["accounts"], "account"),
            tariffs=_rows(tables["tariffs"], "tariff"),
        )
    except FileNotFoundError:
        return RegistrySeen(missing=True)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return RegistrySeen(trouble="it is damaged")


def _rows(table: dict[str, dict[str, Any]], key: str) -> dict[str, dict[str, Any]]:
    return {str(row[key]): dict(row) for row in table.values()}


def secrets(directory: Path) -> SecretsSeen:
    """Modes and owners of what is private, and which passwords are still the first ones. Raises OSError."""
    files: list[PrivateFile] = []
    for path in _private(directory):
        about = path.stat()
        shown = f"{path}/" if path.is_dir() else str(path)
        files.append(PrivateFile(shown, about.st_mode & 0o777, user_name(about.st_uid), about.st_uid))
    factory, broken = False, []
    for path in sorted((directory / "secrets").glob("*.json")):
        try:
            table = json.loads(path.read_text(encoding="utf-8"))
            if path.name == "edge.json":
                factory = _has_factory_password(table.get("meter_passwords", {}))
        except (ValueError, AttributeError, TypeError) as error:
            broken.append(f"{path} is damaged ({type(error).__name__}): `riser up` does not start with it.")
    first = directory / "first-password.txt"
    waiting = str(first) if first.exists() and first.stat().st_size else None
    return SecretsSeen(tuple(files), factory, waiting, tuple(broken))


def _private(directory: Path) -> Iterator[Path]:
    for name in PRIVATE:
        path = directory / name
        if not path.exists():
            continue
        yield path
        if path.is_dir():
            yield from sorted(each for each in path.iterdir() if each.suffix == ".json")


def _has_factory_password(table: dict[str, dict[str, str]]) -> bool:
    return any(row.get("password") == FACTORY_PASSWORD["password"] for row in table.values())
