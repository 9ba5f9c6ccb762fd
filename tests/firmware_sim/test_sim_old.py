"""The meter of 1997 against published frames and frames of real meters."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from firmware_sim.dlt645 import OldMeter
from firmware_sim.dlt645_frame import build, parse
from firmware_sim.loads import Load


@pytest.fixture
def old(zone, start) -> Callable[..., OldMeter]:
    def made(address: str = "201708176934", watts: int = 36000, kind: str = "constant", **more: Any) -> OldMeter:
        return OldMeter(address, address, Load(kind, watts, 7, zone), start, **{"lead": 0, **more})

    return made


def ask(meter, control: int, payload: str, now) -> tuple[int, str]:
    parsed = parse(meter.answer(build(meter.wire, control, bytes.fromhex(payload)), now))
    assert parsed is not None
    return parsed[1], parsed[2].hex()


def test_published_requests_get_published_replies(old, start):
    """9010 of real meters: 1062.48 kWh, and 0.03 kWh from a meter that is asked as 99…99."""
    meter = old("151800161485", 0, registers=(106248, 0, 0, 106248, 0))
    assert meter.answer(build(meter.wire, 1, b"\x10\x90"), start).hex() == "6885141600181568810643c37b954333bf16"
    meter = old(watts=0, registers=(3, 0, 0, 3, 0), lead=4)
    reply = meter.answer(bytes.fromhex("6899999999999968010243c36f16"), start)
    assert reply.hex() == "fefefefe6834691708172068810643c3363333331f16"


def test_voltage_is_asked_as_published(old, start):
    """B611 in whole volts; a phase that is not there is refused, not zero."""
    meter = old("000000000003", 3600)
    reply = parse(meter.answer(bytes.fromhex("6803000000000068010244e90316"), start))
    assert reply[1] == 0x81 and 223 <= int(reply[2][2:][::-1].hex()) < 232
    assert ask(meter, 1, "12b6", start) == (0xC1, "02")
    amps = int(bytes.fromhex(ask(meter, 1, "21b6", start)[1])[2:][::-1].hex())
    assert abs(amps / 100 - 3600 / 0.95 / 225) < 1.5


def test_rates_settlements_and_clock(old, start):
    """901F total and rates; 9410 the last settlement; C010 and C011 the own clock; C032 the number."""
    meter = old(day_table=((0, 4), (660, 1)))
    hour = start + timedelta(hours=1)
    assert ask(meter, 1, "1f90", hour)[1] == "1f90" + "00360000" + "00180000" + "00" * 8 + "00180000"
    assert ask(meter, 1, "1094", hour) == (0xC1, "02")
    later = start + timedelta(days=20)
    assert int(bytes.fromhex(ask(meter, 1, "1094", later)[1])[2:][::-1].hex()) == (10 * 24 + 13) * 3600 + 1800
    assert ask(meter, 1, "10c0", later)[1] == "10c0" + "04101226" and ask(meter, 1, "11c0", later)[1] == "11c0003010"
    assert ask(meter, 1, "32c0", later)[1] == "32c0" + "346917081720"


def test_further_data_comes_with_02_and_03_repeats(old, start):
    """A1H says more follows; 02H brings it; 03H gives the last answer again."""
    meter = old(most_data=16)
    value, control, data = "", *ask(meter, 1, "ff90", start)
    frames = 0
    while True:
        value, frames = value + data[4:], frames + 1
        assert ask(meter, 3, "", start) == (control, data)
        if not control & 0x20:
            break
        control, data = ask(meter, 2, "ff90", start)
        assert control & ~0x20 == 0x82
    assert (value, frames) == ("00" * 40, 3)
    assert ask(meter, 2, "ff90", start) == (0xC2, "02")


def test_writing_needs_the_password_and_something_that_can_be_written(old, start):
    """The clock is set with it; registers never (C4H, one byte)."""
    meter = old()
    assert ask(meter, 4, "11c0" + "02000001" + "003012", start) == (0xC4, "04")
    assert ask(meter, 4, "1090" + "02000000" + "00000000", start) == (0xC4, "01")
    assert ask(meter, 4, "11c0" + "02000000" + "003012", start) == (0x84, "")
    assert ask(meter, 1, "11c0", start)[1] == "11c0003012"
    assert ask(meter, 0x0A, "112233445566", start)[0] == 0x8A and meter.address == "665544332211"


def test_it_knows_neither_wildcards_nor_the_functions_of_2007(old, start):
    """AA is nobody's address; 11H is refused, so that a master finds out which dialect is spoken."""
    meter = old()
    assert meter.answer(build(b"\xaa" * 6, 1, b"\x10\x90"), start) is None
    assert ask(meter, 0x11, "00000100", start)[0] == 0xD1
    assert meter.answer(build(b"\x99" * 6, 4, b"\x10\x90" + bytes(8)), start) is None
