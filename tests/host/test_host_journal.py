"""The log is readable, bounded, and never in a program's way."""

from __future__ import annotations

import io
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from bridge.contract.clock import ManualClock
from host.journal import LINES_WAITING, Journal, LogFile, Terminal, printable


def journal_at(tmp_path: Path, stream: io.StringIO) -> tuple[Journal, Terminal]:
    terminal = Terminal(stream)
    clock = ManualClock(datetime(2026, 11, 20, 2, 30, tzinfo=UTC))
    return Journal(tmp_path / "log", terminal, clock, ZoneInfo("Asia/Shanghai")), terminal


def test_a_line_says_time_program_and_sentence(tmp_path: Path) -> None:
    """Each line on the terminal names the local time and the program; the program's own file has the date as well."""
    stream = io.StringIO()
    journal, terminal = journal_at(tmp_path, stream)
    journal.line("edge", "2026-11-20 02:30:00,123 INFO riser.edge: meter a101 is silent\n")
    journal.line("bridge", "2026-11-20 02:30:00,123 WARNING riser.mqtt: the broker is gone", shown=False)
    terminal.close()
    assert stream.getvalue() == "10:30:00 edge    meter a101 is silent\n"
    assert (tmp_path / "log/bridge.log").read_text() == "2026-11-20 10:30:00 WARNING the broker is gone\n"
    assert (tmp_path / "log/edge.log").read_text() == "2026-11-20 10:30:00 meter a101 is silent\n"


def test_a_name_with_terminal_codes_is_shown_and_not_obeyed(tmp_path: Path) -> None:
    """A tenant's name cannot colour, clear or fake lines on the screen of the person on call (failure 92)."""
    assert printable("a\x1b[2Jb\rc") == "a\\x1b[2Jb\\rc"
    assert printable("锦绣广场 A206") == "锦绣广场 A206"


def test_a_stopped_terminal_stops_nobody(tmp_path: Path) -> None:
    """A terminal held with Ctrl-S does not stop a program; the lines it missed are counted, and stand in the files."""
    go = threading.Event()

    class Held(io.StringIO):
        def write(self, text: str) -> int:
            go.wait(10)
            return super().write(text)

    stream = Held()
    journal, terminal = journal_at(tmp_path, stream)
    began_s = time.monotonic()
    for number in range(LINES_WAITING + 100):
        journal.line("edge", f"line {number}")
    assert time.monotonic() - began_s < 8
    go.set()
    terminal.close()
    terminal._thread.join(5)
    assert "lines are only in the log files" in stream.getvalue()
    assert f"line {LINES_WAITING + 99}" in (tmp_path / "log/edge.log").read_text()


def test_a_closed_terminal_stops_nobody(tmp_path: Path) -> None:
    """When the window is closed the files go on."""
    stream = io.StringIO()
    journal, terminal = journal_at(tmp_path, stream)
    stream.close()
    journal.line("edge", "first")
    journal.line("edge", "second")
    terminal._thread.join(0.2)
    assert terminal._thread.is_alive()
    terminal.close()
    assert (tmp_path / "log/edge.log").read_text().count("\n") == 2


def test_log_files_cannot_grow_without_end(tmp_path: Path) -> None:
    """A chatty program fills at most four files of a fixed size."""
    log = LogFile(tmp_path / "edge.log", limit_bytes=1000)
    for number in range(500):
        assert log.write(f"line {number:04d}")
    files = sorted(path.name for path in tmp_path.iterdir())
    assert files == ["edge.log", "edge.log.1", "edge.log.2", "edge.log.3"]
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 4200
    assert "line 0499" in (tmp_path / "edge.log").read_text()


def test_a_disk_that_takes_nothing_is_told_once_and_the_lost_lines_are_counted(tmp_path: Path) -> None:
    """With a full disk the terminal says so once, and the file later names how many lines are missing."""
    stream = io.StringIO()
    journal, terminal = journal_at(tmp_path, stream)
    blocked = tmp_path / "log/edge.log"
    blocked.mkdir()
    for _ in range(3):
        journal.line("edge", "words", shown=False)
    blocked.rmdir()
    journal.line("edge", "again", shown=False)
    terminal.close()
    assert stream.getvalue().count("takes no text") == 1
    assert "3 lines before this one" in blocked.read_text()


def test_a_first_password_reaches_the_terminal_and_no_file(tmp_path: Path) -> None:
    """The block with the first password is shown and never stored (I24)."""
    stream = io.StringIO()
    journal, terminal = journal_at(tmp_path, stream)
    journal.block("password 9NRT")
    terminal.close()
    assert "9NRT" in stream.getvalue()
    assert not any((tmp_path / "log").iterdir())
