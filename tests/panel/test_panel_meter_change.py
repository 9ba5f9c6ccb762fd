"""A replaced meter and a changed multiplier in the panel: two forms, one approval by somebody else, told as it goes."""

from __future__ import annotations

import re
from typing import Any

import pytest
from panel_facts import NOW, at, proposed_price, reading, row, tenant
from panel_stage import Stage, Visitor, install

from bridge.contract.messages import MeterEvent, Proposals
from bridge.contract.price_facts import ProposalRow

METER, REPLACE, RATIO, DECIDE = "/meter/a206", "/meter/a206/replace", "/meter/a206/multiplier", "/meter/a206/decide"
TYPED = {"address": "202603119901", "serial": "202611090001", "papers": "photos 12, 13", "why": "the display is dark"}
NUMBER = "n" * 12


def mark(total: int, source: str, **more: int) -> dict[str, Any]:
    return {"at": "2026-11-20T06:31:00.000000+00:00", "registers_wh": {"total": total, **more}, "source": source}


def proposal(who: str = "老周", what: str = "replace-meter", **more: Any) -> Proposals:
    body: dict[str, Any] = {"meter": "a206", "papers": "photos 12, 13", "why": "dark", "mark": mark(350, "opening")}
    if what == "replace-meter":
        body |= {
            "row": {"address": "202603119901", "model_name": "三相费控电表", "protocol": "dlt645-2007"},
            "serial": "202611090001", "last": mark(18_531_180, "display", peak=6_966_790),
        }  # fmt: skip
    else:
        body |= {"multiplier": 40}
    row = {"id": "p-7", "what": what, "who": who, "role": "engineer", "at": at(5), "until": at(-700)}
    return Proposals(proposals=[ProposalRow.model_validate({**row, "body": body | more})])


def number_on(visitor: Visitor, page: str) -> str:
    found = re.search(r'name="transaction" value="([^"]+)"', visitor.get(page).text)
    assert found
    return found[1]


def test_a_replacement_is_asked_for_once_with_what_was_typed(shop: Stage) -> None:
    """Registers as the display shows them become watt-hours, the local time an instant; a double click is one request;
    then the meter's page follows it: read twice, proposed, and who has to decide until when."""
    shop.say(reading(energy_peak_wh=6_966_790), "a206")
    engineer = shop.visitor("engineer")
    number = number_on(engineer, REPLACE)
    fields = TYPED | {"closing_total": "88129.65", "closing_peak": "12,5", "removed_at": "2026-11-20T14:20"}
    for _ in range(2):
        sent = engineer.post(REPLACE, REPLACE, transaction=number, **fields)
        assert sent.status_code == 303 and number in sent.headers["Location"]
    (asked,) = shop.requests("replace-meter")
    expected = {"meter": "a206", "role": "engineer", "who": "engineer-1", **TYPED}
    assert {key: asked[key] for key in expected} == expected
    assert asked["closing"]["total"] == 88_129_650 and "T06:20:00" in asked["removed_at"]
    shop.answer("replace-meter", number, "accepted")
    assert "being read twice" in engineer.see(f"/answer/{number}")
    until = at(-700)
    shop.answer("replace-meter", number, "done", data={"proposal": "p-7", "until": until})
    assert "Somebody else must approve it" in engineer.see(f"{METER}?answer={number}")


def test_what_the_gateway_refuses_is_told_in_the_readers_language(shop: Stage) -> None:
    """The rule in words, and the gateway's own sentence in Chinese; a meter that does not answer likewise."""
    engineer = shop.visitor("engineer", language="zh")
    engineer.post(REPLACE, REPLACE, transaction=NUMBER, **TYPED)
    error = "the meter at 202603119901 says it is 202611090002, and 202611090001 is on the plate; look at the address"
    shop.answer("replace-meter", NUMBER, "refused", rule="R22", error=error)
    page = engineer.see(f"/answer/{NUMBER}")
    assert "换表有自己的条件" in page and "请核对地址" in page
    engineer.post(RATIO, RATIO, transaction="m" * 12, multiplier="40", papers="x", why="y")
    silent = "no meter answers at 202603100206 on a1 (silent); look at its wiring, address and speed, and ask again"
    shop.answer("change-multiplier", "m" * 12, "failed", rule="R22", error=silent)
    assert "没有表应答" in engineer.see("/answer/" + "m" * 12)


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ({"address": "12x"}, "The address is digits only"),
        ({"serial": "5"}, "12 digits"),
        ({"closing_total": "1.2345"}, "as the display shows it"),
        ({"closing_total": "-5"}, "as the display shows it"),
        ({"removed_at": "yesterday"}, "Write the time like"),
        ({"papers": ""}, "where the photo"),
        ({"why": " "}, "A reason is needed"),
        ({"why": "x" * 201}, "At most 200"),
        ({"why": "a\u202eb"}, "cannot be shown"),
        ({"model": "a\u202eb"}, "cannot be shown"),
        ({"transaction": ""}, "lost its number"),
    ],
)
def test_a_slip_is_told_beside_its_field_and_nothing_is_sent(shop: Stage, typed: dict[str, str], told: str) -> None:
    """What was typed stays in the form."""
    engineer = shop.visitor("engineer")
    answer = engineer.post(REPLACE, REPLACE, **{"transaction": NUMBER, **TYPED, **typed})
    assert answer.status_code == 422 and told in answer.text
    assert "photos 12, 13" in answer.text or "papers" in typed
    assert shop.requests("replace-meter") == []


def test_the_total_is_needed_beside_the_rates(shop: Stage) -> None:
    """Rates alone say nothing of what to charge."""
    install(shop, [row("a206", "A206", "100206", quantities={"energy_wh": "Wh", "energy_peak_wh": "Wh"})],
            [tenant("100206", "味之源麻辣烫", "A206", ["a206"])])  # fmt: skip
    answer = shop.visitor("engineer").post(REPLACE, REPLACE, transaction=NUMBER, **TYPED, closing_peak="5")
    assert answer.status_code == 422 and "total register is needed" in answer.text


@pytest.mark.parametrize("text", ["0", "10001", "4.5", "x", ""])
def test_a_multiplier_is_a_whole_number(shop: Stage, text: str) -> None:
    """1 to 10000; the sentence says how it follows from the transformer."""
    engineer = shop.visitor("engineer")
    answer = engineer.post(RATIO, RATIO, transaction=NUMBER, multiplier=text, papers="x", why="y")
    assert answer.status_code == 422 and "40 for a transformer of 200/5" in answer.text
    assert shop.requests("change-multiplier") == []


def test_a_multiplier_is_asked_for(shop: Stage) -> None:
    """As a number, with its papers."""
    engineer = shop.visitor("engineer")
    assert engineer.post(RATIO, RATIO, transaction=NUMBER, multiplier="40", papers="x", why="y").status_code == 303
    (asked,) = shop.requests("change-multiplier")
    assert (asked["multiplier"], asked["meter"], asked["papers"]) == (40, "a206", "x")


def test_another_person_approves_with_everything_before_their_eyes(shop: Stage) -> None:
    """Both registers and how they were had, numbers, papers, who proposed, until when; one click, one request; the
    rooms say that something waits."""
    shop.say(proposal())
    manager = shop.visitor("manager")
    page = manager.see(METER)
    for figure in ("202611090001", "18,531.18", "6,966.79", "0.35", "as a person read it off the display", "photos 12",
                   "老周", "the day stays open"):  # fmt: skip
        assert figure in page, figure
    assert "Waits for approval" in manager.see("/rooms") and "Replace the meter…" not in page
    for _ in range(2):
        manager.post(DECIDE, METER, transaction=NUMBER, proposal="p-7", do="approve")
    (asked,) = shop.requests("approve-meter")
    assert (asked["proposal"], asked["who"]) == ("p-7", "manager-1")
    shop.answer("approve-meter", NUMBER, "done", data={"proposal": "p-7", "approved": True, "meter": "a206"})
    assert "It counts from the reading" in manager.see(f"/answer/{NUMBER}")
    shop.say(Proposals(proposals=[]))
    assert "to be decided" not in manager.see(METER) and "Waits for approval" not in manager.see("/rooms")


def test_nobody_is_offered_their_own(shop: Stage) -> None:
    """The maker may take it back with a reason and sees why there is no button; forced, it is refused here already."""
    shop.say(proposal("engineer-1", "change-multiplier"))
    engineer = shop.visitor("engineer")
    page = engineer.see(METER)
    assert "nobody approves their own" in page and 'value="approve"' not in page and "1, then 40" in page
    forced = engineer.post(DECIDE, METER, transaction=NUMBER, proposal="p-7", do="approve")
    assert forced.status_code == 422 and shop.requests("approve-meter") == []
    bare = engineer.post(DECIDE, METER, transaction=NUMBER, proposal="p-7", do="reject", why="")
    assert bare.status_code == 422 and "A reason is needed" in bare.text
    engineer.post(DECIDE, METER, transaction=NUMBER, proposal="p-7", do="reject", why="wrong room")
    assert shop.requests("reject-meter")[0]["why"] == "wrong room"


def test_what_does_not_wait_any_more_is_not_decided(shop: Stage) -> None:
    """Decided by somebody else a moment ago, or another proposal by now."""
    shop.say(proposal())
    answer = shop.visitor("manager").post(DECIDE, METER, transaction=NUMBER, proposal="p-6", do="approve")
    assert answer.status_code == 409 and shop.requests("approve-meter") == []


@pytest.mark.parametrize("more", [{"mark": "x"}, {"last": {"at": 5}}, {"row": {}}, {"serial": 7}, {"why": None}])
def test_what_cannot_be_read_is_not_approved(shop: Stage, more: dict[str, Any]) -> None:
    """A proposal of another version, or of nobody we know: said so, and it can only be rejected."""
    shop.say(proposal(**more))
    manager = shop.visitor("manager")
    page = manager.see(METER)
    assert "cannot be read here" in page and 'value="approve"' not in page
    assert manager.post(DECIDE, METER, transaction=NUMBER, proposal="p-7", do="approve").status_code == 422


@pytest.mark.parametrize("role", ["finance", "operations"])
def test_who_wires_nothing_changes_nothing(shop: Stage, role: str) -> None:
    """No form, no button, and a forged request is refused; the proposal can be read."""
    shop.say(proposal())
    visitor = shop.visitor(role)
    page = visitor.see(METER)
    assert "photos 12, 13" in page and 'value="approve"' not in page and 'value="reject"' not in page
    assert visitor.get(REPLACE).status_code == visitor.get(RATIO).status_code == 403
    assert visitor.post(REPLACE, transaction=NUMBER, **TYPED).status_code == 403
    assert visitor.post(DECIDE, transaction=NUMBER, proposal="p-7", do="approve").status_code == 403
    assert not any("/request/" in topic for topic, _, _ in shop.link.published)


def test_without_a_connection_nothing_is_lost(shop: Stage) -> None:
    """Not sent is said so, and the same form goes again; the same number for something else is refused."""
    engineer = shop.visitor("engineer")
    shop.lose()
    answer = engineer.post(REPLACE, REPLACE, transaction=NUMBER, **TYPED)
    assert answer.status_code == 503 and "Not sent" in answer.text and NUMBER in answer.text
    shop.return_()
    assert engineer.post(REPLACE, REPLACE, transaction=NUMBER, **TYPED).status_code == 303
    other = engineer.post(REPLACE, REPLACE, transaction=NUMBER, **{**TYPED, "why": "other"})
    assert other.status_code == 409 and NUMBER not in other.text


def test_a_circuit_of_a_box_is_not_replaced_alone(shop: Stage) -> None:
    """One address for many: its page has no such form; its multiplier can change."""
    install(shop, [row("a206", "A206", "100206", circuit=3)], [tenant("100206", "味之源麻辣烫", "A206", ["a206"])])
    engineer = shop.visitor("engineer")
    assert engineer.get(REPLACE).status_code == 404 and engineer.get(RATIO).status_code == 200
    assert "Replace the meter…" not in engineer.see(METER)


def test_the_events_tell_both_registers_and_the_use_since_is_the_new_meters(shop: Stage) -> None:
    """Old and new number with their registers, who proposed and approved; what was used since counts from the new
    one's first register; the use of an empty shop is told with its opening."""
    was = {"address": "202603100206", "serial": "202603100206", "registers_wh": {"total": 88_129_650}}
    body = {"meter": "a206", "was": was, "serial": "202611090001", "who": "老周", "approved_by": "王敏", "why": "dark"}
    shop.entry("replacement/1", body | mark(18_500_000, "opening"))
    ratio = {"meter": "a206", "multiplier_before": 1, "multiplier": 40, "who": "老周", "approved_by": "王敏"}
    shop.entry("ratio/1", ratio | mark(18_500_100, "read"))
    idle = {"since": "2026-11-18T00:00:00.000000+00:00", "registers_wh": {"total": 1}, "wh": 12_340}
    shop.entry("opening/1", {"meter": "a206", "unbilled": idle} | mark(18_500_180, "opening"))
    page = shop.visitor("engineer").see(METER)
    for words in ("202603100206 off at 88,129.65, 202611090001 on at 18,500.00 · 老周 · 王敏", "1, then 40",
                  "from register 18,500.10 on", "without a tenant 12.34 were used", "+31.00"):  # fmt: skip
        assert words in page, words
    shop.say(MeterEvent(at=NOW.isoformat(), kind="replaced", text="the meter was replaced: the new one is 5"), "a206")
    assert "已换表：新表为 5" in shop.visitor("engineer", language="zh").see(METER)


def test_what_nobody_pays_for_is_shown(shop: Stage) -> None:
    """A meter without a tenant: used since when, charged to nobody."""
    shop.say(reading(unbilled_wh=12_340, unbilled_since=at(600)), "a206")
    page = shop.visitor("engineer").see(METER)
    assert "charged to nobody" in page and "12.34" in page


@pytest.mark.parametrize("kind", ["replacement/1", "ratio/1"])
def test_a_damaged_entry_breaks_no_page(shop: Stage, kind: str) -> None:
    """A body that does not fit is shown as unreadable, not as a figure."""
    for body in ({}, {"registers_wh": [], "at": 5}, {"was": 1, **mark(1, "read")}):
        shop.entry(kind, {"meter": "a206", **body})
    assert "It cannot be read here" in shop.visitor("engineer").see(METER)


def test_approvals_names_what_waits_on_other_pages(shop: Stage) -> None:
    """Prices and work on meters are decided where they are shown; whoever may decide them finds them from Approvals as
    well, and is not told that nothing waits."""
    meters = proposal().proposals
    shop.say(Proposals(proposals=[*meters, ProposalRow.model_validate(proposed_price(id="p-8"))]))
    page = shop.visitor("manager").see("/money/waiting")
    assert "/price-proposal/p-8" in page and "/meter/a206#waiting" in page and "Nothing waits" not in page
    page = shop.visitor("finance").see("/money/waiting")
    assert "/price-proposal/p-8" in page and "/meter/a206#waiting" not in page, "finance wires no meters"
    shop.say(Proposals(proposals=[*meters]))
    assert "Nothing waits for approval." in shop.visitor("finance").see("/money/waiting")
