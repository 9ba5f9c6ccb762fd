"""Registers, rates and freezes against sums worked out second by second."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_sim.dlt645_frame import build
from firmware_sim.instants import us_of
from firmware_sim.loads import WUS_PER_WH, Load
from firmware_sim.metrology import Metrology, OwnClock

TABLE = ((0, 4), (420, 3), (540, 2), (690, 3), (1140, 1), (1260, 3))


def kwh(raw: str) -> list[int]:
    """A block of 4-byte registers, high byte first, as steps: total, sharp, peak, flat, valley."""
    return [int(raw[spot : spot + 8]) for spot in range(0, len(raw), 8)][::-1]


def test_rates_follow_the_meters_own_table_to_the_watt_second(zone):
    """Every second's energy lands in the rate the meter's own clock says, and in the total."""
    start = datetime(2026, 11, 19, 21, 3, 17, tzinfo=UTC)
    load = Load("restaurant", 9000, 5, zone)
    metrology = Metrology(load, us_of(start), zone, day_table=TABLE, offset_s=75)
    expected = {1: 0, 2: 0, 3: 0, 4: 0}
    for second in range(30 * 3600):
        shown = (start + timedelta(seconds=second + 75)).astimezone(zone)
        minute = shown.hour * 60 + shown.minute
        rate = [rate for begins, rate in TABLE if begins <= minute][-1]
        expected[rate] += load.watts_at(us_of(start) + second * 1_000_000) * 1_000_000
    metrology.advance(us_of(start + timedelta(hours=30)))
    assert metrology.rates_wus == [expected[1], expected[2], expected[3], expected[4]]
    assert metrology.total_wus == sum(expected.values()) > 100_000 * WUS_PER_WH


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 4 * 86_400_000_000), min_size=1, max_size=30))
def test_it_does_not_matter_how_often_a_meter_is_read(spots):
    """Reading a meter more often, or at odd instants, changes nothing on its registers."""
    zone, start_us = ZoneInfo("Asia/Shanghai"), us_of(datetime(2026, 11, 20, 2, 30, tzinfo=UTC))

    def fresh() -> Metrology:
        return Metrology(Load("shop", 4321, 3, zone), start_us, zone, day_table=TABLE, ppm=-40, offset_s=13)

    often, once = fresh(), fresh()
    for spot in sorted(spots):
        often.advance(start_us + spot)
    once.advance(start_us + max(spots))
    assert often.state() == once.state()


@given(st.integers(-500, 500), st.integers(-10_000, 10_000), st.integers(0, 10**15))
def test_a_clock_asked_backwards_gives_the_first_instant(ppm, offset_s, passed_us):
    """The instant at which a drifting clock shows midnight is the first one at which it does."""
    clock = OwnClock(1_700_000_000_000_000, offset_s, ppm)
    shown = clock.set_to_us + passed_us
    at = clock.true_us(shown)
    assert clock.shown_us(at) >= shown > clock.shown_us(at - 1)


def test_the_freeze_is_taken_at_the_midnight_of_the_meters_own_clock(make, read, start):
    """Days nobody read the meter are all there afterwards, each with the register of its own midnight."""
    # 36 kW is one step of 0.01 kWh per second; the clock is 75 s ahead and gains 1000 ppm, 86.4 s a day.
    meter = make(watts=36000, offset_s=75, drift_ppm=1000, day_table=TABLE)
    now = start + timedelta(days=4, hours=2)
    midnight = datetime(2026, 11, 20, 16, 0, tzinfo=UTC)
    for back, day in ((4, 21), (3, 22), (2, 23), (1, 24)):
        ahead_us = round(((midnight - start).total_seconds() - 75) * 1_000_000)
        passed_s = -(-ahead_us * 1_000_000 // 1_001_000) // 1_000_000
        assert read(meter, f"050600{back:02x}", now) == f"2611{day}0000"
        steps = kwh(read(meter, f"050601{back:02x}", now))
        assert steps[0] == passed_s and abs(sum(steps[1:]) - passed_s) <= 4
        midnight += timedelta(days=1)
    assert read(meter, "05060105", now) == "error 02"


def test_the_freeze_memory_is_62_days_deep(make, read, start):
    """After a hundred days unread the last 62 midnights are still to be had, and no more."""
    meter = make(kind="shop")
    now = start + timedelta(days=100)
    newest = read(meter, "05060001", now)
    assert newest == (start + timedelta(days=100)).astimezone(ZoneInfo("Asia/Shanghai")).strftime("%y%m%d0000")
    assert read(meter, "0506003e", now) != "error 02" == read(meter, "0506003f", now)
    frozen = [kwh(read(meter, f"050601{slot:02x}", now))[0] for slot in range(62, 0, -1)]
    assert frozen == sorted(set(frozen))


def test_freezes_hold_across_a_23_and_a_25_hour_day(make, read):
    """Where summer time exists, each local midnight is frozen once, 23 or 25 hours after the last."""
    zone = ZoneInfo("Europe/Berlin")
    for began, hours in ((datetime(2026, 3, 28, 12, tzinfo=UTC), 23), (datetime(2026, 10, 24, 12, tzinfo=UTC), 25)):
        meter = make(watts=36000, start=began, zone=zone)
        now = began + timedelta(days=2)
        last, before = (kwh(read(meter, f"050601{slot:02x}", now))[0] for slot in (1, 2))
        assert last - before == hours * 3600


def test_registers_roll_over_at_full_scale(make, read, start):
    """After 999999.99 kWh a register begins again at zero; the energy before is not shown twice."""
    meter = make(watts=36000, registers=(99_999_990, 0, 0, 99_999_000, 0))
    assert read(meter, "00010000", start + timedelta(seconds=9)) == "99999999"
    assert read(meter, "00010000", start + timedelta(seconds=10)) == "00000000"
    assert kwh(read(meter, "0001ff00", start + timedelta(seconds=25))) == [15, 0, 0, 99_999_025, 0]


def test_a_register_shows_a_step_only_when_it_is_full(make, read, start):
    """0.01 kWh appears when the tenth watt-hour is complete, not when it is nearly so."""
    meter = make(watts=36000)
    assert read(meter, "00010000", start + timedelta(microseconds=999_999)) == "00000000"
    assert read(meter, "00010000", start + timedelta(microseconds=1_000_000)) == "00000001"


def test_a_step_back_of_the_asking_clock_moves_no_register_back(make, read, start):
    """A gateway whose calendar jumps back still reads registers that never fall."""
    meter = make()
    later = read(meter, "00010000", start + timedelta(hours=3))
    assert read(meter, "00010000", start + timedelta(hours=2)) == later
    assert read(meter, "00010000", start + timedelta(hours=3)) == later, "and the hour is not counted twice"


def test_a_virtual_year_of_reads_runs_in_seconds(make, start):
    """A hundred thousand reads, five minutes apart, cost little enough to simulate a year in a test."""
    meter = make(kind="restaurant", day_table=TABLE, drift_ppm=20)
    frame = build(meter.wire, 0x11, bytes.fromhex("00ff0100"))
    began = time.perf_counter()
    for step in range(100_000):
        reply = meter.answer(frame, start + timedelta(minutes=5 * step))
    took_s = time.perf_counter() - began
    assert reply is not None and took_s < 10.0, f"{took_s:.1f} s"
    print(f"100000 reads in {took_s:.2f} s")
