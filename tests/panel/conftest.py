"""Fixtures of the panel's tests: an empty stage, and one with a single shop on it."""

from __future__ import annotations

from pathlib import Path

import pytest
from panel_stage import Stage, one_shop


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


@pytest.fixture
def shop(stage: Stage) -> Stage:
    one_shop(stage)
    return stage
