"""`riser backup`: copy, pack, prove, and only then give the file its name. Riser may run meanwhile.

What is written under another name until it is proved is removed at the next run, whatever ended this one. The registry
and what is known to Home Assistant are folds and are made anew; the archive refills itself from the book and is no part
of it, so keep it on another machine: after a loss it is what knows the payments since the newest backup.
"""

from __future__ import annotations

import fcntl
import io
import json
import os
import re
import shutil
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from bridge.contract.clock import Clock
from bridge.contract.os_words import in_words
from bridge.contract.site_file import BadSite, load
from bridge.contract.units import instant_text
from host.backup import copying, file, moving, proof
from host.backup.file import Manifest
from host.exits import FAILED, IN_USE, USAGE, Trouble

ENDING = ".riser.tar"
SCRATCH, UNPROVED = ".riser-backup-scratch", ".unproved"
LOCK = ".riser-backup.lock"
NOTE = "backup.json"
"""In the data directory: the newest proved backup, for `doctor`."""

FOLDS = ("registry.json (made anew)", "archive.db (refills from the book)", "logs")
PRIVATE = ("secrets", "panel.key", "panel.db")

ROOM_BYTES = 20_000_000


@dataclass(frozen=True)
class Made:
    """A backup that was proved."""

    file: str
    at: str
    gateway: str
    seq: int
    hash: str
    bytes: int
    secrets: str
    same_disk: bool
    removed: tuple[str, ...] = ()


def make(
    data: Path, site_file: Path | None, to: Path, passphrase: bytes | None, keep: int | None, clock: Clock, version: str
) -> Made:
    """Make one. `to` is a directory, or the file to be. Raises Trouble."""
    moving.refuse_unfinished(data)
    directory = to if to.is_dir() or to.suffix == "" else to.parent
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        with _alone(directory) as scratch:
            made = _made(data, site_file, to, directory, scratch, passphrase, clock, version)
            removed = _trim(directory, made.gateway, keep) if keep is not None else ()
    except OSError as error:
        raise Trouble(
            FAILED, f"the backup could not be written: {error.filename or directory}: {in_words(error)}"
        ) from None
    made = Made(**{**asdict(made), "removed": removed})
    _note(data, made)
    return made


@contextmanager
def _alone(directory: Path) -> Iterator[Path]:
    """A fresh scratch directory, for one run at a time; what a killed run left is removed."""
    with (directory / LOCK).open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Trouble(IN_USE, f"another backup is being made in {directory}; wait for it") from None
        scratch = directory / SCRATCH
        _tidy(directory)
        scratch.mkdir(mode=0o700)
        try:
            yield scratch
        finally:
            _tidy(directory)


def _tidy(directory: Path) -> None:
    """Nothing that was not proved stays."""
    shutil.rmtree(directory / SCRATCH, ignore_errors=True)
    for left in directory.glob(f"*{UNPROVED}"):
        left.unlink()


def _made(
    data: Path, site_file: Path | None, to: Path, directory: Path, scratch: Path, passphrase: bytes | None,
    clock: Clock, version: str,
) -> Made:  # fmt: skip
    book = data / file.BOOK
    needed = 3 * (book.stat().st_size if book.exists() else 0) + ROOM_BYTES
    if (free := shutil.disk_usage(directory).free) < needed:
        raise Trouble(
            FAILED, f"{directory} has {free // 10**6} MB free, and a proved backup needs {needed // 10**6} MB"
        )
    copying.copy(book, scratch / file.BOOK)
    seen = copying.seen(scratch / file.BOOK)
    names, left_out, site_name = [file.BOOK], list(FOLDS), ""
    if site_file is not None and site_file.is_file():
        shutil.copyfile(site_file, scratch / file.SITE)
        names.append(file.SITE)
        site_name = _site_name(site_file)
    else:
        left_out.append("site.toml (not found; name it with --site)")
    if passphrase is not None:
        from host.backup import sealed  # Only where it is wanted: a machine without that package still makes backups.

        (scratch / file.SEALED).write_bytes(sealed.seal(_private(data, scratch), passphrase))
        names.append(file.SEALED)
    else:
        left_out.append("secrets, panel.db and panel.key (no passphrase was given)")
    now = clock.now()
    manifest = Manifest(
        gateway=seen.gateway, epoch=seen.epoch, seq=seen.seq, hash=seen.hash, made_at=instant_text(now), riser=version,
        secrets="left out" if passphrase is None else "sealed", site=site_name, left_out=tuple(left_out),
        files={name: file.digest_of(scratch / name) for name in names},
    )  # fmt: skip
    final = to if to != directory else directory / f"riser-{seen.gateway}-{now:%Y%m%dT%H%M%SZ}{ENDING}"
    unproved = final.with_name(final.name + UNPROVED)
    file.write(unproved, manifest, scratch)
    (scratch / "proof").mkdir(mode=0o700)
    proof.prove(unproved, scratch / "proof")
    unproved.replace(final)
    _sync(directory)
    same = os.stat(directory).st_dev == os.stat(data).st_dev
    size = final.stat().st_size
    return Made(str(final), manifest.made_at, seen.gateway, seen.seq, seen.hash, size, manifest.secrets, same)


def _private(data: Path, scratch: Path) -> bytes:
    """Keys, passwords and the panel's users, as a tar."""
    told = io.BytesIO()
    with tarfile.open(fileobj=told, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for path in [*sorted((data / "secrets").glob("*.json")), data / "panel.key"]:
            if path.is_file():
                tar.add(path, arcname=str(path.relative_to(data)), recursive=False)
        if (data / "panel.db").is_file():
            copying.copy(data / "panel.db", scratch / "panel.db")
            tar.add(scratch / "panel.db", arcname="panel.db")
            (scratch / "panel.db").unlink()
    return told.getvalue()


def _site_name(path: Path) -> str:
    try:
        return load(path).site.name
    except BadSite:
        return ""  # It is kept as it is; `riser site check` tells what is wrong with it.


def _trim(directory: Path, gateway: str, keep: int) -> tuple[str, ...]:
    """Remove all but the newest, which their names tell."""
    own = re.compile(rf"riser-{re.escape(gateway)}-\d{{8}}T\d{{6}}Z{re.escape(ENDING)}")
    found = sorted(path for path in directory.iterdir() if own.fullmatch(path.name))
    old = found[: max(0, len(found) - keep)]
    for path in old:
        path.unlink()
    return tuple(path.name for path in old)


def _sync(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _note(data: Path, made: Made) -> None:
    """What `doctor` reads. The backup stands whether or not this can be written."""
    scratch = data / f"{NOTE}.new"
    try:
        scratch.write_text(json.dumps(asdict(made), ensure_ascii=False), encoding="utf-8")
        scratch.replace(data / NOTE)
    except OSError as error:
        raise Trouble(
            FAILED, f"{made.file} is made and proved, but {data / NOTE} cannot be written: {in_words(error)}"
        ) from None


def told(made: Made) -> str:
    """One sentence for people, and what they should know besides."""
    words = (
        f"{made.file}: {made.bytes // 1000} kB, the book of {made.gateway} up to entry {made.seq}, proved by restoring "
        f"it into a scratch directory; secrets {made.secrets}"
    )
    if made.same_disk:
        words += ". It lies on the same disk as the book: copy it elsewhere, or name another disk with --to"
    return words


def directory_of(data: Path, given: Path | None) -> Path:
    """Where backups go: as given, else `backups` in the data directory."""
    if given is None:
        return data / "backups"
    wanted = given.expanduser().absolute()
    if wanted.exists() and not wanted.is_dir():
        raise Trouble(USAGE, f"{wanted} is there already; a backup never takes the place of another file")
    return wanted
