"""Paying for water is told in water's words, on the banner, in the preview and on the button."""

from __future__ import annotations

import re
from typing import Any

import pytest
from panel_facts import at, available, hold, standing, tenant
from panel_stage import Stage, install
from test_panel_valve import ELECTRIC, valve, water

from bridge.contract.messages import MeterFacts

PATH = "/account/100206"
WARNED: dict[str, Any] = {
    "state": "final",
    "cut_at": at(-30),
    "delivered_at": at(1),
    "zero_at": at(-30),
    "load_w": None,
}


@pytest.fixture
def tap(stage: Stage) -> Stage:
    """A tenant who pays for water alone."""
    row = tenant("100206", "味之源", "W101", ["w1"])
    install(stage, [water(account="100206")], [row])
    stage.online()
    stage.say(MeterFacts(read_at=at(0.1), quality="good", volume_l=123_450, valve="open", battery_low=False), "w1")
    stage.say(valve(), "w1")
    stage.say(available(), "w1")
    return stage


def cut(stage: Stage) -> None:
    stage.say(standing("cut", -1.0), "100206")
    stage.say(valve(desired="closed", observed="closed", holds=[hold("arrears")]), "w1")


def test_a_cut_is_told_as_water(tap: Stage) -> None:
    """Shut off since when, what brings it back, and the amount on the button."""
    cut(tap)
    page = tap.visitor("finance").see(PATH)
    assert "Water shut off since" in page and "and the valve opens by itself within 10 minutes" in page
    assert "2.01: water returns" in page


def test_a_payment_says_what_it_does_to_water(tap: Stage) -> None:
    """Enough opens the valve, too little does not, and what comes in time calls the shut-off off."""
    visitor = tap.visitor("finance")
    cut(tap)
    assert "The valve opens within 10 minutes." in visitor.see("/account-preview/100206?amount=50")
    assert "Water stays off: the balance must rise above" in visitor.see("/account-preview/100206?amount=1")
    tap.say(standing(**(WARNED | {"available": 0.5})), "100206")
    tap.say(valve(), "w1")
    assert "shut-off; water keeps running." in visitor.see("/account-preview/100206?amount=50")
    tap.say(standing(), "100206")
    assert "Raises the balance; water keeps running." in visitor.see("/account-preview/100206?amount=50")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_no_word_of_electricity_is_said(tap: Stage, language: str) -> None:
    """Banner and preview, warned and cut, in both languages."""
    visitor = tap.visitor("finance", language=language)
    shown = ""
    tap.say(standing(**WARNED), "100206")
    shown += visitor.see("/account-now/100206") + visitor.see("/account-preview/100206?amount=50")
    cut(tap)
    shown += visitor.see("/account-now/100206") + visitor.see("/account-preview/100206?amount=50")
    banners = re.findall(r'<div class="banner.*?</div>|<p class="says.*?</p>', shown, flags=re.S)
    text = re.sub(r"<[^>]*>", " ", " ".join(banners))
    assert len(banners) == 4
    assert [word for word in (*ELECTRIC[language], "upply", "kW", "来电", "用电", "复电") if word in text] == []
