"""`riser test`: style, types, tests, in this order; all three run, and the first that failed is named at the end."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from host.exits import FAILED, FINE
from host.places import ROOT

WORKERS = str((os.cpu_count() or 1) + 1)
"""One more than cores: tests of real programs mostly wait."""

CHECKS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("style", ("ruff", "check", ".")),
    ("types", ("mypy",)),
    ("tests", ("pytest", "-n", WORKERS, "--dist", "loadfile", "--no-loadscope-reorder")),
)


def plan(arguments: Sequence[str]) -> list[tuple[str, list[str]]]:
    """What runs: everything, or with arguments pytest alone, which gets them."""
    if arguments:
        return [("tests", [sys.executable, "-m", "pytest", *arguments])]
    return [(name, [sys.executable, "-m", *words]) for name, words in CHECKS]


def surroundings(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """A person's RISER_ settings must not reach the tests, nor the tests a person's data."""
    return {key: value for key, value in environ.items() if not key.startswith("RISER_")}


def run(commands: list[tuple[str, list[str]]], say: Callable[[str], None], directory: Path = ROOT) -> int:
    """Run the checks and return the exit code: 0 when all passed."""
    failed = []
    for name, command in commands:
        say(f"{name}: {' '.join(command[2:])}")
        if subprocess.run(command, cwd=directory, env=surroundings(), stdin=subprocess.DEVNULL).returncode != 0:
            failed.append(name)
    names = [name for name, _ in commands]
    for name in names:
        say(f"{name} {'FAILED' if name in failed else 'passed'}")
    return FAILED if failed else FINE
