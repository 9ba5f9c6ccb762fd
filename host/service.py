"""Starting with the machine: what has to be done, as a plan that can be read first, and the doing of it.

The plan is pure: from what is wanted and what was found come steps, each with its sentence, and only for what differs.
Data, site file and user are never removed: they belong to the people here.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from host import units
from host.backup import units as backup_units
from host.exits import FAILED, MISSING, Trouble
from host.units import LINES_GROUP, NAME, RULES, UNIT, Wanted

Say = Callable[[str], None]


@dataclass(frozen=True)
class Account:
    """The user Riser runs as, where there is one. `group` is its own, `in_lines_group` its right to the ports."""

    group: str
    in_lines_group: bool


@dataclass(frozen=True)
class Found:
    """How the machine stands. `files` holds the contents of those of our files that exist."""

    files: Mapping[Path, str] = field(default_factory=dict)
    account: Account | None = None
    lines_group: bool = True
    data_owner: str | None = None
    unreadable: tuple[Path, ...] = ()
    """Files that Riser's user must read and cannot: the site file, the broker's password."""
    udev: bool = True
    """False in a container, where devices come from outside and rules have no effect."""
    enabled: bool = False
    active: bool = False


@dataclass(frozen=True)
class Write:
    """A file of ours, whole."""

    path: Path
    text: str
    sentence: str


@dataclass(frozen=True)
class Remove:
    path: Path
    sentence: str


@dataclass(frozen=True)
class Run:
    """A command. It is about the running machine, so a scratch root goes without."""

    argv: tuple[str, ...]
    sentence: str


Step = Write | Remove | Run


def installation(wanted: Wanted, found: Found) -> list[Step]:
    """What makes this machine start Riser. Raises Trouble."""
    if not found.lines_group:
        raise Trouble(MISSING, f"this machine has no group {LINES_GROUP}, to which Debian gives the serial ports")
    steps: list[Step] = [*_account(wanted, found)]
    group = found.account.group if found.account else wanted.user
    owner = f"{wanted.user}:{group}"
    if found.data_owner is None:
        argv = ("install", "-d", "-m", "0700", "-o", wanted.user, "-g", group, str(wanted.data))
        steps.append(Run(argv, f"the data will be in {wanted.data}, readable by {wanted.user} alone"))
    elif found.data_owner != wanted.user:
        sentence = f"{wanted.data} belonged to {found.data_owner}; now all of it is {wanted.user}'s"
        steps.append(Run(("chown", "-R", owner, str(wanted.data)), sentence))
    for path in found.unreadable:
        sentence = f"{path} can now be read by the group {group}"
        steps += [Run(("chgrp", group, str(path)), sentence), Run(("chmod", "g+r", str(path)), "")]
    files = [(UNIT, units.unit(wanted), "the service"), (RULES, units.rules(), "the rules for serial adapters")]
    files += [(path, text, "the nightly backup") for path, text in backup_units.texts(wanted).items()]
    changed = [Write(path, text, f"{path}: {what}") for path, text, what in files if found.files.get(path) != text]
    steps += changed
    return [*steps, *_take_effect({each.path for each in changed}, found)]


def _account(wanted: Wanted, found: Found) -> Iterable[Step]:
    argv: tuple[str, ...]
    if found.account is None:
        argv = ("useradd", "--system", "--user-group", "--groups", LINES_GROUP, "--no-create-home",
                "--home-dir", str(wanted.data), "--shell", "/usr/sbin/nologin", wanted.user)  # fmt: skip
        yield Run(argv, f"a user {wanted.user} without a password, in group {LINES_GROUP}, runs it")
    elif not found.account.in_lines_group:
        argv = ("usermod", "--append", "--groups", LINES_GROUP, wanted.user)
        yield Run(argv, f"{wanted.user} comes into group {LINES_GROUP}, to which the serial ports belong")


def _take_effect(changed: set[Path], found: Found) -> Iterable[Step]:
    if RULES in changed and found.udev:
        yield Run(("udevadm", "control", "--reload"), "")
        yield Run(("udevadm", "trigger", "--action=add", "--subsystem-match=usb-serial"), "")
    ours = {UNIT, backup_units.SERVICE, backup_units.TIMER}
    if changed & ours or not found.enabled:  # The last install may have ended between the two.
        yield Run(("systemctl", "daemon-reload"), "")
    if backup_units.TIMER in changed:
        yield Run(("systemctl", "enable", "--now", backup_units.TIMER_NAME), "a backup is made each night from now on")
    if not found.enabled:
        yield Run(("systemctl", "enable", NAME), "it starts with the machine from now on")
    if found.active and UNIT in changed:
        yield Run(("systemctl", "restart", NAME), "it is started anew, to run under the changed unit")
    elif not found.active:
        yield Run(("systemctl", "start", NAME), "it starts now")


def removal(found: Found) -> list[Step]:
    """What makes the machine forget it. The user, the data and the site file stay."""
    steps: list[Step] = []
    if found.enabled or found.active:
        steps.append(Run(("systemctl", "disable", "--now", NAME), "it is ended, and starts no more with the machine"))
    if backup_units.TIMER in found.files:
        steps.append(Run(("systemctl", "disable", "--now", backup_units.TIMER_NAME), ""))
    ours = (UNIT, RULES, backup_units.SERVICE, backup_units.TIMER)
    steps += [Remove(path, f"{path} is removed") for path in ours if path in found.files]
    if UNIT in found.files:
        steps.append(Run(("systemctl", "daemon-reload"), ""))
    if RULES in found.files and found.udev:
        steps.append(Run(("udevadm", "control", "--reload"), ""))
    return steps


def carry_out(steps: list[Step], root: Path, say: Say) -> None:
    """Do the steps in order, saying each first. Raises Trouble at the first that fails."""
    for step in steps:
        if isinstance(step, Run) and root != Path("/"):
            continue
        if step.sentence:
            say(step.sentence)
        if isinstance(step, Run):
            _run(step.argv)
        elif isinstance(step, Write):
            _write(root / step.path.relative_to("/"), step.text)
        else:
            (root / step.path.relative_to("/")).unlink(missing_ok=True)


def _write(path: Path, text: str) -> None:
    """Put a file in place of the last one, whole; systemd and udev read it as root, people may look."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.new")
    aside.write_text(text, encoding="utf-8")
    aside.chmod(0o644)
    with aside.open() as written:
        os.fsync(written.fileno())
    aside.replace(path)


def _run(argv: tuple[str, ...]) -> None:
    try:
        done = subprocess.run(argv, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    except FileNotFoundError:
        raise Trouble(MISSING, f"{argv[0]} is missing on this machine; what came before it is done") from None
    if done.returncode != 0:
        words = " ".join((done.stderr.strip() or done.stdout.strip()).split()).rstrip(".")
        raise Trouble(FAILED, f"`{' '.join(argv)}` failed: {words}; what came before it is done")
