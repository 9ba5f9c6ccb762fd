"""How this machine stands before `riser service install`: our files, the user, who may read what. Only looks."""

from __future__ import annotations

import grp
import os
import pwd
import stat
import subprocess
from pathlib import Path

from host.backup.units import SERVICE, TIMER
from host.service import Account, Found
from host.units import LINES_GROUP, NAME, RULES, UNIT, Wanted

SYSTEMD = Path("/run/systemd/system")
UDEV = Path("/run/udev/control")


def has_systemd() -> bool:
    """sd_booted(3)."""
    return SYSTEMD.is_dir()


def look(wanted: Wanted, root: Path, secret_files: tuple[Path, ...] = ()) -> Found:
    """Everything the plan needs to know. Below a scratch root only our files can be known."""
    files = {path: (root / path.relative_to("/")) for path in (UNIT, RULES, SERVICE, TIMER)}
    contents = {path: at.read_text(encoding="utf-8") for path, at in files.items() if at.exists()}
    if root != Path("/"):
        return Found(files=contents)
    account, lines_group = _account(wanted.user)
    return Found(
        files=contents,
        account=account,
        lines_group=lines_group,
        data_owner=_owner(wanted.data),
        unreadable=tuple(path for path in secret_files if not _readable(path, account)),
        udev=UDEV.exists(),
        enabled=_systemctl("is-enabled"),
        active=_systemctl("is-active"),
    )


def closed_doors(wanted: Wanted) -> list[str]:
    """What Riser's user could not reach of the programs, their Python, the site file and the data, as sentences."""
    told: dict[Path, list[str]] = {}
    for what, path, itself in (
        ("the programs", wanted.repository / "riser.py", True),
        ("their Python", wanted.python, True),
        ("the site file", wanted.site, False),
        ("the data", wanted.data, False),
    ):
        if (door := _closed(path, wanted.user, itself)) is not None:
            told.setdefault(door, []).append(what)
    return [
        f"{door} is closed to all but {_owner(door)}, and {' and '.join(what)} lie behind it"
        for door, what in told.items()
    ]


def _closed(path: Path, user: str, itself: bool) -> Path | None:
    """The first folder above the path that a user of no particular rights cannot pass; or the path, if `itself`."""
    for folder in reversed(path.parents):
        if not folder.exists():
            return None
        if not folder.stat().st_mode & stat.S_IXOTH and _owner(folder) != user:
            return folder
    return path if itself and not path.stat().st_mode & stat.S_IROTH and _owner(path) != user else None


def _account(user: str) -> tuple[Account | None, bool]:
    try:
        lines = grp.getgrnam(LINES_GROUP)
    except KeyError:
        return None, False
    try:
        found = pwd.getpwnam(user)
    except KeyError:
        return None, True
    in_lines = user in lines.gr_mem or found.pw_gid == lines.gr_gid
    return Account(grp.getgrgid(found.pw_gid).gr_name, in_lines), True


def _owner(path: Path) -> str | None:
    """Who owns it; None where it does not exist."""
    try:
        return path.owner()
    except FileNotFoundError:
        return None
    except KeyError:  # A number without a name, from another machine's card.
        return str(path.stat().st_uid)


def _readable(path: Path, account: Account | None) -> bool:
    found = path.stat()
    if found.st_mode & stat.S_IROTH:
        return True
    if account is None or not found.st_mode & stat.S_IRGRP:
        return False
    try:
        return path.group() == account.group
    except KeyError:  # A group without a name, from another machine.
        return False


def _systemctl(question: str) -> bool:
    return subprocess.run(["systemctl", "--quiet", question, NAME], capture_output=True).returncode == 0


def is_root() -> bool:
    return os.geteuid() == 0


def packaged_broker_runs() -> bool:
    """Debian's own mosquitto.service, which would hold port 1883 before ours."""
    return (
        subprocess.run(["systemctl", "--quiet", "is-active", "mosquitto.service"], capture_output=True).returncode == 0
    )
