"""The real edge behind the panel: its windows on the page Policy, a protection that a person sets and lifts again."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

import pytest
from panel_house import house_in, panel_of, pump

ACCOUNT, KEEP, LIFT = "/account/100206", "/protection/keep-power/100206", "/protection/lift-keep-power/100206"


def test_a_protection_goes_to_the_gateway_and_comes_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """R2, R3: two weeks of the gateway's own windows; power kept on is answered, stands on account, grid and page, and
    is gone again when it was lifted; both stand in the story with the person."""
    house = house_in(tmp_path / "house", monkeypatch)
    panel = panel_of(house, tmp_path / "panel")
    clerk = panel.visitor("finance")
    page = clerk.see("/policy")
    assert len(re.findall(r'<p class="d">', page)) == 14 and "cuts possible 09:00–16:00" in page
    assert "At least 30 min with power" in page and "Protected by a person" not in page

    def send(path: str, **typed: str) -> str:
        number = re.search(r'name="transaction" value="([^"]+)"', clerk.get(path).text)
        assert number
        answer = clerk.post(path, path, transaction=number[1], step="send", **typed)
        assert answer.status_code == 303, answer.text
        pump(house, panel)
        return clerk.see(f"/answer/{number[1]}")

    assert "In the book: power is kept on until" in send(KEEP, **{"for": "3", "why": "病人在家"})
    house.run(seconds=60)
    pump(house, panel)
    account = clerk.see(ACCOUNT)
    assert "Nobody cuts this tenant until" in account and "病人在家" in account and "finance-1" in account
    assert 's-keep" id="r-a206"' in clerk.see("/rooms") and "Protected by a person" in clerk.see("/policy")
    assert "Lifted: power is kept on." in send(LIFT, why="好了")
    house.run(seconds=60)
    pump(house, panel)
    after = clerk.see(ACCOUNT)
    assert "Nobody cuts this tenant" not in after
    story = unescape(after[after.index('id="story"') :])
    assert "Protected from a cut-off" in story and "Protection lifted" in story and "finance-1 · 好了" in story
    again = clerk.post(LIFT, "/password", transaction="t" * 12, step="send", why="x")
    assert again.status_code == 422
