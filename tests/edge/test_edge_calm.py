"""What is passed over because nothing can follow from it changes nothing: the same frames, the same entries."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from edge.calm import Calm
from edge.relays import Relays
from edge.restless import Restless
from tests.edge.building import Building

ROOM, ACCOUNT, RICH = "a206", "100206", "a207"


def lived(directory: Path) -> tuple[list[tuple[datetime, bytes]], list[tuple[int, str, dict[str, Any]]]]:
    """Every frame and entry of half a day: low, warned, cut, paid, low again; beside a tenant with money."""
    directory.mkdir()
    building = Building(directory, meters={ROOM, RICH}, poll_s=60, idle_s=5)
    building.ports["line-2"].wire.keep_sent = True
    building.connect()
    building.run_until(lambda: building.of("relay/1", observed="open"), hours=6)
    building.run(minutes=20)
    building.topup(ACCOUNT, 30_00)
    building.run(hours=6)
    entries = [(e.at, e.kind, e.fields) for e in building.entries() if e.kind not in ("genesis/1", "topup/1")]
    assert building.of("trip/1") and building.of("close/1") and len(building.of("final/1")) == 2
    return building.ports["line-2"].wire.sent, entries


def test_what_is_passed_over_would_have_brought_nothing(tmp_path: Path, monkeypatch: Any) -> None:
    """A gateway that looks at every account and relay each time asks, orders and writes exactly the same."""
    sparing = lived(tmp_path / "sparing")
    monkeypatch.setattr(Calm, "holds", lambda self, account, load_w: False)
    monkeypatch.setattr(Calm, "well_off", lambda self, account, available_nano, load_nano: False)
    monkeypatch.setattr(Restless, "_settled", lambda self, meter, open_hours: False)
    monkeypatch.setattr(Relays, "restless", lambda self, meter: True)
    assert lived(tmp_path / "thorough") == sparing


def test_a_calm_account_is_looked_at_when_something_changes(tmp_path: Path) -> None:
    """Another reading, an entry, more load than the money bears, other terms, a calendar set back, a day later: each
    by itself ends the calm."""
    building = Building(tmp_path, meters={RICH}, poll_s=60, idle_s=5)
    building.connect()
    building.run(minutes=10)
    core, clock = building.edge.core, building.clock
    calm, account, live = building.edge.accounts._calm, core.state.accounts["100207"], core.lives[RICH]
    sample, terms = live.sample, core.terms
    assert sample is not None and calm.holds(account, 1000)
    assert not calm.holds(account, 10**7)
    live.sample = replace(sample, registers_wh={**sample.registers_wh, "total": sample.registers_wh["total"] + 10})
    assert not calm.holds(account, 1000)
    live.sample, core.terms = sample, replace(terms, cut_limit_nano=10**12)
    assert not calm.holds(account, 1000)
    core.terms = terms
    assert calm.holds(account, 1000)
    clock.step_calendar(-3600)
    assert not calm.holds(account, 1000)
    clock.step_calendar(3600 + 25 * 3600)
    assert not calm.holds(account, 1000)
    clock.step_calendar(-25 * 3600)
    assert calm.holds(account, 1000)
    core.append(("alarm/1", core.own_id("alarm"), {"meter": RICH, "alarm": "test", "text": "something was written"}))
    assert not calm.holds(account, 1000)
