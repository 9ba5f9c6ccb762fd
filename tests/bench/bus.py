"""`riser bench bus`: how much of an RS-485 line's time the shipped programs use, in real time, beside peers.

The simulated line's clock is the judge (`line_judge.py`). Each key has its limit; parts that were not asked for by
`--only` are absent. A goal that was measured and missed makes `within` false.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from tests.bench import bus_faults, bus_peers, bus_ports, bus_publish, bus_reading, bus_relay
from tests.bench.bus_reading import Plan
from tests.bench.bus_rig import BusRig
from tests.bench.judged import Wire

AT_LEAST = {"efficiency_645_2400": 0.99, "efficiency_645_9600": 0.99, "efficiency_modbus_9600": 0.985,
            "four_ports": 0.98}  # fmt: skip
AT_MOST = {"gap_violations": 0, "loaded_loss": 0.02, "dead_1_of_32": 1.05, "dead_8_of_32": 1.10, "revived_s": 60.0,
           "damaged_3pct": 1.08, "damaged_lost": 0, "relay_worst_ratio_2400": 1.05, "replug_s": 5.0,
           "scan_12_s": 120.0, "publish_p99_ratio": 3.0}  # fmt: skip
KEYS = (*AT_LEAST, *AT_MOST)

SLOW, FAST, MODBUS = Wire("dlt645-2007", 2400), Wire("dlt645-2007", 9600), Wire("modbus-rtu", 9600)
PEERS = (("bare_645", 2400), ("bare_645", 9600), ("dlt645", 9600), ("bare_modbus", 9600), ("minimalmodbus", 9600),
         ("pymodbus", 9600))  # fmt: skip
FAULTS = {"dead_1_of_32", "dead_8_of_32", "revived_s", "damaged_3pct", "damaged_lost", "replug_s"}


class Bus:
    """One run of the bench: what is wanted, how long, and what was found."""

    def __init__(self, only: Sequence[str], quick: bool, say: Callable[[str], None]):
        self.wanted, self._quick, self._say = set(only or KEYS), quick, say
        self.figures: dict[str, Any] = {}
        self.details: dict[str, Any] = {}
        self._failed: list[str] = []

    def _s(self, seconds: float) -> float:
        """So long in a full run, a third of it in a quick one."""
        return seconds / 3 if self._quick else seconds

    def run(self) -> dict[str, Any]:
        began = time.monotonic()
        for part in (self._peers, self._slow, self._fast, self._modbus, self._ports, self._scan):
            try:
                part()
            except AssertionError as trouble:  # What the others found is not lost by it.
                self._failed.append(f"{part.__name__.strip('_')}: {trouble}")
                self._say(self._failed[-1])
        losses = [d["loss"] for d in self.details.values() if "loss" in d]
        if "loaded_loss" in self.wanted and losses:
            self.figures["loaded_loss"] = max(losses)
        self.figures = {key: self.figures[key] for key in KEYS if key in self.wanted & set(self.figures)}
        missed = [key for key, limit in AT_LEAST.items() if self.figures.get(key, limit) < limit]
        missed += [key for key, limit in AT_MOST.items() if self.figures.get(key, limit) > limit]
        missed += self._failed
        limits = {key: {**AT_LEAST, **AT_MOST}[key] for key in self.figures}
        return {**self.figures, "limits": limits, "missed": missed, "details": self.details,
                "took_s": round(time.monotonic() - began), "within": not missed}  # fmt: skip

    def _loaded(self, key: str) -> bool:
        """Is this line to be read under load? Where single lines were asked for, only these."""
        named = {each for each in self.wanted if each.startswith("efficiency_")}
        return "loaded_loss" in self.wanted and (not named or key in named)

    def _wants(self, *keys: str) -> bool:
        return bool(self.wanted & set(keys))

    def _peers(self) -> None:
        families = {"645": ("efficiency_645_2400", "efficiency_645_9600"),
                    "modbus": ("efficiency_modbus_9600", "gap_violations")}  # fmt: skip
        found: dict[str, Any] = {}
        for name, baud in PEERS:
            if self._wants(*families["645" if "645" in name else "modbus"]):
                got = bus_peers.measured(name, baud, self._s(60 if baud == 2400 else 42))
                found[f"{name}_{baud}"] = {k: got.get(k) for k in ("efficiency", "median_sweep", "gap_violations")}
                self._say(f"{name} at {baud}: {got['efficiency']}")
        if found:
            self.details["peers"] = found

    def _slow(self) -> None:
        key = "efficiency_645_2400"
        if not self._wants(key, "relay_worst_ratio_2400") and not self._loaded(key):
            return
        alone_s = self._s(48) if key in self.wanted or self._loaded(key) else 0.0
        plan = Plan(key, SLOW, 100, alone_s, self._s(66), 1 if self._quick else 2)
        ordered = self._wants("relay_worst_ratio_2400")

        def orders(rig: BusRig, found: dict[str, Any]) -> None:
            found["relay"] = bus_relay.closes(rig, SLOW, 24 if self._quick else 200)
            self._say(f"relay: {found['relay']}")

        loaded = ordered or self._loaded(key)
        found = bus_reading.read(plan, self._say, None, orders if ordered else None, loaded)
        if ordered:
            self.figures["relay_worst_ratio_2400"] = found["relay"]["worst_ratio"]
        self._keep(found)

    def _fast(self) -> None:
        key = "efficiency_645_9600"
        if not self._wants(key, "publish_p99_ratio", *FAULTS) and not self._loaded(key):
            return
        plan = Plan(key, FAST, 45, self._s(60), self._s(66), 2)
        since = time.monotonic()

        def afterwards(rig: BusRig, found: dict[str, Any]) -> None:
            if "publish_p99_ratio" in self.wanted:
                edge = bus_publish.ours(rig, since)
                found["publish"] = bus_publish.figures(edge, bus_publish.bare_paho(FAST, self._s(40)))
                self.figures["publish_p99_ratio"] = found["publish"]["p99_ratio"]
                self._say(f"publish: {found['publish']}")
            self._faults(rig, found)

        self._keep(bus_reading.read(plan, self._say, afterwards, None, self._loaded(key)))

    def _faults(self, rig: BusRig, found: dict[str, Any]) -> None:
        alone, revived = found["alone"], []
        if self._wants("damaged_3pct", "damaged_lost"):
            found["damage"] = got = bus_faults.damaged(rig, FAST, alone, self._s(66))
            self.figures["damaged_3pct"] = got["elapsed_ratio"]
            self.figures["damaged_lost"] = got["lost"] + got["wrong"]
            self._say(f"damaged: {got}")
        for count in (1, 8):
            if self._wants(f"dead_{count}_of_32", "revived_s"):
                found[f"dead_{count}"] = got = bus_faults.dead(rig, FAST, alone, count, 4 if self._quick else 8)
                self.figures[f"dead_{count}_of_32"] = got["ratio"]
                revived.append(got["revived_s"])
                self._say(f"{count} of 32 dead: {got}")
        if revived:
            self.figures["revived_s"] = max(revived)
        if "replug_s" in self.wanted:
            found["replug"] = got = bus_faults.replug(rig, 1 if self._quick else 3)
            self.figures["replug_s"] = got["worst_s"]
            self._say(f"replug: {got}")

    def _modbus(self) -> None:
        key = "efficiency_modbus_9600"
        if not self._wants(key, "gap_violations") and not self._loaded(key):
            return
        plan = Plan(key, MODBUS, 30, self._s(40), self._s(40), 2)
        found = bus_reading.read(plan, self._say, None, None, self._loaded(key))
        self.figures["gap_violations"] = sum(found[k]["gap_violations"] for k in ("alone", "loaded") if k in found)
        self._keep(found)

    def _ports(self) -> None:
        if "four_ports" in self.wanted:
            self.details["four_ports"] = got = bus_ports.four(FAST, self._s(30))
            self.figures["four_ports"] = got["ratio"]
            self._say(f"four ports: {got}")

    def _scan(self) -> None:
        if "scan_12_s" in self.wanted:
            self.details["scan"] = got = bus_ports.scan(SLOW)
            self.figures["scan_12_s"] = got["seconds"] if got["all_found"] else float("inf")
            self._say(f"scan: {got}")

    def _keep(self, found: dict[str, Any]) -> None:
        key = found.pop("key")
        self.details[key] = found
        if "alone" in found:
            self.figures[key] = found["alone"]["efficiency"]


def run(quiet: bool, only: Sequence[str] = (), quick: bool = False) -> dict[str, Any]:
    """All parts, one after the other; each says a line when it is done."""
    return Bus(only, quick, (lambda text: None) if quiet else (lambda text: print(text, flush=True))).run()
