"""What a meter remembers: hours, settlements, freezes on command, demand and load records, against direct sums."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from firmware_sim.dlt645_frame import build, parse
from firmware_sim.instants import MINUTE_US, us_of
from firmware_sim.loads import WUS_PER_WH

STEP = 10 * WUS_PER_WH


def ask(meter, control: int, payload: str, now) -> tuple[int, bytes]:
    """Control byte and DATA of the answer; the payload in line order."""
    reply = meter.answer(build(meter.wire, control, bytes.fromhex(payload)), now)
    assert reply is not None
    parsed = parse(reply)
    assert parsed is not None
    return parsed[1], parsed[2]


def line_order(di: str) -> str:
    return bytes.fromhex(di)[::-1].hex()


def whole(meter, di: str, now, behind: str = "") -> tuple[bytes, int]:
    """A value asked for until nothing follows, and in how many frames; `behind` the identifier stands what it takes."""
    control, data = ask(meter, 0x11, line_order(di) + behind, now)
    value, seq = data[4:], 0
    while control in (0xB1, 0xB2):
        seq += 1
        control, data = ask(meter, 0x12, line_order(di) + f"{seq:02x}", now)
        assert data[:4].hex() == line_order(di) and data[-1] == seq
        value += data[4:-1]
    assert control in (0x91, 0x92)
    return value, seq + 1


def test_each_hour_of_the_own_clock_is_frozen_also_while_nobody_asks(make, read, start):
    """Ten days unread, the last 254 hours are there, each with the total of that hour to the watt-second."""
    meter = make(kind="restaurant", watts=9000, offset_s=75)
    now = start + timedelta(days=12, minutes=17)
    for slot in (1, 2, 30, 254):
        hour = datetime(2026, 12, 2, 2, tzinfo=UTC) - timedelta(hours=slot - 1)
        assert read(meter, f"050400{slot:02x}", now) == (hour + timedelta(hours=8)).strftime("%y%m%d%H%M")
        true_us = us_of(hour - timedelta(seconds=75))
        expected = meter.metrology.load.energy_wus(us_of(start), true_us) // STEP
        assert int(read(meter, f"050401{slot:02x}", now)) == expected > 0
    assert read(meter, "050400ff", now) == "error 02"


def test_an_hour_behind_an_open_relay_adds_nothing(make, read, control, start):
    """Hours that are worked out afterwards know when the relay was open."""
    meter = make(watts=36000)
    control(meter, 0x1A, start + timedelta(minutes=30))  # 11:00
    control(meter, 0x1C, start + timedelta(minutes=150))  # 13:00
    now = start + timedelta(minutes=215)
    assert [int(read(meter, f"050401{slot:02x}", now)) for slot in (1, 2, 3, 4)] == [5400, 1800, 1800, 1800]


def test_a_freeze_on_command_keeps_that_instant_and_three_of_them(make, read, start):
    """16H with 99 99 99 99 freezes at once; a broadcast does it for all and gets no answer."""
    meter = make(watts=36000)
    for minute in range(4):
        at = start + timedelta(minutes=minute)
        assert ask(meter, 0x16, "99999999", at) == (0x96, b"")
    everybody = build(b"\x99" * 6, 0x16, b"\x99" * 4)
    assert meter.answer(everybody, start + timedelta(minutes=10)) is None
    now = start + timedelta(hours=1)
    assert [read(meter, f"050100{slot:02x}", now)[-4:] for slot in (1, 2, 3)] == ["1040", "1033", "1032"]
    assert int(read(meter, "05010101", now)[-8:]) == 600
    assert read(meter, "05010004", now) == "error 02"


@pytest.mark.parametrize(
    ("timer", "frozen"),
    [
        ("30069999", ["2611220630", "2611210630"]),
        ("15999999", ["2611221015", "2611220915"]),
        ("00002299", ["2611220000"]),
    ],
)
def test_a_timed_freeze_comes_by_the_hour_the_day_or_the_month(make, read, start, timer, frozen):
    """16H mm hh DD MM with 99 for any keeps registers at those minutes of the own clock (group 0500)."""
    meter = make(watts=36000, drift_ppm=50)
    assert ask(meter, 0x16, timer, start) == (0x96, b"")
    now = start + timedelta(days=2)
    assert [read(meter, f"050000{slot + 1:02x}", now) for slot in range(len(frozen))] == frozen


@pytest.mark.parametrize("timer", ["60009999", "00240000", "00990199", "0a999999", "999999", "30060101"])
def test_a_timer_that_is_no_time_is_refused(make, start, timer):
    """Error bit 0, and no freeze is set up."""
    meter = make()
    assert ask(meter, 0x16, timer, start) == (0xD6, b"\x01") and meter.metrology.timer == ""


def test_settlement_periods_end_on_their_day_and_twelve_are_kept(make, read, start):
    """0001FFnn: registers at the first of each month; 00FE00nn its time; FF all of them, over several frames."""
    meter = make(watts=36000)
    now = start + timedelta(days=420)
    first = datetime(2026, 11, 30, 16, tzinfo=UTC)  # midnight of 1 December in Shanghai
    steps = round((datetime(2026, 12, 31, 16, tzinfo=UTC) - start).total_seconds())
    assert read(meter, "00fe000c", now) == "27020100" and read(meter, "00fe000d", now) == "error 02"
    meter = make(watts=36000)
    later = start + timedelta(days=45)
    assert int(read(meter, "00010001", later)) == steps
    assert int(read(meter, "00010002", later)) == round((first - start).total_seconds())
    assert read(meter, "0001ff01", later)[-8:] == f"{steps:08d}" and read(meter, "00020001", later) == "00000000"
    assert read(meter, "00000001", later) == read(meter, "00010001", later)
    value, frames = whole(meter, "0001ffff", now)
    assert (len(value), frames) == (13 * 20, 2)


def test_the_settlement_day_can_be_moved(make, read, start):
    """Written to the 25th at 06:00, the period ends there, by the meter's own clock."""
    meter = make(watts=36000)
    assert ask(meter, 0x14, "010b0004" + "0200000000000000" + "0625", start) == (0x94, b"")
    now = start + timedelta(days=9)
    assert read(meter, "04000b01", now) == "2506" and read(meter, "00fe0001", now) == "26112506"
    assert int(read(meter, "00010001", now)) == round((datetime(2026, 11, 24, 22, tzinfo=UTC) - start).total_seconds())


def test_maximum_demand_is_the_highest_quarter_of_an_hour(make, read, control, start):
    """0101FF00 against a search of every window, an hour without supply to the load left out."""
    meter = make(kind="restaurant", watts=9000)
    tripped, closed = (start + timedelta(hours=8, minutes=20, seconds=11), start + timedelta(hours=9, minutes=31))
    control(meter, 0x1A, tripped)
    control(meter, 0x1C, closed)
    now = start + timedelta(hours=12)
    gap = us_of(tripped), us_of(closed)
    best = (0, 0)
    for minute in range(12 * 60 - 14):
        begin = us_of(start) + minute * MINUTE_US
        end = begin + 15 * MINUTE_US
        load = meter.metrology.load
        got = load.energy_wus(begin, end) - load.energy_wus(max(begin, gap[0]), min(end, gap[1]))
        best = max(best, (got, -end))
    raw = read(meter, "0101ff00", now)
    assert int(raw[-6:]) == best[0] // (15 * MINUTE_US) * 10
    shown = datetime.fromtimestamp(-best[1] / 1e6, UTC) + timedelta(hours=8)
    assert raw[-16:-6] == shown.strftime("%y%m%d%H%M")
    assert read(meter, "01010000", now) == raw[-16:] == read(meter, "01010300", now)
    assert ask(meter, 0x19, "0200000000000000", now) == (0x99, b"")
    assert read(meter, "01010000", now) == "0" * 16 and read(meter, "03300200", now) == "000001"


def test_demand_knows_the_open_relay_and_the_rate_in_which_a_window_ends(make, read, control, start):
    """36 kW until 11:00 and nothing after: 36 kW in the valley before, 14 minutes of it in the first sharp window."""
    meter = make(watts=36000, day_table=((0, 4), (660, 1)))
    control(meter, 0x1A, start + timedelta(minutes=30))
    now = start + timedelta(hours=3)
    assert read(meter, "01010000", now) == read(meter, "01010400", now) == "2611201045" + "360000"
    assert read(meter, "01010100", now) == "2611201101" + "336000"
    assert read(meter, "01010200", now) == "0" * 16 == read(meter, "01020000", now)
    late = make(watts=36000)
    control(late, 0x1A, start + timedelta(minutes=10))
    assert read(late, "01010000", start + timedelta(minutes=16)) == "2611201045" + "240000"


def test_a_period_ends_once_even_when_its_midnight_comes_twice(make, read, start):
    """A clock set back over the first of the month makes no second settlement."""
    meter = make(watts=36000)
    after = start + timedelta(days=10, hours=13, minutes=31)  # 00:01 on 1 December
    first = read(meter, "00010001", after)
    assert ask(meter, 0x14, "0c010004" + "0200000000000000" + "00582301301126", after)[0] == 0x94
    later = after + timedelta(minutes=10)
    assert read(meter, "00010001", later) == first and read(meter, "00010002", later) == "error 02"


def test_load_records_are_asked_from_a_time_on_and_carry_their_sum(make, start):
    """11H with L = 0AH: two records from 12:00 on, energy as it stood then; a class alone leaves the others empty."""
    meter = make(watts=36000)
    now = start + timedelta(hours=5)
    value, frames = whole(meter, "06000001", now, "02" + "0012201126")
    assert frames == 2, "two whole records are more than 200 bytes"
    assert value[:3] == b"\xa0\xa0" + bytes((value[2],)) and value[3:8].hex() == "0012201126"
    size = value[2] + 5
    record, second = value[:size], value[size:]
    assert len(second) == size and second[3:8].hex() == "1512201126"
    assert record[-1] == 0xE5 and record[-2] == sum(record[:-2]) & 0xFF
    ends = [8 + sum(size + 1 for size in (17, 24, 8, 16, 16, 6)[:number]) - 1 for number in range(1, 7)]
    assert value[2] == 98 and [record[at] for at in ends] == [0xAA] * 6, "six classes of the sizes of annex B"
    assert record[26:29] == record[29:32] != b"\xff" * 3, "class 2 begins with the total, and phase A has all of it"
    _, data = ask(meter, 0x11, "01000406" + "01" + "0012201126", now)
    classes = data[4 + 8 : -2]
    assert classes[:3] == b"\xaa" * 3 and classes[3:7][::-1].hex() == "00005400" and classes[-2:] == b"\xaa" * 2
    three = ask(meter, 0x11, "01061006" + "03" + "0012201126", now)[1][4:]
    assert three.hex() == "0012201126" + "00540000" + "00630000" + "00720000"
    assert ask(meter, 0x11, "01061006" + "03" + "0012211126", now) == (0xD1, b"\x02")


@pytest.mark.parametrize("most", [200, 60, 16])
def test_a_long_answer_comes_in_parts_of_the_meters_own_size(make, start, most):
    """B1H, then 12H with 1, 2, 3 …: the parts together are the whole, whatever a frame of this meter carries."""
    meter, reference = make(most_data=most), make()
    now = start + timedelta(days=100)
    whole_value, _ = whole(reference, "0001ffff", now)
    value, frames = whole(meter, "0001ffff", now)
    assert value == whole_value
    assert frames == 1 + -(-(len(value) - (most - 4)) // (most - 5))
    part = ask(meter, 0x12, line_order("0001ffff") + "01", now)
    assert part == ask(meter, 0x12, line_order("0001ffff") + "01", now), "the same part again on the same number"
    assert ask(meter, 0x12, line_order("0001ffff") + "fe", now) == (0xD2, b"\x02")
    assert ask(meter, 0x12, line_order("0000ffff") + "01", now) == (0xD2, b"\x02")


def test_memory_survives_a_restart_and_an_older_memory_is_taken(make, read, control, start):
    """Hours, settlements, demand and events are the same after a restart; an older simulator's memory still loads."""
    meter = make(kind="shop")
    control(meter, 0x1A, start + timedelta(hours=1))
    control(meter, 0x1C, start + timedelta(hours=2))
    middle, now = start + timedelta(days=20), start + timedelta(days=21)
    meter.advance(middle)
    kept = meter.state()
    again = make(kind="shop", start=middle)
    again.restore(kept)
    for di in ("05040120", "00010001", "0101ff00", "1d000101", "050601ff", "05060102", "04000601"):
        assert read(again, di, now) == read(meter, di, now), di
    older = {key: kept[key] for key in ("address", "relay", "clock_set_on")}
    older["metrology"] = {
        key: kept["metrology"][key]
        for key in ("at_us", "total_wus", "rates_wus", "closed", "clock_set_at_us", "clock_set_to_us", "freezes")
    }
    old = make(kind="shop", start=middle)
    old.restore(older)
    assert read(old, "05060105", now) == read(meter, "05060105", now)
