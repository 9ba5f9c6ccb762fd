"""Every published DL/T 645-1997 frame: the meters of the last century are read, and only read."""

from __future__ import annotations

import pytest

from edge.codec import dlt645, dlt1997
from edge.codec.errors import CodecError, Refused
from tests.edge.published import Sample, sample, samples

FRAMES = samples("dlt645-1997")
REPLIES = [each for each in FRAMES if each.direction == "response"]


def body(each: Sample) -> bytes:
    return each.raw[each.expect["preamble"] :]


@pytest.mark.parametrize("each", FRAMES, ids=str)
def test_a_published_frame_says_what_its_publisher_says(each: Sample) -> None:
    """Identifiers have two bytes; the rest of the frame is as in 2007, and is written again byte for byte."""
    frame, expect = dlt645.decode(each.raw), each.expect
    assert (frame.address, frame.data.hex()) == (expect["address"], expect["data"])
    assert dlt1997.identifier_of(frame) == (expect["di"].upper() if "di" in expect else None)
    assert dlt645.encode(frame, expect["preamble"]) == each.raw


def test_the_published_questions_are_the_ones_we_ask() -> None:
    """Reading 9010 and B611 gives the published frames."""
    assert dlt1997.read("000000000003", "B611", preamble=0) == sample("d97-read-volt-req").raw
    assert dlt1997.read("000003430163", "9010", preamble=0) == sample("d97-read-fwd-req").raw
    assert dlt1997.read(dlt1997.EVERYBODY, "9010", preamble=0) == sample("d97-kts-broadcast-req").raw


@pytest.mark.parametrize("each", [each for each in REPLIES if "di" in each.expect], ids=str)
def test_an_answer_is_found_and_a_neighbours_is_not(each: Sample) -> None:
    """Address and identifier must fit; a read to everybody is answered by whoever is there; the echo is passed over."""
    address, identifier = each.expect["address"], each.expect["di"]
    asked = dlt1997.read(address, identifier)
    assert dlt1997.find_reply(asked, bytearray(asked + each.raw)) == body(each)
    assert dlt1997.find_reply(dlt1997.read(dlt1997.EVERYBODY, identifier), bytearray(each.raw)) == body(each)
    assert dlt1997.find_reply(dlt1997.read("123456789012", identifier), bytearray(each.raw)) is None
    assert dlt1997.find_reply(dlt1997.read(address, "9020"), bytearray(each.raw)) is None
    assert dlt645.find_reply(dlt645.read(address, "00010000"), bytearray(each.raw)) is None, "2007 is another language"
    assert dlt1997.value_of(body(each)) == dlt645.decode(each.raw).data[2:]


@pytest.mark.parametrize("each", REPLIES, ids=str)
def test_a_flipped_bit_never_becomes_an_answer(each: Sample) -> None:
    """Whichever single bit is damaged: no answer, or (in a wake-up byte) the very same one."""
    reply = dlt645.decode(each.raw)
    asked = dlt645.encode(dlt645.Frame(reply.address, reply.function, reply.data[:2]))
    for bit in range(8 * len(each.raw)):
        damaged = bytearray(each.raw)
        damaged[bit // 8] ^= 1 << bit % 8
        found = dlt1997.find_reply(asked, damaged, final=True)
        assert found == (body(each) if bit // 8 < each.expect["preamble"] else None), f"bit {bit}"


def test_a_refusal_and_a_part_are_no_values() -> None:
    """What the meter refuses, and what is only the first part, raises."""
    with pytest.raises(Refused, match="other error"):
        dlt1997.value_of(sample("d97-kts-write-error").raw)
    with pytest.raises(CodecError, match="more parts"):
        dlt1997.value_of(dlt645.encode(dlt645.Frame("000000000003", 0xA1, bytes.fromhex("1f9000000000"))))
