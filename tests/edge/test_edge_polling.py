"""Round after round: the dead cost the living next to nothing, and whoever comes back is read within the minute."""

from __future__ import annotations

import statistics
from pathlib import Path

from firmware_sim.faults import gather
from tests.edge.building import Building

SWEEPS = 40


def sweep_s(building: Building, line: str, sweeps: int = SWEEPS) -> list[float]:
    """Seconds of the next sweeps of a line."""
    poll, took = building.edge.polls[line], []
    for _ in range(sweeps):
        rounds = poll.rounds
        building.run_until(lambda rounds=rounds: poll.rounds > rounds)
        took.append(poll.round_s or 0.0)
    return took


def dead(building: Building, *meters: str) -> None:
    building.shaft.set_faults(gather([f"silent:{id}" for id in meters]))


def test_the_dead_cost_the_living_little_and_are_found_again(tmp_path: Path) -> None:
    """A quarter of a line's meters are dead: the others are read about as often as if the line had no others, no sweep
    waits for two of them, and each is read again within a minute of its return."""
    building = Building(tmp_path, poll_s=0, idle_s=0.02)
    building.connect()
    for line in building.shaft.lines.values():
        line.think_s = (0.02, 0.02)
    everybody = sweep_s(building, "line-2")
    meters = [meter.id for meter in building.edge.polls["line-2"].meters()]
    gone = meters[::4]
    dead(building, *gone)
    building.run_until(lambda: all(building.edge.core.lives[id].online is False for id in gone))
    took = sweep_s(building, "line-2")
    healthy_s = statistics.median(everybody) * (len(meters) - len(gone)) / len(meters)
    assert sum(took) / len(took) < 1.12 * healthy_s
    assert max(took) < max(everybody) * (len(meters) - len(gone)) / len(meters) + 2 * 0.75, (
        "two time-outs at most, however many are dead"
    )
    dead(building)
    back_by = building.clock.monotonic() + 60
    building.run_until(lambda: all(building.edge.core.lives[id].online for id in gone))
    assert building.clock.monotonic() <= back_by


def test_a_returned_adapter_brings_all_its_meters_at_once(tmp_path: Path) -> None:
    """Meters that went off line with their adapter are not probed one by one: the first round asks them all."""
    building = Building(tmp_path, poll_s=5, idle_s=0.1)
    building.connect()
    lives = building.edge.core.lives
    meters = [meter.id for meter in building.edge.polls["line-2"].meters()]
    building.run_until(lambda: all(lives[id].online for id in meters))
    building.ports["line-2"].wire.pulled = True
    building.run_until(lambda: all(lives[id].online is False for id in meters))
    building.ports["line-2"].put_back()
    back_by = building.clock.monotonic() + 15
    building.run_until(lambda: all(lives[id].online for id in meters))
    assert building.clock.monotonic() < back_by


def test_a_babbling_meter_is_put_aside_at_once(tmp_path: Path) -> None:
    """One that does not stop talking when asked holds the line once, not three times, and is probed like a dead one."""
    building = Building(tmp_path, poll_s=2, idle_s=0.1, meters={"a201", "a206"})
    building.connect()
    lives, poll, wire = building.edge.core.lives, building.edge.polls["line-2"], building.ports["line-2"].wire
    building.run_until(lambda: lives["a201"].online and lives["a206"].online)
    heard, babbler = wire._answer, building.shaft.meters["a201"].address
    asked: list[float] = []

    def babbling(frame: bytes, now, mono):  # type: ignore[no-untyped-def]
        reply, think_s = heard(frame, now, mono)
        if bytes.fromhex(babbler)[::-1] in frame:
            asked.append(mono)
            return b"\x55" * 12, think_s
        return reply, think_s

    def on_and_on(timeout_s: float) -> bytes:
        piece = read(timeout_s)
        if piece.startswith(b"\x55"):
            wire._coming.append((building.clock.monotonic() + 0.05, piece))
        return piece

    read = wire.read
    wire._answer, wire.read = babbling, on_and_on
    building.run_until(lambda: lives["a201"].online is False)
    wire._coming = []  # It was unplugged for a moment; whoever asks it again hears the same.
    assert len(asked) <= 2, "one was enough, and another was on its way"
    assert building.fact("meter/a201/availability")["why"] == "it does not stop talking when it is asked"
    rounds = poll.rounds
    building.run(seconds=100)
    assert len(asked) <= 2 + 3 and poll.rounds > rounds + 20 and lives["a206"].online
