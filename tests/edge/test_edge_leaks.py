"""R6: an open relay behind which energy flows is told to a person, once; cuts of a window follow each other."""

from __future__ import annotations

from pathlib import Path

from firmware_sim.faults import Faults
from tests.edge.building import Building

ROOM = "a206"


def cut(tmp_path: Path, stuck: bool) -> Building:
    building = Building(tmp_path, meters={ROOM}, poll_s=30, idle_s=2)
    building.connect()
    if stuck:
        for line in building.shaft.lines.values():
            line.set_faults(Faults(stuck=frozenset({ROOM})))
    building.run_until(lambda: building.of("relay/1", meter=ROOM, observed="open"), hours=4)
    return building


def test_r6_energy_behind_an_open_relay_is_an_alarm(tmp_path: Path) -> None:
    """The contact stuck: the status says open, the register runs on. A person is told once, and no second trip goes
    out: no order helps."""
    building = cut(tmp_path, stuck=True)
    building.run_until(lambda: building.of("alarm/1", alarm="energy-while-off"), hours=2)
    (alarm,) = building.of("alarm/1", alarm="energy-while-off")
    assert "Wh flowed" in alarm.fields["text"]
    trips = len(building.of("trip/1"))
    building.run(hours=2)
    assert len(building.of("alarm/1", alarm="energy-while-off")) == 1 and len(building.of("trip/1")) == trips


def test_r6_a_relay_that_opened_leaks_nothing(tmp_path: Path) -> None:
    """A cut as it should be raises no such alarm, however long it lasts."""
    building = cut(tmp_path, stuck=False)
    building.run(hours=5)
    assert not building.of("alarm/1", alarm="energy-while-off")


def test_r2_the_cuts_of_a_window_follow_each_other_at_a_distance(tmp_path: Path) -> None:
    """Three tenants have been due since the night; at nine they are cut one after the other, a minute apart at least."""
    policy = {"stagger_s": 60, "cut_window": {"days": "all", "from": "16:00", "to": "17:00"}, "cut_at": "1000.00",
              "restore_above": "1000.00", "levels": ["3000.00", "2000.00", "1500.00"]}  # fmt: skip
    building = Building(tmp_path, meters={"a101", "a102", "a103"}, poll_s=30, idle_s=2, policy=policy)
    building.connect()
    building.run_until(lambda: len(building.of("trip/1")) == 3, hours=8)
    at = [each.at for each in building.of("trip/1")]
    assert min(late - early for early, late in zip(at, at[1:], strict=False)) >= 55_000_000
    assert {each.fields["meter"] for each in building.of("trip/1")} == {"a101", "a102", "a103"}
