"""`riser decode` explains a frame that was cut off as far as it goes, and says what is missing of it."""

from __future__ import annotations

import json

import pytest

from edge.explain.__main__ import explain, main
from edge.explain.explanation import KEYS
from edge.explain.status import sentences
from tests.edge.published import Sample, samples

WHOLE = [
    (protocol, each)
    for protocol in ("dlt645-2007", "dlt645-1997", "cjt188", "modbus-rtu")
    for each in samples(protocol)
    if each.expect.get("valid")
]
HEADS = {"dlt645-2007": 5, "dlt645-1997": 5, "cjt188": 5, "modbus-rtu": 2}
"""How many pieces stand before what a frame carries."""


@pytest.mark.parametrize(("protocol", "each"), WHOLE, ids=str)
def test_every_cut_of_every_published_frame_is_told(protocol: str, each: Sample) -> None:
    """Wherever it is cut: not good, why and how much is missing, each byte that is there with words, the same head."""
    whole = explain(each.raw, protocol)
    wake = int(bool(each.expect.get("preamble")))
    for length in range(each.expect.get("preamble", 0) + 1, len(each.raw)):
        cut = explain(each.raw[:length], protocol)
        assert not cut.valid and set(KEYS) <= set(cut.fields), length
        assert cut.fields["reason"] in ("incomplete", "crc") and "cut off" in cut.fields["error"]
        assert b"".join(piece.raw for piece in cut.pieces) == each.raw[:length]
        assert all(piece.words for piece in cut.pieces)
        head = [piece for piece in whole.pieces[wake : wake + HEADS[protocol]] if piece.words]
        told = cut.pieces[wake : wake + HEADS[protocol]]
        for one, other in zip(head, told, strict=False):
            if one.raw == other.raw and protocol != "modbus-rtu":
                assert one.words == other.words, length
        json.dumps(cut.fields)


def test_what_is_missing_is_counted() -> None:
    """A voltage whose last byte, sum and end are lost: the head is read, no value is guessed."""
    found = explain(bytes.fromhex("68170026081520689106333434353455")[:-1])
    assert found.fields["missing"] == ["1 of 6 bytes of DATA", "sum", "end byte"]
    assert (
        "15 bytes, and 18 are needed" in found.fields["error"] and "nothing of it is certain" in found.fields["error"]
    )
    assert (found.fields["address"], found.fields["control"], found.fields["di"]) == ("201508260017", "91", "02010100")
    assert found.fields["value"] is None
    assert any("the beginning of a value" in piece.words for piece in found.pieces)


def test_what_is_there_is_read_also_without_the_end() -> None:
    """The value is whole, only the end byte is lost: told with its unit, and the sum is looked at."""
    found = explain(bytes.fromhex("681700260815206891063334343534553a"))
    assert (found.fields["value"], found.fields["unit"], found.fields["valid"]) == ("220.1", "V", False)
    assert found.fields["missing"] == ["end byte"] and "certain" not in found.fields["error"]
    damaged = explain(bytes.fromhex("681700260815206891063334343534553b"))
    assert any("should be 3A: a bit was damaged" in piece.words for piece in damaged.pieces)


def test_a_water_meters_volume_is_read_of_a_frame_that_was_cut() -> None:
    """Behind the volume all is lost: the volume is told, the valve is not."""
    whole = next(each for protocol, each in WHOLE if each.id == "c188-read-resp-lua")
    found = explain(whole.raw[: whole.expect.get("preamble", 0) + 11 + 3 + 5], "cjt188")
    assert found.fields["current_flow"] == whole.expect["current_flow"] and "valve" not in found.fields


def test_a_modbus_answer_that_was_cut_says_how_many_bytes_are_missing() -> None:
    """Nine of thirteen bytes: it can be no question any more, its first registers are told; shorter, it may be both."""
    answer = bytes.fromhex("0103080007000800090001")
    found = explain(answer[:10])
    assert "missing at its end: 3 of a 13-byte answer" in found.fields["error"]
    assert found.fields["registers"] == ["0007", "0008", "0009"] and found.pieces[-2].words == "half a register"
    both = explain(answer[:4]).fields["error"]
    assert "4 of a 8-byte question" in both and "9 of a 13-byte answer" in both


def test_a_log_that_ends_in_the_middle_of_a_frame(capsys: pytest.CaptureFixture[str]) -> None:
    """The good frame before it stays good; what was cut off is told behind it."""
    assert main(["68170026081520689106333434353455 3A16 FEFE 6817002608152068 91", "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert [each["valid"] for each in told["explained"]] == [True, False] and told["valid"] is False
    assert told["explained"][0]["value"] == "220.1" and told["explained"][1]["address"] == "201508260017"


def test_a_bare_start_and_nothing_at_all_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 1 and what is missing, from the first byte on."""
    assert main(["68"]) == 1
    told = capsys.readouterr().out
    assert "not a frame, it is cut off" in told and "missing: address, second start, control byte, length" in told


def test_status_words_are_told_bit_by_bit() -> None:
    """Word 3 in all its bits, the water meter's own bits, and both bytes of a 1997 meter."""
    word = explain(frame("d1", "91", "03050004" + "9010"))
    assert all(each in word.pieces[-3].words for each in sentences(3, 0x1090)), word.pieces
    assert "power is kept on: trips are ignored" in word.pieces[-3].words and word.fields["bits"]["relay_open"] is True
    old = explain(frame("d1", "81", "20c0" + "04"), "dlt645-1997")
    assert any("its battery is low" in piece.words for piece in old.pieces)
    net = explain(frame("d1", "81", "21c0" + "12"), "dlt645-1997")
    told = " ".join(piece.words for piece in net.pieces)
    assert "phase B is without power" in told and "the voltage of phase A is too high" in told


def frame(address: str, control: str, data: str) -> bytes:
    raw = bytes((byte + 0x33) & 0xFF for byte in bytes.fromhex(data))
    body = b"\x68" + bytes.fromhex(address) * 6 + b"\x68" + bytes.fromhex(control) + bytes([len(raw)]) + raw
    return body + bytes([sum(body) & 0xFF, 0x16])
