"""The tenant's own page: what it shows and hides, who makes its address; seeing it delivers a final warning (R1)."""

from __future__ import annotations

import re
import threading
from html import unescape
from typing import Any

import pytest
from panel_facts import at, charge, hold, protection, relay, row
from panel_stage import Stage, Visitor, install, one_shop, tenant

from panel.concerning import concerning_of

ACCOUNT, COUNTER = "100206", "/tenant-link/100206"
BY_ITSELF = "open by itself or by hand; nobody here ordered it, so a person decides"
UNTOLD: dict[str, Any] = {"delivered_at": None, "delivered_by": None}


def address_of(stage: Stage) -> str:
    """The counter makes an address; its path, as the paper has it."""
    clerk = stage.visitor("finance")
    assert clerk.post(COUNTER, COUNTER, do="make").status_code == 303
    (path,) = re.findall(r"http://localhost(/tenant/[A-Za-z0-9_-]{22})<", clerk.see(COUNTER))
    return path


def tell(visitor: Visitor, path: str, episode: str | None = None) -> Any:
    """Send the page's form, as its script does once somebody touches the page. No token goes along."""
    of_page = re.findall(r'name="episode" value="([^"]+)"', visitor.get(path).text)
    return visitor.client.post(path, data={"episode": episode or of_page[0]})


def stranger_at(stage: Stage, language: str = "en") -> Visitor:
    return Visitor(stage.app.test_client(), language)


def test_the_tenant_sees_balance_bills_and_what_comes_and_no_name(shop: Stage) -> None:
    """Without signing in: room, balance, the cut with its time, bills with their amounts; neither name nor phone, no
    way to any other page, and nothing that a search engine keeps."""
    shop.entry("charge/1", charge(ACCOUNT, "a206"), amount_nano=-51_826_116_000)
    given = {"account": ACCOUNT, "amount_fen": 5000, "who": "王敏", "reason": "other", "why": "查线", "receipt": "x-1"}
    shop.entry("compensation/1", given, amount_nano=50 * 10**9)
    stranger = stranger_at(shop)
    answer = stranger.get(address_of(shop))
    page = unescape(answer.text)
    assert answer.status_code == 200 and "A206" in page and "3.18" in page and "-51.83" in page.replace("−", "-")
    assert re.search(r"Supply is cut .* unless you pay", page)
    assert "味之源" not in page and "王敏" not in page and "查线" not in page and "138" not in page
    assert "/account/" not in page and 'content="noindex"' in page and answer.headers["Cache-Control"] == "no-store"
    assert stranger.get("/account/100206").status_code == 303, "the address opens this page and no other"


@pytest.mark.parametrize("path", ["/tenant/" + "A" * 22, "/tenant/x", "/tenant/" + "%27" * 22])
def test_a_made_up_address_leads_nowhere(shop: Stage, path: str) -> None:
    """Whatever is guessed: 404 in words, and nothing is told to the gateway."""
    stranger = stranger_at(shop)
    assert stranger.get(path).status_code == 404 and stranger.post(path, "/sign-in").status_code == 404
    assert not shop.requests("told")


def test_a_new_address_ends_the_old_one_and_it_can_be_ended(shop: Stage) -> None:
    """Who should not have it loses it; over a restart of the panel too it is the same one."""
    old = address_of(shop)
    new, stranger = address_of(shop), stranger_at(shop)
    assert old != new and "leads nowhere" in stranger.get(old).text and stranger.get(new).status_code == 200
    shop.visitor("finance").post(COUNTER, COUNTER, do="end")
    assert stranger.get(new).status_code == 404
    assert "Make the address" in shop.visitor("finance").see(COUNTER)


def test_the_counter_makes_it_and_nobody_else(shop: Stage) -> None:
    """An engineer has no business with it; a stranger is sent to sign in; an odd wish changes nothing."""
    for role in ("engineer", "operations"):
        visitor = shop.visitor(role)
        assert visitor.get(COUNTER).status_code == 403 and visitor.post(COUNTER, do="make").status_code == 403
    stranger = stranger_at(shop)
    assert stranger.get(COUNTER).status_code == 303 and stranger.post(COUNTER, "/sign-in", do="make").status_code == 303
    assert shop.visitor("manager").post(COUNTER, COUNTER, do="burn").status_code == 400
    assert shop.parts.tenant_links.of(ACCOUNT) is None
    assert "Tenant's page" in shop.visitor("finance").see("/account/100206")
    assert "Tenant's page" not in shop.visitor("engineer").see("/account/100206")


def test_the_paper_has_the_address_that_a_phone_reaches(shop: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the site file says it, with a picture to scan; an address of this machine alone is named."""
    address_of(shop)
    clerk = shop.visitor("finance")
    assert "A phone does not reach this address" in clerk.see(COUNTER)
    monkeypatch.setitem(shop.parts.site.panel.__dict__, "url", "https://pay.example/riser/")
    page = clerk.see(COUNTER)
    assert re.search(r"https://pay\.example/riser/tenant/[\w-]{22}<", page) and "<svg" in page
    assert "A phone does not reach this address" not in page


def test_r1_seeing_the_page_delivers_the_final_warning(shop: Stage) -> None:
    """Opened it tells nothing, as a messenger opens addresses by itself; touched, it is told to the gateway once, of
    the warning that was seen. The address stands in no message: others may read those."""
    one_shop(shop, **UNTOLD)
    path, phone = address_of(shop), stranger_at(shop)
    shown = phone.get(path).text
    assert 'hx-trigger="pointerdown from:body once, keydown from:body once, submit"' in shown
    assert not shop.requests("told"), "opened is not seen"
    for _ in range(3):
        answer = tell(phone, path, "1")
        assert answer.status_code == 303 and answer.headers["Location"].endswith("?seen=1")
    (told,) = shop.requests("told")
    assert [told[key] for key in ("account", "role", "how", "episode")] == [ACCOUNT, "tenant", "page", 1]
    assert not [payload for _, payload, _ in shop.link.published if path.rsplit("/", 1)[1].encode() in payload]
    after = phone.get(path + "?seen=1").text
    assert "pointerdown" not in after and "Passed on to the gateway." in after
    shop.clock.advance(31)
    one_shop(shop, **UNTOLD)
    tell(phone, path, "1")
    assert len(shop.requests("told")) == 2, "no answer came, and it is told again"


def test_r1_the_staff_are_not_the_tenant(shop: Stage) -> None:
    """A clerk who tries the address delivers nothing, and the page does not keep the clerk signed in."""
    one_shop(shop, **UNTOLD)
    path, clerk = address_of(shop), shop.visitor("finance")
    assert "pointerdown" not in clerk.get(path).text
    tell(clerk, path, "1")
    assert not shop.requests("told")
    for _ in range(40):
        shop.clock.advance(60)
        clerk.get(path + "?top=1")
    assert clerk.get("/account/100206").status_code == 303, "the session is over"
    one_shop(shop, **UNTOLD)
    assert "pointerdown" not in clerk.get(path).text
    tell(clerk, path, "1")
    assert not shop.requests("told"), "it is the clerk's browser still"


def test_r1_a_page_that_stood_open_tells_of_no_other_warning(shop: Stage) -> None:
    """Delivered meanwhile, another episode, or a gateway that nobody hears: nothing is sent."""
    one_shop(shop, **UNTOLD)
    path, phone = address_of(shop), stranger_at(shop)
    tell(phone, path, "2")
    assert not shop.requests("told")
    assert "pointerdown" in phone.get(path + "?seen=2").text, "a kept address hides no later warning"
    shop.lose()
    page = phone.get(path).text
    assert "pointerdown" not in page and "may be old" in page and "data-until" not in page
    assert not tell(phone, path, "1").headers["Location"].endswith("?seen=1")
    shop.return_()
    one_shop(shop)
    assert "pointerdown" not in phone.get(path).text
    tell(phone, path, "1")
    assert not shop.requests("told"), "it was delivered by its lamp"


def test_before_the_gateway_is_heard_the_address_is_not_called_dead(stage: Stage) -> None:
    """The panel has just been started: look again in a minute."""
    stage.parts.tenant_links.make(ACCOUNT, "x")
    link = stage.parts.tenant_links.of(ACCOUNT)
    assert link is not None
    answer = stranger_at(stage).get(f"/tenant/{link.token}")
    assert answer.status_code == 503 and "Nothing is known yet" in answer.text


def test_a_flood_of_one_page_asks_the_archive_twice_a_minute(shop: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """The archive is the staff's as well; what refreshes does not ask it at all. Bills stand below a hundred others."""
    shop.entry("topup/1", {"account": ACCOUNT, "amount_fen": 5000, "method": "cash"}, amount_nano=50 * 10**9)
    for _ in range(130):
        shop.entry("relay/1", {"account": ACCOUNT, "meter": "a206", "observed": "closed", "why": "order"})
    path, phone, asked = address_of(shop), stranger_at(shop), list[int]()
    inner = shop.parts.history.of_account
    monkeypatch.setattr(shop.parts.history, "of_account", lambda *a, **k: (asked.append(1), inner(*a, **k))[1])
    assert all("+50.00" in phone.get(path).text for _ in range(20))
    once = len(asked)
    assert 0 < once <= 5
    phone.get(path + "?top=1")
    shop.clock.advance(29)
    phone.get(path)
    assert len(asked) == once
    shop.clock.advance(2)
    phone.get(path)
    assert len(asked) > once


def test_a_damaged_archive_is_not_an_empty_one(shop: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bills cannot be read: said so each time, and the balance stands; a while later they are looked for again."""
    path = address_of(shop)
    with monkeypatch.context() as broken:
        broken.setattr(shop.parts.history, "of_account", lambda *a, **k: (shop.parts.history.missing(), [])[1])
        for _ in range(2):
            page = stranger_at(shop).get(path).text
            assert "They cannot be read at present" in page and "3.18" in page
    shop.clock.advance(31)
    assert "Nothing yet." in stranger_at(shop).get(path).text


def test_an_archive_that_hangs_holds_one_page_and_no_other(shop: Stage) -> None:
    """While one looks, whoever else loads a page gets an answer at once: of another account, and of the same one."""
    begun, go_on = threading.Event(), threading.Event()
    bills, inner = shop.parts.tenant_bills, shop.parts.history.of_account

    def hangs(*given: Any, **more: Any) -> Any:
        begun.set()
        assert go_on.wait(60)
        return inner(*given, **more)

    shop.parts.history.of_account = hangs  # type: ignore[method-assign]
    nothing = concerning_of(tenant(ACCOUNT, "x", "A206", []), False)
    first = threading.Thread(target=bills.of, args=("one", nothing, lambda: False))
    first.start()
    assert begun.wait(60)
    assert bills.of("one", nothing, lambda: False) is None, "nothing was found before"
    shop.parts.history.of_account = inner  # type: ignore[method-assign]
    assert bills.of("two", nothing, lambda: False) == []
    go_on.set()
    first.join(60)
    assert bills.of("one", nothing, lambda: False) == []


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"state": "low2", "level": 2, "final_warning_at": None, "cut_at": None, **UNTOLD}, "Your balance is low"),
        ({"state": "on", "level": 0, "final_warning_at": None, "cut_at": None, **UNTOLD}, "Supply is on"),
        ({"cut_at": None, "protected_until": at(-600)}, "Nobody is cut before"),
        ({"cut_at": None}, "the balance is nearly used up"),
        ({"cut_at": None, "available": -1.0}, "The balance is used up"),
        ({"blocked": "R4", "blocked_why": "the brake"}, "You are not cut off now"),
        ({"can_cut": False}, "You are not cut off now"),
        ({"protections": [protection()]}, "Nobody cuts you off until"),
        ({"ended_at": at(1)}, "The tenancy has ended"),
    ],
)  # fmt: skip
def test_the_page_says_how_it_stands(shop: Stage, facts: dict[str, Any], words: str) -> None:
    """Low, on, waiting for a window, warned without a time, protected (and not why), settled."""
    one_shop(shop, **facts)
    page = unescape(stranger_at(shop).get(address_of(shop) if "ended_at" not in facts else _ended(shop)).text)
    assert words in page and "病人" not in page


def _ended(shop: Stage) -> str:
    shop.parts.tenant_links.make(ACCOUNT, "x")
    link = shop.parts.tenant_links.of(ACCOUNT)
    assert link is not None
    return f"/tenant/{link.token}"


DARK = {"observed": "open", "desired": "open", "holds": [hold("arrears")]}


@pytest.mark.parametrize(
    ("way", "facts", "words"),
    [
        ("direct", DARK, "Pay at least 3.01 yuan. It returns by itself once the balance is above 1.00 yuan."),
        ("permit", DARK, "Once the balance is above 1.00 yuan, press the button at the meter."),
        ("direct", DARK | {"desired": "closed"}, "It is being switched on again"),
        ("permit", DARK | {"desired": "closed"}, "Press the button at your meter"),
        ("direct", DARK | {"holds": [hold("arrears"), hold("manual")]}, "a payment alone does not bring it back"),
        ("direct", DARK | {"holds": [hold("manual")]}, "not for money"),
        ("direct", {"observed": "closed", "holds": [hold("manual")]}, "staff switch your supply off"),
        ("direct", {"observed": "open", "holds": [], "own_purse": "empty"}, "The meter did that by itself"),
        ("direct", {"observed": "open", "holds": [], "why": BY_ITSELF}, "The meter did that by itself"),
    ],
)  # fmt: skip
def test_who_is_dark_reads_why_and_what_brings_supply_back(
    stage: Stage, way: str, facts: dict[str, Any], words: str
) -> None:
    """How much at least, by itself or by the button; nothing of money where money does not help."""
    one_shop(stage, state="low3", available=-2.0, cut_at=None, final_warning_at=None, **UNTOLD)
    rows = [row("a206", "A206", ACCOUNT, relay=way)]
    install(stage, rows, [tenant(ACCOUNT, "x", "A206", ["a206"])])
    stage.say(relay(**facts), "a206")
    page = unescape(stranger_at(stage).get(address_of(stage)).text)
    assert words in page and ("Pay at least" in page) == (facts == DARK)


@pytest.mark.parametrize("facts", [DARK | {"holds": [hold("manual")]}, DARK | {"desired": "closed"},
                                   {"observed": "closed", "holds": [hold("lockout")]}])  # fmt: skip
def test_r1_a_page_that_shows_no_warning_delivers_none(stage: Stage, facts: dict[str, Any]) -> None:
    """Dark or locked for another reason, and an undelivered warning stands behind it: nobody could read it there."""
    one_shop(stage, **UNTOLD)
    stage.say(relay(**facts), "a206")
    assert "pointerdown" not in stranger_at(stage).get(address_of(stage)).text


def test_i11_what_was_not_read_back_is_not_said_to_be_on(stage: Stage) -> None:
    """The relay is not known yet: the page speaks of the balance."""
    one_shop(stage, state="on", level=0, final_warning_at=None, cut_at=None, **UNTOLD)
    stage.say(relay("unknown", desired="closed"), "a206")
    page = stranger_at(stage).get(address_of(stage)).text
    assert "Supply is on" not in page and "All is well with your balance" in page


def test_in_chinese_it_is_chinese(shop: Stage) -> None:
    """A stranger's browser gets Chinese first."""
    page = shop.app.test_client().get(address_of(shop)).text
    assert "账单与充值" in page and "停电" in page and "Bills" not in page
