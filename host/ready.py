"""Tells the person at the terminal, once, that everything works: where the panel is and how to sign in.

It looks from a thread of its own, in the same way as `riser status`, so that what it says is what status says.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

from bridge.contract.clock import Clock
from host.exits import Trouble
from host.journal import Journal
from host.runfile import Run
from host.status import Standing, gather

LOOK_EVERY_S = 1.0
PATIENCE_S = 60.0
"""A shaft at 2400 baud is read within half a minute; after a minute a person should know what is missing."""

FIRST_USER = "admin"

UNATTENDED = "RISER_UNATTENDED"
"""Set where what we print is kept by somebody else: systemd's journal, a container's log."""


class Announcer:
    """Looks until everything is ready, then says so."""

    def __init__(self, run: Callable[[], Run], journal: Journal, clock: Clock, browser: bool):
        self._run, self._journal, self._clock, self._browser = run, journal, clock, browser
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._look, name="announcer", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Say nothing more. A look that is under way may end later; nobody waits for it."""
        self._stopped.set()

    def _look(self) -> None:
        began_s, told = self._clock.monotonic(), False
        while not self._stopped.wait(LOOK_EVERY_S):
            try:
                standing = gather(self._run())
            except Trouble as trouble:
                standing = Standing(None, missing=[trouble.sentence])
            if self._stopped.is_set():
                return
            if standing.ready:
                self._tell(standing)
                return
            if not told and self._clock.monotonic() - began_s > PATIENCE_S:
                told = True
                self._journal.block(f"\n  Not ready yet: {'; '.join(standing.missing)}.\n")

    def _tell(self, standing: Standing) -> None:
        run, info = self._run(), standing.gateway.info
        assert info is not None
        lines = [
            f"Riser is ready: {info.meters_read} of {info.meters_installed} meters read.",
            f"Panel    {run.panel_url}",
            *first_sign_in(run.directory, somebody_reads()),
            f"Broker   {run.broker_url}",
            "Ctrl-C ends everything.",
        ]
        self._journal.block("\n" + "\n".join(f"  {line}" for line in lines) + "\n")
        if self._browser:
            open_browser(run.panel_url)


def somebody_reads(environ: Mapping[str, str] = os.environ) -> bool:
    """False when our words go into a log, where no password may stand (I24)."""
    return not environ.get(UNATTENDED) or sys.stdout.isatty()


def first_sign_in(data: Path, shown: bool) -> list[str]:
    """The first person's name and password while it waits to be changed; not `shown`, only where it stands."""
    file = data / "first-password.txt"
    try:
        password = file.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return []
    where = f"password {password}" if shown else f"with the password in {file}"
    return [f"Sign in  {FIRST_USER}, {where} (asks for your own at once)"] if password else []


def open_browser(url: str) -> bool:
    """Open the panel where somebody sits in front of a screen; a browser in the terminal would help nobody."""
    opener = shutil.which("xdg-open")
    if opener is None or not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        return False
    subprocess.Popen(
        [opener, url],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    return True
