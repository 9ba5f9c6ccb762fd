"""A panel that cannot start says why in one sentence with what to do, and ends with code 2; no stack trace."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from bridge.contract import secrets
from panel import __main__ as program
from panel.users import Database

SITE = '[site]\nname = "x"\ngateway = "jx-a"\n'


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Everything a panel needs; serving is only noted."""
    (tmp_path / "site.toml").write_text(SITE)
    monkeypatch.setenv("RISER_DATA", str(tmp_path))
    monkeypatch.setenv("RISER_SITE", str(tmp_path / "site.toml"))
    secrets.write(tmp_path, "panel", {"broker": {"url": "mqtt://127.0.0.1:1"}, "keys": {"panel": "ab" * 32}})
    monkeypatch.setattr(program.Server, "run", lambda self: None)
    return tmp_path


def test_what_is_whole_starts(data: Path) -> None:
    """With nothing wrong it serves, a second time too."""
    assert program.main() == 0 and program.main() == 0


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("panel.db", b"\x00rubbish" * 200, "panel.db cannot be used: file is not a database"),
        ("panel.db", None, "panel.db"),
        ("panel.key", b"short", "panel.key is damaged; delete it, and everybody signs in again"),
        ("panel.key", None, "panel.key"),
        ("archive.db", b"\x00rubbish" * 200, "the archive cannot be opened: (sqlite3.DatabaseError) file is not a"),
        ("archive.db", None, "remove the damaged archive, and it is filled anew from the book"),
        ("secrets/panel.json", b"{", "secrets/panel.json cannot be used"),
        ("secrets/panel.json", b'{"broker": [], "keys": {}}', "secrets/panel.json cannot be used"),
        ("site.toml", b"[site", "is not TOML"),
    ],
)
def test_what_cannot_be_used_is_one_sentence(
    data: Path, capfd: pytest.CaptureFixture[str], name: str, content: bytes | None, words: str
) -> None:
    """A damaged file, or a directory where a file should be: which one, and what to do."""
    path = data / name
    if path.exists():
        path.unlink()
    if content is None:
        path.mkdir()
    else:
        path.write_bytes(content)
    assert program.main() == 2
    said = capfd.readouterr().err
    assert said.startswith("the panel cannot start: ") and words in said and said.count("\n") == 1, said


def test_a_full_disk_is_one_sentence(
    data: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk without room is named with the directory."""
    (data / "first-password.txt.new").symlink_to("/dev/full")  # Where it is written before it is put in place.
    assert program.main() == 2
    assert f"the panel cannot start: {data}: the disk is full" in capfd.readouterr().err
    shutil.rmtree(data / "secrets")
    assert Database(data / "panel.db") is not None and program.main() == 2
