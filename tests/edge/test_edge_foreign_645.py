"""Another maker's DL/T 645 (PyPI `dlt645`): its slave is read by our master, its master reads our simulated meters."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from dlt645.protocol.protocol import DLT645Protocol
from dlt645.service.clientsvc.client_service import MeterClientService
from dlt645.service.serversvc.server_service import MeterServerService

from edge import model
from edge.codec import bcd, dlt645
from edge.codec import dlt645_orders as orders
from edge.codec.errors import Refused
from firmware_sim.dlt645 import Dlt645Meter
from firmware_sim.loads import Load

OURS = "202611000101"
NOW = datetime(2026, 11, 26, 2, 30, tzinfo=UTC)
ZONE = ZoneInfo("Asia/Shanghai")


@pytest.fixture
def slave() -> MeterServerService:
    """A foreign meter with known values."""
    service = MeterServerService(server=None, address=bytearray.fromhex(OURS)[::-1])
    assert service.set_00(0x00010000, 1234.56) and service.set_02(0x02010100, 231.9)
    assert service.set_02(0x02030000, -1.2345) and service.set_02(0x02800002, 50.03)
    return service


def answered(service: MeterServerService, question: bytes) -> bytes:
    """What the foreign meter sends, found by our splitter behind our own echo."""
    frame = DLT645Protocol.deserialize(question)
    assert frame is not None, "our frame is one to the foreign reader"
    reply = bytes(service.handle_request(frame))
    found = dlt645.find_reply(question, bytearray(question + reply))
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("identifier", "read", "value"),
    [
        ("00010000", bcd.digits, 123456),
        ("02010100", bcd.digits, 2319),
        ("02030000", bcd.signed, -12345),
        ("02800002", bcd.digits, 5003),
    ],
)
def test_a_foreign_meter_is_read(slave: MeterServerService, identifier: str, read: Any, value: int) -> None:
    """Energy, voltage, a negative power and frequency come out as they were put into the foreign meter."""
    raw = dlt645.value_of(answered(slave, dlt645.read(OURS, identifier)))
    assert read(raw) == value


def test_a_foreign_refusal_is_a_refusal(slave: MeterServerService) -> None:
    """What the foreign meter does not know, it refuses, and we say why."""
    with pytest.raises(Refused):
        dlt645.value_of(answered(slave, dlt645.read(OURS, "09999999")))


def test_a_foreign_meter_answers_to_its_wildcard(slave: MeterServerService) -> None:
    """Who is there? The foreign meter names itself, and we take it."""
    assert dlt645.decode(answered(slave, dlt645.read_address())).address == OURS


def test_a_foreign_meter_takes_our_write(slave: MeterServerService) -> None:
    """A parameter we write is in the foreign meter afterwards; with a wrong password it refuses."""
    assert slave.set_password("02000000")
    act = orders.write("04000103", bytes.fromhex("30"), orders.Password())
    dlt645.value_of(answered(slave, orders.order(act, OURS, {OURS})))
    read = dlt645.value_of(answered(slave, dlt645.read(OURS, "04000103")))
    assert bcd.digits(read) == 30
    wrong = orders.write("04000103", bytes.fromhex("15"), orders.Password(password="918273"))
    with pytest.raises(Refused):
        dlt645.value_of(answered(slave, orders.order(wrong, OURS, {OURS})))


class Wire:
    """The foreign master's line: our simulated meter stands at its other end."""

    def __init__(self, meter: Dlt645Meter):
        self._meter = meter

    def _ensure_connection(self) -> bool:
        return True

    def send_request(self, frame: bytes) -> bytes | None:
        return self._meter.answer(bytes(frame), NOW, 0.0)


def test_a_foreign_master_reads_our_meters() -> None:
    """Energy, voltage, date and number as the foreign master reads them are what our own master reads."""
    load = Load("constant", 2000, 1, ZONE)
    registers = (1234567, 200000, 400000, 400000, 234567)
    meter = Dlt645Meter(OURS, "202511080101", load, NOW, zone=ZONE, registers=registers)
    master = MeterClientService(Wire(meter))
    assert master.set_address(bytes.fromhex(OURS)[::-1].hex()), "it wants the digits as they travel"
    kind = model.load("dlt645-1p")

    def ours(name: str) -> dict[str, Any]:
        question = kind.ask(name, OURS)
        reply = dlt645.find_reply(question, bytearray(meter.answer(question, NOW, 0.0) or b""))
        assert reply is not None
        return kind.values(name, reply, ZONE)

    energy = master.read_00(0x00010000)
    assert energy is not None and Decimal(str(energy.value)) * 1000 == ours("energy")["energy_wh"]
    voltage = master.read_02(0x02010100)
    assert voltage is not None and voltage.value == pytest.approx(ours("voltage")["voltage_a_v"])
    number = master.read_04(0x04000402)
    assert number is not None and number.value == ours("serial")["serial"]
