"""No capture, no model: every row of every model file answers to a frame with exact values."""

from __future__ import annotations

import struct
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bridge.contract.messages import MeterFacts
from edge import model
from edge.codec import PROTOCOLS, bcd, dlt645, modbus
from edge.codec.errors import BadValue
from edge.model import Model
from tests.edge.published import sample

ZONE = ZoneInfo("Asia/Shanghai")

RATES = ("sharp", "peak", "flat", "valley")


def registers(*wh: int) -> dict[str, int]:
    return {"energy_wh": wh[0]} | {f"energy_{rate}_wh": each for rate, each in zip(RATES, wh[1:], strict=True)}


COMMON_645: dict[str, tuple[str, dict[str, Any]]] = {
    "energy": ("d07-read-tariff-block-resp", registers(1290, 620, 600, 30, 20)),
    "status": ("d07-syn-status3-closed", {"status_word_3": "0000"}),
    "power": ("d07-syn-power-pos", {"power_w": 12345}),
    "frequency": ("d07-read-freq-resp", {"frequency_hz": 50.03}),
    "clock": ("d07-read-datetime-block-resp-1", {"clock": datetime(2025, 10, 31, 12, 6, 22, tzinfo=ZONE)}),
    "serial": ("d07-read-meterno-resp", {"serial": "071801024091"}),
    "cover": ("d07-read-cover-open-count-resp", {"cover_openings": 27}),
    "terminal-cover": ("sim-d07-terminal-cover", {"terminal_cover_openings": 1}),
    "cover-record": (
        "sim-d07-cover-record",
        {
            "opened_at": datetime(2026, 11, 20, 10, 30, tzinfo=ZONE),
            "closed_at": datetime(2026, 11, 20, 10, 34, 9, tzinfo=ZONE),
        },
    ),
    "terminal-cover-record": (
        "sim-d07-terminal-cover-record",
        {"opened_at": datetime(2026, 11, 20, 10, 34, 9, tzinfo=ZONE)},
    ),
    "freeze-time": ("d07-read-daily-freeze-time-resp", {"freeze": datetime(2015, 10, 9, 0, 0, tzinfo=ZONE)}),
}

FROZEN = registers(1_283_160, 10, 230_000, 1_048_600, 4550)

PROOF: dict[str, dict[str, tuple[str, dict[str, Any]]]] = {
    "dlt645-1p": COMMON_645
    | {
        "voltage": ("sim-d07-1p-voltage", {"voltage_a_v": 228.1}),
        "amps": ("sim-d07-1p-amps", {"amps_a": 16.543}),
        "factor": ("sim-d07-1p-factor", {"power_factor": 0.954}),
        "freeze-energy": ("sim-d07-1p-freeze-energy", FROZEN),
    },
    "dlt645-3p": COMMON_645
    | {
        "voltage": ("sim-d07-3p-voltage", {"voltage_a_v": 231.2, "voltage_b_v": 224.3, "voltage_c_v": 224.3}),
        "amps": ("sim-d07-3p-amps", {"amps_a": 5.743, "amps_b": 5.475, "amps_c": 4.948}),
        "factor": ("sim-d07-3p-factor", {"power_factor": 0.982}),
        "freeze-energy": ("sim-d07-3p-freeze-energy", FROZEN),
    },
    "acrel-ddsy1352": {
        "energy": ("mb-acrel-read-energy-resp", {"energy_wh": 123_456_780}),
        "power": ("sim-acrel-power", {"voltage_a_v": 229.5, "amps_a": 16.27, "power_w": 3600}),
        "factor": ("sim-acrel-factor", {"power_factor": 0.964, "frequency_hz": 50.01}),
        "serial": ("sim-acrel-serial", {"serial": "202511080012"}),
    },
    "eastron-sdm630": {
        "energy": ("sim-eastron-energy", {"energy_wh": 123_456_781}),
        "power": ("sim-eastron-power", {"power_w": 36_000}),
        "voltage": (
            "sim-eastron-voltage",
            {
                "voltage_a_v": 223.8,
                "voltage_b_v": 226.0,
                "voltage_c_v": 223.4,
                "amps_a": 59.907,
                "amps_b": 54.9,
                "amps_c": 50.233,
            },
        ),
        "frequency": ("sim-eastron-frequency", {"frequency_hz": 50.01}),
    },
}
"""Model, row: a capture and the exact values it gives. A row that is missing here fails its test."""

ROWS = [(id, name) for id in model.known() for name in model.load(id).rows]


@pytest.mark.parametrize(("id", "name"), ROWS)
def test_each_row_gives_exact_values(id: str, name: str) -> None:
    """A model's row read from a frame gives exactly what the meter shows: no wrong unit, no register off by one."""
    capture, values = PROOF[id][name]
    assert model.load(id).values(name, capture_body(capture), ZONE) == values


@pytest.mark.parametrize(("id", "name"), ROWS)
def test_each_row_asks_for_what_its_frame_answers(id: str, name: str) -> None:
    """The question that a row sends is the one that its captured frame answers."""
    kind, raw = model.load(id), capture_body(PROOF[id][name][0])
    if kind.protocol == "dlt645-2007":
        frame = dlt645.decode(raw)
        request = kind.ask(name, frame.address, slot=1)
    else:
        request = kind.ask(name, str(raw[0]))
        published = sample(PROOF[id][name][0]).request
        assert published is None or published == request
    assert PROTOCOLS[kind.protocol].find_reply(request, bytearray(raw)) == raw


def capture_body(id: str) -> bytes:
    """A captured reply as the bus hands it on: without wake-up bytes."""
    return sample(id).raw.lstrip(b"\xfe")


def test_every_row_has_its_frame() -> None:
    """No capture, no model: the table above and the model files name the same rows."""
    assert {id: set(rows) for id, rows in PROOF.items()} == {id: set(model.load(id).rows) for id in model.known()}


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
            assert {value["key"] for value in row.values} <= fields | {"clock"}, row.name
    assert set(kind.quantities()) <= fields
    assert all(kind.quantities().values()) or "power_factor" in kind.quantities()
    assert kind.quantities()["energy_wh"] == "Wh" and kind.quantities()["power_w"] == "W"
    assert {row.every for row in kind.rows.values()} <= {"round", "slow", "minutes", "hourly", "asked"}


@pytest.mark.parametrize("id", model.known())
def test_a_model_is_consistent(id: str) -> None:
    """A model with rates reads their registers; one with a relay reads its status; its values fit into its reply."""
    kind = model.load(id)
    energy = {value["key"] for value in kind.rows["energy"].values}
    assert energy == {"energy_wh"} | {f"energy_{rate}_wh" for rate in kind.rates}
    assert not (kind.relay or kind.lamp) or "status" in kind.rows
    assert not kind.freeze or {"freeze-time", "freeze-energy"} <= set(kind.rows)
    assert (kind.id, kind.protocol in PROTOCOLS, kind.full_scale_wh % kind.step_wh) == (id, True, 0)
    for row in kind.rows.values():
        for value in row.values if row.count else ():
            assert value["at"] + model._TYPES[value["type"]][0] <= 2 * row.count, value["key"]


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
