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


@pytest.mark.parametrize(("act", "words", "never"), [
    ("keep-power", "In the book: water is kept on until", "In the book: power"),
    ("lift-keep-power", "Lifted: water is kept on.", "Lifted: power"),
])  # fmt: skip
def test_the_answer_speaks_of_water(bath: Stage, act: str, words: str, never: str) -> None:
    """What came of it is told of water as well, on the card and in its title; nobody reads of power."""
    bath.say(standing(protections=[protection()]), "100900")
    manager, path = bath.visitor("manager"), f"/protection/{act}/100900"
    answer = manager.post(path, path, transaction="k" * 16, step="send", **{"for": "1", "why": "x"})
    assert answer.status_code == 303
    operation = "unprotect" if act.startswith("lift") else "protect"
    bath.answer(operation, "k" * 16, "done", data={"until": at(-90)} if operation == "protect" else {})
    card = manager.see("/answer/" + "k" * 16)
    assert words in card and never not in card and "cut-off" not in card
    if operation == "protect":
        assert "保护不停水" in bath.visitor("manager", "zh").see("/answer/" + "k" * 16)


def test_the_book_and_the_grid_speak_of_water(bath: Stage) -> None:
    """The row of the protection, the banner and the room say that water is kept on; an electric room keeps power."""
    bath.say(standing(protections=[protection()]), "100900")
    body = {"account": "100900", "protection": "keep-power", "set": True, "why": "x", "who": "王敏", "until": at(-90)}
    bath.entry("protection/1", body)
    bath.entry("trip/1", {"account": "100900", "meter": "w1", "cause": "arrears", "valve": "close"})
    page = main_of(bath.visitor("finance"), ACCOUNT)
    assert "Protected from a shut-off" in page and "Nobody shuts off this tenant's water until" in page
    entries = page[page.index('id="entries"') :]
    assert "water is kept on" in entries and "power is kept on" not in page
    assert "Closing of the valve ordered" in entries and "Cut-off ordered" not in entries
    zh = bath.visitor("manager", "zh")
    assert "保水" in zh.see("/rooms") and "已保护不停水" in main_of(zh, ACCOUNT)
    assert re.search(r'id="r-w1".*?保水', zh.see("/rooms"), re.S)


def test_no_transformer_is_offered_to_a_water_meter(bath: Stage) -> None:
    """Water runs through none: the multiplier is not offered, and its form is not there; replacing is."""
    engineer = bath.visitor("engineer")
    page = main_of(engineer, "/meter/w1")
    assert "Replace the meter…" in page and "multiplier…" not in page and "transformer" not in page
    assert engineer.get("/meter/w1/multiplier").status_code == 404
    assert engineer.get("/meter/w1/replace").status_code == 200
