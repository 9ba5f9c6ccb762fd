"""Rows that lie near each other are asked for in one request, and each still gives exactly what its frame proves."""

from __future__ import annotations

import struct
import tomllib
from dataclasses import replace
from datetime import UTC, datetime
from itertools import combinations, islice
from typing import Any

import pytest

from edge import model
from edge.codec import dlt645, modbus
from edge.codec.errors import CodecError, Refused
from edge.model import Model
from tests.edge.published import sample

MODBUS = [id for id in model.known() if model.load(id).protocol == "modbus-rtu"]


def proofs(id: str) -> dict[str, dict[str, Any]]:
    tables = tomllib.loads((model.DIRECTORY / f"{id}.toml").read_text(encoding="utf-8"))
    return {row["name"]: row["proof"] for row in tables["read"]}


def memory_of(kind: Model) -> dict[tuple[int, int], bytes]:
    """The registers that a model's proofs show, by function and number."""
    memory = {}
    for name, proof in proofs(kind.id).items():
        row, raw = kind.rows[name], modbus.registers_of(bytes.fromhex(proof["reply"]))
        for place in range(row.count):
            memory[row.function, row.start + place] = raw[2 * place : 2 * place + 2]
    return memory


def answered(memory: dict[tuple[int, int], bytes], frame: bytes) -> bytes:
    """A slave with these registers; what it does not have reads zero."""
    slave, function, start, count = struct.unpack(">BBHH", frame[:6])
    body = bytes([slave, function, 2 * count])
    body += b"".join(memory.get((function, start + place), bytes(2)) for place in range(count))
    return body + modbus.crc(body)


@pytest.mark.parametrize("id", MODBUS)
def test_a_joint_answer_gives_what_each_row_proves(id: str) -> None:
    """However many rows share a request, each gives the values of its own frame; none is forgotten."""
    kind = model.load(id)
    memory, questions = memory_of(kind), kind.plan(kind.rows)
    names = [name for question in questions for name in question.names]
    assert sorted(names) == sorted(kind.rows)
    for question in questions:
        assert question.count <= kind.most_registers
        frame = question.frame("9")
        reply = modbus.find_reply(frame, bytearray(answered(memory, frame)))
        assert reply is not None
        for name, values in question.values([reply], UTC).items():
            assert values == proofs(id)[name]["values"], name


def test_plans_are_remembered_and_do_not_pile_up() -> None:
    """A gateway that runs for years meets every set of rows that can be due at once: its memory does not grow."""
    kind = model.load("dlt645-3p")
    for rows in islice(combinations(kind.rows, 3), 2 * model.PLANS_KEPT):
        kind.plan(rows)
    assert len(kind._plans) <= model.PLANS_KEPT


def test_neighbours_share_and_far_ones_do_not() -> None:
    """Voltage to frequency of a Hiking meter is one request of six registers; its energy and relay stand apart."""
    kind = model.load("hiking-dds238")
    questions = kind.plan(["energy", "power", "status", "voltage", "amps", "factor", "frequency"])
    assert [question.names for question in questions] == [
        ("energy",), ("voltage", "amps", "power", "factor", "frequency"), ("status",),
    ]  # fmt: skip
    assert questions[1].frame("1") == modbus.read(1, 3, 0x000C, 6)
    assert questions is kind.plan(["energy", "power", "status", "voltage", "amps", "factor", "frequency"])


def test_a_hole_is_read_along_only_where_that_is_cheaper_and_allowed() -> None:
    """At 9600 another exchange of an SDM630 costs more than 18 unasked registers; at 2400 it does not. A model that
    says nothing of holes has none, and a meter that gives few registers is not asked for many."""
    kind = model.load("eastron-sdm630")
    assert len(kind.plan(["energy", "power"], 9600)) == 1
    assert [each.names for each in kind.plan(["energy", "power"], 2400)] == [("energy",), ("power",)]
    for changed in ({"hole": 17}, {"most_registers": 20}):
        assert len(_changed(kind, **changed).plan(["energy", "power"], 9600)) == 2


def _changed(kind: Model, **fields: Any) -> Model:
    return replace(kind, **fields)


def test_a_refusal_is_every_rows_and_a_bad_value_only_its_own() -> None:
    """One register that is no number does not take the others' values away; a refused request answers nobody."""
    kind = model.load("eastron-sdm630")
    (question,) = kind.plan(["energy", "frequency"])
    body = bytes([1, 4, 8]) + struct.pack(">ff", float("nan"), 123.456)
    found = question.values([body + modbus.crc(body)], UTC)
    assert isinstance(found["frequency"], CodecError) and found["energy"] == {"energy_wh": 123456}
    refused = question.values([bytes.fromhex("018402c2c1")], UTC)
    assert set(refused) == {"energy", "frequency"} and all(isinstance(each, Refused) for each in refused.values())


def test_dlt645_asks_one_by_one_and_water_once() -> None:
    """A DL/T 645 identifier is a request of its own. A water meter's flow, valve and battery stand in one answer, and a
    battery is not asked for them twice."""
    kind = model.load("dlt645-1p")
    assert [question.names for question in kind.plan(["energy", "status"])] == [("energy",), ("status",)]
    frame = kind.plan(["freeze-time"])[0].frame("201000000012", slot=1, preamble=0)
    assert frame == sample("d07-read-daily-freeze-time-req").raw
    water = model.load("cjt188-water-valve")
    (question,) = water.plan(["volume", "status"])
    raw = sample("c188-read-resp-lua").raw.lstrip(b"\xfe")
    assert question.values([raw], UTC) == {
        "volume": {"volume_l": 123_000}, "status": {"valve_word": "0000", "battery_low": False},
    }  # fmt: skip


def test_a_long_answer_is_read_whole() -> None:
    """All parts of an answer count, in order; a part that is missing is said, never read as an empty value."""
    kind = model.load("dlt645-1p")
    parts = [sample(id).raw for id in ("d07-syn-follow-first", "d07-syn-follow-last")]
    assert kind.contents(parts) == bytes(range(0x10, 0x2E)) + bytes(range(0x30, 0x4E))
    with pytest.raises(CodecError, match="missing"):
        kind.contents(parts[:1])
    begun = datetime(2026, 11, 20, 10, 30, tzinfo=UTC)
    data = bytes.fromhex("010d3003") + bytes.fromhex("003010201126")
    first = dlt645.encode(dlt645.Frame("1" * 12, 0xB1, data), 0)
    last = dlt645.encode(dlt645.Frame("1" * 12, 0x92, data[:4] + bytes.fromhex("093410201126") + b"\x01"), 0)
    values = kind.plan(["cover-record"])[0].values([first, last], UTC)["cover-record"]
    assert values == {"opened_at": begun, "closed_at": begun.replace(minute=34, second=9)}
