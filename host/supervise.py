"""Children live exactly as long as we do: started, watched, started again, and ended in order.

Each child has a process group and a pipe of its own. Whoever ends by itself, or is killed because it hangs, is started
again, after half a second at first and up to 15 s later; after 30 s of health the count begins anew. Who needs a person
is tried every 30 s. One thread does all this, and it must be the main one: Linux sends the parent-death signal when the
*thread* that started a child ends.
"""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO

from bridge.contract.clock import Clock
from host import person_needed
from host.guarding import Guard
from host.journal import LONGEST_LINE, Journal
from host.person_needed import PersonNeeded
from host.program import Program, ProgramFacts
from host.watchdog import Watchdog

FIRST_DELAY_S = 0.5
LONGEST_DELAY_S = 15.0
HEALTHY_AFTER_S = 30.0
GRACE_S = 5.0
"""The edge closes its book within a second; gunicorn lets a request of a slow phone end."""

LOOK_S = 0.1
"""How long a look at the pipes waits; an ended child is noticed within it."""

HERE = Path(__file__).parent


@dataclass
class Child:
    """A program and the process that is it now, if any."""

    program: Program
    process: subprocess.Popen[bytes] | None = None
    restarts: int = 0
    delay_s: float = FIRST_DELAY_S
    started_s: float = 0.0
    due_s: float | None = None
    tail: bytes = field(default=b"", repr=False)
    needed: PersonNeeded = field(default_factory=PersonNeeded, repr=False)

    def facts(self) -> ProgramFacts:
        if self.process is not None:
            return ProgramFacts("running", self.process.pid, self.restarts)
        why = self.needed.why
        return ProgramFacts("restarting" if self.due_s is not None else "stopped", None, self.restarts, why)


class Supervisor:
    """The children of one `riser up`. `changed` is called after every start and end."""

    def __init__(self, journal: Journal, clock: Clock, changed: Callable[[], None] = lambda: None):
        self._journal, self._clock, self._changed = journal, clock, changed
        self._children: dict[str, Child] = {}
        self._selector = selectors.DefaultSelector()
        self._guard, self._watchdog = Guard(), Watchdog(clock)

    def facts(self) -> dict[str, ProgramFacts]:
        """Name and standing of every child, in the order of starting."""
        return {name: child.facts() for name, child in self._children.items()}

    def start(self, program: Program) -> None:
        """Start a program and keep it running from now on."""
        child = self._children[program.name] = Child(program)
        self._launch(child)

    def step(self, wait_s: float = LOOK_S) -> None:
        """Pass on what the children said within `wait_s`, notice who ended, start again who is due."""
        for key, _ in self._selector.select(wait_s):
            self._listen(key.data)
        silent = self._watchdog.silent()
        for child in self._children.values():
            if child.process is not None and child.process.pid in silent:
                self._hangs(child.program.name, child.process.pid, silent[child.process.pid])
            if child.process is not None and child.process.poll() is not None:
                self._ended(child)
            elif child.needed.why and self._clock.monotonic() - child.started_s >= HEALTHY_AFTER_S and child.process:
                child.needed.works()
            elif child.process is None and child.due_s is not None and self._clock.monotonic() >= child.due_s:
                child.restarts += 1
                self._launch(child)

    def until(self, condition: Callable[[], bool], limit_s: float) -> bool:
        """Step until the condition holds; False when it did not within `limit_s` real seconds."""
        deadline_s = self._clock.monotonic() + limit_s
        while not condition():
            if self._clock.monotonic() >= deadline_s:
                return False
            self.step()
        return True

    def stop(self, order: Iterable[str], hurry: Callable[[], bool] = lambda: False) -> None:
        """End the named children one after the other, then all others. `hurry` true means: no more patience."""
        names = list(order)
        for name in [*names, *(name for name in self._children if name not in names)]:
            if (child := self._children.get(name)) is not None:
                self._end(child, hurry)
        self._selector.close()
        self._guard.close()
        self._watchdog.close()

    # --- one child ---

    def _launch(self, child: Child) -> None:
        program = child.program
        words = (str(os.getpid()), program.user or "-", *program.argv, *program.once)
        command = [sys.executable, "-I", "-S", str(HERE / "child.py"), *words]
        try:
            child.process = process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env=self._watchdog.surroundings(program.environ, program.beats_within_s)
                | {"RISER_PARENT": str(os.getpid())},
                cwd=program.directory,
                start_new_session=True,
            )
        except OSError as error:  # No memory, no process to be had: the others go on, and this one is tried again.
            self._again(child, f"could not be started ({error.strerror})")
            return
        child.program = replace(program, once=())  # What a person said counts for the start that came about.
        self._guard.watch(process.pid)
        self._watchdog.watch(process.pid, program.beats_within_s)
        child.started_s, child.due_s, child.tail = self._clock.monotonic(), None, b""
        pipe = _pipe(process)
        os.set_blocking(pipe.fileno(), False)
        self._selector.register(pipe, selectors.EVENT_READ, child)
        self._changed()

    def _listen(self, child: Child) -> bool:
        """Pass on whole lines; False when nothing was to be heard."""
        if child.process is None:
            return False
        pipe = _pipe(child.process)
        try:
            heard = os.read(pipe.fileno(), 65_536)
        except BlockingIOError:
            return False
        if not heard:
            # It closed its output and may still run; its end is noticed by `poll`.
            self._unregister(pipe)
            return False
        *lines, child.tail = (child.tail + heard).split(b"\n")
        # A line without end is cut, so that it cannot fill the memory.
        if len(child.tail) > 4 * LONGEST_LINE:
            lines, child.tail = [*lines, child.tail], b""
        for line in lines:
            self._note(child, line)
        return True

    def _note(self, child: Child, line: bytes) -> None:
        text = line.decode("utf-8", errors="backslashreplace")
        is_new = child.needed.is_new(text)
        self._journal.line(child.program.name, text, shown=is_new and child.program.shown(text))

    def _unregister(self, pipe: IO[bytes]) -> None:
        if pipe.fileno() in self._selector.get_map():
            self._selector.unregister(pipe)

    def _again(self, child: Child, what_happened: str) -> None:
        child.due_s = self._clock.monotonic() + child.delay_s
        self._journal.say(f"{child.program.name} {what_happened}; it starts again in {child.delay_s:g} s")
        child.delay_s = min(child.delay_s * 2, LONGEST_DELAY_S)
        self._changed()

    def _hangs(self, name: str, group: int, silent_s: float) -> None:
        """Only SIGKILL reaches whoever is stopped or stuck; the end is noticed, and the start again told, as ever."""
        self._journal.say(f"{name} hangs: no progress for {silent_s:.0f} s; it is killed")
        _signal_group(group, signal.SIGKILL)

    def _ended(self, child: Child) -> None:
        code = self._bury(child)
        if self._clock.monotonic() - child.started_s >= HEALTHY_AFTER_S:
            child.delay_s = FIRST_DELAY_S
        sentence = child.needed.ended(code)
        if child.needed.why is None:
            self._again(child, how_it_ended(code))
            return
        if sentence:
            self._journal.say(f"{child.program.name} {sentence}")
        child.due_s = self._clock.monotonic() + person_needed.RETRY_S
        self._changed()

    def _bury(self, child: Child) -> int:
        """Take the last words of an ended child, end what it left behind in its group, and return its exit code."""
        process = child.process
        assert process is not None and process.returncode is not None
        _signal_group(process.pid, signal.SIGKILL)
        self._guard.forget(process.pid)
        self._watchdog.forget(process.pid)
        while self._listen(child):
            pass
        if child.tail:
            self._note(child, child.tail)
        child.tail = b""
        pipe = _pipe(process)
        self._unregister(pipe)
        pipe.close()
        child.process = None
        return process.returncode

    def _end(self, child: Child, hurry: Callable[[], bool]) -> None:
        process, child.due_s = child.process, None
        if process is None:
            return
        if process.poll() is None:
            process.terminate()
        deadline_s = self._clock.monotonic() + GRACE_S
        while process.poll() is None:
            if hurry() or self._clock.monotonic() >= deadline_s:
                self._journal.say(f"{child.program.name} did not end when asked and was killed")
                _signal_group(process.pid, signal.SIGKILL)
                process.wait()
            for key, _ in self._selector.select(LOOK_S / 5):
                self._listen(key.data)
        self._bury(child)
        self._changed()


def _pipe(process: subprocess.Popen[bytes]) -> IO[bytes]:
    assert process.stdout is not None
    return process.stdout


def _signal_group(group: int, number: int) -> None:
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return


def how_it_ended(code: int) -> str:
    """An exit code of subprocess in words."""
    return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
