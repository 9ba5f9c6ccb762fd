"""`riser meter` by a Modbus meter's model: rows by name, a survey, its relay; water and 1997 by the names of theirs."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bridge.contract.clock import ManualClock
from edge import model
from edge.by_hand.__main__ import main
from edge.by_hand.desk import Desk
from edge.by_hand.modelled import Modelled, shown
from edge.codec import modbus
from edge.line.inline import InlineWire
from edge.line.wire import Line
from firmware_sim.cjt188 import WaterMeter
from firmware_sim.dlt645.old import OldMeter
from firmware_sim.eastron import EastronSdm630
from firmware_sim.loads import Load
from firmware_sim.switched import AcrelCircuit, AcrelSwitched, HikingDds238

START = datetime(2026, 11, 20, 2, 30, tzinfo=UTC)
SHANGHAI = ZoneInfo("Asia/Shanghai")
WATER, OLD, NUMBER = "00000012345678", "000000000003", "212604300303"


REFUSED = bytes.fromhex("068302") + modbus.crc(bytes.fromhex("068302"))


def load() -> Load:
    return Load("constant", 3600, 7, SHANGHAI)


class Stage:
    """A line with simulated meters; what was sent is kept."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch):
        self.clock = ManualClock(START)
        self.meters: list[Any] = []
        self.sent: list[bytes] = []
        self.said: list[str] = []
        self.typed: list[str] = []
        monkeypatch.setattr(Line, "open", lambda line: InlineWire(line, self._answer, self.clock))

    def _answer(self, frame: bytes, now: datetime, mono: float) -> tuple[bytes, float]:
        self.sent.append(frame)
        return b"".join(meter.answer(frame, now, mono) or b"" for meter in self.meters), 0.05

    def run(self, *words: str) -> int:
        desk = Desk(say=self.said.append, typed=lambda _: self.typed.pop(0), typed_unseen=lambda _: "")
        return main(["line", *words], desk, self.clock)

    def writes(self) -> int:
        """Frames of Modbus that write."""
        return sum(frame[1] in (5, 6, 15, 16) for frame in self.sent)


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Stage:
    return Stage(monkeypatch)


def of(model_id: str, *words: str, slave: str = "6") -> list[str]:
    return [slave, "--model", model_id, "--baud", "9600", *words]


# --- Modbus: reading by rows ---


def test_rows_of_a_model_are_read_by_name(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    """The model says protocol, function, register and unit; the person says `energy`."""
    stage.meters = [EastronSdm630(6, "", load(), START, phases=3, registers=(123456, 0, 0, 0, 0))]
    assert stage.run(*of("eastron-sdm630", "read", "energy")) == 0
    assert capsys.readouterr().out == "energy: energy 1234.560 kWh\n"
    assert stage.run(*of("eastron-sdm630", "read", "energy", "--json")) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["readings"] == [{"name": "energy", "values": {"energy_wh": 1234560}, "refused": None}]
    assert stage.run(*of("eastron-sdm630", "read", "energie")) == 2
    assert "has no row 'energie'; it has energy, " in stage.said[-1]


def test_registers_are_read_by_number_beside_a_model(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    """Naming the model takes nothing away: START COUNT means registers."""
    stage.meters = [AcrelSwitched(6, NUMBER, load(), START)]
    assert stage.run(*of("acrel-ddsy1352", "read", "0x57", "2", "--json")) == 0
    assert json.loads(capsys.readouterr().out)["readings"][0]["registers"] == ["0000", "0000"]


def test_a_model_is_surveyed_and_listed(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    """Every row once, what it refuses is listed and no failure; `list` opens nothing and shows the same rows."""
    meter = AcrelSwitched(6, NUMBER, load(), START)
    stage.meters = [meter]
    rows = list(model.load("acrel-ddsy1352").rows)
    assert stage.run(*of("acrel-ddsy1352", "survey", "--json")) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["has"] == rows and told["lacks"] == [] and len(stage.sent) == len(rows)
    answer = meter.answer
    meter.answer = (
        lambda frame, *more: (  # type: ignore[method-assign]
            REFUSED if frame[2:4] == b"\x00\x43" else answer(frame, *more)
        )
    )
    assert stage.run(*of("acrel-ddsy1352", "survey")) == 0
    out = capsys.readouterr().out
    assert "serial: the meter refused: it has no such register" in out
    assert f"has {len(rows) - 1} of {len(rows)} rows of acrel-ddsy1352; has not: serial" in out
    sent = len(stage.sent)
    assert stage.run(*of("acrel-ddsy1352", "list")) == 0 and len(stage.sent) == sent
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == rows


def test_a_meter_that_goes_silent_ends_a_survey(stage: Stage) -> None:
    """Nobody there: one question, not a dozen."""
    assert stage.run(*of("acrel-ddsy1352", "survey")) == 1 and "nobody answers" in stage.said[-1]
    assert len(stage.sent) == 2, "a read is asked twice"


@pytest.mark.parametrize(
    ("key", "value", "text"),
    [
        ("energy_wh", 5, "energy 0.005 kWh"), ("energy_peak_wh", -1234, "energy peak -1.234 kWh"),
        ("volume_l", 1234567, "volume 1234.567 m3"), ("voltage_a_v", 220.1, "voltage a 220.1 V"),
        ("amps_b", 1.5, "amps b 1.5 A"), ("serial", "21", "serial 21"), ("power_factor", 0.98, "power factor 0.98"),
    ],
)  # fmt: skip
def test_values_have_their_units(key: str, value: object, text: str) -> None:
    """As on a plate or a bill."""
    assert shown(key, value) == text


# --- Modbus: the relay ---


@pytest.mark.parametrize("kind", [AcrelSwitched, HikingDds238])
def test_a_relay_is_moved_and_read_back(stage: Stage, kind: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """The meter answers first, its address confirms, one frame leaves, and the status row calls it done."""
    meter = kind(6, NUMBER, load(), START)
    stage.meters = [meter]
    id = {"AcrelSwitched": "acrel-ddsy1352", "HikingDds238": "hiking-dds238"}[kind.__name__]
    stage.typed = ["7"]
    assert stage.run(*of(id, "trip")) == 2 and "does not end in '7'" in stage.said[-1] and stage.writes() == 0
    stage.typed = ["6"]
    assert stage.run(*of(id, "trip")) == 0 and stage.writes() == 1
    assert "read back: the supply is off" in capsys.readouterr().out
    stage.clock.advance(1)  # A contact follows its order after a moment.
    meter.advance(stage.clock.now(), stage.clock.monotonic())
    assert meter.relay.open
    assert any("this will cut the supply" in text for text in stage.said)
    assert stage.run(*of(id, "close", "--yes")) == 0 and stage.writes() == 2
    assert "read back: the supply is on" in capsys.readouterr().out


def test_off_and_on_move_a_modbus_relay_too(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    """The words that every meter with a relay or valve takes: `off` and `on` do what `trip` and `close` do here."""
    meter = AcrelSwitched(6, NUMBER, load(), START)
    stage.meters = [meter]
    for word, stands, is_open in (("off", "off", True), ("on", "on", False)):
        assert stage.run(*of("acrel-ddsy1352", word, "--yes")) == 0
        assert f"read back: the supply is {stands}" in capsys.readouterr().out
        stage.clock.advance(1)
        meter.advance(stage.clock.now(), stage.clock.monotonic())
        assert meter.relay.open is is_open
    assert stage.writes() == 2


def test_the_word_of_no_kind_is_in_no_list(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    """`open` is refused with the right words, so the help does not offer it."""
    with pytest.raises(SystemExit):
        stage.run("--help")
    told = capsys.readouterr().out
    offered = told[told.index("COMMAND\n") : told.index("options:")].split("\n")
    words = [line.split()[0] for line in offered if line.startswith("    ") and line[4:5].strip()]
    assert "off" in words and "trip" in words and "open" not in words and "SUPPRESS" not in told


def test_what_was_forced_is_taken_back(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    """Acrel's meter decides by itself again; Hiking's knows no such order and nothing is sent to it."""
    stage.meters = [AcrelSwitched(6, NUMBER, load(), START)]
    assert stage.run(*of("acrel-ddsy1352", "trip", "--yes")) == 0
    assert stage.run(*of("acrel-ddsy1352", "release", "--yes")) == 0
    assert "nothing is forced any more" in capsys.readouterr().out
    stage.meters, stage.sent = [HikingDds238(6, "", load(), START)], []
    assert stage.run(*of("hiking-dds238", "release", "--yes")) == 2 and stage.writes() == 0
    assert "this meter knows no order 'release'" in stage.said[-1]


def test_a_relay_that_does_not_follow_is_not_called_done(stage: Stage) -> None:
    """Acknowledged and not moved, or never heard: exit code 1 after the model's own patience, and said once."""
    meter = HikingDds238(6, "", load(), START)
    answer = meter.answer
    meter.answer = (
        lambda frame, *more: (  # type: ignore[method-assign]
            frame[:6] + modbus.crc(frame[:6]) if frame[1] == 16 else answer(frame, *more)
        )
    )
    stage.meters = [meter]
    before = stage.clock.monotonic()
    assert stage.run(*of("hiking-dds238", "trip", "--yes")) == 1 and "the supply is on after 10 s" in stage.said[-1]
    assert 10 <= stage.clock.monotonic() - before < 20 and stage.writes() == 1
    meter.answer = lambda frame, *more: None if frame[1] == 16 else answer(frame, *more)  # type: ignore[method-assign]
    assert stage.run(*of("hiking-dds238", "trip", "--yes")) == 1 and "was not answered" in stage.said[-1]
    assert stage.writes() == 2


def test_only_the_circuit_that_was_named_is_moved(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    """A box has many meters under one address: which one must be said, and the others stay as they are."""
    circuits = [AcrelCircuit(6, NUMBER, load(), START, circuit=number) for number in (1, 2)]
    for each in circuits:
        each.siblings = {1, 2}
    stage.meters = circuits
    for wrong in ((), ("--circuit", "37"), ("--circuit", "0")):
        with pytest.raises(SystemExit):
            stage.run(*of("acrel-adf300l", *wrong, "trip", "--yes"))
        assert "name the circuit with --circuit 1 to 36" in capsys.readouterr().err and stage.sent == []
    for typed in ("6", "6.1", "2"):
        stage.typed = [typed]
        assert stage.run(*of("acrel-adf300l", "--circuit", "2", "trip")) == 2 and stage.writes() == 0
        assert f"address and circuit are not '{typed}'" in stage.said[-1]
    stage.typed = ["6.2"]
    assert stage.run(*of("acrel-adf300l", "--circuit", "2", "trip")) == 0
    stage.clock.advance(1)
    for each in circuits:
        each.advance(stage.clock.now(), stage.clock.monotonic())
    assert [each.relay.open for each in circuits] == [False, True]
    assert any("slave 6, circuit 2, answers" in text for text in stage.said)


@pytest.mark.parametrize("address", ["0", "248", "any", "-1", "٦", ""])
@pytest.mark.parametrize("command", ["off", "on", "trip", "close", "release"])
def test_no_relay_of_everybody(
    stage: Stage, command: str, address: str, capsys: pytest.CaptureFixture[str]
) -> None:  # fmt: skip
    """I13: slave 0 is everybody, and nobody's address is refused before the port is opened."""
    with pytest.raises(SystemExit) as ended:
        stage.run(*of("acrel-ddsy1352", command, "--yes", slave=address))
    assert ended.value.code == 2 and stage.sent == []


def test_an_order_goes_only_to_the_slave_that_answered(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """I13: were another slave's answer taken for ours, the one door refuses to build the frame."""
    stage.meters = [AcrelSwitched(6, NUMBER, load(), START)]
    monkeypatch.setattr(Modelled, "_supply", lambda self: ("on", "7"))
    assert stage.run(*of("acrel-ddsy1352", "trip", "--yes")) == 2
    assert "not a registered meter's own address" in stage.said[-1] and stage.writes() == 0


def test_a_meter_without_a_relay_is_sent_nothing(stage: Stage) -> None:
    """The model's file knows none."""
    assert stage.run(*of("eastron-sdm630", "trip", "--yes")) == 2
    assert "has no relay in its model's file" in stage.said[-1] and stage.sent == []


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("6", "--protocol", "modbus-rtu", "survey"), "name the meter's model for `survey`: --model and one of acrel-"),
        (("6", "--protocol", "modbus-rtu", "trip"), "name the meter's model for `trip`"),
        (("6", "--model", "acme", "read", "energy"), "there is no model 'acme'; of Modbus there are acrel-adf300l"),
        (("6", "--model", "dlt645-1p", "read", "energy"), "is a meter of dlt645-2007; --model is for Modbus"),
        (("6", "--model", "eastron-sdm120", "--circuit", "1", "read", "energy"), "has no circuits"),
        (("6", "--model", "../x", "read", "energy"), "there is no model '../x'"),
        ((WATER, "--protocol", "cjt188", "--model", "eastron-sdm120", "read", "energy"), "are for Modbus; the other"),
        ((WATER, "open"), "for a valve, with --protocol cjt188, `off` closes the valve, `on` opens it"),
        (("6", "--model", "acrel-ddsy1352", "open"), "write `off` or `on`: `off` opens the relay, `on` closes it"),
        (("6", "--protocol", "modbus-rtu", "off"), "name the meter's model for `off`"),
        (("6", "write-coils", "0", "1"), "`write-coils` is for modbus-rtu: name it with --protocol"),
    ],
)
def test_wrong_words_say_which_are_right(
    stage: Stage, words: tuple[str, ...], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2, one sentence with what to write, and nothing was opened."""
    with pytest.raises(SystemExit) as ended:
        stage.run(*words)
    assert ended.value.code == 2 and sentence in capsys.readouterr().err and stage.sent == []


# --- water, and 1997 ---


def test_a_water_meter_is_read_by_name_and_surveyed(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    """Names of CJ/T 188, months back by number; what it refuses or keeps silent to is listed."""
    stage.meters = [WaterMeter(WATER, WATER, load(), START, zone=SHANGHAI, registers=(12345, 0, 0, 0, 0))]
    water = ("--protocol", "cjt188", WATER)
    assert stage.run(*water, "read", "metering") == 0 and "volume now: 123.45 m3" in capsys.readouterr().out
    stage.run(*water, "read", "history", "3")
    assert stage.sent[-1][-5:-2].hex() == "d12200", "the third month back"
    assert stage.run(*water, "survey", "--json") == 0
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert "901F" in told["has"] and len(told["has"]) + len(told["lacks"]) == 7
    assert stage.run(*water, "list") == 0
    assert "settlement-day" in capsys.readouterr().out
    for wrong in (("history", "13"), ("metering", "2"), ("volume",)):
        assert stage.run(*water, "read", *wrong) == 2


def test_a_meter_of_1997_is_read_by_name_and_surveyed(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    """Every name it has in words with units; the rest is refused and listed."""
    stage.meters = [OldMeter(OLD, "202511080206", load(), START, registers=(123456, 0, 0, 0, 0))]
    old = ("--protocol", "dlt645-1997", "--baud", "1200", "3")
    assert stage.run(*old, "read", "energy", "clock") == 0
    out = capsys.readouterr().out
    assert "1234.56 kWh" in out and "C010  date: 2026-11-20" in out
    assert f"address 3 has 1 of 12 digits; with zeros in front it is {OLD}" in stage.said
    assert stage.run(*old, "survey") == 0
    assert "has not: " in capsys.readouterr().out


# --- hints ---


def test_nobody_answers_and_no_protocol_was_said(stage: Stage) -> None:
    """The person is told as what it was asked, that a scan finds out, and that the address was filled up."""
    assert stage.run("1234", "read", "energy") == 1
    told = stage.said[-1]
    assert "nobody answers" in told and "No --protocol was given, so it was asked as dlt645-2007 at 2400 bit/s" in told
    assert "`riser scan line`" in told and "Address 1234 has 4 of 12 digits" in told
    assert stage.run("--protocol", "dlt645-2007", "202603110206", "read", "energy") == 1
    assert "--protocol" not in stage.said[-1] and "digits" not in stage.said[-1]
    assert "asked at 2400 bit/s" in stage.said[-1]
    assert stage.run("--protocol", "cjt188", WATER, "read", "metering") == 1
    assert "try `read 1F90`" in stage.said[-1] and "asked at 2400 bit/s" in stage.said[-1]


def test_several_meters_answer_to_any(stage: Stage) -> None:
    """What collides on the line is no broken meter: it is said that there are several, and how each is found."""

    class Noise:
        def answer(self, frame: bytes, now: datetime, mono: float) -> bytes:
            return bytes.fromhex("fefe680103115566aa99") * 3

    stage.meters = [Noise()]
    assert stage.run("any", "read", "energy") == 1
    assert "Several meters answer to `any` at once" in stage.said[-1] and "`riser scan line`" in stage.said[-1]
    assert stage.run("202603110206", "read", "energy") == 1 and "Several meters" not in stage.said[-1]


def test_the_help_shows_lines_to_copy_and_every_code(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    """An electrician who has never seen it finds an example for each protocol, and what each option means."""
    with pytest.raises(SystemExit):
        stage.run("--help")
    told = " ".join(capsys.readouterr().out.split())
    for each in ("riser meter PORT any address", "--model acrel-ddsy1352", "--protocol cjt188", "dlt645-1997"):
        assert each in told
    assert "3 another program has the port open" in told and "filled with zeros in front" in told
    with pytest.raises(SystemExit):
        stage.run("202603110206", "broadcast-time", "--help")
    told = " ".join(capsys.readouterr().out.split())
    assert "a time at which the tariff changes, such as 08:00" in told and "compared this machine's clock" in told
