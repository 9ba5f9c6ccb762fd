"""A final warning of a restored copy cuts nobody: who was told before may have paid since (R1, I5)."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from bridge.mqtt import Received
from edge.audit.verify import verify
from edge.stale_warnings import WHY
from tests.edge.building import Building
from tests.edge.losing import ACCOUNT, METER, backed_up, restored


@pytest.fixture
def building(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Building:
    """A room without a lamp, warned of its cut; a person told the tenant."""
    monkeypatch.setattr("edge.lamps.Lamps._light", lambda self, meter, account: None)
    made = Building(tmp_path / "lives", meters={METER}, poll_s=30, idle_s=2)
    made.connect()
    made.run_until(lambda: made.of("final/1"), hours=4)
    tell(made)
    assert [entry.fields["episode"] for entry in made.of("delivered/1")] == [1]
    return made


def tell(building: Building) -> None:
    asked = building.request("told", account=ACCOUNT, how="phone", why="told at the door")
    assert building.answers(asked)[-1]["status"] == "done"


def put_back(building: Building, tmp_path: Path) -> None:
    restored(building, backed_up(building, tmp_path / "copy"), tmp_path / "copy")


def doubted(building: Building, tmp_path: Path) -> None:
    building.stop_edge()
    building.start_edge(doubt="this is a restored copy")
    building.connect()


def longer(building: Building, tmp_path: Path) -> None:
    """The broker's retained `info` knows a longer book of this epoch."""
    building.stop_edge()
    building.start_edge()
    topic = next(topic for topic in building.broker.retained if topic.endswith("/info"))
    told = json.loads(building.broker.retained[topic])
    building.edge.enqueue(Received(topic, json.dumps(told | {"seq": told["seq"] + 1000}).encode(), True))
    building.connect()


@pytest.mark.parametrize("way", [put_back, doubted, longer])
def test_r1_a_warning_of_the_copy_is_given_and_delivered_anew(
    building: Building, tmp_path: Path, way: Callable[[Building, Path], None]
) -> None:
    """It is taken back with its reason; the next is delivered by nobody yet, so nobody is cut after recovery, however
    long zero has passed. Told again, and half an hour later, it is cut."""
    way(building, tmp_path)
    building.run(minutes=5)
    assert building.edge.core.mode == "recovery"
    assert [(entry.fields["why"], entry.fields["episode"]) for entry in building.of("cancelled/1")] == [(WHY, 1)]
    assert [entry.fields["episode"] for entry in building.of("final/1")] == [1, 2]
    asked = building.request("recovered", why="till and receipts compared", without_archive=True)
    assert building.answers(asked)[-1]["status"] == "done"
    building.run(hours=3)
    assert building.edge.core.mode == "normal" and not building.of("trip/1")
    tell(building)
    told_s = building.edge.core.powered_s()
    building.run_until(lambda: building.of("trip/1"), hours=1)
    assert building.edge.core.powered_s() - told_s >= 1800
    assert building.of("trip/1")[0].fields["episode"] == 2 and verify(Path(building.directory)).good


@pytest.mark.parametrize("way", [doubted, longer])
def test_r1_a_copy_that_is_put_back_in_recovery_loses_its_warnings_too(
    building: Building, tmp_path: Path, way: Callable[[Building, Path], None]
) -> None:
    """The card is lost once more before a person said that all payments are there: what was told since counts for
    nothing either."""
    put_back(building, tmp_path)
    building.run(minutes=5)
    tell(building)
    way(building, tmp_path)
    building.run(minutes=40)
    assert [entry.fields["episode"] for entry in building.of("cancelled/1")] == [1, 2]
    asked = building.request("recovered", why="till and receipts compared", without_archive=True)
    assert building.answers(asked)[-1]["status"] == "done"
    building.run(hours=1)
    assert building.edge.core.mode == "normal" and not building.of("trip/1")


def test_a_warning_given_in_recovery_stands_over_restarts(building: Building, tmp_path: Path) -> None:
    """Only what the copy brought is taken back, and that once."""
    put_back(building, tmp_path)
    building.run(minutes=5)
    tell(building)
    for _ in range(2):
        building.stop_edge()
        building.start_edge()
        building.connect()
        building.run(minutes=2)
    assert building.edge.core.mode == "recovery" and len(building.of("cancelled/1")) == 1
    final = building.edge.core.state.accounts[ACCOUNT].final
    assert final is not None and final.delivered_seq is not None
