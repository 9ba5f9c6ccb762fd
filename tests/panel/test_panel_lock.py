"""A meter is locked for work at its wires and unlocked again: the form, who sees it, where it is read of."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
from panel_facts import hold, relay, standing
from panel_stage import Stage, Visitor, one_shop

from bridge.contract.messages import REQUESTS
from bridge.contract.permissions import role_may

METER, LOCK = "/meter/a206", "/meter/a206/lock"
THEIRS = hold("lockout", "new breaker", "李强")


def press(visitor: Visitor, **typed: str) -> Any:
    """Fill the form that stands there and press its button."""
    found = re.search(r'name="transaction" value="([^"]+)"', visitor.get(LOCK).text)
    assert found
    return visitor.post(LOCK, LOCK, **{"transaction": found[1], "room": "A206", **typed})


def test_a_meter_is_locked_and_the_answer_waits_until_it_is_read_back(shop: Stage) -> None:
    """R5: room and reason typed, sent once, told as done only when the meter says that it is off."""
    engineer = shop.visitor("engineer")
    assert "Lock…" in engineer.see(METER) and "replaces no breaker" in engineer.see(LOCK)
    sent = press(engineer, do="lock", how="off", why="new breaker")
    assert sent.status_code == 303
    (asked,) = shop.requests("lock")
    assert (asked["meter"], asked["off"], asked["why"], asked["who"]) == ("a206", True, "new breaker", "engineer-1")
    shop.answer("lock", asked["transaction"], "accepted", data={"holds": ["lockout"]})
    card = f"/answer/{asked['transaction']}"
    assert "waiting until the meter has confirmed" in engineer.see(card)
    shop.answer("lock", asked["transaction"], "done", data={"observed": "open", "holds": ["lockout"]})
    assert "Locked. The relay is open, read back." in engineer.see(card)


def test_it_is_locked_as_it_stands(shop: Stage) -> None:
    """Nothing is switched: it is done when it stands in the book."""
    engineer = shop.visitor("engineer")
    press(engineer, do="lock", how="stands", why="measuring")
    (asked,) = shop.requests("lock")
    assert asked["off"] is False
    shop.answer("lock", asked["transaction"], "done", data={"holds": ["lockout"]})
    assert "Locked as it stands. Nothing was switched off." in engineer.see(f"/answer/{asked['transaction']}")


@pytest.mark.parametrize(
    ("typed", "field", "words"),
    [
        ({"room": "A207"}, "room", "That is not this room"),
        ({"why": ""}, "why", "A reason is needed"),
        ({"why": "x" * 201}, "why", "At most 200 characters."),
        ({"how": ""}, "how", "Choose whether supply is switched off."),
        ({"transaction": ""}, "form", "lost its number"),
    ],
)
def test_what_is_missing_is_told_at_its_field(shop: Stage, typed: dict[str, str], field: str, words: str) -> None:
    """Each mistake stands beside its field, what was typed stays, nothing is sent."""
    answer = press(shop.visitor("engineer"), **{"do": "lock", "how": "off", "why": "cable", **typed})
    assert answer.status_code == 422
    assert re.search(rf'id="{field}-mistake">.*?({words})', unescape(answer.text), re.S)
    assert answer.text.count('-mistake"') == 1 and shop.requests("lock") == []


def test_who_locked_it_unlocks_it(shop: Stage) -> None:
    """Their own lock needs a reason and the room; supply that stays off is told with what holds it."""
    shop.say(relay("open", holds=[hold("lockout", "cable", "engineer-1"), hold("manual", "x")]), "a206")
    engineer = shop.visitor("engineer")
    assert "in place of" not in engineer.see(LOCK)
    assert press(engineer, do="unlock", why="done").status_code == 303
    (asked,) = shop.requests("unlock")
    assert "in_place_of" not in asked and asked["why"] == "done"
    shop.answer("unlock", asked["transaction"], "done", data={"holds": ["manual"], "text": "x"})
    assert "Unlocked. These holds remain: by hand." in engineer.see(f"/answer/{asked['transaction']}")


def test_somebody_elses_lock_is_lifted_in_their_place_by_name(shop: Stage) -> None:
    """It must be said that nobody works there, of this very lock; the request names whose it was."""
    shop.say(relay("open", holds=[THEIRS]), "a206")
    manager = shop.visitor("manager")
    page = manager.see(LOCK)
    assert "locked for work by 李强 since 11-20 09:50: new breaker" in page and "I unlock it in place of 李强" in page
    for sure in ("", "赵六"):
        assert press(manager, do="unlock", why="he went home", sure=sure).status_code == 422
    assert shop.requests("unlock") == []
    assert press(manager, do="unlock", why="he went home", sure="李强").status_code == 303
    assert shop.requests("unlock")[0]["in_place_of"] == "李强"


def test_a_lock_that_came_meanwhile_is_not_lifted_by_an_old_form(shop: Stage) -> None:
    """The form to lock was open when somebody else locked it: told, nothing sent; and the other way round."""
    engineer = shop.visitor("engineer")
    shop.say(relay("open", holds=[THEIRS]), "a206")
    answer = press(engineer, do="lock", how="off", why="cable")
    assert answer.status_code == 422 and "Somebody has locked or unlocked it meanwhile" in answer.text
    shop.say(relay("closed"), "a206")
    assert press(engineer, do="unlock", why="cable", sure="李强").status_code == 422
    assert shop.requests("lock") == [] == shop.requests("unlock")


def test_a_double_click_is_sent_once(shop: Stage) -> None:
    """R7: also when the lock stands already by the time of the second click."""
    engineer = shop.visitor("engineer")
    typed = {"transaction": "n" * 16, "do": "lock", "how": "off", "why": "cable", "room": "A206"}
    engineer.post(LOCK, LOCK, **typed)
    shop.say(relay("open", holds=[hold("lockout", "cable", "engineer-1")]), "a206")
    assert engineer.post(LOCK, LOCK, **typed).status_code == 303
    assert len(shop.requests("lock")) == 1


def test_nobody_closes_what_is_locked(shop: Stage) -> None:
    """The button is gone, and a dialog that was open is refused with who has locked it since when."""
    shop.say(relay("open", holds=[THEIRS]), "a206")
    manager = shop.visitor("manager")
    assert "?ask=close" not in manager.see(METER)
    answer = manager.post(METER, METER + "?ask=close", do="close", room="A206", why="x", transaction="t" * 12)
    assert answer.status_code == 422 and "locked for work by 李强 since 11-20 09:50" in answer.text
    assert shop.requests("close") == []


@pytest.mark.parametrize("role", ["manager", "finance", "engineer", "operations"])
def test_each_role_sees_the_lock_and_does_its_own(shop: Stage, role: str) -> None:
    """The lock is shown to everybody; who may not lock has no button and gets 403."""
    shop.say(relay("open", holds=[THEIRS]), "a206")
    visitor = shop.visitor(role)
    page = visitor.see(METER)
    assert "locked for work by 李强" in page and "Nothing switches it on before it is unlocked" in page
    assert ("Unlock…" in page) == role_may(role, "unlock")
    assert visitor.get(LOCK).status_code == (200 if role_may(role, "lock") else 403)
    typed = {"transaction": "t" * 12, "do": "unlock", "why": "x", "room": "A206", "sure": "李强"}
    assert visitor.post(LOCK, "/password", **typed).status_code == (303 if role_may(role, "unlock") else 403)


def test_everybody_reads_why_it_stays_dark(shop: Stage) -> None:
    """Account, grid and policy page say that it is locked, by whom and since when; paying does not help."""
    shop.say(relay("open", holds=[THEIRS]), "a206")
    shop.say(standing("held", 235.0), "100206")
    clerk = shop.visitor("finance")
    account = unescape(clerk.see("/account/100206"))
    assert "service (李强, 11-20 09:50): new breaker" in account
    assert "Nothing switches it on before it is unlocked: no payment" in account
    assert "A hold remains that money does not lift: service." in clerk.see("/account/100206?amount=50")
    assert re.search(r's-held" id="r-a206".*?service', clerk.see("/rooms"), re.S)
    policy = clerk.see("/policy")
    assert "Locked for work" in policy and "locked for work by 李强 since 11-20 09:50: new breaker" in policy


def test_a_lock_that_leaves_it_on_promises_no_darkness(shop: Stage) -> None:
    """Locked as it stands: nobody reads that supply will go off, and the cut that was due waits for the lock."""
    one_shop(shop, blocked="R5", blocked_why="locked for work by 李强 since 2026-11-20 09:50: new breaker")
    shop.say(relay("closed", holds=[{**THEIRS, "off": False}]), "a206")
    clerk = shop.visitor("finance")
    account = unescape(clerk.see("/account/100206"))
    assert "Locked for work; it stays as it stands" in account and "supply will go off" not in account
    policy = clerk.see("/policy")
    assert "Due, and waits" in policy and policy.count("locked for work by 李强 since 11-20 09:50") == 2
    assert "A hold remains that money does not lift" not in clerk.see("/account/100206?amount=50")


def test_the_story_tells_in_whose_place_it_was_unlocked(shop: Stage) -> None:
    """Meter and account keep both names."""
    body = {"meter": "a206", "account": "100206", "hold": "lockout", "set": False, "why": "他回家了", "who": "王敏",
            "role": "manager", "in_place_of": "李强"}  # fmt: skip
    shop.entry("hold/1", body)
    visitor = shop.visitor("manager")
    for path in (METER, "/account/100206"):
        assert "王敏 · in place of 李强 · 他回家了" in unescape(visitor.see(path)), path


def test_chinese_pages_show_no_english(shop: Stage) -> None:
    """Form, banner and policy are Chinese."""
    shop.say(relay("open", holds=[hold("lockout", "换断路器", "李强")]), "a206")
    visitor = shop.visitor("manager", language="zh")
    for path, words in ((LOCK, "我代 李强 解锁"), (METER, "检修已上锁"), ("/policy", "检修上锁")):
        page = visitor.see(path)
        main = re.sub(r"<svg.*?</svg>", " ", page[page.index('<main id="main">') :], flags=re.S)
        main = re.sub(r"<[^>]*>", " ", main)
        assert words in main, path
        assert not {"lock", "locked", "Locked", "Unlock", "work", "supply"} & set(re.findall("[A-Za-z]+", main)), path


def test_the_requests_are_those_of_the_contract() -> None:
    """Both are there, and neither is anybody's who may not switch."""
    assert {"lock", "unlock"} <= REQUESTS.keys()
    assert [role for role in ("manager", "finance", "engineer", "operations") if role_may(role, "lock")] == [
        "manager", "engineer"
    ]  # fmt: skip
