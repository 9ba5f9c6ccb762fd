"""The relay, the alarm, keep-power and the clock: what a command does, and what it must not do."""

from __future__ import annotations

from datetime import timedelta

import pytest

OPEN, COMMANDED, ALARM, KEEP = 1 << 4, 1 << 6, 1 << 7, 1 << 12
TRIP, PERMIT, CLOSE = 0x1A, 0x1B, 0x1C


def word3(read, meter, now, mono=None) -> int:
    return int(read(meter, "04000503", now, mono), 16)


def test_a_trip_stops_the_energy_and_a_close_lets_it_run_again(make, read, control, start):
    """Nothing is counted while the relay is open, and everything while it is closed."""
    meter = make(watts=36000)
    assert control(meter, TRIP, start + timedelta(seconds=100)) == "done"
    assert word3(read, meter, start + timedelta(seconds=100)) == OPEN | COMMANDED
    assert read(meter, "02030000", start + timedelta(seconds=200)) == "000000"
    assert read(meter, "0202ff00", start + timedelta(seconds=200)) == "ffffffffffff000000"
    assert control(meter, CLOSE, start + timedelta(seconds=300)) == "done"
    assert word3(read, meter, start + timedelta(seconds=300)) == 0
    assert int(read(meter, "00010000", start + timedelta(seconds=350))) == 150
    assert (read(meter, "1d000001"), read(meter, "1e000001")) == ("000001", "000001")


def test_the_contact_follows_the_command_after_the_relays_delay(make, read, control, start):
    """Right after the acknowledgement bit 6 says trip and bit 4 says closed; a moment later both say open."""
    meter = make(watts=36000)
    # The calendar runs at 60 times real time here: 0.15 s of the relay are 9 s of the calendar.
    assert control(meter, TRIP, start, 1000.0) == "done"
    assert word3(read, meter, start, 1000.0) == COMMANDED
    assert word3(read, meter, start + timedelta(seconds=6), 1000.1) == COMMANDED
    assert word3(read, meter, start + timedelta(seconds=60), 1001.0) == COMMANDED | OPEN
    assert read(meter, "00010000", start + timedelta(seconds=60), 1001.0) == "00000009"


def test_permit_close_waits_for_the_button(make, read, control, start):
    """A tenant whose meter only permits closing has power again when somebody presses the button, not before."""
    meter = make()
    assert not meter.press_button(start)
    control(meter, TRIP)
    assert not meter.press_button(start), "a tripped meter is not closed by its button"
    assert control(meter, PERMIT) == "done"
    assert word3(read, meter, start + timedelta(minutes=5)) == OPEN
    assert meter.press_button(start + timedelta(minutes=6))
    assert word3(read, meter, start + timedelta(minutes=6)) == 0
    assert int(read(meter, "00010000", start + timedelta(minutes=16))) == 60


def test_a_new_trip_takes_the_permission_back(make, read, control, start):
    """Permission to close ends with the next trip."""
    meter = make()
    for what in (TRIP, PERMIT, TRIP):
        control(meter, what)
    assert not meter.press_button(start) and word3(read, meter, start) == OPEN | COMMANDED


def test_alarm_and_keep_power_show_in_status_word_three(make, read, control, start):
    """The pre-trip alarm is bit 7, keep power bit 12; both go when released, and neither moves the relay."""
    meter = make()
    control(meter, 0x2A)
    assert word3(read, meter, start) == ALARM
    control(meter, 0x3A)
    assert word3(read, meter, start) == ALARM | KEEP
    control(meter, 0x2B)
    control(meter, 0x3B)
    assert word3(read, meter, start) == 0
    assert read(meter, "040005ff") == "0000" * 7


def test_keep_power_refuses_a_trip(make, read, control, start):
    """A meter told to keep power stays closed whatever is ordered, until it is told otherwise."""
    meter = make()
    control(meter, 0x3A)
    assert control(meter, TRIP) == "error 20"
    assert word3(read, meter, start) == KEEP
    control(meter, 0x3B)
    assert control(meter, TRIP) == "done"


def test_makers_differ_in_the_length_of_the_error(make, control):
    """Some meters refuse control with two bytes, low byte first; a gateway meets both."""
    meter = make(serr_bytes=2)
    control(meter, 0x3A)
    assert control(meter, TRIP) == "error 2000"


@pytest.mark.parametrize(("key", "outcome"), [("02000001", "error 04"), ("04000000", "error 04"), ("02000000", "done")])
def test_a_wrong_password_or_level_is_refused(make, read, control, start, key, outcome):
    """Without the password and its level nothing moves."""
    meter = make()
    assert control(meter, TRIP, key=key) == outcome
    assert bool(word3(read, meter, start) & COMMANDED) is (outcome == "done")


def test_the_password_travels_low_pair_first(make, control):
    """Password 123456 goes onto the line as 56 34 12."""
    meter = make(password="123456", level=4)
    assert control(meter, TRIP, key="04563412") == "done"


def test_a_command_is_void_after_its_time_by_the_meters_own_clock(make, control, start):
    """A command that was delayed too long does nothing; the meter's clock decides, not the sender's."""
    on_time, ahead = make(), make(offset_s=120)
    until = "003110201126"  # 10:31:00 on 20 November 2026
    at = start + timedelta(seconds=30)
    assert control(on_time, TRIP, at, until=until) == "done"
    assert control(ahead, TRIP, at, until=until) == "error 10"
    assert control(on_time, CLOSE, start + timedelta(seconds=61), until=until) == "error 10"
    assert control(on_time, CLOSE, start + timedelta(seconds=61), until="616161616161") == "error 10"


def test_published_control_frames_are_obeyed(make, read, start):
    """Frames other programs send to real meters work: permit close valid until 2099, and one with an operator."""
    meter = make(address="260305510009")
    assert meter.answer(bytes.fromhex("fefefefe68090051050326681c1035333333333333334e348c8c566445cc8316"), start)
    closing = make(address="201910280004")
    reply = closing.answer(bytes.fromhex("fefefefe68040028101920681c1035333333646464644f333434343434cc2116"), start)
    assert reply == bytes.fromhex("fefefefe68040028101920689c00") + bytes(((0x68 + 0x75 + 0x68 + 0x9C) & 0xFF, 0x16))
    holley = make(address="111111111111", level=0, lead=0)
    frame = bytes.fromhex("68111111111111681c1033333333333333334d3357744845384b5516")
    refused = holley.answer(frame, start)
    assert refused is not None and refused[8] == 0xDC, "its time, 12 May 2018, is over"
    in_time = make(address="111111111111", level=0, lead=0, start=start - timedelta(days=3650))
    assert in_time.answer(frame, start - timedelta(days=3650)) == bytes.fromhex("68111111111111689c00d216")


def test_no_wildcard_and_no_broadcast_is_ever_obeyed(make, read, request_frame, start):
    """A command for "anybody" moves no relay, sets no alarm and no clock, and gets no answer."""
    meter = make()
    before = meter.state()
    body = "0200000000000000{:02x}00000000000000"
    for address in ("aaaaaaaaaaaa", "aaaaaaaa0206", "999999999999"):
        for what in (TRIP, PERMIT, CLOSE, 0x2A, 0x3A):
            assert meter.answer(request_frame(address, 0x1C, body.format(what)), start) is None
        write = "0c010004" + "0200000000000000" + "00001201010127"
        assert meter.answer(request_frame(address, 0x14, write), start) is None
    assert meter.state() == before


def test_a_stuck_relay_acknowledges_and_does_not_move(make, read, control, start):
    """The fault a gateway must notice: command seen in bit 6, contact never in bit 4, energy running on."""
    meter = make(watts=36000)
    meter.set_stuck(True)
    assert control(meter, TRIP) == "done"
    assert word3(read, meter, start + timedelta(hours=1)) == COMMANDED
    assert read(meter, "00010000", start + timedelta(hours=1)) == "00003600"


def broadcast(meter, request_frame, wall: str, now) -> None:
    """08H to everybody with ss mm hh DD MM YY."""
    assert meter.answer(request_frame("999999999999", 0x08, wall), now) is None


def test_broadcast_time_is_taken_once_a_day_and_only_when_near(make, read, request_frame, start):
    """A meter 75 s ahead is put right; a second time the same day, or by more than 5 minutes, it keeps its own."""
    meter = make(offset_s=75)
    assert read(meter, "04000102", start) == "103115"
    broadcast(meter, request_frame, "003010201126", start)
    assert read(meter, "04000102", start) == "103000"
    broadcast(meter, request_frame, "303010201126", start)
    assert read(meter, "04000102", start) == "103000", "once a day"
    tomorrow = start + timedelta(days=1)
    broadcast(meter, request_frame, "013610211126", tomorrow)
    assert read(meter, "04000102", tomorrow) == "103000", "more than five minutes"
    broadcast(meter, request_frame, "003510211126", tomorrow)
    assert read(meter, "04000102", tomorrow) == "103500"


def test_broadcast_time_is_not_taken_near_midnight(make, read, request_frame, start):
    """No clock is set within five minutes of midnight, so no midnight comes twice."""
    meter = make()
    late = start + timedelta(hours=13, minutes=26)  # 23:56
    broadcast(meter, request_frame, "005523201126", late)
    assert read(meter, "04000102", late) == "235600"


def test_the_clock_is_written_with_the_password_only(make, read, request_frame, start):
    """Date and time can be set from afar by who knows the password; the rates follow the new time."""
    meter = make(watts=36000, day_table=((0, 4), (720, 2)))
    write = "0c010004{}00000000" + "00301205201126"
    refused = meter.answer(request_frame(meter.address, 0x14, write.format("02000001")), start)
    assert refused is not None and refused[4 + 8] == 0xD4 and refused[-3] == 0x04 + 0x33
    assert read(meter, "0400010c") == "26112005103000"
    done = meter.answer(request_frame(meter.address, 0x14, write.format("02000000")), start)
    assert done is not None and done[4 + 8] == 0x94
    assert read(meter, "0400010c") == "26112005123000"
    later = start + timedelta(seconds=50)
    assert [read(meter, f"00010{rate}00", later) for rate in (2, 4)] == ["00000050", "00000000"]


def test_a_midnight_that_comes_twice_is_frozen_once(make, read, request_frame, start):
    """Setting a clock back over midnight leaves one freeze of that midnight, the first."""
    meter = make(watts=36000)
    after = start + timedelta(hours=13, minutes=31)  # 00:01
    first = read(meter, "05060101", after)
    back = "0c01000402000000" + "00000000" + "00582305201126"
    assert meter.answer(request_frame(meter.address, 0x14, back), after)
    later = after + timedelta(minutes=10)
    assert read(meter, "05060101", later) == first and read(meter, "05060102", later) == "error 02"
