"""A bad line, and what the edge makes of it: the others keep their turn, and no answer is taken for another's."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bridge.contract.clock import ManualClock, SystemClock
from edge import model
from edge.codec import dlt645, modbus
from edge.device_words import NOT_THERE
from edge.line import port, wire
from edge.line.inline import InlinePort
from edge.line.port import ThreadPort
from edge.line.quiet import AFTER_NOTHING_S, LATE_S, Quiet
from edge.line.request import PERSON, Manner, Reply, Request
from edge.line.wire import Line
from firmware_sim import shaft as sim_shaft
from firmware_sim.faults import Faults, gather
from firmware_sim.running import RunningShaft
from tests.edge.building import DEMO, START, Building

ROOM = "a206"


@pytest.mark.parametrize("fault", ["silent:a201", "noise:a201:1", "flips:a201:2", "flips:a201:sly", "late:a201:0.9"])
def test_the_others_keep_their_turn(tmp_path: Path, fault: str) -> None:
    """One bad meter: its neighbours are read every few seconds, with their own registers, and nothing befalls them."""
    building = Building(tmp_path, meters={"a201", "a202", ROOM}, poll_s=2, idle_s=0.2)
    building.topup("100206", 5000_00)
    building.run(seconds=20)
    building.shaft.set_faults(gather([fault]))
    entries = len(building.entries())
    for _ in range(12):
        building.run(seconds=5)
        for id in ("a202", ROOM):
            live, sim = building.edge.core.lives[id], building.sim_meter(id)
            assert live.sample is not None and live.online
            assert (building.clock.now() - live.sample.read_at).total_seconds() < 10, id
            assert 0 <= 10 * sim.metrology.registers()[0] - live.sample.registers_wh["total"] < 600
    concerned = {entry.fields.get("meter") for entry in building.entries()[entries:]}
    assert concerned <= {"a201", None}


def test_an_echoing_adapter_changes_nothing(tmp_path: Path) -> None:
    """Every answer has our own question in front: all meters are read, a silent one costs one time-out."""
    building = Building(tmp_path, meters={"a201", ROOM}, poll_s=2, idle_s=0.2, faults=("silent:a201",))
    building.connect()
    wire = building.ports["line-2"].wire
    heard = wire._answer

    def echoing(frame: bytes, now: datetime, mono: float) -> tuple[bytes, float]:
        reply, think_s = heard(frame, now, mono)
        return frame + reply, think_s

    wire._answer = echoing
    poll = building.edge.polls["line-2"]
    building.run_until(lambda: poll.rounds == 6, hours=1)
    assert building.edge.core.lives[ROOM].sample is not None
    assert building.edge.core.lives["a201"].online is False and poll.failed == 3
    assert building.fact("meter/a201/availability")["why"] == "silent in 3 rounds", "not noise"


class Modbus:
    """The demo's Modbus line with a port in the test's hands."""

    def __init__(self) -> None:
        self.clock = ManualClock(START)
        self.line = sim_shaft.load(DEMO / "shaft.toml", START).lines["line-3"]
        self.inbox: list[Reply] = []
        wired = Line("line-3", Path("unused"), "modbus-rtu", 9600, "N")
        self.port = InlinePort(wired, self.line.answer, self.inbox.append, self.clock)  # type: ignore[arg-type]

    def ask(self, name: str, slave: str, kind: str = "eastron-sdm630") -> Reply:
        frame = model.load(kind).ask(name, slave)
        self.port.put(Request(len(self.inbox), PERSON, "a301", name, frame))
        while not self.port.pump():
            self.clock.advance(0.1)
        return self.inbox[-1]


def test_a_late_modbus_answer_is_no_answer_to_another_question() -> None:
    """A Modbus answer does not say what it answers: kWh are never taken for W, nor W for kWh (failure 23)."""
    line = Modbus()
    kind, meter = model.load("eastron-sdm630"), line.line.meters[0]
    for think_s in (0.6, 0.7, 0.9, 1.3, 1.9, 2.4):
        for first, then in (("energy", "power"), ("power", "energy")):
            line.line.set_faults(gather([f"late:a301:{think_s}"]))
            assert line.ask(first, "1").error == "silent"
            line.line.set_faults(Faults())
            values = kind.values(then, line.ask(then, "1").raw or b"", UTC)
            wh, w = 10 * meter.metrology.registers()[0], meter.metrology.watts()
            (value,) = values.values()
            assert value == pytest.approx(wh if then == "energy" else w, rel=0.01), (think_s, first)


def doubling(line: Modbus, after_s: float, burst: bool) -> None:
    """From now on every answer on the line comes twice, the copy so much after the first; in a burst with what follows
    where the adapter delivers so."""
    wire = line.port.wire
    write, read = wire.write, wire.read

    def twice(frame: bytes) -> None:
        before = list(wire._coming)
        write(frame)
        answers = [each for each in wire._coming if each not in before]
        wire._coming = sorted([*wire._coming, *((due + after_s, raw) for due, raw in answers)])

    def at_once(timeout_s: float) -> bytes:
        piece = read(timeout_s)
        while piece and wire._coming and wire._coming[0][0] < line.clock.monotonic() + 0.02:
            line.clock.advance(max(0.0, wire._coming[0][0] - line.clock.monotonic()))
            piece += wire._coming.pop(0)[1]
        return piece

    wire.write = twice  # type: ignore[method-assign]
    if burst:
        wire.read = at_once  # type: ignore[method-assign]


@pytest.mark.parametrize("burst", [False, True])
@pytest.mark.parametrize("after_s", [0.001, 0.006, 0.012, 0.02, 0.03, 0.06])
def test_an_answer_that_comes_twice_answers_one_question(after_s: float, burst: bool) -> None:
    """A repeater, an echoing adapter, a slave that says all twice: whenever the copy comes, kWh are never taken for W,
    and what is read twice is read twice."""
    line = Modbus()
    line.line.think_s = (0.015, 0.015)
    kind, meter = model.load("eastron-sdm630"), line.line.meters[0]
    doubling(line, after_s, burst)
    for name in ("energy", "power", "energy", "power", "power", "energy", "energy", "power"):
        reply = line.ask(name, "1")
        (value,) = kind.values(name, reply.raw or b"", UTC).values()
        expected = 10 * meter.metrology.registers()[0] if name == "energy" else meter.metrology.watts()
        assert value == pytest.approx(expected, rel=0.01), name
    line.port.wire._coming.clear()


@pytest.mark.parametrize("after_s", [0.001, 0.012, 0.03])
def test_a_copy_confirms_nothing(after_s: float) -> None:
    """A reading that is doubted is read again at once: the second copy of a wrong answer is not the second reading."""
    line = Modbus()
    line.line.think_s = (0.015, 0.015)
    doubling(line, after_s, False)
    wire, right = line.port.wire, line.port.wire._answer

    def wrong_once(frame: bytes, now: datetime, mono: float) -> tuple[bytes, float]:
        wire._answer = right
        body = bytes([frame[0], frame[1], 4]) + b"\x42\x00\x00\x00"
        return body + modbus.crc(body), 0.015

    wire._answer = wrong_once
    first, second = line.ask("energy", "1"), line.ask("energy", "1")
    assert first.raw is not None and b"\x42\x00\x00\x00" in first.raw
    assert second.raw is not None and second.raw != first.raw


def framed(words: bytes) -> bytes:
    """What slave 1 answers to a read of two registers."""
    body = bytes([1, 4, 4]) + words
    return body + modbus.crc(body)


def both_at_once(line: Modbus, times: int) -> list[bytes]:
    """Two slaves with one address answer the next questions in one burst; then one. Returns what was asked."""
    asked: list[bytes] = []

    def answer(frame: bytes, now: datetime, mono: float) -> tuple[bytes, float]:
        asked.append(frame)
        one, other = framed(b"\x42\x00\x00\x00"), framed(b"\x43\x00\x00\x00")
        return (one + other if len(asked) <= times else one), 0.015

    line.port.wire._answer = answer
    return asked


def test_two_different_answers_at_once_are_none() -> None:
    """Two slaves with one address, on the very first question too: neither is believed; asked again in a quiet line."""
    line = Modbus()
    asked = both_at_once(line, times=1)
    assert line.ask("energy", "1").raw == framed(b"\x42\x00\x00\x00") and len(asked) == 2
    line = Modbus()
    asked = both_at_once(line, times=2)
    reply = line.ask("energy", "1")
    assert reply.raw is None and reply.error == "noise" and len(asked) == 2


def test_a_reading_read_twice_costs_a_moment_and_no_time_out() -> None:
    """Twice the same question, twice the same answer: before the second a copy is waited for, and behind it nothing."""
    line = Modbus()
    line.port.wire._answer = lambda frame, now, mono: (framed(b"\x42\x00\x00\x00"), 0.015)
    began = line.clock.monotonic()
    for _ in range(2):
        assert line.ask("energy", "1").raw
    assert line.clock.monotonic() - began < 2 * 0.04 + 0.15 + 0.02


def test_two_answers_that_are_alike_cost_one_look(caplog: pytest.LogCaptureFixture) -> None:
    """No load: power and reactive power are both nothing, round after round. That is looked into once, and not in
    each round, and no line is called bad for it."""
    line = Modbus()
    nothing = bytes([1, 4, 4, 0, 0, 0, 0])
    line.port.wire._answer = lambda frame, now, mono: (nothing + modbus.crc(nothing), 0.015)
    began = line.clock.monotonic()
    for _ in range(20):
        assert line.ask("power", "1").raw and line.ask("energy", "1").raw
    assert line.clock.monotonic() - began < 40 * 0.06 + 2 * 0.6
    assert not [message for message in caplog.messages if "twice" in message]


def test_a_line_that_says_all_twice_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    """The log names the slave and what to look for, once, and from then on every question waits for the copy."""
    line = Modbus()
    line.line.think_s = (0.015, 0.015)
    doubling(line, 0.006, False)
    for name in ("energy", "power") * 10:
        assert line.ask(name, "1").raw
    (message,) = [message for message in caplog.messages if "twice" in message]
    assert "slave 1" in message and "repeater" in message


def test_the_line_is_not_held_up_for_a_late_slave() -> None:
    """While one slave's late answer may still come, the next slave is asked, and answers for itself."""
    line = Modbus()
    line.line.set_faults(gather(["late:a301:0.9"]))
    assert line.ask("energy", "1").error == "silent"
    asked = line.clock.monotonic()
    reply = line.ask("energy", "2")
    assert reply.raw is not None and reply.raw[0] == 2
    assert line.clock.monotonic() - asked < AFTER_NOTHING_S + 0.2


def test_a_line_is_left_alone_after_a_time_out() -> None:
    """The quiet before a question: short after an answer, longer after nothing, and long for a Modbus slave itself."""
    lines = [Line("one", Path("unused"), protocol, 9600, "E") for protocol in ("dlt645-2007", "modbus-rtu")]
    plain, slaves = (Quiet(line) for line in lines)
    asked, one, two = (
        Request(1, PERSON, "a101", "energy", frame)
        for frame in (dlt645.read("1" * 12, "00010000"), modbus.read(1, 3, 0, 2), modbus.read(2, 3, 0, 2))
    )
    for quiet, request in ((plain, asked), (slaves, one)):
        quiet.over(request, answered=True, now=100.0)
        assert quiet.pause_s(request, 101.0) == 0
        gentle = replace(request, manner=Manner(quiet_s=0.05))
        assert quiet.pause_s(gentle, 100.02) == pytest.approx(0.03), "a model may ask for more than its protocol does"
    assert plain.pause_s(asked, 100.0) == 0
    assert slaves.pause_s(one, 100.0) == pytest.approx(3.5 * 11 / 9600)
    for quiet, request in ((plain, asked), (slaves, one)):
        quiet.over(request, answered=False, now=200.0)
    assert plain.pause_s(asked, 200.0) == pytest.approx(AFTER_NOTHING_S)
    assert slaves.pause_s(two, 200.0) == pytest.approx(AFTER_NOTHING_S)
    assert slaves.pause_s(one, 200.5) == pytest.approx(LATE_S - 0.5)
    slaves.over(one, answered=True, now=203.0)
    assert slaves.pause_s(one, 204.0) == 0


# --- real ports ---


class Bench:
    """Two real ports on two simulated lines, and the answers that come in."""

    def __init__(self, run: Path):
        self.shaft = sim_shaft.load(DEMO / "shaft.toml", datetime.now(UTC))
        self.sim = RunningShaft(self.shaft, run, SystemClock(), [])
        self.sim.start()
        self.inbox: queue.Queue[Any] = queue.Queue()
        speeds = {wiring.line_id: wiring for wiring in self.shaft.wirings}
        self.ports = {}
        for id in ("line-1", "line-2"):
            wired = Line(id, run / id, "dlt645-2007", speeds[id].baud, "E")
            self.ports[id] = ThreadPort(wired, self.inbox.put, SystemClock())
            self.ports[id].start()
        self.number = 0

    def ask(self, id: str) -> Reply:
        """Ask a meter for its number, on its own line."""
        line = next(name for name, line in self.shaft.lines.items() if id in {meter.meter_id for meter in line.meters})
        self.number += 1
        frame = model.load("dlt645-1p").ask("serial", self.shaft.meters[id].address)
        self.ports[line].put(Request(self.number, PERSON, id, "serial", frame))
        while True:
            reply: Reply = self.inbox.get(timeout=10)
            if reply.request.number == self.number:
                return reply

    def until_answered(self, id: str) -> Reply:
        """Ask until the meter answers; the port opens its device by itself meanwhile."""
        deadline = time.monotonic() + 10
        while (reply := self.ask(id)).raw is None:
            assert time.monotonic() < deadline, reply.error
        return reply

    def fault(self, *lines: str) -> None:
        self.sim.faults_path.write_text("\n".join(lines))
        self.sim.step()

    def close(self) -> None:
        for each in self.ports.values():
            each.stop()
        for each in self.ports.values():
            each.join(10)
        self.sim.stop()


def test_two_adapters_are_pulled_and_put_back_the_other_way_round(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each line is found again by its name, however the devices are numbered; one log line when it goes and one when
    it is back, also when it was tried a hundred times in between; and nobody's meter answers for another's."""
    monkeypatch.setattr(port, "LONGEST_PAUSE_S", 0.01)
    monkeypatch.setattr(port, "FIRST_PAUSE_S", 0.01)
    tried, sent, enough = Counter[str](), threading.Event(), threading.Event()
    opens, writes = Line.open, wire.SerialWire.write

    def counted(self: Line) -> wire.Wire:
        tried[self.id] += 1
        enough.set()
        return opens(self)

    def told(self: wire.SerialWire, frame: bytes) -> None:
        writes(self, frame)
        sent.set()

    monkeypatch.setattr(Line, "open", counted)
    monkeypatch.setattr(wire.SerialWire, "write", told)
    bench = Bench(tmp_path / "run")
    numbers = {id: bench.shaft.meters[id].serial for id in ("a101", ROOM)}  # type: ignore[attr-defined]

    def own_number(id: str) -> bool:
        said = model.load("dlt645-1p").values("serial", bench.until_answered(id).raw or b"", UTC)
        return bool(said == {"serial": numbers[id]})

    try:
        assert own_number("a101") and own_number(ROOM)
        devices = {id: (tmp_path / "run" / id).readlink() for id in bench.ports}
        with caplog.at_level(logging.INFO):
            caplog.clear()
            sent.clear()
            bench.fault("silent:a206")
            bench.ports["line-2"].put(request := Request(99, PERSON, ROOM, "x", dlt645.read("2" * 12, "00010000")))
            assert sent.wait(10), "the question is out, and its answer is waited for"
            bench.fault("unplug:line-1", "unplug:line-2")
            assert bench.inbox.get(timeout=10).request is request
            assert bench.ask("a101").error == "closed" == bench.ask(ROOM).error
            assert (bench.ports["line-2"].state, bench.ports["line-2"].why) == ("closed", NOT_THERE)
            tried.clear()
            while min(tried[id] for id in bench.ports) < 30:
                assert enough.wait(10), "each is tried again and again"
                enough.clear()
            bench.fault("unplug:line-1")
            bench.fault("")
            assert own_number("a101") and own_number(ROOM)
        assert {id: (tmp_path / "run" / id).readlink() for id in bench.ports} != devices
        for id in bench.ports:
            lines = [message for message in caplog.messages if message.startswith(f"port {id}")]
            assert len(lines) == 2 and "is gone" in lines[0] and "is back" in lines[1], lines
    finally:
        bench.close()


def test_a_device_that_was_never_there_is_told_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A name that is misspelt, or an adapter not plugged in yet: one line in the log, however often it is tried."""
    missing = ThreadPort(Line("line-9", tmp_path / "none", "dlt645-2007", 2400, "E"), print, SystemClock())
    for _ in range(50):
        assert not missing._open()
    assert len(caplog.messages) == 1 and "is not there" in caplog.messages[0] and missing.why == NOT_THERE


def test_a_device_that_is_not_there_is_tried_ever_more_seldom(tmp_path: Path) -> None:
    """A fifth of a second at first, so that a blink of the plug costs nothing, and no more often than every two
    seconds after a while, so that a missing adapter costs no computing time; the waiting are answered each time."""
    told: list[Reply] = []
    missing = ThreadPort(Line("line-9", tmp_path / "none", "dlt645-2007", 2400, "E"), told.append, SystemClock())  # type: ignore[arg-type]

    class Patience(threading.Event):
        """Does not wait, and notes for how long it should have."""

        def __init__(self) -> None:
            super().__init__()
            self.pauses: list[float] = []

        def wait(self, timeout: float | None = None) -> bool:
            assert timeout is not None
            self.pauses.append(timeout)
            missing.put(Request(len(self.pauses), PERSON, ROOM, "look", b""))
            if len(self.pauses) == 7:
                self.set()
            return self.is_set()

    missing._stopping = patience = Patience()
    missing.run()
    assert patience.pauses == [0.2, 0.4, 0.8, 1.6, 2.0, 2.0, 2.0]
    assert [(each.request.number, each.error) for each in told] == [(n, "closed") for n in range(1, 7)]
