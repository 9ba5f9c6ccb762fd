"""A backup is one file: a tar of a manifest and what it lists, and behind it the SHA-256 of all bytes before.

    manifest.json   what it is of, its newest entry, and size and SHA-256 of each of the others
    book.db         the whole book, as the database's own backup call copied it
    site.toml       the site file
    secrets.sealed  keys, passwords and the panel's users under a passphrase; not there where they were left out
    sha256:<64 hex digits>

`tar xf` opens it. A file that differs in one byte, or holds another name than these, is refused before it is used.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import tarfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import IO, Any

from pydantic import TypeAdapter

from bridge.contract.units import instant_of, is_id
from host.exits import USAGE, Trouble

FORMAT = 1

MANIFEST, BOOK, SITE, SEALED = "manifest.json", "book.db", "site.toml", "secrets.sealed"
NAMES = {BOOK, SITE, SEALED}

LARGEST_MANIFEST = 100_000

PIECE = 1 << 20

END = b"sha256:"
END_BYTES = len(END) + 64 + 1


@dataclass(frozen=True)
class Contents:
    """Size and SHA-256 of one of its files."""

    bytes: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """What a backup is of. `seq` and `hash` are of the newest entry of its book."""

    gateway: str
    epoch: str
    seq: int
    hash: str
    made_at: str
    riser: str
    secrets: str
    """`sealed` or `left out`."""
    site: str = ""
    """The site's name, for people."""
    left_out: tuple[str, ...] = ()
    files: dict[str, Contents] = field(default_factory=dict)
    format: int = FORMAT

    def text(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False, indent=1)


_READ = TypeAdapter(Manifest)


class _Summed(io.RawIOBase):
    """Writes on, and sums up what was written."""

    def __init__(self, out: IO[bytes]):
        self._out, self.sum = out, hashlib.sha256()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.sum.update(data)
        return self._out.write(data)


def write(path: Path, manifest: Manifest, directory: Path) -> None:
    """Put the manifest and its files, which lie in `directory`, into a new file that only its owner reads, and wait
    until the disk has it."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
        summed = _Summed(out)
        with tarfile.open(fileobj=summed, mode="w|", format=tarfile.PAX_FORMAT) as tar:
            told = manifest.text().encode()
            tar.addfile(_head(MANIFEST, len(told)), io.BytesIO(told))
            for name in manifest.files:
                with (directory / name).open("rb") as source:
                    tar.addfile(_head(name, os.fstat(source.fileno()).st_size), source)
        out.write(END + summed.sum.hexdigest().encode() + b"\n")
        out.flush()
        os.fsync(out.fileno())


def _head(name: str, size: int) -> tarfile.TarInfo:
    head = tarfile.TarInfo(name)
    head.size, head.mode = size, 0o600
    return head


def digest_of(path: Path) -> Contents:
    """Size and SHA-256 of a file, as the manifest has them."""
    digest = hashlib.sha256()
    with path.open("rb") as source:
        for piece in _pieces(source):
            digest.update(piece)
    return Contents(path.stat().st_size, digest.hexdigest())


def _pieces(source: IO[bytes], left: int | None = None) -> Iterator[bytes]:
    while left is None or left > 0:
        piece = source.read(PIECE if left is None else min(PIECE, left))
        if not piece:
            return
        left = None if left is None else left - len(piece)
        yield piece


def unpack(path: Path, into: Path) -> Manifest:
    """Check the whole file, then lay its files into a directory and compare each. Raises Trouble; OSError."""
    _whole(path)
    try:
        with tarfile.open(path, mode="r:") as tar:
            head = tar.next()
            if head is None or head.name != MANIFEST or head.size > LARGEST_MANIFEST:
                raise _no_backup(path)
            manifest = _manifest(path, _contents(tar, head).read())
            there = set()
            while (head := tar.next()) is not None:
                wanted = manifest.files.get(head.name)
                if wanted is None or head.name in there:
                    raise _no_backup(path)
                there.add(head.name)
                with os.fdopen(os.open(into / head.name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
                    for piece in _pieces(_contents(tar, head)):
                        out.write(piece)
                    out.flush()
                    os.fsync(out.fileno())
                if digest_of(into / head.name) != wanted:
                    raise Trouble(USAGE, f"{path} is damaged: its {head.name} is not what was put in")
    except (tarfile.TarError, EOFError, ValueError) as error:
        raise Trouble(USAGE, f"{path} is no backup of Riser, or is damaged: {error}") from None
    if there != set(manifest.files) or BOOK not in there:
        raise Trouble(USAGE, f"{path} is damaged: it lacks {', '.join(sorted(set(manifest.files) - there)) or BOOK}")
    return manifest


def _whole(path: Path) -> None:
    """The sum behind the tar. Raises Trouble."""
    digest = hashlib.sha256()
    with path.open("rb") as source:
        size = os.fstat(source.fileno()).st_size
        for piece in _pieces(source, max(0, size - END_BYTES)):
            digest.update(piece)
        if source.read() != END + digest.hexdigest().encode() + b"\n":
            raise Trouble(USAGE, f"{path} is damaged, or is no backup of Riser: its sum does not fit. Take another one")


def plain(tar: tarfile.TarFile, head: tarfile.TarInfo) -> IO[bytes] | None:
    """A plain file's bytes, which all lie in the tar; None for others: a sparse one could be made to fill the disk."""
    return tar.extractfile(head) if head.type in (tarfile.REGTYPE, tarfile.AREGTYPE) and not head.sparse else None


def _contents(tar: tarfile.TarFile, head: tarfile.TarInfo) -> IO[bytes]:
    found = plain(tar, head)
    if found is None:
        raise ValueError(f"{head.name} is no file")
    return found


def _manifest(path: Path, told: bytes) -> Manifest:
    try:
        words = json.loads(told)
        if type(words.get("format")) is int and words["format"] > FORMAT:
            made_by = words["riser"] if _is_version(words.get("riser")) else "it does not say which"
            raise Trouble(USAGE, f"{path} was made by a newer Riser ({made_by}); restore it with that one")
        manifest = _READ.validate_json(told, strict=True)
        instant_of(manifest.made_at)
    except (ValueError, AttributeError, RecursionError):
        raise _no_backup(path) from None
    known = set(words) <= {each.name for each in fields(Manifest)} and set(manifest.files) <= NAMES
    if not (known and is_id(manifest.gateway) and _is_version(manifest.riser)):
        raise _no_backup(path)
    return manifest


def _is_version(told: object) -> bool:
    """True for what a Riser can call itself, which may be shown to people."""
    return isinstance(told, str) and re.fullmatch(r"[0-9A-Za-z.+-]{1,40}", told) is not None


def _no_backup(path: Path) -> Trouble:
    return Trouble(USAGE, f"{path} is no backup of Riser")
