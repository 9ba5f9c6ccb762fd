"""A port that cannot be opened says what to do, in words; and so do a book and passwords that cannot be used."""

from __future__ import annotations

import errno
import os
import pty
import sqlite3
import sys
from pathlib import Path

import pytest

from bridge.contract.clock import SystemClock
from bridge.contract.secrets import NoSecrets
from edge import __main__ as program
from edge import device_words
from edge.__main__ import passwords
from edge.book import Book, BookError, WriteError
from edge.device_words import why_closed
from edge.line.wire import Line
from tests.edge.building import Building


def opening(device: Path) -> str:
    """What is said after a real try to open a device."""
    try:
        Line("line-1", device, "dlt645-2007", 2400, "E").open()
    except (OSError, ValueError) as error:
        return why_closed(device, error)
    raise AssertionError(f"{device} could be opened")


def test_places_that_are_no_port_are_told_in_words(tmp_path: Path) -> None:
    """Not there, a directory, a file, a pipe, another kind of device, a port that somebody else has: tried for real."""
    (tmp_path / "file").write_text("x")
    os.mkfifo(tmp_path / "pipe")
    master, slave = pty.openpty()
    taken = Path(os.ttyname(slave))
    first = Line("line-1", taken, "dlt645-2007", 2400, "E").open()
    try:
        assert opening(taken) == device_words.IN_USE
    finally:
        first.close()
        os.close(slave)
        os.close(master)
    assert opening(tmp_path / "none") == opening(tmp_path / "none" / "x") == device_words.NOT_THERE
    assert opening(tmp_path) == device_words.A_DIRECTORY
    assert opening(tmp_path / "file") == opening(tmp_path / "pipe") == device_words.NO_SERIAL_PORT
    assert opening(Path("/dev/null")) == device_words.NO_SERIAL_PORT


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (PermissionError(errno.EACCES, "could not open port"), device_words.NO_RIGHT),
        (OSError(errno.EBUSY, "could not open port"), device_words.IN_USE),
        (OSError(errno.ENXIO, "could not open port"), device_words.NOT_THERE),
        (ValueError("Invalid baud rate: 1"), device_words.NO_SUCH_SPEED),
        (OSError("Could not configure port: (22, 'Invalid argument')"), device_words.NO_SUCH_SPEED),
        (OSError(errno.EIO, "Input/output error"), device_words.FAILS),
        (OSError("[Errno 71] Protocol error"), "Protocol error"),
    ],
)
def test_what_cannot_be_tried_here_is_told_too(error: Exception, words: str) -> None:
    """No right, busy, gone while it was opened, a speed the adapter does not know, a fault; an unknown one loses its
    number."""
    assert why_closed(Path("/dev/null"), error) == words


def test_a_book_whose_disk_is_in_the_way_is_not_called_damaged(tmp_path: Path) -> None:
    """Nobody restores a backup because a disk is full or a directory stands where the book should be."""
    (tmp_path / "book.db").mkdir()
    with pytest.raises(WriteError, match="unable to open"):
        Book(tmp_path, SystemClock(), "boot")
    (tmp_path / "book.db").rmdir()
    (tmp_path / "book.db").write_bytes(b"no book at all, and long enough to look at" * 50)
    with pytest.raises(BookError, match="file is not a database; restore a backup"):
        Book(tmp_path, SystemClock(), "boot")
    (tmp_path / "book.db").unlink()
    (tmp_path / "book.begun").touch()
    with pytest.raises(BookError, match="put it or a backup back"):
        Book(tmp_path, SystemClock(), "boot")


def test_a_book_damaged_inside_needs_a_backup_and_no_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It opens well, and the disk lost pages in its middle: a person restores a backup; room would help nobody (42)."""
    book = Book(tmp_path, SystemClock(), "boot")
    book.append(*(("note/1", f"note:{number}", {"text": "-" * 200}) for number in range(400)))
    book.close()
    content = bytearray((tmp_path / "book.db").read_bytes())
    content[8 * 4096 : 14 * 4096] = b"\xa5" * 6 * 4096
    (tmp_path / "book.db").write_bytes(content)
    monkeypatch.setattr(program, "_run", lambda directory, options: list(Book(directory, SystemClock(), "b").entries()))
    monkeypatch.setattr(sys, "setswitchinterval", lambda seconds: None)
    monkeypatch.setenv("RISER_DATA", str(tmp_path))
    assert program.main([]) == 2
    assert "restore a backup" in caplog.text and "make room" not in caplog.text


def test_a_damaged_book_is_not_mode_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first entry of a run meets a damaged page: the run ends, and nobody waits for room on the disk."""
    building = Building(tmp_path, meters={"a206"}, poll_s=30, idle_s=2)
    building.stop_edge()

    def damaged(self: Book, *drafts: object) -> None:
        error = sqlite3.DatabaseError("database disk image is malformed")
        error.sqlite_errorname = "SQLITE_CORRUPT"
        raise error

    monkeypatch.setattr(Book, "append", damaged)
    with pytest.raises(sqlite3.DatabaseError, match="malformed"):
        building.start_edge()


@pytest.mark.parametrize("table", [5, [], "000000", {"default": 7}, {"m1": ["02"]}])
def test_passwords_of_another_shape_are_told(table: object) -> None:
    """A table of passwords that is none is told with how it reads."""
    with pytest.raises(NoSecrets, match=r'meter_passwords reads \{"default"'):
        passwords({"meter_passwords": table})


def test_a_password_with_an_unknown_word_is_told() -> None:
    """A misspelt word in one meter's password is told for that meter."""
    of = passwords({"meter_passwords": {"m1": {"pasword": "000000"}}})
    assert of("m2").level == "02"
    with pytest.raises(ValueError, match="a password reads"):
        of("m1")
