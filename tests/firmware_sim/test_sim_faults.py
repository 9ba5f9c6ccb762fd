"""What can be wrong with a shaft, set by a person while it runs: each fault does what its line says, and goes again."""

from __future__ import annotations

import json
import os
import select
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest

from bridge.contract.clock import SystemClock
from firmware_sim.__main__ import main
from firmware_sim.accidents import flip
from firmware_sim.dlt645_frame import address_bytes, build, parse
from firmware_sim.faults import KINDS, Faults, gather, lines_of, parse_fault
from firmware_sim.line import Line
from firmware_sim.running import RunningShaft
from firmware_sim.shaft import load

ENERGY = "00ff0100"
COVER, RECORD, TERMINAL = "03300D00", "03300D01", "03300E00"


def reply_of(bits: int = 20) -> bytes:
    return build(address_bytes("202603110206"), 0x91, bytes(range(bits)), 4)


# --- flipped bits ---


def test_so_many_bits_are_flipped_as_were_asked_for() -> None:
    """`flips:a101:3` damages three bits of every answer, a rate damages that share, and the same dice do the same."""
    reply, dice = reply_of(), Random(1)

    def distance(damaged: bytes) -> int:
        assert len(damaged) == len(reply)
        return sum((a ^ b).bit_count() for a, b in zip(reply, damaged, strict=True))

    assert {distance(flip(reply, "3", dice)) for _ in range(200)} == {3}
    flipped = sum(distance(flip(reply, "0.01", dice)) for _ in range(500))
    assert flipped == pytest.approx(500 * 8 * len(reply) * 0.01, rel=0.15)
    assert flip(reply, "2", Random(7)) == flip(reply, "2", Random(7)) != flip(reply, "2", Random(8))


def test_one_double_flip_in_twenty_nine_passes_the_sum() -> None:
    """DL/T 645's weakness is the real one (failure 22): one pair in 20 to 35, by the frame's length, passes."""
    dice = Random(3)
    frames = [build(dice.randbytes(6), 0x91, dice.randbytes(8)) for _ in range(20_000)]
    passed = sum(parse(flip(frame, "2", dice)) is not None for frame in frames)
    assert 1 / 35 < passed / len(frames) < 1 / 20
    reply = reply_of()
    for _ in range(100):
        sly = flip(reply, "sly", dice)
        assert parse(sly) is not None and parse(sly) != parse(reply), "sly flips pass every time"


def test_a_meter_with_flipped_bits_does_not_spoil_its_neighbour(make, request_frame, start) -> None:
    """The fault of one meter is that meter's; a line's is everybody's."""
    meters = [make(address=f"20260311020{n}", meter_id=f"a20{n}") for n in (1, 2)]
    line = Line(meters, 1, gather(["flips:a201:2"]))
    ask = [request_frame(f"20260311020{n}", 0x11, ENERGY) for n in (1, 2)]
    clean = [meter.answer(frame, start) for meter, frame in zip(meters, ask, strict=True)]
    heard = [line.answer(frame, start)[0] for frame in ask]
    assert heard[0] != clean[0] and heard[1] == clean[1]
    line.set_faults(gather(["flips:line:2"]))
    assert all(line.answer(frame, start)[0] != whole for frame, whole in zip(ask, clean, strict=True))


# --- covers ---


def test_an_opened_cover_is_counted_and_noted(make, read, start) -> None:
    """03300D: the count rises when the cover opens; its record has the begin at once and the end when it is shut."""
    meter = make(meter_id="a206", cover_openings=27, registers=(123456, 0, 0, 123456, 0), watts=0)
    line = Line([meter], 1)
    assert (read(meter, COVER), read(meter, TERMINAL), read(meter, RECORD)) == ("000027", "000000", "error 02")
    line.set_faults(gather(["cover:a206"]))
    line.set_faults(gather(["cover:a206", "silent:nobody"]))
    record = bytes.fromhex(read(meter, RECORD))[::-1]
    assert read(meter, COVER) == "000028", "an open cover is not opened again"
    assert len(record) == 60 and record[:6] == bytes.fromhex("003010201126") and record[6:12] == bytes(6)
    assert record[12:16] == bytes.fromhex("56341200")
    read(meter, COVER, start + timedelta(minutes=5))
    line.set_faults(Faults())
    shut = bytes.fromhex(read(meter, RECORD, start + timedelta(minutes=5)))[::-1]
    assert shut[6:12] == bytes.fromhex("003510201126") and read(meter, COVER) == "000028"
    line.set_faults(gather(["terminal:a206"]))
    assert (read(meter, COVER), read(meter, TERMINAL)) == ("000028", "000001")


def test_a_meter_does_not_forget_who_opened_it(make, read, start) -> None:
    """Ten records are kept, the newest first, over a restart; an older memory without them is taken as it is."""
    meter = make(meter_id="a206")
    for minute in range(12):
        meter.advance(start + timedelta(minutes=minute))
        meter.set_cover("cover", True)
        meter.set_cover("cover", False)
    again = make(meter_id="a206")
    again.restore(json.loads(json.dumps(meter.state())))
    later = start + timedelta(minutes=12)
    assert read(again, COVER, later) == "000012" and read(again, RECORD, later) == read(meter, RECORD, later)
    assert read(again, "03300D0A", later) != "error 02" and read(again, "03300D0B", later) == "error 02"
    old = meter.state()
    del old["covers"]
    again.restore({**old, "cover_openings": 3})


# --- what a person writes ---


@pytest.mark.parametrize(
    "text",
    ["flips:a1:1.5", "flips:a1:slyly", "late:a1:0", "late:a1", "echo:line-1:x", "unplug:", "cover:a1:1", "clear"],
)
def test_what_is_not_understood_is_told(text: str) -> None:
    """A fault that cannot be is refused with every kind there is."""
    with pytest.raises(ValueError, match=r"is not understood; write silent.*late:<meter>:<seconds>"):
        parse_fault(text)


def test_lines_count_in_order_and_can_be_taken_back() -> None:
    """`clear:` takes back what stands before it, also what the shaft file brought; the rest stands."""
    lines = ["silent:a1", "late:a1:0.9", "flips:a2:2", "unplug:line-1", "clear:a1", "stuck:a1"]
    faults = gather(lines)
    assert lines_of(faults) == ["stuck:a1", "flips:a2:2", "unplug:line-1"] == lines_of(gather(lines_of(faults)))
    assert gather([*lines, "clear:*"]) == Faults()


SHAFT = """
[shaft]
name = "practice"
faults = ["silent:a1"]
[[day_tables]]
name = "flat"
windows = [{ from = "00:00", rate = "flat" }]
[[lines]]
id = "one"
protocol = "dlt645-2007"
baud = 19200
[[lines]]
id = "two"
protocol = "dlt645-2007"
baud = 19200
"""
METER = """
[[meters]]
id = "{id}"
line = "{line}"
model = "dlt645-1p"
address = "{address}"
serial = "{address}"
load = {{ kind = "constant", watts = 0 }}
"""
ADDRESS = {"a1": "202603110001", "a2": "202603110002", "b1": "202603110003"}


@pytest.fixture
def shaft_file(tmp_path: Path) -> Path:
    path = tmp_path / "shaft.toml"
    meters = [METER.format(id=id, line="two" if id == "b1" else "one", address=ADDRESS[id]) for id in ADDRESS]
    path.write_text(SHAFT + "".join(meters), encoding="utf-8")
    return path


def test_faults_can_stand_in_the_shaft_file(shaft_file: Path, start) -> None:
    """An exercise is prepared in the shaft file; a place that is not there is named before anything starts."""
    shaft = load(shaft_file, start)
    assert shaft.lines["one"].faults.silent == {"a1"} and shaft.faults_at_start == ("silent:a1",)
    for wrong in ("silent:one", "echo:a1", "silent:a9"):
        shaft_file.write_text(shaft_file.read_text().replace("silent:a1", wrong))
        with pytest.raises(ValueError, match=f"shaft.toml: faults name what is not here: {wrong.split(':')[1]}"):
            load(shaft_file, start)
        shaft_file.write_text(shaft_file.read_text().replace(wrong, "silent:a1"))


# --- while it runs ---


@pytest.fixture
def running(shaft_file: Path, tmp_path: Path, start) -> Iterator[RunningShaft]:
    served = RunningShaft(load(shaft_file, start), tmp_path / "run", SystemClock(), [])
    served.start()
    yield served
    served.stop()


@pytest.fixture
def practise(running: RunningShaft, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    """`riser sim fault ...` while the simulator's own loop goes on: (exit code, what was printed)."""

    def typed(*words: str) -> tuple[int, str]:
        done: list[int] = []
        person = threading.Thread(target=lambda: done.append(main(["fault", "--run", str(running.run), *words])))
        capsys.readouterr()
        person.start()
        while person.is_alive():
            running.step()
            person.join(0.01)
        told = capsys.readouterr()
        return done[0], told.out + told.err

    return typed


def exchange(running: RunningShaft, line: str, id: str, wait_s: float, di: str = "00000100") -> tuple[bytes, float]:
    """Ask one meter as any program would: the bytes that came within the time, and the seconds until the first."""
    descriptor = os.open(running.run / line, os.O_RDWR | os.O_NOCTTY)
    try:
        began, got, first_s = time.monotonic(), b"", 0.0
        os.write(descriptor, build(address_bytes(ADDRESS[id]), 0x11, bytes.fromhex(di), 4))
        while (left_s := began + wait_s - time.monotonic()) > 0 and select.select([descriptor], [], [], left_s)[0]:
            got += os.read(descriptor, 256)
            first_s = first_s or time.monotonic() - began
            if any(found[1] & 0x80 for at in range(len(got)) if (found := parse(got[at:]))):
                break
        return got, first_s
    finally:
        os.close(descriptor)


def test_a_person_sets_and_clears_faults_while_it_runs(running: RunningShaft, practise) -> None:
    """`fault set` and `fault clear` act within a second and say what is in force; a misspelt place changes nothing."""
    code, told = practise("list")
    assert code == 0 and "silent:a1" in told and "lines: one two" in told and "meters: a1 a2 b1" in told
    assert exchange(running, "one", "a1", 0.3)[0] == b""
    code, told = practise("clear", "a1")
    assert code == 0 and "none" in told, "also what the shaft file brought"
    assert parse(exchange(running, "one", "a1", 3.0)[0])
    code, told = practise("set", "a9", "silent")
    assert code == 2 and "there is no meter 'a9'; there are a1, a2, b1" in told
    assert practise("set", "one", "unplug", "now")[0] == 2
    code, told = practise("set", "b1", "noise", "1")
    assert code == 0 and "noise:b1:1" in told
    code, told = practise("set", "b1", "noise", "0.5")
    assert "noise:b1:0.5" in told and "noise:b1:1\n" not in told
    code, told = practise("clear")
    assert code == 0 and "none" in told and gather(running.faults_path.read_text().splitlines()) == Faults()


@pytest.mark.parametrize(
    ("words", "told", "right"),
    [
        (("b1", "noise", "5"), "noise takes a number from 0 to 1: how many of the replies, not '5'", "b1 noise 0.05"),
        (
            ("one", "noise"),
            "noise takes a number from 0 to 1: how many of the replies, not 'nothing'",
            "one noise 0.05",
        ),
        (("a1", "late", "soon"), "late takes seconds, more than 0 and at most 60, not 'soon'", "a1 late 1.5"),
        (("a1", "babble", "61"), "babble takes seconds, more than 0 and at most 60, not '61'", "a1 babble 3"),
        (("a1", "flips", "x"), "or the word sly, not 'x'", "a1 flips 2"),
        (("a1", "silent", "1"), "silent takes nothing behind it, not '1'", "a1 silent"),
        (("silent", "a1"), "the place comes first, then what is wrong there", "a1 silent"),
        (("noise", "one", "0.1"), "the place comes first", "one noise 0.05"),
        (("a1", "smoke"), "there is no fault 'smoke'; there are silent, stuck", "a1 silent"),
    ],
)
def test_a_wrong_value_is_told_with_the_right_words(
    running: RunningShaft, practise, words: tuple[str, ...], told: str, right: str
) -> None:
    """What the fault takes and a line to copy, which is then accepted; nothing is in force of the wrong one."""
    before = running.faults_path.read_text() if running.faults_path.exists() else ""
    code, said = practise("set", *words)
    assert code == 2 and told in said and said.strip().endswith(f"write for example: riser sim fault set {right}")
    assert (running.faults_path.read_text() if running.faults_path.exists() else "") == before
    assert practise("set", *right.split())[0] == 0


def test_every_kind_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    """`fault kinds` and `--help` tell each kind with its place and argument; without a simulator `set` says so."""
    assert main(["fault", "kinds"]) == 0
    told = capsys.readouterr().out
    with pytest.raises(SystemExit):
        main(["--help"])
    helped = capsys.readouterr().out
    assert all(f"  {kind}" in told and f"  {kind}" in helped for kind in KINDS) and "riser sim fault set" in helped
    assert main(["fault", "--run", "/nonexistent", "set", "a1", "silent"]) == 2
    assert "no simulator serves /nonexistent" in capsys.readouterr().err


def test_an_adapter_is_pulled_and_put_back(running: RunningShaft, practise) -> None:
    """`unplug`: the name is gone and whoever has it open hears so; cleared, it is back as another device."""
    device = os.readlink(running.run / "two")
    descriptor = os.open(running.run / "two", os.O_RDWR | os.O_NOCTTY)
    assert practise("set", "two", "unplug")[0] == 0
    running.step()
    assert not (running.run / "two").is_symlink()
    with pytest.raises(OSError):
        os.write(descriptor, b"x")
    os.close(descriptor)
    assert parse(exchange(running, "one", "a2", 3.0)[0]), "the other line goes on"
    practise("clear", "two")
    running.step()
    assert os.readlink(running.run / "two") != device
    assert parse(exchange(running, "two", "b1", 3.0)[0])


def test_a_late_meter_keeps_nobody_waiting_and_an_echo_stands_in_front(running: RunningShaft) -> None:
    """A late answer falls into a neighbour's question, who answers in its time; an echo stands before the answer."""
    running.shaft.set_faults(gather(["late:a1:0.8", "echo:two"]))
    assert exchange(running, "one", "a1", 0.6)[0] == b""
    heard, first_s = exchange(running, "one", "a2", 1.0)
    assert address_bytes(ADDRESS["a2"]) in heard and first_s < 0.5
    heard += exchange(running, "one", "b1", 0.6)[0]  # Nobody on this line.
    assert address_bytes(ADDRESS["a1"]) in heard, "the late answer came into what was asked next"
    heard, first_s = exchange(running, "two", "b1", 3.0)
    asked = build(address_bytes(ADDRESS["b1"]), 0x11, bytes(2) + b"\x01\x00", 4)
    assert heard.startswith(asked) and parse(heard[len(asked) :])
