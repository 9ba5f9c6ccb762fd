"""A tenant moves in at the counter: a vacant room offers it, a form is sent once, somebody else approves it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from panel_facts import at, reading, row, tenant
from panel_forms import Form
from panel_house import house_in, panel_of, pump
from panel_stage import Stage, Visitor

from bridge.contract.messages import AccountRow, Accounts, Meters, Proposals
from bridge.contract.price_facts import ProposalRow

METER, PATH = "/meter/a207", "/meter/a207/move-in"
NUMBER = "n" * 12
TYPED = {
    "account": "100207-2", "name": "新茶馆", "room": "A207", "phone": "139 1234 5678", "tariff": "shop",
    "meters": "a207", "papers": "lease 114",
}  # fmt: skip


@pytest.fixture
def vacant(shop: Stage) -> Stage:
    """Beside a let shop stands A207, whose tenant was settled, and a room that never had one."""
    view = shop.mirror.view()
    gone = tenant("100207", "老书店", "A207", []).model_copy(update={"category": "shop"})
    shop.say(Accounts(accounts=[*view.accounts.values(), gone]))
    kept = [each for each in view.meters.values() if each.id not in ("a207", "a301")]
    shop.say(Meters(meters=[*kept, row("a207", "A207"), row("a301", "A301")]))
    shop.say(reading(unbilled_wh=12_340, unbilled_since=at(600)), "a207")
    return shop


def proposal(who: str = "finance-2", **body: Any) -> Proposals:
    words = {**TYPED, "meters": ["a207"], "water_tariff": None, "category": "shop", "household": None, **body}
    signed = {"who": who, "role": "finance", "at": at(5), "until": at(-4000)}
    return Proposals(proposals=[ProposalRow.model_validate({"id": "p-9", "what": "move-in", "body": words, **signed})])


def form_of(visitor: Visitor, path: str = PATH) -> list[tuple[str, str]]:
    return Form(visitor.see(path)).pairs


def test_a_room_without_a_tenant_offers_it_to_those_who_may(vacant: Stage) -> None:
    """The clerk and the manager see the button on the meter's page, an engineer does not; a let room has none, and its
    form shows the tenant instead."""
    clerk = vacant.visitor("finance")
    assert "Move in…" in clerk.see(METER) and "a207/move-in" in clerk.see(METER)
    assert "Move in…" not in clerk.see("/meter/a206")
    assert clerk.get("/meter/a206/move-in").headers["Location"].endswith("account/100206")
    engineer = vacant.visitor("engineer")
    assert "Move in…" not in engineer.see(METER)
    assert engineer.get(PATH).status_code == 403 and engineer.post(PATH, **TYPED).status_code == 403


def test_the_form_knows_what_can_be_known(vacant: Stage) -> None:
    """A number that no tenant had, the room and its last price and category, the room's meter ticked, and what the
    meter counted for nobody."""
    clerk = vacant.visitor("finance")
    pairs = form_of(clerk)
    expected = {"account": "100207-2", "room": "A207", "tariff": "shop", "category": "shop", "household": ""}
    assert expected.items() <= dict(pairs).items()
    assert [value for name, value in pairs if name == "meters"] == ["a207"]
    page = clerk.see(PATH)
    assert "12.34 kWh" in page and "老书店" in page and 'value="a301"' in page


def test_a_room_that_never_had_a_tenant_has_no_price_chosen(vacant: Stage) -> None:
    """Nobody guesses what a new tenant pays: the price is chosen, and without one nothing is sent."""
    clerk = vacant.visitor("finance")
    assert dict(form_of(clerk, "/meter/a301/move-in"))["tariff"] == ""
    answer = clerk.post("/meter/a301/move-in", "/meter/a301/move-in", transaction=NUMBER,
                        **TYPED | {"tariff": "", "meters": "a301", "account": "100301"})  # fmt: skip
    assert answer.status_code == 422 and "Choose the price by which this tenant pays." in answer.text
    assert vacant.requests("move-in") == []


def test_a_proposal_is_headed_by_the_room_and_the_name(vacant: Stage) -> None:
    """On the list and on its own page, as everything else that waits is; one whose name is no name, by what it is."""
    vacant.say(proposal())
    manager = vacant.visitor("manager")
    assert "A207 新茶馆 moves in</a></h2>" in manager.see("/money/waiting")
    assert "<h1>A207 新茶馆 moves in</h1>" in manager.see("/proposal/p-9")
    assert "A207 新茶馆 入住" in vacant.visitor("manager", "zh").see("/proposal/p-9")
    vacant.say(proposal(name=7))
    assert "A tenant moves in</a></h2>" in vacant.visitor("manager").see("/money/waiting")


@pytest.mark.parametrize("ids, suggested", [
    (["2026-107"], "2026-107-2"), (["2026-107", "2026-107-2"], "2026-107-3"), ([], "a207"), (["x" * 30], ""),
])  # fmt: skip
def test_a_free_number_is_offered(vacant: Stage, ids: list[str], suggested: str) -> None:
    """That of the room's first tenant and a -2, -3; a room that had none is its own; none that would be too long."""
    rows = [tenant(id, "x", "A207", []) for id in ids]
    rows = [each.model_copy(update={"since": at(900 - n)}) for n, each in enumerate(rows)]
    vacant.say(Accounts(accounts=rows))
    assert dict(form_of(vacant.visitor("finance")))["account"] == suggested


def test_it_is_asked_for_once_with_what_was_typed(vacant: Stage) -> None:
    """A double click is one request, also after the tenant has moved in; two meters and a household go as they were
    chosen; then the meter's page tells who has to approve it."""
    clerk = vacant.visitor("finance")
    number = dict(form_of(clerk))["transaction"]
    fields: dict[str, Any] = {**TYPED, "meters": ["a207", "a301"], "household": "no", "category": ""}
    for _ in range(2):
        sent = clerk.post(PATH, PATH, transaction=number, **fields)
        assert sent.status_code == 303 and number in sent.headers["Location"]
    (asked,) = vacant.requests("move-in")
    assert asked["meters"] == ["a207", "a301"] and asked["household"] is False and asked["category"] is None
    expected = {key: value for key, value in TYPED.items() if key != "meters"} | {"role": "finance", "who": "finance-1"}
    assert {key: asked[key] for key in expected} == expected and asked["water_tariff"] is None
    vacant.answer("move-in", number, "done", data={"proposal": "p-9", "until": at(-700), "account": "100207-2"})
    assert "Somebody else must approve it" in clerk.see(f"{METER}?answer={number}")
    here = tenant("100207-2", "新茶馆", "A207", ["a207"])
    vacant.say(Accounts(accounts=[*vacant.mirror.view().accounts.values(), here]))
    assert clerk.post(PATH, METER, transaction=number, **fields).status_code == 303
    assert clerk.post(PATH, METER, transaction=number, **{**fields, "name": "x"}).status_code == 409
    assert len(vacant.requests("move-in")) == 1


@pytest.mark.parametrize("typed, told", [
    ({"name": " "}, "The tenant's name is needed"), ({"papers": ""}, "Say where the contract is"),
    ({"account": "Room 7"}, "1 to 32 of a to z"), ({"account": "100207"}, "This number was a tenant's already"),
    ({"phone": "call me"}, "Digits, spaces"), ({"meters": "a206"}, "Meter a206 has a tenant now"),
    ({"meters": []}, "Choose at least one meter"), ({"tariff": ""}, "Choose the price by which"),
    ({"name": "x" * 65}, "At most 64 characters"), ({"room": "a\x07"}, "cannot be shown"),
    ({"transaction": ""}, "This form lost its number"),
])  # fmt: skip
def test_a_slip_stands_beside_its_field_and_nothing_is_lost(vacant: Stage, typed: dict[str, Any], told: str) -> None:
    """What cannot be is told before it is sent, with the form as it was typed."""
    clerk = vacant.visitor("finance")
    answer = clerk.post(PATH, PATH, **{"transaction": NUMBER, **TYPED, **typed})
    assert answer.status_code == 422 and told in answer.text.replace("&#39;", "'") and not vacant.requests("move-in")
    assert "lease 114" in answer.text or "papers" in typed


def test_a_lost_connection_keeps_the_form(vacant: Stage) -> None:
    """Nothing left this panel: the same form can be sent again."""
    clerk = vacant.visitor("finance")
    token = clerk.token(PATH)
    vacant.lose()
    answer = clerk.client.post(PATH, data={"csrf_token": token, "transaction": NUMBER, **TYPED})
    assert answer.status_code == 503 and "新茶馆" in answer.text and NUMBER in answer.text


def test_a_session_that_ended_meanwhile_loses_nothing(vacant: Stage) -> None:
    """After signing in the form is there as it was typed, with its meters."""
    clerk = vacant.visitor("finance")
    token = clerk.token(PATH)
    vacant.visitor("manager")
    user = vacant.users.named("finance-1")
    assert user is not None
    vacant.users.set_role(user.id, "finance")  # Ends the session; the browser's cookie is still there.
    data = {"csrf_token": token, **TYPED, "transaction": NUMBER, "meters": ["a207", "a301"]}
    sent = clerk.client.post(PATH, data=data)
    draft = re.search(r"draft%3D([\w-]+)", sent.headers["Location"])
    assert draft, sent.headers["Location"]
    pairs = form_of(vacant.visitor("finance"), f"{PATH}?draft={draft[1]}")
    assert dict(pairs)["name"] == "新茶馆" and [v for n, v in pairs if n == "meters"] == ["a207", "a301"]


def test_what_the_gateway_refuses_is_told_and_can_be_changed(vacant: Stage) -> None:
    """The rule in words, the gateway's sentence in Chinese, and the way back to the form as it was typed."""
    clerk = vacant.visitor("finance", language="zh")
    clerk.post(PATH, PATH, transaction=NUMBER, **TYPED)
    error = "account 100207-2 is no household, and steps are for households only"
    vacant.answer("move-in", NUMBER, "refused", rule="R29", error=error)
    page = clerk.see(f"{METER}?answer={NUMBER}")
    assert "阶梯只用于居民" in page
    back = re.search(r'href="(?:\.\./)*(meter/a207/move-in\?draft=[\w-]+)"', page)
    assert back and dict(form_of(clerk, f"/{back[1]}"))["papers"] == "lease 114"


def test_somebody_else_approves_it(vacant: Stage) -> None:
    """It waits under Approvals with all that was said; its maker may take it back; the other one approves, once."""
    vacant.say(proposal())
    clerk = vacant.visitor("finance")
    for page in (clerk.see("/money/waiting"), clerk.see("/proposal/p-9")):
        for words in ("A tenant moves in", "新茶馆", "A207", "a207 (A207)", "lease 114", "finance-2", "商业分时"):
            assert words in page, words
    assert "Approvals 1" in re.sub(r"<[^>]+>|\s+", " ", clerk.see("/rooms")).replace("  ", " ")
    assert "Approving opens the account at once" in clerk.see("/proposal/p-9")
    meter = clerk.see(METER)
    assert "somebody else must approve it" in meter and "Move in…" not in meter and "proposal/p-9" in meter
    for _ in range(2):
        assert clerk.post("/proposal/p-9", "/proposal/p-9", do="approve", transaction=NUMBER).status_code == 303
    (asked,) = vacant.requests("approve-move-in")
    assert asked["proposal"] == "p-9" and not vacant.requests("approve-money")
    done = {"proposal": "p-9", "approved": True, "account": "100207-2", "seq": 99}
    vacant.answer("approve-move-in", NUMBER, "done", data=done)
    assert "Moved in as account 100207-2" in clerk.see(f"/money/waiting?answer={NUMBER}")


def test_its_maker_does_not_approve_it(vacant: Stage) -> None:
    """Told before the button, and refused where the form comes all the same; taking back needs a reason (R32)."""
    vacant.say(proposal(who="finance-1"))
    clerk = vacant.visitor("finance")
    page = clerk.see("/proposal/p-9")
    assert "nobody approves their own" in page and 'value="approve"' not in page
    assert clerk.post("/proposal/p-9", "/proposal/p-9", do="approve", transaction=NUMBER).status_code == 422
    assert clerk.post("/proposal/p-9", "/proposal/p-9", do="reject", transaction=NUMBER).status_code == 422
    sent = clerk.post("/proposal/p-9", "/proposal/p-9", do="reject", transaction=NUMBER, why="signed elsewhere")
    assert sent.status_code == 303 and not vacant.requests("approve-move-in")
    (asked,) = vacant.requests("reject-move-in")
    assert asked["why"] == "signed elsewhere"


def test_a_proposal_of_no_shape_breaks_no_page(vacant: Stage) -> None:
    """Whatever a body holds, lists for texts and numbers for names: the pages stand, and show what can be shown."""
    body = {"name": ["x"], "meters": [7, "a207"], "tariff": 5, "household": "maybe", "category": {}, "account": 3}
    vacant.say(proposal(**body))
    clerk = vacant.visitor("finance")
    for path in ("/money/waiting", "/proposal/p-9", METER, PATH):
        assert "lease 114" in clerk.see(path) or path in (METER, PATH)


def test_a_tenant_moves_in_from_the_form_to_the_first_bill(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a real gateway: the old tenant is settled, a clerk sends the form, another one approves it, and the new
    account's page stands with its begin; the room is let again, and the book's entry says who moved in."""
    house = house_in(tmp_path / "house", monkeypatch, "a101", "a102")
    house.run(minutes=5)
    settle = {"account": "100101", "method": "cash", "reference": "1", "papers": "x", "why": "y"}
    asked = house.request("settle", role="finance", **settle)
    house.request("approve-money", who="李强", proposal=house.answers(asked)[-1]["data"]["proposal"])
    house.run(seconds=30)
    panel = panel_of(house, tmp_path / "panel")
    clerk, other = panel.visitor("finance"), panel.visitor("finance", number=2)
    path = "/meter/a101/move-in"
    fields = dict(form_of(clerk, path)) | {"name": "新茶馆", "papers": "lease 9"}
    fields.pop("csrf_token")
    assert fields["account"] == "100101-2"
    assert clerk.post(path, path, **fields).status_code == 303
    pump(house, panel)
    (id,) = [each.id for each in house.edge.core.state.proposals.values() if each.what == "move-in"]
    page = f"/proposal/{id}"
    assert "新茶馆" in other.see(page)
    assert other.post(page, page, do="approve", transaction=NUMBER).status_code == 303
    pump(house, panel)
    meter = house.edge.core.state.meters["a101"]
    for _ in range(120):
        if meter.billed is None:
            house.clock.advance(1)
            pump(house, panel)
    assert meter.billed is not None, "within two minutes"
    account = other.see("/account/100101-2")
    assert "新茶馆" in account and "Tenancy" in account and "Opening reading" in account
    assert "Move in…" not in other.see("/meter/a101")
    row = panel.mirror.view().accounts["100101-2"]
    assert isinstance(row, AccountRow) and row.meters == ["a101"]
    (entry,) = [each for each in house.of("account/1") if each.fields["account"] == "100101-2"]
    opened = other.see(f"/entry/{entry.seq}")
    for words in ("新茶馆", "lease 9", "finance-1", "finance-2"):
        assert words in opened, words
