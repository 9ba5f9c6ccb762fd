"""`riser restore`: the file is checked and its book derived again before anything here is touched.

What stood in the data directory is moved into a folder of it, named; nothing is overwritten or removed. A kill or a
power cut leaves what was here, or what was restored, or a file that says that it is not finished (moving.py): then
nothing starts, and the same command is given again. The restored book begins a new epoch and comes up in mode recovery,
where nobody is cut.
"""

from __future__ import annotations

import fcntl
import io
import os
import re
import shutil
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from bridge.contract.clock import Clock
from bridge.contract.os_words import in_words
from host.backup import came_back, copying, file, moving, proof
from host.backup.file import Manifest
from host.exits import FAILED, IN_USE, USAGE, Trouble
from host.places import make_directory, take_lock

SCRATCH = ".restoring"
PRIVATE = re.compile(r"secrets/[a-z0-9-]{1,32}\.json|panel\.key|panel\.db")

LARGEST_PRIVATE = 50_000_000


@dataclass(frozen=True)
class Restored:
    """What was done."""

    manifest: Manifest
    data: Path
    epoch: str
    aside: Path | None
    brought: tuple[str, ...]
    again: came_back.CameBack | None = None
    """Which people, pages and keys are as they were that day; None where no secret was brought back."""


def restore(
    path: Path, data: Path, passphrase: bytes | None, with_secrets: bool, gateway: str | None, who: str, version: str,
    clock: Clock,
) -> Restored:  # fmt: skip
    """Put a backup in the place of what is there. Raises Trouble; then nothing was changed, or it is marked as not
    finished and is given again."""
    make_directory(data)
    try:
        with take_lock(data), _no_edge(data):
            return _restored(path, data, passphrase, with_secrets, gateway, who, version, clock)
    except OSError as error:
        raise Trouble(
            FAILED, f"{error.filename or data}: {in_words(error)}; the same command can be given again"
        ) from None


@contextmanager
def _no_edge(data: Path) -> Iterator[IO[str]]:
    """No edge has this book open, and none opens it meanwhile."""
    with (data / "book.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Trouble(IN_USE, f"an edge runs on the book in {data}; end it first, then restore") from None
        yield lock


def _restored(
    path: Path, data: Path, passphrase: bytes | None, with_secrets: bool, gateway: str | None, who: str, version: str,
    clock: Clock,
) -> Restored:  # fmt: skip
    scratch = data / SCRATCH
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(mode=0o700)
    try:
        manifest, _ = proof.prove(path, scratch)
        _ours(manifest, data, gateway, version)
        private = _private(scratch, manifest, passphrase, with_secrets)
        told = ("--made-at", manifest.made_at, "--version", manifest.riser, "--who", who)
        epoch = proof.edge_says("edge.new_epoch", str(scratch), *told)["epoch"]
        if (scratch / f"{file.BOOK}-wal").exists():  # Its new epoch stands there, and would not come along.
            raise Trouble(FAILED, f"{scratch} takes no data; the same command can be given again")
        coming = [*private, *(name for name in (file.SITE, file.BOOK) if (scratch / name).exists())]
        secrets = " --secrets FILE" if private else "" if with_secrets else " --without-secrets"
        words = f"riser restore {path.absolute()} --into {data.absolute()}{secrets}"
        aside = moving.exchange(scratch, data, coming, manifest.gateway, words, clock)
        again = came_back.compare(aside, data, coming) if private else None
        moving.finish(data)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return Restored(manifest, data, epoch, aside, tuple(coming), again)


def _ours(manifest: Manifest, data: Path, gateway: str | None, version: str) -> None:
    """Raises Trouble for another gateway's backup, and for one of a newer Riser."""
    if _numbers(manifest.riser) > _numbers(version):
        raise Trouble(
            USAGE, f"the backup was made by Riser {manifest.riser}, this is {version}; restore it with that one"
        )
    here, former = gateway, moving.begun(data)
    if here is None and former is not None:
        here = former.gateway  # Its book may lie aside already.
    elif here is None and (data / file.BOOK).exists():
        try:
            here = copying.seen(data / file.BOOK).gateway
        except Trouble:
            here = None  # A damaged book is what one restores for; it can no longer say whose it is.
    if here is not None and here != manifest.gateway:
        raise Trouble(
            USAGE, f"the backup is of the gateway {manifest.gateway}, and here is {here}; if that is meant, say "
            f"so with --gateway {manifest.gateway}"
        )  # fmt: skip


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version))


def _private(scratch: Path, manifest: Manifest, passphrase: bytes | None, wanted: bool) -> list[str]:
    """Unseal into the scratch directory; return the names. Raises Trouble."""
    if file.SEALED not in manifest.files or not wanted:
        return []
    if passphrase is None:
        raise Trouble(
            USAGE, "this backup holds secrets under a passphrase; name its file with --secrets, or leave them out with "
            "--without-secrets: then keys, passwords and the panel's users are made anew"
        )  # fmt: skip
    from host.backup import sealed

    told, names = io.BytesIO(sealed.unseal((scratch / file.SEALED).read_bytes(), passphrase)), []
    with tarfile.open(fileobj=told, mode="r:") as tar:
        for head in tar:
            contents = file.plain(tar, head)
            if contents is None or not PRIVATE.fullmatch(head.name) or head.size > LARGEST_PRIVATE:
                raise Trouble(
                    USAGE, f"the sealed part of this backup holds {head.name!r}, which is none of Riser's secrets"
                )
            path = scratch / head.name
            path.parent.mkdir(exist_ok=True, mode=0o700)
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
                shutil.copyfileobj(contents, out)
                out.flush()
                os.fsync(out.fileno())
            names.append(head.name)
    return names


def told(done: Restored) -> list[str]:
    """What was done, and what must happen now."""
    manifest = done.manifest
    lines = [
        f"{done.data} holds the book of {manifest.gateway} as it was at {manifest.made_at}, up to entry {manifest.seq}"
    ]
    if done.aside is not None:
        lines.append(f"what was there before is kept in {done.aside}")
    if file.SITE in done.brought:
        lines.append(f"the site file of that day is {done.data / file.SITE}")
    if not any(name.startswith("secrets/") for name in done.brought):
        lines.append(
            "secrets were not brought back: `riser up` makes new ones where none are, meter passwords included"
        )
    return [
        *lines,
        *(came_back.told(done.again) if done.again is not None else ()),
        "start it with `riser up`. It reads, charges and restores, and cuts nobody (mode recovery) until all payments "
        "since then are in the book: an archive on another machine gives them back by itself; then compare with the "
        "receipts and the till, book what is missing, and say so: riser request recovered why=...",
    ]
