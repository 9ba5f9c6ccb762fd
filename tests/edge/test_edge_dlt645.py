"""Every published DL/T 645 frame, read in every way a line can deliver it, and the one door to a control frame."""

from __future__ import annotations

import itertools
import random
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.codec import bcd, dlt645
from edge.codec.dlt645 import Frame
from edge.codec.errors import BadValue, CodecError, Refused
from tests.edge.published import Sample, sample, samples

ALL = samples("dlt645-2007")
FRAMES = [each for each in ALL if each.expect.get("valid")]
REPLIES = [each for each in FRAMES if each.direction == "response"]
RUBBISH = bytes.fromhex("00ff1668fe680102030405061611")
EDGE = Path(__file__).parents[2] / "edge"
OURS = "202603110206"


def body(each: Sample) -> bytes:
    """The frame without its wake-up bytes."""
    return each.raw[each.expect["preamble"] :]


def question(each: Sample) -> bytes:
    """The request that a published reply answers."""
    reply = dlt645.decode(each.raw)
    named = reply.data[:4] if reply.identifier and reply.function != 0x14 else b""
    if reply.function == dlt645.READ_ON:
        named += reply.data[-1:]
    return dlt645.encode(Frame(reply.address, reply.function, named))


# --- every sample, all ways ---


@pytest.mark.parametrize("each", FRAMES, ids=str)
def test_a_published_frame_says_what_its_publisher_says(each: Sample) -> None:
    """Address, control byte, contents and identifier of each published frame are read as published."""
    frame, expect = dlt645.decode(each.raw), each.expect
    assert frame.address == expect["address"]
    assert frame.control == int(expect["control"], 16) and frame.function == int(expect["function"], 16)
    assert (frame.is_reply, frame.abnormal, frame.follows) == (
        expect["response"],
        expect["abnormal"],
        expect["follow"],
    )
    assert frame.data.hex() == expect["data"] and len(frame.data) == expect["length"]
    if "di" in expect and frame.function != 0x03:
        assert frame.identifier == expect["di"].upper()


@pytest.mark.parametrize("each", FRAMES, ids=str)
def test_a_frame_written_again_is_the_same_frame(each: Sample) -> None:
    """What is read and written again is byte for byte what stood on the line."""
    assert dlt645.encode(dlt645.decode(each.raw), each.expect["preamble"]) == each.raw


@pytest.mark.parametrize("each", FRAMES, ids=str)
def test_a_frame_is_read_whole_in_pieces_and_before_rubbish(each: Sample) -> None:
    """A frame is found as soon as its last byte is there, not sooner, and what follows it is left alone."""
    wanted = dlt645.decode(each.raw)
    assert dlt645.take(bytearray(each.raw)) == wanted

    buffer = bytearray()
    for byte in each.raw[:-1]:
        buffer.append(byte)
        assert dlt645.take(buffer) is None, "not yet"
    buffer.append(each.raw[-1])
    assert dlt645.take(buffer) == wanted and buffer == b""

    buffer = bytearray(each.raw + RUBBISH)
    assert dlt645.take_raw(buffer) == body(each) and buffer == RUBBISH


@pytest.mark.parametrize("each", FRAMES, ids=str)
def test_a_frame_is_found_after_noise(each: Sample) -> None:
    """Noise before a frame, false start bytes among it, costs neither the frame nor its last byte."""
    chance = random.Random(each.id)
    for length in (1, 3, 8, 30):
        quiet = bytes(chance.choice([b for b in range(256) if b != 0x68]) for _ in range(length))
        assert dlt645.take_raw(bytearray(quiet + each.raw)) == body(each), "no start byte in the noise: at once"
        crowd = bytes(chance.choice([0x68, 0xFE, 0x16, 0x91, 0x00]) for _ in range(length))
        assert dlt645.take_raw(bytearray(crowd + each.raw), final=True) == body(each)


@pytest.mark.parametrize("each", FRAMES, ids=str)
def test_a_stray_start_byte_does_not_swallow_the_frame(each: Sample) -> None:
    """A lone 68H before the wake-up bytes is dropped alone: the frame behind it is found."""
    for stray in (b"\x68", b"\x68\xfe\xfe\xfe\xfe", b"\x68" * 7, b"\x68\x68\xfe"):
        assert dlt645.take_raw(bytearray(stray + each.raw), final=True) == body(each)
    if each.raw[each.expect["preamble"] + 2] != 0x68:
        assert dlt645.take_raw(bytearray(b"\x68\xfe\xfe\xfe\xfe" + body(each))) == body(each), "without waiting"


@pytest.mark.parametrize("each", REPLIES, ids=str)
def test_a_flipped_bit_never_becomes_an_answer(each: Sample) -> None:
    """Whichever single bit of a reply is damaged: no answer at all, or (in a wake-up byte) the very same one."""
    asked = question(each)
    assert dlt645.find_reply(asked, bytearray(each.raw)) == body(each)
    for bit in range(8 * len(each.raw)):
        damaged = bytearray(each.raw)
        damaged[bit // 8] ^= 1 << bit % 8
        found = dlt645.find_reply(asked, damaged, final=True)
        assert found == (body(each) if bit // 8 < each.expect["preamble"] else None), f"bit {bit}"


def test_what_the_sum_cannot_see_still_answers_the_question() -> None:
    """Two damaged bits can pass an 8-bit sum; what passes is still from the meter and about the register asked for."""
    reply = body(sample("d07-read-fwd-active-resp"))
    asked = dlt645.read("000000000161", "00010000")
    passed = wrong = 0
    for one, two in itertools.combinations(range(8 * len(reply)), 2):
        damaged = bytearray(reply)
        damaged[one // 8] ^= 1 << one % 8
        damaged[two // 8] ^= 1 << two % 8
        if dlt645.take_raw(bytearray(damaged), final=True) is None:
            continue
        passed += 1
        if (found := dlt645.find_reply(asked, damaged, final=True)) is not None:
            frame = dlt645.decode(found)
            assert (frame.address, frame.identifier or "abnormal") in {
                ("000000000161", "00010000"),
                ("000000000161", "abnormal"),
            }
            wrong += not frame.abnormal
    assert 0 < wrong < passed < 1000, "the sum is as weak as it is known to be, and the match takes its share"


@pytest.mark.parametrize("each", [each for each in ALL if each.expect.get("valid") is False], ids=str)
def test_a_broken_frame_is_no_frame(each: Sample) -> None:
    """A wrong sum, a missing end: nothing is read from it, however long one waits."""
    assert dlt645.take(bytearray(each.raw), final=True) is None
    with pytest.raises(CodecError):
        dlt645.decode(each.raw)


@pytest.mark.parametrize("each", [each for each in ALL if each.expect.get("stream")], ids=str)
def test_several_frames_in_one_stream_are_all_seen_once(each: Sample) -> None:
    """Replies back to back, with filler between them, come out one by one and in order."""
    buffer, found = bytearray(each.raw), []
    while (raw := dlt645.take_raw(buffer)) is not None:
        found.append(raw.hex())
    assert found == each.expect["frames"]


def test_all_published_frames_in_one_noisy_stream() -> None:
    """Everything that was ever published, on one line with noise between: each frame exactly once, in order."""
    chance = random.Random(645)
    stream = b""
    for each in FRAMES:
        stream += each.raw + bytes(chance.choice([b for b in range(256) if b != 0x68]) for _ in range(5))
    buffer, found = bytearray(stream), []
    while (raw := dlt645.take_raw(buffer)) is not None:
        found.append(raw)
    assert found == [body(each) for each in FRAMES]


def test_a_false_header_holds_a_frame_back_only_until_silence() -> None:
    """A false header can ask for 255 bytes that never come: the frame behind it is found once the line is silent."""
    header = bytes.fromhex("68111111111111 6891ff".replace(" ", ""))
    frame = dlt645.read(OURS, "00010000", 0)
    buffer = bytearray(header + frame)
    assert dlt645.take_raw(buffer) is None
    assert dlt645.take_raw(buffer, final=True) == frame


# --- whose answer is it ---


def answer(address: str, identifier: str, value: str = "26000000") -> bytes:
    """A reply as a meter gives it."""
    contents = bytes.fromhex(identifier)[::-1] + bytes.fromhex(value)
    return dlt645.encode(Frame(address, 0x91, contents), 2)


def test_our_own_echo_is_no_answer() -> None:
    """An adapter that hears itself: the echo is passed over and the answer behind it is taken."""
    asked, reply = dlt645.read(OURS, "00010000"), answer(OURS, "00010000")
    assert dlt645.find_reply(asked, bytearray(asked), final=True) is None
    assert dlt645.find_reply(asked, bytearray(asked + reply)) == reply[2:]


def test_a_late_answer_is_not_the_answer_to_the_next_question() -> None:
    """The meter answers the question before this one: dropped, the right answer behind it is taken."""
    asked, late = dlt645.read(OURS, "00010000"), answer(OURS, "02030000", "563412")
    assert dlt645.find_reply(asked, bytearray(late), final=True) is None
    assert dlt645.find_reply(asked, bytearray(late + answer(OURS, "00010000"))) is not None


def test_a_neighbours_answer_is_not_ours() -> None:
    """Another meter's answer, even to the same question, is dropped: also when only one digit differs."""
    asked = dlt645.read(OURS, "00010000")
    for other in ("202603110207", "202603110216", "302603110206", "060211032620"):
        assert dlt645.find_reply(asked, bytearray(answer(other, "00010000")), final=True) is None


@pytest.mark.parametrize(
    ("asked", "answered", "fits"),
    [
        ("AAAAAAAAAAAA", OURS, True),
        ("aaaaaaaa0206", OURS, True),
        ("aaaaaaaa0207", OURS, False),
        (OURS, "aaaaaaaaaaaa", False),
        ("9" * 12, OURS, False),
    ],
)
def test_a_wildcard_question_takes_the_meters_own_address(asked: str, answered: str, fits: bool) -> None:
    """AA stands for any two digits of the answering meter, in reading only; nothing else stands for anything."""
    assert (
        dlt645.answers(Frame(asked, 0x11, b"\x00\x00\x01\x00"), Frame(answered, 0x91, b"\x00\x00\x01\x00" + bytes(4)))
        is fits
    )


def test_the_published_pairs_belong_together() -> None:
    """Published requests and their published replies match; the reply to a read never matches another read."""
    pairs = [
        ("d07-read-fwd-active-req", "d07-read-fwd-active-resp"),
        ("d07-read-meterno-req-aa", "d07-read-meterno-resp"),
        ("d07-read-addr-req", "d07-read-addr-resp"),
        ("d07-read-datetime-block-req", "d07-read-datetime-block-resp-1"),
        ("d07-read-tariff-block-req", "d07-read-tariff-block-resp"),
        ("d07-relay-trip-req-holley", "d07-relay-ack-holley"),
        ("d07-syn-write-date", "d07-syn-write-ack"),
        ("d07-syn-write-date", "d07-syn-write-err-pw"),
        ("d07-syn-follow-req1", "d07-syn-follow-last"),
        ("d07-read-fwd-req-cs", "d07-read-error-no-data"),
    ]
    for asked, answered in pairs:
        request, reply = sample(asked).raw, sample(answered)
        assert dlt645.find_reply(request, bytearray(reply.raw)) == body(reply), (asked, answered)
    wrong = dlt645.find_reply(
        sample("d07-read-date-req").raw, bytearray(sample("d07-read-daily-freeze-time-resp").raw), final=True
    )
    assert wrong is None


# --- values ---


@pytest.mark.parametrize("each", [e for e in REPLIES if e.expect.get("unit") in ("kWh", "V", "A", "Hz", "kW")], ids=str)
def test_a_published_value_is_read_exactly(each: Sample) -> None:
    """The number a publisher says is in the frame is the number that is read, to the last digit and with its sign."""
    raw = dlt645.value_of(body(each))
    published = [Decimal(text) for text in each.expect.get("values", [each.expect.get("value")])]
    match each.expect["unit"]:
        case "kWh":
            assert bcd.energies_wh(raw) == [value * 1000 for value in published]
        case "V":
            assert [bcd.digits(raw)] == [value * 10 for value in published]
        case "A":
            assert [bcd.signed(raw)] == [value * 1000 for value in published]
        case "Hz":
            assert [bcd.digits(raw)] == [value * 100 for value in published]
        case "kW":
            assert [bcd.signed(raw)] == [value * 10_000 for value in published]


def test_a_missing_phase_is_absent_and_other_letters_are_an_error() -> None:
    """FF bytes mean "not available", never a number; any other letter means a damaged value, not zero."""
    assert bcd.digits(b"\xff\xff") is None and bcd.signed(b"\xff\xff\xff") is None
    assert bcd.energies_wh(b"\xff" * 4 + b"\x01\x00\x00\x00") == [None, 10]
    for wrong in (b"\x0a\x00", b"\xff\x00", b"\x00\xaf"):
        with pytest.raises(BadValue):
            bcd.digits(wrong)
    for count in (0, 3, 6):
        with pytest.raises(BadValue, match=f"{count} bytes"):
            bcd.energies_wh(b"\x01" * count)


@given(st.integers(0, 99_999_999))
def test_a_register_survives_the_line(steps: int) -> None:
    """Any register a meter can show comes back as the same number of Wh."""
    raw = bytes.fromhex(f"{steps:08d}")[::-1]
    assert bcd.energies_wh(raw) == [steps * 10]
    assert bcd.signed(raw) == (steps if steps < 80_000_000 else -(steps - 80_000_000))


def test_a_refusal_names_its_reason() -> None:
    """What a meter refuses is said in words: no such data, wrong password."""
    with pytest.raises(Refused, match="no data for this identifier"):
        dlt645.value_of(body(sample("d07-read-error-no-data")))
    with pytest.raises(Refused, match="wrong password"):
        dlt645.value_of(body(sample("d07-syn-relay-err")))
    with pytest.raises(Refused, match="another customer number, wrong purchase count"):
        dlt645.value_of(dlt645.encode(Frame(OURS, 0xC3, bytes([0x30, 0x00]))))
    with pytest.raises(Refused, match="relay error"):
        dlt645.value_of(dlt645.encode(Frame(OURS, 0xC3, bytes([0x00, 0x02]))))


# --- answers in several parts ---


def test_an_answer_in_parts_is_asked_on_and_put_together() -> None:
    """The published first part asks for part 1 with the published request; both together are the whole value."""
    first, last = body(sample("d07-syn-follow-first")), body(sample("d07-syn-follow-last"))
    asked = dlt645.read("201508260017", "03300D01", preamble=0)
    on = dlt645.next_part(asked, [first])
    assert on == sample("d07-syn-follow-req1").raw
    assert dlt645.find_reply(on, bytearray(first + last)) == last, "the first part once more is no second part"
    assert dlt645.next_part(asked, [first, last]) is None
    assert dlt645.value_of(first, last) == dlt645.decode(first).data[4:] + dlt645.decode(last).data[4:-1]


def test_a_part_is_never_taken_for_the_whole() -> None:
    """A part too few, too many, or of another number is no value."""
    first, last = body(sample("d07-syn-follow-first")), body(sample("d07-syn-follow-last"))
    for parts in ([first], [last, last], [first, first, last]):
        with pytest.raises(CodecError, match="part"):
            dlt645.value_of(*parts)
    second = dlt645.encode(Frame("201508260017", dlt645.READ_ON, bytes.fromhex("010d300302")))
    assert dlt645.find_reply(second, bytearray(last)) is None


def test_an_answer_without_end_is_given_up() -> None:
    """A meter that always has one part more does not hold the line for ever."""
    first = body(sample("d07-syn-follow-first"))
    with pytest.raises(CodecError, match="parts"):
        dlt645.next_part(dlt645.read("201508260017", "03300D01"), [first] * 256)


def test_who_is_there_is_answered_by_the_meter_itself() -> None:
    """13H to anybody: the published question, and the answer's two addresses must agree."""
    assert dlt645.read_address(preamble=0) == sample("d07-read-addr-req").raw
    reply = body(sample("d07-read-addr-resp"))
    assert dlt645.find_reply(dlt645.read_address(), bytearray(reply)) == reply
    lying = dlt645.encode(Frame("201000000013", 0x93, dlt645.decode(reply).data))
    assert dlt645.find_reply(dlt645.read_address(), bytearray(lying)) is None
