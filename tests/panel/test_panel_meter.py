"""The meter's page: registers with ages, the relay as told and as read back, and dangerous commands asked twice."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from panel_facts import NOW, YUAN, at, charge, hold, reading, relay, row, tenant
from panel_stage import Stage, Visitor, install

from bridge.contract.messages import MeterEvent

METER = "/meter/a206"


def dialog(visitor: Visitor, operation: str) -> dict[str, str]:
    page = visitor.get(f"{METER}?ask={operation}").text
    found = re.search(r'<dialog.*?name="transaction" value="([^"]+)"', page, re.S)
    assert found, "the dialog is open"
    return {"do": operation, "transaction": found[1]}


def test_registers_stand_by_rate_with_their_use_since_the_charge(shop: Stage) -> None:
    """Each rate's register and what was used since the register that was charged last."""
    shop.entry("charge/1", charge("100206", "a206"))
    page = shop.visitor("engineer").see(METER)
    for figure in ("18,531.18", "+38.30", "6,966.79", "+19.88", "since 11-20 00:00", "38.30", "18,492.88"):
        assert figure in page, figure


def test_every_value_has_its_age(shop: Stage) -> None:
    """Power is seconds old, voltages a minute, the meter's clock half a day: each says its own age."""
    page = shop.visitor("engineer").see(METER)
    assert re.search(r"5\.92 kW</td><td[^>]*>6 s ago", page)
    assert re.search(r"228\.4 V</td><td[^>]*>1 min ago", page)
    assert re.search(r"12 s ahead</td><td[^>]*>11 h 40 min ago", page)


def test_what_the_meter_has_not_is_not_shown(shop: Stage) -> None:
    """An absent value is absent: no zero and no dash for a phase that does not exist."""
    hertz = re.compile(r"\d\sHz\b")  # Ids on the page are random letters, so "Hz" alone says nothing.
    assert hertz.search(shop.visitor("engineer").see(METER))
    shop.say(reading(voltage_a_v=None, power_factor=None, frequency_hz=None), "a206")
    page = shop.visitor("engineer").see(METER)
    assert "Voltage" not in page and "Power factor" not in page and not hertz.search(page)


def test_the_relay_shows_what_it_should_be_what_it_is_and_all_five_holds(shop: Stage) -> None:
    """Desired, observed with its age, and each of the five holds with who, when and why (R5)."""
    holds = [hold("lockout", "new breaker"), hold("arrears", "below 0", "gateway")]
    shop.say(relay("closed", desired="open", holds=holds, why="two holds"), "a206")
    page = shop.visitor("engineer").see(METER)
    card = page[page.index("should be") : page.index("The relay closes only when all five")]
    assert "<b>open</b>" in card and "<b>closed</b>" in card and "≠" in card and "two holds" in card
    for word in ("arrears", "service", "contract ended", "malignant load", "by hand"):
        assert word in card, word
    assert "李强 · 11-20 09:50 · new breaker" in card and card.count(">none<") == 3


def test_a_relay_that_does_not_follow_calls_for_a_person(shop: Stage) -> None:
    """Told several times and not moved: said in words."""
    shop.say(relay("closed", desired="open", following=False), "a206")
    assert "Somebody must go and look" in shop.visitor("engineer").see(METER)


def test_a_trip_names_tenant_and_room_and_needs_the_room_typed_and_a_reason(shop: Stage) -> None:
    """Without the right room number and a reason nothing leaves, whatever the browser did."""
    visitor = shop.visitor("engineer")
    page = visitor.see(f"{METER}?ask=trip")
    assert "Cut the supply of A206?" in page and "味之源麻辣烫 · now 5.92 kW" in page
    form = dialog(visitor, "trip")
    for room, why in (
        ("A20", "service"),
        ("", "service"),
        ("A207", "service"),
        ("A206", ""),
        ("A206", "   "),
        ("A206", "x" * 201),
    ):
        answer = visitor.post(METER, METER + "?ask=trip", room=room, why=why, **form)
        assert answer.status_code == 422 and form["transaction"] in answer.text, (room, why)
        assert f'value="{room}"' in answer.text and 'role="alert"' in answer.text
    assert shop.requests("trip") == []
    answer = visitor.post(METER, METER + "?ask=trip", room=" a206 ", why="service work", **form)
    assert answer.status_code == 303
    (request,) = shop.requests("trip")
    assert (request["meter"], request["why"], request["who"]) == ("a206", "service work", "engineer-1")


def test_a_double_trip_is_one_request(shop: Stage) -> None:
    """Two clicks on the same dialog are one trip."""
    visitor = shop.visitor("engineer")
    form = dialog(visitor, "trip")
    for _ in range(2):
        visitor.post(METER, METER + "?ask=trip", room="A206", why="service", **form)
    assert len(shop.requests("trip")) == 1


def test_the_steps_of_a_trip_are_never_ahead_of_what_was_answered(shop: Stage) -> None:
    """Sent; done when the meter said yes; read back only when the gateway has read it back."""
    visitor = shop.visitor("engineer")
    form = dialog(visitor, "trip")
    shop.say(relay(step="read back"), "a206")
    visitor.post(METER, METER + "?ask=trip", room="A206", why="service", **form)

    def steps() -> list[str]:
        return re.findall(r'<span class="(pos|neg|mute)">', visitor.see(f"/answer/{form['transaction']}"))

    assert steps() == ["pos", "mute", "mute"], "an older command's step does not count"
    shop.answer("trip", form["transaction"], "accepted")
    assert steps() == ["pos", "mute", "mute"]
    shop.clock.advance(1)
    shop.say(relay(desired="open", step="done"), "a206")
    assert steps() == ["pos", "pos", "mute"]
    shop.answer("trip", form["transaction"], "done")
    assert steps() == ["pos", "pos", "pos"]
    shop.answer("trip", form["transaction"], "accepted")
    assert steps() == ["pos", "pos", "pos"], "a repeated older answer takes nothing back"


def test_a_trip_that_failed_says_why(shop: Stage) -> None:
    """A failed command is told with the gateway's sentence and stands in the list of newest commands."""
    visitor = shop.visitor("engineer")
    form = dialog(visitor, "trip")
    visitor.post(METER, METER + "?ask=trip", room="A206", why="service", **form)
    shop.answer("trip", form["transaction"], "failed", error="the meter answered and did not move")
    assert "the meter answered and did not move" in visitor.see(f"/answer/{form['transaction']}")
    assert "Trip · engineer-1" in visitor.see("/meter-now/a206")


def test_lifting_a_hold_is_asked_the_same_way(shop: Stage) -> None:
    """Close needs the room and a reason as well: somebody may be working on the line."""
    visitor = shop.visitor("engineer")
    form = dialog(visitor, "close")
    assert visitor.post(METER, METER + "?ask=close", room="", why="ready", **form).status_code == 422
    assert visitor.post(METER, METER + "?ask=close", room="A206", why="ready", **form).status_code == 303
    assert len(shop.requests("close")) == 1


def test_read_now_is_one_click(shop: Stage) -> None:
    """Reading harms nobody: one click, one request, the answer on the page."""
    visitor = shop.visitor("operations")
    answer = visitor.post(METER, METER, do="read", transaction="r" * 12)
    assert answer.headers["Location"] == f"../meter/a206?answer={'r' * 12}"
    assert len(shop.requests("read")) == 1
    shop.answer("read", "r" * 12, "done")
    assert "Read; the values stand below." in visitor.see(f"{METER}?answer={'r' * 12}")


@pytest.mark.parametrize(
    ("role", "operations"),
    [("manager", {"read", "trip", "close"}), ("finance", {"read"}), ("engineer", {"read", "trip", "close"}),
     ("operations", {"read"})],
)  # fmt: skip
def test_buttons_and_server_agree_on_the_role(shop: Stage, role: str, operations: set[str]) -> None:
    """A role sees only its buttons, and a forged form gets 403."""
    visitor = shop.visitor(role)
    page = visitor.see(METER)
    shown = {"read"} if 'value="read"' in page else set()
    shown |= {operation for operation in ("trip", "close") if f"?ask={operation}" in page}
    assert shown == operations
    for operation in {"trip", "close"} - operations:
        assert visitor.get(f"{METER}?ask={operation}").status_code == 403
        assert visitor.post(METER, do=operation, room="A206", why="x", transaction="t" * 12).status_code == 403
    assert shop.requests("trip") == [] == shop.requests("close")


def test_a_meter_without_a_relay_has_no_such_buttons(shop: Stage) -> None:
    """Where there is no relay there is nothing to trip, by button or by forged form."""
    install(shop, [row("a206", "A206", "100206", relay="none")], [tenant("100206", "甲", "A206", ["a206"])])
    visitor = shop.visitor("engineer")
    page = visitor.see(METER)
    assert "?ask=trip" not in page and "no relay; it is only read" in page
    assert visitor.post(METER, METER, do="trip", room="A206", why="x", transaction="t" * 12).status_code == 404


def test_events_are_told_once_and_newest_first(shop: Stage) -> None:
    """What the book has and what the gateway said are one list; an event with a seq is not told twice."""
    seq = shop.entry(
        "alarm/1", {"meter": "a206", "alarm": "cover", "text": "cover opened"}, at=NOW - timedelta(hours=1)
    )
    shop.say(MeterEvent(at=at(60), kind="cover", text="cover opened", seq=seq), "a206")
    shop.say(MeterEvent(at=at(5), kind="offline", text="no answer to 6 rounds"), "a206")
    page = shop.visitor("engineer").see(METER)
    assert page.count("cover opened") == 1
    assert page.index("no answer to 6 rounds") < page.index("cover opened")


def test_an_opened_cover_is_shown_in_both_languages(shop: Stage) -> None:
    """The page says that the cover stands open and how often it was; the events have the meter's time."""
    shop.say(reading(cover_open=True, cover_openings=28, terminal_cover_open=False, terminal_cover_openings=0), "a206")
    told = {
        "cover-opened": "the cover was opened at 2026-11-20 10:30:05 by the meter's clock; it counts 28",
        "cover-closed": "the terminal cover was closed again at 2026-11-20 10:31:00 by the meter's clock",
    }
    for alarm, text in told.items():
        seq = shop.entry("alarm/1", {"meter": "a206", "alarm": alarm, "text": text})
        shop.say(MeterEvent(at=at(1), kind=alarm, text=text, seq=seq), "a206")
    page = shop.visitor("engineer").see(METER)
    assert page.count("Cover opened") == 1 == page.count("Cover closed again")
    assert "10:30:05 by the meter's clock; it counts 28" in page and "opened 28 times" in page
    assert re.search(r'<td class="nb neg">Meter cover</td><td class="n neg">open</td>', page)
    assert re.search(r'<td class="nb">Terminal cover</td><td class="n">shut</td>', page)
    events = {
        word: line for line in page.split("<li>") for word in ("Cover opened", "Cover closed again") if word in line
    }
    assert '"dot"' in events["Cover opened"] and "neg" in events["Cover opened"]
    assert "neg" not in events["Cover closed again"], "good news"
    page = shop.visitor("manager", language="zh").see(METER)
    assert "表盖于 2026-11-20 10:30:05（表内时钟）被打开，累计 28 次" in page and "开过 28 次" in page
    assert (
        "端钮盖于 2026-11-20 10:31:00（表内时钟）重新盖好" in page
        and "已重新盖好" in page
        and "by the meter" not in page
    )


def test_only_the_newest_fifty_events_are_kept(shop: Stage) -> None:
    """A chattering meter does not fill the memory."""
    for number in range(60):
        shop.say(MeterEvent(at=at(60 - number), kind="x", text=f"n{number}"), "a206")
    kept = shop.mirror.events("meter", "a206")
    assert len(kept) == 50 and kept[0].text == "n59"


def test_the_raw_frames_of_the_newest_charge_are_shown(shop: Stage) -> None:
    """The bytes behind the newest charge stand on the page, in twos."""
    shop.entry("charge/1", charge("100206", "a206", 1))
    shop.entry("charge/1", charge("100206", "a206", 0, balance_nano=YUAN))
    assert "68 AA AA 68 11 04 33 32 34 33 D6 16" in shop.visitor("engineer").see(METER)


def test_the_curve_draws_a_hole_as_a_hole(shop: Stage) -> None:
    """Two runs of readings with an hour between them are two lines and a grey field, never a bridge."""
    start = NOW - timedelta(hours=5)
    some = [(start + timedelta(minutes=5 * n), 2000) for n in range(20)]
    more = [(start + timedelta(minutes=160 + 5 * n), 3000) for n in range(20)]
    shop.readings("a206", some + more)
    page = shop.visitor("engineer").see("/meter-chart/a206")
    assert page.count('class="ln"') == 2 and "no readings for 1 h 5 min" in page
    assert "highest 3.00 kW at 12:30" in page and "highest 3.00 kW" in page
    assert page.count('class="rb-peak"') == 2, "the tariff's hours stand under the curve"


def test_the_curve_ends_with_the_figure_beside_it(shop: Stage) -> None:
    """The newest power is drawn although the archive is a moment behind; after a silence it bridges nothing."""
    shop.readings("a206", [(NOW - timedelta(minutes=5 * n), 2000) for n in range(1, 9)])
    assert ">5.92 kW</text>" in shop.visitor("engineer").see("/meter-chart/a206")
    shop.say(reading(now=NOW + timedelta(hours=3)), "a206")
    assert ">2.00 kW</text>" in shop.visitor("engineer").see("/meter-chart/a206")


def test_a_day_is_chosen_by_its_address(shop: Stage) -> None:
    """Another day has its own curve; rubbish and days to come show today."""
    shop.readings("a206", [(NOW - timedelta(days=2, minutes=5 * n), 1000) for n in range(10)])
    visitor = shop.visitor("engineer")
    assert 'class="ln"' in visitor.see(f"{METER}?day=2026-11-18")
    for day in ("2026-11-20", "2027-01-01", "rubbish", "0001-01-01", "２０２６-11-18"):
        assert "No readings of this day" in visitor.see(f"{METER}?day={day}"), day


def test_an_ordered_move_is_no_alarm(shop: Stage) -> None:
    """A relay that moved as ordered, or was looked at for the first time, is never said to have moved by itself."""
    for minutes, why in ((3, "first look"), (2, "as ordered"), (1, "moved by itself or by hand")):
        text = f"relay read back open ({why})"
        shop.say(MeterEvent(at=at(minutes), kind="relay-moved", text=text, seq=900 + minutes), "a206")
    page = shop.visitor("engineer").see(METER)
    assert page.count("The relay moved by itself") == 1
    assert page.index("moved by itself or by hand") < page.index("as ordered") < page.index("first look")


def test_a_permitted_close_waits_for_its_button_and_is_not_called_failed(shop: Stage) -> None:
    """The gateway waits a minute for a person at the meter; afterwards the page still says what to do (R6)."""
    install(shop, [row("a206", "A206", "100206", relay="permit")], [tenant("100206", "甲", "A206", ["a206"])])
    visitor = shop.visitor("engineer")
    form = dialog(visitor, "close")
    visitor.post(METER, METER + "?ask=close", room="A206", why="ready", **form)
    shop.answer("close", form["transaction"], "accepted")
    shop.clock.advance(1)
    why = "closing is permitted: press the button on the meter"
    shop.say(relay("open", desired="closed", step="press the button", why=why), "a206")
    for _ in range(2):
        card = visitor.see(f"/answer/{form['transaction']}")
        assert "Ready: press the button on the meter" in card and "Not done" not in card
        assert re.findall(r'<span class="(pos|neg|mute)">', card) == ["pos", "pos", "mute"]
        shop.answer("close", form["transaction"], "failed", rule="R7", error=why)
    page = visitor.see("/account/100206")
    assert "Ready: press the button on the meter" in page and "Cut off" in page, "the room is dark until then"


def test_a_lifted_hold_that_leaves_another_says_so(shop: Stage) -> None:
    """Lifting the hold set by hand switches nothing on while another hold stands (R5)."""
    visitor = shop.visitor("engineer")
    form = dialog(visitor, "close")
    visitor.post(METER, METER + "?ask=close", room="A206", why="ready", **form)
    shop.answer("close", form["transaction"], "done", data={"holds": ["arrears"]})
    assert "is lifted. Supply stays off: arrears." in visitor.see(f"/answer/{form['transaction']}")


def test_the_state_beside_the_room_is_refreshed_with_the_rest(shop: Stage) -> None:
    """A hold lifted while somebody looks at the page leaves no old word in its head."""
    visitor = shop.visitor("engineer")
    shop.say(relay("open", holds=[hold("manual", "service")]), "a206")
    assert re.search(
        r'id="meter-state" hx-swap-oob="true"><span class="tag s-held">', visitor.get("/meter-now/a206").text
    )
    shop.say(relay("closed"), "a206")
    assert re.search(
        r'id="meter-state" hx-swap-oob="true"><span class="tag s-final">', visitor.get("/meter-now/a206").text
    )


def test_whoever_switches_off_says_what_for_and_each_hold_is_lifted_by_itself(shop: Stage) -> None:
    """R5: a contract that ended and a forbidden load are holds of their own; what stands already is not offered, and of
    several that stand one is chosen to be lifted."""
    visitor = shop.visitor("engineer")
    page = visitor.see(f"{METER}?ask=trip")
    assert all(f'name="hold" value="{kind}"' in page for kind in ("manual", "contract", "malignant"))
    form = {**dialog(visitor, "trip"), "hold": "contract"}
    assert visitor.post(METER, METER + "?ask=trip", room="A206", why="lease ended", **form).status_code == 303
    assert shop.requests("trip")[0]["hold"] == "contract"
    wrong = visitor.post(METER, METER + "?ask=trip", room="A206", why="x", **{**form, "hold": "arrears"})
    assert wrong.status_code == 422 and "Choose what it is off for." in wrong.text
    shop.say(relay("open", holds=[hold("contract", "lease ended"), hold("malignant", "a stove")]), "a206")
    page = visitor.see(f"{METER}?ask=trip")
    assert 'type="hidden" name="hold" value="manual"' in page, "the other two stand"
    page = visitor.see(f"{METER}?ask=close")
    assert "Which hold" in page and 'value="malignant"' in page and 'name="hold" value="manual"' not in page
    form = {**dialog(visitor, "close"), "hold": "malignant"}
    assert visitor.post(METER, METER + "?ask=close", room="A206", why="it is gone", **form).status_code == 303
    assert shop.requests("close")[0]["hold"] == "malignant"
