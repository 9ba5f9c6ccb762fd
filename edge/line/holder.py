"""Who has a device open, by /proc: named where we may look, so that a person need not search.

Of a command line only the program's own name is told: what else stands there may be a secret (I24).
"""

from __future__ import annotations

import os
from pathlib import Path

from edge.device_words import IN_USE

LONGEST = 60
"""Characters of a program's name worth telling."""


def in_use(device: Path, root: Path = Path("/proc")) -> str:
    """The sentence about a device that another program has; with its name and number where we may see them."""
    found = _holder(device, root)
    if found is None:
        return IN_USE
    return f"is used by process {found} ({_program(root / str(found))}); end that one"


def _holder(device: Path, root: Path) -> int | None:
    """The lowest number of a process that has it open; None where none is seen. By its name, never by looking at what
    is open: a file on a dead network drive would hold us too."""
    name = os.path.realpath(device)
    try:
        numbers = sorted(int(each.name) for each in root.iterdir() if each.name.isdigit())
    except OSError:
        return None
    return next((n for n in numbers if n != os.getpid() and name in _opened(root / str(n))), None)


def _opened(process: Path) -> set[str]:
    try:
        return {_target(link) for link in (process / "fd").iterdir()}
    except OSError:  # Another user's, or it ended while we looked: then it is not named.
        return set()


def _target(link: Path) -> str:
    try:
        return os.readlink(link)
    except OSError:  # It was closed while we looked.
        return ""


def _program(process: Path) -> str:
    """`python -m edge.line`, `minicom`: the program, and for an interpreter what it runs."""
    try:
        words = (process / "cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return "?"
    told = [Path(words[0]).name]
    if told[0].startswith("python") and len(words) > 2:
        told += words[1:3] if words[1] == "-m" else [] if words[1].startswith("-") else [Path(words[1]).name]
    name = " ".join(told)
    return "".join(each if each.isprintable() else "?" for each in name)[:LONGEST] or "?"
