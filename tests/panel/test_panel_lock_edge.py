"""The real edge behind the panel: a meter is locked, read back, refused to others, and unlocked in somebody's place."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from panel_house import house_in, panel_of, pump
from panel_stage import Visitor

METER, LOCK = "/meter/a206", "/meter/a206/lock"


def test_a_lock_goes_to_the_gateway_and_comes_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """R5: locked by the engineer and read back dark; the clerk reads why; the manager unlocks it in the engineer's
    place, supply is back and read back, and both names stand in the meter's events."""
    house = house_in(tmp_path / "house", monkeypatch)
    panel = panel_of(house, tmp_path / "panel")
    engineer, manager, clerk = (panel.visitor(role) for role in ("engineer", "manager", "finance"))

    def send(visitor: Visitor, **typed: str) -> str:
        number = re.search(r'name="transaction" value="([^"]+)"', visitor.get(LOCK).text)
        assert number
        answer = visitor.post(LOCK, LOCK, transaction=number[1], room="A206", **typed)
        assert answer.status_code == 303, answer.text
        pump(house, panel)
        house.run(seconds=60)
        pump(house, panel)
        return visitor.see(f"/answer/{number[1]}")

    assert "Locked. The relay is open, read back." in send(engineer, do="lock", how="off", why="换断路器")
    account = clerk.see("/account/100206")
    assert "engineer-1" in account and "换断路器" in account and "Nothing switches it on" in account
    assert "locked for work by engineer-1" in clerk.see("/policy")
    assert "Unlocked, and read back." in send(manager, do="unlock", why="他回家了", sure="engineer-1")
    page = manager.see(METER)
    assert "manager-1 · in place of engineer-1 · 他回家了" in page and "locked for work by" not in page
    assert not house.sim_meter("a206").relay.open
