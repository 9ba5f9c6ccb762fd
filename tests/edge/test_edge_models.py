"""No capture, no model: every row of every model file answers to a frame with exact values, and is asked as it says."""

from __future__ import annotations

import struct
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from bridge.contract.messages import MeterFacts
from edge import model, model_file
from edge.codec import PROTOCOLS, bcd, dlt645, modbus
from edge.codec.errors import BadValue
from edge.model import Model
from firmware_sim import shaft
from tests.edge.published import sample

ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 11, 20, 2, 30, tzinfo=UTC)


@pytest.mark.parametrize("id", model.known())
def test_a_model_is_proven_by_frames(id: str) -> None:
    """Each row read from its frame gives exactly what the meter shows: no wrong unit, no register off by one; and the
    question that the row asks is the one that its frame answers."""
    path = model.DIRECTORY / f"{id}.toml"
    assert model_file.check(path) == [] and model_file.proven(path) == []


@pytest.mark.parametrize("id", model.known())
def test_every_model_can_be_practised(id: str) -> None:
    """The simulator builds each model from the maker's table, apart from us, and answers what our model polls."""
    kind = model.load(id)
    address = {"modbus-rtu": "9", "cjt188": "78330000000101"}.get(kind.protocol, "202611000101")
    meter = {
        "id": "m", "line": "x", "model": id, "address": address, "serial": "202611000101",
        "registers": ["1234.56", "200.00", "400.00", "400.00", "234.56"],
        "load": {"kind": "constant", "watts": 2300, "seed": 1},
        **({"circuit": 1} if kind.circuits else {}),
    }  # fmt: skip
    line = {"id": "x", "protocol": kind.protocol, "baud": 9600}
    built = shaft._build({"shaft": {"name": "x"}, "lines": [line], "meters": [meter]}, NOW, shaft.NO_FAULTS)
    seen: dict[str, object] = {}
    for name in kind.rows:
        question = kind.ask(name, address, slot=1)
        reply = PROTOCOLS[kind.protocol].find_reply(
            question, bytearray(built.meters["m"].answer(question, NOW, 0.0) or b"")
        )
        assert reply is not None, name
        if kind.rows[name].every != "asked":
            seen |= kind.values(name, reply, ZONE)
    key = "volume_l" if kind.quantity == "volume" else "energy_wh"
    assert seen[key] == pytest.approx(1_234_560, abs=100), "within a float32's step; 1234.56 m3 are as many litres"
    assert "power_w" not in seen or seen["power_w"] == pytest.approx(2300, abs=1)
    for key, low, high in (("voltage_a_v", 210, 250), ("frequency_hz", 49, 51), ("power_factor", 0.5, 1)):
        assert key not in seen or low < float(str(seen[key])) <= high, key


def test_the_published_questions_are_the_models_questions() -> None:
    """What others ask a DL/T 645 meter for total and rates, status, clock and freeze time is what our model asks."""
    kind = model.load("dlt645-1p")
    for name, address, published in (
        ("energy", "201000000012", "d07-read-tariff-block-req"),
        ("status", "151230011061", "d07-read-status3-req"),
        ("clock", "222222222233", "d07-read-datetime-block-req"),
        ("freeze-time", "201000000012", "d07-read-daily-freeze-time-req"),
    ):
        assert kind.ask(name, address, slot=1).lstrip(b"\xfe") == sample(published).raw.lstrip(b"\xfe")
    assert dlt645.decode(kind.ask("freeze-energy", "1" * 12, slot=62)).identifier == "0506013E"
    acrel = model.load("acrel-ddsy1352")
    assert acrel.ask("energy", "1") == sample("mb-acrel-read-energy-req").raw


@pytest.mark.parametrize("id", model.known())
def test_polled_keys_are_fields_of_the_published_fact(id: str) -> None:
    """Everything that a model reads round after round can be published under its own name, with its unit."""
    kind = model.load(id)
    fields = set(MeterFacts.model_fields)
    for row in kind.rows.values():
        if row.every != "asked":
            assert {value["key"] for value in row.values} <= fields | model.UNSHOWN, row.name
    assert set(kind.quantities()) <= fields
    unitless = {"power_factor", "battery_low", "purse_count"}
    assert all(unit or key in unitless for key, unit in kind.quantities().items())
    units = {key: unit for key, unit in kind.quantities().items() if key in ("energy_wh", "volume_l", "power_w")}
    assert units.items() <= {"energy_wh": "Wh", "volume_l": "L", "power_w": "W"}.items()
    assert ("volume_l" if kind.quantity == "volume" else "energy_wh") in units
    assert {row.every for row in kind.rows.values()} <= {"round", "slow", "minutes", "hourly", "asked"}


@pytest.mark.parametrize("id", model.known())
def test_a_model_is_consistent(id: str) -> None:
    """A model with rates reads their registers; one with a relay reads its status; its values fit into its reply."""
    kind = model.load(id)
    registers = {value["key"] for value in kind.rows[kind.registers].values}
    total = {"volume_l"} if kind.quantity == "volume" else {"energy_wh"}
    assert registers == total | {f"energy_{rate}_wh" for rate in kind.rates}
    assert kind.relay is None or {kind.relay.row, "serial"} <= set(kind.rows)
    assert not kind.freeze or {"freeze-time", "freeze-energy"} <= set(kind.rows)
    assert (kind.id, kind.protocol in PROTOCOLS, kind.full_scale_wh % kind.step_wh) == (id, True, 0)
    for row in kind.rows.values():
        for value in row.values if row.count else ():
            assert value["at"] + model.TYPES[value["type"]][0] <= 2 * row.count, value["key"]


def reply_645(kind: Model, name: str, contents: str) -> bytes:
    identifier = dlt645.decode(kind.ask(name, "1" * 12, slot=1)).data
    return dlt645.encode(dlt645.Frame("1" * 12, 0x91, identifier + bytes.fromhex(contents)), 0)


def test_fewer_rates_are_absent_and_a_short_reply_is_read_again() -> None:
    """A meter with two tariffs sends three registers: the others are absent. One without its total is read again."""
    kind = model.load("dlt645-1p")
    two = kind.values("energy", reply_645(kind, "energy", "290100006200000067000000"), ZONE)
    assert two == {"energy_wh": 1290, "energy_sharp_wh": 620, "energy_peak_wh": 670}
    assert kind.values("energy", reply_645(kind, "energy", "ffffffff62000000"), ZONE) == {"energy_sharp_wh": 620}
    for name, contents in (("energy", "290100"), ("power", "5634"), ("clock", "220612"), ("energy", "2a010000")):
        with pytest.raises(BadValue):
            kind.values(name, reply_645(kind, name, contents), ZONE)


def test_reverse_power_is_negative_and_keeps_its_size() -> None:
    """A sign in the top bit turns power and amperes negative; nothing else changes."""
    kind = model.load("dlt645-3p")
    assert kind.values("power", reply_645(kind, "power", "503412"), ZONE) == {"power_w": 12345}
    assert kind.values("power", reply_645(kind, "power", "503492"), ZONE) == {"power_w": -12345}
    amps = kind.values("amps", reply_645(kind, "amps", "191581ffffff191501"), ZONE)
    assert amps == {"amps_a": -11.519, "amps_c": 11.519}


def test_a_relay_word_is_read_low_byte_first() -> None:
    """Bit 4 of status word 3 is the relay: a meter that says 90 10 has it open, its lamp on, power kept."""
    kind = model.load("dlt645-1p")
    word = int(kind.values("status", reply_645(kind, "status", "9010"), ZONE)["status_word_3"], 16)
    assert (word >> 4 & 1, word >> 7 & 1, word >> 12 & 1) == (1, 1, 1) and word == 0x1090


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_a_float_that_is_no_number_is_read_again(number: float) -> None:
    """A Modbus meter that says NaN or infinity has not said a value: nothing is published, nothing crashes."""
    kind = model.load("eastron-sdm630")
    for name, count in (("energy", 1), ("power", 1), ("frequency", 1), ("voltage", 6)):
        body = bytes([1, 4, 4 * count]) + struct.pack(f">{count}f", *[number] * count)
        with pytest.raises(BadValue):
            kind.values(name, body + modbus.crc(body), ZONE)


@pytest.mark.parametrize("contents", ["2206120531 1325", "0000000000 0000", "22061205ff1025", "61061205311025"])
def test_an_impossible_date_is_a_bad_value(contents: str) -> None:
    """Month 13, day 0, minute 6A: the meter's clock is read again, the gateway goes on."""
    with pytest.raises(BadValue):
        bcd.local_instant(bytes.fromhex(contents), ZONE)


def test_an_unknown_model_names_the_known_ones() -> None:
    """A misspelt model is answered with the list of those there are."""
    with pytest.raises(model.UnknownModel, match="dlt645-1p"):
        model.load("dlt645-2p")
