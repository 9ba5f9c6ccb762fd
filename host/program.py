"""What the supervisor is told of a program, and what it tells of the process."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal


def all_lines(_: str) -> bool:
    return True


@dataclass(frozen=True)
class Program:
    """What to run. `user` is who it becomes, None for the same as we; `shown` picks lines for the terminal.

    `beats_within_s` is how long it may be silent before it counts as hanging; None for programs that do not beat.
    """

    name: str
    argv: tuple[str, ...]
    environ: Mapping[str, str]
    directory: Path
    user: str | None = None
    shown: Callable[[str], bool] = all_lines
    beats_within_s: float | None = None
    once: tuple[str, ...] = ()
    """Words of a person that count for the first start alone: started again, the program does not hear them."""


@dataclass(frozen=True)
class ProgramFacts:
    """Where a child stands, as `riser status` tells it."""

    state: Literal["running", "restarting", "stopped"]
    pid: int | None
    restarts: int
    why: str | None = None
    """The program's own words, where it needs a person."""
