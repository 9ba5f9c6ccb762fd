"""Keeping power on, a disputed bill, lifting either, a tenant who was told: form, look, one request, its answer."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from panel_facts import at, protection, row, standing, tenant
from panel_stage import Stage, Visitor, install, one_shop

from bridge.contract.messages import REQUESTS
from bridge.contract.permissions import role_may

ACCOUNT = "/account/100206"
KEEP, DISPUTE = "/protection/keep-power/100206", "/protection/dispute/100206"
LIFT, TOLD = "/protection/lift-keep-power/100206", "/protection/told/100206"
UNTOLD: dict[str, Any] = {"delivered_at": None, "delivered_by": None, "needs_telling": True}


def press(visitor: Visitor, path: str, step: str, **typed: str) -> Any:
    """Fill the form that stands there and press a button."""
    found = re.search(r'name="transaction" value="([^"]+)"', visitor.get(path).text)
    assert found
    return visitor.post(path, path, **{"transaction": found[1], "step": step, **typed})


def sent_on(visitor: Visitor, answer: Any, path: str) -> Any:
    """Press the last button of the page that was looked at, as a browser would: with its hidden fields."""
    fields = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', unescape(answer.text)))
    fields.pop("csrf_token")
    return visitor.post(path, path, **{**fields, "step": "send"})


def test_power_is_kept_on_for_three_days(shop: Stage) -> None:
    """R3: who, why and until when are looked at, sent once, and answered in words; the end is three days on."""
    clerk = shop.visitor("finance")
    looked = press(clerk, KEEP, "look", **{"for": "3", "why": "病人在家"})
    page = unescape(looked.text)
    assert looked.status_code == 200 and "Keep power on: is this right?" in page
    assert "Mon 11-23 at 14:50 (3.0 d from now)" in page
    assert shop.requests("protect") == [], "looking sends nothing"
    sent = sent_on(clerk, looked, KEEP)
    assert sent.status_code == 303
    (asked,) = shop.requests("protect")
    assert (asked["account"], asked["protection"], asked["why"], asked["who"], asked["role"]) == (
        "100206", "keep-power", "病人在家", "finance-1", "finance"
    )  # fmt: skip
    assert asked["until"] == "2026-11-23T06:50:00.000+00:00"
    shop.answer("protect", asked["transaction"], "done", data={"until": asked["until"]})
    card = clerk.see(f"/answer/{asked['transaction']}")
    assert "In the book: power is kept on until Mon 11-23 at 14:50." in card and "Waiting for approval" not in card


def test_the_end_that_was_seen_is_the_end_that_is_sent(shop: Stage) -> None:
    """A choice of days does not move on while somebody looks at it."""
    clerk = shop.visitor("finance")
    looked = press(clerk, KEEP, "look", **{"for": "1", "why": "x"})
    shop.clock.advance(600)
    sent_on(clerk, looked, KEEP)
    assert shop.requests("protect")[0]["until"] == "2026-11-21T06:50:00.000+00:00"


def test_an_end_is_typed_as_the_wall_shows_it(shop: Stage) -> None:
    """A date and time of the site's zone becomes its instant; a dispute is told as such."""
    clerk = shop.visitor("manager")
    typed = {"for": "until", "until": "2026-12-04T09:30", "why": "读数有疑问"}
    assert press(clerk, DISPUTE, "send", **typed).status_code == 303
    (asked,) = shop.requests("protect")
    assert (asked["protection"], asked["until"]) == ("dispute", "2026-12-04T01:30:00.000+00:00")


@pytest.mark.parametrize(
    ("typed", "field", "words"),
    [
        ({"for": ""}, "for", "Choose how long."),
        ({"for": "2"}, "for", "Choose how long."),
        ({"for": "until", "until": ""}, "until", "Write date and time like 2026-11-23 09:00."),
        ({"for": "until", "until": "tomorrow"}, "until", "Write date and time"),
        ({"for": "until", "until": "2026-02-30T09:00"}, "until", "Write date and time"),
        ({"for": "until", "until": "２０２６-11-23T09:00"}, "until", "Write date and time"),
        ({"for": "until", "until": "0001-01-01T00:00"}, "until", "Write date and time|This time is over"),
        ({"for": "until", "until": "9999-12-31T23:59"}, "until", "Write date and time|At most 92 days ahead"),
        ({"for": "until", "until": "2026-11-20T14:50"}, "until", "This time is over"),
        ({"for": "until", "until": "2027-02-20T14:51"}, "until", "At most 92 days ahead; renew it"),
        ({"for": "1", "why": ""}, "why", "A reason is needed"),
        ({"for": "1", "why": "x" * 201}, "why", "At most 200 characters."),
        ({"for": "1", "why": "a\u202eb"}, "why", "characters in it that cannot be shown"),
    ],
)
def test_what_is_typed_wrong_is_refused_at_its_field(
    shop: Stage, typed: dict[str, str], field: str, words: str
) -> None:
    """Each mistake stands beside its field, what was typed stays, nothing is sent, at either button."""
    clerk = shop.visitor("finance")
    for step in ("look", "send"):
        answer = press(clerk, KEEP, step, **{"why": "病人在家", **typed})
        page = unescape(answer.text)
        assert answer.status_code == 422
        assert re.search(rf'id="{field}-mistake">.*?({words})', page, re.S), page
        assert page.count('-mistake"') == 1 and (typed.get("why", "病人在家")[:200] in page)
    assert shop.requests("protect") == []


def test_the_longest_protection_is_taken(shop: Stage) -> None:
    """92 days are allowed; a minute less than the limit leaves."""
    press(shop.visitor("finance"), KEEP, "send", **{"for": "until", "until": "2027-02-20T14:50", "why": "x"})
    assert shop.requests("protect")[0]["until"] == "2027-02-20T06:50:00.000+00:00"


def test_a_time_that_the_clock_leaves_out_is_refused(tmp_path: Path) -> None:
    """An hour that does not exist on the day a clock is put forward is no end."""
    from datetime import UTC, datetime
    from zoneinfo import ZoneInfo

    from panel.formats import Wall
    from panel.protecting import until_of
    from panel.typed import Mistake

    berlin = Wall(datetime(2027, 3, 27, 1, 30, tzinfo=UTC), ZoneInfo("Europe/Berlin"))
    with pytest.raises(Mistake):
        until_of("until", "2027-03-28T02:30", berlin)
    assert until_of("until", "2027-03-28T03:30", berlin) == "2027-03-28T01:30:00.000+00:00"
    assert until_of("1", "", berlin) == "2027-03-28T01:00:00.000+00:00", "half past two becomes three"


def test_a_tenant_was_told(shop: Stage) -> None:
    """R1: while a final warning stands undelivered a person records how the tenant was told, with or without words."""
    one_shop(shop, **UNTOLD)
    engineer = shop.visitor("engineer")
    assert "I have told the tenant…" in engineer.see(ACCOUNT)
    assert press(engineer, TOLD, "look").status_code == 422
    looked = press(engineer, TOLD, "look", how="phone")
    assert "the time to pay begins" in looked.text and "by phone" in looked.text
    assert sent_on(engineer, looked, TOLD).status_code == 303
    (asked,) = shop.requests("told")
    assert (asked["account"], asked["how"], asked["why"]) == ("100206", "phone", "")
    shop.answer("told", asked["transaction"], "done", data={"episode": 1})
    assert "The final warning counts as delivered; the time to pay has begun." in engineer.see(
        f"/answer/{asked['transaction']}"
    )


def test_r1_what_was_told_is_of_the_warning_that_was_seen(shop: Stage) -> None:
    """The form was open when warning 7 stood; by the time it is sent another one stands: the request still says 7, so
    that the gateway can refuse it."""
    one_shop(shop, **UNTOLD, episode=7)
    clerk = shop.visitor("finance")
    form = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', clerk.get(TOLD).text))
    one_shop(shop, **UNTOLD, episode=8)
    looked = clerk.post(TOLD, TOLD, **{**form, "step": "look", "how": "phone"})
    assert sent_on(clerk, looked, TOLD).status_code == 303
    (asked,) = shop.requests("told")
    assert asked["episode"] == 7


def test_nothing_to_tell_no_button(shop: Stage) -> None:
    """With the warning delivered, or without one, there is no button, and a form that was open is refused in words."""
    manager = shop.visitor("manager")
    for facts in ({}, {"state": "on", "final_warning_at": None, "delivered_at": None, "cut_at": None}):
        one_shop(shop, **facts)
        assert "I have told the tenant" not in manager.see(ACCOUNT)
        answer = press(manager, TOLD, "send", how="phone")
        assert answer.status_code == 422 and "No final warning waits to be delivered now" in answer.text
    assert shop.requests("told") == []


def test_a_protection_is_shown_and_lifted(shop: Stage) -> None:
    """Kind, reason, person, since and until stand on the account, each with its own lifting; another kind has none."""
    shop.say(standing(protections=[protection()]), "100206")
    clerk = shop.visitor("finance")
    page = clerk.see(ACCOUNT)
    assert "power is kept on until Mon 11-23 at 14:50 (王敏, 11-20 13:50): 病人在家" in page
    assert page.count("Lift…") == 1 and 'href="../protection/lift-keep-power/100206"' in page
    assert press(clerk, LIFT, "send", why="好了").status_code == 303
    (asked,) = shop.requests("unprotect")
    assert (asked["protection"], asked["why"]) == ("keep-power", "好了")
    shop.answer("unprotect", asked["transaction"], "done", data={})
    assert "Lifted: power is kept on. From now on the rules decide again." in clerk.see(
        f"/answer/{asked['transaction']}"
    )
    other = press(clerk, "/protection/lift-dispute/100206", "send", why="好了")
    assert other.status_code == 422 and "No such protection stands now" in other.text


@pytest.mark.parametrize("role", ["manager", "finance", "engineer", "operations"])
def test_each_role_sees_and_may_do_its_own(shop: Stage, role: str) -> None:
    """Who may not ask sees no button, and the form and its address are refused as well."""
    one_shop(shop, **UNTOLD, protections=[protection()])
    visitor = shop.visitor(role)
    page = visitor.see(ACCOUNT)
    for path, button in (
        (KEEP, "Keep power on…"),
        (DISPUTE, "Mark as disputed…"),
        (LIFT, "Lift…"),
        (TOLD, "I have told"),
    ):
        operation = {KEEP: "protect", DISPUTE: "protect", LIFT: "unprotect", TOLD: "told"}[path]
        allowed = role_may(role, operation)
        assert (button in page) == allowed, (path, role)
        assert visitor.get(path).status_code == (200 if allowed else 403)
        typed = {"transaction": "t" * 12, "for": "1", "why": "x", "how": "phone", "step": "look"}
        assert visitor.post(path, "/password", **typed).status_code == (200 if allowed else 403)
    assert "power is kept on until" in page, "what protects is shown to everybody"


def test_a_double_click_is_sent_once_and_another_text_is_a_conflict(shop: Stage) -> None:
    """R7: one form, one request; the same number with other words is refused by name with a fresh form."""
    clerk = shop.visitor("finance")
    typed = {"transaction": "n" * 16, "for": "until", "until": "2026-11-23T09:00", "why": "x"}
    for _ in range(2):
        assert press(clerk, KEEP, "send", **typed).status_code == 303
    assert len(shop.requests("protect")) == 1
    other = press(clerk, KEEP, "send", **{**typed, "why": "y"})
    assert other.status_code == 409 and "already used for something else" in other.text and "n" * 16 not in other.text
    lost = press(clerk, KEEP, "send", **{**typed, "transaction": ""})
    assert lost.status_code == 422 and "lost its number on the way" in lost.text
    assert len(shop.requests("protect")) == 1


def test_without_a_broker_nothing_is_sent_and_nothing_lost(shop: Stage) -> None:
    """With the connection gone the form says so and keeps what was typed."""
    clerk = shop.visitor("finance")
    looked = press(clerk, KEEP, "look", **{"for": "7", "why": "病人在家"})
    shop.lose()
    answer = sent_on(clerk, looked, KEEP)
    assert answer.status_code == 503 and "Nothing was done." in answer.text and "病人在家" in answer.text
    assert 'value="2026-11-27T14:50"' in answer.text


def test_a_refusal_leads_back_to_the_filled_form(shop: Stage) -> None:
    """The gateway's sentence is shown, and what was typed can be changed and sent anew."""
    clerk = shop.visitor("finance")
    press(clerk, KEEP, "send", **{"for": "3", "why": "病人在家"})
    (asked,) = shop.requests("protect")
    shop.answer("protect", asked["transaction"], "refused", rule="R25", error="the clock is not trusted")
    card = clerk.see(f"/answer/{asked['transaction']}")
    assert "the clock is not trusted" in card
    back = re.search(r'href="\.\./(protection/[^"]+)"', card)
    assert back
    page = clerk.see("/" + back[1])
    assert (
        'value="2026-11-23T14:50"' in page and 'value="病人在家"' in page and 'value="until" required checked' in page
    )


def test_what_was_typed_is_there_after_signing_in_again(shop: Stage) -> None:
    """A session that ended loses nothing that was typed into the form."""
    clerk = shop.visitor("finance")
    token = clerk.token()
    user = shop.users.named("finance-1")
    assert user is not None
    shop.users.set_role(user.id, "manager")
    form = {"csrf_token": token, "for": "3", "why": "病人在家", "transaction": "t" * 12, "step": "send"}
    sent = clerk.client.post(KEEP, data=form)
    assert sent.status_code == 303 and "ended=1" in sent.headers["Location"]
    assert "for%3D3" in sent.headers["Location"] and shop.requests("protect") == []


def test_a_settled_account_has_no_such_acts(shop: Stage) -> None:
    """R33: who has left is neither cut nor protected; the card is gone and a form is refused."""
    shop.say(standing(ended_at=at(60)), "100206")
    manager = shop.visitor("manager")
    assert "Keep power on…" not in manager.see(ACCOUNT)
    answer = press(manager, KEEP, "send", **{"for": "1", "why": "x"})
    assert answer.status_code == 422 and "The tenancy has ended" in answer.text and shop.requests("protect") == []


def test_the_requests_fit_the_contract() -> None:
    """What the forms send is what the contract names, and nothing else."""
    from panel.protecting import ACTS

    for act in ACTS.values():
        sent = {"account", *dict(act.fixed), *(name for name in act.fields if name != "for")}
        own = set(REQUESTS[act.operation].model_fields) - {
            "transaction",
            "who",
            "role",
            "issued_at",
            "valid_until",
            "login",
        }
        assert sent == own - {"reference"}, act.name  # That of a notice, which no person sends.


@pytest.mark.parametrize("language", ["zh", "en"])
def test_forms_and_card_are_whole_in_both_languages(shop: Stage, language: str) -> None:
    """In Chinese no English word stands on form, look or card."""
    one_shop(shop, **UNTOLD, protections=[protection("dispute")])
    visitor = shop.visitor("manager", language)
    looked = press(visitor, DISPUTE, "look", **{"for": "1", "why": "读数"}).text
    for page in (
        visitor.get(KEEP).text,
        visitor.get(TOLD).text,
        looked,
        visitor.get("/account-protection/100206").text,
    ):
        shown = re.sub(r"<[^>]*>", " ", re.sub(r"<(title|svg|script).*?</\1>", " ", page, flags=re.S))
        words = set(re.findall(r"[A-Za-z]{2,}", unescape(shown))) - {"Riser", "EN", "manager"}
        assert (not words) == (language == "zh"), words


BY_BUTTON, BY_ITSELF = "/protection/by-button/100206", "/protection/by-itself/100206"


def test_r6_somebody_chooses_that_supply_returns_by_the_button(shop: Stage) -> None:
    """The other way is offered, looked at, sent once and told; the way that is so is not offered and not sent."""
    clerk = shop.visitor("finance")
    page = clerk.see(ACCOUNT)
    assert "Return by the button…" in page and "Return by itself…" not in page
    looked = press(clerk, BY_BUTTON, "look", why="烤箱常忘关")
    assert looked.status_code == 200 and "something may have been left on" in unescape(looked.text)
    assert sent_on(clerk, looked, BY_BUTTON).status_code == 303
    (asked,) = shop.requests("set-close")
    assert (asked["account"], asked["close"], asked["why"]) == ("100206", "permit", "烤箱常忘关")
    shop.answer("set-close", asked["transaction"], "done", data={"close": "permit"})
    card = unescape(clerk.see(f"/answer/{asked['transaction']}"))
    assert "From now on supply returns by the meter's button." in card and "Waiting for approval" not in card
    refused = press(clerk, BY_ITSELF, "look", why="x")
    assert refused.status_code == 422 and "Supply returns that way already" in unescape(refused.text)
    assert len(shop.requests("set-close")) == 1


def test_r6_a_refused_choice_is_opened_again_with_what_was_typed(shop: Stage) -> None:
    """The reason need not be typed twice."""
    clerk = shop.visitor("manager")
    press(clerk, BY_BUTTON, "send", why="烤箱常忘关")
    (asked,) = shop.requests("set-close")
    shop.answer("set-close", asked["transaction"], "refused", rule="R6", error="meter a206 has no button")
    card = unescape(clerk.see(f"/answer/{asked['transaction']}"))
    again = re.search(r'href="([^"]*protection/by-button[^"]*)"', card)
    assert again and "烤箱常忘关" in clerk.see(again[1].removeprefix(".."))


def test_r6_where_no_meter_has_a_button_none_is_offered(stage: Stage) -> None:
    """A relay behind Modbus comes back by itself, whatever the meter's protocol is called: the gateway says so."""
    install(stage, [row("a206", "A206", "100206", button=False)], [tenant("100206", "x", "A206", ["a206"])])
    stage.online()
    assert "by the button" not in stage.visitor("finance").see(ACCOUNT)
    assert press(stage.visitor("finance"), BY_BUTTON, "send", why="x").status_code == 422


def test_r6_who_may_not_choose_is_not_offered_it(shop: Stage) -> None:
    """No button, and no page behind it."""
    visitor = shop.visitor("operations")
    assert "Return by the button…" not in visitor.see(ACCOUNT)
    assert visitor.get(BY_BUTTON).status_code == 403


def test_i5_what_is_done_stays_done_whatever_is_answered_later(shop: Stage) -> None:
    """A copy of the request came to the gateway once more and was refused: the card still says what is so."""
    clerk = shop.visitor("finance")
    press(clerk, BY_BUTTON, "send", why="x")
    (asked,) = shop.requests("set-close")
    shop.answer("set-close", asked["transaction"], "done", data={"close": "permit"})
    shop.answer("set-close", asked["transaction"], "refused", rule="R7", error="a copy")
    assert "From now on supply returns by the meter's button." in unescape(clerk.see(f"/answer/{asked['transaction']}"))
