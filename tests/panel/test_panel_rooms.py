"""The grid of rooms: one state for each, found by anything a person knows, cheap to refresh."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from panel_facts import available, hold, reading, relay, row, standing, tenant
from panel_stage import Stage, install, one_shop

from bridge.contract.messages import Account, Accounts, Meters
from bridge.contract.units import instant_text
from panel.states import PRIORITY


def dress(stage: Stage, account: dict[str, Any], facts: dict[str, Any], switch: dict[str, Any], seen: str) -> str:
    """Put one room on the stage and return the state its cell shows."""
    install(stage, [row("a1", "A1", "acc")], [tenant("acc", "张三", "A1", ["a1"])])
    stage.online()
    stage.say(standing(**account), "acc")
    stage.say(reading(**facts), "a1")
    stage.say(relay(**switch), "a1")
    stage.say(available(seen), "a1")
    found = re.search(r'class="room s-(\w+)" id="r-a1"', stage.visitor("manager").get("/rooms").text)
    assert found
    return found[1]


CUT = {"observed": "open", "holds": [hold("arrears")]}
LOCKED = {"observed": "open", "holds": [hold("lockout")]}


@pytest.mark.parametrize(
    ("account", "facts", "switch", "seen", "state"),
    [
        ({}, {}, {}, "online", "on"),
        ({"state": "low1"}, {}, {}, "online", "w1"),
        ({"state": "low3"}, {}, {}, "online", "w3"),
        ({"state": "final"}, {}, {}, "online", "final"),
        ({"state": "cut", "available": -1}, {}, CUT, "online", "cut"),
        ({"state": "low3"}, {}, {"keep_power": True}, "online", "keep"),
        ({"state": "keep"}, {"minutes_ago": 16}, {}, "online", "stale"),
        ({"state": "low3"}, {"minutes_ago": 16}, {}, "offline", "off"),
        ({"state": "held"}, {"minutes_ago": 16}, LOCKED, "offline", "held"),
        ({"state": "final"}, {}, LOCKED, "online", "held"),
        ({"state": "final"}, {}, LOCKED | {"observed": "closed"}, "offline", "final"),
        ({"state": "final"}, {}, {"observed": "open", "desired": "closed"}, "online", "cut"),
        ({"state": "cut"}, {"minutes_ago": 16}, CUT, "offline", "cut"),
        ({}, {"minutes_ago": 14.9}, {}, "online", "on"),
    ],
)
def test_a_room_shows_the_first_state_that_applies(
    stage: Stage, account: dict[str, Any], facts: dict[str, Any], switch: dict[str, Any], seen: str, state: str
) -> None:
    """Cut, final, held, off line, stale, keep, low 3 2 1, vacant, on: the first one that is true.

    A room that is dark already is shown as dark, not as warned of being cut.
    """
    assert dress(stage, account, facts, switch, seen) == state


def test_a_room_without_a_tenant_is_vacant_and_one_never_read_is_stale(stage: Stage) -> None:
    """No account means vacant; a meter that was never read is told as such and not as healthy."""
    install(stage, [row("a1", "A1"), row("a2", "A2"), row("a3", "A3", relay="none")], [])
    stage.online()
    stage.say(reading(), "a1")
    stage.say(reading(), "a3")
    page = stage.visitor("manager").see("/rooms")
    assert 's-none" id="r-a1"' in page and 's-stale" id="r-a2"' in page and "never" in page
    assert 's-none" id="r-a3"' in page, "a meter without a relay just shows"


def test_every_state_has_a_word_an_icon_and_a_colour(stage: Stage) -> None:
    """A state is never told by colour alone."""
    visitor = stage.visitor("manager")
    sprite = visitor.get("/rooms").text
    css = (stage.app.static_folder or "") + "/riser.css"
    with open(css, encoding="utf-8") as file:
        style = file.read()
    for state in PRIORITY:
        assert f'<symbol id="i-{state}"' in sprite, state
        assert f".s-{state}{{" in style, state


def test_floors_stand_as_in_the_building(stage: Stage) -> None:
    """The highest floor is on top, cellars at the bottom, room 2 before room 10."""
    rooms = [("B1", "10"), ("10F", "1"), ("2F", "10"), ("2F", "2"), ("1F", "1")]
    install(stage, [row(f"m{n}", room, floor=floor) for n, (floor, room) in enumerate(rooms)], [])
    page = stage.visitor("manager").get("/rooms").text
    assert re.findall(r'aria-label="(\w+)"><h2>', page) == ["10F", "2F", "1F", "B1"]
    assert page.index('id="r-m3"') < page.index('id="r-m2"')


def test_what_comes_next_on_another_day_names_the_day(shop: Stage) -> None:
    """On Friday evening cuts are possible again on Monday at nine; a bare 09:00 would be read as tomorrow."""
    monday = instant_text(datetime(2026, 11, 23, 1, 0, tzinfo=UTC))
    shop.online(cut_window_open=False, cut_window_next=monday)
    assert "<b>Mon 09:00</b> cuts possible" in shop.visitor("manager").get("/rooms").text


@pytest.mark.parametrize("text", ["a206", "味之源", "1380000", "138 0000", "202603100206", "100206"])
def test_a_room_is_found_by_anything_a_person_knows(shop: Stage, text: str) -> None:
    """Room, name, phone with or without spaces, meter number, account."""
    visitor = shop.visitor("finance")
    assert 'id="r-a206"' in visitor.get("/rooms-grid", query_string={"q": text}).text
    answer = visitor.get("/rooms", query_string={"q": text, "enter": "1"})
    assert answer.headers["Location"] == "account/100206", "Enter on a single match opens it"


def test_a_search_lives_in_the_address(shop: Stage) -> None:
    """What was typed into the search stands in the address, so that a reload or a bookmark keeps it."""
    visitor = shop.visitor("finance")
    typed = visitor.get("/rooms-grid?q=A2&state=final", headers={"HX-Trigger-Name": "q", "HX-Request": "true"})
    assert typed.headers["HX-Replace-Url"] == "rooms?state=final&q=A2"
    assert 'value="A2"' in visitor.see("/rooms?state=final&q=A2")


def test_nothing_found_is_said_in_words(shop: Stage) -> None:
    """A search without a match says what was looked for, and escapes it."""
    page = shop.visitor("finance").get("/rooms", query_string={"q": "<b>A26"}).text
    assert "No room, name, phone or meter “&lt;b&gt;A26”." in page


def test_chips_count_and_keep_their_state_in_the_address(shop: Stage) -> None:
    """A chip counts its rooms, filters by its address, and an unknown state shows all."""
    visitor = shop.visitor("finance")
    page = visitor.see("/rooms")
    assert re.search(r'href="rooms\?state=final".*?Final warning <b>1</b>', page)
    assert 'id="r-a206"' in visitor.see("/rooms?state=final")
    assert 'id="r-a206"' not in visitor.see("/rooms?state=cut") and "No room is in this state" in visitor.see(
        "/rooms?state=cut"
    )
    assert 'id="r-a206"' in visitor.see("/rooms?state=nonsense")


def test_a_grid_that_did_not_change_costs_nothing(shop: Stage) -> None:
    """The same grid is answered 304 without a body; a new fact gives a new one."""
    visitor = shop.visitor("finance")
    first = visitor.get("/rooms-grid")
    etag = first.headers["ETag"]
    again = visitor.get("/rooms-grid", headers={"If-None-Match": etag})
    assert again.status_code == 304 and again.data == b""
    shop.say(standing("on", 500), "100206")
    changed = visitor.get("/rooms-grid", headers={"If-None-Match": etag})
    assert changed.status_code == 200 and "500.00" in changed.text


def test_the_grid_is_one_language_for_each_reader(shop: Stage) -> None:
    """Cached bytes of one language are not shown to a reader of the other."""
    english, chinese = shop.visitor("finance"), shop.visitor("manager", language="zh")
    assert "Final warning" in english.see("/rooms-grid") and "最终预警" in chinese.see("/rooms-grid")
    assert "Final warning" not in chinese.see("/rooms-grid")


def test_totals_add_up_what_was_published(shop: Stage) -> None:
    """Power and use count the multiplier; arrears and prepaid are the accounts' own balances."""
    install(
        shop,
        [row("a206", "A206", "100206"), row("a207", "A207", "100207", multiplier=40)],
        [tenant("100206", "甲", "A206", ["a206"]), tenant("100207", "乙", "A207", ["a207"])],
    )
    shop.say(reading(power_w=1000, energy_today_wh=2000), "a206")
    shop.say(reading(power_w=100, energy_today_wh=50), "a207")
    shop.say(standing("cut", -12.06), "100207")
    shop.entry("topup/1", {"account": "100206"}, amount_nano=200 * 10**9)
    page = shop.visitor("manager").see("/rooms")
    assert "5.00 <small>kW" in page and "4.00 <small>kWh" in page
    assert "In arrears: 1" in page and "−12.06 <small>yuan" in page and "3.18 <small>yuan" in page
    assert "Top-ups today: 1" in page and "200.00 <small>yuan" in page


def test_a_hostile_name_is_shown_as_its_letters(stage: Stage) -> None:
    """A meter, a tenant, an event or a reason named <script> is text on every page."""
    evil = "<script>alert(1)</script>"
    one_shop(stage)
    install(
        stage, [row("a206", "A206", "100206", name=evil, shaft=evil[:20])], [tenant("100206", evil, "A206", ["a206"])]
    )
    stage.say(relay(why=evil, holds=[hold("manual", evil, evil)]), "a206")
    stage.entry("level/1", {"account": "100206", "level": 1, "threshold_nano": 1})
    stage.entry("alarm/1", {"meter": "a206", "alarm": "x", "text": evil})
    visitor = stage.visitor("manager")
    for path in ("/rooms", "/account/100206", "/meter/a206", "/meter/a206?ask=trip", "/account-now/100206"):
        page = visitor.get(path).text
        assert "<script>alert" not in page and "&lt;script&gt;" in page, path


def test_what_the_gateway_removed_disappears(shop: Stage) -> None:
    """An empty retained payload takes a fact away; a fact not announced again after a reconnect goes as well."""
    shop.clear(Account, "100206")
    assert shop.mirror.view().get(Account, "100206") is None
    shop.lose()
    assert shop.mirror.view().accounts, "while away, the last known is shown"
    shop.return_()
    shop.say(Meters(meters=[row("b1", "B1")]))
    shop.online()
    shop.clock.advance(4)
    view = shop.mirror.view()
    assert view.get(Accounts) is None and set(view.meters) == {"b1"}


def test_a_message_that_does_not_fit_leaves_the_last_good_one(shop: Stage) -> None:
    """A message of another version is counted, told on the lines page, and breaks nothing."""
    from bridge.mqtt import Received

    shop.feed.take(Received("riser/jx-a/account/100206", b'{"balance": "much"}', True))
    visitor = shop.visitor("manager")
    assert "3.18" in visitor.see("/rooms")
    assert "1 message does not fit" in visitor.see("/lines/ports")


def test_the_brake_is_told_above_the_grid(shop: Stage) -> None:
    """When mass cuts wait for a person, the first page says so and leads there (R4)."""
    shop.online(brake="7 accounts would be cut at once")
    page = shop.visitor("manager").see("/rooms")
    assert "Automatic cuts wait for a person" in page and "7 accounts would be cut at once" in page
