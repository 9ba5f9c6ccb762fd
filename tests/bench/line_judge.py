"""The judge's process: simulated lines on pseudo-terminals, and an exact log of who held them when.

    python -m tests.bench.line_judge SHAFT DIRECTORY        lines at DIRECTORY/<line id>, the log in DIRECTORY/log

A question holds the wire from max(its arrival, line free) for its bytes; the meter turns round; the answer's last byte
is handed over at the very instant at which it would have been on a real wire. One thread and no buffers: what the
judge is late by is written down with each exchange, and is not the master's loss. Commands come as JSON lines on
stdin, each is answered on stdout.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import select
import sys
import time
from pathlib import Path
from typing import Any

from bridge.contract.clock import from_environment
from firmware_sim import shaft as sim_shaft
from tests.bench.line_wire import JudgedLine

SPIN_S = 0.0003
"""A sleep may end this much late; the rest of a wait is spun away."""

IDLE_S = 0.2

NICE = -15
"""A UART is not kept waiting by programs. Where this is not allowed, the judge's lateness shows it."""


class Judge:
    """All lines, one loop."""

    def __init__(self, shaft: Path, directory: Path):
        clock = from_environment()
        made = sim_shaft.load(shaft, clock.now())
        self.lines = {w.line_id: JudgedLine(w, made.lines[w.line_id].meters, directory, clock) for w in made.wirings}
        self._log = os.open(directory / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self._ended = False

    def run(self) -> None:
        gc.disable()
        lines = list(self.lines.values())
        while not self._ended:
            now = time.monotonic()
            due = min((line.due for line in lines), default=now + IDLE_S)
            spin = SPIN_S if any(line.due == due and line.exact for line in lines) else 0.0
            wait = max(0.0, min(due - now - spin, IDLE_S))
            if wait > 0.003:
                self._write_down(lines)
            by_descriptor = {line.master: line for line in lines if line.master >= 0}
            ready, _, _ = select.select([0, *by_descriptor], [], [], wait)
            for descriptor in ready:
                if descriptor == 0:
                    self._command()
                else:
                    by_descriptor[descriptor].hear()
            for line in lines:
                line.speak()
        self._write_down(lines)
        for line in lines:
            line.pull()

    def _write_down(self, lines: list[JudgedLine]) -> None:
        for line in lines:
            if line.over:
                text = "".join(json.dumps(row) + "\n" for row in line.over)
                line.over.clear()
                os.write(self._log, text.encode())

    def _command(self) -> None:
        said = os.read(0, 65536).decode()
        self._ended = not said  # Whoever started us is gone.
        for text in said.splitlines():
            words: dict[str, Any] = json.loads(text)
            what = words.pop("do")
            if what == "end":
                self._ended = True
            else:
                for line in [self.lines[words.pop("line")]] if "line" in words else self.lines.values():
                    getattr(line, what)(**words)
            print(json.dumps({"did": what, "at": time.monotonic()}), flush=True)


def main() -> int:
    with contextlib.suppress(PermissionError):
        os.nice(NICE)
    judge = Judge(Path(sys.argv[1]), Path(sys.argv[2]))
    print(json.dumps({"did": "start", "at": time.monotonic()}), flush=True)
    judge.run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
