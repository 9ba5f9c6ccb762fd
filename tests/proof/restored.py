"""What must be so after a restore that was killed, or whose power was cut: the old gateway whole, the restored one
whole, or neither starts and the person is told to give the command again; then nothing is lost.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bridge.contract.clock import ManualClock, SystemClock
from edge import opening
from edge.audit.verify import verify
from edge.book import Book, BookError
from host.backup import make, moving, restore
from host.exits import Trouble
from host.places import version
from tests.edge.building import Building

NOW = datetime(2026, 12, 1, tzinfo=UTC)
PASSPHRASE = b"a long word for the proof"

PASSING = ("riser.lock", "book.lock", "book.begun", f"{restore.SCRATCH}/", f"{moving.ASIDE}-")
"""What says nothing of a gateway's own data."""

Files = dict[str, bytes]


class Broken(Exception):
    """A promise was broken; the sentence says which."""


def put_back(usb: Path, data: Path) -> restore.Restored:
    """The command, as a person gives it each time."""
    return restore.restore(usb, data, PASSPHRASE, True, None, "李强", version(), SystemClock())


def furnish(data: Path, word: str) -> None:
    """Keys, people and a site file as they were at some time."""
    (data / "secrets").mkdir(mode=0o700, exist_ok=True)
    for name in ("edge", "panel"):
        (data / "secrets" / f"{name}.json").write_text(json.dumps({"password": f"{name} {word}"}))
    (data / "panel.key").write_text(f"key {word}")
    (data / "site.toml").write_text(f'[site]\nname = "{word}"\ngateway = "demo"\n', encoding="utf-8")
    (data / "registry.json").write_text(json.dumps({"of": word}))
    (data / "panel.db").unlink(missing_ok=True)
    with closing(sqlite3.connect(data / "panel.db")) as db, db:
        db.execute("CREATE TABLE user (name TEXT, role TEXT, hash TEXT)")
        db.execute("INSERT INTO user VALUES (?, 'finance', 'x')", (word,))


def lived(scratch: Path) -> Path:
    """A gateway of which a backup was made, which lived on and was killed, in `here`; an empty machine, `new`."""
    data = scratch / "living"
    building = Building(data, meters={"a206"}, idle_s=5)
    building.connect()
    building.run(minutes=3)
    building.topup("100206", 100_00)
    furnish(data, "then")
    made = make.make(data, data / "site.toml", scratch / "usb", PASSPHRASE, None, SystemClock(), version())
    furnish(data, "now")
    (data / "archive.db").write_text("an archive")
    (data / "panel.db-journal").write_text("what the panel's people were before")
    building.topup("100206", 50_00)
    shutil.copytree(data, scratch / "here")  # The newest entries stand in the journal beside the book.
    (scratch / "new").mkdir()
    building.stop_edge()
    return Path(made.file)


def files(directory: Path) -> Files:
    """All that has contents, by name."""
    found = (path for path in directory.rglob("*") if path.is_file() and not path.name.endswith("-shm"))
    return {path.relative_to(directory).as_posix(): path.read_bytes() for path in found}


def own(directory: Path) -> Files:
    """What a gateway works with, but for its book."""
    return {
        name: content for name, content in files(directory).items()
        if not name.startswith((*PASSING, "book.db")) and name != "backup.json"
    }  # fmt: skip


def hashes_of(directory: Path) -> list[str]:
    book = Book(directory, ManualClock(NOW), "looks")
    try:
        return [entry.hash for entry in book.entries()]
    finally:
        book.close()


@dataclass
class Judge:
    """Knows both gateways. `place` is a directory of its own to look in."""

    usb: Path
    before: Path
    place: Path
    whole: Path
    """Where the restore came to its end undisturbed."""

    def __post_init__(self) -> None:
        self._had_book = (self.before / "book.db").exists()
        self._old = hashes_of(self._copy(self.before)) if self._had_book else []
        self._new = hashes_of(self._copy(self.whole))
        asides = list(self.whole.glob(f"{moving.ASIDE}-*"))
        self._former = files(asides[0]) if asides else {}
        assert all(files(self.before)[name] == content for name, content in self._former.items())
        assert not self._had_book or {"book.db", "book.db-wal", "secrets/edge.json", "panel.db"} <= set(self._former)

    def _copy(self, directory: Path) -> Path:
        shutil.rmtree(self.place, ignore_errors=True)
        return Path(shutil.copytree(directory, self.place))

    def state(self, data: Path) -> str:
        """`before`, `restored`, or `told`: it does not start, and says what to do. Raises Broken."""
        copy = self._copy(data)
        if not self._had_book and not files(copy).keys() - {"riser.lock", "book.lock"} - _scratch(copy):
            return "before"
        try:
            moving.refuse_unfinished(copy)
            book = Book(copy, ManualClock(NOW), "after")
        except (BookError, Trouble) as refused:
            if "not finished" in str(refused):
                return "told"
            raise Broken(f"it does not start, and does not say that a restore was not finished: {refused}") from None
        try:
            entries, recovering = list(book.entries()), opening.state_of(book).recovering
        finally:
            book.close()
        hashes = [entry.hash for entry in entries]
        if self._had_book and hashes == self._old:
            self._same(own(copy), own(self.before), "the old book starts")
            return "before"
        if hashes[:-1] != self._new[:-1] or entries[-1].kind != "restored/1" or recovering is None:
            raise Broken(f"a book of {len(hashes)} entries starts, which is neither the old nor the restored one")
        self._same(own(copy), own(self.whole), "the restored book starts")
        if not verify(copy).good:
            raise Broken("the restored book is not true")
        self._kept(data)
        return "restored"

    def _same(self, found: Files, wanted: Files, what: str) -> None:
        odd = sorted(name for name in found.keys() | wanted.keys() if found.get(name) != wanted.get(name))
        if odd:
            raise Broken(f"{what} with other files: {', '.join(odd)}")

    def _kept(self, data: Path) -> None:
        """All that was here before lies in one folder, to the byte."""
        asides = [files(path) for path in data.glob(f"{moving.ASIDE}-*")]
        if self._former and not any(self._former.items() <= each.items() for each in asides):
            raise Broken(f"what was there before is not whole in one folder: {[sorted(each) for each in asides]}")

    def made_good(self, data: Path) -> None:
        """The same command once more. Raises Broken."""
        try:
            put_back(self.usb, data)
        except Trouble as trouble:
            raise Broken(f"the same command given again: {trouble.sentence}") from None
        if (state := self.state(data)) != "restored":
            raise Broken(f"the same command given again leaves: {state}")
        if (left := _scratch(data)) != set():
            raise Broken(f"the same command given again leaves {sorted(left)}")


def _scratch(data: Path) -> set[str]:
    return {name for name in files(data) if name.startswith(f"{restore.SCRATCH}/")}
