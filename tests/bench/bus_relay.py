"""`relay_worst_ratio_2400`: from a request on MQTT to its order's answer on the line, 200 times, under load.

What the line itself must take: the exchange that is in flight when the request comes, whole, and the order's own.
"""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from typing import Any

from tests.bench.bus_rig import BusRig
from tests.bench.judged import Exchange, Wire

ANSWERED_WITHIN_S = 60.0
REACHES_S = 0.005
"""A request takes about so long through the broker and the edge to the port. A frame that leaves meanwhile is in flight
when it comes; without this a request in the moment between two frames would be measured against its own frame alone."""

AT_ONCE = 4
"""So many meters are cut at a time, each then restored by itself."""


def closes(rig: BusRig, wire: Wire, count: int) -> dict[str, Any]:
    """Cut and restore meters in turn; every restore is one measurement."""
    ids = [id for id, _, _ in rig.building.meters()]
    dice, took, strict, worst, later = random.Random(1), [], [], {}, []
    for number in range(0, count, AT_ONCE):
        group = [ids[(number + n) % len(ids)] for n in range(min(AT_ONCE, count - number))]
        _done(rig, "trip", [rig.ask("trip", meter=id, why="bench")[1] for id in group])
        for id in group:
            time.sleep(dice.random() * 0.3)  # So that requests fall anywhere into the line's traffic.
            asked, transaction = rig.ask("close", meter=id, why="bench")
            _done(rig, "close", [transaction])
            order, verified, before = _on_line(rig, id, asked)
            whole = wire.needed_s(order) + (wire.needed_s(before) if before else 0.0)
            rest = wire.needed_s(order) + (max(0.0, before.end - asked) if before else 0.0)
            took.append((order.end - asked) / whole)
            strict.append((order.end - asked) / rest)
            if took[-1] == max(took):
                worst = {"took_ms": round(1000 * (order.end - asked)), "line_ms": round(1000 * whole), "meter": id}
            later.append(verified)
    took.sort()
    return {
        "closes": len(took),
        "worst_ratio": round(took[-1], 3),
        "median_ratio": round(took[len(took) // 2], 3),
        "p99_ratio": round(took[int(len(took) * 0.99)], 3),
        "worst": worst,
        "worst_ratio_to_rest_of_frame": round(max(strict), 3),
        "exchanges_until_verified": {"1": later.count(1), "2": later.count(2), "more": sum(n > 2 for n in later)},
    }


def _done(rig: BusRig, operation: str, transactions: Sequence[str]) -> None:
    """Wait for the final answers: read back, as they say."""

    def answered() -> bool:
        statuses = {m["transaction"]: m for _, _, m in rig.of(f"response/{operation}", rig.relays_from)}
        for transaction in transactions:
            if statuses.get(transaction, {}).get("status") in ("refused", "failed"):
                raise AssertionError(f"{operation}: {statuses[transaction]}")
        return all(statuses.get(transaction, {}).get("status") == "done" for transaction in transactions)

    rig.relays_from = time.monotonic() - 5.0
    rig.wait(answered, ANSWERED_WITHIN_S, f"{operation} of {len(transactions)} meters")


def _on_line(rig: BusRig, meter: str, asked: float) -> tuple[Exchange, int, Exchange | None]:
    """The order's exchange, how many later the status word was read, and what held the line when it was asked for."""

    def places(seen: Sequence[Exchange]) -> tuple[int, int] | None:
        mine = [(n, e.item) for n, e in enumerate(seen) if e.meter == meter and e.begin >= asked and e.answer]
        order = next((n for n, item in mine if item == "order 1c"), None)
        status = next((n for n, item in mine if order is not None and n > order and item == "04000503"), None)
        return None if order is None or status is None else (order, status)

    rig.judge.until(lambda seen: places(seen[-RECENT:]), 10.0, f"the order to {meter} and its status word", 0.05)
    recent = rig.judge.exchanges()[-RECENT:]
    found = places(recent)
    assert found is not None
    before = next(
        (e for e in recent if e.begin <= asked + REACHES_S and asked < e.end and e is not recent[found[0]]), None
    )
    return recent[found[0]], found[1] - found[0], before


RECENT = 80
"""Exchanges among which an order and its status word are looked for: more than are made while one waits for both."""
