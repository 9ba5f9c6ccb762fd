"""600,000 inputs led by what new code they reach; a file of its own, so that it runs beside `test_fuzz_wide.py`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fuzz.fuzzing import fuzz

GUIDED = 600_000


@pytest.mark.timeout(900)
def test_no_input_led_by_coverage_breaks_a_reader(tmp_path: Path) -> None:
    """libFuzzer keeps what reaches new code and goes on from there: still no exception, no hang, no growing memory."""
    fuzz(GUIDED, tmp_path, "--guided")
