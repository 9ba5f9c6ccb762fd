"""Every published CJ/T 188 frame, read in every way a line can deliver it, and the one door to a valve."""

from __future__ import annotations

import random

import pytest

from edge.codec import cjt188, dlt645
from edge.codec.cjt188 import Frame
from edge.codec.errors import CodecError, Forbidden, Refused
from tests.edge.published import Sample, sample, samples

FRAMES = samples("cjt188")
REPLIES = [each for each in FRAMES if each.direction == "response"]
RUBBISH = bytes.fromhex("00ff16fe68101020304050606116")
OURS = "78330123456789"


def body(each: Sample) -> bytes:
    return each.raw[each.expect["preamble"] :]


def question(each: Sample) -> bytes:
    """The request that a published reply answers."""
    reply = cjt188.decode(each.raw)
    return cjt188.encode(Frame(reply.kind, reply.address, reply.function, reply.data[:3]))


@pytest.mark.parametrize("each", FRAMES, ids=str)
def test_a_published_frame_says_what_its_publisher_says(each: Sample) -> None:
    """Kind, address, control byte, contents and identifier of each published frame are read as published."""
    frame, expect = cjt188.decode(each.raw), each.expect
    assert (frame.address, f"{frame.kind:02X}") == (expect["address"], expect["meter_type"])
    assert frame.control == int(expect["control"], 16) and frame.function == int(expect["function"], 16)
    assert (frame.is_reply, frame.abnormal) == (expect["response"], expect["abnormal"])
    assert frame.data.hex() == expect["data"] and len(frame.data) == expect["length"]
    assert frame.identifier == expect["di_bytes"] and frame.data[2] == expect["ser"]


@pytest.mark.parametrize("each", FRAMES, ids=str)
def test_a_frame_written_again_is_the_same_frame(each: Sample) -> None:
    """What is read and written again is byte for byte what stood on the line."""
    assert cjt188.encode(cjt188.decode(each.raw), each.expect["preamble"]) == each.raw


@pytest.mark.parametrize("each", FRAMES, ids=str)
def test_a_frame_is_read_whole_in_pieces_and_before_rubbish(each: Sample) -> None:
    """A frame is found as soon as its last byte is there, not sooner, and what follows it is left alone."""
    buffer = bytearray()
    for byte in each.raw[:-1]:
        buffer.append(byte)
        assert cjt188.take_raw(buffer) is None, "not yet"
    buffer.append(each.raw[-1])
    assert cjt188.take_raw(buffer) == body(each) and buffer == b""
    buffer = bytearray(each.raw + RUBBISH)
    assert cjt188.take_raw(buffer) == body(each) and buffer == RUBBISH


@pytest.mark.parametrize("each", FRAMES, ids=str)
def test_a_frame_is_found_after_noise_and_a_stray_start(each: Sample) -> None:
    """Noise with false start bytes before a frame costs neither the frame nor its last byte."""
    chance = random.Random(each.id)
    for length in (1, 3, 8, 30):
        crowd = bytes(chance.choice([0x68, 0xFE, 0x16, 0x81, 0x00]) for _ in range(length))
        assert cjt188.take_raw(bytearray(crowd + each.raw), final=True) == body(each)


@pytest.mark.parametrize("each", REPLIES, ids=str)
def test_a_flipped_bit_never_becomes_an_answer(each: Sample) -> None:
    """Whichever single bit of a reply is damaged: no answer at all, or (in a wake-up byte) the very same one."""
    asked = question(each)
    assert cjt188.find_reply(asked, bytearray(each.raw)) == body(each)
    for bit in range(8 * len(each.raw)):
        damaged = bytearray(each.raw)
        damaged[bit // 8] ^= 1 << bit % 8
        found = cjt188.find_reply(asked, damaged, final=True)
        assert found == (body(each) if bit // 8 < each.expect["preamble"] else None), f"bit {bit}"


def test_our_echo_is_no_answer_and_costs_none() -> None:
    """An adapter that sends back what it was sent is heard through."""
    each = sample("c188-syn-read-resp")
    asked = cjt188.read(0x10, OURS, ser=5)
    assert cjt188.find_reply(asked, bytearray(asked + each.raw)) == body(each)
    assert cjt188.find_reply(asked, bytearray(asked), final=True) is None


def test_either_order_of_the_identifier_is_taken_and_no_other() -> None:
    """Makers disagree which byte comes first; another identifier, serial number or meter is not ours."""
    reply = body(sample("c188-syn-read-resp"))  # 901F, SER 5
    for order in ("901F", "1F90"):
        assert cjt188.find_reply(cjt188.read(0x10, OURS, order, ser=5), bytearray(reply)) == reply
    for asked in (
        cjt188.read(0x10, OURS, "D120", ser=5),
        cjt188.read(0x10, OURS, ser=6),
        cjt188.read(0x20, OURS, ser=5),
        cjt188.read(0x10, "78330123456788", ser=5),
    ):
        assert cjt188.find_reply(asked, bytearray(reply)) is None
    assert cjt188.find_reply(cjt188.read(cjt188.ANY_KIND, cjt188.ANY, ser=5), bytearray(reply)) == reply


def test_who_is_there_is_answered_by_the_meter_itself() -> None:
    """The published question for an address is the one we send, and its answer carries the address."""
    assert cjt188.read(0x10, "aa" * 7, "810A", ser=1, preamble=0) == sample("c188-readaddr-req").raw
    reply = bytearray(sample("c188-readaddr-resp-id").raw)
    found = cjt188.find_reply(cjt188.read(0x10, cjt188.ANY, "810A"), reply)
    assert found is not None and cjt188.decode(found).address == OURS


@pytest.mark.parametrize("each", REPLIES, ids=str)
def test_a_frame_whose_head_or_length_lies_is_none(each: Sample) -> None:
    """The sum may be right for what came: without its start, with a byte too many or too few, it is no frame."""
    whole = body(each)
    longer, other = bytearray(whole), bytearray(whole)
    longer[cjt188.HEADER - 1] += 1
    other[0] = 0x69
    for wrong in (longer, other):
        wrong[-2] = sum(wrong[:-2]) & 0xFF
        with pytest.raises(CodecError, match="not one whole"):
            cjt188.decode(bytes(wrong))


@pytest.mark.parametrize("each", REPLIES, ids=str)
def test_what_came_whole_and_damaged_is_not_waited_for(each: Sample) -> None:
    """As long as its head says, and its sum does not fit: the answer is spoiled. What is still coming, what is right,
    and a damaged question, such as our own echo, are not."""
    asked = question(each)
    damaged, echo = bytearray(body(each)), bytearray(asked)
    damaged[-2] ^= 1
    echo[-2] ^= 1
    assert cjt188.spoiled(asked, damaged) is True and cjt188.spoiled(asked, b"\xfe\xfe" + damaged) is True
    for sound in (body(each), damaged[:-1], damaged[: cjt188.HEADER], echo, b"", b"\xfe" * 30):
        assert cjt188.spoiled(asked, sound) is False


def test_a_valve_frame_is_numbered_like_a_question() -> None:
    """Nobody named a serial number: it is 0, as for a read."""
    frame = cjt188.decode(cjt188.valve("close", 0x10, OURS, {OURS}))
    assert frame.data[2] == 0 == cjt188.decode(cjt188.read(0x10, OURS)).data[2]


def test_a_valve_frame_is_the_published_one() -> None:
    """Open and close read byte for byte as published."""
    address = "78331505900569"
    for order, id in (("open", "c188-valve-open-req"), ("close", "c188-valve-close-req")):
        assert cjt188.valve(order, 0x10, address, {address}, ser=1) == sample(id).raw


@pytest.mark.parametrize("address", ["aa" * 7, "9" * 14, "7833012345678", "78330123456788", "783301234567８9", ""])
def test_no_valve_frame_for_anything_but_a_registered_meter(address: str) -> None:
    """A wildcard, a broadcast, a typing mistake: there is no such frame (I13)."""
    with pytest.raises(Forbidden):
        cjt188.valve("close", 0x10, address, {OURS, "aa" * 7, "9" * 14} - {"78330123456788"})
    with pytest.raises(Forbidden):
        cjt188.valve("close", cjt188.ANY_KIND, OURS, {OURS})


def test_a_refusal_is_the_meters_own_word() -> None:
    """An error reply raises what the meter said."""
    with pytest.raises(Refused, match="error 01"):
        cjt188.value_of(sample("c188-syn-write-err").raw)
    assert cjt188.value_of(sample("c188-syn-read-resp").raw).hex().startswith("45230100")


def test_neither_protocol_takes_the_others_frames() -> None:
    """On a line that carries both, a water meter's frame is no electricity meter's, and the other way round."""
    for each in FRAMES:
        assert dlt645.take_raw(bytearray(each.raw), final=True) is None, each.id
    for each in samples("dlt645-2007"):
        if each.expect.get("valid"):
            assert cjt188.take_raw(bytearray(each.raw), final=True) is None, each.id


def test_a_wrong_address_is_not_encoded() -> None:
    """Twelve digits are a DL/T 645 address."""
    with pytest.raises(CodecError, match="14 digits"):
        cjt188.read(0x10, "783301234567")
