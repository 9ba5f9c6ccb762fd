"""Foreign programs that the tests need: others' readers of meters, the compiler of the disk's recorder; and Debian's
packages that bring them."""

from __future__ import annotations

import ctypes.util
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

from host import mosquitto

PEERS: Mapping[str, Callable[[], str | None]] = {
    "mbpoll": lambda: shutil.which("mbpoll"),
    "libmodbus5": lambda: ctypes.util.find_library("modbus"),
    "gcc": lambda: shutil.which("gcc"),
    "libc6-dev": lambda: next(iter(map(str, Path("/usr/include").glob("dlfcn.h"))), None),
}
"""By Debian package: how the program or library is found; None where it is not here."""


def missing() -> list[str]:
    """Packages of peers that are not on this machine."""
    return [package for package, find in PEERS.items() if find() is None]


def by_hand(packages: list[str]) -> str:
    """The sentence that says what to install."""
    return f"{' and '.join(packages)} missing; type: sudo apt-get install -y {' '.join(packages)}"


def try_to_install(say: Callable[[str], None]) -> None:
    """Install what is missing where that is allowed without a password; otherwise say what to type.

    The tests go on without: those that need a peer fail with the same sentence.
    """
    packages = missing()
    if not packages:
        return
    become = mosquitto.become_root()
    if shutil.which("apt-get") is None or become is None:
        say(by_hand(packages))
        return
    say(f"installing {' and '.join(packages)}, which the tests need ...")
    command = [*become, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get"]
    subprocess.run([*command, "update"], capture_output=True)
    done = subprocess.run(
        [*command, "install", "-y", "--no-install-recommends", *packages], capture_output=True, text=True
    )
    if done.returncode != 0:
        last = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:]
        say(f"apt-get failed ({' '.join(last)}): {by_hand(packages)}")
