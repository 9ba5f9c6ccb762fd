"""A disk that may lose its power: what is safe on it, what may be, and how it can look afterwards.

A file's bytes are safe after a sync of that file; before it each write may be there, or not, or in part, whatever
became of the others. A name (created, renamed, removed) is safe after a sync of its directory; before that, names
of a directory change in the order in which they were changed, and a cut leaves some first part of that; how far it
comes may differ from directory to directory. A rename between two directories is in both or in none, and a sync of
one of them takes along what came before it in the other. Nothing else is assumed.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from pathlib import PurePath

from tests.proof.tape import Change, Kind

SECTOR, PAGE = 512, 4096
"""What a disk writes at once, and what the kernel does."""

MANNERS = ("nothing", "all", "prefix", "subset", "sectors", "pages", "holes", "garbage")
"""How a cut can leave what was not synced.

    nothing   all of it is lost                          sectors   of each write some sectors of 512 bytes arrived
    all       all of it arrived (and so after kill -9)   pages     the same by pages of 4096
    prefix    what came first, the last write torn       holes     the file is as long as it was to be, what did not
    subset    some writes arrived and others did not               arrive is zeros
                                                         garbage   what did not arrive of a write is rubbish
"""

Image = dict[str, bytes]
"""A directory as it is found after the cut: contents by name. One below it has a name that ends in a slash."""


@dataclass
class Pending:
    """A change of one file that was not synced. `data` is None where the length was set to `offset`."""

    number: int
    offset: int
    data: bytes | None


@dataclass(frozen=True)
class Named:
    """Names that were changed at once: what each means from then on, and in which directories they stand."""

    number: int
    names: dict[str, int | None]
    directories: frozenset[str]


@dataclass
class Inode:
    safe: bytearray = field(default_factory=bytearray)
    pending: list[Pending] = field(default_factory=list)


def put(content: bytearray, offset: int, data: bytes) -> None:
    """Write into a file, which grows by zeros up to there."""
    if len(content) < offset:
        content.extend(bytes(offset - len(content)))
    content[offset : offset + len(data)] = data


def applied(content: bytearray, change: Pending) -> None:
    if change.data is not None:
        put(content, change.offset, change.data)
    elif len(content) > change.offset:
        del content[change.offset :]
    else:
        content.extend(bytes(change.offset - len(content)))


class Disk:
    """Takes the records of a tape one by one; `image` shows what a cut at this moment could leave."""

    def __init__(self, directory: str, before: dict[str, tuple[int, bytes]] | None = None):
        """`before` is what lay there safely when the tape began: (inode, content) by name."""
        self._directory, self._numbers = directory, 0
        self._inodes: dict[int, Inode] = {}
        self._serial: dict[int, int] = {}  # The newest file under an inode number, which a file system uses again.
        self._names: dict[str, int] = {}
        self._now: dict[str, int] = {}
        self._renamed: list[Named] = []
        for name, (inode, content) in (before or {}).items():
            self._names[name] = self._now[name] = self._new(inode)
            self._inodes[self._names[name]].safe = bytearray(content)

    def _new(self, inode: int) -> int:
        serial = len(self._inodes) + 1
        self._serial[inode], self._inodes[serial] = serial, Inode()
        return serial

    @property
    def unsafe(self) -> int:
        """Changes that a cut may lose."""
        return len(self._renamed) + sum(len(inode.pending) for inode in self._inodes.values())

    # --- what was done ---

    def take(self, change: Change) -> None:
        self._numbers += 1
        if change.kind in (Kind.WRITE, Kind.LENGTH):
            data = change.data if change.kind is Kind.WRITE else None
            inode = self._inodes[self._serial[change.inode]]
            inode.pending.append(Pending(self._numbers, change.offset, data))
        elif change.kind is Kind.SYNC:
            self._synced(change)
        elif change.kind is Kind.CREATE:
            self._name({self._own(change.path): self._new(change.inode)})
        elif change.kind is Kind.RENAME:
            name = self._own(change.path)
            self._name({self._own(change.data.decode()): self._now[name], name: None})
        elif change.kind is Kind.REMOVE:
            name = self._own(change.path)
            self._name({f"{name}/" if f"{name}/" in self._now else name: None})
        elif change.kind is Kind.MAKE_DIRECTORY:
            self._name({f"{self._own(change.path)}/": self._new(0)})

    def _own(self, path: str) -> str:
        name = PurePath(path).relative_to(self._directory).as_posix()
        if (inside := _directory_of(name)) and inside not in self._now:
            raise ValueError(f"{path}: nobody made its directory")
        return name

    def _name(self, names: dict[str, int | None]) -> None:
        self._renamed.append(Named(self._numbers, names, frozenset(map(_directory_of, names))))
        for name, file in names.items():
            _point(self._now, name, file)

    def _synced(self, change: Change) -> None:
        directory = "" if change.path == self._directory else f"{self._own(change.path)}/"
        if not directory or directory in self._now:
            self._names_synced({directory})
            return
        inode = self._inodes[self._serial[change.inode]]
        for each in inode.pending:
            applied(inode.safe, each)
        inode.pending.clear()

    def _names_synced(self, directories: set[str]) -> None:
        """What was changed in these, and whatever came before a change that is in another one too."""
        safe = list[Named]()
        for each in reversed(self._renamed):
            if each.directories & directories:
                directories |= each.directories
                safe.append(each)
        for each in reversed(safe):
            self._renamed.remove(each)
            for name, file in each.names.items():
                _point(self._names, name, file)

    # --- what a cut leaves ---

    def image(self, manner: str, chance: random.Random) -> Image:
        """One disk that a cut could leave now."""
        numbers = sorted([each.number for each in self._renamed]
                         + [each.number for inode in self._inodes.values() for each in inode.pending])  # fmt: skip
        last = chance.choice([0, *numbers]) if manner == "prefix" else 0
        names = dict(self._names)
        for each in self._arrived(manner, chance, last):
            for name, file in each.names.items():
                _point(names, name, file)
        return {
            name: self._content(self._inodes[file], manner, chance, last)
            for name, file in sorted(names.items()) if _reached(name, names)
        }  # fmt: skip

    def _arrived(self, manner: str, chance: random.Random, last: int) -> list[Named]:
        """Which of the changed names arrived."""
        if manner in ("nothing", "all"):
            return self._renamed if manner == "all" else []
        if manner == "prefix":
            return [each for each in self._renamed if each.number <= last]
        changed = {directory for each in self._renamed for directory in each.directories}
        ends = {
            directory: chance.choice([0, *(each.number for each in self._renamed if directory in each.directories)])
            for directory in sorted(changed)
        }
        arrived, over = list[Named](), set[str]()
        for each in self._renamed:
            if each.directories & over or any(each.number > ends[directory] for directory in each.directories):
                over |= each.directories
            else:
                arrived.append(each)
        return arrived

    def _content(self, inode: Inode, manner: str, chance: random.Random, last: int) -> bytes:
        content = bytearray(inode.safe)
        longest = len(content)
        for each in inode.pending:
            if manner == "all" or (manner == "prefix" and each.number < last):
                applied(content, each)
            elif manner == "prefix" and each.number == last:
                _torn(content, each, chance)
            elif manner == "subset" and chance.random() < 0.5:
                applied(content, each)
            elif manner in ("sectors", "pages", "holes", "garbage"):
                _in_part(content, each, manner, chance)
            longest = max(longest, each.offset + len(each.data or b""))
        if manner == "holes" and longest > len(content):
            content.extend(bytes(longest - len(content)))
        return bytes(content)


def _directory_of(name: str) -> str:
    """Where a name stands; the watched directory itself is ""."""
    return name.rstrip("/").rpartition("/")[0] + "/" if "/" in name.rstrip("/") else ""


def _reached(name: str, names: dict[str, int]) -> bool:
    """All directories above it are there."""
    inside = _directory_of(name)
    return not inside or (inside in names and _reached(inside, names))


def _point(names: dict[str, int], name: str, file: int | None) -> None:
    if file is None:
        names.pop(name, None)
    else:
        names[name] = file


def _torn(content: bytearray, change: Pending, chance: random.Random) -> None:
    """The last thing that was being written: its first sectors, down to none of them or up to all."""
    if change.data is None:
        applied(content, change)
        return
    cuts = [0, *range(SECTOR - change.offset % SECTOR, len(change.data), SECTOR), len(change.data)]
    put(content, change.offset, change.data[: chance.choice(cuts)])


def _in_part(content: bytearray, change: Pending, manner: str, chance: random.Random) -> None:
    """Some blocks of a write arrived; the others are as they were, or rubbish."""
    if change.data is None:
        if chance.random() < 0.5:
            applied(content, change)
        return
    block = PAGE if manner == "pages" else SECTOR
    at, end = change.offset, change.offset + len(change.data)
    while at < end:
        upto = min(end, (at // block + 1) * block)
        piece = change.data[at - change.offset : upto - change.offset]
        if chance.random() < 0.5:
            put(content, at, piece)
        elif manner == "garbage":
            put(content, at, chance.randbytes(len(piece)))
        at = upto
