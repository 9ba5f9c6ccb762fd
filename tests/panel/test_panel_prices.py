"""The page of prices: what counts now, what is to come, what counted before, and what waits for a second person."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from panel_facts import NOW, at, tariff
from panel_forms import mistakes, send, typed
from panel_stage import Stage, one_shop
from test_panel_bad_input import MARKUP, Obeyed

from bridge.contract.messages import Proposals, Tariff
from bridge.contract.site_prices import Tariff as Table
from bridge.contract.site_prices import booked
from bridge.contract.units import instant_text

HOME: dict[str, Any] = {
    "id": "home", "name": "公寓居民", "kind": "single", "price": "0.5380", "daily_fee": "0.30",
    "steps": {"period": "month", "day": 5,
              "bounds": [{"above": "180", "add": "0.05"}, {"above": "280", "add": "0.30"}]},
    "surcharges": [{"name": "农网减免", "price": "-0.01", "category": "home"}, {"name": "基金", "price": "0.02"}],
}  # fmt: skip


def version(number: int, days: float, **more: Any) -> dict[str, Any]:
    """A single price that begins in so many days."""
    begins = instant_text(NOW + timedelta(days=days))
    return {"version": number, "effective_at": begins, "kind": "single", "prices": {"total": "0.8000"}, "windows": [],
            "approved_by": "李伟", "proposed_by": "王敏"} | more  # fmt: skip


def whole() -> dict[str, Any]:
    """A version with everything that a price can have."""
    shop = tariff().versions[0].model_dump(by_alias=True)
    summer = [{"from": "00:00", "to": "12:00", "rate": "deep"}, {"from": "12:00", "to": "24:00", "rate": "sharp"}]
    return shop | {
        "version": 8, "effective_at": at(-10_000), "approved_by": "李伟", "proposed_by": "王敏", "daily_fee": "0.30",
        "prices": shop["prices"] | {"deep": "0.2000"},
        "tables": [{"seasons": ["07-01..08-31"], "days": ["workday", "holiday"], "windows": summer}],
        "steps": {"period": "year", "month": 4, "day": 5, "moving_in": "pro-rated",
                  "steps": [{"above": "2160.00", "add": "0.0500"}]},
        "surcharges": [{"name": "农网减免", "price": "-0.0100", "category": "home"}],
        "purchase": {"total": "0.5500"}, "markup_percent": 25, "markup_warns": True,
    }  # fmt: skip


def say(stage: Stage, *versions: dict[str, Any], id: str = "shop", name: str = "商业") -> None:
    stage.say(Tariff.model_validate({"name": name, "versions": list(versions)}), id)


def row(who: str = "王敏", id: str = "p-7", table: dict[str, Any] = HOME, **more: Any) -> dict[str, Any]:
    body = {"price": booked(Table.model_validate(table)), "version": 2, "effective_at": None, "why": "新合同"}
    return {"id": id, "what": "price", "body": body, "who": who, "role": "finance", "at": at(60),
            "until": at(-4000)} | more  # fmt: skip


def wait(stage: Stage, *rows: dict[str, Any]) -> None:
    stage.say(Proposals.model_validate({"proposals": list(rows)}))


def text_of(page: str) -> str:
    main = page[page.index('<main id="main">') :]
    return " ".join(re.sub(r"<[^>]*>", " ", re.sub(r"<svg.*?</svg>", " ", main, flags=re.S)).split())


def test_what_counts_now_what_comes_and_what_was_stand_apart(shop: Stage) -> None:
    """Four versions: the one in force with who proposed and who approved it, the one to come with its moment, and the
    two that are over behind a click, the nearest first."""
    says = [version(1, -90), version(2, -60, prices={"total": "0.8100"}), version(3, -1, prices={"total": "0.8200"}),
            version(4, 2, prices={"total": "0.8300"})]  # fmt: skip
    say(shop, *says[::-1])
    page = shop.visitor("finance").see("/prices")
    words = text_of(page)
    assert "In force version 3 since 11-19 14:50 proposed by 王敏 · approved by 李伟 Price 0.8200" in words
    assert "To come version 4 counts from 11-22 14:50 on" in words
    past = text_of('<main id="main">' + page[page.index('<details class="past"') :])
    assert past.startswith("2 earlier versions Past version 2") and past.index("version 2") < past.index("version 1 ")
    assert "0.8200" not in past and "1 account pays by it" in words


def test_a_whole_price_is_told_in_plain_words(shop: Stage) -> None:
    """Rates with their hours, seasons and kinds of days, steps, surcharges, the fee, what is paid upstream."""
    say(shop, tariff().versions[0].model_dump(by_alias=True), whole())
    words = text_of(shop.visitor("engineer").see("/prices"))
    for said in (
        "Sharp 1.2480 yuan/kWh", "Deep valley 0.2000 yuan/kWh", "07-01 to 08-31, working days, public holidays",
        "Deep valley 00:00–12:00", "all other days", "Peak 10:00–12:00, 14:00–19:00", "Valley 00:00–07:00, 23:00–24:00",
        "counted by the year, anew on 04-05; a new tenant's are in proportion",
        "Above 2160 kWh a year 0.0500 yuan/kWh more", "Surcharge “农网减免” −0.0100 yuan/kWh for homes",
        "Fee a day 0.30 yuan", "Paid upstream 0.5500 yuan/kWh", "25 % above what is paid, on the mean of a day",
        "25 % above what is paid upstream; the limit here is — % (R30).",
    ):  # fmt: skip
        assert said in words, (said, words)


def test_hours_are_drawn_as_well_as_told(shop: Stage) -> None:
    """The bar of a day has one piece for each window, as long as it is."""
    page = shop.visitor("finance").get("/prices").text
    pieces = re.findall(r'<rect class="rb-(\w+)" x="(\d+)" y="0" width="(\d+)"', page)
    assert pieces[:3] == [("valley", "0", "420"), ("flat", "420", "180"), ("peak", "600", "120")]
    assert sum(int(width) for _, _, width in pieces) == 1440


def test_water_is_per_cubic_metre(shop: Stage) -> None:
    """A price of water says m³ everywhere, and its form has no hours."""
    steps = {"period": "month", "month": 1, "day": 1, "moving_in": "full", "steps": [{"above": "12", "add": "1.2000"}]}
    say(shop, version(1, -9, unit="m3", steps=steps), id="water")
    visitor = shop.visitor("finance")
    assert "Above 12 m³ a month 1.2000 yuan/m³ more" in text_of(visitor.see("/prices"))
    form = visitor.see("/price/water/new")
    assert "yuan/m³" in form and 'name="from"' not in form and 'name="price-peak"' not in form


@pytest.mark.parametrize(
    ("role", "in_menu", "may"),
    [("manager", True, True), ("finance", True, True), ("engineer", True, False), ("operations", False, False)],
)
def test_everybody_reads_and_two_roles_set(shop: Stage, role: str, in_menu: bool, may: bool) -> None:
    """All of the staff may read prices; the menu has them for three roles; only finance and managers see a button to
    change one, and a forged form of the others is refused."""
    wait(shop, row())
    visitor = shop.visitor(role)
    assert ('href="prices"' in visitor.get("/rooms").text) == in_menu
    page = visitor.see("/prices")
    assert "商业分时" in page and ("New version…" in page) == may and ("Look and decide" in page) == may
    assert (visitor.get("/price/shop/new").status_code == 200) == may
    paper = visitor.see("/price-proposal/p-7")
    assert ('value="approve"' in paper) == may and ("Tried on a month" in paper) == may
    if not may:
        assert "Finance or a manager decides" in paper
        for path, do in (("/price/shop/new", "propose"), ("/price-proposal/p-7", "approve"),
                         ("/price-proposal/p-7", "reject"), ("/price-proposal/p-7", "try")):  # fmt: skip
            assert visitor.post(path, do=do, transaction="t" * 12, why="x").status_code == 403
        assert not any("/request/" in topic for topic, _, _ in shop.link.published)


def test_the_approver_sees_in_the_menu_that_something_waits(shop: Stage) -> None:
    """The count is of what this person may decide: not of what they proposed, not of other kinds, and an engineer has
    none."""
    wait(shop, row(), row("FINANCE-1", "p-8"), row("王敏", "p-9", what="refund"))

    def count(role: str) -> list[str]:
        return re.findall(r"(\d)<span[^>]*> waits for your decision", shop.visitor(role).get("/rooms").text)

    assert count("manager") == ["2"] and count("finance") == ["1"] and count("engineer") == []
    wait(shop)
    assert count("manager") == []


def test_a_proposal_is_compared_with_what_counts(shop: Stage) -> None:
    """Only what differs stands there, before and after, and the waiting list says it in short."""
    say(shop, version(1, -9, prices={"total": "0.5200"}, daily_fee="0.30"), id="home", name="公寓居民")
    wait(shop, row(effective_at=None))
    visitor = shop.visitor("manager")
    table = re.findall(r"<tr><td>(.*?)</td><td[^>]*>(.*?)</td><td><b>(.*?)</b>", visitor.see("/price-proposal/p-7"))
    assert table == [
        ("Price", "0.5200 yuan/kWh", "0.5380 yuan/kWh"),
        ("Steps", "—", "counted by the month, anew on day 5; a new tenant has full steps"),
        ("Above 180 kWh a month", "—", "0.0500 yuan/kWh more"), ("Above 280 kWh a month", "—", "0.3000 yuan/kWh more"),
        ("Surcharge “农网减免”", "—", "−0.0100 yuan/kWh for homes"),
        ("Surcharge “基金”", "—", "+0.0200 yuan/kWh for everybody"),
    ]  # fmt: skip
    words = text_of(visitor.see("/prices"))
    assert "Price: 0.5200 yuan/kWh → 0.5380 yuan/kWh" in words and "and 3 more" in words
    assert "王敏, 11-20 13:50; to be decided by 11-23 09:30" in words and "why: 新合同" in words


def test_the_maker_is_told_why_and_may_take_it_back(shop: Stage) -> None:
    """R32: no button to approve, also where the name is written otherwise; a forged one is refused in words; taking it
    back needs a reason and is the gateway's `reject-price`."""
    wait(shop, row("ＦＩＮＡＮＣＥ-1"))
    maker = shop.visitor("finance")
    page = maker.see("/price-proposal/p-7")
    assert "another person approves it: nobody approves their own (R32)" in page and 'value="approve"' not in page
    forged = send(maker, "/price-proposal/p-7", typed(page, why=""), "approve")
    assert forged.status_code == 422 and "nobody approves their own. Ask somebody else (R32)" in forged.text
    silent = send(maker, "/price-proposal/p-7", typed(page, why=" "), "reject")
    assert silent.status_code == 422 and mistakes(silent.text)["why"] == "A reason is needed; it stands in the book."
    form = typed(page, why="too early")
    assert send(maker, "/price-proposal/p-7", form, "reject").headers["Location"].startswith("../prices?answer=")
    (sent,) = shop.requests("reject-price")
    assert (sent["proposal"], sent["why"], sent["who"]) == ("p-7", "too early", "finance-1")
    assert shop.requests("approve-price") == []


def test_a_second_click_and_a_decided_proposal_are_told(shop: Stage) -> None:
    """The same form twice is one request; the other button of a sent form is refused; and a proposal that waits no
    longer is named, with nothing done."""
    wait(shop, row())
    visitor = shop.visitor("manager")
    form = typed(visitor.see("/price-proposal/p-7"), why="good")
    first = send(visitor, "/price-proposal/p-7", form, "approve")
    assert send(visitor, "/price-proposal/p-7", form, "approve").headers["Location"] == first.headers["Location"]
    other = send(visitor, "/price-proposal/p-7", form, "reject")
    assert other.status_code == 409 and "already used for something else" in other.text and 'value="good"' in other.text
    shop.answer("approve-price", form["transaction"], "done", data={"version": 2, "effective_at": at(0)})
    wait(shop)
    assert send(visitor, "/price-proposal/p-7", form, "approve").headers["Location"] == first.headers["Location"]
    card = visitor.see(f"/answer/{form['transaction']}")
    assert "Approved: version 2 counts from 11-20 14:50:12 on and never changes." in card
    late = visitor.post("/price-proposal/p-7", do="approve", transaction="l" * 12)
    assert "Proposal p-7 waits no longer" in visitor.see(late.headers["Location"].replace("..", ""))
    assert len(shop.requests("approve-price")) == 1 and shop.requests("reject-price") == []


def test_without_a_connection_nothing_is_decided_and_the_reason_stays(shop: Stage) -> None:
    """The broker is gone: told at the form, what was typed is still there, and the same form goes later."""
    wait(shop, row())
    visitor = shop.visitor("manager")
    form = typed(visitor.see("/price-proposal/p-7"), why="good")
    shop.lose()
    answer = send(visitor, "/price-proposal/p-7", form, "approve")
    assert answer.status_code == 503 and 'value="good"' in answer.text and form["transaction"] in answer.text
    shop.return_()
    assert send(visitor, "/price-proposal/p-7", form, "approve").status_code == 303


BROKEN: list[dict[str, Any]] = [
    {}, {"price": None}, {"price": []}, {"price": {"tariff": "../x"}}, {"version": "two"}, {"effective_at": "soon"},
    {"effective_at": 5}, {"price": {"windows": [{"from": 10**30, "to": "x", "rate": []}]}},
    {"price": {"tables": [{"seasons": [[1, 2, 3]], "days": [{}], "windows": 5}]}}, {"price": {"steps": {"day": {}}}},
    {"price": {"prices_micro": {"total": 1.5}}}, {"price": {"surcharges": [{}]}}, {"why": None, "price": {"name": {}}},
    {"price": {"daily_fee_nano": "x"}}, {"price": {"purchase_micro": 7}}, {"price": {"tariff": "gone"}},
]  # fmt: skip


@pytest.mark.parametrize("broken", BROKEN, ids=str)
def test_a_proposal_of_another_shape_is_counted_and_breaks_nothing(shop: Stage, broken: dict[str, Any]) -> None:
    """What cannot be understood is not guessed at: the good one beside it stands, and the page says that there is
    more."""
    body = row()["body"]
    odd = {**body, **broken, "price": {**body["price"], **(broken.get("price") or {})} if broken.get("price") else
           broken.get("price", body["price"])} if broken else {}  # fmt: skip
    wait(shop, row(), row(id="p-8", body=odd))
    visitor = shop.visitor("manager")
    page = visitor.see("/prices")
    assert 'href="price-proposal/p-7"' in page and visitor.get("/price-proposal/p-7").status_code == 200
    assert "1 more cannot be read by this version of the panel." in page or 'href="price-proposal/p-8"' in page
    assert visitor.get("/price-proposal/p-8").status_code in (200, 303)


@pytest.mark.parametrize("text", MARKUP)
def test_hostile_names_are_shown_and_not_obeyed(shop: Stage, text: str) -> None:
    """Names of prices, surcharges, makers and reasons are texts: nothing of them runs on any page."""
    say(shop, version(1, -9, approved_by=text, proposed_by=text, surcharges=[{"name": text, "price": text}],
                      prices={"total": text}, daily_fee=text), name=text)  # fmt: skip
    wait(shop, row(text, table=HOME | {"name": text, "surcharges": [{"name": text, "price": "0.1"}], "id": "shop"}),
         row(text, "p-8", body={text: text}))  # fmt: skip
    visitor = shop.visitor("manager")
    for path in ("/prices", "/price-proposal/p-7", "/price/shop/new", "/rooms", f"/prices?gone={text[:32]}"):
        answer = visitor.get(path)
        assert answer.status_code == 200 and Obeyed(answer.text).found == [], path
    form = typed(visitor.get("/price/shop/new").text, name=text, why=text, price__total="0.9", fee="")
    form.setlist("surcharge", [text, text])
    form.setlist("surcharge-price", ["0.1", text])
    assert Obeyed(send(visitor, "/price/shop/new", form, "check").text).found == []
    form.setlist("surcharge-price", ["0.1", "0"])
    form.setlist("surcharge", [text, "b"])
    page = send(visitor, "/price/shop/new", form, "check").text
    assert Obeyed(page).found == [] and "Check and propose" in page


def english_in(page: str) -> set[str]:
    return set(re.findall(r"[A-Za-z]{3,}", text_of(page))) - {"kWh", "manager", "shop", "home", "yuan", "TOML"}


def test_both_languages_are_whole(stage: Stage) -> None:
    """A Chinese page about prices shows no English beside ids and units."""
    one_shop(stage)
    say(stage, version(1, -99), whole(), version(9, 30))
    wait(stage, row("王敏"), row("manager-1", "p-8"))
    visitor = stage.visitor("manager", language="zh")
    for path in ("/prices", "/price-proposal/p-7", "/price-proposal/p-8", "/price/shop/new"):
        assert english_in(visitor.see(path)) <= set(), path
    form = typed(visitor.get("/price/shop/new").text, fee="0.5", when="moment", date="2027-01-01")
    page = send(visitor, "/price/shop/new", form, "check").text
    assert english_in(page) <= set() and "核对并申请" in page
