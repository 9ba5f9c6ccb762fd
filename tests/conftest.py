"""What waits longest begins first, so that all cores end together: real programs, then the edge's long days."""

from __future__ import annotations

import pytest

LONG = (
    "tests/proof/test_proof_kills.py",
    "tests/proof/test_proof_cuts.py",
    "tests/test_real_processes.py",
    "tests/test_orders_processes.py",
    "tests/bridge/test_bridge_process",
    "tests/edge/",
)
"""Files in the order in which they should begin; all others follow as they stand."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def turn(item: pytest.Item) -> int:
        return next((at for at, prefix in enumerate(LONG) if item.nodeid.startswith(prefix)), len(LONG))

    items.sort(key=turn)
