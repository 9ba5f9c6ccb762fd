"""Modbus against published frames and against a foreign implementation, and float registers without rounding."""

from __future__ import annotations

import random
import struct
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymodbus.framer.rtu import FramerRTU
from pymodbus.pdu import DecodePDU, ExceptionResponse
from pymodbus.pdu.bit_message import ReadCoilsResponse, ReadDiscreteInputsResponse
from pymodbus.pdu.register_message import ReadHoldingRegistersResponse

from edge.codec import modbus
from edge.codec.errors import BadValue, CodecError, Forbidden, Refused
from tests.edge.published import Sample, sample, samples

ALL = samples("modbus-rtu")
READS = [e for e in ALL if e.expect["valid"] and e.direction == "request" and e.expect["function"] in ("03", "04")]
PAIRS = [
    ("mb-sdm-read-v-req", "mb-sdm-read-v-resp"),
    ("mb-acu-read", "mb-acu-resp"),
    ("mb-acrel-read-energy-req", "mb-acrel-read-energy-resp"),
]
SERVER = FramerRTU(DecodePDU(is_server=True))
CLIENT = FramerRTU(DecodePDU(is_server=False))


def exception_of(slave: int, function: int, code: int) -> bytes:
    """A refusal, made by the foreign implementation."""
    pdu = ExceptionResponse(function, code)
    pdu.dev_id = slave
    return CLIENT.buildFrame(pdu)


def reply_of(slave: int, registers: list[int]) -> bytes:
    """A good reply, made by the foreign implementation."""
    return CLIENT.buildFrame(ReadHoldingRegistersResponse(registers=registers, dev_id=slave))


@pytest.mark.parametrize("each", READS, ids=str)
def test_a_published_question_is_asked_byte_for_byte(each: Sample) -> None:
    """Slave, function, first register, count and CRC stand as in the makers' own examples."""
    expect = each.expect
    made = modbus.read(expect["slave"], int(expect["function"], 16), int(expect["start"], 16), expect["count"])
    assert made == each.raw


@given(st.integers(1, 247), st.sampled_from([3, 4]), st.integers(0, 0xFFFF), st.integers(1, 125))
def test_a_foreign_slave_understands_every_question(slave: int, function: int, start: int, count: int) -> None:
    """Any read we can ask is decoded by pymodbus as exactly that read."""
    raw = modbus.read(slave, function, start, count)
    used, pdu = SERVER.handleFrame(raw, 0, 0)
    assert used == len(raw) and pdu is not None
    assert (pdu.dev_id, pdu.function_code, pdu.address, pdu.count) == (slave, function, start, count)
    assert modbus.reply_bytes(raw) == 5 + 2 * count


@pytest.mark.parametrize("count", [1, 7, 8, 9, 2000])
@pytest.mark.parametrize("function", [1, 2])
def test_bits_are_asked_for_and_read(function: int, count: int) -> None:
    """A foreign slave understands a read of coils or inputs, and its bits come back in order."""
    raw = modbus.read(9, function, 0x10, count)
    _, pdu = SERVER.handleFrame(raw, 0, 0)
    assert pdu is not None and (pdu.function_code, pdu.address, pdu.count) == (function, 0x10, count)
    bits = [bool(number % 3) for number in range(count)]
    kind = ReadCoilsResponse if function == 1 else ReadDiscreteInputsResponse
    reply = CLIENT.buildFrame(kind(bits=bits, dev_id=9))
    assert len(reply) == modbus.reply_bytes(raw)
    assert modbus.find_reply(raw, bytearray(raw + reply)) == reply, "our echo is passed over"
    assert modbus.bits_of(reply)[:count] == bits


def test_a_read_is_no_write() -> None:
    """There is one door to a write, and it is not `read`."""
    for function in (0, 5, 6, 15, 16, 22, 23, 0x83):
        with pytest.raises(KeyError):
            modbus.read(5, function, 0x57, 2)


def test_published_writes_are_made_byte_for_byte() -> None:
    """Acrel's forced trip and close, and a register written singly, as their makers print them."""
    trip, close = modbus.registers(0x57, [1, 1]), modbus.registers(0x57, [1, 0])
    assert modbus.order(trip, 5, {5}) == sample("mb-acrel-force-trip-req").raw
    assert modbus.order(close, 5, {5}) == sample("mb-acrel-force-close-req").raw
    assert modbus.order(modbus.registers(6, [2], single=True), 1, {1}) == sample("mb-orwe-write6").raw
    done = sample("mb-acrel-force-ack").raw
    asked = modbus.order(trip, 5, {5})
    assert modbus.find_reply(asked, bytearray(asked + done)) == done, "our echo is passed over"
    assert modbus.registers_of(done) == b""


@given(
    st.integers(0, 65535),
    st.one_of(
        st.lists(st.booleans(), min_size=1, max_size=30).map(lambda v: ("coils", v)),
        st.lists(st.integers(0, 65535), min_size=1, max_size=30).map(lambda v: ("registers", v)),
    ),
    st.booleans(),
)
def test_a_foreign_slave_understands_every_write(start: int, what: tuple[str, list[int]], single: bool) -> None:
    """Functions 5, 6, 15 and 16 are decoded by pymodbus as exactly that write, and its answer is found."""
    kind, values = what
    act = modbus.coils(start, [bool(v) for v in values]) if kind == "coils" else modbus.registers(
        start, values, single=single
    )  # fmt: skip
    raw = modbus.order(act, 7, {7})
    _, pdu = SERVER.handleFrame(raw, 0, 0)
    assert pdu is not None and (pdu.function_code, pdu.address, pdu.dev_id) == (act.function, start, 7)
    told = pdu.bits[: len(values)] if kind == "coils" else pdu.registers
    assert [int(v) for v in told] == [int(v) for v in values]
    answer = raw if act.function in (5, 6) else raw[:6] + modbus.crc(raw[:6])
    assert modbus.find_reply(raw, bytearray(answer)) == answer


@pytest.mark.parametrize("slave", [0, 248, 255, 6, -1])
def test_no_write_for_anything_but_a_registered_meter(slave: int) -> None:
    """Slave 0 is everybody; a typing mistake is somebody else (I13)."""
    with pytest.raises(Forbidden):
        modbus.order(modbus.registers(0x57, [1, 1]), slave, {0, 5, 248, 255, -1})


def test_a_neighbours_write_is_not_confirmed() -> None:
    """A confirmation of another place or amount is no answer to ours."""
    asked = modbus.order(modbus.registers(0x57, [1, 1]), 5, {5})
    for other in ((5, 0x58, 2), (5, 0x57, 3), (6, 0x57, 2)):
        body = bytes([other[0], 16]) + other[1].to_bytes(2, "big") + other[2].to_bytes(2, "big")
        assert modbus.find_reply(asked, bytearray(body + modbus.crc(body)), final=True) is None


@pytest.mark.parametrize(("asked", "answered"), PAIRS)
def test_a_published_answer_is_taken_whole_in_pieces_and_before_rubbish(asked: str, answered: str) -> None:
    """A reply is found with its last byte, not sooner, and what follows it is left alone."""
    request, raw = sample(asked).raw, sample(answered).raw
    buffer = bytearray()
    for byte in raw[:-1]:
        buffer.append(byte)
        assert modbus.find_reply(request, buffer) is None, "not yet"
    buffer += raw[-1:] + b"\x01\x04\x83\x02"
    assert modbus.find_reply(request, buffer) == raw and buffer == b"\x01\x04\x83\x02"


@pytest.mark.parametrize(("asked", "answered"), PAIRS)
def test_one_stray_byte_does_not_cost_the_reply(asked: str, answered: str) -> None:
    """Noise, a repeated slave number, our own echo before a good reply: the reply is taken all the same."""
    request, raw = sample(asked).raw, sample(answered).raw
    chance = random.Random(asked)
    strays = [bytes([byte]) for byte in range(256)] + [request, request + b"\x00", raw[:3], raw[:-1], request[:2] * 3]
    strays += [chance.randbytes(chance.randrange(1, 20)) for _ in range(200)]
    for stray in strays:
        assert modbus.find_reply(request, bytearray(stray + raw)) == raw, stray.hex(" ")


def test_published_numbers_come_out() -> None:
    """The makers' own examples give the numbers that their manuals print."""
    words = modbus.registers_of(sample("mb-acu-resp").raw)
    assert [str(number) for number in struct.unpack(">3I", words)] == sample("mb-acu-resp").expect["u32"]
    words = modbus.registers_of(sample("mb-acrel-read-energy-resp").raw)
    assert int.from_bytes(words, "big") * 10 == 123_456_780
    words = modbus.registers_of(sample("mb-orwe-reply-3").raw)
    assert words.hex() == "".join(sample("mb-orwe-reply-3").expect["registers"])
    (volts,) = struct.unpack(">f", modbus.registers_of(sample("mb-sdm-read-v-resp").raw))
    assert f"{volts:.1f}" == sample("mb-sdm-read-v-resp").expect["float32"]


@given(st.integers(1, 247), st.lists(st.integers(0, 0xFFFF), min_size=1, max_size=125))
def test_a_foreign_slaves_registers_come_out(slave: int, registers: list[int]) -> None:
    """Whatever pymodbus packs into a reply is what is read from it."""
    request, raw = modbus.read(slave, 3, 0, len(registers)), reply_of(slave, registers)
    found = modbus.find_reply(request, bytearray(raw))
    assert found == raw and modbus.registers_of(found) == struct.pack(f">{len(registers)}H", *registers)


@pytest.mark.parametrize(("asked", "answered"), PAIRS)
def test_a_damaged_reply_is_no_reply(asked: str, answered: str) -> None:
    """Any one or two flipped bits are noticed: nothing is accepted."""
    request, raw = sample(asked).raw, sample(answered).raw
    bits = 8 * len(raw)
    for one in range(bits):
        for two in range(one, bits):
            damaged = bytearray(raw)
            damaged[one // 8] ^= 1 << one % 8
            if two != one:
                damaged[two // 8] ^= 1 << two % 8
            assert modbus.find_reply(request, damaged, final=True) is None, (one, two)


def test_another_slaves_or_another_length_of_answer_is_not_ours() -> None:
    """A late answer to another question, or a neighbour's, is passed over and ours behind it is taken."""
    request = modbus.read(12, 3, 0x0000, 2)
    ours = reply_of(12, [0x00BC, 0x614E])
    for other in (reply_of(13, [1, 2]), reply_of(12, [1, 2, 3]), reply_of(12, [7])):
        assert modbus.find_reply(request, bytearray(other), final=True) is None
        assert modbus.find_reply(request, bytearray(other + ours)) == ours
    assert modbus.find_reply(modbus.read(12, 4, 0, 2), bytearray(ours), final=True) is None


@pytest.mark.parametrize(("code", "words"), [(1, "function"), (2, "no such register"), (6, "busy"), (9, "its maker")])
def test_an_exception_is_a_refusal_with_its_reason(code: int, words: str) -> None:
    """A slave that refuses is heard at once, and says why; asking again does not help."""
    request = modbus.read(1, 3, 0x5000, 2)
    raw = exception_of(1, 3, code)
    assert modbus.find_reply(request, bytearray(b"\x00" + raw)) == raw
    with pytest.raises(Refused, match=words) as refusal:
        modbus.registers_of(raw)
    assert not refusal.value.retry
    assert sample("mb-exception-canonical").raw == exception_of(1, 3, 2)


def test_what_is_no_reply_is_said_to_be_none() -> None:
    """Bytes that are no Modbus reply raise, they do not become registers."""
    with pytest.raises(CodecError):
        modbus.registers_of(b"\x01\x63\x00\x00\x00")


@given(st.floats(0, 999_999_936, width=32))
def test_a_float_register_is_floored_to_the_watt_hour(kwh: float) -> None:
    """A float32 of kWh becomes the whole Wh it has reached: exactly, never one more (R11)."""
    exact = Fraction(kwh) * 1000
    found = modbus.whole_wh_of_float_kwh(struct.pack(">f", kwh))
    assert found <= exact < found + 1 and type(found) is int


@pytest.mark.parametrize("bits", ["7fc00000", "7f800000", "ff800000", "bf800000", "4e6e6b28", "7f7fffff", "80000001"])
def test_a_float_that_is_no_register_is_a_bad_value(bits: str) -> None:
    """NaN, infinity, a negative or an impossible energy: read again, never zero, never a crash."""
    with pytest.raises(BadValue) as trouble:
        modbus.whole_wh_of_float_kwh(bytes.fromhex(bits))
    assert trouble.value.retry
