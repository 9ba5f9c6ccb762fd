"""What one maker does otherwise than another is a field of its model's file, and each field does what it says."""

from __future__ import annotations

import struct
from dataclasses import replace
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest

from edge import model
from edge.codec import cjt188, dlt645, modbus
from edge.codec.errors import BadValue, CodecError, Refused
from edge.line.request import Manner
from edge.model import Model
from edge.model_file import check
from edge.model_values import Coding, litres
from tests.edge.published import sample

HEAD = {
    "id": "x", "name": "X", "protocol": "modbus-rtu", "phases": 1, "volts": 230, "max_amps": 60,
    "full_scale_wh": 10**9, "step_wh": 10,
}  # fmt: skip


def made(values: list[dict[str, Any]], function: int = 3, count: int = 4, **tables: Any) -> Model:
    """A Modbus model with one row."""
    row = {"name": "energy", "every": "round", "function": function, "start": 0, "count": count, "values": values,
           "manual": "none", "page": "none"}  # fmt: skip
    return model.of_tables({"model": HEAD, "read": [row], **tables})


def reply(function: int, data: bytes) -> bytes:
    body = bytes([1, function, len(data)]) + data
    return body + modbus.crc(body)


@pytest.mark.parametrize(
    ("words", "bytes_", "order"),
    [("big", "big", (0, 1, 2, 3)), ("little", "big", (2, 3, 0, 1)), ("big", "little", (1, 0, 3, 2)),
     ("little", "little", (3, 2, 1, 0))],
)  # fmt: skip
def test_words_and_bytes_stand_in_the_makers_order(words: str, bytes_: str, order: tuple[int, ...]) -> None:
    """1234.56 kWh is 0001E240; four makers send its bytes in four orders, and those of a float alike."""
    orders = {"coding": {"word_order": words, "byte_order": bytes_}}
    for type_, raw, more, wh in (("u32", bytes.fromhex("0001e240"), {"times": 10}, 1_234_560),
                                 ("f32-kwh", struct.pack(">f", 1234.5), {}, 1_234_500)):  # fmt: skip
        kind = made([{"key": "energy_wh", "at": 0, "type": type_, **more}], count=2, **orders)
        assert kind.values("energy", reply(3, bytes(raw[at] for at in order)), UTC) == {"energy_wh": wh}


def test_bits_are_asked_with_functions_1_and_2() -> None:
    """A meter whose relay stands in coils: ten bits in two bytes, the lowest first."""
    kind = made([{"key": "switch", "at": 9, "type": "bit"}], function=1, count=10)
    assert kind.ask("energy", "1") == modbus.read(1, 1, 0, 10)
    assert kind.values("energy", reply(1, b"\x00\x02"), UTC) == {"switch": True}
    assert kind.values("energy", reply(1, b"\xff\x01"), UTC) == {"switch": False}


def test_wake_up_bytes_only_where_they_are_needed() -> None:
    """No byte a model does not need; the caller can ask with more, and a model of sleepers always does."""
    kind = model.load("dlt645-1p")
    bare = kind.ask("energy", "1" * 12)
    assert bare[0] == 0x68 and kind.ask("energy", "1" * 12, preamble=4) == b"\xfe" * 4 + bare
    assert model.load("dlt645-1997").ask("energy", "1" * 12)[:5] == b"\xfe\xfe\xfe\xfe\x68"
    assert model.load("dlt645-1997").ask("energy", "1" * 12, preamble=0)[0] == 0x68


def test_a_model_says_how_long_to_wait_for_it() -> None:
    """Slow first byte, long rest, quiet line before: the port gets them from the model; left out, the usual ones."""
    slow = made([{"key": "energy_wh", "at": 0, "type": "u32"}],
                line={"first_byte_ms": 1500, "rest_ms": 400, "quiet_ms": 50, "most_registers": 10})  # fmt: skip
    assert slow.manner == Manner(1.5, 0.4, 0.05) and slow.most_registers == 10
    assert model.load("dlt645-1p").manner == Manner()


def test_the_order_of_a_water_meters_identifier() -> None:
    """901F travels as 90 1F or as 1F 90, and published frames of both kinds are what the two models ask."""
    old, new = model.load("cjt188-water-valve"), model.load("cjt188-2018-water-valve")
    assert old.ask("volume", "78330011223344", preamble=4) == cjt188.read(0x10, "78330011223344", "901F")
    assert new.ask("volume", "78330011223344", preamble=4) == sample("c188-read-req-ali").raw
    hot = replace(old, kind=0x11)
    assert cjt188.decode(hot.ask("volume", "78330011223344")).kind == 0x11


@pytest.mark.parametrize(
    ("raw", "decimals", "l"),
    [("002301002c", 2, 123_000), ("4365870929", 2, 98_765), ("452301002c", 3, 12_345), ("ffffffff2c", 2, None)],
)
def test_litres_come_from_digits_decimals_and_unit(raw: str, decimals: int, l: int | None) -> None:  # noqa: E741
    """m3 and L with the model's decimals, rounded down to whole litres; FF is not available."""
    assert litres(bytes.fromhex(raw), decimals) == l


def test_an_unknown_unit_is_refused() -> None:
    """A meter that counts in kWh, or in a code nobody knows, is never taken for cubic metres."""
    kind = model.load("cjt188-water-valve")
    body = cjt188.decode(sample("c188-read-resp-lua").raw)
    for unit in (0x05, 0x35, 0x00):
        wrong = replace(body, data=body.data[:7] + bytes([unit]) + body.data[8:])
        with pytest.raises(BadValue, match=f"{unit:02X} is no volume"):
            kind.values("volume", cjt188.encode(wrong, 0), UTC)


def test_a_reply_of_another_length_is_another_meters() -> None:
    """A short answer has its status elsewhere: it is refused, not read at the wrong place."""
    kind = model.load("cjt188-water-valve")
    body = cjt188.decode(sample("c188-read-resp-lua").raw)
    with pytest.raises(CodecError, match="8 bytes are not the 19"):
        kind.values("status", cjt188.encode(replace(body, data=body.data[:11]), 0), UTC)


def test_a_one_byte_error_of_a_relay_order_is_the_ordinary_one() -> None:
    """04 to a relay order is a wrong password on every meter; 02 is no data where the maker has one byte, a wrong MAC
    where it has two."""
    kind = model.load("dlt645-1p")
    raw = dlt645.encode(dlt645.Frame("1" * 12, 0xDC, b"\x02"), 0)
    assert kind.relay is not None
    with pytest.raises(Refused, match="MAC wrong"):
        kind.relay.obeyed(raw)
    with pytest.raises(Refused, match="no data for this identifier"):
        replace(kind.relay, error_bytes=1).obeyed(raw)


def test_a_circuit_of_a_box_stands_further_on() -> None:
    """Circuit 3 of a box is asked and ordered at its own registers; circuit 1 is what the file says."""
    third = model.of_row({"model": "acrel-adf300l", "circuit": 3})
    assert third.ask("energy", "5") == modbus.read(5, 3, 0x0200, 2)
    assert model.of_row({"model": "acrel-adf300l", "circuit": 1}).ask("energy", "5") == modbus.read(5, 3, 0, 2)
    assert third.relay is not None and third.relay.trip == modbus.Act(16, 0x0257, (1, 1))
    assert [each.start for each in third.plan(["energy", "status"])] == [0x0200, 0x0257]
    assert model.of_row({"model": "dlt645-1p"}) is model.load("dlt645-1p")


@pytest.mark.parametrize(
    ("source", "old", "new", "told"),
    [
        ("acrel-ddsy1352", "close = {", "# close = {", "a Modbus relay has `close`"),
        ("acrel-ddsy1352", 'kind = "modbus"', 'kind = "valve"', "a 'valve' relay speaks cjt188, not modbus-rtu"),
        ("acrel-ddsy1352", 'on = [{ key = "forced",', 'on = [{ key = "forcing",',
         "relay.on.1: the row \"status\" has no value 'forcing'"),
        ("dlt645-1p", "mask = 0x0080, is = 0x0080", "mask = 0x0080, is = 0x0081", "relay.lamp.1: it can never hold"),
        ("hiking-dds238", "values = [0] }", "values = [0, 1] }", ""),
        ("hiking-dds238", "trip = { function = 16", "trip = { function = 3", "relay.trip.function"),
        ("hiking-dds238", "hole = 1", "hole = 200", "line.hole"),
        ("cjt188-water-valve", 'di = "901F"', 'di = "0000901F"', "is no CJ/T 188 identifier, four hex digits"),
        ("cjt188-water-valve", "bytes = 19", "bytes = 3", "it ends after byte 5, and 3 bytes are asked for"),
        ("cjt188-water-valve", "max_l_per_h = 5000", "max_amps = 60", "model.max_l_per_h: is missing"),
        ("dlt645-1997", 'di = "9010"', 'di = "00010000"', "is no DL/T 645-1997 identifier"),
        ("dlt645-1p", 'page = "annex A, table A.1 (energy)"\n', "", "read.1.page: is missing"),
        ("eastron-sdm120", "function = 4", "function = 2", "functions 1 and 2 give values of the type `bit`"),
        ("eastron-sdm120", "[line]", "[circuits]\nmost = 2\nstride = 0\n[line]", "circuits.stride"),
    ],
)  # fmt: skip
def test_a_mistake_in_an_oddity_is_told_by_its_line(tmp_path: Path, source: str, old: str, new: str, told: str) -> None:
    """`riser model check` knows what each field may be, and what does not go together."""
    text = (model.DIRECTORY / f"{source}.toml").read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / f"{source}.toml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    found = check(path)
    assert any(told in each for each in found) if told else found == []
    assert all(each.startswith("line ") for each in found)


def test_what_is_left_out_is_the_protocols_usual_way() -> None:
    """A file without `[line]` and `[coding]` is read as the standard has it."""
    plain = made([{"key": "energy_wh", "at": 0, "type": "u32"}])
    assert (plain.coding, plain.preamble, plain.hole, plain.most_registers) == (Coding(), 0, 0, 125)
