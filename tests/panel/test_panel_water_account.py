"""An account that has water alone reads of water: what was used, what is kept on, what is done to its meter."""

from __future__ import annotations

import re

import pytest
from panel_facts import at, available, protection, standing, tenant
from panel_stage import Stage, install, one_shop
from test_panel_valve import main_of, valve, water

from bridge.contract.messages import MeterFacts

ACCOUNT = "/account/100900"


@pytest.fixture
def bath(stage: Stage) -> Stage:
    """A bath house with a water meter and no other; nothing was used today yet."""
    install(stage, [water(account="100900")], [tenant("100900", "浴池", "W101", ["w1"])])
    stage.online()
    stage.say(MeterFacts(read_at=at(0.1), quality="good", volume_l=123_450, valve="open", battery_low=False), "w1")
    stage.say(valve(), "w1")
    stage.say(available(), "w1")
    stage.say(standing(provisional_wh=0, provisional_l=0), "100900")
    return stage


def test_its_use_is_told_in_cubic_metres(bath: Stage) -> None:
    """0.000 m³ where an electric account has 0.00 kWh; its list of entries has a column of m³."""
    page = main_of(bath.visitor("finance"), ACCOUNT)
    figures = page[page.index('id="figures"') : page.index('id="beside"')]
    assert "0.000 m³, posts at midnight" in figures and "kWh" not in figures
    bath.entry("level/1", {"account": "100900", "level": 1, "threshold_nano": 1})
    heads = re.findall(r'<span class="n opt">([^<]+)</span>', main_of(bath.visitor("finance"), ACCOUNT))
    assert "m³" in heads and "kWh" not in heads


def test_water_is_kept_on_and_not_power(bath: Stage) -> None:
    """The button, the form, the look and what stands speak of water; an electric account is asked as ever."""
    bath.say(standing(protections=[protection()]), "100900")
    manager = bath.visitor("manager")
    page = main_of(manager, ACCOUNT)
    assert "Keep water on…" in page and "Keep power on" not in page and "water is kept on until" in page
    form = main_of(manager, "/protection/keep-power/100900")
    assert "Keep water on" in form and "shuts off this tenant" in form and "Keep power" not in form
    looked = manager.post(
        "/protection/keep-power/100900", "/protection/keep-power/100900", step="look", **{"for": "1", "why": "x"}
    ).text
    assert "Keep water on" in looked and "Keep power" not in looked
    assert "No longer keep water on" in main_of(manager, "/protection/lift-keep-power/100900")
    assert "保水…" in main_of(bath.visitor("manager", "zh"), ACCOUNT)
    one_shop(bath)
    assert "Keep power on…" in main_of(manager, "/account/100206")


def test_no_transformer_is_offered_to_a_water_meter(bath: Stage) -> None:
    """Water runs through none: the multiplier is not offered, and its form is not there; replacing is."""
    engineer = bath.visitor("engineer")
    page = main_of(engineer, "/meter/w1")
    assert "Replace the meter…" in page and "multiplier…" not in page and "transformer" not in page
    assert engineer.get("/meter/w1/multiplier").status_code == 404
    assert engineer.get("/meter/w1/replace").status_code == 200
