"""Round after round: the dead cost the living next to nothing, and whoever comes back is read within the minute."""

from __future__ import annotations

import statistics
from pathlib import Path

from bridge.contract.line_health import judge
from bridge.contract.port_statistics import MeterOnPort
from bridge.contract.site_file import load
from edge.codec import modbus
from firmware_sim.faults import gather
from tests.edge.building import DEMO, Building

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


def test_the_dead_are_probed_one_at_a_time_while_the_line_is_free(tmp_path: Path) -> None:
    """All but one meter of a line are dead, and the line has nothing to do between two rounds: there is never more than
    one probe at the port, the living one's round waits for one at most, and who comes back is read in a minute."""
    building = Building(tmp_path, poll_s=20, idle_s=0.05)
    building.connect()
    poll, lives = building.edge.polls["line-2"], building.edge.core.lives
    living, *gone = [meter.id for meter in poll.meters()]
    building.run_until(lambda: all(lives[id].online for id in (living, *gone)))
    dead(building, *gone)
    building.run_until(lambda: all(lives[id].online is False for id in gone))
    for id in gone:
        lives[id].probed_mono -= 60  # The line was held by something else meanwhile: the turn of all has come.
    probes, apart_s, newest = [], [], lives[living].asked_mono["energy"]
    until = building.clock.monotonic() + 200
    while building.clock.monotonic() < until:
        if not building.pump():
            building.clock.advance(building.idle_s)
        probes.append(sum(poll._asking[building.edge.core.state.meters[id].row["address"]] for id in gone))
        if (asked := lives[living].asked_mono["energy"]) != newest:
            apart_s.append(asked - newest)
            newest = asked
    assert max(probes) == 1 and sum(lives[id].probes for id in gone) >= 3 * len(gone)
    assert max(apart_s) < 20 + 1.5, "one time-out and the round itself"
    dead(building)
    back_by = building.clock.monotonic() + 60
    building.run_until(lambda: all(lives[id].online for id in gone))
    assert building.clock.monotonic() <= back_by


def test_asking_whose_turn_it_is_walks_over_nobody(tmp_path: Path) -> None:
    """The loop feeds each port after every event: that must not cost a look at every meter of the line."""
    building = Building(tmp_path, poll_s=20, idle_s=0.05)
    building.connect()
    poll, lives, walks = building.edge.polls["line-2"], building.edge.core.lives, []
    first = poll.meters()[0].id
    dead(building, first)
    building.run_until(lambda: lives[first].online is False and not poll._plan and not poll._outstanding)
    meters = poll.meters
    poll.meters = lambda: walks.append(1) or meters()  # type: ignore[method-assign]
    for _ in range(1000):
        poll.feed()
    assert len(walks) <= 3, "a round begun, a probe begun"


def test_a_returned_adapter_brings_all_its_meters_at_once(tmp_path: Path) -> None:
    """Meters that went off line with their adapter are not probed one by one: the first round asks them all."""
    meters = {row.id for row in load(DEMO / "site.toml").meters if row.port == "line-2"}
    building = Building(tmp_path, poll_s=5, idle_s=0.1, meters=meters)
    building.connect()
    lives = building.edge.core.lives
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


def test_a_silent_slave_does_not_hold_the_line(tmp_path: Path) -> None:
    """A Modbus slave that did not answer is asked again after two seconds, and in those the line is free for others."""
    building = Building(tmp_path, poll_s=0, idle_s=0.02)
    building.connect()
    poll, lives = building.edge.polls["line-3"], building.edge.core.lives
    meters = [meter.id for meter in poll.meters()]
    building.run_until(lambda: all(lives[id].online for id in meters))
    pauses: list[float] = []
    port = building.ports["line-3"]
    pause_s = port._quiet.pause_s

    def noted(request, now):  # type: ignore[no-untyped-def]
        pauses.append(pause_s(request, now))
        return pauses[-1]

    port._quiet.pause_s = noted  # type: ignore[method-assign]
    dead(building, meters[0])
    building.run_until(lambda: lives[meters[0]].online is False)
    assert max(pauses) < 0.2


def test_rows_that_lie_together_are_asked_together(tmp_path: Path) -> None:
    """One request brings energy and power of a Modbus meter; one that refuses a register in between is asked row by row
    for an hour, and every value still comes."""
    building = Building(tmp_path, poll_s=0, idle_s=0.02)
    building.connect()
    poll, lives = building.edge.polls["line-3"], building.edge.core.lives
    meters = [meter.id for meter in poll.meters()]
    wire = building.ports["line-3"].wire
    building.run_until(lambda: all(lives[id].online for id in meters))
    wire.keep_sent = True
    rounds = poll.rounds
    building.run_until(lambda: poll.rounds == rounds + 3)
    asked = [frame for _, frame in wire.sent]
    together = [id for id in meters if len(lives[id].model.plan(lives[id].model.names("round"))) == 1]
    assert together, "a model whose rows of a round share one request stands on the demo's line"
    stubborn = together[0]
    slave = int(building.edge.core.state.meters[stubborn].row["address"])
    assert len([frame for frame in asked if frame[0] == slave]) <= 5, "one question a round, and slow ones"
    heard = wire._answer

    def refusing(frame: bytes, now, mono):  # type: ignore[no-untyped-def]
        count = int.from_bytes(frame[4:6], "big")
        if frame[0] == slave and count > 4:
            body = bytes([slave, frame[1] | 0x80, 2])
            return body + modbus.crc(body), 0.02
        return heard(frame, now, mono)

    wire._answer = refusing
    before = lives[stubborn].sample
    building.run_until(lambda: lives[stubborn].sample is not before and lives[stubborn].apart_until > 0)
    assert lives[stubborn].online and lives[stubborn].missed == 0


def test_off_line_says_what_came_instead_and_follows_it(tmp_path: Path) -> None:
    """Noise takes a meter off line as noise; when the wire then breaks, the next probe tells that it is silent now."""
    building = Building(tmp_path, poll_s=2, idle_s=0.1, meters={"a201", "a206"}, faults=("noise:a201:1",))
    building.connect()
    lives = building.edge.core.lives
    building.run_until(lambda: lives["a201"].online is False)
    building.run(seconds=1)
    said = building.fact("meter/a201/availability")
    assert said["how"] in ("noise", "unfinished") and said["why"].startswith("what it says comes damaged, in 3 rounds")
    building.shaft.set_faults(gather(["silent:a201"]))
    building.run_until(lambda: building.fact("meter/a201/availability")["how"] == "silent")
    assert building.fact("meter/a201/availability")["why"].startswith("silent in")


def test_a_repaired_meter_is_no_bad_meter_for_a_quarter_of_an_hour(tmp_path: Path) -> None:
    """Half an hour dead, then repaired: heard within 60 s, and its line is good again at once; the totals keep all."""
    building = Building(tmp_path, poll_s=2, idle_s=0.1, meters={"a201", "a206"})
    building.connect()
    lives = building.edge.core.lives
    building.run(minutes=3)
    building.shaft.set_faults(gather(["silent:a201"]))
    building.run(minutes=30)
    assert lives["a201"].online is False
    building.shaft.set_faults(gather([]))
    repaired = building.clock.monotonic()
    building.run_until(lambda: bool(lives["a201"].online))
    assert building.clock.monotonic() - repaired <= 60
    building.run(seconds=90)
    rows = [MeterOnPort.model_validate(each) for each in building.fact("port/line-2")["meters"]]
    row = next(each for each in rows if each.id == "a201")
    assert judge(rows).state == "good" and row.failed == 0 and row.failed_total > 30 and row.asked > 30
