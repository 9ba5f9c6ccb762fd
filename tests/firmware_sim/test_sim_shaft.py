"""A shaft from its file, its memory on disk, and a running one on pseudo-terminals."""

from __future__ import annotations

import json
import os
import select
import termios
import time
import tty
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from bridge.contract.clock import ScaledClock, SystemClock
from firmware_sim.dlt645_frame import address_bytes, build, parse
from firmware_sim.modbus import crc
from firmware_sim.running import RunningShaft
from firmware_sim.shaft import Shaft, load, recall, save

SHAFT = """
[shaft]
name = "two lines"
[[day_tables]]
name = "day"
windows = [{ from = "00:00", rate = "valley" }, { from = "08:00", rate = "peak" }]
[[lines]]
id = "slow"
protocol = "dlt645-2007"
baud = 2400
parity = "E"
[[lines]]
id = "fast"
protocol = "modbus-rtu"
baud = 9600
[[meters]]
id = "a1"
line = "slow"
model = "dlt645-3p"
address = "202603110101"
serial = "202603110101"
registers = ["30.00", "1.00", "20.00", "4.00", "5.00"]
day_table = "day"
drift_ppm = 100
load = { kind = "steady", watts = 20000, seed = 4 }
[[meters]]
id = "m1"
line = "fast"
model = "acrel-ddsy1352"
address = "1"
serial = "212604300001"
registers = ["123456.78", "0.00", "0.00", "123456.78", "0.00"]
load = { kind = "constant", watts = 0 }
"""


@pytest.fixture
def shaft_file(tmp_path: Path) -> Path:
    path = tmp_path / "shaft.toml"
    path.write_text(SHAFT, encoding="utf-8")
    return path


READ_ALL = build(address_bytes("202603110101"), 0x11, bytes.fromhex("00ff0100"), 4)
READ_RELAY = build(address_bytes("202603110101"), 0x11, bytes.fromhex("03050004"), 4)
TRIP = build(address_bytes("202603110101"), 0x1C, bytes.fromhex("0200000000000000" + "1a00" + "000000000000"), 4)


def test_a_restart_is_no_meter_fault(shaft_file, tmp_path, start):
    """Stopped at night and started in the morning, the meters show what they would have shown without the stop."""
    path = tmp_path / "state.json"
    never, stopped = load(shaft_file, start), load(shaft_file, start)
    for shaft in (never, stopped):
        shaft.lines["slow"].answer(TRIP, start + timedelta(hours=1))
        close = build(address_bytes("202603110101"), 0x1C, bytes.fromhex("02000000000000001c00000000000000"), 4)
        shaft.lines["slow"].answer(close, start + timedelta(hours=2))
    save(stopped.state(), path)
    again = load(shaft_file, start + timedelta(days=3))
    assert recall(again, path) == []
    later = start + timedelta(days=3, hours=5)
    assert again.meters["a1"].answer(READ_ALL, later) == never.meters["a1"].answer(READ_ALL, later)
    assert again.state() == {**never.state(), "meters": {**never.state()["meters"], "m1": again.meters["m1"].state()}}


def test_a_tripped_meter_is_still_tripped_after_a_restart(shaft_file, tmp_path, start):
    """Nobody gets power back because a simulator was restarted, not even in the middle of a relay's travel."""
    shaft = load(shaft_file, start)
    shaft.lines["slow"].answer(TRIP, start, 500.0)
    save(shaft.state(), tmp_path / "state.json")
    again = load(shaft_file, start + timedelta(hours=1))
    recall(again, tmp_path / "state.json")
    reply, _ = again.lines["slow"].answer(READ_RELAY, start + timedelta(hours=1), 20.0)
    assert parse(reply)[2][4:] == b"\x50\x00"


def test_a_damaged_memory_is_told_and_left_alone(shaft_file, tmp_path, start):
    """A file that cannot be read stops the start with a sentence; it is not overwritten with new meters."""
    path = tmp_path / "state.json"
    for text in ("{", '{"version": 1}', '{"version": 9, "meters": {}}', "[]"):
        path.write_text(text)
        with pytest.raises(ValueError, match="memory"):
            recall(load(shaft_file, start), path)
        assert path.read_text() == text


def test_a_meter_that_was_replaced_starts_anew(shaft_file, tmp_path, start):
    """Another address in the shaft file is another meter: it does not inherit the old one's registers."""
    save(load(shaft_file, start).state(), tmp_path / "state.json")
    shaft_file.write_text(SHAFT.replace('address = "202603110101"', 'address = "202603119999"'))
    again = load(shaft_file, start + timedelta(days=1))
    assert recall(again, tmp_path / "state.json") == ["a1"]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('line = "slow"', 'line = "none"', "line that is not there"),
        ('model = "dlt645-3p"', 'model = "acrel-ddsy1352"', "."),
        ('"30.00"', '"30.001"', "two decimals"),
        ('day_table = "day"', 'day_table = "night"', "no day table 'night'"),
        ('kind = "steady"', 'kind = "disco"', "'disco' is not known"),
        ('address = "202603110101"', 'address = "0101"', "12 digits"),
        ('protocol = "modbus-rtu"', 'protocol = "dlt645-2007"', "does not speak"),
        ("[shaft]", "[shaft", "not TOML"),
        ('name = "two lines"', "", "'name' is missing"),
    ],
)
def test_a_mistake_in_the_shaft_file_is_named(shaft_file, start, old, new, words):
    """Whoever writes a shaft file is told in a sentence what is wrong with it, and in which file."""
    shaft_file.write_text(SHAFT.replace(old, new, 1))
    with pytest.raises(ValueError, match=words) as told:
        load(shaft_file, start)
    assert str(shaft_file) in str(told.value)


# -- running on pseudo-terminals ---------------------------------------------------------------------------------


@pytest.fixture
def running(shaft_file: Path, tmp_path: Path, start) -> Iterator[RunningShaft]:
    clock = ScaledClock(start, time.monotonic_ns(), 60)
    served = RunningShaft(load(shaft_file, clock.now()), tmp_path / "run", clock, [])
    served.start()
    yield served
    served.stop()


def exchange(path: Path, frame: bytes, size: int, wait_s: float = 3.0) -> tuple[bytes, float, float]:
    """Open a line as any program would, send, wait for `size` bytes: the bytes, seconds to the first, to the last."""
    descriptor = os.open(path, os.O_RDWR | os.O_NOCTTY)
    try:
        tty.setraw(descriptor)
        termios.tcflush(descriptor, termios.TCIFLUSH)
        began = time.monotonic()
        os.write(descriptor, frame)
        got, first_s = b"", 0.0
        while len(got) < size and select.select([descriptor], [], [], wait_s)[0]:
            got += os.read(descriptor, 256)
            first_s = first_s or time.monotonic() - began
        return got, first_s, time.monotonic() - began
    finally:
        os.close(descriptor)


def test_a_line_is_as_slow_as_its_baud_rate(running):
    """At 2400 bit/s a reading takes what it takes on a wire; at 9600 it is several times faster."""
    reply, first_s, last_s = exchange(running.run / "slow", READ_ALL, 40)
    assert parse(reply)[1] == 0x91
    byte_s = 11 / 2400
    assert first_s > 20 * byte_s + 0.020 and 40 * byte_s * 0.8 < last_s - first_s < 40 * byte_s + 0.5
    reply, first_s, last_s = exchange(running.run / "fast", bytes.fromhex("010300000002c40b"), 9)
    assert reply == bytes.fromhex("01030400bc614e9273") and 0.03 < last_s < 1.0
    assert (last_s - first_s) / 9 < (40 * byte_s) / 40 / 2


def test_a_line_outlives_the_programs_that_open_it(running):
    """A reader may die and come back as often as it likes; bytes sent in halves and rubbish before are no trouble."""
    for _ in range(3):
        assert parse(exchange(running.run / "slow", b"\x00\x68" + READ_RELAY, 22)[0])[1] == 0x91
    descriptor = os.open(running.run / "slow", os.O_RDWR | os.O_NOCTTY)
    os.write(descriptor, READ_RELAY[:11])
    os.close(descriptor)
    assert parse(exchange(running.run / "slow", READ_RELAY[11:], 22)[0])[1] == 0x91


def test_a_relay_moves_after_its_delay_and_the_order_is_on_disk_first(running):
    """By the time a trip is acknowledged, a killed simulator would remember it."""
    reply, _, _ = exchange(running.run / "slow", TRIP, 16)
    assert parse(reply)[1] == 0x9C
    kept = json.loads(running.state_path.read_text())["meters"]["a1"]["relay"]
    assert kept["commanded_open"] and (kept["open"] or kept["order"]["opens"])
    reply, _, _ = exchange(running.run / "slow", READ_RELAY, 22)
    assert parse(reply)[2][4:] == b"\x50\x00"


def test_faults_can_be_written_while_it_runs(running, capsys):
    """A meter falls silent when the file says so, answers again when it no longer does, and nonsense is reported."""
    running.faults_path.write_text("silent:m1\nsmoke:a1\nstuck:nobody\n\n# a remark\n")
    running.step()
    told = capsys.readouterr().err
    assert "'smoke:a1' is not understood" in told and "not here: nobody" in told and "remark" not in told
    assert exchange(running.run / "fast", bytes.fromhex("010300000002c40b"), 9, wait_s=0.4)[0] == b""
    running.faults_path.unlink()
    running.step()
    assert exchange(running.run / "fast", bytes.fromhex("010300000002c40b"), 9)[0]


def test_a_button_can_be_pressed_from_outside(running, capsys):
    """Permit close can be shown from end to end: the file `press` is the tenant's finger."""
    permit = build(address_bytes("202603110101"), 0x1C, bytes.fromhex("02000000000000001b00000000000000"), 4)
    for order, size in ((TRIP, 16), (READ_RELAY, 22), (permit, 16)):
        exchange(running.run / "slow", order, size)
    running.press_path.write_text("a1 m1\n")
    running.step()
    told = capsys.readouterr().err
    assert "a1: the relay closes" in told and "m1 has no button" in told and not running.press_path.exists()


def test_the_folder_belongs_to_one_simulator(running, shaft_file, start):
    """Two simulators on one folder would fight over the meters' memory; the second is refused."""
    with pytest.raises(ValueError, match="another simulator already serves"):
        RunningShaft(load(shaft_file, start), running.run, SystemClock(), [])


def test_an_idle_line_costs_nothing(running):
    """On a Pi the simulator leaves the processor to the gateway."""
    began = time.process_time()
    select.select([], [], [], 0.5)
    assert time.process_time() - began < 0.1


def test_two_shafts_of_one_file_are_the_same(shaft_file, start):
    """The same file at the same instant gives the same meters, to the byte."""

    def state(shaft: Shaft) -> str:
        for hour in range(48):
            for line in shaft.lines.values():
                line.answer(READ_ALL, start + timedelta(hours=hour))
                body = bytes.fromhex("010300000012")
                line.answer(body + crc(body), start + timedelta(hours=hour))
        return json.dumps(shaft.state())

    assert state(load(shaft_file, start)) == state(load(shaft_file, start))
