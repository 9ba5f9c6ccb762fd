"""What a person at the terminal reads when something cannot be used: one sentence that says what to do, and a code."""

from __future__ import annotations

import errno
import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

import riser
from bridge.contract import secrets
from host import edge_check, logins, person_needed
from host.exits import FAILED, USAGE, Trouble, table_text
from host.logins import BrokerAccess
from host.person_needed import PersonNeeded
from host.places import LOCK, make_directory, take_lock
from tests.bridge.test_bridge_site_mistakes import GOOD, MANY, TOLD
from tests.host.conftest import ROOT, Stage

OURS = BrokerAccess("mqtt://127.0.0.1:1883", "5", True)


# --- a program that needs a person ---

CUPBOARD = """
n=$(cat count 2>/dev/null || echo 0); echo $((n+1)) > count
if [ -e bad ]; then echo "2026-11-26 22:00:0$((n%10)),000 ERROR riser.edge: $(cat bad)"; exit 2; fi
echo "the book is open"; sleep 60
"""


@pytest.mark.processes
def test_a_program_that_needs_a_person_says_why_once_and_comes_back_by_itself(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk of the book is not there: the terminal has the reason at once and once, the log file each time. Another
    reason is told again. When the disk is there the program runs, and nobody had to come."""
    monkeypatch.setattr(person_needed, "RETRY_S", 0.2)
    monkeypatch.setattr("host.supervise.HEALTHY_AFTER_S", 0.5)
    bad, supervisor = stage.directory / "bad", stage.supervisor
    bad.write_text("book.db is missing; put the disk back")
    supervisor.start(stage.shell("edge", CUPBOARD))
    assert supervisor.until(lambda: stage.said("edge").count("put the disk back") >= 4, 20)
    assert supervisor.facts()["edge"].restarts >= 3
    assert supervisor.until(lambda: supervisor.facts()["edge"].why == "book.db is missing; put the disk back", 5)
    bad.write_text("book.db is damaged; restore a backup")
    assert supervisor.until(lambda: stage.said("edge").count("restore a backup") >= 3, 20)
    bad.unlink()
    assert supervisor.until(lambda: "the book is open" in stage.said("edge"), 20)
    assert supervisor.until(lambda: supervisor.facts()["edge"].why is None, 20)
    stage.terminal.close()
    shown = stage.stream.getvalue()
    assert shown.count("put the disk back") == shown.count("restore a backup") == shown.count("the book is open") == 1
    assert shown.count("edge needs a person, its reason stands above; it is tried again every 0.2 s") == 2
    assert "ended with code" not in shown and "starts again" not in shown


def test_a_pace_is_slow_and_reasons_are_compared_without_their_times() -> None:
    """Half a minute between two tries; the same words at another time are the same words; other codes are no person."""
    assert person_needed.RETRY_S == 30
    program = PersonNeeded()
    assert program.is_new("2026-11-26 22:00:01,000 ERROR riser.edge: the book is damaged")
    assert program.ended(2) and program.why == "the book is damaged"
    assert not program.is_new("2026-11-26 22:00:31,000 ERROR riser.edge: the book is damaged")
    assert program.ended(2) is None
    assert program.ended(1) is None and program.why is None
    assert program.is_new("the book is damaged")
    silent = PersonNeeded()
    assert silent.ended(2) and silent.why == "it gave no reason"
    many = PersonNeeded()
    for number in range(1000):
        many.is_new(f"line {number}")
    many.ended(2)
    assert len(many._told) == person_needed.LINES_KEPT


# --- the site file ---


@pytest.mark.processes
def test_up_tells_every_mistake_of_a_site_file_before_anything_starts(tmp_path: Path) -> None:
    """All of them on the terminal, by line, those that only the edge knows too; code 2, and nothing was made."""
    (tmp_path / "site.toml").write_text(MANY, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(ROOT / "riser.py"), "up", "--site", "site.toml", "--no-browser"],
        env={**os.environ, "RISER_DATA": str(tmp_path / "data")},
        cwd=tmp_path, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == USAGE and done.stdout == ""
    head, *mistakes = done.stderr.splitlines()
    assert head == f"riser: the site file {tmp_path}/site.toml has {len(TOLD)} mistakes; nothing was started:"
    assert [each.strip() for each in mistakes] == TOLD and not (tmp_path / "data").exists()


@pytest.mark.processes
def test_the_edge_is_asked_about_a_site_file_as_a_program(tmp_path: Path) -> None:
    """A good file: no mistakes, code 0, and one line of JSON for whoever asks."""
    (tmp_path / "site.toml").write_text(GOOD, encoding="utf-8")
    assert edge_check.asked(tmp_path / "site.toml")[0] == []
    ((mistake,), models) = edge_check.asked(tmp_path / "none.toml")
    assert "there is no such file" in mistake and models["dlt645-1p"] == {"lamp": True, "relay": True}


@pytest.mark.parametrize(
    ("stdout", "stderr", "words"),
    [("", "Traceback\nModuleNotFoundError: No module named 'x'\n", "No module named 'x'"), ("", "", "it said nothing"),
     ("[]", "", "it said nothing"), ("{}", "y\nMemoryError", "MemoryError")],
)  # fmt: skip
def test_an_edge_that_cannot_be_asked_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, stdout: str, stderr: str, words: str
) -> None:
    """A broken installation ends in its last words, not in a stack trace."""
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: subprocess.CompletedProcess([], 1, stdout, stderr))
    with pytest.raises(Trouble) as told:
        edge_check.asked(Path("/site.toml"))
    assert told.value.code == FAILED and told.value.sentence.endswith(words)


# --- the data directory ---


def test_a_data_directory_that_is_none_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file in its place, a place inside a file, a disk that is full, a disk that may not be written: each with what
    to do."""
    (tmp_path / "file").write_text("")
    for place, words in (
        (tmp_path / "file", "it is a file, not a directory"),
        (tmp_path / "file/x", "a part of its path is a file, not a directory"),
    ):
        with pytest.raises(Trouble, match=words) as told:
            make_directory(place)
        assert told.value.code == USAGE and "--data" in told.value.sentence
    (tmp_path / LOCK).symlink_to("/dev/full")
    with pytest.raises(Trouble, match=r"takes no data \(.*\); make room there, or choose another"):
        take_lock(tmp_path)
    (tmp_path / LOCK).unlink()
    (tmp_path / LOCK).mkdir()
    with pytest.raises(Trouble, match="cannot be used"):
        take_lock(tmp_path)

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "/data/broker/acl")

    said: list[str] = []
    monkeypatch.setattr(riser, "main", full)
    monkeypatch.setattr(riser, "say", said.append)
    assert riser.front_door() == FAILED
    assert said == ["/data/broker/acl: the disk is full; make room, or choose another directory with --data"]


def test_a_disk_that_takes_only_some_files_is_told_once(tmp_path: Path) -> None:
    """One program's log is refused, the others' are written: the terminal hears of it once and not at every line; and
    again when it begins anew."""
    stage = Stage(tmp_path)
    log = tmp_path / "log"
    (log / "edge.log").symlink_to("/dev/full")
    for _ in range(3):
        for name in ("edge", "panel", "bridge"):
            stage.journal.line(name, "a line")
    (log / "edge.log").unlink()
    stage.journal.line("edge", "works")
    (log / "edge.log").unlink()
    (log / "edge.log").symlink_to("/dev/full")
    stage.journal.line("edge", "a line")
    stage.terminal.close()
    assert stage.stream.getvalue().count("takes no text; is it full?") == 2


# --- secrets ---

DAMAGED = (
    ("{", "cannot be read"), ("", "cannot be read"), ("\x00", "cannot be read"), ("[]", "is no JSON object"),
    ("null", "is no JSON object"), ('{"broker": []}', "`broker` is no table"), ('{"keys": 5}', "`keys` is no table"),
    ('{"meter_passwords": "000000"}', "`meter_passwords` is no table"),
    ('{"keys": {"panel": "xyz"}}', "key `panel` is not"),
    ('{"keys": {"panel": 7}}', "key `panel` is not"), ('{"keys": {"panel": "ab"}}', "key `panel` is not"),
    ('{"keys": {"panel": ""}}', "key `panel` is not"),
)  # fmt: skip


@pytest.mark.parametrize(("text", "words"), DAMAGED)
def test_damaged_secrets_are_a_persons_decision(tmp_path: Path, text: str, words: str) -> None:
    """Half a file, another kind, a key that is none: told with the file and what to do, never silently replaced."""
    path = secrets.path_of(tmp_path, "edge")
    path.parent.mkdir()
    path.write_text(text)
    with pytest.raises(Trouble, match=words) as told:
        logins.write_all(tmp_path, OURS, logins.kept_passwords(tmp_path, False), False)
    assert told.value.code == USAGE and str(path) in told.value.sentence and "remove" in told.value.sentence
    assert path.read_text() == text


def test_whole_secrets_are_kept_as_they_are(tmp_path: Path) -> None:
    """What was written is read again without complaint: the same keys, and private."""
    for _ in range(2):
        logins.write_all(tmp_path, OURS, logins.kept_passwords(tmp_path, False), False)
        keys = json.loads(secrets.path_of(tmp_path, "edge").read_text())["keys"]
    assert json.loads(secrets.path_of(tmp_path, "panel").read_text())["keys"] == {"panel": keys["panel"]}
    assert stat.S_IMODE(secrets.path_of(tmp_path, "edge").stat().st_mode) == 0o600


def test_the_help_lists_every_exit_code() -> None:
    """`riser --help` says what each code means."""
    assert all(f"  {code}  " in table_text() for code in range(6))


def test_what_a_sentence_repeats_is_not_obeyed_by_a_terminal() -> None:
    """Control characters of a file's text are written out; its lines stay lines, as those of a site file's mistakes."""
    assert Trouble(2, "a\x1b[2J\u202eb:\nline 3").sentence == "a\\x1b[2J\\u202eb:\nline 3"
