"""`riser meter` at water meters, Modbus slaves and DL/T 645-1997: read, and order with the same care."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from bridge.contract.clock import ManualClock
from edge.by_hand.__main__ import main
from edge.by_hand.desk import Desk
from edge.codec import cjt188, modbus
from edge.line.inline import InlineWire
from edge.line.wire import Line
from tests.edge.published import samples

START = datetime(2026, 11, 20, 2, 30, tzinfo=UTC)
WATER = "00000012345678"


class Stage:
    """A line on which `answer` speaks; what was sent is kept."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch):
        self.clock = ManualClock(START)
        self.sent: list[bytes] = []
        self.said: list[str] = []
        self.typed: list[str] = []
        self.answer: Callable[[bytes], bytes] = lambda frame: b""
        monkeypatch.setattr(Line, "open", lambda line: InlineWire(line, self._answer, self.clock))

    def _answer(self, frame: bytes, now: datetime, mono: float) -> tuple[bytes, float]:
        self.sent.append(frame)
        return self.answer(frame), 0.05

    def run(self, *words: str) -> int:
        desk = Desk(say=self.said.append, typed=lambda _: self.typed.pop(0), typed_unseen=lambda _: "")
        return main(["line", *words], desk, self.clock)


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Stage:
    return Stage(monkeypatch)


# --- CJ/T 188 ---


class WaterMeter:
    """A cold water meter whose valve obeys, or is stuck."""

    def __init__(self) -> None:
        self.shut, self.stuck, self.refuses = False, False, False
        self.writes = 0

    def __call__(self, raw: bytes) -> bytes:
        asked = cjt188.decode(raw)
        if asked.address not in (WATER, "aa" * 7) or asked.kind not in (0x10, 0xAA):
            return b""
        if asked.function == cjt188.WRITE:
            self.writes += 1
            if self.refuses:
                return cjt188.encode(cjt188.Frame(0x10, WATER, 0xC4, asked.data[:3] + b"\x01"))
            self.shut = self.shut if self.stuck else asked.data[3] == cjt188.SHUT
            return cjt188.encode(cjt188.Frame(0x10, WATER, 0x84, asked.data[:3] + bytes([self.shut, 0])))
        fields = bytes.fromhex("785634122c000000002c") + bytes(7) + bytes([1 if self.shut else 0, 0])
        return cjt188.encode(cjt188.Frame(0x10, WATER, 0x81, asked.data[:3] + fields))


def test_a_water_meter_is_read(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    """Volume and valve in words, by its address or whoever is alone on the line."""
    stage.answer = WaterMeter()
    for address in (WATER, "any", "12345678"):
        assert stage.run("--protocol", "cjt188", address, "read", "metering") == 0
        out = capsys.readouterr().out
        assert "volume now: 123456.78 m3" in out and "valve open" in out


def test_a_valve_is_shut_and_read_back(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    """Its state is shown, the person confirms, one order leaves, and only the status calls it done (R35)."""
    meter = stage.answer = WaterMeter()
    stage.typed = ["1234"]
    assert stage.run("--protocol", "cjt188", WATER, "off") == 2 and meter.writes == 0
    stage.typed = ["5678"]
    assert stage.run("--protocol", "cjt188", WATER, "off") == 0 and meter.shut and meter.writes == 1
    assert "read back: the valve is closed" in capsys.readouterr().out
    meter.stuck = True
    assert stage.run("--protocol", "cjt188", WATER, "on", "--yes") == 1
    assert "the valve is closed after 60 s" in stage.said[-1]
    meter.refuses = True
    assert stage.run("--protocol", "cjt188", WATER, "on", "--yes") == 1 and "refused" in stage.said[-1]


def test_on_opens_a_valve(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    """`on` is water, as it is light elsewhere; what will happen is said before it is confirmed."""
    meter = stage.answer = WaterMeter()
    meter.shut = True
    assert stage.run("--protocol", "cjt188", WATER, "on", "--yes") == 0 and not meter.shut
    assert "read back: the valve is open" in capsys.readouterr().out
    assert "this will open its valve: water flows" in stage.said
    assert stage.run("--protocol", "cjt188", WATER, "off", "--yes") == 0 and meter.shut
    assert "this will close its valve: no water flows" in stage.said


@pytest.mark.parametrize("word", ["open", "shut", "close", "trip"])
def test_a_word_that_means_the_opposite_elsewhere_is_refused(
    stage: Stage, word: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """`close` is light for a relay and no water for a valve: nothing is sent, and the right words are named."""
    stage.answer = WaterMeter()
    with pytest.raises(SystemExit) as ended:
        stage.run("--protocol", "cjt188", WATER, word, "--yes")
    assert ended.value.code == 2 and stage.sent == []
    told = capsys.readouterr().err
    assert "write `off` or `on`: `off` closes the valve" in told


@pytest.mark.parametrize("address", ["any", "9" * 14, "AA" * 7, "1" * 15])
def test_no_valve_of_nobody(stage: Stage, address: str, capsys: pytest.CaptureFixture[str]) -> None:
    """I13 holds for water too."""
    with pytest.raises(SystemExit) as ended:
        stage.run("--protocol", "cjt188", address, "off", "--yes")
    assert ended.value.code == 2 and stage.sent == []


# --- Modbus ---


class Slave:
    """A slave with registers and coils, which may keep what it has."""

    def __init__(self) -> None:
        self.registers = {0x10: 7, 0x11: 8}
        self.coils = {0: 0, 1: 0}
        self.stubborn = False
        self.writes = 0

    def __call__(self, raw: bytes) -> bytes:
        if raw[0] != 6:
            return b""
        function, start, count = raw[1], int.from_bytes(raw[2:4], "big"), int.from_bytes(raw[4:6], "big")
        if function in (5, 6, 15, 16):
            return self._write(raw, function, start, count)
        table = self.coils if function == 1 else self.registers
        if not all(start + n in table for n in range(count)):
            return self._framed(bytes([6, function | 0x80, 2]))
        values = [table[start + n] for n in range(count)]
        if function == 1:
            return self._framed(bytes([6, 1, 1, sum(bit << n for n, bit in enumerate(values))]))
        return self._framed(bytes([6, function, 2 * count]) + b"".join(v.to_bytes(2, "big") for v in values))

    def _write(self, raw: bytes, function: int, start: int, count: int) -> bytes:
        self.writes += 1
        if not self.stubborn:
            if function == 6:
                self.registers[start] = count
            elif function == 16:
                for n in range(count):
                    self.registers[start + n] = int.from_bytes(raw[7 + 2 * n : 9 + 2 * n], "big")
            elif function == 5:
                self.coils[start] = int(count == 0xFF00)
            else:
                self.coils |= {start + n: raw[7] >> n & 1 for n in range(count)}
        return self._framed(raw[:6])

    def _framed(self, body: bytes) -> bytes:
        return body + modbus.crc(body)


def modbus_words(*words: str) -> list[str]:
    return ["--protocol", "modbus-rtu", "--baud", "9600", *words]


def test_registers_are_read(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    """As words and as 32 bits; an exception is a sentence and exit code 1."""
    stage.answer = Slave()
    assert stage.run(*modbus_words("6", "read", "0x10", "2", "--json")) == 0
    assert json.loads(capsys.readouterr().out)["readings"][0]["registers"] == ["0007", "0008"]
    assert stage.run(*modbus_words("6", "read", "0x100", "2")) == 1 and "no such register" in stage.said[-1]
    assert stage.run(*modbus_words("6", "read", "0", "121")) == 2 and stage.run(*modbus_words("6", "read", "x")) == 2
    assert stage.run(*modbus_words("6", "read", "0", "2", "--function", "1")) == 0


@pytest.mark.parametrize(
    ("words", "stands"),
    [
        (("write-registers", "0x10", "300", "0x1F"), "read back: 300 (012C) 31 (001F)"),
        (("write-register", "0x11", "9"), "read back: 9 (0009)"),
        (("write-coils", "0", "1", "1"), "read back: 1 1"),
        (("write-coils", "1", "1"), "read back: 1"),
    ],
)
def test_what_is_written_is_read_back(
    stage: Stage, words: tuple[str, ...], stands: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """What stands there is shown first; the slave's own number confirms; a slave that keeps its value is not done."""
    slave = stage.answer = Slave()
    stage.typed = ["7"]
    assert stage.run(*modbus_words("6", *words)) == 2 and slave.writes == 0
    stage.typed = ["6"]
    assert stage.run(*modbus_words("6", *words)) == 0 and stands in capsys.readouterr().out and slave.writes == 1
    fresh = stage.answer = Slave()
    fresh.stubborn = True
    assert stage.run(*modbus_words("6", *words, "--yes")) == 1 and "it reads back as" in stage.said[-1]
    assert any("slave 6 answers" in text for text in stage.said)


@pytest.mark.parametrize("address", ["0", "248", "any", "-1", "٦"])
def test_no_write_to_everybody(stage: Stage, address: str, capsys: pytest.CaptureFixture[str]) -> None:
    """I13: slave 0 is everybody."""
    with pytest.raises(SystemExit) as ended:
        stage.run(*modbus_words(address, "write-registers", "0", "1", "--yes"))
    assert ended.value.code == 2 and stage.sent == []


def test_a_write_that_cannot_be_looked_at_is_not_made(stage: Stage) -> None:
    """Registers that cannot be read before are not written; nobody there, nothing written; limits are sentences."""
    slave = stage.answer = Slave()
    assert stage.run(*modbus_words("6", "write-registers", "0x200", "1", "--yes")) == 1
    assert "nothing was written" in stage.said[-1] and slave.writes == 0
    assert stage.run(*modbus_words("5", "write-registers", "0x10", "1", "--yes")) == 1 and slave.writes == 0
    assert stage.run(*modbus_words("6", "write-registers", "0xFFFF", "1", "2", "--yes")) == 2
    assert stage.run(*modbus_words("6", "write-coils", "0", "2", "--yes")) == 2
    assert stage.run(*modbus_words("6", "write-register", "0x10", "1", "2", "--yes")) == 2 and slave.writes == 0


# --- DL/T 645-1997 ---


def test_a_meter_of_1997_is_read(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    """The manual's own frame: 100 V; and it can be ordered nothing."""
    reply = next(each for each in samples("dlt645-1997") if each.id == "d97-read-volt-resp")
    stage.answer = lambda frame: reply.raw
    old = ("--protocol", "dlt645-1997", "--baud", "1200", "3")
    assert stage.run(*old, "read", "B611") == 0 and "B611  voltage: 100 V" in capsys.readouterr().out
    for command in ("trip", "clock", "address"):
        with pytest.raises(SystemExit):
            stage.run(*old, command)
        assert "has no" in capsys.readouterr().err
