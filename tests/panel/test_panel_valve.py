"""A water meter with a valve is spoken of as that on every page, and a box's meters by their circuit."""

from __future__ import annotations

import re
from typing import Any

import pytest
from panel_facts import NOW, at, available, hold, info, port_statistics, reading, relay, row, standing, tenant
from panel_stage import Stage, Visitor, install

from bridge.contract.messages import MeterEvent, MeterFacts, MeterRow, Valve

METER = "/meter/w1"


def water(**more: Any) -> MeterRow:
    words: dict[str, Any] = {
        "model": "cjt188-water-valve", "model_name": "CJ/T 188", "protocol": "cjt188", "switch": "valve",
        "quantities": {"volume_l": "L", "battery_low": ""},
    }  # fmt: skip
    return row("w1", "W101", **(words | more))


def valve(desired: str = "open", observed: str = "open", **more: Any) -> Valve:
    words: dict[str, Any] = {
        "desired": desired, "observed": observed, "observed_at": at(0.1), "observed_since": at(100), "holds": [],
        "why": "nothing holds it", "following": True,
    }  # fmt: skip
    return Valve.model_validate(words | more)


HELD: dict[str, Any] = {"holds": [hold("manual", "W")]}


@pytest.fixture
def tap(stage: Stage) -> Stage:
    """One water meter, its valve open, read a moment ago."""
    install(stage, [water()], [])
    stage.online()
    stage.say(port_statistics(), "a1")
    stage.say(MeterFacts(read_at=at(0.1), quality="good", volume_l=123_450, valve="open", battery_low=False), "w1")
    stage.say(valve(), "w1")
    stage.say(available(), "w1")
    return stage


def main_of(visitor: Visitor, path: str) -> str:
    page = visitor.see(path)
    return page[page.index('<main id="main">') :]


ELECTRIC = {"zh": ("电表", "合闸", "跳闸", "继电器", "断电", "送电", "停电", "功率", "电量示值", "空置"),
            "en": ("relay", "Relay", "Trip", "Power", "Cut off", "Vacant", "lights")}  # fmt: skip


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("ask", ["", "?ask=off", "?ask=on"])
@pytest.mark.parametrize("observed", ["open", "closed", "fault", "unknown"])
def test_nothing_is_said_of_it_that_means_electricity(tap: Stage, language: str, ask: str, observed: str) -> None:
    """Page, dialogs, states, events and the newest orders, in both languages and however the valve stands."""
    tap.say(valve(observed=observed, following=observed != "closed", step="done"), "w1")
    tap.entry("trip/1", {"meter": "w1", "cause": "manual", "valve": "close"})
    tap.entry("close/1", {"meter": "w1", "cause": "manual lifted by 李强: W", "valve": "open"})
    for stands in ("open", "closed", "unknown"):
        tap.entry("relay/1", {"meter": "w1", "observed": stands, "why": "as ordered"})
    for alarm in ("relay-moved", "not-following"):
        text = "the valve was found closed and nobody here had ordered it"
        tap.entry("alarm/1", {"meter": "w1", "alarm": alarm, "text": text})
    text = "the order to close the valve is about to leave (manual)"
    tap.say(MeterEvent(at=at(0.1), kind="trip", text=text, seq=99), "w1")
    tap.say(MeterEvent(at=at(0.1), kind="relay-moved", text="valve read back closed (as ordered)", seq=100), "w1")
    page = main_of(tap.visitor("manager", language=language), METER + ask)
    shown = re.sub(r"<[^>]*>", " ", page)
    assert [word for word in ELECTRIC[language] if word in shown] == []
    assert 'id="chart"' not in page and "123.450" in page
    words = (
        ("开阀…", "关阀…", "已下令关阀", "水量示值") if language == "zh" else ("Open the valve…", "Close the valve…")
    )
    assert all(word in page for word in words)


def test_the_grid_tells_water_and_not_power(tap: Stage) -> None:
    """The floor of a water meter has no kW; the room says that water flows, and how much has."""
    page = main_of(tap.visitor("manager", language="zh"), "/rooms")
    assert "供水" in page and "123.450 m³" in page and "空置" not in page
    floor = page[page.index('class="floor') :]
    assert "kW" not in floor and 'href="#i-water"' in floor
    tap.say(valve("closed", "closed", **HELD), "w1")
    assert "停水" in main_of(tap.visitor("manager", language="zh"), "/rooms")


@pytest.mark.parametrize(
    ("stands", "sign", "words"),
    [
        (valve(), "＝", "open"),
        (valve("closed", "open", moving="closing", step="done", **HELD), "→", "closing"),
        (valve("open", "closed", moving="opening", step="sent"), "→", "opening"),
        (valve("open", "unknown"), "…", "unknown"),
        (valve("open", "fault"), "≠", "fault"),
        (valve("closed", "open", following=False, **HELD), "≠", "open"),
    ],
)
def test_what_differs_is_told_from_what_is_on_its_way(tap: Stage, stands: Valve, sign: str, words: str) -> None:
    """Red only when its time is over or it says that it is broken; never while it turns or nobody knows."""
    tap.say(stands, "w1")
    page = main_of(tap.visitor("engineer"), METER)
    card = page[page.index('class="relay"') :]
    assert sign in card[:700] and ("eq not" in card) == (sign == "≠")
    assert f"<b>{words}</b>" in card
    assert ("has not arrived in its time" in card) == (not stands.following)


def test_a_relay_nobody_has_looked_at_yet_differs_from_nothing(shop: Stage) -> None:
    """Before the first look there is no red sign."""
    shop.say(relay("unknown", desired="closed", why="the status word was not read yet"), "a206")
    page = main_of(shop.visitor("engineer"), "/meter/a206")
    assert "≠" not in page and "nobody knows yet" in page
    shop.say(relay("open", desired="closed"), "a206")
    assert "≠" in main_of(shop.visitor("engineer"), "/meter/a206")


def form_of(visitor: Visitor, operation: str) -> dict[str, str]:
    page = visitor.see(f"{METER}?ask={operation}")
    found = re.search(r'<dialog.*?name="transaction" value="([^"]+)".*?name="do" value="(\w+)"', page, re.S)
    assert found and found[2] == operation
    return {"transaction": found[1], "do": operation, "room": "W101", "why": "a leak"}


@pytest.mark.parametrize(("operation", "done"), [("off", "The valve is closed"), ("on", "The valve is open")])
def test_it_is_asked_for_by_off_and_on(tap: Stage, operation: str, done: str) -> None:
    """The dialog sends the word that cannot be mistaken; its answer is shown as it comes, in a valve's words."""
    visitor = tap.visitor("engineer")
    form = form_of(visitor, operation)
    assert visitor.post(METER, METER, **form).status_code == 303
    (sent,) = tap.requests(operation)
    assert (sent["meter"], sent["why"]) == ("w1", "a leak") and not tap.requests("trip") + tap.requests("close")
    tap.answer(operation, form["transaction"], "accepted")
    tap.clock.advance(1)
    tap.say(valve(moving="closing", step="done"), "w1")
    page = visitor.see(f"/answer/{form['transaction']}")
    assert "A valve takes its time to turn" in page and page.count('class="pos"') == 2
    tap.answer(operation, form["transaction"], "done", data={"valve": "closed", "holds": []})
    assert done in visitor.see(f"/answer/{form['transaction']}")


def test_nothing_turns_while_a_meter_is_read(tap: Stage) -> None:
    """*Read now* on a water meter waits for the meter, and speaks of no valve on its way."""
    visitor = tap.visitor("engineer", language="en")
    transaction = "r" * 12
    visitor.post(METER, METER, do="read", transaction=transaction)
    tap.answer("read", transaction, "accepted")
    page = visitor.see(f"/answer/{transaction}")
    assert "waiting until the meter has confirmed" in page and "valve" not in page


BY_ITSELF = "closed by itself or by hand; nobody here ordered it, so a person decides"


@pytest.mark.parametrize(
    ("language", "itself", "back", "held"),
    [
        ("en", ("Water off since", "nobody ordered it", "open the valve on"), "Water is coming back", "Water is off"),
        ("zh", ("起停水，没有人下令", "水表页用“开阀”"), "正在恢复供水", "余额足够，但仍停水"),
    ],
)
def test_a_tenants_water_is_told_as_water(
    tap: Stage, language: str, itself: tuple[str, ...], back: str, held: str
) -> None:
    """On the account: closed by itself waits for a person, told to open it is coming, held says that water is off; the
    state beside the name says water as well."""
    install(tap, [water(account="100101")], [tenant("100101", "N", "W101", ["w1"])])
    tap.say(standing(), "100101")
    visitor = tap.visitor("manager", language=language)
    told: list[tuple[Valve, tuple[str, ...]]] = [
        (valve("open", "closed", why=BY_ITSELF), itself),
        (valve("open", "closed", why="to be opened"), (back,)),
        (valve("closed", "closed", why="held closed: manual", **HELD), (held,)),
    ]
    for fact, words in told:
        tap.say(fact, "w1")
        page = main_of(visitor, "/account/100101")
        banner = page[: page.index('class="cols"')]
        assert all(each in banner for each in words), fact.why
        assert ("停水" if language == "zh" else "Water off") in banner
        shown = re.sub(r"<[^>]*>", " ", banner)
        assert [word for word in (*ELECTRIC[language], "Supply", "已停电") if word in shown] == []
        assert ("Water off" if language == "en" else "停水") in main_of(visitor, "/accounts?list=all")
    tap.say(valve("open", "closed", why=BY_ITSELF), "w1")
    page = visitor.see("/account-preview/100101?amount=50")
    assert ("does not bring W101 back" if language == "en" else "在此充值不能恢复 W101") in page


def test_the_words_of_the_other_kind_are_no_words(tap: Stage) -> None:
    """A form that says `close` to a valve, made up or from an old page, does nothing."""
    visitor = tap.visitor("manager")
    for word in ("trip", "close"):
        assert f'value="{word}"' not in visitor.see(f"{METER}?ask={word}")
        fields = {"do": word, "room": "W101", "why": "x", "transaction": "t" * 12}
        assert visitor.post(METER, METER, **fields).status_code == 404
    assert not tap.requests("trip") + tap.requests("close")


@pytest.mark.parametrize(("role", "may"), [("manager", True), ("engineer", True), ("finance", False)])
def test_who_may_trip_may_close_a_valve(tap: Stage, role: str, may: bool) -> None:
    """The rights are those of a relay."""
    visitor = tap.visitor(role)
    assert ("?ask=off" in visitor.see(METER), "?ask=on" in visitor.see(METER)) == (may, may)
    fields = {"do": "off", "room": "W101", "why": "x", "transaction": "t" * 12}
    assert visitor.post(METER, **fields).status_code == (303 if may else 403)


def test_a_meter_without_power_has_no_empty_card(shop: Stage) -> None:
    """An old meter that gives its register alone shows no place for a curve; others keep theirs."""
    assert 'id="chart"' in shop.visitor("engineer").see("/meter/a206")
    install(shop, [row("a206", "A206", "100206", quantities={"energy_wh": "Wh"})], [])
    assert 'id="chart"' not in shop.visitor("engineer").see("/meter/a206")


@pytest.mark.parametrize(("language", "words"), [("zh", "回路 3"), ("en", "circuit 3")])
def test_a_circuit_is_named_wherever_its_meter_is(stage: Stage, language: str, words: str) -> None:
    """One address, many circuits, the same room: page, dialogs, rooms, lines and account say which it is."""
    box: dict[str, Any] = {"address": "5", "serial": None, "protocol": "modbus-rtu"}
    meters = [row(f"c{n}", "A301", "100301", circuit=n, **box) for n in (3, 4)]
    install(stage, meters, [tenant("100301", "N", "A301", ["c3", "c4"])])
    stage.online(ports=[info().ports[0].model_dump()])
    stage.say(port_statistics(), "a1")
    for id in ("c3", "c4"):
        stage.say(reading(), id)
        stage.say(relay(), id)
        stage.say(available("offline"), id)
    stage.say(standing(now=NOW), "100301")
    visitor = stage.visitor("manager", language=language)
    page = main_of(visitor, "/meter/c3")
    assert f"<h1>A301 · {words}</h1>" in page
    for ask in ("trip", "close"):
        dialog = visitor.see(f"/meter/c3?ask={ask}").partition("<dialog")[2]
        assert f"A301 · {words}" in dialog.partition("</h2>")[0] and re.search(rf"<dd>5.{{1,2}}{words}</dd>", dialog)
    for path in ("/rooms", "/lines/ports", "/lines/port/a1", "/account/100301"):
        assert words in main_of(visitor, path), path


def test_a_circuit_is_confirmed_by_room_and_circuit(stage: Stage) -> None:
    """The room alone is that of its neighbours too: the text to type is shown, asked for, and checked here."""
    box: dict[str, Any] = {"address": "5", "serial": None, "protocol": "modbus-rtu"}
    install(stage, [row(f"c{n}", "A301", "100301", circuit=n, **box) for n in (2, 3)], [])
    stage.online()
    stage.say(relay(), "c2")
    visitor = stage.visitor("engineer")
    dialog = visitor.see("/meter/c2?ask=trip").partition("<dialog")[2]
    assert 'data-room="A301-2"' in dialog and "Type the room and the circuit, A301-2, to confirm" in dialog
    fields = {"do": "trip", "why": "x", "transaction": "t" * 12}
    for typed in ("A301", "A301-3", "2", ""):
        refused = visitor.post("/meter/c2", room=typed, **fields)
        assert refused.status_code == 422 and "Type A301-2 to confirm" in refused.text and not stage.requests("trip")
    assert visitor.post("/meter/c2", room=" a301-2 ", **fields).status_code == 303
    assert [sent["meter"] for sent in stage.requests("trip")] == ["c2"]
