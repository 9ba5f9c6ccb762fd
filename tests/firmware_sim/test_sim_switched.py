"""Modbus relays, the box of circuits and all functions, with pymodbus as the foreign master."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from pymodbus.framer import FramerRTU
from pymodbus.pdu import DecodePDU, ExceptionResponse
from pymodbus.pdu.bit_message import (
    ReadCoilsRequest,
    ReadDiscreteInputsRequest,
    WriteMultipleCoilsRequest,
    WriteSingleCoilRequest,
)
from pymodbus.pdu.register_message import (
    ReadHoldingRegistersRequest,
    ReadInputRegistersRequest,
    WriteMultipleRegistersRequest,
    WriteSingleRegisterRequest,
)

from firmware_sim.faults import gather
from firmware_sim.kinds import wire_together
from firmware_sim.line import Line
from firmware_sim.loads import Load
from firmware_sim.modbus import crc
from firmware_sim.switched import AcrelCircuit, AcrelSwitched, BenchMeter, HikingDds238

TRIP = bytes.fromhex("05100057000204000100013245")
CLOSE = bytes.fromhex("0510005700020400010000f385")
ACK = bytes.fromhex("051000570002f19c")


@pytest.fixture
def built(zone, start) -> Callable[..., Any]:
    def made(kind, slave: int = 5, watts: int = 36000, **more: Any):
        return kind(slave, "212604300303", Load("constant", watts, 1, zone), start, **more)

    return made


def tell(meter, request, now, mono=None):
    """pymodbus frames a request, and reads the answer; None for silence."""
    request.dev_id = meter.slave
    raw = FramerRTU(DecodePDU(True)).buildFrame(request)
    reply = meter.answer(raw, now, mono)
    if reply is None:
        return None
    assert crc(reply[:-2]) == reply[-2:]
    pdu = DecodePDU(False).decode(reply[1:-2])
    assert pdu is not None and pdu.function_code & 0x7F == request.function_code
    return pdu


def test_the_published_force_trip_cuts_the_load_and_close_gives_it_back(built, start):
    """0057 = 1 with 0058 = 1 trips, 0 closes; the published acknowledgement, and the energy stands still meanwhile."""
    meter = built(AcrelSwitched, registers=(0, 0, 0, 0, 0))
    assert meter.answer(TRIP, start + timedelta(seconds=100)) == ACK
    hour = start + timedelta(hours=1)
    assert tell(meter, ReadHoldingRegistersRequest(address=0x57, count=2), hour).registers == [1, 1]
    assert tell(meter, ReadHoldingRegistersRequest(address=0x0C, count=2), hour).registers == [0, 0]
    assert meter.answer(CLOSE, hour) == ACK
    later = hour + timedelta(seconds=50)
    assert tell(meter, ReadHoldingRegistersRequest(address=0, count=2), later).registers == [0, 150]
    meter.answer(TRIP, later)
    assert tell(meter, WriteMultipleRegistersRequest(address=0x57, registers=[0, 0]), later).count == 2
    assert not meter.relay.open and tell(
        meter, ReadHoldingRegistersRequest(address=0x57, count=2), later
    ).registers == [0, 0]


def test_the_contact_follows_after_its_delay_and_not_when_stuck(built, start):
    """Current flows on until the contact arrives; a stuck one lets it flow for ever, although 0058 says trip."""
    meter = built(AcrelSwitched)
    meter.answer(TRIP, start, 10.0)
    assert tell(meter, ReadHoldingRegistersRequest(address=0x0D, count=1), start, 10.1).registers != [0]
    assert tell(meter, ReadHoldingRegistersRequest(address=0x0D, count=1), start, 10.2).registers == [0]
    line = Line([stuck := built(AcrelSwitched, meter_id="s")], 1)
    line.set_faults(gather(["stuck:s"]))
    stuck.answer(TRIP, start)
    assert (
        tell(stuck, ReadHoldingRegistersRequest(address=0x57, count=2), start).registers == [1, 1]
        and stuck.metrology.watts()
    )


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (WriteSingleRegisterRequest(address=0x57, registers=[1]), 1),
        (WriteMultipleRegistersRequest(address=0x00, registers=[0, 0]), 2),
        (WriteMultipleRegistersRequest(address=0x56, registers=[0, 1]), 2),
        (WriteMultipleRegistersRequest(address=0x57, registers=[2, 0]), 3),
        (ReadCoilsRequest(address=0, count=1), 1),
    ],
)
def test_acrel_refuses_what_it_does_not_have(built, start, request_, code):
    """06H is no function of it; measured registers are not written; a forced state is 0 or 1. Nothing moves."""
    meter = built(AcrelSwitched)
    before = meter.state()
    answer = tell(meter, request_, start)
    assert isinstance(answer, ExceptionResponse) and answer.exception_code == code and meter.state() == before


def test_the_prepaid_block_reads_in_one_go_and_keeps_what_is_written(built, start):
    """The published 28-register read; an alarm amount written stands there, also after a restart with the relay."""
    meter = built(AcrelSwitched, slave=3)
    assert len(meter.answer(bytes.fromhex("03030046001ca434"), start)) == 5 + 56
    tell(meter, WriteMultipleRegistersRequest(address=0x46, registers=[0, 2000]), start)
    tell(meter, WriteMultipleRegistersRequest(address=0x57, registers=[1, 1]), start)
    again = built(AcrelSwitched, slave=3)
    again.restore(meter.state())
    now = start + timedelta(hours=1)
    assert tell(again, ReadHoldingRegistersRequest(address=0x46, count=2), now).registers == [0, 2000]
    assert again.relay.open and again.metrology.registers()[0] == 0


def test_a_write_to_all_is_obeyed_by_all_and_answered_by_none(built, start):
    """Slave 0: a broadcast moves every relay, a broadcast read is nothing."""
    meter = built(AcrelSwitched)
    body = b"\x00" + TRIP[1:-2]
    assert meter.answer(body + crc(body), start) is None and meter.relay.open
    body = bytes.fromhex("000300000002")
    assert meter.answer(body + crc(body), start) is None


def test_hikings_switch_reads_back_and_its_energy_cannot_be_erased(built, start):
    """001AH by 10H only; zero into 0000H, which erases a real one, is refused here."""
    meter = built(HikingDds238, registers=(123456, 0, 0, 123456, 0))
    assert tell(meter, ReadHoldingRegistersRequest(address=0x1A, count=1), start).registers == [1]
    assert tell(meter, WriteMultipleRegistersRequest(address=0x1A, registers=[0]), start).count == 1
    assert tell(meter, ReadHoldingRegistersRequest(address=0x1A, count=1), start).registers == [0]
    assert tell(meter, ReadHoldingRegistersRequest(address=0x0C, count=3), start).registers[1:] == [0, 0]
    assert tell(meter, WriteSingleRegisterRequest(address=0x1A, registers=[1]), start).exception_code == 1
    assert tell(meter, WriteMultipleRegistersRequest(address=0, registers=[0, 0]), start).exception_code == 2
    assert tell(meter, ReadHoldingRegistersRequest(address=0, count=2), start).registers == [1, 57920]


def test_circuits_of_one_box_answer_each_for_itself(built, start):
    """One address, circuit n at (n - 1) × 0100H: each has its own energy and relay; one that is not there is 2."""
    circuits = [built(AcrelCircuit, slave=7, circuit=n, watts=36000 * n, meter_id=f"c{n}") for n in (1, 2, 3)]
    wire_together(circuits)
    line, hour = Line(circuits, 1), start + timedelta(hours=1)

    def word(at: int, count: int = 2) -> bytes:
        body = bytes((7, 3)) + at.to_bytes(2, "big") + count.to_bytes(2, "big")
        return line.answer(body + crc(body), hour)[0]

    assert [int.from_bytes(word(0x100 * n)[3:-2], "big") for n in range(3)] == [3600, 7200, 10800]
    trip = bytes.fromhex("07100157000204") + bytes.fromhex("00010001")
    assert line.answer(trip + crc(trip), hour)[0][:6].hex() == "071001570002"
    assert [each.relay.open for each in circuits] == [False, True, False]
    assert word(0x300)[:3].hex() == "078302" == word(0x1FF, 2)[:3].hex()
    with pytest.raises(ValueError, match="same circuit"):
        wire_together([*circuits, circuits[1]])


def test_every_function_is_served_as_a_foreign_master_expects(built, start):
    """01H to 06H, 0FH, 10H of the bench meter, built and read by pymodbus."""
    meter = built(BenchMeter)
    assert tell(meter, ReadCoilsRequest(address=0, count=1), start).bits[0] is True
    assert tell(meter, WriteSingleCoilRequest(address=0, bits=[False]), start).bits == [False]
    assert tell(meter, ReadDiscreteInputsRequest(address=0, count=1), start).bits[0] is False and meter.relay.open
    assert tell(meter, WriteMultipleCoilsRequest(address=0, bits=[True]), start).count == 1
    assert not meter.relay.open
    assert tell(meter, WriteSingleRegisterRequest(address=0x10, registers=[77]), start).registers == [77]
    assert tell(meter, WriteMultipleRegistersRequest(address=0x11, registers=[1, 2]), start).count == 2
    assert tell(meter, ReadHoldingRegistersRequest(address=0x10, count=3), start).registers == [77, 1, 2]
    now = start + timedelta(hours=1)
    assert tell(meter, ReadInputRegistersRequest(address=0, count=2), now).registers == [0, 3600]
    assert tell(meter, ReadCoilsRequest(address=0, count=2), start).exception_code == 2
    assert tell(meter, WriteSingleRegisterRequest(address=0x20, registers=[1]), start).exception_code == 2


@pytest.mark.parametrize(
    ("body", "code"),
    [("05010000" + "07d1", 3), ("05050000" + "0001", 3), ("05100010" + "0002" + "02" + "0001", 3),
     ("050f0000" + "0001" + "02" + "0001", 3), ("05100010" + "0000" + "00", 3), ("05070000" + "0000", 1)],
)  # fmt: skip
def test_a_count_that_cannot_be_is_exception_three(built, start, body, code):
    """Counts out of reach, a coil that is neither on nor off, bytes that do not fit: 3; an unknown function: 1."""
    raw = bytes.fromhex(body)
    assert built(BenchMeter).answer(raw + crc(raw), start)[2] == code
