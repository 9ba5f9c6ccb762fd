"""What was set aside stays so until it has passed or a person looks, however little is known of the time (R21)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from firmware_sim.loads import WUS_PER_WH
from tests.edge.calendars import YEAR_1970, Elsewhen

ROOM = "a206"
TOP_WH, LEAP_WH = 1_000_000_000, 10_000_000


def test_a_leap_of_more_than_half_the_scale_is_no_fall(tmp_path: Path) -> None:
    """A small register leaps by half its scale and more, is set aside, and after days might have got there: it does not
    stand below what was doubted, so it waits for a person. Once it does stand below, it was a passing one."""
    building = Elsewhen(tmp_path, meters={"a101", "a102", ROOM}, poll_s=120, idle_s=5)
    core, metrology = building.edge.core, building.sim_meter(ROOM).metrology
    core.lives[ROOM].model = replace(core.lives[ROOM].model, full_scale_wh=10_000_000)
    metrology.total_wus, metrology.rates_wus[:] = 1_000_000 * WUS_PER_WH, [0] * len(metrology.rates_wus)
    metrology.rates_wus[2] = metrology.total_wus
    building.connect()
    building.run(minutes=5)
    leap = 5_200_000 * WUS_PER_WH
    metrology.total_wus, metrology.rates_wus[2] = metrology.total_wus + leap, metrology.rates_wus[2] + leap
    building.run(minutes=5)
    assert core.state.meters[ROOM].quarantined is not None
    sample = core.lives[ROOM].sample
    assert sample is not None
    core.lives[ROOM].sample = replace(sample, read_at=sample.read_at - timedelta(days=9))
    building.run(minutes=6)
    assert core.state.meters[ROOM].quarantined is not None and building.of("release/1") == []
    metrology.total_wus, metrology.rates_wus[2] = metrology.total_wus - leap, metrology.rates_wus[2] - leap
    building.run(minutes=6)
    assert core.state.meters[ROOM].quarantined is None and len(building.of("release/1")) == 1


@pytest.mark.parametrize(("short_of_top_wh", "back_wh"), [(2_000_000, 0), (500_000_000, 0), (500_000_000, 1_000_000)])
def test_a_leap_fits_nothing_better_because_nobody_knows_the_time(
    tmp_path: Path, short_of_top_wh: int, back_wh: int
) -> None:
    """A register leaps, in the one case over its top, and is set aside; in another it then takes back a tenth of that.
    The gateway comes up in 1970: nobody can tell how much time has passed, so any leap might fit. It stays set aside,
    then and once the time is known."""
    building = Elsewhen(tmp_path, meters={"a101", "a102", ROOM}, poll_s=120, idle_s=5)
    metrology = building.sim_meter(ROOM).metrology
    up = (TOP_WH - short_of_top_wh) * WUS_PER_WH - metrology.total_wus
    metrology.total_wus, metrology.rates_wus[2] = metrology.total_wus + up, metrology.rates_wus[2] + up
    building.connect()
    building.run(minutes=5)
    core, leap = building.edge.core, LEAP_WH * WUS_PER_WH
    metrology.total_wus, metrology.rates_wus[2] = metrology.total_wus + leap, metrology.rates_wus[2] + leap
    building.run(minutes=5)
    assert core.state.meters[ROOM].quarantined is not None
    back = back_wh * WUS_PER_WH
    metrology.total_wus, metrology.rates_wus[2] = metrology.total_wus - back, metrology.rates_wus[2] - back
    for calendar in (YEAR_1970, None):
        building.restart(calendar, off_s=60)
        building.run(minutes=20)
        core = building.edge.core
        assert core.state.meters[ROOM].quarantined is not None and building.of("release/1") == []
        account = core.state.accounts[core.state.meters[ROOM].account or ""]
        assert core.balances.provisional_nano(account)[1] < LEAP_WH // 2
