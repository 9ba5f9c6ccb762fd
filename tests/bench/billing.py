"""The bill: exact over a year, closed quickly, verified and opened in time, and cheap for the card it is written to."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tests.bench import billing_book, billing_close, billing_disk, billing_drift

LIMITS = {
    "drift_nano": 0,
    "close_day_ratio": 3.0,
    "verify_100x10y_s": 60.0,
    "open_100x10y_s": 2.0,
    "bytes_per_reading": 128,
    "fsyncs_per_sweep": 0.2,
    "bytes_per_money_event": 12_000,
    "fsyncs_per_money_event": 1,
}
"""Each at most this."""

PARTS: dict[Callable[..., dict[str, Any]], tuple[str, ...]] = {
    billing_drift.run: ("drift_nano",),
    billing_close.run: ("close_day_ratio",),
    billing_disk.readings: ("bytes_per_reading", "fsyncs_per_sweep"),
    billing_disk.payments: ("bytes_per_money_event", "fsyncs_per_money_event"),
    billing_book.run: ("verify_100x10y_s", "open_100x10y_s"),
}
"""What measures which figures."""

KEYS = tuple(LIMITS)


def run(quiet: bool, only: Sequence[str] = (), quick: bool = False) -> dict[str, Any]:
    """Measure all figures, or some. `quick` takes smaller books, to try it out; its times are no result."""
    wanted, details = set(only or KEYS), {}
    logging.disable(logging.WARNING)  # Deferred days are part of it.
    for part, keys in PARTS.items():
        if not wanted & set(keys):
            continue
        more = {"verifying": "verify_100x10y_s" in wanted} if part is billing_book.run else {}
        with tempfile.TemporaryDirectory(prefix="riser-bench-") as scratch:
            found = part(Path(scratch), quick, **more)
        if not quiet:
            print("  ".join(f"{key} {value}" for key, value in found.items()), flush=True)
        details |= found
    logging.disable(logging.NOTSET)
    figures = {key: details.pop(key) for key in KEYS if key in wanted}
    missed = [key for key, value in figures.items() if value > LIMITS[key]]
    limits = {key: LIMITS[key] for key in figures}
    return {**figures, "limits": limits, "missed": missed, "within": not missed, "quick": quick, "details": details}
