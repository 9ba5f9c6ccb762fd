"""`riser up`: start what this machine should run, in order, and live until somebody says stop.

The broker first, then the line, then the programs; none of them is told that another is there, they find each
other by the broker. One signal ends all in order, a second one at once.
"""

from __future__ import annotations

import os
import signal
from dataclasses import asdict
from pathlib import Path
from types import FrameType

from bridge.contract.clock import SystemClock
from bridge.contract.os_words import in_words
from bridge.contract.progress import Progress
from bridge.contract.units import instant_text
from host import runfile
from host.exits import FAILED, FINE, Trouble
from host.journal import Journal, Terminal
from host.layout import Layout, Say, Wish, broker_answers, lay_out
from host.programs import BROKER, END_ORDER, SIM, broker_program, programs
from host.ready import Announcer
from host.runfile import Run, started_ticks
from host.supervise import Supervisor

BROKER_LIMIT_S = 15.0
LINE_LIMIT_S = 10.0
"""The edge finds a line that comes later by itself; waiting for it only spares the log a complaint."""

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def up(base: Path, wish: Wish, terminal: Terminal, say: Say) -> int:
    """Run until a signal comes; return the exit code. Raises Trouble when nothing could be started."""
    layout = lay_out(base, wish, say)
    data = layout.wiring.data
    journal = Journal(data / "log", terminal, layout.clock, layout.site.zone)
    try:
        return _Machine(layout, journal, wish.browser).run()
    finally:
        runfile.remove(data)
        layout.lock.close()


class _Machine:
    """The children of one `up` and the file that tells of them."""

    def __init__(self, layout: Layout, journal: Journal, browser: bool):
        self._layout, self._journal, self._asked = layout, journal, 0
        self._clock = SystemClock()
        self._refused = False
        self._progress = Progress(self._clock)
        self._started_at = instant_text(self._clock.now())
        self._supervisor = Supervisor(journal, self._clock, self._changed)
        self._run = self._facts()
        self._announcer = Announcer(lambda: self._run, journal, self._clock, browser)

    def run(self) -> int:
        before = {number: signal.signal(number, self._ask) for number in SIGNALS}
        try:
            self._start()
            self._announcer.start()
            told = False
            while not self._asked:
                self._supervisor.step()
                # systemd may be too busy to take a word; without READY it would end us, so that is said until heard.
                told = told or self._progress.tell("READY=1", f"STATUS=panel at {self._run.panel_url}")
                self._progress.beat()
            self._progress.tell("STOPPING=1", "STATUS=the edge closes its book")
            self._journal.say("ending everything, the edge closes its book; Ctrl-C again does not wait")
            return FINE
        finally:
            self._announcer.stop()
            self._supervisor.stop(END_ORDER, hurry=lambda: self._asked > 1)
            for number, handler in before.items():
                signal.signal(number, handler)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self._asked += 1

    def _start(self) -> None:
        layout = self._layout
        if layout.broker is not None:
            self._supervisor.start(broker_program(layout.broker))
            self._await_broker()
        for program in programs(layout.wiring):
            if self._asked:
                return
            self._supervisor.start(program)
            if program.name == SIM:
                self._supervisor.until(lambda: bool(self._asked) or self._lines_are_there(), LINE_LIMIT_S)

    def _lines_are_there(self) -> bool:
        return all((self._layout.wiring.lines / port.id).exists() for port in self._layout.site.ports)

    def _await_broker(self) -> None:
        """The other programs would manage without; a broker that never comes is better told at once."""
        if self._supervisor.until(lambda: bool(self._asked) or self._broker_is_ours(), BROKER_LIMIT_S):
            return
        raise Trouble(FAILED, f"the broker does not start; its words stand in {self._run.data}/log/{BROKER}.log")

    def _broker_is_ours(self) -> bool:
        return self._supervisor.facts()[BROKER].state == "running" and broker_answers(self._layout.broker_url)

    def _changed(self) -> None:
        self._run = self._facts()
        try:
            runfile.write(self._run)
            self._refused = False
        except OSError as error:  # A full disk must not end the programs; `status` tells of the last state till then.
            if not self._refused:
                self._journal.say(
                    f"the run file cannot be written: {in_words(error)}; `riser status` is behind until then"
                )
            self._refused = True

    def _facts(self) -> Run:
        layout, pid = self._layout, os.getpid()
        return Run(
            pid=pid,
            pid_started=started_ticks(pid) or 0,
            started_at=self._started_at,
            demo=layout.wiring.demo,
            data=str(layout.wiring.data),
            site=str(layout.wiring.site_file),
            base=layout.site.site.base,
            gateway=layout.site.site.gateway,
            clock=layout.wiring.clock,
            broker_url=layout.broker_url,
            panel_url=layout.panel_url,
            programs={name: asdict(facts) for name, facts in self._supervisor.facts().items()},
        )
