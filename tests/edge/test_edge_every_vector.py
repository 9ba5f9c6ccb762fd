"""Every published frame of every protocol, in every way a line can deliver it: nobody is left out.

What a protocol's own file proves about its meaning is not repeated here; `test_edge_explain.py` compares every field
of every frame with what its publisher says.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest

from bridge.contract.clock import ManualClock
from edge.codec import PROTOCOLS, cjt188, dlt645, dlt1997, modbus
from edge.codec.errors import CodecError, Refused
from edge.line.exchange import Outcome, exchange
from edge.line.wire import Line
from tests.edge.building import START
from tests.edge.vectors import VECTORS, Ear, Vector

RIGHT = [each for each in VECTORS if each.valid]
REPLIES = [each for each in RIGHT if each.is_reply]
REQUESTS = [each for each in RIGHT if not each.is_reply]
LATER = b"\x00\xff\x16\x00"
"""Rubbish that can begin no frame of any protocol, so it stays where it is."""


def test_none_is_left_out() -> None:
    """134 frames are published: 85 of DL/T 645-2007, 9 of 1997, 18 of CJ/T 188, 22 of Modbus; 130 are right."""
    assert Counter(each.protocol for each in VECTORS) == {
        "dlt645-2007": 85, "dlt645-1997": 9, "cjt188": 18, "modbus-rtu": 22,
    }  # fmt: skip
    assert len(REPLIES) + len(REQUESTS) == 130 and sum(bool(each.frames) for each in VECTORS) == 131


def heard(ear: Ear, pieces: Iterable[bytes]) -> tuple[list[bytes], bytes]:
    """The frames that an ear finds in what comes piece by piece, and what it kept; the line is silent at the end."""
    buffer, found = bytearray(), []
    for piece in pieces:
        buffer += piece
        while (raw := ear(buffer, False)) is not None:
            found.append(raw)
    while (raw := ear(buffer, True)) is not None:
        found.append(raw)
    return found, bytes(buffer)


def singly(raw: bytes) -> list[bytes]:
    return [raw[at : at + 1] for at in range(len(raw))]


def noise(each: Vector, length: int, crowd: bool) -> bytes:
    """Rubbish of a line, always the same for the same frame; with `crowd` it is full of false beginnings.

    The draw is a fixed one: a crowd that holds a false head makes, with the frame behind it, one time in 256 another
    frame whose 8-bit sum fits, and no splitter can know better.
    """
    chance = random.Random(f"{each}:{length}:{crowd}:6")
    like = [0x68, 0xFE, 0x16, 0x91, 0x00, each.start[0]]
    unlike = [byte for byte in range(256) if byte not in (0x68, each.start[0])]
    return bytes(chance.choice(like if crowd else unlike) for _ in range(length))


# --- the splitters ---


@pytest.mark.parametrize("each", RIGHT, ids=str)
def test_what_is_decoded_is_written_again(each: Vector) -> None:
    """Every right frame, read and written again, is byte for byte what stood on the line."""
    assert each.again() == each.raw


@pytest.mark.parametrize("each", VECTORS, ids=str)
def test_it_is_heard_whole_and_byte_by_byte(each: Vector) -> None:
    """Each frame once, in order, with its last byte and not sooner; a damaged one never, however it comes."""
    for ear in each.ears:
        assert heard(ear, [each.raw])[0] == list(each.frames)
        assert heard(ear, singly(each.raw))[0] == list(each.frames)
        if not each.valid:
            continue
        buffer = bytearray()
        for byte in each.raw[:-1]:
            buffer.append(byte)
            assert ear(buffer, False) is None, "not yet"
        buffer += each.raw[-1:] + LATER
        assert (ear(buffer, False), buffer) == (each.frames[0], LATER), "what follows is left alone"


@pytest.mark.parametrize("each", VECTORS, ids=str)
def test_it_is_heard_in_noise(each: Vector) -> None:
    """Noise before, between and after two of the same frame costs neither of them, nor makes a third."""
    for ear in each.ears:
        for length in (1, 3, 8, 30):
            for crowd in (False, True):
                before, between = noise(each, length, crowd), noise(each, length + 1, crowd)
                # 00H behind each: a 16H there would complete the frame that is cut before its end, and rightly so.
                said = before + each.raw + b"\x00" + between + each.raw + b"\x00" + before
                for pieces in ([said], singly(said)):
                    assert heard(ear, pieces)[0] == [*each.frames, *each.frames], (length, crowd)


@pytest.mark.parametrize("each", VECTORS, ids=str)
def test_a_stray_start_byte_does_not_swallow_it(each: Vector) -> None:
    """One start byte too many, or seven, or one before the wake-up bytes: the frame behind is heard."""
    for ear in each.ears:
        for stray in (each.start, b"\x68", b"\x68" * 7, each.start + b"\xfe" * 4, b"\x68\x68\xfe"):
            for pieces in ([stray + each.raw], singly(stray + each.raw)):
                assert heard(ear, pieces)[0] == list(each.frames), stray.hex()


@pytest.mark.parametrize("each", RIGHT, ids=str)
def test_a_flipped_bit_is_no_frame_or_the_same(each: Vector) -> None:
    """Whichever single bit is damaged: no frame, or (in a wake-up byte) the very same; never another one."""
    for ear in each.ears:
        for bit in range(8 * len(each.raw)):
            damaged = bytearray(each.raw)
            damaged[bit // 8] ^= 1 << bit % 8
            expected = list(each.frames) if bit // 8 < each.preamble else []
            assert heard(ear, [bytes(damaged)])[0] == expected, f"bit {bit}"


# --- the question and its answer ---


@pytest.mark.parametrize("each", REPLIES, ids=str)
def test_a_reply_has_a_value_or_a_reason(each: Vector) -> None:
    """What the meter answers is a value, the first part of one, or a refusal in words: never something else."""
    (raw,) = each.frames
    try:
        match each.protocol:
            case "dlt645-2007":
                assert dlt645.value_of(raw) in dlt645.decode(raw).data
            case "dlt645-1997":
                assert dlt645.decode(raw).data.endswith(dlt1997.value_of(raw))
            case "cjt188":
                assert cjt188.value_of(raw) in raw  # An address that was asked for stands in the frame's head.
            case _:
                assert modbus.registers_of(raw) in (raw[3:-2], b"")
    except Refused as refusal:
        assert each.sample.expect.get("abnormal") or "exception" in each.sample.expect
        assert "refused" in str(refusal)
    except CodecError as trouble:
        frame = dlt645.decode(raw)
        assert (frame.follows or frame.function == dlt645.READ_ON) and "part" in str(trouble)


class Script:
    """A wire that says what it was told to say, one piece after the other, a millisecond apart."""

    def __init__(self, clock: ManualClock, pieces: list[bytes]):
        self.clock, self.pieces = clock, pieces
        self.asked: list[bytes] = []

    def write(self, frame: bytes) -> None:
        self.asked.append(frame)

    def read(self, timeout_s: float) -> bytes:
        if not self.pieces:
            self.clock.advance(timeout_s + 0.001)
            return b""
        self.clock.advance(0.001)
        return self.pieces.pop(0)

    def drain(self) -> None: ...
    def close(self) -> None: ...


def asked(each: Vector, *pieces: bytes) -> Outcome:
    """What becomes of a vector's question when the line says these pieces."""
    clock = ManualClock(START)
    line, script = Line("line-1", Path("unused"), each.protocol, 9600, "E"), Script(clock, list(pieces))
    outcome = exchange(line, script, each.question, clock)
    assert script.asked == [each.question]
    return outcome


@pytest.mark.parametrize("each", REPLIES, ids=str)
def test_the_answer_is_found_on_the_line(each: Vector) -> None:
    """Whole, byte by byte, in noise, after our own question came back, behind a stray start byte: always the same."""
    (wanted,) = each.frames
    echo, quiet, crowd = each.question, noise(each, 8, False), noise(each, 8, True)
    for said in (
        each.raw,
        quiet + each.raw + quiet,
        crowd + each.raw,
        echo + each.raw,
        echo + quiet + each.raw,
        crowd + echo + crowd + each.raw,
        b"\x68" + each.raw,
        each.start + each.raw,
        echo + b"\x68" * 7 + each.raw,
    ):
        for pieces in ([said], singly(said)):
            assert asked(each, *pieces).parts == (wanted,), said.hex()
    assert asked(each, echo, each.raw).parts == (wanted,)


@pytest.mark.parametrize("each", VECTORS, ids=str)
def test_our_own_question_come_back_alone_is_silence(each: Vector) -> None:
    """An adapter that hears itself and a meter that says nothing: silent, also byte by byte."""
    assert asked(each, each.question).error == "silent"
    assert asked(each, *singly(each.question)).error == "silent"


@pytest.mark.parametrize("each", [each for each in VECTORS if not each.valid], ids=str)
def test_a_damaged_frame_is_noise_and_a_stream_is_its_first_answer(each: Vector) -> None:
    """A wrong sum and a missing end answer nothing; of several frames the one that was asked for is taken."""
    for pieces in ([each.raw], singly(each.raw), [each.question + each.raw]):
        outcome = asked(each, *pieces)
        assert (outcome.parts, outcome.error) == ((each.frames[:1], None) if each.frames else ((), "noise"))


@pytest.mark.parametrize("each", REPLIES, ids=str)
def test_a_flipped_bit_on_the_line_is_no_answer_or_the_same(each: Vector) -> None:
    """Whichever single bit of an answer is damaged: noise, or (in a wake-up byte) the same value; never another."""
    for bit in range(8 * len(each.raw)):
        damaged = bytearray(each.raw)
        damaged[bit // 8] ^= 1 << bit % 8
        outcome = asked(each, bytes(damaged))
        if bit // 8 < each.preamble:
            assert outcome.parts == each.frames, f"bit {bit}"
        else:
            assert (outcome.parts, outcome.error) == ((), "noise"), f"bit {bit}"


def test_each_protocol_is_asked() -> None:
    """All four protocols stand in the table above with replies and with requests."""
    assert {each.protocol for each in REPLIES} == {each.protocol for each in REQUESTS} == set(PROTOCOLS)
