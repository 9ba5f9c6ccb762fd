"""R6: an open relay behind which energy flows is told to a person, once; cuts of a window follow each other."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from tests.edge.building import Building

ROOM = "a206"


def cut(tmp_path: Path) -> Building:
    building = Building(tmp_path, meters={ROOM}, poll_s=30, idle_s=2)
    building.connect()
    building.run_until(lambda: building.of("relay/1", meter=ROOM, observed="open"), hours=4)
    building.run(minutes=5)
    return building


@pytest.mark.parametrize(("more_wh", "alarms"), [(0, 0), (49, 0), (50, 1), (4_000, 1)])
def test_r6_energy_behind_an_open_relay_is_an_alarm(tmp_path: Path, more_wh: int, alarms: int) -> None:
    """The status says open and the register runs on: a person is told once, also after a restart, and no further trip
    goes out, as no order helps."""
    building = cut(tmp_path)
    for _ in range(2):
        core, leaks = building.edge.core, building.edge.readings.leaks
        meter, live = core.state.meters[ROOM], core.lives[ROOM]
        leaks.look(meter)
        sample = live.sample
        assert sample is not None
        for wh in (0, more_wh, more_wh + more_wh):
            live.sample = replace(
                sample, registers_wh={**sample.registers_wh, "total": sample.registers_wh["total"] + wh}
            )
            leaks.look(meter)
        live.sample = sample
        found = building.of("alarm/1", alarm="energy-while-off")
        assert len(found) == alarms
        building.stop_edge()
        building.start_edge()
        building.connect()
        building.run(minutes=5)
    assert len(building.of("trip/1")) == 1


def test_r6_a_register_that_was_read_too_high_at_first_leaks_nothing(tmp_path: Path) -> None:
    """The first reading behind the open relay was a damaged frame that two others outvoted: nobody hears that the
    register ran once around. What really flows from there is told."""
    building = cut(tmp_path)
    core, leaks = building.edge.core, building.edge.readings.leaks
    leaks._from.clear()
    meter, live = core.state.meters[ROOM], core.lives[ROOM]
    sample = live.sample
    assert sample is not None
    for more_wh, alarms in ((30, 0), (0, 0), (90, 0), (100, 1)):
        live.sample = replace(
            sample, registers_wh={**sample.registers_wh, "total": sample.registers_wh["total"] + more_wh}
        )
        leaks.look(meter)
        assert len(building.of("alarm/1", alarm="energy-while-off")) == alarms, more_wh


def test_r6_a_relay_that_opened_leaks_nothing(tmp_path: Path) -> None:
    """A cut as it should be raises no such alarm, however long it lasts."""
    building = cut(tmp_path)
    building.run(hours=5)
    assert not building.of("alarm/1", alarm="energy-while-off")


def test_r2_the_cuts_of_a_window_follow_each_other_at_a_distance(tmp_path: Path) -> None:
    """Three tenants have been due since the night; at nine they are cut one after the other, a minute apart."""
    policy = {"stagger_s": 60, "cut_window": {"days": "all", "from": "16:00", "to": "17:00"}, "cut_at": "1000.00",
              "restore_above": "1000.00", "levels": ["3000.00", "2000.00", "1500.00"]}  # fmt: skip
    building = Building(tmp_path, meters={"a101", "a102", "a103"}, poll_s=30, idle_s=2, policy=policy)
    building.connect()
    building.run_until(lambda: len(building.of("trip/1")) == 3, hours=8)
    at = [each.at for each in building.of("trip/1")]
    assert min(late - early for early, late in pairwise(at)) >= 55_000_000
    assert {each.fields["meter"] for each in building.of("trip/1")} == {"a101", "a102", "a103"}


def test_i23_who_waits_is_not_worked_out_anew_several_times_a_second(tmp_path: Path) -> None:
    """A wrong price warns a whole mall: while the brake is on, or another cut has its turn, nobody's balance is worked
    out for a cut that cannot be; when it can, it is, and nobody is cut earlier or later for it."""
    building = Building(tmp_path, meters={ROOM}, poll_s=30, idle_s=2, policy={"stagger_s": 600})
    building.connect()
    relays, core = building.edge.relays, building.edge.core
    building.run_until(lambda: building.of("delivered/1"), hours=4)
    relays._newest_cut = ("another", core.clock.monotonic() + 3000)
    building.run(minutes=45)
    verdict, asked = relays._accounts.verdict, list[str]()
    relays._accounts.verdict = lambda account, meter: (asked.append(meter.id), verdict(account, meter))[1]
    meter = core.state.meters[ROOM]
    relays.consider(meter)
    assert not asked and not building.of("trip/1")
    relays._newest_cut, core.state.brake = ("another", -1e9), "a mass cut"
    relays.consider(meter)
    assert not asked
    core.state.brake = None
    relays.consider(meter)
    assert asked and relays.commands.step(meter) is None and relays.commands.task(meter, "trip") is not None
    building.run_until(lambda: building.of("trip/1"), hours=0.1)
