"""Where things are: the repository, the data directory, the lock that makes two `up` on one directory impossible."""

from __future__ import annotations

import fcntl
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from bridge.contract.os_words import in_words
from host.exits import IN_USE, USAGE, Trouble

ROOT = Path(__file__).resolve().parent.parent
"""The folder of the programs."""

DATA = "RISER_DATA"
LOCK = "riser.lock"
DEMO = "demo"
PRACTICE = "practice"


def base_directory(given: str | None, environ: Mapping[str, str] = os.environ) -> Path:
    """The data directory: as given, else RISER_DATA, else `var` beside the programs. Demo and practice live below."""
    named = given or environ.get(DATA) or ""
    return Path(named).expanduser().absolute() if named else ROOT / "var"


def version() -> str:
    """Riser's own."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return str(project["version"])


def make_directory(directory: Path) -> Path:
    """Make a data directory. Started by root, other users may pass through (the broker's must) and not look in."""
    try:
        if not directory.exists():
            directory.mkdir(parents=True)
            directory.chmod(0o711 if os.geteuid() == 0 else 0o700)
        if not directory.is_dir():
            raise NotADirectoryError(20, "it is a file, not a directory")
        if not os.access(directory, os.W_OK | os.X_OK):
            raise PermissionError(13, "it belongs to somebody else")
    except OSError as error:
        sentence = f"{directory} cannot be used ({in_words(error)}); choose another with --data"
        raise Trouble(USAGE, sentence) from None
    return directory


def take_lock(directory: Path) -> IO[str]:
    """Own the data directory until the file is closed or we die. Raises Trouble when somebody else does."""
    try:
        file = (directory / LOCK).open("a+", encoding="utf-8")
    except OSError as error:
        raise Trouble(USAGE, f"{directory} cannot be used ({in_words(error)}); choose another with --data") from None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        owner = file.read().strip() or "unknown"
        file.close()
        raise Trouble(
            IN_USE, f"Riser already runs on {directory} (process {owner}); end it there, or choose another with --data"
        ) from None
    try:
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
    except OSError as error:
        sentence = f"{directory} takes no data ({in_words(error)}); make room there, or choose another with --data"
        raise Trouble(USAGE, sentence) from None
    return file
