"""`riser decode` says of every published frame what its publisher says, and of damaged ones what is wrong with them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from edge.explain.__main__ import explain, lines_of, main, protocol_of
from edge.explain.explanation import KEYS
from tests.edge.published import Sample, samples

PROTOCOLS = ("dlt645-2007", "dlt645-1997", "cjt188", "modbus-rtu")
ALL = [(protocol, each) for protocol in PROTOCOLS for each in samples(protocol)]
REMARKS = {"note", "follow_note"}
NEEDS_THE_QUESTION = {"mb-acrel-read-energy-resp": {"value", "unit"}}
"""A Modbus reply does not say which registers it holds, so the unit of a lone reply cannot be known."""


def decoded(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    main([*words, "--json"])
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize(("protocol", "each"), ALL, ids=str)
def test_every_published_frame_is_explained_as_published(
    protocol: str, each: Sample, capsys: pytest.CaptureFixture[str]
) -> None:
    """Protocol by its shape, every field and every value as its publisher gives it; all fifteen keys are there."""
    found = decoded(capsys, each.raw.hex())
    left_out = REMARKS | NEEDS_THE_QUESTION.get(each.id, set())
    for key, value in each.expect.items():
        if key not in left_out:
            assert found.get(key) == value, key
    if not each.expect.get("stream"):
        assert set(KEYS) <= set(found)
        assert found["protocol"] == protocol or not found["valid"]
        assert decoded(capsys, each.raw.hex(), "--protocol", protocol)["protocol"] == protocol


@pytest.mark.parametrize(("protocol", "each"), [p for p in ALL if p[1].direction != "stream"], ids=str)
def test_every_byte_is_accounted_for(protocol: str, each: Sample) -> None:
    """The pieces cover the frame without a gap, in order, each with words."""
    explained = explain(each.raw)
    assert b"".join(piece.raw for piece in explained.pieces) == each.raw
    assert all(piece.words for piece in explained.pieces)
    assert "not known" not in "\n".join(lines_of(explained)) or protocol != "dlt645-2007" or not explained.valid


@pytest.mark.parametrize(("protocol", "each"), [p for p in ALL if p[1].expect.get("valid")], ids=str)
def test_a_damaged_frame_is_never_explained_as_good(protocol: str, each: Sample) -> None:
    """Any single flipped bit behind the wake-up bytes, and any cut: not a frame, with a reason and a sentence."""
    start = each.expect.get("preamble", 0)
    for bit in range(8 * start, 8 * len(each.raw)):
        damaged = bytearray(each.raw)
        damaged[bit // 8] ^= 1 << bit % 8
        found = explain(bytes(damaged), protocol)
        assert not found.valid and found.fields["reason"] and found.fields["error"], f"bit {bit}"
    for length in range(start + 1, len(each.raw)):
        assert not explain(each.raw[:length], protocol).valid


@pytest.mark.parametrize(
    ("text", "protocol", "reason"),
    [
        ("68 17 00 26 08 15 20 68 91 06 33 34 34 35 34 55 00 16", "dlt645-2007", "checksum"),
        ("68 17 00 26 08 15 20 68 91 06 33 34 34 35 34 55 3A 17", "dlt645-2007", "end byte"),
        ("68 17 00 26 08 15 20 69 91 06 33 34 34 35 34 55 3A 16", "dlt645-2007", "second start byte"),
        ("68 17 00 26 08 15 20 68 91 06 33", "dlt645-2007", "incomplete"),
        ("01 03 00 00 00 02 C4 0C", "modbus-rtu", "crc"),
        ("01 03", "modbus-rtu", "incomplete"),
    ],
)
def test_what_is_wrong_is_named(text: str, protocol: str, reason: str) -> None:
    """The reason is one word for programs, and the sentence tells what stands there and what should."""
    found = explain(bytes.fromhex(text), protocol)
    assert found.fields["reason"] == reason and len(found.fields["error"]) > 20


def test_people_may_paste_as_they_have_it(capsys: pytest.CaptureFixture[str]) -> None:
    """Spaces, commas, 0x and several words are one frame; two frames of a log are told one after the other."""
    plain = decoded(capsys, "010300000002C40B")
    assert decoded(capsys, "0x01,0x03", "00 00 00 02", "c4-0b") == plain
    assert main(["fefe68aaaaaaaaaaaa681300df16" * 2]) == 0
    assert capsys.readouterr().out.count("a good frame") == 2


@pytest.mark.parametrize("words", [["xyz"], [""], ["123"], ["68" * 5000]])
def test_what_is_not_hex_is_one_sentence(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2 and what to write instead."""
    assert main(words) == 2
    assert "not a frame in hex digits" in capsys.readouterr().err


def test_a_damaged_frame_ends_with_code_1(capsys: pytest.CaptureFixture[str]) -> None:
    """So that a script notices."""
    assert main(["68 17 00"]) == 1
    assert "not a frame" in capsys.readouterr().out


def test_the_two_editions_are_told_apart_by_their_functions() -> None:
    """01H and 04H are 1997's, 11H and 14H are 2007's."""
    for protocol, each in ALL:
        if each.expect.get("valid"):
            assert protocol_of(each.raw) == protocol, each.id
