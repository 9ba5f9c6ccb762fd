"""`riser backup` and `riser restore`: a copy made while the edge writes, proved, and put back where nothing is lost."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from bridge.contract.clock import SystemClock
from edge.audit.opened import Unreadable
from edge.audit.verify import verify
from edge.book import Book, BookError
from host.backup import copying, file, make, moving, proof, restore, sealed
from host.doctor import see_files
from host.exits import FAILED, FINE, IN_USE, USAGE, Trouble
from host.layout import Wish, lay_out
from tests.edge.building import Building
from tests.host.conftest import ROOT

PASSPHRASE = b"a long word for tests"
CLOCK = SystemClock()


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory as after some hours: a book, secrets, the panel's users, a site file."""
    data = tmp_path_factory.mktemp("grown")
    building = Building(data, meters={"a206"}, idle_s=5)
    building.connect()
    building.run(minutes=3)
    building.topup("100206", 100_00)
    building.stop_edge()
    (data / "site.toml").write_text('[site]\nname = "East"\ngateway = "demo"\n', encoding="utf-8")
    (data / "secrets").mkdir(mode=0o700)
    (data / "secrets" / "edge.json").write_text(json.dumps({"keys": {"panel": "ab" * 32}, "password": "WORD-IN-EDGE"}))
    (data / "panel.key").write_text("KEY-OF-THE-PANEL")
    with sqlite3.connect(data / "panel.db") as db:
        db.execute("CREATE TABLE user (name TEXT)")
        db.execute("INSERT INTO user VALUES ('NAME-OF-A-USER')")
    db.close()
    return data


@pytest.fixture
def data(grown: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(grown, tmp_path / "data"))


def made(data: Path, to: Path, passphrase: bytes | None = PASSPHRASE, keep: int | None = None) -> make.Made:
    return make.make(data, data / "site.toml", to, passphrase, keep, CLOCK, "0.1.0")


def put_back(path: Path, into: Path, passphrase: bytes | None = PASSPHRASE, **more: object) -> restore.Restored:
    words = {"with_secrets": True, "gateway": None, "who": "李强", "version": "0.1.0", "clock": CLOCK, **more}
    return restore.restore(Path(path), into, passphrase, **words)  # type: ignore[arg-type]


def test_there_and_back(data: Path, tmp_path: Path) -> None:
    """On a new machine the book, the site file, the keys and the users are as they were, but for one entry that says
    from where they come; nobody else can read the file, and no secret stands in it."""
    done = made(data, tmp_path / "usb")
    assert os.stat(done.file).st_mode & 0o777 == 0o600 and done.secrets == "sealed"
    told = Path(done.file).read_bytes()
    for word in (b"WORD-IN-EDGE", b"KEY-OF-THE-PANEL", b"NAME-OF-A-USER", b"ab" * 32):
        assert word not in told
    new = tmp_path / "new"
    back = put_back(Path(done.file), new)
    assert back.aside is None and back.manifest.seq == done.seq
    for name in ("site.toml", "secrets/edge.json", "panel.key"):
        assert (new / name).read_bytes() == (data / name).read_bytes()
    assert "NAME-OF-A-USER" in str(sqlite3.connect(new / "panel.db").execute("SELECT * FROM user").fetchall())
    seen = copying.seen(new / "book.db")
    assert (seen.gateway, seen.seq, seen.epoch) == (done.gateway, done.seq + 1, back.epoch)
    assert verify(new).good and (new / "book.begun").exists() and not (new / restore.SCRATCH).exists()
    note = json.loads((data / make.NOTE).read_text())
    assert (note["seq"], note["file"]) == (done.seq, done.file)


def test_made_while_the_edge_writes(tmp_path: Path) -> None:
    """Backups that are made one after another while entries are written are each one moment of the book, whole; the
    writer does not wait."""
    building = Building(tmp_path / "data", meters={"a206"}, idle_s=5)
    building.connect()
    building.run(minutes=1)
    stop, backups, trouble = threading.Event(), [], []

    def make_some() -> None:
        try:
            while not stop.is_set() or len(backups) < 2:
                backups.append(made(tmp_path / "data", tmp_path / "usb" / f"{len(backups)}.riser.tar", None))
        except Exception as error:
            trouble.append(error)

    maker = threading.Thread(target=make_some)
    maker.start()
    while len(backups) < 2 and not trouble:
        building.topup("100206", 10_00)
    stop.set()
    maker.join()
    assert not trouble and len(backups) >= 2
    assert building.edge.core.book.seq > backups[-1].seq - 1 > 0
    for each in backups:
        assert copying.seen(put_back(Path(each.file), tmp_path / f"back-{each.seq}", None).data / "book.db").seq
    building.stop_edge()


def test_a_changed_byte_anywhere_is_refused(data: Path, tmp_path: Path) -> None:
    """Of a file that differs in one byte, is cut off or has more behind it nothing is taken, and nothing changes."""
    done = Path(made(data, tmp_path / "usb").file)
    whole, here = done.read_bytes(), sorted(path.name for path in data.iterdir())
    places = [0, 100, 257, 511, 512, 700, 5_000, len(whole) // 2, len(whole) - 2000, len(whole) - 70, len(whole) - 1]
    spoilt = tmp_path / "spoilt.riser.tar"
    for place in places:
        spoilt.write_bytes(whole[:place] + bytes([whole[place] ^ 4]) + whole[place + 1 :])
        with pytest.raises(Trouble, match="damaged") as caught:
            put_back(spoilt, data)
        assert caught.value.code == USAGE
    for text in (whole[:-1], whole[: len(whole) // 2], whole + b"\0", b"", b"sha256:"):
        spoilt.write_bytes(text)
        with pytest.raises(Trouble, match="damaged"):
            put_back(spoilt, data)
    assert {path.name for path in data.iterdir()} - set(here) <= {"riser.lock"}
    assert copying.seen(data / "book.db").seq == json.loads((data / make.NOTE).read_text())["seq"]


def test_foreign_names_are_refused(data: Path, tmp_path: Path) -> None:
    """A file made by hand, with a right sum and a name that is none of ours, writes nothing anywhere (94)."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    copying.copy(data / "book.db", scratch / "book.db")
    seen = copying.seen(scratch / "book.db")
    manifest = file.Manifest(seen.gateway, seen.epoch, seen.seq, seen.hash, "2026-11-20T00:00:00+00:00", "0.1.0", "x")
    (scratch / "evil").write_text("x")
    real = {name: file.digest_of(scratch / name) for name in ("book.db", "evil")}
    path = tmp_path / "evil.riser.tar"
    file.write(path, replace(manifest, files=real), scratch)
    with pytest.raises(Trouble, match="no backup of Riser"):
        put_back(path, tmp_path / "new")
    file.write(path, replace(manifest, files={"book.db": real["book.db"]}, format=2, riser="9.9"), scratch)
    with pytest.raises(Trouble, match="newer Riser"):
        put_back(path, tmp_path / "new")
    file.write(path, replace(manifest, files={"book.db": real["book.db"]}, riser="9.9"), scratch)
    with pytest.raises(Trouble, match=r"made by Riser 9\.9"):
        put_back(path, tmp_path / "new")


@pytest.mark.parametrize("riser", ["0.0\x1b[2J", "9.9\nriser: all is well", "", "9" * 41])
def test_a_manifest_says_nothing_to_a_terminal(data: Path, tmp_path: Path, riser: str) -> None:
    """What a found file calls its Riser is a version, or the file is no backup; a newer form's is told if it is one."""
    seen = copying.seen(data / "book.db")
    manifest = file.Manifest(seen.gateway, seen.epoch, seen.seq, seen.hash, "2026-11-20T00:00:00+00:00", riser, "x")
    manifest = replace(manifest, files={"book.db": file.digest_of(data / "book.db")})
    for form, words in ((1, "is no backup of Riser"), (2, "a newer Riser (it does not say which)")):
        file.write(path := tmp_path / "found.riser.tar", replace(manifest, format=form), data)
        with pytest.raises(Trouble) as caught:
            put_back(path, tmp_path / "new")
        assert words in caught.value.sentence and caught.value.sentence.isprintable()


def test_a_book_that_lies_is_never_called_a_backup(data: Path, tmp_path: Path) -> None:
    """Proved means derived again: where the book here is not true no file is left, and the entry is named."""
    with sqlite3.connect(data / "book.db") as db:
        db.execute("DROP TRIGGER journal_keeps")
        db.execute("UPDATE journal SET body = replace(body, '10000', '90000') WHERE kind = 'topup/1'")
    db.close()
    with pytest.raises(Trouble, match=r"not true: entry \d+") as caught:
        made(data, tmp_path / "usb")
    assert caught.value.code == FAILED and not list((tmp_path / "usb").glob("*.tar*"))
    assert not (data / make.NOTE).exists()


def test_the_wrong_passphrase_and_none(data: Path, tmp_path: Path) -> None:
    """A wrong or missing passphrase changes nothing; leaving the secrets out keeps those that are here."""
    done = Path(made(data, tmp_path / "usb").file)
    (data / "panel.key").write_text("newer")
    for passphrase, words in ((b"another long word", "does not open"), (None, "--without-secrets")):
        with pytest.raises(Trouble, match=words):
            put_back(done, data, passphrase)
        assert not list(data.glob("before-restore*"))
    put_back(done, data, None, with_secrets=False)
    assert (data / "panel.key").read_text() == "newer"
    changed = bytearray(sealed.seal(b"x", PASSPHRASE))
    changed[-1] ^= 1
    with pytest.raises(Trouble, match="does not open"):
        sealed.unseal(bytes(changed), PASSPHRASE)


def test_what_was_here_is_kept_aside(data: Path, tmp_path: Path) -> None:
    """Nothing is overwritten: the old book and all that is replaced lie in a folder, named; the archive stays."""
    done = Path(made(data, tmp_path / "usb").file)
    (data / "archive.db").write_text("an archive")
    before = (data / "book.db").read_bytes()
    for _ in range(2):
        back = put_back(done, data)
        assert back.aside is not None and back.aside.parent == data
    asides = sorted(data.glob("before-restore*"))
    assert len(asides) == 2 and (asides[0] / "book.db").read_bytes() == before
    assert (asides[0] / "secrets" / "edge.json").exists() and (data / "archive.db").read_text() == "an archive"
    assert verify(data).good


def test_refused_while_riser_runs(data: Path, tmp_path: Path) -> None:
    """While an edge has the book open, or `riser up` the directory, nothing is touched, and that is said."""
    done = Path(made(data, tmp_path / "usb").file)
    before = (data / "book.db").read_bytes()
    for name, words in (("book.lock", "an edge runs"), ("riser.lock", "already runs")):
        with (data / name).open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            with pytest.raises(Trouble, match=words) as caught:
                put_back(done, data)
            assert caught.value.code == IN_USE
    assert (data / "book.db").read_bytes() == before and not list(data.glob("before-restore*"))


def test_another_gateways_backup_is_refused_unless_said(data: Path, tmp_path: Path) -> None:
    """The wrong file of a drawer full of them is noticed by the book that is here."""
    done = Path(made(data, tmp_path / "usb").file)
    other = tmp_path / "other"
    building = Building(other, meters={"a206"})
    building.stop_edge()
    with sqlite3.connect(other / "book.db") as db:
        db.execute("DROP TRIGGER journal_keeps")
        db.execute("UPDATE journal SET body = replace(body, 'jinxiu-east', 'west') WHERE seq = 1")
    db.close()
    here = copying.seen(other / "book.db").gateway
    assert here != copying.seen(data / "book.db").gateway
    with pytest.raises(Trouble, match=f"here is {here}; if that is meant"):
        put_back(done, other)
    put_back(done, other, gateway=copying.seen(data / "book.db").gateway)
    assert verify(other).good


def test_a_killed_backup_leaves_no_file_that_looks_whole(data: Path, tmp_path: Path) -> None:
    """Killed at any moment there is either the whole proved file or none of that name; the next run tidies up."""
    usb = tmp_path / "usb"
    command = [sys.executable, str(ROOT / "riser.py"), "backup", "--data", str(data), "--to", str(usb)]
    for after in ("scratch", "unproved", "proof"):
        process = subprocess.Popen([*command, "--without-secrets"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        wanted = {"scratch": make.SCRATCH, "unproved": f"*{make.UNPROVED}", "proof": f"{make.SCRATCH}/proof/*"}[after]
        while process.poll() is None and not list(usb.glob(wanted)):
            pass
        process.send_signal(signal.SIGKILL)
        process.communicate()
        for each in usb.glob(f"*{make.ENDING}"):
            file_is_good(each, tmp_path / f"good-{after}")
    done = subprocess.run([*command, "--json"], capture_output=True, text=True)
    assert done.returncode == FINE, done.stderr
    told = json.loads(done.stdout)
    assert {path.name for path in usb.iterdir() if not path.name.endswith(make.ENDING)} == {make.LOCK}
    assert told["secrets"] == "left out" and Path(told["file"]).exists()


def file_is_good(path: Path, scratch: Path) -> None:
    scratch.mkdir()
    proof.prove(path, scratch)


def test_a_restore_that_was_not_finished_is_told_and_finished_by_the_same_command(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk fails between the old book's leaving and the new one's coming: `riser up` and the edge do not start, not
    even with a book begun anew, `riser doctor` says so, and the same command ends well; all of what was here before
    lies in one folder. That a kill and a power cut do no harm anywhere is in tests/proof/restoring.py."""
    done = Path(made(data, tmp_path / "usb").file)
    before = {name: (data / name).read_bytes() for name in ("book.db", "secrets/edge.json", "panel.key", "panel.db")}
    rename, count = Path.rename, 0

    def falls_over(path: Path, target: Path) -> Path:
        nonlocal count
        if restore.SCRATCH in str(path) and path.name == "book.db":
            count += 1
            raise OSError(5, "the power went")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", falls_over)
    for _ in range(2):
        with pytest.raises(Trouble, match="given again"):
            put_back(done, data)
    monkeypatch.undo()
    assert count == 2 and not (data / "book.db").exists()
    began = moving.begun(data)
    assert began is not None and set(before) <= set(began.coming)
    words = (
        rf"not finished; give `riser restore {done} --into {data} --secrets FILE` again; what was there before is in "
    )
    with pytest.raises(Trouble, match=words + str(data / began.aside)) as refused:
        lay_out(data, Wish(site=tmp_path / "none.toml"), lambda words: None)
    assert refused.value.code == USAGE
    with pytest.raises(Trouble, match=words):
        made(data, tmp_path / "usb")
    with pytest.raises(Unreadable, match="was not finished"):
        verify(data)
    with pytest.raises(Trouble, match=r"brings secrets/edge.json.* as well, which this one does not"):
        put_back(done, data, None, with_secrets=False)
    for anew in (False, True):
        with pytest.raises(BookError, match="not finished; give the same `riser restore` again"):
            Book(data, CLOCK, "boot", begin_anew=anew)
    told = see_files.disk(data, CLOCK).restore_unfinished
    assert told is not None and f"is in {data / began.aside}, or still in its place" in told
    back = put_back(done, data)
    assert verify(data).good and not (data / moving.UNFINISHED).exists() and back.aside is not None
    assert {name: (back.aside / name).read_bytes() for name in before} == before
    moving.refuse_unfinished(data)


def test_a_restore_that_fails_before_its_first_move_changes_nothing(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk fails while it is written down that it begins, or its folders are: the gateway starts as before. So it
    does where something lies on another disk and can never be moved."""
    done = Path(made(data, tmp_path / "usb").file)
    files = {path: path.read_bytes() for path in data.rglob("*") if path.is_file()}

    def fails(*_: object) -> None:
        raise OSError(5, "the power went")

    for name in ("_write", "_sync"):
        monkeypatch.setattr(moving, name, fails)
        with pytest.raises(Trouble, match="given again"):
            put_back(done, data)
        monkeypatch.undo()
        assert {path: path.read_bytes() for path in files} == files
        moving.refuse_unfinished(data)
    (there := Path("/dev/shm") / f"riser-{os.getpid()}").mkdir()
    try:
        (data / "secrets").rename(data / "moved")
        shutil.copytree(data / "moved", there, dirs_exist_ok=True)
        (data / "secrets").symlink_to(there)
        with pytest.raises(Trouble, match=r"secrets/.* lies on another disk"):
            put_back(done, data)
    finally:
        shutil.rmtree(there)
    moving.refuse_unfinished(data)


@pytest.mark.parametrize(
    "told", [b"", b"\0" * 40, b"\xff\xfe{", b'{"aside": "../x", "coming": [], "gateway": "g", "again": ""}', b"[]"]
)
def test_a_torn_word_that_a_restore_was_begun_is_one_all_the_same(told: bytes, data: Path, tmp_path: Path) -> None:
    """The power went while it was written, before anything was moved: it says so, and the same command goes on."""
    done = Path(made(data, tmp_path / "usb").file)
    (data / moving.UNFINISHED).write_bytes(told)
    with pytest.raises(
        Trouble, match="give the same `riser restore` again; nothing of what was there before was moved"
    ):
        moving.refuse_unfinished(data)
    back = put_back(done, data)
    assert verify(data).good and not (data / moving.UNFINISHED).exists() and back.aside is not None


def test_another_gateways_backup_does_not_end_a_restore(data: Path, tmp_path: Path) -> None:
    """The book of here lies aside already: what was begun says whose it is."""
    done = Path(made(data, tmp_path / "usb").file)
    began = moving.Begun(f"{moving.ASIDE}-20261129T031200Z-1", ("book.db",), "another", "riser restore x")
    (data / moving.UNFINISHED).write_text(json.dumps(asdict(began)))
    (data / "book.db").unlink()
    with pytest.raises(Trouble, match="and here is another"):
        put_back(done, data)


def test_a_new_epoch_that_did_not_reach_the_book_is_refused(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk failed while the entry that says so went from the journal into the book: the book alone would be the
    old one, which cuts. Nothing is changed."""
    done, asked = Path(made(data, tmp_path / "usb").file), proof.edge_says
    before = copying.seen(data / "book.db")

    def leaves_a_journal(module: str, *words: str) -> dict[str, object]:
        told = asked(module, *words)
        if module == "edge.new_epoch":
            (Path(words[0]) / "book.db-wal").write_bytes(b"the entry")
        return told

    monkeypatch.setattr(proof, "edge_says", leaves_a_journal)
    with pytest.raises(Trouble, match="takes no data; the same command can be given again"):
        put_back(done, data)
    assert copying.seen(data / "book.db") == before and not list(data.glob("before-restore*"))


def test_only_the_newest_are_kept(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """--keep removes the oldest of this gateway, never another's and never anything else."""
    usb = tmp_path / "usb"
    usb.mkdir()
    gateway = copying.seen(data / "book.db").gateway
    old = [f"riser-{gateway}-2026110{day}T020000Z.riser.tar" for day in range(1, 5)]
    others = ["riser-west-20261101T020000Z.riser.tar", "photos.tar"]
    for name in [*old, *others]:
        (usb / name).write_text("x")
    done = made(data, usb, None, keep=3)
    assert done.removed == tuple(old[:2])
    assert {path.name for path in usb.iterdir()} == {*old[2:], *others, Path(done.file).name, make.LOCK}


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (["backup", "--data", "{tmp}/nothing"], USAGE, "there is no book.db"),
        (["backup", "--data", "{data}", "--to", "{data}/site.toml"], USAGE, "never takes the place"),
        (["backup", "--data", "{data}", "--secrets", "{tmp}/none"], USAGE, "cannot be read"),
        (["backup", "--data", "{data}", "--secrets", "{data}/short"], USAGE, "less than 12 letters"),
        (["backup", "--data", "{data}", "--secrets", "{data}/short", "--without-secrets"], USAGE, "two different"),
        (["restore", "{tmp}/none.tar", "--into", "{data}"], USAGE, "there is no file"),
    ],
)  # fmt: skip
def test_bad_input_gets_one_sentence(data: Path, tmp_path: Path, words: list[str], code: int, sentence: str) -> None:
    """Whatever was typed wrong is told in one sentence, and nothing is made."""
    (data / "short").write_text("short\n")
    typed = [word.format(data=data, tmp=tmp_path) for word in words]
    done = subprocess.run([sys.executable, str(ROOT / "riser.py"), *typed], capture_output=True, text=True, timeout=60)
    assert (done.returncode, sentence in done.stderr) == (code, True), done.stderr
    assert done.stderr.count("\n") == 1 and not list(tmp_path.rglob("*.riser.tar"))


def test_what_a_damaged_book_says_is_not_obeyed_by_a_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: Path
) -> None:
    """The id of a changed entry is shown as it stands there, with its control characters written out."""
    (tmp_path / "scratch").mkdir()
    manifest = file.unpack(Path(made(data, tmp_path / "kept").file), tmp_path / "scratch")
    lie = {"seq": 7, "id": "acc\x7funt\x1b[2J", "wrong": "its hash does not fit"}
    monkeypatch.setattr(proof, "edge_says", lambda *_: {"good": False, "lie": lie})
    with pytest.raises(Trouble, match=r"entry 7 \(acc\\x7funt\\x1b\[2J\): its hash does not fit"):
        proof.verified(tmp_path / "scratch", manifest)


def test_who_was_removed_since_is_named(data: Path, tmp_path: Path) -> None:
    """After the backup a clerk was removed, an address ended and another one made: with the secrets all of that is
    as it was that day, and who restores is told whom to look at. Without them, and on a new machine, no names."""
    (data / "panel.db").unlink()
    with sqlite3.connect(data / "panel.db") as db:
        db.execute("CREATE TABLE user (name TEXT, role TEXT, hash TEXT)")
        db.execute("CREATE TABLE tenant_link (account TEXT, token TEXT)")
        db.executemany("INSERT INTO user VALUES (?, ?, ?)", [("boss", "manager", "h1"), ("李强", "finance", "h2")])
        db.executemany("INSERT INTO tenant_link VALUES (?, ?)", [("101", "old"), ("102", "same")])
    done = made(data, tmp_path / "usb")
    fresh = restore.told(put_back(Path(done.file), tmp_path / "new"))
    same = restore.told(put_back(Path(done.file), data))
    assert not any("look through People" in line or "count again" in line for line in same)
    assert any("can sign in again" in line for line in fresh) and not any("李强" in line for line in fresh)
    with sqlite3.connect(data / "panel.db") as db:
        db.execute("DELETE FROM user WHERE name = '李强'")
        db.execute("UPDATE tenant_link SET token = 'new' WHERE account = '101'")
    (data / "secrets" / "edge.json").write_text("{}")
    told = "\n".join(restore.told(put_back(Path(done.file), data)))
    assert "李强 (finance)" in told and "boss" not in told and "tenants' pages of 101;" in told
    assert "keys and passwords of that day count again: secrets/edge.json." in told
    plain = put_back(Path(made(data, tmp_path / "plain", None).file), data, None, with_secrets=False)
    assert plain.again is None and "can sign in again" not in "\n".join(restore.told(plain))


def test_a_journal_of_the_panel_before_is_not_played_into_the_restored_one(data: Path, tmp_path: Path) -> None:
    """The panel was killed while it wrote, in a folder whose name is no plain word of an address."""
    odd = Path(shutil.copytree(data, tmp_path / "a #1%20?x"))
    (odd / "panel.db").unlink()
    kill = """if True:
        import os, sqlite3, sys
        db = sqlite3.connect(sys.argv[1], isolation_level=None)
        db.execute("PRAGMA cache_size = 2")
        db.execute("CREATE TABLE user (name TEXT, role TEXT, hash TEXT)")
        db.executemany("INSERT INTO user VALUES (?, 'finance', ?)", [(f"u{n}", "h" * 200) for n in range(300)])
        db.execute("BEGIN")
        db.execute("UPDATE user SET hash = hash || 'x'")
        os.kill(os.getpid(), 9)"""
    done = made(data, tmp_path / "usb")
    subprocess.run([sys.executable, "-c", kill, str(odd / "panel.db")], timeout=60)
    assert (odd / "panel.db-journal").exists()
    back = put_back(Path(done.file), odd)
    assert [row[0] for row in sqlite3.connect(odd / "panel.db").execute("SELECT name FROM user")] == ["NAME-OF-A-USER"]
    assert back.aside is not None and (back.aside / "panel.db-journal").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a #1%20?x", "data", "usb"]
