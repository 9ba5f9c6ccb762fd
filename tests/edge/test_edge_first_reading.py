"""The first reading after a start stands alone: it is read twice, and a damaged one harms nobody."""

from __future__ import annotations

from pathlib import Path

import pytest

from firmware_sim.loads import WUS_PER_WH
from tests.edge.building import Building

ROOM = "a206"


def restarted(directory: Path) -> Building:
    """A building whose edge was started anew some time after the last bill; its first reading is still to come."""
    building = Building(directory, meters={ROOM}, poll_s=60, idle_s=1)
    building.topup("100206", 5000_00)
    building.run(minutes=20)
    building.stop_edge()
    building.clock.advance(60)
    building.start_edge()
    return building


@pytest.mark.parametrize("off_wh", [8_000, 5_000, 300, -300, -5_000, -8_000])
def test_a_damaged_first_reading_sets_no_meter_aside(tmp_path: Path, off_wh: int) -> None:
    """Too high or too low by what the time since the bill allows: the good readings after it are the register."""
    building = restarted(tmp_path)
    metrology, live = building.sim_meter(ROOM).metrology, building.edge.core.lives[ROOM]
    heard = []
    gate = building.edge.readings._energy

    def first_is_damaged(meter, live, values, reply):  # type: ignore[no-untyped-def]
        if not heard:
            values = {
                **values,
                "energy_wh": values["energy_wh"] + off_wh,
                "energy_flat_wh": values["energy_flat_wh"] + off_wh,
            }
        heard.append(values["energy_wh"])
        gate(meter, live, values, reply)

    building.edge.readings._energy = first_is_damaged  # type: ignore[method-assign]
    building.run(minutes=5)
    assert len(heard) > 5 and live.quality == "good" and live.sample is not None
    assert 0 <= metrology.total_wus // WUS_PER_WH - live.sample.registers_wh["total"] < 1000
    assert not building.of("quarantine/1") and not building.of("release/1")


def test_two_first_readings_that_agree_are_the_register(tmp_path: Path) -> None:
    """A good line costs one question more after a start, within seconds."""
    building = restarted(tmp_path)
    live = building.edge.core.lives[ROOM]
    building.run(seconds=10)
    assert live.quality == "good" and live.sample is not None


def test_a_leap_while_the_gateway_was_off_is_judged_by_the_newest_saved_reading(tmp_path: Path) -> None:
    """The last bill lies eight hours back, in which the meter may carry 20 kWh; in the minute that the gateway was off
    it cannot have. It is set aside (R21); when the register stands right again, that is over."""
    building = Building(tmp_path, meters={ROOM}, poll_s=60, idle_s=1)
    building.run(minutes=3)
    for off_s in (8 * 3600, 60):
        building.stop_edge()
        building.clock.advance(off_s)
        if off_s == 60:
            leap(building, 20_000)
        building.start_edge()
        building.run(minutes=6)
    (found,) = building.of("quarantine/1")
    assert found.fields["rule"] == "R21" and "more than the meter can carry" in found.fields["why"]
    leap(building, -20_000)
    building.run(minutes=3)
    assert building.of("release/1") and building.edge.core.lives[ROOM].quality == "good"


def leap(building: Building, wh: int) -> None:
    metrology = building.sim_meter(ROOM).metrology
    metrology.total_wus += wh * WUS_PER_WH
    metrology.rates_wus[2] += wh * WUS_PER_WH
