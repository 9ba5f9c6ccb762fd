"""What the rules would do to a tenant, and why not yet: on the page Policy, on the grid and on the account's page."""

from __future__ import annotations

import re
from typing import Any

import pytest
from panel_facts import YUAN, at, hold, info, protection, relay
from panel_stage import Stage, Visitor
from panel_tenants import DELIVERED, rows, section, tenants

# --- whom ---


def test_who_is_concerned_stands_with_the_most_urgent_first(stage: Stage) -> None:
    """Cut today, untold, waiting, warned today, protected by a person, not to be cut: in this order, then by time."""
    warned = {"state": "final", "available": 3.18}
    tenants(
        stage, {"can_cut": False}, {"protections": [protection("dispute", 30)]},
        {"zero_at": at(-300), "days_left": 0.2},
        {**warned, **DELIVERED, "protected_until": at(-3970), "cut_at": at(-3970)},
        {**warned, "final_warning_at": at(5), "needs_telling": True, "cut_at": at(-30)},
        {**warned, **DELIVERED, "cut_at": at(-29)}, {**warned, **DELIVERED, "cut_at": at(-20)}, {},
        {"zero_at": at(-3000), "days_left": 2.1},
    )  # fmt: skip
    page = stage.visitor("finance").see("/policy")
    assert rows(page) == [
        ("Will be cut unless paid", "A7"), ("Will be cut unless paid", "A6"), ("Final warning not delivered", "A5"),
        ("Due, and waits", "A4"), ("Will be warned today", "A3"), ("Protected by a person", "A2"),
        ("Cannot be cut", "A1"),
    ]  # fmt: skip
    table = section(page, "What it would do today")
    for words in (
        "Will be cut today at 15:10 unless paid", "final warning delivered 11-20 14:49 by the meter's lamp",
        "No meter here has a lamp: call the tenant, 138 0000 6021, and record it.",
        "Protected until Mon 11-23 at 09:00",
        "Used up today at 19:50", "the bill is disputed until tomorrow at 20:50 (王敏, 11-20 13:50): 病人在家",
        "No meter of this tenant can switch supply off.",
    ):  # fmt: skip
        assert words in table, words


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        (
            {"blocked": "R3", "blocked_why": "the newest reading is too old"},
            "Not cut now (R3): the newest reading is",
        ),
        ({"blocked": "R15"}, "Not cut now (R15): the amount is outside the limits"),
        ({"protected_until": at(-3970)}, "Protected until Mon 11-23 at 09:00, then a fresh read."),
        ({}, "No time of a cut-off is known."),
    ],
)
def test_what_stands_against_a_cut_is_told(stage: Stage, facts: dict[str, Any], words: str) -> None:
    """Why not yet: the window, or the gateway's own cause with its rule."""
    tenants(stage, {"state": "final", "available": -3, **DELIVERED, **facts})
    page = stage.visitor("finance").see("/policy")
    assert rows(page) == [("Due, and waits", "A1")] and words in page


def test_who_is_dark_or_settled_is_not_threatened(stage: Stage) -> None:
    """Who is cut already, or has left, is on no list of who will be cut."""
    tenants(stage, {"state": "cut", "available": -3}, {"state": "final", "cut_at": at(-9), "ended_at": at(9)},
            {"state": "final", "available": -3, "cut_at": at(-9), **DELIVERED})  # fmt: skip
    stage.say(relay("open", holds=[hold("arrears")]), "a1")
    stage.say(relay("open", holds=[hold("lockout")]), "a3")
    page = stage.visitor("finance").see("/policy")
    assert rows(page) == [] and "Nobody is near a cut-off" in page


def test_a_protection_that_ran_out_protects_nobody(stage: Stage) -> None:
    """Past its end the newest fact may still name it; the panel does not."""
    tenants(
        stage, {"state": "final", "available": -3, "cut_at": at(-9), **DELIVERED, "protections": [protection(hours=-1)]}
    )
    visitor = stage.visitor("finance")
    assert rows(visitor.see("/policy")) == [("Will be cut unless paid", "A1")]
    assert "Nobody cuts this tenant" not in visitor.see("/account/acc-a1") and 's-final" id="r-a1"' in visitor.see(
        "/rooms"
    )


def test_a_hold_that_money_does_not_lift_is_told(stage: Stage) -> None:
    """Which hold remains stands beside what will happen."""
    tenants(stage, {"state": "final", "available": -3, "cut_at": at(-9), **DELIVERED})
    stage.say(relay(holds=[hold("contract")]), "a1")
    assert "A hold remains that money does not lift: contract ended." in stage.visitor("finance").see("/policy")


@pytest.mark.parametrize("mode", ["time", "recovery", "version", "identity", "disk", "book"])
def test_a_careful_gateway_is_told_on_top(stage: Stage, mode: str) -> None:
    """I22: in every mode but normal nobody is cut; the page and the rooms say so, and who is due waits."""
    tenants(stage, {"state": "final", "available": 3, "cut_at": at(-9), **DELIVERED})
    stage.say(info(mode=mode, mode_why="no sync since boot"))
    visitor = stage.visitor("finance")
    page = visitor.see("/policy")
    assert "Careful mode: " in page and "no sync since boot" in page and rows(page) == [("Due, and waits", "A1")]
    assert page.index("Careful mode") < page.index("What it would do today")
    assert "Careful mode: " in visitor.see("/rooms")
    for path in ("/policy", "/rooms", "/lines/ports"):
        told = "charging and restoring go on" in visitor.see(path)
        assert told is (mode not in ("time", "disk")), (
            "without a clock no day is closed, without a disk nothing is booked"
        )


def test_the_brake_is_told_on_top(stage: Stage) -> None:
    """R4: after a mass cut a named person decides, and whoever is due waits for that."""
    tenants(stage, {"state": "final", "available": 3, "cut_at": at(-9), **DELIVERED})
    stage.online(brake="5 meters were cut within an hour; a named person must release the brake")
    page = stage.visitor("manager").see("/policy")
    assert "Automatic cuts wait for a person" in page and rows(page) == [("Due, and waits", "A1")]
    assert "The brake has caught: 5 meters were cut" in page


# --- the grid and the account ---


def cell(visitor: Visitor, id: str = "a1") -> str:
    page = visitor.see("/rooms")
    start = page.index(f'id="r-{id}"')
    return page[page.rindex("<a ", 0, start) : page.index("</a>", start)]


@pytest.mark.parametrize(
    ("facts", "state", "corner", "title"),
    [
        ({"cut_at": at(-29), **DELIVERED}, "final", "28:59|29:00", "Will be cut today at 15:19 unless paid"),
        ({"protected_until": at(-3970), **DELIVERED}, "final", "Mon 09:00", "Protected until Mon 11-23 at 09:00"),
        (
            {"final_warning_at": at(2), "needs_telling": True, "cut_at": at(-9)},
            "final",
            "tell the tenant",
            "The cut-off waits until",
        ),
        ({"blocked": "R3", "blocked_why": "x", **DELIVERED}, "final", "not now", r"Not cut now \(R3\): x"),
        ({"protections": [protection(hours=2)]}, "keep", "16:50", "power is kept on until today at 16:50"),
    ],
)
def test_a_room_says_when_or_why_not(stage: Stage, facts: dict[str, Any], state: str, corner: str, title: str) -> None:
    """On the grid: the time left, until when it is protected, that somebody must be told; the sentence is its title."""
    tenants(stage, {"state": "final", "available": 3.18, **facts})
    shown = cell(stage.visitor("finance"))
    assert f's-{state}"' in shown and re.search(rf">({corner})<", shown), shown
    assert re.search(f'title="{title}', shown), shown


def test_next_names_only_who_will_be_cut(stage: Stage) -> None:
    """Beside the totals: who will be cut at which time unless paid; not who is untold, protected or waits."""
    warned = {"state": "final", "available": 3.18, "cut_at": at(-29)}
    tenants(stage, {**warned, **DELIVERED}, {**warned, "final_warning_at": at(2), "needs_telling": True},
            {**warned, **DELIVERED, "protections": [protection()]},
            {**warned, **DELIVERED, "blocked": "R3"})  # fmt: skip
    page = stage.visitor("finance").see("/rooms")
    assert re.findall(r"</b> (\w+) will be cut unless paid", page) == ["A1"]


@pytest.mark.parametrize(
    ("facts", "title", "words"),
    [
        ({"final_warning_at": at(2), "needs_telling": True, "cut_at": at(-9)},
         "The final warning has reached nobody yet: the cut-off waits", "call the tenant, 138 0000 6021"),
        ({"final_warning_at": at(2), "cut_at": at(-29)}, "Will be cut today at 15:19 unless paid",
         "lamp is asked again"),
        ({**DELIVERED, "delivered_by": "person", "cut_at": at(-29)}, "Will be cut today",
         "by a person who told the tenant"),
        ({"final_warning_at": at(2), "needs_telling": True, "protected_until": at(-3970)},
         "Protected until Mon 11-23 at 09:00", "tell the tenant|call the tenant"),
        ({"final_warning_at": at(2), "blocked": "R1", "blocked_why": "no final warning of this arrears episode"},
         "Final warning; the cut-off waits until it has been delivered", "not delivered yet"),
        ({"protections": [protection()], "cut_at": at(-9)}, "Nobody cuts this tenant until Mon 11-23 at 14:50",
         "power is kept on until .* 病人在家.*begin anew"),
    ],
)  # fmt: skip
def test_the_account_says_how_the_warning_stands(stage: Stage, facts: dict[str, Any], title: str, words: str) -> None:
    """Delivered and by what, or not yet and what to do about it; a protection before everything else."""
    tenants(stage, {"state": "final", "available": 3.18, **facts})
    page = stage.visitor("finance").see("/account-now/acc-a1")
    banner = page[page.index('class="banner') :]
    assert title in banner and re.search(words, banner), banner


def test_the_story_tells_of_a_notice_with_its_number(shop: Stage) -> None:
    """What delivered the warning, by which program, with the number that the channel gave."""
    shop.entry("final/1", {"account": "100206", "episode": 1, "available_nano": 3 * YUAN})
    shop.entry("delivered/1", {"account": "100206", "episode": 1, "channel": "notice", "how": "notice", "who": "SMS",
                               "role": "notices", "reference": "SMS-7714"})  # fmt: skip
    page = shop.visitor("finance").see("/account/100206")
    assert page.count("a notice that its channel accepted") == 2, "in the story, and among the entries"
    assert "by a notice that its channel accepted · SMS, number SMS-7714" in page


def test_the_story_tells_who_told_the_tenant_and_who_protected(shop: Stage) -> None:
    """Warnings and delivery: told by a person by phone; kept on by whom, why, until when; lifted."""
    told = {"account": "100206", "episode": 1, "channel": "person", "how": "phone", "who": "王敏", "why": "跟店长说了"}
    shop.entry("final/1", {"account": "100206", "episode": 1, "available_nano": 3 * YUAN})
    shop.entry("delivered/1", told)
    kept = {
        "account": "100206",
        "protection": "keep-power",
        "set": True,
        "why": "病人在家",
        "until": at(-600),
        "who": "王敏",
    }
    shop.entry("protection/1", kept)
    shop.entry("protection/1", kept | {"set": False, "why": "好了", "until": None})
    page = shop.visitor("finance").see("/account/100206")
    story = page[page.index('id="story"') :]
    assert "王敏 by phone 14:50:12" in story
    assert "Protected from a cut-off" in story and "power is kept on · until 11-21 00:50 · 王敏 · 病人在家" in story
    assert "Protection lifted" in story and "power is kept on · 王敏 · 好了" in story
    assert "by a person who told the tenant · 王敏 by phone · 跟店长说了" in page
