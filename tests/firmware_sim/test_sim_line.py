"""Lines, their faults, and the ear that takes frames out of bytes."""

from __future__ import annotations

from random import Random

import pytest

from firmware_sim.accidents import disturb
from firmware_sim.dlt645_frame import build, parse
from firmware_sim.faults import Faults, gather, parse_fault
from firmware_sim.line import Line
from firmware_sim.modbus import crc
from firmware_sim.wire import take_dlt645, take_modbus

READ_TOTAL = "00000100"


def test_only_the_meter_that_is_asked_answers(make, request_frame, start):
    """A line of meters gives one reply, of the one addressed, after 20 to 100 ms."""
    line = Line([make(address=f"20260311020{n}", meter_id=f"a20{n}") for n in range(1, 7)], seed=1)
    for n in range(1, 7):
        reply, think_s = line.answer(request_frame(f"20260311020{n}", 0x11, READ_TOTAL), start)
        assert parse(reply)[0].hex() == f"0{n}0211032620" and 0.020 <= think_s <= 0.100
    assert line.answer(request_frame("202603110209", 0x11, READ_TOTAL), start)[0] == b""


def test_two_meters_with_one_address_are_heard_as_neither(make, request_frame, start):
    """A doubled address gives rubbish, never a clean reply of one of the two."""
    twins = [make(meter_id="a", registers=(5, 0, 0, 5, 0)), make(meter_id="b", registers=(912, 0, 0, 912, 0))]
    reply, _ = Line(twins, seed=1).answer(request_frame("202603110206", 0x11, READ_TOTAL), start)
    assert reply and parse(reply) is None
    exact = [make(meter_id="a"), make(meter_id="b")]
    reply, _ = Line(exact, seed=1).answer(request_frame("202603110206", 0x11, READ_TOTAL), start)
    assert reply and parse(reply) is None, "even when both say the same"


def test_the_same_seed_gives_the_same_noise(make, request_frame, start):
    """A failure on a noisy line can be seen again from its seed."""

    def heard(seed: int) -> list[tuple[bytes, float]]:
        line = Line([make(meter_id="a206")], seed, Faults(noise={"a206": 0.5}))
        return [line.answer(request_frame("202603110206", 0x11, READ_TOTAL), start) for _ in range(50)]

    assert heard(4) == heard(4) != heard(5)


def test_noise_spoils_the_share_of_replies_it_is_told_to(make, request_frame, start):
    """At 0.2 about one reply in five suffers, and none that suffered passes for another value."""
    line = Line([make(meter_id="a206", lead=0)], 9, Faults(noise={"line": 0.2}))
    clean, _ = Line([make(meter_id="a206", lead=0)], 9).answer(request_frame("202603110206", 0x11, READ_TOTAL), start)
    heard = [line.answer(request_frame("202603110206", 0x11, READ_TOTAL), start)[0] for _ in range(2000)]
    spoiled = [reply for reply in heard if reply != clean]
    assert 300 < len(spoiled) < 500 and all(parse(reply) is None for reply in spoiled)


def test_every_accident_changes_the_reply():
    """A byte flipped, lost or added, rubbish before, the end cut off: none leaves the reply as it was."""
    dice, reply = Random(1), build(b"\x06\x02\x11\x03\x26\x20", 0x91, bytes(range(8)))
    outcomes = {len(disturb(reply, dice)) - len(reply) for _ in range(300)}
    assert {-1, 0, 1, 5} <= outcomes
    assert all(disturb(reply, dice) != reply for _ in range(300))


def test_a_silent_meter_hears_nothing_and_the_rest_answers(make, request_frame, control, start):
    """One dead meter is one dead meter: it neither answers nor obeys."""
    dead, alive = make(meter_id="a206"), make(address="202603110207", meter_id="a207")
    line = Line([dead, alive], 1, gather(["silent:a206"]))
    trip = "0200000000000000" + "1a00" + "000000000000"
    assert line.answer(request_frame("202603110206", 0x1C, trip), start)[0] == b"" and not dead.relay.open
    assert line.answer(request_frame("202603110207", 0x1C, trip), start)[0] and alive.relay.open
    line.set_faults(Faults())
    assert line.answer(request_frame("202603110206", 0x1C, trip), start)[0] and dead.relay.open


def test_a_stuck_relay_is_loosened_when_the_fault_goes(make, control, start):
    """When the fault is lifted the next command moves the contact again."""
    meter = make(meter_id="a206")
    line = Line([meter], 1, gather(["stuck:a206"]))
    control(meter, 0x1A)
    assert meter.relay.commanded_open and not meter.relay.open
    line.set_faults(Faults())
    control(meter, 0x1A)
    assert meter.relay.open


@pytest.mark.parametrize(
    "text", ["noise:line-1", "noise:line-1:2", "noise::0.1", "silent", "stuck:", "smoke:a101", "x"]
)
def test_a_fault_that_is_not_understood_is_told_in_a_sentence(text):
    """A misspelt fault is refused by its words, not ignored."""
    with pytest.raises(ValueError, match="is not understood; write silent"):
        parse_fault(text)


def heard(take, raw: bytes, byte_by_byte: bool) -> tuple[list[bytes], bytes]:
    buffer, frames = bytearray(), []
    for part in (raw[spot : spot + 1] for spot in range(len(raw))) if byte_by_byte else (raw,):
        buffer += part
        while (frame := take(buffer, False)) is not None:
            frames.append(frame)
    while (frame := take(buffer, True)) is not None:
        frames.append(frame)
    return frames, bytes(buffer)


READ = bytes.fromhex("68610100000000681104333334331416")
ENERGY = bytes.fromhex("010300000002c40b")
TRIP = bytes.fromhex("05100057000204000100013245")


@pytest.mark.parametrize("byte_by_byte", [False, True])
@pytest.mark.parametrize(
    ("take", "raw", "frames"),
    [
        (take_dlt645, b"\xfe" * 4 + READ, [READ]),
        (take_dlt645, b"\x00\x68\x16" + b"\xfe" * 4 + READ + b"\x68\xff", [READ]),
        (take_dlt645, b"\x68" * 9 + READ + READ, [READ, READ]),
        (take_dlt645, b"\x68\x01\x02\x03\x04\x05\x06\x68\x11\xc8" + READ, [READ]),
        (take_dlt645, READ[:-2] + b"\x00\x16" + READ, [READ]),
        (take_dlt645, READ[:-1], []),
        (take_modbus, ENERGY + TRIP, [ENERGY, TRIP]),
        (take_modbus, b"\xff\x00" + ENERGY, [ENERGY]),
        (take_modbus, ENERGY[:-1], []),
        (take_modbus, b"\x01\x2b\x0e\x01\x00" + crc(b"\x01\x2b\x0e\x01\x00"), [b"\x01\x2b\x0e\x01\x00\x70\x77"]),
    ],
)
def test_frames_are_found_in_rubbish_whole_and_byte_by_byte(take, raw, frames, byte_by_byte):
    """However the bytes come in, each right frame is heard once, and nothing is left to spoil the next."""
    assert heard(take, raw, byte_by_byte) == (frames, b"")


def test_a_stray_start_byte_does_not_delay_the_frame_behind_it():
    """A 68H out of nowhere asks for 104 bytes that never come; the request behind it is heard at once."""
    assert take_dlt645(bytearray(b"\x68\x05" + READ), False) == READ
