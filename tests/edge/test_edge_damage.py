"""Damaged frames by the hundred thousand: one whose sum is right by chance bills, warns, cuts and sets aside nobody.

The real edge is given the answers directly, without a line: for each damaged frame that passes the sum a clean one
follows, as the meter would send it. What two readings agree on is believed, so frames are damaged one at a time.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from edge import model
from edge.codec import dlt645
from edge.core import Core
from edge.line.request import Reply, Request
from edge.live import Live
from edge.state import AccountState, MeterState
from firmware_sim.accidents import flip
from firmware_sim.loads import WUS_PER_WH
from tests.edge.building import Building

ROOM, ACCOUNT = "a206", "100206"
TENTH_OF_A_FEN = 10**6
LATE_EVENING = datetime(2026, 11, 20, 15, 50, tzinfo=UTC)  # 23:50 in Shanghai.
QUESTIONS = ("energy", "status", "power", "energy", "clock", "serial")
RANDOM, SLY = 160_000, 4_000
"""Frames with two random flips, of which one in 15 to 29 passes the sum, and frames whose flips always pass."""


class Damage:
    """Answers of one meter that stands still, handed to the edge with flipped bits."""

    def __init__(self, building: Building, seed: int):
        self.building, self.core, self.dice = building, building.edge.core, Random(seed)
        self.meter: MeterState = self.core.state.meters[ROOM]
        self.seen = self.core.lives[ROOM].seen
        self.asked: deque[tuple[str, Callable[[Reply], None]]] = deque()
        self.damaged = self.passed = 0
        self.core.submit = self._submit  # type: ignore[method-assign, assignment]
        sim = building.sim_meter(ROOM)
        self.frames = {name: self.core.question(self.meter, name) for name in set(QUESTIONS)}
        self.sim, self.answers = sim, {n: sim.answer(frame, self._at()) for n, frame in self.frames.items()}

    def _submit(self, meter: MeterState, priority: int, name: str, frame: bytes, handler: Any, **_: Any) -> int:
        """What the edge asks by itself is answered at once, by a clean frame."""
        assert name in self.frames, f"{name} leaves after a damaged frame"
        self.asked.append((name, handler))
        return 0

    def round(self, how: str) -> None:
        """One question with a damaged answer; one that passes is followed by what the edge asks, and a clean answer."""
        name = QUESTIONS[self.damaged % len(QUESTIONS)]
        self.damaged += 1
        raw = dlt645.find_reply(
            self.frames[name], bytearray(flip(clean := self.clean(name), how, self.dice)), final=True
        )
        if raw is None or raw == clean.lstrip(b"\xfe"):
            return
        self.passed += 1
        self.hear(name, raw)
        seen = self.core.lives[ROOM].seen
        assert seen is not None and self.seen is not None and seen.decides_as(self.seen), "one look is not believed"
        assert self.building.edge.relays.desired(self.meter) == "closed", "one reading is no reason to cut"
        for _ in range(3):
            self.follow()
            self.hear(name)
        self.follow()

    def clean(self, name: str) -> bytes:
        """What the meter says: registers, state and power stand still, its clock goes on."""
        return self.sim.answer(self.frames[name], self._at()) if name == "clock" else self.answers[name]  # type: ignore[no-any-return]

    def follow(self) -> None:
        while self.asked:
            name, handler = self.asked.popleft()
            handler(self._reply(name, self.clean(name).lstrip(b"\xfe")))

    def hear(self, name: str, raw: bytes | None = None) -> None:
        """A routine answer, clean unless given."""
        reply = self._reply(name, raw or self.clean(name).lstrip(b"\xfe"))
        self.building.edge.polls["line-2"].take(self.meter, name, reply)

    def _reply(self, name: str, raw: bytes) -> Reply:
        now = self.building.clock.monotonic()
        self.building.clock.advance(0.2)
        return Reply(Request(0, 5, ROOM, name, self.frames[name]), "line-2", raw, None, now, now + 0.1, self._at())

    def _at(self) -> Any:
        return self.building.clock.now()


def afternoon(tmp_path: Path) -> Building:
    """The prepared tenant, who uses 28 kW."""
    building = Building(tmp_path, meters={ROOM}, poll_s=5, idle_s=1)
    building.run(minutes=5)
    return building


def a_hair_before_a_warning(building: Building) -> None:
    """A tenth of a fen above the first level, and two seconds before the final warning is due."""
    core, account, left = standing(building)
    zero = building.edge.accounts.zero_at(account, left)
    assert zero is not None
    lead_s = int((zero - core.now()).total_seconds()) - 2
    core.terms = replace(core.terms, levels_nano=(left - TENTH_OF_A_FEN, 2, 1), lead_s=lead_s)


def warned(tmp_path: Path) -> Building:
    """The same tenant, whose final warning was delivered half an hour ago."""
    building = Building(tmp_path, meters={ROOM}, poll_s=5, idle_s=1)
    building.run_until(lambda: building.of("delivered/1"), hours=4)
    core, account, _ = standing(building)
    assert account.final is not None and account.final.delivered_powered_s is not None
    account.final = replace(account.final, delivered_powered_s=account.final.delivered_powered_s - core.terms.lead_s)
    return building


def a_hair_before_the_cut(building: Building) -> None:
    """A tenth of a fen is left, and everything else allows the cut."""
    core, _, left = standing(building)
    core.terms = replace(core.terms, cut_limit_nano=left - TENTH_OF_A_FEN)


def standing(building: Building) -> tuple[Core, AccountState, int]:
    """(core, account, what it has left)"""
    core = building.edge.core
    account = core.state.accounts[ACCOUNT]
    return core, account, core.balances.available_nano(account)


MOMENTS = [(afternoon, a_hair_before_a_warning), (warned, a_hair_before_the_cut)]


@pytest.mark.parametrize(("begin", "arm"), MOMENTS)
def test_no_damaged_frame_warns_cuts_or_sets_aside(
    tmp_path: Path, begin: Callable[[Path], Building], arm: Callable[[Building], None]
) -> None:
    """A hair before a warning, and a hair before the cut: registers, state, power, clock and number are damaged in
    turn, 160,000 times at random and 4,000 times so that the sum fits. The book does not grow by one line."""
    building = begin(tmp_path)
    while building.pump():
        pass  # What is under way comes to its end.
    damage = Damage(building, seed=20261120)
    for _ in range(3):
        for name in ("power", "energy"):
            damage.hear(name)
    damage.follow()
    live = damage.core.lives[ROOM]
    live.load_w = live.powers_w[-1]  # The load has long been what the meter says now.
    arm(building)
    entries = len(building.entries())
    for number in range(RANDOM + SLY):
        damage.round("sly" if number % (RANDOM // SLY) == 0 else "2")
    assert damage.passed > 2500, "and so many were right by their sum, address and identifier"
    assert [(entry.kind, entry.fields) for entry in building.entries()[entries:]] == []
    assert live.quality == "good" and damage.meter.quarantined is None


@pytest.mark.parametrize(("begin", "arm", "kinds"), [(*MOMENTS[0], {"level/1", "final/1"}), (*MOMENTS[1], {"trip/1"})])
def test_what_is_read_twice_is_believed(
    tmp_path: Path, begin: Callable[[Path], Building], arm: Callable[[Building], None], kinds: set[str]
) -> None:
    """The proof above is worth something: what two frames in a row say does warn, and does cut, within seconds."""
    building = begin(tmp_path)
    arm(building)
    entries = len(building.entries())
    building.run(seconds=30)
    assert kinds <= {entry.kind for entry in building.entries()[entries:]}


@pytest.mark.parametrize("turn", [1, 2])
def test_a_damaged_midnight_is_not_billed(tmp_path: Path, turn: int) -> None:
    """Each frozen time and register is heard once damaged with a right sum: the bill is what the meter froze."""
    building = Building(tmp_path, start=LATE_EVENING, meters={ROOM, "a101"}, poll_s=30, idle_s=2)
    building.topup(ACCOUNT, 5000_00)
    dice, seen = Random(3), Counter[Any]()
    meters = [building.sim_meter(id) for id in (ROOM, "a101")]
    for meter in meters:

        def spoils_one(frame: bytes, now: Any, mono: Any = None, answer: Any = meter.answer) -> bytes | None:
            reply: bytes | None = answer(frame, now, mono)
            question = (answer, dlt645.decode(frame).identifier, now.date())
            if reply and (question[1] or "").startswith("0506"):
                seen[question] += 1
                return flip(reply, "sly", dice) if seen[question] == turn else reply
            return reply

        meter.answer = spoils_one
    building.run_until(lambda: len(building.of("closing/1")) >= 2, hours=2)
    assert len(seen) >= 4
    for meter in meters:
        frozen = meter.metrology.freeze_back(1)[1]
        charge = building.of("charge/2", meter=meter.meter_id)[-1].fields
        names = ("total", "sharp", "peak", "flat", "valley")
        assert charge["end"]["registers_wh"] == {name: 10 * steps for name, steps in zip(names, frozen, strict=True)}
    assert building.of("alarm/1") == [] and all(not e.fields["deferred"] for e in building.of("closing/1"))


def test_a_border_read_that_the_next_one_contradicts_is_not_billed(tmp_path: Path) -> None:
    """A Modbus meter keeps no midnights: its one read at midnight counts when the next reading follows on it; else the
    readings of the rounds before and after give the midnight, and the charge says so (R24)."""
    for wrong in (False, True):
        building = Building(tmp_path / str(wrong), start=LATE_EVENING, meters={"a301"}, poll_s=30, idle_s=2)
        midnights = building.edge.closing._midnights
        building.run_until(lambda m=midnights: m._unproven, hours=1)
        ((key, read),) = midnights._unproven.items()
        if wrong:
            read.registers_wh["total"] += 400  # As a frame whose sum was right by chance would have shown.
            building.edge.core.lives["a301"].sample.registers_wh["total"] = read.registers_wh["total"]  # type: ignore[union-attr]
        building.run(minutes=10)
        (closing,) = building.of("closing/1")
        assert closing.fields["deferred"] == [] and key not in midnights._marks
        (charge,) = building.of("charge/2")
        end = charge.fields["end"]
        assert end["source"] == ("interpolated" if wrong else "border") and not building.of("quarantine/1")
        assert end["registers_wh"]["total"] < read.registers_wh["total"] - 300 or not wrong


def test_one_damaged_reading_does_not_set_a_meter_aside(tmp_path: Path) -> None:
    """A frame within the possible was taken, and the next ones stand below it: two that agree outvote the one."""
    building = Building(tmp_path, meters={ROOM}, poll_s=60, idle_s=2)
    building.topup(ACCOUNT, 5000_00)
    building.run(minutes=5)
    metrology, live = building.sim_meter(ROOM).metrology, building.edge.core.lives[ROOM]
    for _ in range(3):
        newest, jump = live.sample, 800 * WUS_PER_WH
        metrology.total_wus, metrology.rates_wus[3] = metrology.total_wus + jump, metrology.rates_wus[3] + jump
        building.run_until(lambda before=newest: live.sample is not before, hours=1)
        metrology.total_wus, metrology.rates_wus[3] = metrology.total_wus - jump, metrology.rates_wus[3] - jump
        building.run(minutes=3)
        assert live.quality == "good" and live.sample is not None
        assert live.sample.registers_wh["total"] <= metrology.total_wus // WUS_PER_WH
    assert not building.of("quarantine/1") and not building.of("release/1")


def test_a_forecast_rests_on_the_middle_of_three_powers() -> None:
    """One wrong frame makes no load, neither the very first one nor a later one; a load that changed is believed."""
    live, at = Live(model.load("dlt645-3p")), datetime(2026, 11, 20, tzinfo=UTC)
    live.smooth_load(79_000, at)
    assert live.load_w is None
    live.smooth_load(4000, at + timedelta(seconds=60))
    assert live.load_w == 4000
    for minute, power_w in enumerate((4000, 79_000, 4000, 0, 4000, 4000), 2):
        live.smooth_load(power_w, at + timedelta(minutes=minute))
        assert live.load_w == 4000
    for minute in range(60, 80):
        live.smooth_load(9000, at + timedelta(minutes=minute))
    assert live.load_w > 8000
