"""What the programs say: time, program, sentence; on the terminal, and in one file per program that cannot grow.

A terminal may stop taking text (Ctrl-S, a dead connection), a disk may be full. Neither may stop a program,
so the terminal has a thread and a bounded queue of its own, and what cannot be written is counted and said later.
"""

from __future__ import annotations

import queue
import re
import threading
from datetime import tzinfo
from pathlib import Path
from typing import TextIO

from bridge.contract.clock import Clock
from bridge.contract.escapes import escaped

FILE_LIMIT_BYTES = 5_000_000
FILES_KEPT = 3
"""With the open one, at most 20 MB a program: weeks of a healthy site, and small beside any card."""

LINES_WAITING = 2000
LONGEST_LINE = 4000

NAME_WIDTH = 7


OWN_TIME = re.compile(
    r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d[.,]\d{3} (?:INFO |(WARNING |ERROR |CRITICAL |DEBUG ))?(?:riser[.\w]*: )?"
)
"""How a program begins a line when it runs alone; the journal says time and program itself."""


def printable(text: str) -> str:
    """One event as one line, of a length that a screen can bear."""
    shown = escaped(text)
    return shown if len(shown) <= LONGEST_LINE else shown[:LONGEST_LINE] + " ..."


class Terminal:
    """The person's terminal. `show` never blocks."""

    def __init__(self, stream: TextIO):
        self._stream = stream
        self._waiting: queue.Queue[str | None] = queue.Queue(LINES_WAITING)
        self._dropped = 0
        self._thread = threading.Thread(target=self._write, name="terminal", daemon=True)
        self._thread.start()

    def show(self, text: str) -> None:
        """Show one or more lines; when the terminal has stopped taking text they are counted instead."""
        try:
            self._waiting.put_nowait(text)
        except queue.Full:
            self._dropped += 1

    def close(self) -> None:
        """Wait a moment for what is still to be shown."""
        try:
            self._waiting.put(None, timeout=1.0)
        except queue.Full:
            return
        self._thread.join(1.0)

    def _write(self) -> None:
        gone = False
        while (text := self._waiting.get()) is not None:
            if gone:  # Nobody reads any more; the files go on.
                continue
            dropped, self._dropped = self._dropped, 0
            if dropped:
                text = f"... {dropped} lines are only in the log files\n{text}"
            try:
                self._stream.write(text + "\n")
                self._stream.flush()
            except (OSError, ValueError):
                gone = True


class LogFile:
    """One program's file, `<name>.log`, turned over to `<name>.log.1` and so on when it is full."""

    def __init__(self, path: Path, limit_bytes: int = FILE_LIMIT_BYTES):
        self._path, self._limit_bytes, self._lost = path, limit_bytes, 0

    def write(self, line: str) -> bool:
        """Append a line; False when the disk does not take it. Lines lost are named once it does again."""
        note = f"... {self._lost} lines before this one could not be written\n" if self._lost else ""
        try:
            if self._path.exists() and self._path.stat().st_size > self._limit_bytes:
                self._turn_over()
            with self._path.open("a", encoding="utf-8", errors="backslashreplace") as out:
                out.write(f"{note}{line}\n")
        except OSError:
            self._lost += 1
            return False
        self._lost = 0
        return True

    def _turn_over(self) -> None:
        for number in range(FILES_KEPT, 0, -1):
            older = self._path.with_name(f"{self._path.name}.{number}")
            newer = self._path.with_name(f"{self._path.name}.{number - 1}") if number > 1 else self._path
            if newer.exists():
                newer.replace(older)


class Journal:
    """Every line of every program. `directory` holds the files; times are the site's calendar."""

    def __init__(self, directory: Path, terminal: Terminal, clock: Clock, zone: tzinfo):
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._directory, self._terminal, self._clock, self._zone = directory, terminal, clock, zone
        self._files: dict[str, LogFile] = {}
        self._refused: set[str] = set()

    def line(self, program: str, text: str, *, shown: bool = True) -> None:
        """Note one line of a program; `shown` also on the terminal."""
        begun = OWN_TIME.match(text)
        text = printable(((begun[1] or "") + text[begun.end() :] if begun else text).rstrip())
        if not text:
            return
        at = self._clock.now().astimezone(self._zone)
        file = self._files.setdefault(program, LogFile(self._directory / f"{program}.log"))
        written = file.write(f"{at:%Y-%m-%d %H:%M:%S} {text}")
        if shown:
            self._terminal.show(f"{at:%H:%M:%S} {program:<{NAME_WIDTH}} {text}")
        if written:
            self._refused.discard(program)
            return
        if not self._refused:
            self._terminal.show(f"{at:%H:%M:%S} {'riser':<{NAME_WIDTH}} {self._directory} takes no text; is it full?")
        self._refused.add(program)

    def say(self, text: str) -> None:
        """A sentence of Riser's own."""
        self.line("riser", text)

    def block(self, text: str) -> None:
        """Lines for the terminal alone, such as a first password, which no file may keep (I24)."""
        self._terminal.show(text)

    def close(self) -> None:
        self._terminal.close()
