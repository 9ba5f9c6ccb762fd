"""A bench that does not run measures nothing: those that no other test calls are run here, small."""

from __future__ import annotations

from pathlib import Path

from tests.bench import billing_disk


def test_the_cost_of_a_payment_can_be_measured(tmp_path: Path) -> None:
    """`riser bench billing` takes payments through the whole edge: each is one sync and some bytes of the log."""
    figures = billing_disk.payments(tmp_path, quick=True)
    assert figures["money_events"] == 50 and figures["fsyncs_per_money_event"] == 1
    assert figures["bytes_per_money_event"] > 0
