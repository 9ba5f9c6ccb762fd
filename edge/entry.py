"""What an entry of the book is: its one JSON text, and the hash that binds it to all before it; and what a snapshot
is. Pure, no file.

hash = SHA-256(seq LF id LF at LF boot LF mono_ns LF trusted LF kind LF body LF prev_hash)
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, NoReturn

FIRST_HASH = "0" * 64

Draft = tuple[str, str, dict[str, Any]]
"""An entry to be written: kind, id, fields."""


class Sealed(NamedTuple):
    """A draft whose text is made: what is long in writing it can be done before, in slices. `fields` are read back
    from the text, so whoever folds them folds what the book holds."""

    kind: str
    id: str
    body: str
    fields: dict[str, Any]


@dataclass(frozen=True)
class Entry:
    """One row of the journal. `at` is in microseconds since 1970 UTC, `body` is canonical JSON."""

    seq: int
    id: str
    at: int
    boot: str
    mono_ns: int
    trusted: bool
    kind: str
    body: str
    prev_hash: str
    hash: str

    @property
    def computed_hash(self) -> str:
        """What the hash must be for these columns."""
        columns = (self.seq, self.id, self.at, self.boot, self.mono_ns, self.trusted, self.kind, self.body)
        return hash_of(*columns, self.prev_hash)

    @cached_property
    def fields(self) -> dict[str, Any]:
        """The body, read once. Nobody changes it."""
        fields: dict[str, Any] = json.loads(self.body)
        return fields

    @property
    def row(self) -> tuple[Any, ...]:
        """The columns as the journal holds them."""
        return (
            self.seq, self.id, self.at, self.boot, self.mono_ns, int(self.trusted), self.kind, self.body,
            self.prev_hash, self.hash,
        )  # fmt: skip


def of_row(row: tuple[Any, ...]) -> Entry:
    """An entry from the journal's columns."""
    seq, id, at, boot, mono_ns, trusted, kind, body, prev_hash, digest = row
    return Entry(seq, id, at, boot, mono_ns, bool(trusted), kind, body, prev_hash, digest)


def canonical(fields: dict[str, Any]) -> str:
    """The one JSON text of a body: sorted keys, no spaces, no NaN, no float (I6)."""
    return seal("", "", fields).body


def seal(kind: str, id: str, fields: dict[str, Any]) -> Sealed:
    """Make the text of a draft. Raises TypeError for a float, however deep it hides (I6)."""
    body = _TEXT(fields)
    return Sealed(kind, id, body, _READ(body))


def seal_own(kind: str, id: str, fields: dict[str, Any]) -> Sealed:
    """The same for fields that their maker leaves alone from now on: they need not be read back, only looked through,
    and where they hold what reads back otherwise they are."""
    return Sealed(kind, id, _TEXT(fields), fields) if _plain(fields) else seal(kind, id, fields)


def _plain(fields: dict[str, Any]) -> bool:
    """True for what JSON gives back as it is."""
    waiting: list[Any] = [fields]
    while waiting:
        part = waiting.pop()
        if type(part) is dict:
            for name in part:
                if type(name) is not str:
                    return False
            part = part.values()
        for inner in part:
            kind = type(inner)
            if kind is dict or kind is list:
                waiting.append(inner)
            elif not (kind is str or kind is int or inner is None or kind is bool):
                return False
    return True


def _refuse(number: str) -> NoReturn:
    raise TypeError(f"a float may not enter the book: {number} (I6)")


_TEXT = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":"), check_circular=False).encode
_READ = json.JSONDecoder(parse_float=_refuse, parse_constant=_refuse).decode
"""Reading the text back is the quickest way to find every float in it, and gives what the fold needs."""


def sealed(draft: Draft | Sealed) -> Sealed:
    """A draft as it is written, whether or not that was prepared before."""
    return draft if isinstance(draft, Sealed) else seal(*draft)


def chain(seq: int, prev: str, draft: Sealed, at: int, boot: str, mono_ns: int, trusted: bool) -> Entry:
    """The entry that a draft becomes after the one that has the number `seq - 1` and the hash `prev`."""
    digest = hash_of(seq, draft.id, at, boot, mono_ns, trusted, draft.kind, draft.body, prev)
    entry = Entry(seq, draft.id, at, boot, mono_ns, trusted, draft.kind, draft.body, prev, digest)
    vars(entry)["fields"] = draft.fields  # They were read from this very text.
    return entry


def hash_of(seq: int, id: str, at: int, boot: str, mono_ns: int, trusted: bool, kind: str, body: str, prev: str) -> str:
    """SHA-256 over all columns and the hash before, each on a line of its own (I17). Bodies hold no line break."""
    text = f"{seq}\n{id}\n{at}\n{boot}\n{mono_ns}\n{int(trusted)}\n{kind}\n{body}\n{prev}"
    return hashlib.sha256(text.encode()).hexdigest()


class Snapshot(NamedTuple):
    """A fold as the book's file keeps it: up to entry `seq`, whose hash is `hash`, by the fold `version`."""

    seq: int
    hash: str
    version: str
    body: bytes
    digest: str

    @property
    def whole(self) -> bool:
        """Nothing of it was changed since it was written."""
        return self.digest == digest_of(self.seq, self.hash, self.version, self.body)


def digest_of(seq: int, hash: str, version: str, body: bytes) -> str:
    """SHA-256 over all that a snapshot holds."""
    return hashlib.sha256(f"{seq}\n{hash}\n{version}\n".encode() + body).hexdigest()
