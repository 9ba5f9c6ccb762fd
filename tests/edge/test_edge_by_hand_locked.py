"""R5: what the gateway has locked for work is not switched on by `riser meter` either, while no gateway runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edge.audit import beside
from edge.audit.lie import Lie, Report
from edge.registry import Registry
from tests.edge.test_edge_by_hand import OTHER, OURS, Bench
from tests.edge.wires import ROOM, Watched

SINCE = "2026-11-20T01:50:00.000+00:00"
"""As the registry keeps it; in Shanghai it is ten to ten."""


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Bench:
    return Bench(monkeypatch)


def told(directory: Path) -> dict[str, dict[str, object]]:
    found: dict[str, dict[str, object]] = json.loads((directory / "registry.json").read_text())["locks"]
    return found


def test_r5_a_lock_stands_beside_the_book_and_goes_with_it(tmp_path: Path) -> None:
    """The registry tells of it as long as it stands, and `riser verify` compares it."""
    building = Watched(tmp_path)
    registry = building.edge.publisher._registry = Registry(tmp_path)
    building.run(minutes=3)
    building.request("lock", who="李强", role="engineer", meter=ROOM, why="new breaker")
    (lock,) = told(tmp_path).values()
    state = building.edge.core.state
    assert (lock["meter"], lock["address"], lock["by"]) == (ROOM, state.meters[ROOM].row["address"], "李强")
    tables = json.loads((tmp_path / "registry.json").read_text())
    beside.compare(state, Report("x"), {}, tables, beside.TRIGGERS)
    with pytest.raises(Lie):
        beside.compare(state, Report("x"), {}, {**tables, "locks": {}}, beside.TRIGGERS)
    building.request("unlock", who="李强", role="engineer", meter=ROOM, why="done")
    assert told(tmp_path) == {} and registry.seq() == state.installed_seq


@pytest.mark.parametrize("command", ["on", "close", "permit"])
def test_r5_nobody_switches_on_by_hand_what_is_locked(bench: Bench, tmp_path: Path, command: str) -> None:
    """Not a byte leaves, and it is said whose lock it is; off may be ordered, and another meter switched on."""
    lock = {"meter": "a206", "address": OURS, "circuit": None, "by": "李强", "since": SINCE, "why": "cable"}
    (tmp_path / "registry.json").write_text(json.dumps({"locks": {"1": lock}}), encoding="utf-8")
    assert bench.run(command, "--yes", "--data", str(tmp_path)) == 2
    assert "locked for work by 李强 since 2026-11-20 09:50: cable" in bench.said[-1] and bench.sent == []
    assert bench.run("off", "--yes", "--data", str(tmp_path)) == 0 and bench.meter.relay.open
    lock["address"] = OTHER
    (tmp_path / "registry.json").write_text(json.dumps({"locks": {"1": lock}}), encoding="utf-8")
    bench.unseen = [*bench.unseen, "481516"]
    assert bench.run(command, "--yes", "--data", str(tmp_path)) == 0


@pytest.mark.parametrize("text", ["", "[]", "{", '{"locks": {"1": 7}}', '{"meters": {}}'])
def test_a_registry_that_cannot_be_read_locks_nothing(bench: Bench, tmp_path: Path, text: str) -> None:
    """It is only a copy: an electrician is not kept from working by a damaged file."""
    (tmp_path / "registry.json").write_text(text, encoding="utf-8")
    assert bench.run("on", "--yes", "--data", str(tmp_path)) == 0
