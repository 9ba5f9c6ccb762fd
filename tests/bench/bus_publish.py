"""`publish_p99_ratio`: from an answer's last byte on the line to a subscriber, beside a bare loop with bare paho."""

from __future__ import annotations

import subprocess
import sys
import time
from bisect import bisect_left
from collections.abc import Sequence
from typing import Any

from tests.bench.bus_rig import BusRig, bus_rig
from tests.bench.bus_site import Building
from tests.bench.judged import Exchange, Wire
from tests.bench.shaft24 import ROOT

HEARD_WITHIN_S = 5.0
BARE = "bare"


def ours(rig: BusRig, begin: float) -> list[float]:
    """Seconds from each energy answer to the message that has its register."""
    told: dict[str, list[tuple[float, Any]]] = {}
    for at, where, message in rig.of("meter/", begin):
        if where.count("/") == 1:
            told.setdefault(where.removeprefix("meter/"), []).append((at, message.get("energy_wh")))
    answers = [e for e in rig.judge.between(begin, time.monotonic() - HEARD_WITHIN_S) if e.good and e.total is not None]
    return [_after(told.get(e.meter, []), e) for e in _changed(answers)]


def _changed(answers: Sequence[Exchange]) -> list[Exchange]:
    """Those whose register is new; the others' message may be held back with reason."""
    newest: dict[str, int | None] = {}
    found = []
    for each in answers:
        if newest.get(each.meter, -1) not in (-1, each.total):
            found.append(each)
        newest[each.meter] = each.total
    return found


def _after(told: Sequence[tuple[float, Any]], answer: Exchange) -> float:
    place = bisect_left(told, answer.end, key=lambda each: each[0])
    for at, wh in told[place:]:
        if wh == answer.total:
            return min(at - answer.end, HEARD_WITHIN_S)
    return HEARD_WITHIN_S


def bare_paho(wire: Wire, seconds: float) -> list[float]:
    """The same of a loop that publishes what it reads with paho, QoS 1, and does nothing else."""
    with bus_rig(Building(wire), edge=False) as rig:
        device = str(rig.judge.directory / "line")
        words = [sys.executable, "-m", "tests.bench.bus_publish", device, str(wire.baud), str(seconds)]
        subprocess.run([*words, str(rig.broker.port)], cwd=ROOT, check=True)
        time.sleep(0.2)
        heard = [(at, topic.rpartition("/")[2]) for at, topic, _ in rig.heard if topic.startswith(f"riser/{BARE}/")]
        answers = [e for e in rig.judge.exchanges() if e.good]
    found = []
    for answer in answers:
        number = str(int(answer.meter.rpartition("-")[2]) - 1)
        place = bisect_left(heard, (answer.end, ""))
        after = next((at for at, id in heard[place:] if id == number), answer.end + HEARD_WITHIN_S)
        if answer.total is not None:
            found.append(after - answer.end)
    return found


def percentile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def figures(edge: Sequence[float], bare: Sequence[float]) -> dict[str, Any]:
    def of(values: Sequence[float]) -> dict[str, Any]:
        return {
            "count": len(values),
            "p50_ms": round(1000 * percentile(values, 0.5), 2),
            "p99_ms": round(1000 * percentile(values, 0.99), 2),
        }

    return {"p99_ratio": round(percentile(edge, 0.99) / percentile(bare, 0.99), 3), "edge": of(edge), "bare": of(bare)}


def main() -> int:
    import paho.mqtt.client as paho
    from paho.mqtt.enums import CallbackAPIVersion

    from tests.bench.bus_peers import METERS, bare_645

    device, baud, seconds, port = sys.argv[1:5]
    client = paho.Client(CallbackAPIVersion.VERSION2)
    client.connect("127.0.0.1", int(port))
    client.loop_start()
    ask = bare_645(device, int(baud), lambda number: client.publish(f"riser/{BARE}/{number}", b"{}" * 60, 1, True))
    until, number = time.monotonic() + float(seconds), 0
    while time.monotonic() < until:
        ask(number % METERS)
        number += 1
    client.disconnect()
    client.loop_stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
