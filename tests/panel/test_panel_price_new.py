"""A price with a new id: asked for its id, name and unit, then typed, proposed and approved as any other."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

import pytest
from panel_forms import mistakes, send, typed
from panel_house import SameSite, house_in, panel_of, pump
from panel_stage import Stage, Visitor
from test_panel_bad_input import MARKUP, Obeyed
from test_panel_prices import english_in, say, text_of, version

from panel.sessions import IDLE_S

FIRST = "/price-new"
FORM = "/price/market/new?unit=kWh&name=市场"


def begin(visitor: Visitor, **changes: str) -> tuple[int, str, str]:
    """The first step filled in and sent: (status, where it leads, page)."""
    words = {"id": "market", "name": "市场", "unit": "kWh", **changes}
    answer = visitor.post(FIRST, FIRST, **words)
    return answer.status_code, unescape(answer.headers.get("Location", "")), unescape(answer.text)


def test_from_the_button_to_the_book(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a real gateway: the page of prices leads there, the form is that of any version, it is proposed as version
    1, approved by somebody else, and stands among the prices with its own id."""
    house: SameSite = house_in(tmp_path / "edge", monkeypatch)
    panel = panel_of(house, tmp_path / "panel")
    clerk, manager = panel.visitor("finance"), panel.visitor("manager")
    assert 'href="price-new"' in clerk.get("/prices").text
    code, where, _ = begin(clerk)
    assert code == 303
    path = "/" + where
    page = clerk.get(path).text
    assert "New price market" in text_of(page) and typed(page)["name"] == "市场"
    page = send(clerk, path, typed(page, price__total="0.95", fee="0.20", why="新市场"), "check").text
    assert "cannot be tried on a month's readings" in unescape(page) and 'id="tried"' not in page
    assert "not there yet" in page and "0.9500 yuan/kWh" in page
    assert send(clerk, path, typed(page), "propose").status_code == 303
    pump(house, panel)
    assert panel.requests("preview-price") == []
    (proposal,) = house.of("proposal/1")
    id = str(proposal.fields["proposal"])
    paper = manager.see(f"/price-proposal/{id}")
    assert "市场 · version 1" in paper and "not there yet" in paper
    assert send(manager, f"/price-proposal/{id}", typed(paper), "approve").status_code == 303
    pump(house, panel)
    entry = house.of("tariff/2")[-1]
    assert (entry.fields["tariff"], entry.fields["version"], entry.fields["unit"]) == ("market", 1, "kWh")
    words = text_of(manager.see("/prices"))
    assert "市场 market kWh · 0 accounts pay by it" in words and "0.9500" in words
    assert begin(clerk)[0] == 422, "the id is taken now"
    assert "New version of 市场" in text_of(clerk.see("/price/market/new"))


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"id": ""}, "id", "small letters, digits and hyphens"),
        ({"id": "Market"}, "id", "small letters, digits and hyphens"),
        ({"id": "../shop"}, "id", "small letters, digits and hyphens"),
        ({"id": "x" * 33}, "id", "at most 32 of them"),
        ({"id": "shop"}, "id", "There is a price with this id"),
        ({"name": " "}, "name", "A name is needed"),
        ({"name": "x" * 65}, "name", "At most 64 characters."),
        ({"name": "a\u202eb"}, "name", "cannot be shown"),
        ({"unit": "therm"}, "unit", "Choose one of them."),
        ({"unit": ""}, "unit", "Choose one of them."),
    ],
)
def test_a_slip_is_told_beside_its_field(shop: Stage, changes: dict[str, str], field: str, words: str) -> None:
    """The sentence stands at the field, and what was typed is there again."""
    code, _, page = begin(shop.visitor("finance"), **changes)
    assert code == 422 and words in mistakes(page)[field] and list(mistakes(page)) == [field]
    kept = {"id": "market", "name": "市场", **changes}
    assert all(f'value="{kept[name].strip()[:80]}"' in page for name in ("id", "name"))
    assert ('value="kWh" required checked' in page) == ("unit" not in changes)


def test_water_has_no_hours_and_stays_water(shop: Stage) -> None:
    """Per m³ from the first step to the request, also through a mistake and as text."""
    visitor = shop.visitor("finance")
    _, where, _ = begin(visitor, id="water-2", name="水", unit="m3")
    path = "/" + where
    page = visitor.get(path).text
    assert "yuan/m³" in page and 'name="price-peak"' not in page
    wrong = send(visitor, path, typed(page, price__total="x"), "check")
    assert wrong.status_code == 422 and "yuan/m³" in wrong.text
    as_text = send(visitor, path, typed(page, price__total="4.1"), "text").text
    assert 'unit = "m3"' in unescape(as_text)
    page = send(visitor, path, typed(as_text), "check").text
    send(visitor, path, typed(page), "propose")
    (asked,) = shop.requests("propose-price")
    assert (asked["price"]["id"], asked["price"]["unit"], asked["version"]) == ("water-2", "m3", 1)


def test_a_mistake_in_the_figures_keeps_everything(shop: Stage) -> None:
    """As in the form of a version: told beside the field, nothing lost, and back from the check as it was."""
    visitor = shop.visitor("finance")
    code = send(visitor, FORM, typed(visitor.get(FORM).text, price__total="", why="w"), "check")
    assert code.status_code == 422 and mistakes(code.text) and 'value="w"' in code.text
    page = send(visitor, FORM, typed(visitor.get(FORM).text, price__total="0.9", why="w"), "check").text
    back = send(visitor, FORM, typed(page), "edit").text
    assert typed(back)["price-total"] == "0.9" and typed(back)["unit"] == "kWh" and "New price market" in text_of(back)


def test_who_may_not_sets_no_price(shop: Stage) -> None:
    """No button, and both steps are refused."""
    for role in ("engineer", "operations"):
        visitor = shop.visitor(role)
        assert "price-new" not in visitor.get("/prices").text
        assert visitor.get(FIRST).status_code == visitor.get(FORM).status_code == 403
        assert visitor.post(FIRST, id="market", name="x", unit="kWh").status_code == 403
        assert visitor.post("/price/market/new", do="propose", unit="kWh", transaction="t" * 12).status_code == 403
    assert shop.requests("propose-price") == []


def test_a_price_that_has_versions_is_never_begun_anew(shop: Stage) -> None:
    """Whatever stands in the address, the form of a price that is there begins with what counts; an id without its unit
    is no price."""
    say(shop, version(3, -1), id="flat", name="单一")
    visitor = shop.visitor("finance")
    page = visitor.see("/price/flat/new?unit=m3&name=x")
    assert "New version of 单一" in page and 'name="unit"' not in page
    for path in ("/price/market/new", "/price/market/new?unit=x", "/price/Market/new?unit=kWh"):
        assert visitor.get(path).status_code == 404, path


def test_a_refusal_and_a_session_that_ended_lead_back(shop: Stage) -> None:
    """What was typed for a new price is there again, with its unit, after the gateway's no and after signing in."""
    visitor = shop.visitor("finance")
    page = send(visitor, FORM, typed(visitor.get(FORM).text, price__total="0.9", why="w"), "check").text
    form = typed(page)
    assert send(visitor, FORM, form, "propose").status_code == 303
    shop.answer("propose-price", form["transaction"], "refused", rule="R25", error="the clock is not trusted")
    link = re.search(r'href="(price/market/new\?again=[^"]+)"', visitor.see(f"/prices?answer={form['transaction']}"))
    assert link
    kept = typed(visitor.get("/" + link[1]).text)
    assert (kept["price-total"], kept["name"], kept["unit"], kept["why"]) == ("0.9", "市场", "kWh", "w")
    shop.clock.advance(IDLE_S + 1)
    ended = send(visitor, "/price/market/new", form, "check")
    found = re.search(r'name="next" value="([^"]*)"', visitor.see("/" + ended.headers["Location"].lstrip("./")))
    assert found
    words = {"name": "finance-1", "password": "a good password of finance", "next": unescape(found[1])}
    location = visitor.post("/sign-in", form_on="/sign-in", **words).headers["Location"]
    kept = typed(visitor.get(f"/{location}").text)
    assert (kept["price-total"], kept["name"], kept["unit"]) == ("0.9", "市场", "kWh")


@pytest.mark.parametrize("text", MARKUP)
def test_hostile_names_are_shown_and_not_obeyed(shop: Stage, text: str) -> None:
    """A name is a text on both steps, whole or not."""
    visitor = shop.visitor("finance")
    page = visitor.post(FIRST, FIRST, id=text, name=text, unit=text).text
    assert Obeyed(page).found == []
    for path in (FIRST, "/price/market/new"):
        answer = visitor.get(path, query_string={"id": text, "name": text, "unit": "kWh"})
        assert answer.status_code == 200 and Obeyed(answer.text).found == []


def test_both_steps_speak_chinese(shop: Stage) -> None:
    """No English beside ids and units."""
    visitor = shop.visitor("manager", "zh")
    for path in (FIRST, FORM):
        assert english_in(visitor.get(path).text) <= {"market"}, path
