"""Our own Mosquitto: where its program is, how it comes here, and the configuration of the child that `up` runs.

Everything the broker needs stands in `<data>/broker/`. Nobody comes in without a password, and it listens on
loopback unless the site file says otherwise.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from bridge.contract.site import Site
from host.acl import acl_text
from host.exits import MISSING, Trouble
from host.passwords import password_file

PLACES = ("/usr/sbin", "/usr/local/sbin", "/usr/local/bin", "/opt/homebrew/sbin")
PACKAGE = "mosquitto"
BROKER_USER = "mosquitto"

ENTER_TRIAL = ("/bin/sh", "-c", 'test -r "$1" && test -w "$1" && test -x "$1"', "sh")
"""Asked as the broker's user: the folders above ours may be closed to it, /root for one."""


def find_binary() -> str | None:
    """The broker's program. Debian puts it into /usr/sbin, which is not on every PATH."""
    return shutil.which("mosquitto") or shutil.which("mosquitto", path=os.pathsep.join(PLACES))


def ensure_installed(say: Callable[[str], None]) -> str:
    """Return the broker's program, installing Debian's package where that is allowed. Raises Trouble."""
    if found := find_binary():
        return found
    by_hand = f"type: sudo apt-get install -y {PACKAGE}"
    if shutil.which("apt-get") is None:
        raise Trouble(MISSING, "Mosquitto is missing; install Mosquitto 2 with this system's package manager")
    become = become_root()
    if become is None:
        raise Trouble(MISSING, f"Mosquitto is missing; {by_hand}")
    say("Mosquitto is missing; installing Debian's package, which takes a minute ...")
    _install(become, say, by_hand)
    found = find_binary()
    if found is None:
        raise Trouble(MISSING, f"the package is installed and its program was not found in {', '.join(PLACES)}")
    _stop_service(become, say)
    return found


def become_root() -> list[str] | None:
    """What stands before a command to run it as root without a password; None where that is not allowed."""
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo") and subprocess.run(["sudo", "-n", "true"], capture_output=True).returncode == 0:
        return ["sudo", "-n"]
    return None


def _install(become: list[str], say: Callable[[str], None], by_hand: str) -> None:
    quiet = [*become, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get"]
    if subprocess.run([*quiet, "update"], capture_output=True).returncode != 0:
        say("apt-get update failed; trying with the lists that are here")
    install = [*quiet, "install", "-y", "--no-install-recommends", PACKAGE]
    done = subprocess.run(install, capture_output=True, text=True)
    if done.returncode != 0:
        last = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:]
        raise Trouble(MISSING, f"Mosquitto could not be installed ({' '.join(last)}); {by_hand}")


def _stop_service(become: list[str], say: Callable[[str], None]) -> None:
    """Debian's package starts a broker of its own on 1883. We brought it, so we stop it; ours needs the place."""
    if Path("/run/systemd/system").is_dir():
        command = ["systemctl", "disable", "--now", "mosquitto"]
    elif Path("/etc/init.d/mosquitto").exists():
        command = ["/etc/init.d/mosquitto", "stop"]
    else:
        return
    stopped = subprocess.run([*become, *command], capture_output=True).returncode == 0
    say("installed; the package's own service is " + ("stopped, Riser runs its own" if stopped else "still running"))


@dataclass(frozen=True)
class BrokerChild:
    """How to run the broker: its command, the user it becomes (None: stays what we are), its address for clients."""

    argv: tuple[str, ...]
    user: str | None
    url: str


def prepare(
    binary: str, directory: Path, site: Site, port: int, passwords: Mapping[str, str], say: Callable[[str], None]
) -> BrokerChild:
    """Write `<data>/broker/` for this start and say how to run it. `passwords` is {user: password}."""
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    store = directory / "store"
    store.mkdir(exist_ok=True, mode=0o700)
    user = _user_for(directory, say)
    acl = acl_text(list(passwords), site.site.base, site.site.gateway, site.bridge.discovery_prefix)
    _write_private(directory / "passwords", password_file(passwords))
    _write_private(directory / "acl", acl)
    _write_private(directory / "mosquitto.conf", configuration(directory, site.broker.listen, port, user))
    for path in (directory, *directory.rglob("*")):
        shutil.chown(path, user or os.geteuid(), pwd.getpwnam(user).pw_gid if user else os.getegid())
    argv = (binary, "-c", str(directory / "mosquitto.conf"))
    return BrokerChild(argv, user, f"mqtt://{client_host(site.broker.listen)}:{port}")


def configuration(directory: Path, listen: str, port: int, user: str | None) -> str:
    """mosquitto.conf(5) for our child."""
    lines = [
        "# Written by `riser up` at every start; changes are lost.",
        f"listener {port} {listen}",
        "allow_anonymous false",
        f"password_file {directory / 'passwords'}",
        f"acl_file {directory / 'acl'}",
        "set_tcp_nodelay true",
        # A program that was away for minutes finds its messages; what is beyond that it asks for again (I19).
        "max_queued_messages 10000",
        # Ten thousand of the largest messages would be 10 GB: what waits for one program stays within a Pi's memory.
        "max_queued_bytes 33554432",
        # The largest fact is `meters` of a few hundred meters, some 200 kB.
        "max_packet_size 1048576",
        "persistence true",
        f"persistence_location {directory / 'store'}/",
        # A minute of messages is what a power cut may take; a shorter one would wear the card for nothing.
        "autosave_interval 60",
        "persistent_client_expiration 7d",
        "log_dest stderr",
        "log_timestamp false",
        *(f"log_type {kind}" for kind in ("error", "warning", "notice")),
    ]
    if user is None and os.geteuid() == 0:
        lines.append("user root")
    return "\n".join(lines) + "\n"


def _user_for(directory: Path, say: Callable[[str], None]) -> str | None:
    """The user the broker becomes when we are root: Debian's, unless it cannot come into our directory."""
    if os.geteuid() != 0:
        return None
    try:
        account = pwd.getpwnam(BROKER_USER)
    except KeyError:
        say(f"there is no user {BROKER_USER} here; the broker runs as root")
        return None
    os.chown(directory, account.pw_uid, account.pw_gid)
    trial = subprocess.run(
        [*ENTER_TRIAL, str(directory)],
        user=account.pw_uid,
        group=account.pw_gid,
        extra_groups=[],
        cwd="/",
        capture_output=True,
    )
    if trial.returncode == 0:
        return BROKER_USER
    os.chown(directory, 0, 0)
    say(f"the user {BROKER_USER} cannot enter {directory}; the broker runs as root")
    return None


def _write_private(path: Path, text: str) -> None:
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as out:
        out.write(text)


def client_host(listen: str) -> str:
    """The host that programs of this machine connect to when the broker (or panel) listens on `listen`."""
    if listen in ("0.0.0.0", ""):
        return "127.0.0.1"
    if listen == "::":
        return "[::1]"
    return f"[{listen}]" if ":" in listen else listen
