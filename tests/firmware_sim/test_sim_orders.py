"""Orders to a 645 meter and every refusal of the standard; events it notes of what was done to it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from firmware_sim.dlt645_frame import build, parse
from firmware_sim.faults import NO_FAULTS, gather
from firmware_sim.line import Line

KEY = "0200000000000000"
WRONG = "0200000100000000"


def ask(meter, control: int, payload: str, now) -> tuple[int, str]:
    """Control byte and DATA of the answer, in line order."""
    reply = meter.answer(build(meter.wire, control, bytes.fromhex(payload)), now)
    assert reply is not None
    parsed = parse(reply)
    assert parsed is not None
    return parsed[1], parsed[2].hex()


ZONES15, PERIODS15 = "010101" * 15, "030000" * 15


@pytest.mark.parametrize(
    ("function", "payload", "error"),
    [
        (0x11, "77777777", "02"),
        (0x14, "77770004" + KEY + "00", "02"),
        (0x14, "0c010004" + WRONG + "00301205201126", "04"),
        (0x14, "00000100" + KEY + "00000000", "04"),
        (0x14, "0c010004" + KEY + "00301305201326", "01"),
        (0x14, "01040004" + KEY + "000000000000", "01"),
        (0x14, "01020004" + KEY + "15", "10"),
        (0x14, "00000104" + KEY + ZONES15, "10"),
        (0x14, "03020004" + KEY + "15", "20"),
        (0x14, "01000104" + KEY + PERIODS15, "20"),
        (0x14, "04020004" + KEY + "05", "40"),
        (0x14, "01000104" + KEY + "050000", "40"),
        (0x14, "01000104" + KEY + "030008", "01"),
        (0x17, "0c", "08"),
        (0x17, "80", "08"),
        (0x18, "030c0004" + "02000001" + "02563412", "04"),
        (0x18, "010c0004" + "02000000" + "00563412", "02"),
        (0x18, "030c0004" + "02000000" + "04563412", "04"),
        (0x1A, KEY, "04"),
        (0x1B, KEY + "ff777777", "02"),
        (0x1C, KEY + "7a00" + "00" * 6, "01"),
        (0x1C, KEY + "1d00" + "00" * 6, "80"),
        (0x1D, "01", "01"),
    ],
)
def test_every_refusal_has_its_bit(make, start, function, payload, error):
    """Each error bit of the standard can be met here, and a refusal changes nothing."""
    meter = make()
    before = meter.state()
    assert ask(meter, function, payload, start) == (function | 0xC0, error)
    assert meter.state() == before


def test_a_new_address_answers_for_itself_at_once_and_after_a_restart(make, read, start):
    """15H is acknowledged from the new address (published request); the old one is dead, the memory keeps it."""
    meter = make(address="121078563412")
    reply = meter.answer(bytes.fromhex("fefefefe68123456781012681506456789ab43468a16"), start)
    assert parse(reply) == (bytes.fromhex("123456781013"), 0x95, b"")
    assert meter.answer(build(bytes.fromhex("123456781012"), 0x13), start) is None
    assert meter.address == "131078563412" and read(meter, "04000401") == "131078563412"
    again = make(address="121078563412")
    again.restore(meter.state())
    assert read(again, "04000401") == "131078563412" and meter.state()["address"] == "121078563412"
    assert meter.answer(build(meter.wire, 0x15, b"\xaa" * 6), start) is None, "no BCD, no answer"


def test_a_new_speed_counts_from_the_next_question_on(make, start):
    """17H is answered at the old speed (published request); then the meter hears the new one only."""
    meter = make(address="201901120001", meter_id="a")
    line = Line([meter, make(meter_id="b")], 1, baud=9600)
    frame = bytes.fromhex("680100120119206817013b7016")
    reply, _ = line.answer(frame, start, None, 9600)
    assert parse(reply)[1:] == (0x97, b"\x08") and line.speeds == {2400, 9600}
    ask_address = build(meter.wire, 0x13)
    assert line.answer(ask_address, start, None, 9600)[0] == b""
    assert parse(line.answer(ask_address, start, None, 2400)[0])[1] == 0x93


def test_a_new_password_replaces_the_old(make, control, start):
    """18H returns the new one; the old one no longer moves the relay, also after a restart."""
    meter = make()
    assert ask(meter, 0x18, "030c0004" + "02000000" + "02563412", start) == (0x98, "02563412")
    again = make()
    again.restore(meter.state())
    for each in (meter, again):
        assert control(each, 0x1A) == "error 04" and control(each, 0x1A, key="02563412") == "done"


def test_written_tables_rule_the_rates(make, read, start):
    """A second day table and zones written, the switch time comes: from that midnight the other rates count."""
    meter = make(watts=36000)
    assert ask(meter, 0x14, "02000204" + KEY + "040000" + "020012", start)[0] == 0x94  # set 2, table 2: 12:00 peak
    assert ask(meter, 0x14, "00000204" + KEY + "020101", start)[0] == 0x94
    assert ask(meter, 0x14, "06010004" + KEY + "0000211126", start)[0] == 0x94
    assert ask(meter, 0x14, "07010004" + KEY + "0000211126", start)[0] == 0x94
    assert read(meter, "04020002").endswith("120002000004") and read(meter, "04000106") == "2611210000"
    now = start + timedelta(hours=25, minutes=45)  # 12:15 of the next day
    flat, peak, valley = (int(read(meter, di, now)) for di in ("00010300", "00010200", "00010400"))
    assert (flat, peak, valley) == (13 * 3600 + 1800, 900, 12 * 3600)
    assert int(read(meter, "04000503", now), 16) == 0b100001 and int(read(meter, "04000106", now)) == 0


def test_a_trip_with_automatic_restore_gives_power_back_by_itself(make, read, control, start, request_frame):
    """1DH closes the relay again after its five-minute steps, to the second."""
    meter = make(watts=36000)
    assert ask(meter, 0x1C, KEY + "1d02" + "00" * 6, start) == (0x9C, "")
    assert int(read(meter, "04000503", start + timedelta(minutes=9)), 16) & 0x10
    assert int(read(meter, "00010000", start + timedelta(minutes=11))) == 60


def test_what_was_done_is_noted_with_who_did_it(make, read, start):
    """Clock set, programming and trip leave count and record: time, operator, what."""
    meter = make(watts=36000)
    operator = "0200000011223344"
    ask(meter, 0x14, "0c010004" + operator + "00301205201126", start)
    assert read(meter, "03300400") == "000001" == read(meter, "03300000")
    assert read(meter, "03300401") == "261120123000" + "261120103000" + "44332211"
    assert read(meter, "03300001") == "ff" * 36 + "0400010c" + "44332211" + "261120103000"
    ask(meter, 0x1C, operator + "1a00" + "00" * 6, start + timedelta(seconds=90))
    assert read(meter, "1d000101") == "00" * 20 + "00000090" + "44332211" + "261120123130"
    assert read(meter, "1d000102") == "error 02" == read(meter, "1e000101")
    assert ask(meter, 0x1B, KEY + "ff" * 4, start + timedelta(minutes=9))[0] == 0x9B
    assert read(meter, "1d000101") == "error 02" and read(meter, "03300300") == "000001"


def test_without_supply_nothing_is_counted_and_no_midnight_is_there(make, read, start):
    """The power fault: silent, no energy, the midnight is missing, begin and end are noted in 031100."""
    meter = make(watts=36000, meter_id="a")
    line = Line([meter], 1)
    meter.advance(start + timedelta(hours=1))
    line.set_faults(gather(["power:a"]))
    assert line.answer(build(meter.wire, 0x13), start + timedelta(hours=2))[0] == b""
    meter.advance(start + timedelta(hours=15))
    line.set_faults(NO_FAULTS)
    now = start + timedelta(hours=16)
    assert int(read(meter, "00010000", now)) == 2 * 3600 and read(meter, "05060001", now) == "error 02"
    assert read(meter, "03110000", now) == "000001" and read(meter, "03110001", now) == "261121013000261120113000"
    assert read(meter, "05040002", now) == "2611201100", "hours in the dark were not frozen"


def test_battery_magnet_and_a_relay_that_does_not_follow_show(make, read, control, start):
    """Each fault shows where the standard has it: status word 1, 0335 and 0336."""
    meter = make()
    meter.suffer("battery", True)
    meter.suffer("magnet", True)
    meter.suffer("stuck", True)
    control(meter, 0x1A)
    assert read(meter, "04000501") == "0004" and read(meter, "03350000") == "000001" == read(meter, "03360000")
    meter.suffer("stuck", False)
    control(meter, 0x1A)
    assert read(meter, "03360001")[96:] != "0" * 24 and read(meter, "03360000") == "000001"
