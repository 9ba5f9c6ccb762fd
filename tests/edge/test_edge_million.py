"""A million damaged frames on the way to the bill: nothing but what a meter really showed is charged.

Months of a meter of each register kind: every question is answered many times by a damaged frame, which the splitter
must refuse, until one passes or a clean one comes. One that passes goes the whole way: values, gate, midnight, charge.
After it the line is clean for two answers: what two readings agree on is believed, and must be.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import pytest

from edge.codec import PROTOCOLS, dlt645
from edge.line.request import Reply, Request
from firmware_sim.modbus import crc
from tests.edge.building import Building

EACH = 500_000, 250_000, 250_000
"""Damaged frames by meter; a million together."""

PER_ANSWER, STEP_S, BORDER_STEP_S = 25, 300.0, 20.0
MIDNIGHT = datetime(2026, 11, 20, 16, tzinfo=UTC)  # In Shanghai.
SPARED = 2
"""Answers that are clean after a damaged one that passed."""

CRC_PATTERN = 0b1_0100_0000_0000_0011
"""CRC-16's own polynomial as it travels: these four bits flipped leave the CRC right, wherever they begin."""


class Months:
    """One meter, its edge, and a line that damages what it carries."""

    def __init__(self, directory: Path, room: str, port: str, seed: int):
        self.building = Building(directory, meters={room}, poll_s=30, idle_s=1)
        self.building.run_until(lambda: self.building.of("opening/1"), hours=1)
        self.building.run(seconds=30)
        self.edge, self.core, self.dice = self.building.edge, self.building.edge.core, Random(seed)
        self.meter, self.sim = self.core.state.meters[room], self.building.sim_meter(room)
        self.live, self.port = self.core.lives[room], port
        self.codec = PROTOCOLS[self.live.model.protocol]
        self.asked: deque[tuple[str, bytes, Callable[[Reply], None]]] = deque()
        self.core.submit = self._submit  # type: ignore[method-assign, assignment]
        self.frames = {name: self.core.question(self.meter, name) for name in self.live.model.rows}
        self.true: dict[str, dict[str, int]] = {}
        self.kinds, self.passed, self.seen = Counter[str](), Counter[str](), Counter[str]()
        self.spared = 0
        assert self.live.sample is not None
        self.newest_true = self.building.clock.elapsed(), self.live.sample.registers_wh["total"]
        self.makes = [self._one, self._two, self._two, self._two, self._burst, self._cut, self._swap, self._sly]

    def _submit(self, meter: Any, priority: int, name: str, frame: bytes, handler: Any, **_: Any) -> int:
        self.asked.append((name, frame, handler))
        return 0

    # --- damage ---

    def _flip(self, raw: bytes, *bits: int) -> bytes:
        number = int.from_bytes(raw, "little")
        for bit in bits:
            number ^= 1 << bit
        return number.to_bytes(len(raw), "little")

    def _one(self, raw: bytes) -> bytes:
        return self._flip(raw, int(self.dice.random() * 8 * len(raw)))

    def _two(self, raw: bytes) -> bytes:
        size = 8 * len(raw)
        return self._flip(raw, int(self.dice.random() * size), int(self.dice.random() * size))

    def _burst(self, raw: bytes) -> bytes:
        """A disturbance of up to sixteen bit times."""
        noise = self.dice.getrandbits(16)
        at = int(self.dice.random() * (8 * len(raw) - 16))
        return (int.from_bytes(raw, "little") ^ noise << at).to_bytes(len(raw), "little")

    def _cut(self, raw: bytes) -> bytes:
        """Its end is lost, or a piece out of its middle."""
        at, gap = int(self.dice.random() * len(raw)), int(self.dice.random() * 8)
        return raw[:at] + (raw[at + 1 + gap :] if gap else b"")

    def _swap(self, raw: bytes) -> bytes:
        """Two bytes change places, which an eight-bit sum does not see; seldom, or little else would be heard."""
        if self.dice.random() < 0.9:
            return self._one(raw)
        one, two = sorted((int(self.dice.random() * len(raw)), int(self.dice.random() * len(raw))))
        return (
            raw[:one] + raw[two : two + 1] + raw[one + 1 : two] + raw[one : one + 1] + raw[two + 1 :]
            if one < two
            else raw
        )

    def _sly(self, raw: bytes) -> bytes:
        """Damage whose sum or CRC is right: a bit up and the same bit of another byte down, or CRC-16's own pattern."""
        if self.dice.random() < 0.9:
            return self._two(raw)
        if self.codec is not dlt645:
            number = int.from_bytes(raw, "little") ^ CRC_PATTERN << int(self.dice.random() * (8 * len(raw) - 16))
            return number.to_bytes(len(raw), "little")
        start, bit = raw.index(0x68) + 10, 1 << int(self.dice.random() * 8)
        up = [at for at in range(start, len(raw) - 2) if not raw[at] & bit]
        down = [at for at in range(start, len(raw) - 2) if raw[at] & bit]
        if not up or not down:
            return self._one(raw)
        damaged = bytearray(raw)
        damaged[self.dice.choice(up)] ^= bit
        damaged[self.dice.choice(down)] ^= bit
        return bytes(damaged)

    def _late(self, frame: bytes) -> bytes:
        """The answer to another question, as the meter sends it when it is late."""
        other = self.dice.choice([asked for asked in self.frames.values() if asked != frame])
        return self.sim.answer(other, self.building.clock.now()) or b""

    # --- the line ---

    def answer(self, name: str, frame: bytes) -> tuple[bytes, bool]:
        """(what the splitter finds of the answer to a question, whether it is what the meter said)"""
        clean = self.sim.answer(frame, self.building.clock.now())
        body = self.codec.find_reply(frame, bytearray(clean), final=True)
        if name in ("energy", "freeze-energy"):
            self.true[body.hex()] = self.live.model.values(name, body, self.core.terms.zone)
        if self.spared:
            self.spared -= 1
            return body, True
        find, dice, makes = self.codec.find_reply, self.dice, self.makes
        for _ in range(PER_ANSWER):
            make = makes[int(dice.random() * len(makes))] if dice.random() > 0.01 else None
            damaged, kind = (make(clean), make.__name__) if make else (self._late(frame), "_late")
            if damaged == clean:
                continue
            self.kinds[kind] += 1
            found = find(frame, bytearray(damaged), final=True)
            if found is not None and found != body:
                self.passed[kind] += 1
                self.spared = SPARED
                return found, False
        return body, True

    def step(self) -> None:
        """Five minutes, less around midnight: the registers are asked for, and whatever the edge asks for then; the day
        is closed when it is due."""
        past_s = (self.building.clock.now() - MIDNIGHT).total_seconds() % 86_400
        near = past_s < 600 or past_s > 86_400 - STEP_S - 60
        self.building.clock.advance(BORDER_STEP_S if near else STEP_S)
        self.hear(
            "energy", self.frames["energy"], lambda reply: self.edge.polls[self.port].take(self.meter, "energy", reply)
        )
        self.follow()
        self.edge.closing.border_reads()
        for _ in self.edge.closing.work():
            pass
        self.follow()

    def follow(self) -> None:
        while self.asked:
            self.hear(*self.asked.popleft())

    def hear(self, name: str, frame: bytes, handler: Callable[[Reply], None]) -> None:
        clock, before = self.building.clock, self.live.sample
        raw, good = self.answer(name, frame)
        now = clock.monotonic()
        clock.advance(0.2)
        handler(Reply(Request(0, 5, self.meter.id, name, frame), self.port, raw, None, now, now + 0.1, clock.now()))
        if name != "energy":
            return
        taken = self.live.sample is not before
        self.seen["good" if good else "wrong"] += 1
        self.seen["good taken"] += taken and good
        self.seen["wrong taken"] += taken and not good
        now_s, total = clock.elapsed(), self.live.sample.registers_wh["total"]  # type: ignore[union-attr]
        if taken and not good:
            was_s, was = self.newest_true
            kind = self.live.model
            carried = 1.2 * kind.max_amps * kind.volts * kind.phases * max(now_s - was_s, 60) / 3600 + kind.step_wh
            self.seen["impossible taken"] += not 0 <= total - was <= carried
        elif taken:
            self.newest_true = now_s, total
        self.seen["good set aside"] += good and self.meter.quarantined is not None

    @property
    def damaged(self) -> int:
        return self.kinds.total()


@pytest.mark.parametrize(
    ("room", "port", "count"),
    [("a206", "line-2", EACH[0]), ("a301", "line-3", EACH[1]), ("a303", "line-3", EACH[2])],
)
def test_of_a_million_damaged_frames_none_is_charged(tmp_path: Path, room: str, port: str, count: int) -> None:
    """Four rates of DL/T 645, a float32 and an integer of Modbus: bits flipped, pairs that cancel, bytes swapped, ends
    cut, answers to other questions. Every charge is from a register the meter showed to one it showed, the days add up
    to the Wh, and of 10,000 good readings at most one is set aside."""
    months = Months(tmp_path, room, port, seed=count)
    while months.damaged < count:
        months.step()
    charges, seen = months.building.of("charge/2", meter=room), months.seen
    print(room, months.damaged, dict(months.kinds), "passed", dict(months.passed), dict(seen), "charges", len(charges))
    assert len(charges) > 10 and seen["wrong"] > 100
    wrong = [c.fields["wh"] for c in charges if c.fields["end"]["frames"][-1][1] not in months.true]
    assert not wrong
    for charge in charges:
        shown = months.true[charge.fields["end"]["frames"][-1][1]]
        assert {
            f"energy_{name}_wh".replace("total_", ""): wh for name, wh in charge.fields["end"]["registers_wh"].items()
        } == shown
    first, last = charges[0].fields["start"]["registers_wh"], charges[-1].fields["end"]["registers_wh"]
    priced = {line["rate"] for line in charges[0].fields["lines"]}
    assert sum(charge.fields["wh"] for charge in charges) == sum(last[name] - first[name] for name in priced)
    assert not seen["impossible taken"], "what the gate lets pass the meter could have carried since its last true one"
    # Rates and total give away nearly every wrong register: not a pair of bits within their own rounding, nor the same
    # bit of both. What passes so the meter could have used; it is read once more before anybody is billed or cut.
    assert seen["wrong taken"] * 100 < seen["wrong"] or port == "line-3"
    assert seen["good set aside"] * 10_000 <= seen["good"]
    assert not months.building.of("alarm/1", alarm="not-charged")


def test_the_pattern_leaves_the_crc_right() -> None:
    """The damage that CRC-16 cannot see is really such: it passes, with four flipped bits."""
    body = bytes(range(7))
    raw = body + crc(body)
    for at in range(8 * len(raw) - 16):
        damaged = (int.from_bytes(raw, "little") ^ CRC_PATTERN << at).to_bytes(len(raw), "little")
        assert crc(damaged[:-2]) == damaged[-2:] and damaged != raw
