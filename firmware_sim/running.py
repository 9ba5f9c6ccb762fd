"""A running shaft: its lines on pseudo-terminals, its memory on disk, and the two files one may write while it runs.

DIR/<line id>    symlink to the pseudo-terminal
DIR/state.json   the meters' memory
DIR/faults       KIND:WHERE[:ARG] a line, read again when it changes; `riser sim fault` writes it
DIR/faults.json  what is in force, the places there are, and what was not understood; written when it changes
DIR/press        ids of meters whose button is pressed; read once, then removed
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import sys
import threading
from pathlib import Path

from bridge.contract.clock import Clock

from .dlt645 import Dlt645Meter
from .faults import gather, lines_of, parse_fault
from .pty import PtyLine
from .shaft import Shaft, recall, save

SAVE_EVERY_S = 5.0
# A relay or a clock is saved before its acknowledgement leaves; registers can be worked out again from the load.


IN_FORCE = "faults.json"


def version_of(path: Path) -> str | None:
    """A text that changes with every change of a file; None while there is no such file."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return f"{found.st_ino}:{found.st_mtime_ns}:{found.st_size}"


def tell(sentence: str) -> None:
    """One sentence for the person who watches."""
    print(sentence, file=sys.stderr, flush=True)


class RunningShaft:
    """Serves `shaft` in folder `run` until `stop`. Raises ValueError where another simulator holds the folder."""

    def __init__(self, shaft: Shaft, run: Path, clock: Clock, fixed_faults: list[str]):
        self.shaft, self.run, self.clock = shaft, run, clock
        self._fixed_faults = [*shaft.faults_at_start, *fixed_faults]
        run.mkdir(parents=True, exist_ok=True)
        self._hold = (run / "lock").open("w")
        try:
            fcntl.flock(self._hold, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._hold.close()
            raise ValueError(f"another simulator already serves {run}; choose another --run folder") from None
        self.state_path, self.faults_path, self.press_path = run / "state.json", run / "faults", run / "press"
        self._faults_seen: str | None = ""
        self._meters_lock, self._save_lock = threading.Lock(), threading.Lock()
        self._saved_s = clock.monotonic()
        self.pty_lines = [
            PtyLine(
                shaft.lines[wiring.line_id],
                wiring.protocol,
                wiring.baud,
                run / wiring.line_id,
                clock,
                self._meters_lock,
                self.save,
            )
            for wiring in shaft.wirings
        ]

    def start(self) -> None:
        """Give the meters their memory, the faults their effect, the lines their bytes."""
        new = recall(self.shaft, self.state_path)
        if new:
            tell(f"not in {self.state_path}, so new from the factory: {', '.join(new)}")
        ahead_s = self.shaft.ahead_s(self.clock.now())
        if ahead_s > 60:
            tell(f"the meters' memory is {ahead_s:.0f} s ahead of the calendar; they stand still until it catches up")
        self.read_faults()
        self.save()
        for line in self.pty_lines:
            line.start()
        self._pull()

    def step(self) -> None:
        """Once a second: look at the two files, save when it is time. Raises RuntimeError when a line died."""
        dead = [line.line.line_id for line in self.pty_lines if not line.alive]
        if dead:
            raise RuntimeError(f"{', '.join(dead)} stopped answering because of the defect printed above")
        self.read_faults()
        self._pull()
        self.read_presses()
        if self.clock.monotonic() - self._saved_s >= SAVE_EVERY_S:
            self.save()

    def stop(self) -> None:
        """Stop the lines, save for the last time, let the folder go."""
        for line in self.pty_lines:
            line.stop()
        self.save()
        self._hold.close()

    def save(self) -> None:
        """Bring every meter to now and keep its memory."""
        with self._save_lock:
            with self._meters_lock:
                now, mono = self.clock.now(), self.clock.monotonic()
                for meter in self.shaft.meters.values():
                    meter.advance(now, mono)
                kept = self.shaft.state()
            save(kept, self.state_path)
            self._saved_s = self.clock.monotonic()

    def read_faults(self) -> None:
        """Take over DIR/faults when it changed. A line that is not understood is reported and left out."""
        written = version_of(self.faults_path)
        if written == self._faults_seen:
            return
        self._faults_seen = written
        lines, mistakes = list(self._fixed_faults), []
        for text in self.faults_path.read_text(encoding="utf-8").splitlines() if written else []:
            try:
                if text.strip() and not text.lstrip().startswith("#"):
                    parse_fault(text)
                lines.append(text)
            except ValueError as error:
                mistakes.append(str(error))
        faults = gather(lines)
        if unknown := self.shaft.unknown_places(faults):
            mistakes.append(f"faults name what is not here: {', '.join(unknown)}")
        for mistake in mistakes:
            tell(f"{self.faults_path}: {mistake}")
        with self._meters_lock:
            now, mono = self.clock.now(), self.clock.monotonic()
            for meter in self.shaft.meters.values():
                meter.advance(now, mono)  # What is noted of a fault bears the time at which it came.
            self.shaft.set_faults(faults)
        self._say_what_is_in_force(written)

    def _say_what_is_in_force(self, version: str | None) -> None:
        """For `riser sim fault`: what came of the newest DIR/faults. Replaced as a whole, never half written."""
        said = {
            "version": version,
            "in_force": lines_of(self.shaft.faults),
            "meters": list(self.shaft.meters),
            "lines": list(self.shaft.lines),
        }
        beside = self.run / ".faults.json"
        beside.write_text(json.dumps(said), encoding="utf-8")
        beside.replace(self.run / IN_FORCE)

    def _pull(self) -> None:
        """Pull those adapters that are to be out, put the others back."""
        for line in self.pty_lines:
            if line.line.line_id in self.shaft.faults.unplug:
                line.unplug()
            else:
                line.plug()

    def read_presses(self) -> None:
        """Press the buttons DIR/press names, and say what came of it."""
        try:
            names = self.press_path.read_text(encoding="utf-8").split()
        except FileNotFoundError:
            return
        with contextlib.suppress(FileNotFoundError):
            self.press_path.unlink()
        for name in names:
            meter = self.shaft.meters.get(name)
            if not isinstance(meter, Dlt645Meter):
                tell(f"{name} has no button")
                continue
            with self._meters_lock:
                closed = meter.press_button(self.clock.now(), self.clock.monotonic())
            tell(f"{name}: {'the relay closes' if closed else 'the button does nothing, closing is not permitted'}")
            if closed:
                self.save()
