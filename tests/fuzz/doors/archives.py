"""The door of backups: a file that says it is one, taken from a stick that somebody found.

Refused, it has changed nothing: not one byte in the data directory, and nothing beside it. Taken, the book that stands
there now is the one that was put in, entry by entry, and what stood there before is aside.
"""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import sqlite3
import tarfile
from contextlib import redirect_stderr, redirect_stdout, suppress
from dataclasses import asdict
from pathlib import Path
from random import Random
from typing import Any
from unittest import mock

from bridge.contract.clock import SystemClock
from edge import new_epoch
from edge.audit import verify
from host.backup import copying, file, proof, restore
from host.exits import Trouble
from tests.edge.building import Building
from tests.fuzz.doors import odd
from tests.fuzz.doors.door import Door, Input
from tests.fuzz.doors.files import sentences

VERSION = "0.1.0"
PROGRAMS = {"edge.audit.verify": verify.main, "edge.new_epoch": new_epoch.main}
KINDS = (
    tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.GNUTYPE_SPARSE,
    tarfile.CONTTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE,
)  # fmt: skip
ABOUT = ("bytes", "manifest", "contents", "members", "members")
NAMES = ("../book.db", "/etc/book.db", "book.db/", "./book.db", "book.db-wal", "secrets/edge.json", "book.db\x00x", "")

Members = list[tuple[tarfile.TarInfo, bytes]]


class Archives(Door):
    """`riser restore`."""

    name = "backup"

    def __init__(self, scratch: Path):
        self._scratch, self._made = scratch, scratch / "usb" / "hostile.riser.tar"
        self._before, self._data = scratch / "before", scratch / "data"
        for name in ("usb", "grown", "before"):
            (scratch / name).mkdir()
        building = Building(scratch / "grown", meters={"a206"}, idle_s=5)
        building.connect()
        building.topup("100206", 100_00)
        self._kept(building)
        building.topup("100206", 50_00)
        building.stop_edge()
        copying.copy(scratch / "grown" / "book.db", self._before / "book.db")
        shutil.copytree(self._before, self._data)

    def _kept(self, building: Building) -> None:
        """The backup that all others are made from."""
        inside = self._scratch / "inside"
        inside.mkdir()
        copying.copy(self._scratch / "grown" / "book.db", inside / "book.db")
        (inside / "site.toml").write_text('[site]\nname = "East"\ngateway = "demo"\n', encoding="utf-8")
        self._seen, self._rows = copying.seen(inside / "book.db"), rows_of(inside / "book.db")
        self._manifest = {
            "gateway": self._seen.gateway, "epoch": self._seen.epoch, "seq": self._seen.seq, "hash": self._seen.hash,
            "made_at": "2026-11-20T10:30:00.000+00:00", "riser": VERSION, "secrets": "left out", "site": "East",
            "left_out": ["logs"], "format": file.FORMAT,
            "files": {name: asdict(file.digest_of(inside / name)) for name in ("book.db", "site.toml")},
        }  # fmt: skip
        self._inside = {name: (inside / name).read_bytes() for name in ("book.db", "site.toml")}

    # --- making ---

    def make(self, dice: Random) -> Input:
        manifest, about = json.loads(json.dumps(self._manifest)), dice.choice(ABOUT)
        words: dict[str, Any] = {"changed": about}
        if about == "manifest":
            part = dice.choice((manifest, manifest["files"], manifest["files"]["book.db"]))
            new = odd.mixed(dice, part, dice.choice((1, 1, 2)))
            part.clear()
            part.update(new)
            told = json.dumps(manifest).encode()
            if dice.random() < 0.3:
                told = dice.choice((odd.damaged(dice, told), b"[" * 90_000, b"[]", b"7", b"\xff", b'{"format": "x"}'))
            words["manifest"] = self._with_marks(told.decode("latin-1"))
        if about == "contents":
            words["file"] = name = dice.choice(("book.db", "book.db", "site.toml"))
            raw = self._inside[name]
            words["edits"] = self._one_byte(dice, raw) if dice.random() < 0.5 else odd.edits(dice, raw)
        if about == "members":
            members = self._members(words)
            self._moved(dice, members)
            words["members"] = [self._told_member(*each) for each in members]
        if about == "bytes":
            words["edits"] = odd.edits(dice, packed(self._members(words)))
            words["ended"] = dice.random() < 0.8
        return self.again(words)[0]

    def kept(self, given: Input) -> dict[str, Any]:
        """How it differs from a good backup: what a book holds changes with the program, and with each run."""
        return given.about

    def again(self, words: dict[str, Any]) -> list[Input]:
        """`manifest` is its text, `file` and `edits` are what is changed in a file, `sql` in its book, `members` is all
        that it holds in its order; `edits` alone are of the whole."""
        raw = packed(self._members(words))
        if "file" not in words:
            raw = odd.edited(raw, words.get("edits", ()))
        if words.get("ended", True):
            raw += file.END + hashlib.sha256(raw).hexdigest().encode() + b"\n"
        return [Input(raw, words)]

    def _members(self, words: dict[str, Any]) -> Members:
        manifest, inside = json.loads(json.dumps(self._manifest)), dict(self._inside)
        if (name := words.get("file")) is not None:
            inside[name] = odd.edited(inside[name], words.get("edits", ()))
        if "sql" in words:
            name, inside["book.db"] = "book.db", self._changed_by(words["sql"])
        if name is not None:
            manifest["files"][name] = {
                "bytes": len(inside[name]), "sha256": hashlib.sha256(inside[name]).hexdigest()
            }  # fmt: skip
        inside = {"manifest.json": json.dumps(manifest).encode(), **inside}
        if "manifest" in words:
            inside["manifest.json"] = self._without_marks(words["manifest"]).encode("latin-1")
        if "members" not in words:
            return [member(name, raw) for name, raw in inside.items()]
        return [self._member_of(each, inside) for each in words["members"]]

    def _changed_by(self, sql: str) -> bytes:
        book = self._scratch / "inside" / "changed.db"
        book.write_bytes(self._inside["book.db"])
        db = sqlite3.connect(book)
        try:
            db.executescript(sql)
        finally:
            db.close()
        return book.read_bytes()

    @staticmethod
    def _one_byte(dice: Random, raw: bytes) -> list[odd.Edit]:
        at = dice.randrange(len(raw))
        return [(at, 1, bytes([raw[at] ^ (1 << dice.randrange(8))]).hex())]

    def _marks(self) -> list[tuple[str, str]]:
        """What differs from run to run, and how it is told."""
        book = self._manifest["files"]["book.db"]
        return [
            (self._seen.epoch, "<epoch>"), (self._seen.hash, "<hash>"), (book["sha256"], "<digest>"),
            (f'"bytes": {book["bytes"]}', '"bytes": <bytes>'),
        ]  # fmt: skip

    def _with_marks(self, text: str) -> str:
        for own, mark in self._marks():
            text = text.replace(own, mark)
        return text

    def _without_marks(self, text: str) -> str:
        for own, mark in self._marks():
            text = text.replace(mark, own)
        return text

    def _told_member(self, head: tarfile.TarInfo, contents: bytes) -> dict[str, Any]:
        """Of a file of the good backup its name stands for the contents."""
        of = next((name for name, raw in self._inside.items() if raw == contents), None)
        if of is None and contents == json.dumps(self._manifest).encode():
            of = "manifest.json"
        return {
            "name": head.name, "type": head.type.decode(), "link": head.linkname, "pax": head.pax_headers,
            **({"of": of} if of is not None else {"contents": contents.decode()}),
        }  # fmt: skip

    @staticmethod
    def _member_of(told: dict[str, Any], inside: dict[str, bytes]) -> tuple[tarfile.TarInfo, bytes]:
        contents = inside[told["of"]] if "of" in told else told["contents"].encode()
        head, _ = made = member(told["name"], contents)
        head.type, head.linkname, head.pax_headers = told["type"].encode(), told["link"], dict(told["pax"])
        return made

    @staticmethod
    def _moved(dice: Random, members: Members) -> None:
        at = dice.randrange(len(members))
        head, contents = members[at]
        match dice.randrange(7):
            case 0:
                head.name = dice.choice((*NAMES, *map(str, odd.TEXTS)))
            case 1:
                head.type, head.linkname = dice.choice(KINDS), dice.choice(("/etc/passwd", "book.db", "../x", ""))
            case 2:
                members.insert(dice.randrange(len(members) + 1), (head, contents))
            case 3:
                members.append(member(dice.choice(NAMES), b"x" * dice.randrange(2000)))
            case 4:
                dice.shuffle(members)
            case 5:
                head.pax_headers = {
                    dice.choice(("size", "path", "linkpath", "mtime", "GNU.sparse.map", "GNU.sparse.realsize",
                                 "GNU.sparse.major", "hdrcharset", "uid")): str(dice.choice(odd.NUMBERS))
                }  # fmt: skip
            case _:
                del members[at]

    # --- trying ---

    def try_(self, given: Input) -> bool:
        self._made.write_bytes(given.raw)
        before, around = told_of(self._data), {each.name for each in self._scratch.iterdir()}
        try:
            with mock.patch.object(proof, "edge_says", says):
                done = restore.restore(
                    self._made, self._data, None, False, None, "李强", VERSION, SystemClock()
                )  # fmt: skip
        except Trouble as trouble:
            sentences([trouble.sentence.replace(str(self._scratch), "")[:400]])
            assert told_of(self._data) == before, "what was refused has changed the data directory"
            assert {each.name for each in self._scratch.iterdir()} == around, "something lies beside the directory"
            return False
        assert {each.name for each in self._scratch.iterdir()} == around, "something lies beside the directory"
        sentences([line.replace(str(self._scratch), "") for line in restore.told(done)])
        self._true(done)
        shutil.rmtree(self._data)
        shutil.copytree(self._before, self._data)
        return True

    def _true(self, done: restore.Restored) -> None:
        """What stands there now is what was kept, and one entry more."""
        rows = rows_of(self._data / "book.db")
        assert rows[:-1] == self._rows, "entries came that were never written"
        said = done.manifest.gateway, done.manifest.epoch, done.manifest.seq, done.manifest.hash
        assert copying.BookSeen(*said) == self._seen, "it was believed what it says of itself"
        assert done.aside is not None, "nothing was put aside"
        assert rows_of(done.aside / "book.db") == rows_of(self._before / "book.db"), "what was here is gone"


def member(name: str, contents: bytes) -> tuple[tarfile.TarInfo, bytes]:
    head = tarfile.TarInfo(name)
    head.size, head.mode = len(contents), 0o600
    return head, contents


def packed(members: Members) -> bytes:
    """A tar of them; what tarfile itself does not write is left out."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for head, contents in members:
            try:
                tar.addfile(head, io.BytesIO(contents))
            except (ValueError, UnicodeError):
                continue
    return out.getvalue()


def says(module: str, *arguments: str) -> dict[str, Any]:
    """What `proof.edge_says` would have a program say, without starting one."""
    out = io.StringIO()
    # Where it ends it has said why, as it would have as a program.
    with redirect_stdout(out), redirect_stderr(io.StringIO()) as trouble, suppress(SystemExit):
        PROGRAMS[module](list(arguments))
    try:
        found: dict[str, Any] = json.loads(out.getvalue())
    except ValueError:
        raise Trouble(1, f"the edge could not be asked: {trouble.getvalue().strip()[-200:]}") from None
    return found


def rows_of(book: Path) -> list[tuple[Any, ...]]:
    db = sqlite3.connect(book)
    try:
        return db.execute("SELECT seq, hash, kind, body FROM journal ORDER BY seq").fetchall()
    finally:
        db.close()


def told_of(directory: Path) -> dict[str, bytes]:
    """What lies there, locks left out."""
    return {
        str(each.relative_to(directory)): each.read_bytes()
        for each in sorted(directory.rglob("*")) if each.is_file() and not each.name.endswith("lock")
    }  # fmt: skip
