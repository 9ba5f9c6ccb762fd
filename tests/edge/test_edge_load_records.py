"""Load records of DL/T 645-2007: `riser decode` tells a block part by part, and simulator and decoder agree on it.

No published frame was found; this one is worked by hand, byte by byte, from annex B as public programs quote it.
"""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from edge.codec import dlt645
from edge.explain.__main__ import explain, lines_of
from edge.explain.explanation import Explanation
from edge.explain.load_records import CUT, look, records
from edge.explain.values import LOAD_RECORDS, read_value
from firmware_sim.dlt645 import Dlt645Meter
from firmware_sim.loads import Load

WORKED = (  # At the end of each line the sum so far.
    "A0 A0" "62" "15 18 20 11 26"  # 98 bytes, from 2026-11-20 18:15 on: 26
    "01 22 05 22 98 21" "00 50 01" "34 12 00" "00 10 80" "01 50" "AA"  # the amperes of phase C are negative: 4B
    "56 34 12" "00 00 01" "00 00 01" "56 34 92" "00 05 00" "00 01 00" "00 01 00" "00 03 00" "AA"  # B9
    "99 09" "00 10" "00 10" "50 89" "AA"  # FE
    "78 56 34 12" "01 00 00 00" "00 01 00 00" "00 00 00 80" "AA"  # 3E
    "10 00 00 00" "20 00 00 00" "30 00 00 00" "40 00 00 00" "AA"  # 88
    "00 00 05" "00 00 01" "AA"  # 38
)  # fmt: skip
SUM = sum(bytes.fromhex(WORKED)) & 0xFF
RECORD = bytes.fromhex(WORKED) + bytes([SUM, 0xE5])


def frame(value: bytes, control: int = 0x91, identifier: str = "06000001") -> bytes:
    data = bytes((byte + 0x33) & 0xFF for byte in bytes.fromhex(identifier)[::-1] + value)
    body = bytes.fromhex("6812000000102068") + bytes([control, len(data)]) + data
    return body + bytes([sum(body) & 0xFF, 0x16])


def told(value: bytes, control: int = 0x91) -> tuple[Explanation, str]:
    found = explain(frame(value, control))
    assert b"".join(piece.raw for piece in found.pieces) == frame(value, control), "no byte is left out"
    return found, "\n".join(lines_of(found))


def test_the_worked_record_is_told_part_by_part() -> None:
    """Start, length, time, six classes each closed by AA, sum and end, every value with its unit, in this order."""
    assert len(RECORD) == 3 + 98 + 2 and SUM == 0x38
    found, text = told(RECORD)
    order = [
        "record 1: its start", "its length, 98", "stored at 2026-11-20T18:15", "phase A voltage 220.1 V",
        "phase B voltage 220.5 V", "phase C voltage 219.8 V", "phase A amperes 15.000 A", "phase B amperes 1.234 A",
        "phase C amperes -1.000 A", "frequency 50.01 Hz", "end of class 1", "total active power 12.3456 kW",
        "phase A active power 1.0000 kW", "phase C active power -12.3456 kW", "total reactive power 0.0500 kvar",
        "phase C reactive power 0.0300 kvar", "end of class 2", "total power factor 0.999",
        "phase C power factor -0.950", "end of class 3", "forward active 123456.78 kWh", "reverse active 0.01 kWh",
        "combined reactive 1 1.00 kvarh", "combined reactive 2 -0.00 kvarh", "end of class 4",
        "quadrant 1 0.10 kvarh", "quadrant 4 0.40 kvarh", "end of class 5", "active demand 5.0000 kW",
        "reactive demand 1.0000 kvar", "end of class 6", "sum of the record, modulo 256: right", "end of the record",
    ]  # fmt: skip
    places = [text.index(each) for each in order]
    assert places == sorted(places)
    (record,) = found.fields["records"]
    assert record["at"] == "2026-11-20T18:15" and record["remarks"] == [] and len(record["values"]) == 29
    assert record["values"][0] == {"label": "phase A voltage", "text": "220.1", "unit": "V"}


def test_two_records_are_told_one_after_the_other() -> None:
    """The second begins where the first ends, and carries its own instant."""
    second = RECORD.replace(bytes.fromhex("15182011"), bytes.fromhex("30182011"))
    second = second[:-2] + bytes([sum(second[:-2]) & 0xFF, 0xE5])
    found = look(RECORD + second)
    assert [each.at for each in found.records] == ["2026-11-20T18:15", "2026-11-20T18:30"] and found.trouble is None
    assert sum("its start" in words for _, words in found.told) == 2


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        (
            RECORD[:-2] + bytes([SUM ^ 1]) + RECORD[-1:],
            f"the record's own sum is {SUM ^ 1:02X} and should be {SUM:02X}",
        ),
        (b"\xe0\xe0" + RECORD[2:-2] + bytes([SUM + 0x80 & 0xFF, 0xE5]), "the meter marks this record as not right"),
        (RECORD[:2] + b"\x64" + RECORD[3:-2] + bytes([SUM + 2, 0xE5]), "counts its sum and its end too"),
    ],
)
def test_what_is_odd_about_a_record_is_said_beside_its_values(value: bytes, sentence: str) -> None:
    """A wrong sum, the meter's own mark, a maker who counts two bytes more: the values stay readable."""
    (record,) = records(value) or []
    assert any(sentence in each for each in record.remarks) and len(record.remarks) == 1
    assert sentence in "".join(read_value("06000001", value)[0].says)
    assert record.values[0] == ("phase A voltage", "220.1", "V")


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        (RECORD[:25] + b"\xab" + RECORD[26:], "AA should stand here and AB does"),
        (RECORD[:8] + b"\x0a" + RECORD[9:], "phase A voltage: "),
        (RECORD[:-1] + b"\xe6", "E5 should stand here and E6 does"),
        (RECORD[:2] + b"\x60" + RECORD[3:], "98 bytes from the time to the last AA, and its length says 96"),
        (RECORD + b"\x00\x00", "A0 A0 should stand here and 00 00 does"),
        (RECORD[:5] + b"\xff" + RECORD[6:], "no time"),
    ],
)
def test_where_the_layout_ends_the_reason_is_said(value: bytes, sentence: str) -> None:
    """Told as far as it goes, then why not further, with the rest as it stands; no value is guessed."""
    _, text = told(value)
    assert "no more of the layout" in text and sentence in text
    assert records(value) is None


@pytest.mark.parametrize("cut", range(1, len(RECORD)))
def test_a_record_that_is_cut_is_told_as_far_as_it_goes(cut: int) -> None:
    """Nothing is lost and nothing made up; as a first part it goes on in the next."""
    found = look(RECORD[:cut])
    assert found.trouble == CUT and sum(size for size, _ in found.told) == cut and found.records == []
    assert "it goes on in the next part; ask on with 12H" in told(RECORD[:cut], 0xB1)[1]


@pytest.mark.parametrize("identifier", sorted(LOAD_RECORDS))
def test_the_simulated_meter_and_the_decoder_agree(identifier: str) -> None:
    """Written apart, from the same annex: every kind of record the simulator has is whole to the decoder."""
    start, now = datetime(2026, 11, 20, 2, 30, tzinfo=UTC), datetime(2026, 11, 20, 5, 31, tzinfo=UTC)
    load = Load("constant", 3600, 7, ZoneInfo("Asia/Shanghai"))
    meter = Dlt645Meter("202603110206", "202511080206", load, start)
    asked = dlt645.read_records("202603110206", identifier, 3, datetime(2026, 11, 20, 12, 0))  # noqa: DTZ001 - its wall
    parts = [meter.answer(asked, now, 0.0) or b""]
    while (following := dlt645.next_part(asked, parts)) is not None:
        parts.append(meter.answer(following, now, 0.0) or b"")
    found = look(dlt645.value_of(*parts))
    assert found.trouble is None and [each.remarks for each in found.records] == [()] * 3
    kind = int(identifier[2:4], 16)
    assert {len(each.values) for each in found.records} == {(29, 7, 8, 4, 4, 4, 2)[kind]}
    if kind in (0, 2):
        powers = {label: text for label, text, _ in found.records[0].values if "active power" in label}
        assert powers["total active power"] == powers["phase A active power"] == "3.6000"
