"""From the answer to a top-up to the relay read back closed, while 24 meters are polled at 2400 bit/s; worst of 120.

The accounts were cut beforehand. Beside the times stands what the line itself must take: the exchange that is
under way, the close, and the status word, at 4.58 ms a byte and the mean think time of the meters.
"""

from __future__ import annotations

import json
import statistics
import tempfile
from pathlib import Path
from typing import Any

from bridge.contract.asking import ask
from bridge.contract.clock import SystemClock
from bridge.mqtt import Happening, Received
from tests.bench.shaft24 import ACCOUNTS, KEY, METERS, TOPICS, Rig, rig

LIMIT_S = 2.0
ROUNDS = 5

BYTE_S = 11 / 2400
LINE_S = (20 + 40) * BYTE_S / 2 + (20 + 12 + 16 + 4) * BYTE_S + (20 + 22) * BYTE_S + 3 * 0.06
"""Half a running energy read, the close and its answer, the status word and its answer, three thinks."""


def run(quiet: bool) -> dict[str, Any]:
    """120 top-ups: 24 rooms, five fresh starts."""
    took: list[float] = []
    for number in range(ROUNDS):
        with (
            tempfile.TemporaryDirectory(prefix="riser-bench-") as scratch,
            rig(Path(scratch) / "run", cut=True) as made,
        ):
            made.hear(lambda _: made.retained.get("info", {}).get("meters_read") == len(METERS), 120)
            for meter in METERS:
                took.append(_one(made, meter))
            if not quiet:
                print(f"start {number + 1} of {ROUNDS}: worst so far {max(took):.2f} s", flush=True)
    return {
        "topups": len(took),
        "worst_s": round(max(took), 3),
        "median_s": round(statistics.median(took), 3),
        "limit_s": LIMIT_S,
        "line_itself_s": round(LINE_S, 3),
        "median_to_line": round(statistics.median(took) / LINE_S, 2),
        "within": max(took) < LIMIT_S,
    }


def _one(made: Rig, meter: str) -> float:
    topic, payload, transaction = ask(
        TOPICS, SystemClock(), ("shell", KEY), "topup",
        who="bench", role="manager", account=ACCOUNTS[meter], amount_fen=10_000, method="cash",
    )  # fmt: skip
    made.link.publish(topic, payload)

    def answered(happening: Happening) -> bool:
        if not (isinstance(happening, Received) and happening.topic == TOPICS.response("topup")):
            return False
        answer = json.loads(happening.payload)
        assert answer["status"] == "done", answer
        return answer["transaction"] == transaction

    def closed(_: Happening) -> bool:
        return made.retained.get(f"meter/{meter}/relay", {}).get("observed") == "closed"

    answered_at, _ = made.hear(answered, 30)
    closed_at, _ = made.hear(closed, 60)
    return closed_at - answered_at
