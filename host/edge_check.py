"""A site file is shown to the edge before anything starts: only the edge knows the models of meters.

The edge is asked as a program, because host imports none of the programs.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

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
        told = json.loads(done.stdout)
        return [str(each) for each in told["mistakes"]], told["models"]
    except subprocess.TimeoutExpired:
        said = f"it did not answer within {LIMIT_S} s"
    except (OSError, ValueError, KeyError, TypeError):
        said = " ".join(done.stderr.strip().splitlines()[-1:]) or "it said nothing"
    raise Trouble(FAILED, f"the edge could not be asked about {path}: {said}")
