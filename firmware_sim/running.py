"""A running shaft: its lines on pseudo-terminals, its memory on disk, and the two files one may write while it runs.

DIR/<line id>    symlink to the pseudo-terminal
DIR/state.json   the meters' memory
DIR/faults       KIND:WHERE[:ARG] a line, read again when it changes
DIR/press        ids of meters whose button is pressed; read once, then removed
"""

from __future__ import annotations

import contextlib
import fcntl
import sys
import threading
from pathlib import Path

from bridge.contract.clock import Clock

from .dlt645 import Dlt645Meter
from .faults import gather, parse_fault
from .pty import PtyLine
from .shaft import Shaft, recall, save

SAVE_EVERY_S = 5.0
# A relay or a clock is saved before its acknowledgement leaves; registers can be worked out again from the load.


def tell(sentence: str) -> None:
    """One sentence for the person who watches."""
    print(sentence, file=sys.stderr, flush=True)


class RunningShaft:
    """Serves `shaft` in folder `run` until `stop`. Raises ValueError where another simulator holds the folder."""

    def __init__(self, shaft: Shaft, run: Path, clock: Clock, fixed_faults: list[str]):
        self.shaft, self.run, self.clock = shaft, run, clock
        self._fixed_faults = fixed_faults
        run.mkdir(parents=True, exist_ok=True)
        self._hold = (run / "lock").open("w")
        try:
            fcntl.flock(self._hold, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._hold.close()
            raise ValueError(f"another simulator already serves {run}; choose another --run folder") from None
        self.state_path, self.faults_path, self.press_path = run / "state.json", run / "faults", run / "press"
        self._faults_seen: int | None = -1
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

    def step(self) -> None:
        """Once a second: look at the two files, save when it is time. Raises RuntimeError when a line died."""
        dead = [line.line.line_id for line in self.pty_lines if not line.alive]
        if dead:
            raise RuntimeError(f"{', '.join(dead)} stopped answering because of the defect printed above")
        self.read_faults()
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
        try:
            written = self.faults_path.stat().st_mtime_ns
        except FileNotFoundError:
            written = None
        if written == self._faults_seen:
            return
        self._faults_seen = written
        lines = list(self._fixed_faults)
        if written is not None:
            for text in self.faults_path.read_text(encoding="utf-8").splitlines():
                try:
                    if text.strip() and not text.lstrip().startswith("#"):
                        parse_fault(text)
                    lines.append(text)
                except ValueError as error:
                    tell(f"{self.faults_path}: {error}")
        faults = gather(lines)
        unknown = self.shaft.unknown_places(faults)
        if unknown:
            tell(f"faults name what is not here: {', '.join(unknown)}")
        with self._meters_lock:
            self.shaft.set_faults(faults)

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
