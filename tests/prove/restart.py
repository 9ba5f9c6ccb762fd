"""How soon an edge with a long book polls its meters again: the real programs, a million entries, a start.

The edge is killed, its book is grown by payments, it is started once so that the fold is saved, killed again, and
started: the time runs from its start until a reading that is newer is published.
"""

from __future__ import annotations

import argparse
import json
import queue
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bridge.contract import secrets
from bridge.contract.clock import SystemClock
from bridge.contract.messages import MeterFacts
from bridge.contract.units import instant_of
from bridge.mqtt import Happening, Link, Received
from edge.book import Book
from tests.proof.machine import TOPICS, Machine, until
from tests.proof.payers import Ledger, Mqtt

LIMIT_S = 5.0
AT_ONCE = 2000
READY_S, FOLDED_S = 90.0, 600.0


def restart(entries: int) -> dict[str, Any]:
    """{entries, polling_s, folded_s, within}"""
    with tempfile.TemporaryDirectory(prefix="riser-restart-") as scratch:
        machine = Machine(Path(scratch))
        heard: queue.Queue[Happening] = queue.Queue()
        try:
            machine.start()
            ledger = Ledger()
            payer = Mqtt(machine, ledger, 4)
            _need(until(lambda: payer.step(pay=True) or ledger.many()[1] >= 1, READY_S), "nobody can pay", machine)
            payer.link.stop()
            link = Link(secrets.read(machine.data, "shell").broker, "restart", heard.put,
                        subscriptions=[TOPICS.of(MeterFacts, "m1")])  # fmt: skip
            link.start()
            with machine._lock:  # It is not started again while its book is grown.
                machine.signal("edge", signal.SIGKILL)
                machine._processes["edge"].wait(10)
                grow(machine.data, entries)
                machine._launch("edge")
            folded_s = _polls_again(machine, heard, FOLDED_S)
            with machine._lock:
                machine.signal("edge", signal.SIGKILL)
                machine._processes["edge"].wait(10)
                machine._launch("edge")
            polling_s = _polls_again(machine, heard, READY_S)
            link.stop()
        finally:
            machine.stop()
        book = Book(machine.data, SystemClock(), "looked-at")
        found = {"entries": book.seq, "polling_s": polling_s, "folded_s": folded_s, "within": polling_s <= LIMIT_S}
        book.close()
        return found


def grow(data: Path, entries: int) -> None:
    """More payments like the newest, each with an id of its own; the chain is as the edge writes it."""
    book = Book(data, SystemClock(), "grown")
    like = next(entry for entry in reversed(list(book.entries(1))) if entry.kind == "topup/1")
    while book.seq < entries:
        many = min(AT_ONCE, entries - book.seq)
        book.append(*(("topup/1", f"shell:grown-{book.seq + n:09d}", like.fields) for n in range(many)))
    book.close()


def _polls_again(machine: Machine, heard: queue.Queue[Happening], limit_s: float) -> float:
    """Seconds until a reading is published that was read after now."""
    began, wall = time.monotonic(), time.time()

    def newer() -> bool:
        try:
            told = heard.get(timeout=0.02)
        except queue.Empty:
            return False
        return isinstance(told, Received) and _read_at(told.payload) > wall

    _need(until(newer, limit_s), f"no reading within {limit_s:g} s", machine)
    return round(time.monotonic() - began, 2)


def _read_at(payload: bytes) -> float:
    """Before the first reading the facts have none."""
    told = json.loads(payload).get("read_at")
    return instant_of(told).timestamp() if told else 0.0


def _need(so: bool, otherwise: str, machine: Machine) -> None:
    if not so:
        raise RuntimeError(f"{otherwise}; the edge says: {machine.tail('edge')}")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.prove.restart", description=__doc__)
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    found = restart(options.entries)
    print(json.dumps(found) if options.json else "\n".join(f"{key:12} {value}" for key, value in found.items()))
    return 0 if found["within"] else 1


if __name__ == "__main__":
    sys.exit(main())
