"""A panel that speaks with a real edge: requests go in at once, facts, answers and entries come when it is pumped.

The entries go into the panel's archive as the bridge would write them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from panel_stage import SECRET, FakeLink, Stage
from sqlalchemy import insert

from bridge.archive.rows import entry_row
from bridge.archive.tables import ENTRY
from bridge.contract.messages import Entry
from bridge.contract.site import Site
from bridge.mqtt import Received
from tests.edge import building as edge_building
from tests.edge.building import Building


class Wired(FakeLink):
    """A panel's connection to a real edge."""

    def __init__(self, building: Building):
        super().__init__()
        self.building = building

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> int | None:
        super().publish(topic, payload, retain=retain)
        self.building.edge.enqueue(Received(topic, payload, retain))
        return len(self.published)


class SameSite(Building):
    """The demo's building, or some of its shops, on the gateway that the panel's stage knows."""

    def _site(self, poll_s: int, policy: dict[str, Any], meters: set[str] | None) -> Site:
        tables = super()._site(poll_s, policy, meters).model_dump(by_alias=True)
        tables["site"]["gateway"] = "jx-a"
        return Site.model_validate(tables)


def house_in(directory: Path, monkeypatch: pytest.MonkeyPatch, *meters: str, **policy: str) -> SameSite:
    """A running house; shop A206 alone where no meters are named."""
    monkeypatch.setitem(edge_building.KEYS, "panel", SECRET)
    building = SameSite(directory, meters=set(meters) or {"a206"}, poll_s=30, policy=policy)
    building.connect()
    building.run(seconds=30)
    return building


def panel_of(house: SameSite, directory: Path, **policy: str) -> Stage:
    """A panel of its own, with everything the gateway has published so far."""
    directory.mkdir()
    stage = Stage(directory, clock=house.clock, policy=policy)
    stage.link = Wired(house)
    stage.feed.attach(stage.link)
    for topic, payload in house.broker.retained.items():
        stage.feed.take(Received(topic, payload, True))
    for topic, payload, _ in house.broker.heard:
        _archive(stage, topic, payload)
    return stage


def pump(house: SameSite, *panels: Stage) -> None:
    """The edge works off what came, and every panel hears all of it."""
    heard = len(house.broker.heard)
    while house.pump():
        pass
    for topic, payload, retained in house.broker.heard[heard:]:
        for panel in panels:
            panel.feed.take(Received(topic, payload, retained))
            _archive(panel, topic, payload)


def _archive(stage: Stage, topic: str, payload: bytes) -> None:
    if topic != stage.topics.of(Entry):
        return
    row = entry_row("jx-a", Entry.model_validate_json(payload))
    with stage.engine.begin() as connection:
        connection.execute(insert(ENTRY).prefix_with("OR IGNORE"), row)
