"""Meters that keep the money themselves: what is left, when they trip, and what a recharge must be."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from firmware_sim.dlt645 import PurseMeter
from firmware_sim.dlt645_frame import build, parse
from firmware_sim.loads import Load

CUSTOMER = "123456789012"
OPERATOR = "11223344"
MAC = "a1a2a3a4"
KEY = "0200000000000000"


@pytest.fixture
def purse(zone, start) -> Callable[..., PurseMeter]:
    def made(watts: int = 36000, kind: str = "constant", **more: Any) -> PurseMeter:
        given = {"customer": CUSTOMER, "serr_bytes": 2, "lead": 0, **more}
        return PurseMeter("202603110206", "202511080206", Load(kind, watts, 7, zone), start, **given)

    return made


def ask(meter, control: int, payload: str, now) -> tuple[int, str]:
    reply = meter.answer(build(meter.wire, control, bytes.fromhex(payload)), now)
    parsed = parse(reply)
    assert parsed is not None
    return parsed[1], parsed[2].hex()


def recharge(cents: int, count: int, di: str = "ff020107", customer: str = CUSTOMER) -> str:
    low = cents.to_bytes(4, "little").hex() + count.to_bytes(4, "little").hex()
    return di + OPERATOR + low + MAC + bytes.fromhex(customer)[::-1].hex() + MAC


def word3(read, meter, now) -> int:
    return int(read(meter, "04000503", now), 16)


def test_money_falls_with_use_at_the_price_to_the_cent(purse, read, start):
    """36 kW at 0.65 yuan use 23.40 yuan an hour; each cent shows when it is used, and the lamp burns at the alarm."""
    meter = purse(balance="50.00", price="0.6500", alarm="20.00")
    assert read(meter, "00900200") == "00005000" and word3(read, meter, start) == 0x0200
    assert read(meter, "00900200", start + timedelta(hours=1)) == "00002660"
    assert word3(read, meter, start + timedelta(hours=1)) == 0x0200
    assert word3(read, meter, start + timedelta(hours=1, minutes=20)) == 0x0280
    assert read(meter, "0280000b") == "00006500" == read(meter, "04050103")
    assert read(meter, "00900100") == "error 02", "money, not energy"


@pytest.mark.parametrize("every_s", [1, 37, 600, 86400])
def test_it_trips_at_the_second_its_money_ends_however_often_it_is_read(purse, read, start, every_s):
    """50 yuan less an overdraft of 10 at 0.65 last 92.3 kWh; the relay opens then, once, and the trip is noted."""
    meter, at = purse(overdraft="10.00"), start
    while at < start + timedelta(hours=4):
        at += timedelta(seconds=every_s)
        if every_s > 30 or at > start + timedelta(hours=2, minutes=33):
            meter.advance(at)
    now = max(at, start + timedelta(hours=5))
    seconds = -(-6000 * 1000 // 65 // 10)  # 60 yuan at 0.65 yuan per 100 steps of a second
    assert int(read(meter, "00010000", now)) == seconds == 9231
    assert word3(read, meter, now) & 0x50 == 0x50 and read(meter, "1d000001", now) == "000001"
    assert (read(meter, "00900200", now), read(meter, "00900201", now)) == ("00000000", "00001001")


def test_a_shop_that_draws_little_is_tripped_as_exactly(purse, start):
    """The second found by leaps is the one that counting every second finds."""
    leaps, steps = (purse(kind="shop", watts=3000, balance="1.00") for _ in range(2))
    leaps.advance(start + timedelta(hours=6))
    at = start
    while not steps.relay.open:
        at += timedelta(seconds=1)
        steps.advance(at)
    steps.advance(start + timedelta(hours=6))
    assert leaps.relay.open and leaps.state() == steps.state()


def test_a_recharge_needs_the_next_count_and_is_credited_once(purse, read, start):
    """The purchase's own count plus one; the same again is a repeat, and moves nothing."""
    meter = purse(watts=0, purchases=16)
    assert ask(meter, 0x03, recharge(14856, 17), start) == (0x83, "ff020107")
    assert read(meter, "00900200") == "00019856"
    assert [read(meter, di) for di in ("03330201", "03330301", "03330401", "03330501", "03330601", "03330101")] == [
        "0017", "00014856", "00005000", "00019856", "00019856", "2611201030",
    ]  # fmt: skip
    assert ask(meter, 0x03, recharge(14856, 17), start) == (0xC3, "0200")
    assert read(meter, "00900200") == "00019856"


@pytest.mark.parametrize(
    ("payload", "serr"),
    [
        (recharge(100, 5), "2000"),
        (recharge(100, 2, customer="000000000001"), "1000"),
        (recharge(5001, 2), "4000"),
        (recharge(100, 2, di="ff010107"), "0100"),
        (recharge(100, 2)[:-2], "0100"),
        ("ff000007" + OPERATOR + "00" * 24, "0800"),
        ("ff040107" + OPERATOR + "00" * 143, "0100"),
    ],
)
def test_a_recharge_that_is_not_right_is_refused_with_its_two_bytes(purse, start, payload, serr):
    """Wrong count, customer, too much money, opened already, wrong size, a key nobody here has: SERR, nothing moved."""
    meter = purse(watts=0, hoarding="100.00")
    before = meter.state()
    assert ask(meter, 0x03, payload, start) == (0xC3, serr)
    assert meter.state() == before


def test_with_an_esam_neither_money_nor_prices_are_taken_without_its_key(purse, start):
    """What needs a MAC is refused with SERR bit 3; class 1 parameters with error bit 2; the status is told."""
    meter = purse(watts=0, recharge="esam")
    assert ask(meter, 0x03, recharge(100, 2), start) == (0xC3, "0800")
    assert ask(meter, 0x14, "03010504" + KEY + "00700000", start) == (0xD4, "04")
    expected = "ff028107" + (5000).to_bytes(4, "little").hex() + "00" * 4 + "01000000" + "00" * 4
    assert ask(meter, 0x03, "ff028107" + OPERATOR, start) == (0x83, expected + "129078563412" + "00" * 4)


def test_an_account_is_opened_before_it_is_recharged(purse, read, start):
    """Status word 3 bit 14 tells that nobody opened it; 070101FF does, with the customer's number."""
    meter = purse(watts=0, opened=False, balance="0.00", purchases=0, customer="000000000000")
    assert word3(read, meter, start) & 0x4000 and ask(meter, 0x03, recharge(100, 1), start) == (0xC3, "0100")
    assert ask(meter, 0x03, recharge(9900, 1, di="ff010107"), start)[0] == 0x83
    assert not word3(read, meter, start) & 0x4000 and read(meter, "00900200") == "00009900"
    assert read(meter, "0400040e") == CUSTOMER


def test_the_published_frame_begins_the_wallet_anew(purse, read, start):
    """070103FF as published (amount 00000100H cents low byte first, count zero) needs its count to be zero."""
    meter = purse(watts=0)
    begin = "ff030107" + OPERATOR + "00010000" + "01020304" + "00000000" + MAC
    assert ask(meter, 0x03, begin, start) == (0x83, "ff030107")
    assert read(meter, "00900200") == "00000256" and read(meter, "03330201") == "error 02"


def test_a_vendors_layout_has_no_count_so_a_repeat_doubles_the_money(purse, read, start):
    """L = 22H: the danger that a gateway must know of can be met here."""
    meter = purse(watts=0, recharge="vendor")
    order = "ff020107" + "44332211" + "e8030000" + "00" * 8 + "00" * 4 + meter.wire.hex() + "00" * 4
    assert len(bytes.fromhex(order)) == 0x22
    for _ in range(2):
        assert ask(meter, 0x03, order, start)[0] == 0x83
    assert read(meter, "00900200") == "00007000"


def test_after_a_recharge_the_button_gives_power_back(purse, read, start):
    """A meter that ran out permits closing when money came, and trips again when that is used."""
    meter = purse(balance="6.50")
    out = start + timedelta(hours=1)
    assert word3(read, meter, out) & 0x10 and not meter.press_button(out)
    assert ask(meter, 0x03, recharge(650, 2), out)[0] == 0x83
    assert word3(read, meter, out) & 0x50 == 0x10 and meter.press_button(out)
    assert int(read(meter, "00010000", out + timedelta(hours=1))) == 2000


def test_new_prices_count_from_their_time_on(purse, read, start):
    """The spare set takes over at 04000108: what was used before keeps the old price."""
    meter = purse(balance="100.00", price="0.5000")
    assert ask(meter, 0x14, "03020504" + KEY + "00000100", start)[0] == 0x94  # flat, spare: 1.0000
    assert ask(meter, 0x14, "08010004" + KEY + "0011201126", start)[0] == 0x94
    now = start + timedelta(hours=1)  # half an hour at 0.5, half at 1.0, 18 kWh each
    assert read(meter, "00900200", now) == "00007300"
    assert read(meter, "04050103", now) == "00010000" and read(meter, "04050203", now) == "00005000"


def test_a_purse_survives_a_restart(purse, read, start):
    """Money, count, records and the trip for want of money are remembered."""
    meter = purse(balance="6.50")
    meter.advance(start + timedelta(hours=1))
    kept, again = meter.state(), purse(balance="99.00")
    again.restore(kept)
    now = start + timedelta(hours=9)
    for di in ("00900200", "00900201", "03330301", "04000503", "00010000"):
        assert read(again, di, now) == read(meter, di, now)


def test_an_alarm_limit_can_be_written(purse, read, start):
    """04001001 in force at once."""
    meter = purse(watts=0, balance="50.00", alarm="20.00")
    assert ask(meter, 0x14, "01100004" + KEY + "00600000", start)[0] == 0x94
    assert read(meter, "04001001") == "00006000" and word3(read, meter, start) & 0x80


def test_a_purse_that_is_off_counts_nothing_and_says_so(purse, read, start):
    """Off as in a site file: no bit, no amount, no lamp, no trip, no recharge; and no debt when it is switched on."""
    meter = purse(balance="0.50", purse="off", overdraft="0.00")
    later = start + timedelta(hours=5)
    assert word3(read, meter, later) == 0 and read(meter, "00010000", later) != "00000000"
    assert read(meter, "00900200", later) == read(meter, "03330201", later) == "error 02"
    assert ask(meter, 0x03, recharge(1000, 2), later)[0] == 0xC3
    again = purse(balance="9.00")
    again.restore(meter.state())
    assert read(again, "00900200", later) == "00000050" and word3(read, again, later) & 0x0200


def test_a_purse_is_on_or_off(purse):
    """Another word is told, not taken for one of the two."""
    with pytest.raises(ValueError, match="a purse is meter or off, not 'on'"):
        purse(purse="on")
