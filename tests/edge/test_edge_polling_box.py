"""A box with many circuits has one voice: dead or damaged, it costs its line what one meter costs."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

from bridge.contract.site import Site
from edge.line.inline import Answer
from firmware_sim.modbus import crc
from tests.edge.building import Building
from tests.edge.test_edge_moved_by_model import SITE, Box

CIRCUITS = range(1, 13)


class BoxLine(Building):
    """Twelve circuits of one box at slave 5, and a meter of its own at slave 6, on one line."""

    def __init__(self, directory: Path):
        self.box, self.dead, self.damaged, self.pauses = Box(), False, 0, []  # type: Box, bool, int, list[float]
        super().__init__(directory, idle_s=0.02)
        self.connect()
        self.lives, self.poll = self.edge.core.lives, self.edge.polls["box"]
        self.run_until(lambda: all(live.online for live in self.lives.values()), hours=0.2)
        pause_s = self.ports["box"]._quiet.pause_s

        def noted(request: Any, now: float) -> float:
            self.pauses.append(pause_s(request, now))
            return self.pauses[-1]

        self.ports["box"]._quiet.pause_s = noted  # type: ignore[method-assign]

    def _site(self, poll_s: int, policy: dict[str, Any], meters: set[str] | None) -> Site:
        tables = copy.deepcopy(SITE) | {"accounts": []}
        tables["ports"] = [tables["ports"][0] | {"poll_s": 0}]
        row = tables["meters"][0]
        tables["meters"] = [row | {"id": f"c{n}", "circuit": n} for n in CIRCUITS]
        tables["meters"].append(row | {"id": "alone", "circuit": 1, "address": "6"})
        return Site.model_validate(tables)

    def answer_of(self, line: str) -> Answer:
        return self._answer

    def _answer(self, frame: bytes, now: Any, monotonic: float) -> tuple[bytes, float]:
        if frame[0] == 6:
            body = b"\x05" + frame[1:-2]
            reply, think_s = self.box.answer(body + crc(body), now, monotonic)
            reply = b"\x06" + reply[1:-2]
            return reply + crc(reply), think_s
        if self.dead:
            return b"", 0.0
        reply, think_s = self.box.answer(frame, now, monotonic)
        if self.damaged:
            self.damaged -= 1
            reply = reply[:3] + bytes([reply[3] ^ 1]) + reply[4:]
        return reply, think_s


def test_a_dead_box_costs_its_line_one_time_out(tmp_path: Path) -> None:
    """Twelve circuits fall silent together: they are missed together, probed as one, and found again together."""
    line = BoxLine(tmp_path)
    line.dead = True
    began = line.clock.monotonic()
    line.run_until(lambda: not any(line.lives[f"c{n}"].online for n in CIRCUITS), hours=0.2)
    assert line.clock.monotonic() - began < 10
    line.run(seconds=5)
    line.pauses.clear()
    asked, failed = line.poll.asked, line.poll.failed
    line.run(minutes=5)
    assert line.poll.failed - failed <= 8, "one probe in 45 s"
    assert line.poll.asked - asked > 1000 and line.lives["alone"].online
    line.dead = False
    back_by = line.clock.monotonic() + 60
    line.run_until(lambda: all(live.online for live in line.lives.values()), hours=0.2)
    assert line.clock.monotonic() < back_by


def test_a_damaged_modbus_answer_does_not_hold_the_line(tmp_path: Path) -> None:
    """While a late answer may still come from one slave, others are asked, and then it is asked again."""
    line = BoxLine(tmp_path)
    line.run(seconds=30)  # Openings and doubted states are read again at first.
    line.pauses.clear()
    line.damaged, asked, failed = 1, line.poll.asked, line.poll.failed
    line.run(seconds=10)
    assert line.poll.failed == failed + 1 and max(line.pauses) < 0.2
    assert line.poll.asked - asked > 50 and all(live.online and not live.missed for live in line.lives.values())
