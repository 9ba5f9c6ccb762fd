"""The water meter with a valve against published CJ/T 188 frames."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from firmware_sim.cjt188 import WaterMeter, parse
from firmware_sim.faults import gather
from firmware_sim.line import Line
from firmware_sim.loads import Load

OPEN = bytes.fromhex("fefefefe6810690590051533780404a01701555016")
SHUT = bytes.fromhex("fefefefe6810690590051533780404a01701999416")
DONE = bytes.fromhex("fefefefe6810690590051533788405a0170100007c16")
READ_BODY = bytes.fromhex("6810690590051533780103901f01")
READ = READ_BODY + bytes((sum(READ_BODY) & 0xFF, 0x16))


@pytest.fixture
def water(zone, start) -> Callable[..., WaterMeter]:
    def made(address: str = "78331505900569", litres_h: int = 3600, kind: str = "constant", **more: Any) -> WaterMeter:
        return WaterMeter(address, "", Load(kind, litres_h, 3, zone), more.pop("start", start), **more)

    return made


def st(meter, now, mono=None) -> int:
    return parse(meter.answer(READ, now, mono))[3][-2]


def test_a_published_read_gets_the_published_reply(water, zone):
    """556677.00 m³ twice, 11 May 2015, 22:01:31, valve shut, the maker's own bits in ST (with the right sum)."""
    at = datetime(2015, 5, 11, 22, 1, 31, tzinfo=zone)
    meter = water(
        "78330011223344", 0, start=at, registers=(55667700, 0, 0, 0, 0), settled=55667700, status_extra="2084"
    )
    meter.valve.trip(0, None)
    reply = meter.answer(bytes.fromhex("fefefefe68104433221100337801031f90008016"), at)
    assert reply is not None and reply.hex() == (
        "fefefefe68104433221100337881161f9000007766552c007766552c3101221105152021841316"
    )


@pytest.mark.parametrize("order", ["901f", "1f90"])
@pytest.mark.parametrize("address", ["68104433221100337801", "6810aaaaaaaaaaaaaa01", "68aa4433221100337801"])
def test_either_order_is_understood_and_repeated(water, start, order, address):
    """Both orders of the identifier, the meter's address or a wildcard, T or AA: answered in the same order."""
    body = bytes.fromhex(address + "03" + order + "07")
    reply = water("78330011223344").answer(body + bytes((sum(body) & 0xFF, 0x16)), start)
    kind, wire, control, data = parse(reply)
    assert (kind, wire.hex(), control, data[:3].hex()) == (0x10, "44332211003378", 0x81, order + "07")


def test_litres_and_cubic_metres_are_the_same_water(water, start):
    """3600 litres an hour: 1.80 m³ after half an hour, or 1800 litres, each with its unit."""
    now = start + timedelta(minutes=30)
    for unit, digits in (("m3", "800100002c"), ("litre", "0018000029")):
        assert parse(water(unit=unit).answer(READ, now))[3][3:8].hex() == digits


def test_the_valve_turns_for_seconds_and_then_stops_the_water(water, start):
    """Published frames shut and open it; meanwhile ST says abnormal or the old state, as the maker has it."""
    meter, old = water(), water(turning="old")
    assert st(meter, start, 0.0) == 0
    shut = meter.answer(SHUT, start, 10.0)
    assert parse(shut)[2:] == (0x84, bytes.fromhex("a017010300"))
    assert parse(old.answer(SHUT, start, 10.0))[3].hex() == "a017010000"
    assert st(meter, start + timedelta(seconds=5), 15.0) == 3 and st(old, start + timedelta(seconds=5), 15.0) == 0
    assert st(meter, start + timedelta(seconds=6), 16.0) == 1 == st(old, start + timedelta(seconds=6), 16.0)
    meter.advance(start + timedelta(hours=1), 3610.0)
    assert meter.metrology.registers()[0] == 0 and meter.metrology.total_wus == 6 * 3600 * 10**6 * 3600 // 3600
    assert meter.answer(OPEN, start + timedelta(hours=1)) == DONE
    meter.advance(start + timedelta(hours=2))
    assert meter.metrology.registers()[0] == 360


def test_a_stuck_valve_says_abnormal_and_lets_water_run(water, start):
    """The fault `stuck`: acknowledged, never moved; `battery` sets bit 2 beside it."""
    meter = water(meter_id="w1", address="78331505900569")
    line = Line([meter], 1)
    line.set_faults(gather(["stuck:w1", "battery:w1"]))
    line.answer(SHUT, start, 0.0)
    assert st(meter, start + timedelta(seconds=60), 60.0) == 0b111
    meter.advance(start + timedelta(hours=1), 3600.0)
    assert meter.metrology.registers()[0] == 360


def test_the_address_is_read_by_a_published_frame_and_can_be_changed(water, start):
    """810A: the frame carries the address. 15H with A018 changes it, also after a restart."""
    meter = water("78330123456789", lead=2)
    asked = bytes.fromhex("6810aaaaaaaaaaaaaa0303810a01b016")
    assert parse(meter.answer(asked, start)) == (0x10, bytes.fromhex("89674523013378"), 0x83, b"\x81\x0a\x01")
    body = bytes.fromhex("681089674523013378150aa01801" + "11223344556677")
    reply = meter.answer(body + bytes((sum(body) & 0xFF, 0x16)), start)
    assert parse(reply) == (0x10, bytes.fromhex("11223344556677"), 0x95, b"\xa0\x18\x01")
    again = water("78330123456789")
    again.restore(meter.state())
    assert again.address == "77665544332211" and meter.state()["address"] == "78330123456789"


@pytest.mark.parametrize(
    ("body", "data"),
    [("0404a0170166", "a0170101"), ("0103112201", "11220102"), ("0403a01701", "a0170101"), ("0203901f01", "901f0101"),
     ("040aa0150100000000000099", "a0150101"), ("0103d12001", "d1200102")],
)  # fmt: skip
def test_what_it_cannot_do_it_refuses(water, start, body, data):
    """DI, SER and an error byte with C + C0H; nothing moves (published shape of the refusal)."""
    meter = water()
    raw = bytes.fromhex("681069059005153378" + body)
    _, _, control, told = parse(meter.answer(raw + bytes((sum(raw) & 0xFF, 0x16)), start))
    assert (control, told.hex()) == (int(body[:2], 16) | 0xC0, data) and not meter.valve.commanded_open


def test_months_are_kept_and_the_settlement_flow_follows(water, start):
    """D120 is the last month's end; 901F carries the flow of that day beside the flow now."""
    meter = water()
    now = start + timedelta(days=12)
    flow = parse(meter.answer(READ, now))[3]
    raw = bytes.fromhex("6810690590051533780103d12001")
    month = parse(meter.answer(raw + bytes((sum(raw) & 0xFF, 0x16)), now))[3]
    assert flow[8:12] == month[3:7] and int(month[3:7][::-1].hex()) == round((10 * 24 + 13.5) * 360)


def test_it_listens_only_after_the_wake_up_bytes_it_wants(water, start):
    """needs_preamble: fewer FEH before the question than it wants, and it sleeps on."""
    meter = water(needs_preamble=3)
    assert meter.answer(b"\xfe\xfe" + READ, start) is None and meter.answer(b"\xfe" * 3 + READ, start)
