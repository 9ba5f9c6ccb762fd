"""Gathers a snapshot. What cannot be looked at becomes a finding of its own, and the rest is looked at all the same."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from bridge.contract.clock import Clock, from_environment
from bridge.contract.os_words import in_words
from bridge.contract.site import Port
from bridge.contract.site_file import BadSite, load
from host import site_check
from host.backup.moving import UNFINISHED
from host.doctor import see_broker, see_files, see_machine, see_ports
from host.doctor.findings import Finding, wrong
from host.doctor.seen import Place, SiteSeen, Snapshot
from host.exits import Trouble
from host.layout import SITE_NAME
from host.places import DEMO
from host.programs import SIM
from host.runfile import Run
from host.status import live_run

T = TypeVar("T")


class Looks:
    """Does one look after another, and notes those that failed."""

    def __init__(self, command: str) -> None:
        self.troubles: list[Finding] = []
        self.unseen: list[str] = []
        self._command = command

    def at(self, group: str, what: str, look: Callable[[], T]) -> T | None:
        """The look's answer; None, and a finding, when the machine refuses it."""
        try:
            return look()
        except PermissionError as error:
            # For root it is no matter of rights: a read-only or broken disk says so too.
            if os.geteuid() != 0:
                self.unseen.append(what)
                return None
            self._note(group, what, error)
        except (OSError, subprocess.SubprocessError) as error:
            self._note(group, what, error)
        except Trouble as trouble:
            self.troubles.append(
                wrong(
                    group,
                    "",
                    f"{what.capitalize()} could not be looked at: {trouble.sentence}.",
                    "Use the script ./riser, which prepares all it needs.",
                )
            )
        return None

    def _note(self, group: str, what: str, error: Exception) -> None:
        name, why = getattr(error, "filename", None), in_words(error)
        sentence = f"{what.capitalize()} could not be looked at: {f'{name}: ' if name else ''}{why}."
        self.troubles.append(
            wrong(
                group,
                str(name or ""),
                sentence,
                "Try as root; a disk that fails shows in `dmesg | tail`.",
                f"sudo {self._command}",
            )
        )


def gather(base: Path, site_file: Path | None, machine: Clock, command: str, root: Path = Path("/")) -> Snapshot:
    """Everything that can be seen of the installation in this data directory, or its demo. `root` is / but in tests."""
    looks = Looks(command)
    run = live_run(base)
    directory = run.directory if run is not None else which(base)
    demo = run.demo if run is not None else directory != base
    nobody = Place(
        directory, see_files.me(), see_files.me(), owner="somebody else", readable=False, demo=demo, command=command
    )
    place = looks.at("rights", "the data directory", lambda: see_files.place(directory, run, demo, command)) or nobody
    site = _site(site_path(site_file, run, directory), looks)
    calendar = from_environment({"RISER_CLOCK": run.clock}) if run is not None else machine
    own = frozenset(each["pid"] for each in run.programs.values() if each["pid"]) if run is not None else frozenset()

    def inside(group: str, what: str, look: Callable[[], T]) -> T | None:
        """A look into the data directory; a closed one is told once, not five times."""
        return looks.at(group, what, look) if place.readable else None

    return Snapshot(
        place=place,
        run=run,
        site=site,
        now=calendar.now(),
        ports=looks.at(
            "ports", "the ports", lambda: see_ports.look(wired(site, run), directory, place.runner, place.me, own, root)
        ),
        clock=inside("clock", "the clock", lambda: see_machine.clock(directory, machine, root)),
        broker=inside("broker", "the broker", lambda: see_broker.look(directory, site.site, run, machine)),
        disk=inside("disk", "the disk", lambda: see_files.disk(directory, machine)),
        backup=inside("disk", "the newest backup", lambda: see_files.backup(directory)),
        registry=inside("book and site file", "the copy of the book", lambda: see_files.registry(directory)),
        secrets=inside("rights", "the secrets", lambda: see_files.secrets(directory)),
        programs=looks.at("programs", "the programs", lambda: see_machine.programs(run)),
        troubles=tuple(looks.troubles),
        unseen=tuple(looks.unseen),
    )


def wired(site: SiteSeen, run: Run | None) -> list[Port]:
    """The ports to look at. In demo and practice the simulator's lines stand in for the devices of the site file."""
    if site.site is None:
        return []
    if run is None or SIM not in run.programs:
        return site.site.ports
    return [port.model_copy(update={"device": f"{SIM}/{port.id}"}) for port in site.site.ports]


def which(base: Path) -> Path:
    """The directory that is meant: the demo's where only a demo was ever run."""
    try:
        used = any((base / name).exists() for name in ("book.db", SITE_NAME, "secrets", UNFINISHED))
        return base if used or not (base / DEMO).is_dir() else base / DEMO
    except PermissionError:
        return base


def site_path(given: Path | None, run: Run | None, directory: Path) -> Path | None:
    """The site file: as given, else of the running Riser, else the one in the data directory."""
    if given is not None:
        return given.expanduser().absolute()
    if run is not None:
        return Path(run.site)
    try:
        return directory / SITE_NAME if (directory / SITE_NAME).exists() else None
    except PermissionError:
        return None


def _site(path: Path | None, looks: Looks) -> SiteSeen:
    if path is None:
        return SiteSeen(None)
    checked = looks.at("book and site file", "the site file", lambda: site_check.check(path))
    if checked is None:  # The edge cannot be asked; what this program can read itself is still worth a look.
        try:
            return SiteSeen(path, load(path))
        except BadSite as bad:
            return SiteSeen(path, None, tuple(bad.mistakes))
    return SiteSeen(path, checked.site, checked.mistakes, checked.models)
