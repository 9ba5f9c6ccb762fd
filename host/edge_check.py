"""A site file is shown to the edge before anything starts: only the edge knows the models of meters.

The edge is asked as a program, because host imports none of the programs.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from bridge.contract.os_words import in_words
from host.exits import FAILED, Trouble
from host.places import ROOT

LIMIT_S = 60
"""A Pi Zero with a busy card needs some seconds to begin a program."""


def asked(path: Path) -> tuple[list[str], dict[str, dict[str, bool]]]:
    """(every mistake of a site file with its line and path, the edge's table of models). Raises Trouble when the edge
    cannot be asked."""
    command = [sys.executable, "-m", "edge", "--check-site", str(path)]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=LIMIT_S)
    except subprocess.TimeoutExpired:
        raise _unasked(path, f"it did not answer within {LIMIT_S} s") from None
    except OSError as error:
        raise _unasked(path, in_words(error)) from None
    try:
        told = json.loads(done.stdout)
        return [str(each) for each in told["mistakes"]], told["models"]
    except (ValueError, KeyError, TypeError):
        raise _unasked(path, " ".join(done.stderr.strip().splitlines()[-1:]) or "it said nothing") from None


def _unasked(path: Path, why: str) -> Trouble:
    return Trouble(FAILED, f"the edge could not be asked about {path}: {why}")
