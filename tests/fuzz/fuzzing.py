"""Fuzzing as a test sees it: a process of its own, for libFuzzer ends the one it runs in."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
DEEP_ENOUGH = 0.4
"""Share of inputs in which a whole frame is found; fewer would only prove that rubbish is rubbish."""

MEMORY_MB = 200


def fuzz(runs: int, folder: Path, *words: str) -> dict[str, Any]:
    """Run so many inputs and return what was counted. Fails with the input in hex where a promise is broken."""
    if find_spec("atheris") is None:
        assert not os.environ.get("CI"), "atheris is missing; CI installs it from requirements-test.txt"
        pytest.skip("atheris has no wheel for this Python and machine; the fuzzing runs in CI")
    command = [sys.executable, "-m", "tests.fuzz", "--runs", str(runs), *words]
    try:
        done = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, env={**os.environ, "TMPDIR": str(folder)}
        )
    finally:
        for left in folder.glob("riser-fuzz-*"):
            shutil.rmtree(left)
    assert done.returncode == 0, f"{done.stdout[-6000:]}\n{done.stderr[-6000:]}"
    told: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    print(told)
    assert told["runs"] == runs and told["reached"] > DEEP_ENOUGH and told["rss_mb"] < MEMORY_MB
    assert all(reached for _, reached in told["by_target"].values()) and len(told["by_target"]) == 7
    return told
