"""The tenant's own page: what it shows and hides, who makes its address; seeing it delivers a final warning (R1)."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
from panel_facts import at, charge, hold, protection, relay, row
from panel_stage import Stage, Visitor, install, one_shop, tenant

ACCOUNT, COUNTER = "100206", "/tenant-link/100206"
UNTOLD: dict[str, Any] = {"delivered_at": None, "delivered_by": None}


def address_of(stage: Stage) -> str:
    """The counter makes an address; its path, as the paper has it."""
    clerk = stage.visitor("finance")
    assert clerk.post(COUNTER, COUNTER, do="make").status_code == 303
    (path,) = re.findall(r"http://localhost(/tenant/[A-Za-z0-9_-]{22})<", clerk.see(COUNTER))
    return path


def tell(visitor: Visitor, path: str, episode: str | None = None) -> Any:
    """Send the page's form, as its script does once it has been seen."""
    shown = visitor.get(path).text
    token, of_page = (re.findall(rf'name="{name}" value="([^"]+)"', shown) for name in ("csrf_token", "episode"))
    fields = {"csrf_token": token[0], "episode": episode or of_page[0]}
    return visitor.client.post(path, data=fields)


def test_the_tenant_sees_balance_bills_and_what_comes_and_no_name(shop: Stage) -> None:
    """Without signing in: room, balance, the cut with its time, bills with their amounts; neither name nor phone, no
    way to any other page, and nothing that a search engine keeps."""
    shop.entry("charge/1", charge(ACCOUNT, "a206"), amount_nano=-51_826_116_000)
    shop.entry(
        "hold/1", {"account": ACCOUNT, "meter": "a206", "hold": "manual", "set": True, "who": "王敏", "why": "查线"}
    )
    stranger = Visitor(shop.app.test_client(), "en")
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
    stranger = Visitor(shop.app.test_client(), "en")
    assert stranger.get(path).status_code == 404 and stranger.post(path, "/sign-in").status_code == 404
    assert not shop.requests("told")


def test_a_new_address_ends_the_old_one_and_it_can_be_ended(shop: Stage) -> None:
    """Who should not have it loses it; over a restart of the panel too it is the same one."""
    old = address_of(shop)
    new, stranger = address_of(shop), Visitor(shop.app.test_client(), "en")
    assert old != new and "leads nowhere" in stranger.get(old).text and stranger.get(new).status_code == 200
    shop.visitor("finance").post(COUNTER, COUNTER, do="end")
    assert stranger.get(new).status_code == 404
    assert "Make the address" in shop.visitor("finance").see(COUNTER)


def test_the_counter_makes_it_and_nobody_else(shop: Stage) -> None:
    """An engineer has no business with it; a stranger is sent to sign in; an odd wish changes nothing."""
    for role in ("engineer", "operations"):
        visitor = shop.visitor(role)
        assert visitor.get(COUNTER).status_code == 403 and visitor.post(COUNTER, do="make").status_code == 403
    stranger = Visitor(shop.app.test_client(), "en")
    assert stranger.get(COUNTER).status_code == 303 and stranger.post(COUNTER, "/sign-in", do="make").status_code == 303
    assert shop.visitor("manager").post(COUNTER, COUNTER, do="burn").status_code == 400
    assert shop.parts.tenant_links.of(ACCOUNT) is None
    assert "Tenant's page" in shop.visitor("finance").see("/account/100206")
    assert "Tenant's page" not in shop.visitor("engineer").see("/account/100206")


def test_the_paper_has_the_address_that_a_phone_reaches(shop: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the site file says it, with a picture to scan; an address of this machine alone is named."""
    address_of(shop)
    clerk = shop.visitor("finance")
    assert "a phone does not reach it" in clerk.see(COUNTER)
    monkeypatch.setitem(shop.parts.site.panel.__dict__, "url", "https://pay.example/riser/")
    page = clerk.see(COUNTER)
    assert re.search(r"https://pay\.example/riser/tenant/[\w-]{22}<", page) and "<svg" in page
    assert "a phone does not reach it" not in page


def test_r1_seeing_the_page_delivers_the_final_warning(shop: Stage) -> None:
    """Opened it tells nothing yet, as a messenger opens addresses by itself; seen, it is told to the gateway once, of
    the warning that was seen."""
    one_shop(shop, **UNTOLD)
    path, phone = address_of(shop), Visitor(shop.app.test_client(), "en")
    assert 'hx-trigger="intersect once delay:2s, submit"' in phone.get(path).text
    assert not shop.requests("told"), "opened is not seen"
    for _ in range(3):
        answer = tell(phone, path)
        assert answer.status_code == 303 and answer.headers["Location"].endswith("?seen=1")
    (told,) = shop.requests("told")
    assert [told[key] for key in ("account", "role", "how", "episode")] == [ACCOUNT, "tenant", "page", 1]
    assert "to_see" not in phone.get(path + "?seen=1").text and "intersect" not in phone.get(path + "?seen=1").text


def test_r1_a_page_that_stood_open_tells_of_no_other_warning(shop: Stage) -> None:
    """Delivered meanwhile, or another episode: nothing is sent. While the broker is away it is tried again."""
    one_shop(shop, **UNTOLD)
    path, phone = address_of(shop), Visitor(shop.app.test_client(), "en")
    tell(phone, path, "2")
    assert not shop.requests("told")
    shop.link.connected = False
    assert not tell(phone, path).headers["Location"].endswith("?seen=1")
    shop.link.connected = True
    tell(phone, path)
    assert len(shop.requests("told")) == 1
    shop.clock.advance(120)
    one_shop(shop)
    assert "intersect" not in phone.get(path).text
    token = phone.token("/sign-in")
    phone.client.post(path, data={"csrf_token": token, "episode": "1"})
    assert len(shop.requests("told")) == 1


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"state": "low2", "level": 2, "final_warning_at": None, "cut_at": None, **UNTOLD}, "Your balance is low"),
        ({"state": "on", "level": 0, "final_warning_at": None, "cut_at": None, **UNTOLD}, "Supply is on"),
        ({"cut_at": None, "protected_until": at(-600)}, "nobody is cut before"),
        ({"cut_at": None}, "the balance is nearly used up"),
        ({"protections": [protection()]}, "Nobody cuts you off until"),
        ({"ended_at": at(1)}, "The tenancy has ended"),
    ],
)  # fmt: skip
def test_the_page_says_how_it_stands(shop: Stage, facts: dict[str, Any], words: str) -> None:
    """Low, on, waiting for a window, warned without a time, protected (and not why), settled."""
    one_shop(shop, **facts)
    page = unescape(
        Visitor(shop.app.test_client(), "en").get(address_of(shop) if "ended_at" not in facts else _ended(shop)).text
    )
    assert words in page and "病人" not in page


def _ended(shop: Stage) -> str:
    shop.parts.tenant_links.make(ACCOUNT, "x")
    link = shop.parts.tenant_links.of(ACCOUNT)
    assert link is not None
    return f"/tenant/{link.token}"


@pytest.mark.parametrize(
    ("way", "words"),
    [
        ("direct", "It returns by itself once the balance is above 1.00 yuan"),
        ("permit", "press the button at the meter"),
    ],
)
def test_who_is_cut_reads_what_brings_supply_back(stage: Stage, way: str, words: str) -> None:
    """How much at least, and whether it comes by itself or by the button."""
    one_shop(stage, state="cut", available=-2.0, cut_at=None)
    install(
        stage,
        [row("a206", "A206", ACCOUNT).model_copy(update={"relay": way})],
        [tenant(ACCOUNT, "x", "A206", ["a206"])],
    )
    stage.say(relay(observed="open", desired="open", holds=[hold("arrears")]), "a206")
    page = unescape(Visitor(stage.app.test_client(), "en").get(address_of(stage)).text)
    assert "Your supply is off" in page and words in page and "Pay at least 3.01 yuan." in page
    stage.say(relay(observed="open", desired="closed"), "a206")
    assert "It is being switched on again" in Visitor(stage.app.test_client(), "en").get(address_of(stage)).text


def test_in_chinese_it_is_chinese(shop: Stage) -> None:
    """A stranger's browser gets Chinese first."""
    page = shop.app.test_client().get(address_of(shop)).text
    assert "账单与充值" in page and "停电" in page and "Bills" not in page
