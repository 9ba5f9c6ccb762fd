"""The Modbus meters against published frames and against a foreign implementation."""

from __future__ import annotations

import random
import struct
from datetime import timedelta

import pytest
from pymodbus.framer import FramerRTU

from firmware_sim.eastron import EastronSdm630
from firmware_sim.loads import Load
from firmware_sim.modbus import AcrelDdsy1352, crc


@pytest.fixture
def acrel(zone, start):
    def made(slave: int = 1, watts: int = 3600, **more) -> AcrelDdsy1352:
        return AcrelDdsy1352(slave, "212604300303", Load("constant", watts, 1, zone), start, **more)

    return made


@pytest.fixture
def eastron(zone, start):
    def made(slave: int = 1, watts: int = 3600, **more) -> EastronSdm630:
        return EastronSdm630(slave, "", Load("constant", watts, 1, zone), start, phases=3, **more)

    return made


def asked(slave: int, function: int, start: int, count: int) -> bytes:
    body = struct.pack(">BBHH", slave, function, start, count)
    return body + crc(body)


def words(reply: bytes | None) -> tuple[int, ...]:
    assert reply is not None and crc(reply[:-2]) == reply[-2:] and reply[2] == len(reply) - 5
    return struct.unpack(f">{reply[2] // 2}H", reply[3:-2])


def test_the_checksum_agrees_with_published_frames_and_with_pymodbus():
    """The hand-written checksum is the one the rest of the world uses."""
    for text in ("010300000002c40b", "018302c0f1", "01040000000271cb", "11030c0000007f000000640000001b968d"):
        frame = bytes.fromhex(text)
        assert crc(frame[:-2]) == frame[-2:]
    dice = random.Random(3)
    for size in range(1, 200):
        body = dice.randbytes(size)
        assert int.from_bytes(crc(body), "big") == FramerRTU.compute_CRC(body)


def test_total_energy_reads_as_in_the_worked_frame(acrel, start):
    """123456.78 kWh is 00BC614E, high word first."""
    meter = acrel(registers=(12345678, 0, 0, 12345678, 0))
    assert meter.answer(bytes.fromhex("010300000002c40b"), start) == bytes.fromhex("01030400bc614e9273")


def test_rates_follow_the_total(acrel, start):
    """Sharp, peak, flat and valley stand after the total and together make it."""
    meter = acrel(watts=36000, day_table=((0, 4), (660, 1)))
    values = words(meter.answer(asked(1, 3, 0, 10), start + timedelta(hours=1)))
    total, sharp, peak, flat, valley = (values[spot] << 16 | values[spot + 1] for spot in range(0, 10, 2))
    assert (total, sharp, peak, flat, valley) == (3600, 1800, 0, 0, 1800)


def test_momentary_values_have_the_makers_scale(acrel, start):
    """Volts in tenths, amps in hundredths, kilowatts in thousandths, hertz in hundredths."""
    values = words(acrel().answer(asked(1, 3, 0x0B, 7), start))
    volts, amps, watts, _var, va, factor, hertz = values
    assert watts == 3600 and 2230 <= volts < 2320 and 4997 <= hertz <= 5003 and 930 <= factor < 990
    assert abs(volts * amps * factor / 1_000_000 - watts) < 30 and abs(va * factor / 1000 - watts) < 2


def test_a_power_beyond_sixteen_bits_stops_at_the_end_of_the_scale(acrel, start):
    """More than 32.767 kW shows as 32.767 kW, never as a negative number."""
    assert words(acrel(watts=40_000).answer(asked(1, 3, 0x0D, 1), start)) == (0x7FFF,)


def test_the_meter_number_is_twelve_digits_in_three_registers(acrel, start):
    """The serial number on the label can be read from the line."""
    assert words(acrel().answer(asked(1, 3, 0x43, 3), start)) == (0x2126, 0x0430, 0x0303)


@pytest.mark.parametrize(
    ("function", "register", "count", "code"),
    [(4, 0, 2, 1), (6, 0x57, 1, 1), (3, 0x12, 1, 2), (3, 0x0010, 4, 2), (3, 0, 0, 3), (3, 0, 126, 3)],
)
def test_what_it_cannot_do_it_refuses_by_number(acrel, start, function, register, count, code):
    """A wrong function is exception 1, a wrong register 2, a wrong count 3."""
    reply = acrel().answer(asked(1, function, register, count), start)
    body = bytes((1, function | 0x80, code))
    assert reply == body + crc(body)


def test_a_write_is_refused_because_these_meters_only_measure(acrel, start):
    """The published force-trip frame gets exception 1."""
    reply = acrel(slave=5).answer(bytes.fromhex("05100057000204000100013245"), start)
    assert reply is not None and reply[:3] == bytes((5, 0x90, 1))


def test_other_slaves_broadcasts_and_damaged_frames_are_met_with_silence(acrel, start):
    """Only the slave that was asked, with a right checksum, answers."""
    meter = acrel(slave=2)
    frame = bytearray(asked(2, 3, 0, 2))
    assert meter.answer(bytes(frame), start)
    assert meter.answer(asked(1, 3, 0, 2), start) is None and meter.answer(asked(0, 3, 0, 2), start) is None
    for spot in range(len(frame)):
        frame[spot] ^= 0x20
        assert meter.answer(bytes(frame), start) is None
        frame[spot] ^= 0x20


def test_eastron_floats_are_high_word_first(eastron, start):
    """Energy in kWh, power in W, volts, amps and hertz as float32; the published request reads phase 1's volts."""
    meter = eastron(watts=30_000, registers=(1234567, 0, 0, 1234567, 0))
    reply = meter.answer(bytes.fromhex("01040000000271cb"), start)
    assert reply is not None and 223 <= struct.unpack(">f", reply[3:7])[0] < 232
    after = start + timedelta(hours=1)
    energy, export = struct.unpack(">2f", meter.answer(asked(1, 4, 0x48, 4), after)[3:-2])
    assert energy == struct.unpack(">f", struct.pack(">f", 12375.67))[0] and export == 0.0
    assert struct.unpack(">f", meter.answer(asked(1, 4, 0x34, 2), after)[3:-2])[0] == 30_000.0
    phases = struct.unpack(">3f", meter.answer(asked(1, 4, 0x0C, 6), after)[3:-2])
    assert sum(phases) == 30_000.0
    assert 49.9 < struct.unpack(">f", meter.answer(asked(1, 4, 0x46, 2), after)[3:-2])[0] < 50.1


@pytest.mark.parametrize(
    ("function", "register", "count", "code"),
    [(3, 0, 2, 1), (4, 1, 2, 2), (4, 0x180, 2, 2), (4, 0x17C, 6, 2), (4, 0, 3, 3), (4, 0, 82, 3)],
)
def test_eastron_refuses_half_numbers_and_what_lies_outside(eastron, start, function, register, count, code):
    """An odd start or a register past the end is exception 2, an odd or too large count 3, another function 1."""
    reply = eastron().answer(asked(1, function, register, count), start)
    assert reply is not None and reply[:3] == bytes((1, function | 0x80, code))
