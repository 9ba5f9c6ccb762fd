"""What the meters say, byte by byte, against frames that others published."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from firmware_sim.dlt645_frame import build, parse


@pytest.mark.parametrize(
    ("source", "address", "registers", "phases", "request_hex", "reply_hex"),
    [
        (
            "doczj.com, worked examples of DL/T 645-2007",
            "000000000161",
            (26, 0, 0, 26, 0),
            1,
            "fefefefe68610100000000681104333334331416",
            "6861010000000068910833333433593333338a16",
        ),
        (
            "github cqqqq/go645 protocol_test.go",
            "218231000114",
            (6, 0, 0, 6, 0),
            1,
            "68140100318221681104333334339b16",
            "681401003182216891083333343339333333f116",
        ),
        (
            "public C# DL/T 645 frame codec tests",
            "123456789012",
            (123456, 0, 0, 123456, 0),
            1,
            "68129078563412681104333334336816",
            "6812907856341268910833333433896745335416",
        ),
        (
            "public Go project, protocol_stack test: combined active",
            "910004920760",
            (750264, 0, 0, 750264, 0),
            1,
            "68600792040091681104333333333f16",
            "fefefefe68600792040091689108333333339735a8336a16",
        ),
        (
            "public Android meter test server: total and four rates",
            "201000000012",
            (129, 62, 60, 3, 2),
            1,
            "6812000000102068110433323433f316",
            "68120000001020689118333234335c343333953333339333333336333333353333337416",
        ),
        (
            "public Android meter test server: no such data",
            "201000000012",
            (0, 0, 0, 0, 0),
            1,
            "6812000000102068110433333436f716",
            "6812000000102068d101351916",
        ),
        (
            "public Android meter test server: cover opened 27 times",
            "201000000012",
            (0, 0, 0, 0, 0),
            1,
            "68120000001020681104334063363316",
            "68120000001020689107334063365a33337616",
        ),
    ],
)
def test_a_published_request_gets_the_published_reply(
    make, start, source, address, registers, phases, request_hex, reply_hex
):
    """A reading program that was tested against real meters reads these meters too."""
    lead = 4 if reply_hex.startswith("fe") else 0
    meter = make(
        address=address, serial=address, watts=0, registers=registers, phases=phases, lead=lead, cover_openings=27
    )
    assert meter.answer(bytes.fromhex(request_hex), start) == bytes.fromhex(reply_hex), source


def test_anybody_is_asked_for_an_address_and_the_meter_gives_its_own(make, start):
    """The electrician who connects one meter learns its address without knowing it (published request and reply)."""
    meter = make(address="201000000012", lead=0)
    asked = bytes.fromhex("68aaaaaaaaaaaa681300df16")
    assert meter.answer(asked, start) == bytes.fromhex("681200000010206893064533333343531f16")


def test_a_reply_to_a_wildcard_carries_the_real_address_and_the_meter_number(make, start):
    """Reading 04000402 from "anybody" tells which meter it was (published request and reply)."""
    meter = make(address="071801024091", serial="071801024091")
    asked = bytes.fromhex("68aaaaaaaaaaaa68110435373337b716")
    assert meter.answer(asked, start) == bytes.fromhex("fefefefe6891400201180768910a35373337c47335344b3a5916")


def test_wildcards_fill_from_the_high_digits(make, read, request_frame, start):
    """A search that gives the low digits finds exactly the meters that end in them."""
    meter = make(address="202603110206")
    di = "00000100"
    assert meter.answer(request_frame("aaaaaaaa0206", 0x11, di), start) is not None
    assert meter.answer(request_frame("aaaaaaaa0207", 0x11, di), start) is None
    assert meter.answer(request_frame("202603aaaaaa", 0x11, di), start) is None


def test_the_freeze_time_reads_as_published(make, start):
    """The daily freeze says which midnight it is of (published reply: 9 October 2015, 00:00)."""
    began = datetime(2015, 10, 8, 20, 0, tzinfo=ZoneInfo("Asia/Shanghai"))
    meter = make(address="201000000012", start=began, lead=0)
    asked = bytes.fromhex("6812000000102068110434333938ff16")
    assert meter.answer(asked, began + timedelta(hours=5)) == bytes.fromhex(
        "681200000010206891093433393833333c4348b116"
    )


def test_date_and_time_read_in_the_published_order(make):
    """Seconds come first, the weekday between hour and day, Sunday 0 (order as in a published log of a real meter)."""
    now = datetime(2026, 11, 22, 12, 6, 22, tzinfo=ZoneInfo("Asia/Shanghai"))  # a Sunday
    meter = make(address="222222222233", start=now)
    reply = meter.answer(bytes.fromhex("fefefefe683322222222226811043f3433379f16"), now)
    assert reply is not None
    parsed = parse(reply)
    assert parsed is not None and parsed[2].hex() == "0c01000422061200221126"


@pytest.mark.parametrize("spot", range(4, 20))
def test_a_damaged_request_is_met_with_silence(make, start, spot):
    """Noise on the line never makes a meter answer or obey."""
    frame = bytearray.fromhex("fefefefe68610100000000681104333334331416")
    meter = make(address="000000000161")
    assert meter.answer(bytes(frame), start) is not None
    for bit in range(8):
        frame[spot] ^= 1 << bit
        assert meter.answer(bytes(frame), start) is None
        frame[spot] ^= 1 << bit
    assert meter.answer(bytes(frame[:spot]), start) is None


def test_a_reply_is_not_a_request(make, start):
    """An echo of a neighbour's reply makes no meter talk."""
    meter = make(address="000000000161")
    assert meter.answer(build(meter.wire, 0x91, bytes.fromhex("0000010026000000")), start) is None


def test_a_single_phase_meter_says_that_it_lacks_two_phases(make, read, start):
    """A phase that is not there reads as FF, never as zero volts."""
    single, three = make(), make(phases=3)
    block = read(single, "0201ff00")
    assert block.startswith("ffffffff") and 2200 < int(block[8:]) < 2400
    assert read(single, "02020300") == "ffffff"
    assert "f" not in read(three, "0201ff00") + read(three, "0202ff00") + read(three, "0203ff00")


def test_phases_add_up_to_the_total_power(make, read, start):
    """Whoever adds the three phases finds the total, to the watt."""
    meter = make(phases=3, watts=28001)
    block = read(meter, "0203ff00")
    c, b, a, total = (int(block[spot : spot + 6]) for spot in (0, 6, 12, 18))
    assert total == 280010 == a + b + c


def test_the_model_and_serial_are_told(make, read, start):
    """`scan` can tell who made a meter and which one it is."""
    meter = make(phases=3, model="DTZY-SIM")
    assert bytes.fromhex(read(meter, "0400040b")).rstrip(b"\x00").lstrip(b"\x00") == b"DTZY-SIM"
    assert read(meter, "04000402") == "202511080206"
    assert read(meter, "04000401") == "202603110206"


def test_the_day_table_has_fourteen_entries(make, read, start):
    """The table a tariff is compared with: hhmmNN, the unused entries repeating the last."""
    meter = make(day_table=((0, 4), (420, 3), (690, 2)))
    raw = read(meter, "04010001")
    entries = [raw[spot : spot + 6] for spot in range(0, len(raw), 6)][::-1]
    assert len(entries) == 14
    assert entries[:4] == ["000004", "070003", "113002", "113002"] and set(entries[3:]) == {"113002"}


def test_what_the_meter_does_not_have_it_refuses(make, read, start):
    """Remaining money is not known to a meter that leaves the money to the gateway: error 02."""
    meter = make()
    for di in ("00900200", "05060101", "05060001", "05060040", "06000001", "04010002"):
        assert read(meter, di) == "error 02"
