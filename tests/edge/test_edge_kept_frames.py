"""What the book keeps of a reading can be read again, years later, by whoever has the meter's register list."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bridge.contract.site_file import load
from edge import model
from edge.codec import dlt645
from edge.codec.dlt645 import Frame
from edge.line.request import PERSON, Reply, Request
from edge.live import registers_of
from edge.model import Question
from tests.edge.building import DEMO, Building


def read_again(row: dict[str, Any], frames: list[str]) -> dict[str, int]:
    """The registers in a kept exchange, by the installed model's one row: no plan, no joint question."""
    kind = model.of_row(row)
    energy = kind.rows[kind.registers]
    question, *parts = [bytes.fromhex(text) for text in frames]
    asked_from = int.from_bytes(question[2:4], "big") if kind.protocol == "modbus-rtu" else 0
    values = Question(kind, (energy,), asked_from).values(parts, UTC)
    found = values[energy.name]
    assert isinstance(found, dict), found
    return registers_of(found)


def test_every_opening_and_border_read_is_read_again_from_its_frames(tmp_path: Path) -> None:
    """Modbus meters are asked for several rows at once, and a border read for one: each kept exchange gives the
    registers that were written beside it."""
    line = {row.id for row in load(DEMO / "site.toml").meters if row.port == "line-3"}
    building = Building(tmp_path, poll_s=60, idle_s=1, meters=line, start=datetime(2026, 11, 20, 15, 50, tzinfo=UTC))
    building.run_until(lambda: building.of("charge/2"), hours=1)
    rows = {id: meter.row for id, meter in building.edge.core.state.meters.items()}
    openings = {entry.fields["meter"]: entry.fields for entry in building.of("opening/1")}
    joint = 0
    for id, opening in openings.items():
        assert read_again(rows[id], opening["frames"][-1]) == opening["registers_wh"], id
        live = building.edge.core.lives[id]
        assert live.sample is not None
        assert read_again(rows[id], list(live.sample.frames[-1])) == live.sample.registers_wh, id
        asked = bytes.fromhex(live.sample.frames[-1][0])
        joint += int.from_bytes(asked[4:6], "big") > live.model.rows["energy"].count
    assert joint, "a meter whose rows were asked together stands on the demo's line; a trip would rest on such a read"
    ends = [(entry.fields["meter"], entry.fields["end"]) for entry in building.of("charge/2")]
    borders = [(id, end) for id, end in ends if end["source"] == "border"]
    assert borders
    for id, end in borders:
        assert read_again(rows[id], end["frames"][-1]) == end["registers_wh"], id


def test_a_long_answer_is_kept_whole(tmp_path: Path) -> None:
    """An answer that came in two parts is kept with both: half of it would be no evidence."""
    building = Building(tmp_path, meters={"a206"})
    building.run_until(lambda: building.of("opening/1", meter="a206"), hours=1)
    core = building.edge.core
    meter, live = core.state.meters["a206"], core.lives["a206"]
    assert live.sample is not None
    frames = [bytes.fromhex(text) for text in live.sample.frames[0]]
    whole = dlt645.value_of(frames[1])
    di = dlt645.decode(frames[1]).data[:4]
    address = dlt645.decode(frames[1]).address
    parts = (
        dlt645.encode(Frame(address, 0xB1, di + whole[:8]), 0),
        dlt645.encode(Frame(address, 0x92, di + whole[8:] + b"\x01"), 0),
    )
    request = Request(1, PERSON, "a206", "energy", frames[0])
    now = building.clock.monotonic()
    reply = Reply(request, "line-2", parts[0], None, now, now, building.clock.now(), more=parts[1:])
    assert building.edge.readings.take(meter, "energy", replace(reply, ended=now + 1))
    assert live.sample.frames[-1] == (frames[0].hex(), parts[0].hex(), parts[1].hex())
    assert read_again(meter.row, list(live.sample.frames[-1])) == live.sample.registers_wh
